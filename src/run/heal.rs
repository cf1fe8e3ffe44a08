//! The ledger made from bronze again, where a run died between the two commits or the ledger was lost.

use std::collections::BTreeMap;

use polars::prelude::*;
use serde_json::Value;

use super::error::Result;
use super::landing::Seen;
use super::ledger::{self, Lines};
use super::protocol::{BATCH, folder};
use super::{Run, landing, lost, stream};
use crate::bronze::{self, FileStat};
use crate::delta::{CommitRecord, Snapshot};
use crate::plan::{FileState, LedgerEntry};

/// Lists in the ledger every batch of bronze that it lacks: from bronze's commits or, where the log no longer tells,
/// from its rows.
pub async fn ledger(run: &Run, seen: &Seen) -> Result<()> {
    let Some(after) = seen.unlisted_after else { return Ok(()) };
    // What another run has added since it was looked at is as true.
    let Some(bronze) = &run.lake.table(&folder(&seen.owner.table)).snapshot().await? else { return Ok(()) };
    let last = bronze.txn(BATCH).unwrap_or(0);
    let told = told_by_commits(bronze).await?;
    for batch in after + 1..=last {
        let entries = match told.get(&batch) {
            Some(entries) => entries.clone(),
            None => told_by_rows(run, bronze, batch).await?,
        };
        tracing::info!(table = %seen.owner.table, batch, files = entries.len(), "ledger completed from bronze");
        let owner = seen.owner.clone();
        let lines = Lines { owner, entries, batch: Some(batch), run_id: run.id.clone(), at: run.started_at };
        ledger::append(&run.lake, &lines).await?;
    }
    Ok(())
}

async fn told_by_commits(bronze: &Snapshot) -> Result<BTreeMap<i64, Vec<LedgerEntry>>> {
    let commits = bronze.table().history(0).await?;
    Ok(commits.iter().filter_map(told_by_commit).collect())
}

fn told_by_commit(commit: &CommitRecord) -> Option<(i64, Vec<LedgerEntry>)> {
    let note = commit.note.as_ref()?;
    let batch = note.get("batch")?.as_i64()?;
    let files = note.get("files")?.as_array()?;
    // of a repair: the files of batches that were lost, and of those that are there again
    let told = |key: &str| {
        let files = note.get(key).and_then(Value::as_array).into_iter().flatten();
        files.filter_map(|file| entry(file, file.get("batch")?.as_i64()?))
    };
    let repaired = told("lost").map(lost::line).chain(told("found"));
    Some((batch, files.iter().filter_map(|file| entry(file, batch)).chain(repaired).collect()))
}

fn entry(file: &Value, batch: i64) -> Option<LedgerEntry> {
    let number = |key: &str| file.get(key).and_then(Value::as_i64);
    Some(LedgerEntry {
        entry: 0,
        path: file.get("path")?.as_str()?.to_string(),
        size: number("size")?,
        mtime_ns: number("mtime_ns")?,
        etag: file.get("etag").and_then(Value::as_str).map(str::to_string),
        blake3: file.get("blake3").and_then(Value::as_str).map(str::to_string),
        batch: Some(batch),
        rows: number("rows"),
        malformed: number("malformed"),
        state: FileState::Taken,
        reason: None,
        read_as: None,
    })
}

/// The files that the rows of a batch came from. Their stat and hash are those of the files as they are now, where
/// they are still there: whether they changed since cannot be known any more.
async fn told_by_rows(run: &Run, bronze: &Snapshot, batch: i64) -> Result<Vec<LedgerEntry>> {
    let rows = bronze
        .scan_files(&bronze.files_above(bronze::BATCH, batch - 1))?
        .filter(col(bronze::BATCH).eq(lit(batch)))
        .group_by([col(bronze::SOURCE_FILE)])
        .agg([len().cast(DataType::Int64).alias("rows"), col(bronze::MALFORMED).count().cast(DataType::Int64)]);
    let root = landing::open(&run.project)?;
    tokio::task::spawn_blocking(move || {
        let counted = stream::collect(rows)?;
        let (paths, n) = (counted.column(bronze::SOURCE_FILE)?.str()?, counted.column("rows")?.i64()?);
        let malformed = counted.column(bronze::MALFORMED)?.i64()?;
        let each = (0..counted.height()).map(|i| {
            let path = paths.get(i).unwrap_or_default();
            let stat = root.stat(path).unwrap_or(FileStat { path: path.to_string(), size: 0, mtime_ns: 0, etag: None });
            LedgerEntry {
                batch: Some(batch),
                rows: n.get(i),
                malformed: malformed.get(i),
                ..landing::line(&stat, FileState::Taken, bronze::hash_file(&root, &stat).ok(), None)
            }
        });
        Ok(each.collect())
    })
    .await?
}
