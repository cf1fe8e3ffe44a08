//! An earlier version of a table published again: its files, as they were, and its schema.

use std::collections::{BTreeMap, BTreeSet};

use deltalake::kernel::Action;
use deltalake::logstore::object_store::{self, ObjectStoreExt};
use futures::stream::{self, StreamExt, TryStreamExt};
use serde_json::{Map, Value, json};

use super::commit::{commit_info, file_actions, with_commit_id};
use super::table::object_path;
use super::{Change, DataFile, Error, FileDiff, Operation, Snapshot, Table};

/// What a table is to be that goes back, beside the files and the schema of the earlier version.
#[derive(Clone, Debug, Default)]
pub struct Restoration {
    /// all table properties from now on
    pub properties: BTreeMap<String, String>,
    /// applications and the versions that they note with the commit
    pub txns: Vec<(String, i64)>,
    /// as [`Change::note`]
    pub note: Map<String, Value>,
}

/// Files asked for at once: each is one request of a store that may be far away.
const FILES_AT_ONCE: usize = 32;

/// The files that go and those that come, each with the deletion vector that it had, when a table goes back from `base`
/// to `target`, an earlier version of it.
pub fn way_back(base: &Snapshot, target: &Snapshot) -> FileDiff {
    let only = |these: &Snapshot, others: &Snapshot| {
        let others: BTreeSet<_> = others.files().iter().map(DataFile::id).collect();
        these.files().iter().filter(|file| !others.contains(&file.id())).cloned().collect()
    };
    FileDiff { removed: only(base, target), added: only(target, base) }
}

impl Table {
    /// Makes the table what it was at `target`, in one commit against exactly `base`. Its rows and the rules of other
    /// engines that they obeyed come back together, so none of them is looked at. What the protocol demands of writers
    /// stays as it is in `base`: an upgrade cannot be taken back.
    ///
    /// # Errors
    /// As [`Table::commit`].
    pub async fn restore(&self, base: &Snapshot, target: &Snapshot, to: Restoration) -> Result<i64, Error> {
        let folder = self.folder();
        if [base, target].iter().any(|snapshot| snapshot.table().folder() != folder) {
            return Err(Error::invalid(folder, "a snapshot of another table was given"));
        }
        let files = way_back(base, target);
        let (id, note) = with_commit_id(to.note);
        let change = Change {
            adds: files.added,
            removes: files.removed,
            txns: to.txns,
            operation: Operation::Restore(target.version()),
            ..Change::default()
        };
        let mut actions = vec![commit_info(&change, note, change.operation.name(), Some(base.version()))];
        actions.extend(metadata(base, target, &to.properties)?);
        actions.extend(file_actions(&change));
        self.try_commit(Some(base), actions, base.version() + 1, &id, change.operation).await
    }

    /// Those of these files that the store no longer has.
    ///
    /// # Errors
    /// [`Error::Storage`]
    pub async fn missing(&self, files: &[DataFile]) -> Result<Vec<DataFile>, Error> {
        let store = self.log_store()?.object_store(None);
        let looks = stream::iter(files.to_vec()).map(|file| {
            let store = store.clone();
            async move {
                match store.head(&object_path(file.path())).await {
                    Ok(_) => Ok(None),
                    Err(object_store::Error::NotFound { .. }) => Ok(Some(file)),
                    Err(error) => Err(Error::object(&format!("{}/{}", self.folder(), file.path()), &error)),
                }
            }
        });
        looks.buffered(FILES_AT_ONCE).try_filter_map(|missing| async move { Ok(missing) }).try_collect().await
    }
}

/// The metaData action, if it is another than that of `base`. The table's id stays: those who read it go on by that.
fn metadata(
    base: &Snapshot,
    target: &Snapshot,
    properties: &BTreeMap<String, String>,
) -> Result<Option<Action>, Error> {
    let mut metadata = base.metadata().clone();
    for key in ["schemaString", "partitionColumns"] {
        metadata[key] = target.metadata().get(key).cloned().unwrap_or_default();
    }
    metadata["configuration"] = json!(properties);
    if &metadata == base.metadata() {
        return Ok(None);
    }
    let action = serde_json::from_value(json!({ "metaData": metadata }));
    action.map(Some).map_err(|error| Error::invalid(base.table().folder(), error.to_string()))
}
