//! The files of `_delta_log` as they lie in the store: what is missing, and what single commits say. Replaying them
//! into the files of a version is delta-rs' work.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, AsArray, StructArray};
use arrow::datatypes::Int64Type;
use chrono::{DateTime, Utc};
use deltalake::logstore::object_store::path::Path;
use deltalake::logstore::object_store::{self, ObjectStore, ObjectStoreExt};
use deltalake::parquet::arrow::ProjectionMask;
use deltalake::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use futures::{StreamExt, TryStreamExt};
use serde_json::Value;

use super::Error;

const FOLDER: &str = "_delta_log";
/// Commits are read so many at a time.
const CONCURRENT_READS: usize = 32;

/// The log of one table.
#[derive(Clone)]
pub(super) struct Log {
    store: Arc<dyn ObjectStore>,
    table: Arc<str>,
}

/// What lies in the folder.
#[derive(Default)]
pub(super) struct Listing {
    /// version to size and time of the file
    commits: BTreeMap<i64, (u64, DateTime<Utc>)>,
    /// version to its files, for each that is complete
    checkpoints: BTreeMap<i64, Vec<Path>>,
}

/// The JSON lines of one commit.
pub(super) struct CommitFile {
    pub(super) version: i64,
    text: String,
}

impl Log {
    pub(super) fn new(store: Arc<dyn ObjectStore>, table: Arc<str>) -> Self {
        Log { store, table }
    }

    /// Everything.
    pub(super) async fn list(&self) -> Result<Listing, Error> {
        self.list_from(0).await
    }

    /// Everything that the newest version needs.
    pub(super) async fn list_recent(&self) -> Result<Listing, Error> {
        if let Some(checkpoint) = self.last_checkpoint().await? {
            let listing = self.list_from(checkpoint).await?;
            if listing.checkpoints.contains_key(&checkpoint) {
                return Ok(listing);
            }
        }
        self.list().await
    }

    /// Only a hint: readers may find it stale, so what cannot be read counts as absent.
    async fn last_checkpoint(&self) -> Result<Option<i64>, Error> {
        let path = Path::from_iter([FOLDER, "_last_checkpoint"]);
        let bytes = match self.store.get(&path).await {
            Ok(found) => found.bytes().await.map_err(|error| self.failed(&error))?,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(self.failed(&error)),
        };
        Ok(serde_json::from_slice::<Value>(&bytes).ok().and_then(|hint| hint.get("version")?.as_i64()))
    }

    async fn list_from(&self, version: i64) -> Result<Listing, Error> {
        let folder = Path::from(FOLDER);
        // the offset is exclusive, and `.` sorts before `0`
        let offset = Path::from_iter([FOLDER.to_owned(), format!("{version:020}.")]);
        let found: Vec<_> = match self.store.list_with_offset(Some(&folder), &offset).try_collect().await {
            Ok(found) => found,
            Err(object_store::Error::NotFound { .. }) => Vec::new(),
            Err(error) => return Err(self.failed(&error)),
        };
        let mut listing = Listing::default();
        let mut parts: BTreeMap<(i64, usize), Vec<Path>> = BTreeMap::new();
        for meta in found {
            let Some(name) = meta.location.filename().filter(|_| meta.location.parts().count() == 2) else { continue };
            match LogFile::of(name) {
                Some(LogFile::Commit(version)) => {
                    listing.commits.insert(version, (meta.size, meta.last_modified));
                }
                Some(LogFile::Checkpoint { version, parts: all }) => {
                    parts.entry((version, all)).or_default().push(meta.location);
                }
                None => {}
            }
        }
        for ((version, all), paths) in parts {
            if paths.len() >= all {
                listing.checkpoints.insert(version, paths);
            }
        }
        Ok(listing)
    }

    /// One commit, or `None` if it is not in the log (any more).
    pub(super) async fn read(&self, version: i64) -> Result<Option<CommitFile>, Error> {
        let path = Path::from_iter([FOLDER.to_owned(), format!("{version:020}.json")]);
        let bytes = match self.store.get(&path).await {
            Ok(found) => found.bytes().await.map_err(|error| self.failed(&error))?,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(self.failed(&error)),
        };
        let text = String::from_utf8(bytes.to_vec()).unwrap_or_default();
        if text.trim().is_empty() {
            return Err(Error::unreadable(&self.table, empty_commit(version)));
        }
        Ok(Some(CommitFile { version, text }))
    }

    /// The commits of these versions that are there, in the given order.
    pub(super) async fn read_all(&self, versions: Vec<i64>) -> Result<Vec<CommitFile>, Error> {
        futures::stream::iter(versions)
            .map(|version| async move { self.read(version).await })
            .buffered(CONCURRENT_READS)
            .try_filter_map(|commit| async move { Ok(commit) })
            .try_collect()
            .await
    }

    /// The txn actions up to `version`: application to the last version that it noted.
    pub(super) async fn txns(
        &self,
        listing: &Listing,
        commits: &[CommitFile],
        version: i64,
    ) -> Result<BTreeMap<String, i64>, Error> {
        let mut txns = BTreeMap::new();
        if let Some((_, files)) = listing.checkpoints.range(..=version).next_back() {
            for file in files {
                txns.extend(self.checkpoint_txns(file).await?);
            }
        }
        for commit in commits {
            txns.extend(commit.actions("txn", &self.table)?.iter().filter_map(txn_of));
        }
        Ok(txns)
    }

    async fn checkpoint_txns(&self, file: &Path) -> Result<Vec<(String, i64)>, Error> {
        let unreadable =
            |error: &dyn std::error::Error| Error::unreadable(&self.table, format!("checkpoint {file}: {error}"));
        let found = self.store.get(file).await.map_err(|error| self.failed(&error))?;
        let bytes = found.bytes().await.map_err(|error| self.failed(&error))?;
        if file.filename().is_some_and(|name| name.ends_with(".json")) {
            let text = String::from_utf8(bytes.to_vec()).map_err(|error| unreadable(&error))?;
            let actions = CommitFile { version: 0, text }.actions("txn", &self.table)?;
            return Ok(actions.iter().filter_map(txn_of).collect());
        }
        let builder = ParquetRecordBatchReaderBuilder::try_new(bytes).map_err(|error| unreadable(&error))?;
        let mask = ProjectionMask::columns(builder.parquet_schema(), ["txn.appId", "txn.version"]);
        let batches = builder.with_projection(mask).build().map_err(|error| unreadable(&error))?;
        let mut txns = Vec::new();
        for batch in batches {
            let batch = batch.map_err(|error| unreadable(&error))?;
            if let Some(column) = batch.column_by_name("txn").and_then(|c| c.as_struct_opt()) {
                txns.extend(txns_of(column));
            }
        }
        Ok(txns)
    }

    fn failed(&self, error: &object_store::Error) -> Error {
        Error::object(&format!("{}/{FOLDER}", self.table), error)
    }
}

/// Application and version of a txn action.
pub(super) fn txn_of(txn: &Value) -> Option<(String, i64)> {
    Some((txn.get("appId")?.as_str()?.to_owned(), txn.get("version")?.as_i64()?))
}

fn txns_of(txn: &StructArray) -> Vec<(String, i64)> {
    let apps = txn.column_by_name("appId").and_then(|c| c.as_string_opt::<i32>());
    let versions = txn.column_by_name("version").and_then(|c| c.as_primitive_opt::<Int64Type>());
    let (Some(apps), Some(versions)) = (apps, versions) else { return Vec::new() };
    (0..txn.len())
        .filter(|&row| txn.is_valid(row) && apps.is_valid(row) && versions.is_valid(row))
        .map(|row| (apps.value(row).to_owned(), versions.value(row)))
        .collect()
}

fn empty_commit(version: i64) -> String {
    format!(
        "the commit file of version {version} is empty, as a power cut leaves it: its rows cannot be told. Restore the \
         file from a copy, or remove it if it is the newest"
    )
}

enum LogFile {
    Commit(i64),
    Checkpoint { version: i64, parts: usize },
}

impl LogFile {
    /// `N.json`, `N.checkpoint.parquet`, `N.checkpoint.PART.PARTS.parquet`, `N.checkpoint.UUID.{parquet,json}`
    fn of(name: &str) -> Option<Self> {
        let (version, rest) = name.split_at_checked(20)?;
        let version = version.parse().ok()?;
        match rest.split('.').collect::<Vec<_>>().as_slice() {
            ["", "json"] => Some(LogFile::Commit(version)),
            ["", "checkpoint", _, parts, "parquet"] => {
                Some(LogFile::Checkpoint { version, parts: parts.parse().ok()? })
            }
            ["", "checkpoint", .., "parquet" | "json"] => Some(LogFile::Checkpoint { version, parts: 1 }),
            _ => None,
        }
    }
}

impl Listing {
    /// The newest version; `None`: there is no table.
    pub(super) fn latest(&self) -> Option<i64> {
        self.commits.last_key_value().map(|(v, _)| *v).max(self.checkpoints.last_key_value().map(|(v, _)| *v))
    }

    /// The commits that are in the log, ascending.
    pub(super) fn versions(&self) -> impl DoubleEndedIterator<Item = i64> {
        self.commits.keys().copied()
    }

    pub(super) fn modified(&self, version: i64) -> Option<DateTime<Utc>> {
        self.commits.get(&version).map(|(_, time)| *time)
    }

    /// The commits that must be replayed on the last checkpoint to have `version`.
    ///
    /// # Errors
    /// Which of them is missing or empty.
    pub(super) fn replayed(&self, version: i64) -> Result<Vec<i64>, Missing> {
        let first = self.checkpoints.range(..=version).next_back().map_or(0, |(checkpoint, _)| checkpoint + 1);
        let versions: Vec<i64> = (first..=version).collect();
        for v in &versions {
            match self.commits.get(v) {
                None if first == 0 && self.commits.keys().all(|known| known > v) => return Err(Missing::Expired),
                None => {
                    return Err(Missing::Damaged(format!("the commit file of version {v} is missing from the log")));
                }
                Some((0, _)) => return Err(Missing::Damaged(empty_commit(*v))),
                Some(_) => {}
            }
        }
        Ok(versions)
    }
}

/// Why a version cannot be put together.
#[derive(Debug)]
pub(super) enum Missing {
    /// the log was cleaned up beyond it
    Expired,
    /// a file is gone or empty
    Damaged(String),
}

impl CommitFile {
    /// All actions of one kind, e.g. `commitInfo`.
    pub(super) fn actions(&self, kind: &str, table: &str) -> Result<Vec<Value>, Error> {
        let quoted = format!("\"{kind}\"");
        let mut found = Vec::new();
        for (number, line) in self.text.lines().enumerate() {
            if !line.contains(&quoted) {
                continue;
            }
            let mut action: Value = serde_json::from_str(line).map_err(|error| {
                Error::unreadable(
                    table,
                    format!("line {} of the commit file of version {}: {error}", number + 1, self.version),
                )
            })?;
            if let Some(action) = action.get_mut(kind) {
                found.push(action.take());
            }
        }
        Ok(found)
    }

    /// `commitInfo`; null if there is none.
    pub(super) fn commit_info(&self, table: &str) -> Result<Value, Error> {
        Ok(self.actions("commitInfo", table)?.into_iter().next().unwrap_or_default())
    }
}

/// When a commit was made, as its commitInfo says.
pub(super) fn commit_time(info: &Value) -> Option<DateTime<Utc>> {
    let millis = info.get("inCommitTimestamp").or_else(|| info.get("timestamp"))?.as_i64()?;
    DateTime::from_timestamp_millis(millis)
}
