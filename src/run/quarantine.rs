//! The rows that a silver table refused. Quarantine and silver are one unit without a common commit: quarantine goes
//! first and replaces whatever it holds beyond silver's watermark, so a death between the two leaves nothing that the
//! next run does not replace.

use std::collections::BTreeMap;

use polars::prelude::*;

use super::Run;
use super::error::{Error, Result};
use super::protocol::{quarantine_folder, watermark_txn};
use crate::delta::{Change, DataFile, Operation, Snapshot, TableSchema};
use crate::name::TableName;
use crate::silver;

/// How far silver had got in one bronze table when the work began, and how far the work goes.
#[derive(Clone, Debug)]
pub struct Reach {
    /// the bronze table
    pub source: TableName,
    /// its Delta id
    pub id: String,
    /// rows beyond this batch are replaced; `None`: all rows of this source
    pub after: Option<i64>,
    /// the last batch that the new rows come from
    pub upto: i64,
}

/// The quarantine's columns.
pub fn schema() -> TableSchema {
    TableSchema { columns: silver::quarantine_columns(), ..TableSchema::default() }
}

/// Publishes `rows`, files written for the quarantine of `table` and not committed, in place of all that it holds
/// beyond the reach.
///
/// # Errors
/// Lost, if another run has taken in later batches meanwhile: then this run must look again.
pub async fn replace(run: &Run, table: &TableName, reach: &[Reach], rows: Vec<DataFile>) -> Result<()> {
    let quarantine = run.lake.table(&quarantine_folder(table));
    let Some(base) = quarantine.snapshot().await? else {
        if rows.is_empty() {
            return Ok(());
        }
        quarantine.create(&schema(), change(run, reach, rows, Vec::new())).await?;
        return Ok(());
    };
    for r in reach.iter().filter(|r| r.after.is_some()) {
        if base.txn(&watermark_txn(&r.id)) > Some(r.upto) {
            return Err(Error::Delta(crate::delta::Error::Lost {
                table: quarantine.folder().to_string(),
                version: base.version(),
            }));
        }
    }
    let stale = stale_files(&base, reach);
    if rows.is_empty() && stale.is_empty() {
        return Ok(());
    }
    let (removes, kept) = rewrite(&base, stale, reach).await?;
    if rows.is_empty() && removes.is_empty() {
        return Ok(());
    }
    let adds = rows.into_iter().chain(kept).collect();
    quarantine.commit(&base, change(run, reach, adds, removes)).await?;
    Ok(())
}

fn change(run: &Run, reach: &[Reach], adds: Vec<DataFile>, removes: Vec<DataFile>) -> Change {
    let upto: BTreeMap<_, _> = reach.iter().map(|r| (r.source.to_string(), r.upto)).collect();
    let mut note = serde_json::Map::new();
    note.insert("run_id".into(), run.id.clone().into());
    note.insert("action".into(), "quarantine".into());
    note.insert("upto".into(), serde_json::json!(upto));
    Change {
        adds,
        removes,
        txns: reach.iter().map(|r| (watermark_txn(&r.id), r.upto)).collect(),
        operation: Operation::Merge,
        note,
        ..Change::default()
    }
}

/// Files that may hold a row beyond the reach.
fn stale_files(base: &Snapshot, reach: &[Reach]) -> Vec<DataFile> {
    let all = reach.iter().any(|r| r.after.is_none());
    let after = reach.iter().filter_map(|r| r.after).min().unwrap_or(i64::MAX);
    if all { base.files().to_vec() } else { base.files_above("_batch", after) }
}

/// Rewrites files without their rows beyond the reach; gives those that had such rows, and the new ones.
async fn rewrite(base: &Snapshot, stale: Vec<DataFile>, reach: &[Reach]) -> Result<(Vec<DataFile>, Vec<DataFile>)> {
    if stale.is_empty() {
        return Ok((Vec::new(), Vec::new()));
    }
    let beyond = beyond(reach);
    let frame = base.scan_files(&stale)?;
    let counted = frame.clone().filter(beyond.clone());
    let replaced = tokio::task::spawn_blocking(move || super::stream::count(counted)).await??;
    if replaced == 0 {
        return Ok((Vec::new(), Vec::new()));
    }
    let kept = base.table().write(frame.filter(beyond.not()), &schema()).await?;
    Ok((stale, kept))
}

fn beyond(reach: &[Reach]) -> Expr {
    reach.iter().fold(lit(false), |any, r| {
        let mine = col("_source_table").eq(lit(r.source.to_string()));
        any.or(match r.after {
            Some(after) => mine.and(col("_batch").gt(lit(after))),
            None => mine,
        })
    })
}
