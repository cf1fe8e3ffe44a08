//! The ledger: a Delta table with one line for each thing that happened to a landing file. Bronze is the truth; the
//! ledger is its index and can be made from it again.

use chrono::{DateTime, Utc};
use polars::prelude::*;

use super::error::{Error, Result};
use super::protocol::{LEDGER, ledger_txn};
use super::{optimize, retry};
use crate::delta::{Change, Lake, Operation, TableSchema};
use crate::expr::{Column as Col, Type};
use crate::name::TableName;
use crate::plan::{FileState, LedgerEntry};

mod book;

pub use book::{Book, Page};

/// The ledger's columns.
pub fn schema() -> TableSchema {
    let column = |name: &str, ty: Type| Col::new(name, ty);
    TableSchema {
        columns: vec![
            column("table", Type::String),
            column("table_id", Type::String),
            column("entry", Type::BigInt),
            column("path", Type::String),
            column("state", Type::String),
            column("batch", Type::BigInt),
            column("rows", Type::BigInt),
            column("malformed", Type::BigInt),
            column("size", Type::BigInt),
            column("mtime_ns", Type::BigInt),
            column("blake3", Type::String),
            column("reason", Type::String),
            column("read_as", Type::String),
            column("run_id", Type::String),
            column("recorded_at", Type::Timestamp),
            column("etag", Type::String),
        ],
        ..TableSchema::default()
    }
}

/// Which bronze table's lines are meant. A file may be set aside before the table exists; its id is empty then.
#[derive(Clone, Debug)]
pub struct Owner {
    /// the bronze table
    pub table: TableName,
    /// its Delta id
    pub id: String,
}

/// What the ledger is to learn.
#[derive(Clone, Debug)]
pub struct Lines {
    /// whose
    pub owner: Owner,
    /// their `entry` is given when they are written
    pub entries: Vec<LedgerEntry>,
    /// the batch that the lines complete, if they complete one
    pub batch: Option<i64>,
    /// who writes
    pub run_id: String,
    /// when
    pub at: DateTime<Utc>,
}

/// Writes lines; those of the batch that they complete only if it is not there already.
pub async fn append(lake: &Lake, lines: &Lines) -> Result<()> {
    retry::until_won("the ledger", || try_append(lake, lines)).await
}

async fn try_append(lake: &Lake, lines: &Lines) -> Result<()> {
    let table = lake.table(LEDGER);
    let snapshot = table.snapshot().await?;
    let last = match &snapshot {
        Some(snapshot) => Page::read(snapshot.clone()).await?.of(&lines.owner)?.entry,
        None => 0,
    };
    let txn = ledger_txn(&lines.owner.id);
    let indexed = snapshot.as_ref().and_then(|s| s.txn(&txn));
    let mut lines = lines.clone();
    if lines.batch.is_some() && indexed >= lines.batch {
        // another run has completed the ledger from bronze
        lines.entries.retain(|line| line.state != FileState::Taken);
        lines.batch = None;
    }
    if lines.entries.is_empty() && lines.batch.is_none() {
        return Ok(());
    }
    let change = Change {
        adds: table.write(frame(&lines, last)?.lazy(), &schema()).await?,
        txns: lines.batch.map(|b| (txn, b)).into_iter().collect(),
        schema: Some(schema()),
        operation: Operation::Append,
        note: note(&lines.run_id, "append"),
        ..Change::default()
    };
    match &snapshot {
        Some(base) => table.commit(base, change).await?,
        None => table.create(&schema(), change).await?,
    };
    optimize::own_table(lake, LEDGER, snapshot.as_ref(), &lines.run_id).await;
    Ok(())
}

fn note(run_id: &str, action: &str) -> serde_json::Map<String, serde_json::Value> {
    [("run_id".to_string(), run_id.into()), ("action".to_string(), action.into())].into_iter().collect()
}

fn frame(lines: &Lines, after: i64) -> Result<DataFrame> {
    let e = &lines.entries;
    let numbers: Vec<i64> = (after + 1..).take(e.len()).collect();
    let all = |text: &str| vec![text.to_string(); e.len()];
    let frame = df!(
        "table" => all(&lines.owner.table.to_string()),
        "table_id" => all(&lines.owner.id),
        "entry" => numbers,
        "path" => e.iter().map(|e| e.path.clone()).collect::<Vec<_>>(),
        "state" => e.iter().map(|e| e.state.as_str()).collect::<Vec<_>>(),
        "batch" => e.iter().map(|e| e.batch).collect::<Vec<_>>(),
        "rows" => e.iter().map(|e| e.rows).collect::<Vec<_>>(),
        "malformed" => e.iter().map(|e| e.malformed).collect::<Vec<_>>(),
        "size" => e.iter().map(|e| e.size).collect::<Vec<_>>(),
        "mtime_ns" => e.iter().map(|e| e.mtime_ns).collect::<Vec<_>>(),
        "blake3" => e.iter().map(|e| e.blake3.clone()).collect::<Vec<_>>(),
        "reason" => e.iter().map(|e| e.reason.clone()).collect::<Vec<_>>(),
        "read_as" => e.iter().map(|e| e.read_as.clone()).collect::<Vec<_>>(),
        "run_id" => all(&lines.run_id),
        "recorded_at" => vec![lines.at.timestamp_micros(); e.len()],
        "etag" => e.iter().map(|e| e.etag.clone()).collect::<Vec<_>>(),
    )?;
    Ok(frame.lazy().with_column(col("recorded_at").cast(Type::Timestamp.to_polars())).collect()?)
}

/// The lines at these places.
fn entries(lines: &DataFrame, places: impl Iterator<Item = usize>) -> Result<Vec<LedgerEntry>> {
    let text = |name: &str| lines.column(name).and_then(|c| c.str().cloned());
    let number = |name: &str| lines.column(name).and_then(|c| c.i64().cloned());
    let (path, state, blake3, reason) = (text("path")?, text("state")?, text("blake3")?, text("reason")?);
    let (entry, batch, rows, malformed) = (number("entry")?, number("batch")?, number("rows")?, number("malformed")?);
    let (size, mtime, read_as) = (number("size")?, number("mtime_ns")?, text("read_as")?);
    let etag = text("etag")?;
    places
        .map(|i| {
            let written = state.get(i).unwrap_or_default();
            let state = FileState::parse(written).ok_or_else(|| {
                Error::Refused(format!(
                    "the ledger has a line of unknown state `{written}`; a later lakesmith wrote it"
                ))
            })?;
            Ok(LedgerEntry {
                entry: entry.get(i).unwrap_or(0),
                path: path.get(i).unwrap_or_default().to_string(),
                size: size.get(i).unwrap_or(-1),
                mtime_ns: mtime.get(i).unwrap_or(-1),
                etag: etag.get(i).map(str::to_string),
                blake3: blake3.get(i).map(str::to_string),
                batch: batch.get(i),
                rows: rows.get(i),
                malformed: malformed.get(i),
                state,
                reason: reason.get(i).map(str::to_string),
                read_as: read_as.get(i).map(str::to_string),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::bronze::FileStat;
    use crate::name::Layer;
    use crate::run::landing::line;
    use crate::run::optimize::MANY_FILES;
    use crate::run::stream;

    fn lines(owner: &Owner, n: i64) -> Lines {
        let stat = FileStat { path: format!("{n}.csv"), size: 1, mtime_ns: n, etag: None };
        let taken = LedgerEntry { batch: Some(n), ..line(&stat, FileState::Taken, Some(n.to_string()), None) };
        let aside = line(&FileStat { path: "bad.csv".into(), ..stat }, FileState::SetAside, None, Some("why".into()));
        let entries = vec![taken, aside];
        Lines { owner: owner.clone(), entries, batch: Some(n), run_id: "r".into(), at: Utc::now() }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_batch_is_listed_once_and_many_files_become_one() {
        let dir = tempfile::tempdir().unwrap();
        let lake = Lake::open(dir.path().to_str().unwrap(), &BTreeMap::new()).unwrap();
        let owner = Owner { table: TableName { layer: Layer::Bronze, name: "b".into() }, id: "id".into() };
        let last = i64::try_from(MANY_FILES).unwrap() + 1;
        for n in 1..=last {
            append(&lake, &lines(&owner, n)).await.unwrap();
        }
        append(&lake, &lines(&owner, last)).await.unwrap();
        let snapshot = lake.table(LEDGER).snapshot().await.unwrap().unwrap();
        assert!(snapshot.files().len() < 5, "{} files", snapshot.files().len());
        assert_eq!(snapshot.txn(&ledger_txn("id")), Some(last));
        assert!(snapshot.read(&schema()).unwrap().equals_missing(&stream::collect(snapshot.scan().unwrap()).unwrap()));
        let page = Page::read(snapshot).await.unwrap();
        let ledger = page.of(&owner).unwrap();
        assert_eq!((ledger.batch, ledger.last.len() as i64), (last, last + 1));
        assert_eq!(ledger.entry, 2 * last + 1, "of a batch that is listed only what was set aside is added");
        let other = Owner { id: "made again".into(), ..owner };
        assert_eq!(page.of(&other).unwrap().batch, 0);
    }
}
