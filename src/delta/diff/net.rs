//! What the commits between two versions did on balance, those aside that only rearranged files. A commit that changes
//! rows takes away the rows of its removed files and brings those of its added ones; the sum of all such commits is
//! the difference of the two versions, whatever files the other rows have come to lie in meanwhile.

use std::collections::{BTreeMap, BTreeSet};

use deltalake::kernel::{Add, Remove};
use deltalake::logstore::object_store::{self, ObjectStoreExt};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::FileDiff;
use crate::delta::evolve::widens;
use crate::delta::file::{FileId, file_id};
use crate::delta::log::CommitFile;
use crate::delta::snapshot::{check_path, deleted_rows};
use crate::delta::table::object_path;
use crate::delta::{DataFile, Error, Snapshot, schema};

/// The files of all commits after `p` up to `q` that changed rows, less those that both came and went. `None`: the log
/// or the disk no longer has all of it, or no commit between the two only rearranged, so that this is the plain
/// difference of their files.
pub(super) async fn net(p: &Snapshot, q: &Snapshot) -> Result<Option<FileDiff>, Error> {
    let table = q.table();
    let versions: Vec<i64> = (p.version() + 1..=q.version()).collect();
    let wanted = versions.len();
    let found = async {
        let commits = table.log()?.read_all(versions).await?;
        if commits.len() != wanted || !commits.iter().all(|commit| reads_alike(commit, p, q)) {
            return Ok(None);
        }
        let commits: Vec<Commit> =
            commits.iter().map(|file| Commit::new(file, table.folder())).collect::<Result<_, _>>()?;
        if commits.iter().any(Commit::rearranges) { Ok(Some(commits)) } else { Ok(None) }
    };
    // Both versions could be opened: that a commit between them is damaged concerns nobody else.
    let commits = match found.await {
        Ok(Some(commits)) => commits,
        Ok(None) | Err(Error::Unreadable { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut balance = Balance::new(p);
    commits.into_iter().for_each(|commit| balance.add(commit));
    if balance.present != ids(q) {
        tracing::debug!(table = table.folder(), "the log does not lead from one version to the other");
        return Ok(None);
    }
    balance.files(p, q).await
}

/// Whether files of that time are read with the columns of the two versions.
fn reads_alike(commit: &CommitFile, p: &Snapshot, q: &Snapshot) -> bool {
    let Ok(metadata) = commit.actions("metaData", q.table().folder()) else { return false };
    let same = |metadata: &Value| {
        let partitions: Option<Vec<&str>> =
            metadata.get("partitionColumns")?.as_array()?.iter().map(Value::as_str).collect();
        let fields = serde_json::from_str(metadata.get("schemaString")?.as_str()?).ok()?;
        let (columns, _) = schema::from_json(&fields).ok()?;
        let fits = |name: &str, ty| q.schema().ty(name).is_none_or(|later| widens(ty, later));
        Some(partitions? == q.schema().partition_by && columns.iter().all(|column| fits(&column.name, &column.ty)))
    };
    p.schema().partition_by == q.schema().partition_by && metadata.iter().all(|action| same(action) == Some(true))
}

/// What one commit did to files.
struct Commit {
    removes: Vec<FileId>,
    adds: Vec<(FileId, Add)>,
    /// One action with dataChange is enough: a writer may remove a file with it and add what is left of its rows
    /// without.
    data_change: bool,
}

impl Commit {
    fn new(file: &CommitFile, table: &str) -> Result<Self, Error> {
        let (removes, adds) = (file.actions("remove", table)?, file.actions("add", table)?);
        let changes = |action: &Value| action.get("dataChange").and_then(Value::as_bool).unwrap_or(true);
        let data_change = removes.iter().chain(&adds).any(changes);
        let remove = |action| parsed::<Remove>(table, action).map(|r| file_id(&r.path, r.deletion_vector.as_ref()));
        let add =
            |action| parsed::<Add>(table, action).map(|add| (file_id(&add.path, add.deletion_vector.as_ref()), add));
        Ok(Commit {
            removes: removes.into_iter().map(remove).collect::<Result<_, _>>()?,
            adds: adds.into_iter().map(add).collect::<Result<_, _>>()?,
            data_change,
        })
    }

    fn rearranges(&self) -> bool {
        !self.data_change && !self.removes.is_empty()
    }
}

fn parsed<T: DeserializeOwned>(table: &str, action: Value) -> Result<T, Error> {
    serde_json::from_value(action).map_err(|error| Error::unreadable(table, error.to_string()))
}

fn ids(snapshot: &Snapshot) -> BTreeSet<FileId> {
    snapshot.files().iter().map(DataFile::own_id).collect()
}

/// The table's files from commit to commit, and how often each came more than it went.
struct Balance {
    present: BTreeSet<FileId>,
    came: BTreeMap<FileId, i64>,
    adds: BTreeMap<FileId, Add>,
}

impl Balance {
    fn new(p: &Snapshot) -> Self {
        Balance { present: ids(p), came: BTreeMap::new(), adds: BTreeMap::new() }
    }

    /// To remove a file that is not there, or to add one that is (with other statistics, say), changes nothing.
    fn add(&mut self, commit: Commit) {
        for id in commit.removes {
            if self.present.remove(&id) && commit.data_change {
                *self.came.entry(id).or_default() -= 1;
            }
        }
        for (id, add) in commit.adds {
            if self.present.insert(id.clone()) && commit.data_change {
                *self.came.entry(id.clone()).or_default() += 1;
            }
            self.adds.insert(id, add);
        }
    }

    async fn files(self, p: &Snapshot, q: &Snapshot) -> Result<Option<FileDiff>, Error> {
        let known: BTreeMap<FileId, &DataFile> =
            p.files().iter().chain(q.files()).map(|file| (file.own_id(), file)).collect();
        let mut diff = FileDiff::default();
        for (id, times) in self.came.iter().filter(|(_, times)| **times != 0) {
            let file = match (known.get(id), self.adds.get(id)) {
                (Some(file), _) => Some((*file).clone()),
                (None, Some(add)) => passing(q, add).await?,
                (None, None) => None,
            };
            let Some(file) = file else { return Ok(None) };
            let side = if *times < 0 { &mut diff.removed } else { &mut diff.added };
            side.extend((0..times.unsigned_abs()).map(|_| file.clone()));
        }
        Ok(Some(diff))
    }
}

/// A file that neither version has; `None` if it was deleted meanwhile.
async fn passing(q: &Snapshot, add: &Add) -> Result<Option<DataFile>, Error> {
    let (table, log_store) = (q.table(), q.table().log_store()?);
    let found = async {
        check_path(table.folder(), &add.path)?;
        deleted_rows(table.folder(), add, &log_store).await
    };
    let deleted = match found.await {
        Ok(deleted) => deleted,
        Err(Error::Unreadable { .. } | Error::Gone { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    match log_store.object_store(None).head(&object_path(&add.path)).await {
        Ok(_) => Ok(Some(DataFile::new(add.clone(), deleted))),
        Err(object_store::Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(Error::object(table.folder(), &error)),
    }
}

#[cfg(test)]
mod tests;
