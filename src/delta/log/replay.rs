//! What the actions of a log come to: the newest protocol and metaData, the newest txn of each application, the files
//! that were added and not removed since
//! (<https://github.com/delta-io/delta/blob/master/PROTOCOL.md#action-reconciliation>).

use std::collections::{BTreeMap, HashMap};

use deltalake::kernel::{Add, DeletionVectorDescriptor, Remove};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use super::place::Bytes;
use super::{CommitFile, checkpoint, damage, txn_of};
use crate::delta::file::{FileId, file_id};

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
    pub(super) fn new(wanted: Wanted) -> Self {
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
    pub(super) fn commit(&mut self, commit: &CommitFile) -> Result<(), String> {
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
