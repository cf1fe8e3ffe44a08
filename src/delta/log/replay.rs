//! What the actions of a log come to: the newest protocol and metaData, the newest txn of each application, the files
//! that were added and not removed since
//! (<https://github.com/delta-io/delta/blob/master/PROTOCOL.md#action-reconciliation>).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use deltalake::kernel::{Action, Add, DeletionVectorDescriptor, Remove};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};

use super::place::Bytes;
use super::{CommitFile, checkpoint, damage, txn_of};
use crate::delta::file::{BLAKE3_TAG, FileId, file_id};

/// How much is to be told.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::delta) enum Wanted {
    /// all but the files
    Head,
    /// the files too
    Files,
}

/// A log up to some version.
pub(in crate::delta) struct Replay {
    wanted: Wanted,
    /// the protocol action; null if there is none
    pub(in crate::delta) protocol: Value,
    /// the metaData action; null if there is none
    pub(in crate::delta) metadata: Value,
    /// application to the last version that it noted
    pub(in crate::delta) txns: BTreeMap<String, i64>,
    files: HashMap<FileId, Add>,
    /// a checkpoint holds its files in a way that is not read here
    beyond: bool,
}

/// One line of a commit. What is not asked for is still checked to be JSON.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line<A, R> {
    protocol: Option<Value>,
    meta_data: Option<Value>,
    txn: Option<Value>,
    add: Option<A>,
    remove: Option<R>,
    sidecar: Option<Sidecar>,
}

/// Of a sidecar action what names its file.
#[derive(Deserialize)]
struct Sidecar {
    path: String,
}

/// Of a remove action what names its file.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Removed {
    #[serde(deserialize_with = "decoded")]
    path: String,
    deletion_vector: Option<DeletionVectorDescriptor>,
}

impl Replay {
    pub(in crate::delta) fn new(wanted: Wanted) -> Self {
        Replay {
            wanted,
            protocol: Value::Null,
            metadata: Value::Null,
            txns: BTreeMap::new(),
            files: HashMap::new(),
            beyond: false,
        }
    }

    /// The files, in no particular order; `None` if only delta-rs can tell: a checkpoint lists them in other files, or
    /// keeps statistics as columns alone.
    pub(in crate::delta) fn files(self) -> Option<Vec<Add>> {
        (!self.beyond && self.wanted == Wanted::Files).then(|| self.files.into_values().collect())
    }

    /// What `other`, which should be the same version, says otherwise; none: nothing that can be told.
    pub(in crate::delta) fn unlike(&self, other: &Replay) -> Option<String> {
        if protocol(&self.protocol) != protocol(&other.protocol) {
            return Some("its protocol is another".to_owned());
        }
        let differs = |key: &&&str| parsed(&self.metadata, key) != parsed(&other.metadata, key);
        if let Some(key) = ["id", "schemaString", "partitionColumns", "configuration"].iter().find(differs) {
            return Some(format!("`{key}` of its metaData is another"));
        }
        if self.txns != other.txns
            && self.metadata.pointer("/configuration/delta.setTransactionRetentionDuration").is_none()
        {
            return Some("its txns are others".to_owned());
        }
        if self.beyond || other.beyond {
            return None;
        }
        let gone = self.files.keys().find(|id| !other.files.contains_key(*id));
        let more = other.files.keys().find(|id| !self.files.contains_key(*id));
        let changed =
            || self.files.iter().find(|(id, add)| other.files.get(*id).is_some_and(|other| !alike(add, other)));
        let ((path, _), what) = match (gone, more) {
            (Some(id), _) => (id, "lacks"),
            (None, Some(id)) => (id, "has, and should not,"),
            (None, None) => (changed()?.0, "says something else of"),
        };
        Some(format!("it {what} the file `{path}`"))
    }

    /// The actions that make this of `before`, as lines of a commit; `None` if only delta-rs can tell.
    pub(in crate::delta) fn since(self, before: Replay, now: i64) -> Option<Vec<Value>> {
        let mut actions = Vec::new();
        let differs = protocol(&self.protocol) != protocol(&before.protocol);
        actions.extend(differs.then(|| json!({ "protocol": self.protocol })));
        actions.extend((self.metadata != before.metadata).then(|| json!({ "metaData": self.metadata })));
        let is_new = |(app, version): &(&String, &i64)| before.txns.get(*app) != Some(*version);
        let txn = |(app, version)| json!({ "txn": { "appId": app, "version": version, "lastUpdated": now } });
        actions.extend(self.txns.iter().filter(is_new).map(txn));
        let known: BTreeSet<FileId> = before.files.keys().cloned().collect();
        let (before, after) = (before.files()?, self.files()?);
        let left: BTreeSet<FileId> = after.iter().map(id).collect();
        let gone = before.into_iter().filter(|add| !left.contains(&id(add)));
        let come = after.into_iter().filter(|add| !known.contains(&id(add)));
        let files = gone.map(|add| Action::Remove(removed(add, now))).chain(come.map(Action::Add));
        for action in files {
            actions.push(serde_json::to_value(action).ok()?);
        }
        Some(actions)
    }

    /// Takes in a file of the checkpoint on which the log goes on.
    pub(super) fn checkpoint(&mut self, name: &str, bytes: Bytes) -> Result<(), String> {
        if name.ends_with(".json") {
            self.beyond = true;
            let text = String::from_utf8(bytes.to_vec()).map_err(|error| error.to_string())?;
            return self.lines::<IgnoredAny, IgnoredAny>(&text, drop, drop);
        }
        let wanted = if self.beyond { Wanted::Head } else { self.wanted };
        let found = checkpoint::read(bytes, wanted)?;
        self.note(found.protocol, found.metadata);
        self.txns.extend(found.txns);
        match found.adds {
            None => self.beyond = true,
            Some(adds) => self.files.extend(adds.into_iter().map(|add| (id(&add), add))),
        }
        Ok(())
    }

    /// Takes in the next commit.
    pub(in crate::delta) fn commit(&mut self, commit: &CommitFile) -> Result<(), String> {
        let mut files = std::mem::take(&mut self.files);
        let read = if self.wanted == Wanted::Head || self.beyond {
            self.lines::<IgnoredAny, IgnoredAny>(&commit.text, drop, drop)
        } else {
            let (mut added, mut removed) = (Vec::new(), Vec::new());
            let read = self.lines::<Add, Removed>(&commit.text, |add| added.push(add), |remove| removed.push(remove));
            // a commit never adds and removes the same state of a file
            for remove in removed {
                files.remove(&file_id(&remove.path, remove.deletion_vector.as_ref()));
            }
            files.extend(added.into_iter().map(|add| (id(&add), add)));
            read
        };
        self.files = files;
        read
    }

    fn lines<A: DeserializeOwned, R: DeserializeOwned>(
        &mut self,
        text: &str,
        mut on_add: impl FnMut(A),
        mut on_remove: impl FnMut(R),
    ) -> Result<(), String> {
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let line: Line<A, R> = serde_json::from_str(line).map_err(|e| damage::of_line(number, &e))?;
            self.note(line.protocol, line.meta_data);
            self.txns.extend(line.txn.as_ref().and_then(txn_of));
            line.sidecar.map_or(Ok(()), |sidecar| checkpoint::check_sidecar(&sidecar.path))?;
            line.add.map(&mut on_add);
            line.remove.map(&mut on_remove);
        }
        Ok(())
    }

    fn note(&mut self, protocol: Option<Value>, metadata: Option<Value>) {
        self.protocol = protocol.unwrap_or_else(|| self.protocol.take());
        self.metadata = metadata.unwrap_or_else(|| self.metadata.take());
    }
}

fn removed(add: Add, now: i64) -> Remove {
    Remove {
        path: add.path,
        data_change: true,
        deletion_timestamp: Some(now),
        extended_file_metadata: Some(true),
        partition_values: Some(add.partition_values),
        size: Some(add.size),
        tags: add.tags,
        deletion_vector: add.deletion_vector,
        base_row_id: add.base_row_id,
        default_row_commit_version: add.default_row_commit_version,
    }
}

/// Versions and features, in no order.
fn protocol(action: &Value) -> (Option<i64>, Option<i64>, BTreeSet<&str>) {
    let number = |key: &str| action.get(key).and_then(Value::as_i64);
    let features =
        |key: &str| action.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    (
        number("minReaderVersion"),
        number("minWriterVersion"),
        features("readerFeatures").chain(features("writerFeatures")).collect(),
    )
}

/// A member of the metaData action; JSON within a text by what it says. Nothing is as good as an empty one.
fn parsed(metadata: &Value, key: &str) -> Value {
    let value = metadata.get(key).cloned().unwrap_or_default();
    let value = value.as_str().and_then(|text| serde_json::from_str(text).ok()).unwrap_or(value);
    let empty = value.as_object().is_some_and(Map::is_empty) || value.as_array().is_some_and(Vec::is_empty);
    if empty { Value::Null } else { value }
}

/// Whether two actions say the same of a file. Statistics are compared where lakesmith wrote them: others write them into
/// a checkpoint in forms of their own.
fn alike(one: &Add, other: &Add) -> bool {
    let statistics = |add: &Add| add.stats.as_deref().and_then(|text| serde_json::from_str::<Value>(text).ok());
    let ours = |add: &Add| add.tags.as_ref().is_some_and(|tags| tags.contains_key(BLAKE3_TAG));
    one.size == other.size
        && one.partition_values == other.partition_values
        && one.tags.clone().unwrap_or_default() == other.tags.clone().unwrap_or_default()
        && (!ours(one) || statistics(one) == statistics(other))
}

fn id(add: &Add) -> FileId {
    file_id(&add.path, add.deletion_vector.as_ref())
}

/// A path as deltalake decodes it, whose way of doing it is its own.
pub(super) fn decode(path: String) -> Result<String, String> {
    if !path.contains('%') {
        return Ok(path);
    }
    let remove: Result<Remove, _> = serde_json::from_value(json!({ "path": path, "dataChange": true }));
    remove.map(|remove| remove.path).map_err(|error| error.to_string())
}

fn decoded<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    decode(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
}
