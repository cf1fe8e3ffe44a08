//! The files of `_delta_log` as they lie in the store: what is missing, what single commits say, and what all of them
//! come to.

mod checkpoint;
mod damage;
mod hiding;
mod place;
mod replay;
mod unusable;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures::{StreamExt, TryStreamExt};
use serde::Deserialize;
use serde_json::Value;

pub(super) use self::damage::{ACTIONS, lost_commit, missing_commit};
pub(super) use self::hiding::Hiding;
pub(super) use self::place::Place;
pub(super) use self::replay::{Replay, Wanted};
pub use self::unusable::Unusable;
use super::Error;

const FOLDER: &str = "_delta_log";
/// Names the last checkpoint, so that readers need not look for it.
pub(super) const HINT: &str = "_last_checkpoint";
/// No table gets so far; what bears a greater number is none of the log's files.
const LAST: i64 = 1 << 60;
/// Commits are read so many at a time.
const CONCURRENT_READS: usize = 32;

/// The log of one table.
#[derive(Clone)]
pub(super) struct Log {
    place: Place,
    table: Arc<str>,
}

/// What lies in the folder.
#[derive(Default)]
pub(super) struct Listing {
    commits: BTreeSet<i64>,
    /// version to the names of its files, for each that is complete
    checkpoints: BTreeMap<i64, Vec<String>>,
    /// files that a reader must do without
    pub(super) unusable: Unusable,
}

/// Why a log cannot be replayed.
pub(super) enum Unread {
    /// this checkpoint cannot be read; the commits may do without it
    Checkpoint(i64, String),
    /// all else
    Other(Error),
}

/// The JSON lines of one commit.
pub(super) struct CommitFile {
    pub(super) version: i64,
    text: String,
}

impl Log {
    pub(super) fn new(place: Place, table: Arc<str>) -> Self {
        Log { place, table }
    }

    /// Everything.
    pub(super) async fn list(&self) -> Result<Listing, Error> {
        self.list_from(0).await
    }

    /// Everything that the newest version needs.
    pub(super) async fn list_recent(&self) -> Result<Listing, Error> {
        let Some(checkpoint) = self.last_checkpoint().await? else { return self.list().await };
        let listing = self.list_from(checkpoint).await?;
        if listing.checkpoints.contains_key(&checkpoint) {
            return Ok(listing);
        }
        let mut listing = self.list().await?;
        listing.unusable.add(HINT, format!("it names the checkpoint of version {checkpoint}, which is not there"));
        Ok(listing)
    }

    /// The file that names the last checkpoint.
    pub(super) async fn hint(&self) -> Result<Option<place::Bytes>, Error> {
        self.place.read(&self.table, HINT).await
    }

    /// What the files of one checkpoint come to, or why they cannot be read.
    pub(super) async fn read_checkpoint(&self, names: &[String]) -> Result<Result<Replay, String>, Error> {
        let mut replay = Replay::new(Wanted::Files);
        for name in names {
            let Some(bytes) = self.place.read(&self.table, name).await? else { return Ok(Err("it is gone".into())) };
            if let Err(what) = replay.checkpoint(name, bytes) {
                return Ok(Err(what));
            }
        }
        Ok(Ok(replay))
    }

    /// Only a hint: readers may find it stale, so what cannot be read counts as absent.
    async fn last_checkpoint(&self) -> Result<Option<i64>, Error> {
        let hint = self.hint().await?.and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
        Ok(hint.and_then(|hint| hint.get("version")?.as_i64()))
    }

    /// Everything from a version on, which must not be negative.
    pub(super) async fn list_from(&self, version: i64) -> Result<Listing, Error> {
        // `.` sorts before `0`
        let names = self.place.names(&self.table, &format!("{version:020}.")).await?;
        let mut listing = Listing::default();
        let mut parts: BTreeMap<(i64, usize), Vec<String>> = BTreeMap::new();
        for name in names {
            match LogFile::of(&name) {
                Some(LogFile::Commit(version)) => {
                    listing.commits.insert(version);
                }
                Some(LogFile::Checkpoint { version, parts: all }) => {
                    parts.entry((version, all)).or_default().push(name);
                }
                None => {}
            }
        }
        for ((version, all), names) in parts {
            if names.len() >= all {
                listing.checkpoints.insert(version, names);
            }
        }
        Ok(listing)
    }

    /// One commit, or `None` if it is not in the log (any more).
    pub(super) async fn read(&self, version: i64) -> Result<Option<CommitFile>, Error> {
        let Some(bytes) = self.place.read(&self.table, &commit_name(version)).await? else { return Ok(None) };
        let text = damage::text_of(&bytes).map_err(|what| damage::of_commit(&self.table, version, &what))?;
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

    /// When the file of a commit was written, by the store's clock.
    pub(super) async fn modified(&self, version: i64) -> Result<Option<DateTime<Utc>>, Error> {
        self.place.modified(&self.table, &commit_name(version)).await
    }

    /// What the last checkpoint and the commits since, which are those that [`Listing::replayed`] names, come to.
    ///
    /// # Errors
    /// Which of them cannot be read.
    pub(super) async fn replay(
        &self,
        listing: &Listing,
        commits: &[CommitFile],
        version: i64,
        wanted: Wanted,
    ) -> Result<Replay, Unread> {
        let mut replay = Replay::new(wanted);
        if let Some((checkpoint, names)) = listing.checkpoint_of(version) {
            for name in names {
                let unreadable = |what: String| Unread::Checkpoint(checkpoint, what);
                let bytes = self.place.read(&self.table, name).await.map_err(Unread::Other)?;
                let bytes = bytes.ok_or_else(|| unreadable("it is gone".to_owned()))?;
                replay.checkpoint(name, bytes).map_err(unreadable)?;
            }
        }
        for commit in commits {
            replay
                .commit(commit)
                .map_err(|what| Unread::Other(damage::of_commit(&self.table, commit.version, &what)))?;
        }
        Ok(replay)
    }
}

pub(super) fn commit_name(version: i64) -> String {
    format!("{version:020}.json")
}

/// Application and version of a txn action.
pub(super) fn txn_of(txn: &Value) -> Option<(String, i64)> {
    Some((txn.get("appId")?.as_str()?.to_owned(), txn.get("version")?.as_i64()?))
}

enum LogFile {
    Commit(i64),
    Checkpoint { version: i64, parts: usize },
}

impl LogFile {
    /// `N.json`, `N.checkpoint.parquet`, `N.checkpoint.PART.PARTS.parquet`, `N.checkpoint.UUID.{parquet,json}`
    fn of(name: &str) -> Option<Self> {
        let (version, rest) = name.split_at_checked(20)?;
        let version = version.parse().ok().filter(|version| (0..LAST).contains(version))?;
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
        self.commits.last().copied().max(self.checkpoints.last_key_value().map(|(v, _)| *v))
    }

    /// The checkpoint on which `version` stands, and its files.
    pub(super) fn checkpoint_of(&self, version: i64) -> Option<(i64, &[String])> {
        let (checkpoint, names) = self.checkpoints.range(..=version).next_back()?;
        Some((*checkpoint, names))
    }

    /// The checkpoints that are complete, by version.
    pub(super) fn checkpoints(&self) -> &BTreeMap<i64, Vec<String>> {
        &self.checkpoints
    }

    /// All checkpoints that cannot be read are as if they were not there.
    pub(super) fn without(mut self, unusable: &Unusable) -> Self {
        self.checkpoints.retain(|_, names| !names.iter().any(|name| unusable.holds(name)));
        self.unusable.extend(unusable);
        self
    }

    /// The commits that are in the log, ascending.
    pub(super) fn versions(&self) -> impl DoubleEndedIterator<Item = i64> {
        self.commits.iter().copied()
    }

    /// The commits that must be replayed on the last checkpoint to have `version`.
    ///
    /// # Errors
    /// Which of them is missing.
    pub(super) fn replayed(&self, version: i64) -> Result<Vec<i64>, Missing> {
        let first = self.checkpoint_of(version).map_or(0, |(checkpoint, _)| checkpoint + 1);
        // one after the other: a file may bear any number
        match (first..=version).find(|version| !self.commits.contains(version)) {
            None => Ok((first..=version).collect()),
            Some(_) if first == 0 && self.is_cleaned_up() => Err(Missing::Expired),
            Some(missing) => Err(Missing::Lost(missing)),
        }
    }

    /// Whether commits may have been taken from its beginning: only a checkpoint makes them dispensable.
    fn is_cleaned_up(&self) -> bool {
        !self.commits.contains(&0) && !self.checkpoints.is_empty()
    }
}

/// Why a version cannot be put together.
#[derive(Debug)]
pub(super) enum Missing {
    /// the log was cleaned up beyond it
    Expired,
    /// the commit file of this version is gone
    Lost(i64),
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
            let mut action: Value = serde_json::from_str(line)
                .map_err(|error| damage::of_commit(table, self.version, &damage::of_line(number, &error)))?;
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

impl CommitFile {
    /// As [`commit_time`] of its commitInfo, which may name thousands of files, without taking in the rest of it.
    pub(super) fn time(&self) -> Option<DateTime<Utc>> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Line {
            commit_info: Option<Times>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Times {
            in_commit_timestamp: Option<Value>,
            timestamp: Option<Value>,
        }
        let lines = self.text.lines().filter(|line| line.contains("\"commitInfo\""));
        let info = lines.filter_map(|line| serde_json::from_str::<Line>(line).ok()?.commit_info).next()?;
        DateTime::from_timestamp_millis(info.in_commit_timestamp.or(info.timestamp)?.as_i64()?)
    }
}

impl CommitFile {
    /// A number that tells the commit from others of its version: made from the id that each of ours bears, else its time.
    pub(super) fn mark(&self) -> Option<i64> {
        let lines = self.text.lines().filter(|line| line.contains("\"commitInfo\""));
        match lines.filter_map(Note::of).next().and_then(|note| note.commit) {
            Some(id) => {
                let hash = blake3::hash(id.as_bytes());
                let bytes = hash.as_bytes().first_chunk::<8>()?;
                Some(i64::from_be_bytes(*bytes) & i64::MAX)
            }
            None => self.time().map(|time| time.timestamp_millis()),
        }
    }
}

/// What a commit of ours says of itself in its commitInfo.
#[derive(Deserialize)]
struct Note {
    /// how many actions it has
    actions: Option<usize>,
    /// its id
    commit: Option<String>,
}

impl Note {
    /// As a line of a commit file says.
    fn of(line: &str) -> Option<Self> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Line {
            commit_info: Option<CommitInfo>,
        }
        #[derive(Deserialize)]
        struct CommitInfo {
            lakesmith: Option<Note>,
        }
        serde_json::from_str::<Line>(line).ok()?.commit_info?.lakesmith
    }
}

/// When a commit was made, as its commitInfo says.
pub(super) fn commit_time(info: &Value) -> Option<DateTime<Utc>> {
    let millis = info.get("inCommitTimestamp").or_else(|| info.get("timestamp"))?.as_i64()?;
    DateTime::from_timestamp_millis(millis)
}
