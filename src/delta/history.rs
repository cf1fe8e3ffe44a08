//! What the log says of each commit.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::commit::{METRICS, NOTE, REMOVED_ROWS};
use super::log::{CommitFile, commit_time, txn_of};
use super::{Error, Table};

/// How many commits are looked at together on the way back to a time.
const COMMITS_AT_ONCE: i64 = 16;

/// One commit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CommitRecord {
    /// the version that it made
    pub version: i64,
    /// when, by its commitInfo
    pub timestamp: DateTime<Utc>,
    /// commitInfo's word for it, e.g. `MERGE`
    pub operation: String,
    /// the program that wrote it
    pub engine: Option<String>,
    /// what lakesmith noted, if it wrote it
    pub note: Option<Map<String, Value>>,
    /// whether rows came or went; else files were only rearranged, or none were touched
    pub data_change: bool,
    /// rows of the files that came, if their writer counted them
    pub rows_added: Option<u64>,
    /// rows of the files that went, if lakesmith wrote the commit
    pub rows_removed: Option<u64>,
    /// bytes of the files that came
    pub bytes_added: u64,
    /// bytes of the files that went, if the commit tells
    pub bytes_removed: Option<u64>,
    /// files that came
    pub files_added: usize,
    /// files that went
    pub files_removed: usize,
    /// applications and the versions that they noted
    pub txns: BTreeMap<String, i64>,
}

impl Table {
    /// The commits from version `from` on that the log still has, ascending.
    ///
    /// # Errors
    /// [`Error::Unreadable`] if one of them is damaged; [`Error::Storage`].
    pub async fn history(&self, from: i64) -> Result<Vec<CommitRecord>, Error> {
        let log = self.log()?;
        let commits = log.read_all(log.list_from(from).await?.versions().collect()).await?;
        let mut records = Vec::with_capacity(commits.len());
        for commit in &commits {
            let mut record = record(commit, self.folder())?;
            if record.timestamp == DateTime::<Utc>::default() {
                record.timestamp = log.modified(commit.version).await?.unwrap_or_default();
            }
            records.push(record);
        }
        Ok(records)
    }

    /// The commits from a time on, ascending, found from the newest one backwards: as many are read as there are, and
    /// some more.
    ///
    /// # Errors
    /// As [`Table::history`].
    pub async fn commits_since(&self, time: DateTime<Utc>) -> Result<Vec<CommitRecord>, Error> {
        let log = self.log()?;
        let mut newest_first = Vec::new();
        let mut newest = log.list_recent().await?.latest().unwrap_or(-1);
        while newest >= 0 {
            let oldest = (newest + 1 - COMMITS_AT_ONCE).max(0);
            for commit in log.read_all((oldest..=newest).rev().collect()).await? {
                let record = record(&commit, self.folder())?;
                if record.timestamp < time {
                    newest_first.reverse();
                    return Ok(newest_first);
                }
                newest_first.push(record);
            }
            newest = oldest - 1;
        }
        newest_first.reverse();
        Ok(newest_first)
    }
}

fn record(commit: &CommitFile, table: &str) -> Result<CommitRecord, Error> {
    let info = commit.commit_info(table)?;
    let adds = commit.actions("add", table)?;
    let removes = commit.actions("remove", table)?;
    let changes = |action: &Value| action.get("dataChange").and_then(Value::as_bool).unwrap_or(true);
    let text = |key: &str| info.get(key).and_then(Value::as_str).map(str::to_owned);
    let txns = commit.actions("txn", table)?;
    Ok(CommitRecord {
        version: commit.version,
        timestamp: commit_time(&info).unwrap_or_default(),
        operation: text("operation").unwrap_or_default(),
        engine: text("engineInfo"),
        note: info.get(NOTE).and_then(Value::as_object).cloned(),
        data_change: adds.iter().chain(&removes).any(changes),
        rows_added: adds.iter().map(rows).sum(),
        rows_removed: if removes.is_empty() { Some(0) } else { removed_rows(&info) },
        bytes_added: adds.iter().filter_map(bytes).sum(),
        bytes_removed: removes.iter().map(bytes).sum(),
        files_added: adds.len(),
        files_removed: removes.len(),
        txns: txns.iter().filter_map(txn_of).collect(),
    })
}

fn rows(add: &Value) -> Option<u64> {
    let statistics: Value = serde_json::from_str(add.get("stats")?.as_str()?).ok()?;
    let hidden = add.get("deletionVector").and_then(|dv| dv.get("cardinality")).and_then(Value::as_u64);
    statistics.get("numRecords")?.as_u64()?.checked_sub(hidden.unwrap_or(0))
}

fn bytes(action: &Value) -> Option<u64> {
    action.get("size")?.as_u64()
}

fn removed_rows(info: &Value) -> Option<u64> {
    info.get(METRICS)?.get(REMOVED_ROWS)?.as_str()?.parse().ok()
}
