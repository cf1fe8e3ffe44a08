//! Batches that a bronze table no longer has, though its ledger lists them or tables below have read them: commits were
//! deleted, or the table's folder is an older copy. New batches must not take their numbers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Value, json};

use super::error::{Error, Result};
use super::landing::Seen;
use super::ledger::{self, Book, Lines, Owner, Page};
use super::protocol::{self, BATCH, folder, ledger_txn, lost_txn, watermark_txn};
use crate::delta::{Change, Head, Lake, Operation, Snapshot};
use crate::name::TableName;
use crate::plan::{FileState, Gap, LakeState, LedgerEntry};
use crate::project::Project;

/// How far a table below has read a bronze table, by the id of that.
#[derive(Clone, Debug)]
pub struct Reader {
    /// which
    pub table: TableName,
    /// its txns about what it has read
    txns: BTreeMap<String, i64>,
}

impl Reader {
    /// The position up to which it has read the table with this id.
    pub fn read(&self, id: &str) -> Option<i64> {
        self.txns.get(&watermark_txn(id)).copied()
    }
}

/// Looks at the tables that read `name` and can be read themselves.
pub async fn readers(project: &Project, lake: &Lake, name: &TableName) -> Result<Vec<Reader>> {
    let mut readers = Vec::new();
    for table in project.readers(name) {
        // one that is damaged is told of by its own task
        if let Ok(Some(head)) = lake.table(&folder(&table)).head().await {
            readers.push(Reader { table, txns: head.txns().clone() });
        }
    }
    Ok(readers)
}

/// Whether all that the readers have read is in the table, which was looked at after them.
pub fn check(name: &TableName, readers: &[Reader], seen: &Seen) -> Result<()> {
    let Some(bronze) = &seen.bronze else { return Ok(()) };
    let last = seen.last_batch();
    let ahead = readers.iter().filter_map(|reader| Some((&reader.table, reader.read(bronze.table_id())?)));
    match ahead.max_by_key(|(_, read)| *read).filter(|(_, read)| *read > last) {
        None => Ok(()),
        Some((reader, read)) => Err(Error::Refused(told_by_reader(name, last, reader, read))),
    }
}

fn told_by_reader(name: &TableName, last: i64, reader: &TableName, read: i64) -> String {
    telling(name, last, &format!("`{reader}` has read it up to batch {read}"))
}

/// That the ledger lists a batch which a bronze table does not have.
pub fn told_by_ledger(name: &TableName, last: i64, listed: i64) -> String {
    telling(name, last, &format!("its ledger lists files of batch {listed}"))
}

fn telling(name: &TableName, last: i64, known: &str) -> String {
    format!(
        "`{name}` ends at batch {last}, but {known}: commits of bronze were lost. Bring the table's folder back from a copy; \
         or say `lakesmith repair {name}`, and the next run takes in anew what of their files is still in the landing folder"
    )
}

/// That a bronze table has lost commits, if the ledger's newest version, looked at before it, or a table that reads it
/// tells so.
pub fn survey(project: &Project, name: &TableName, ledger: Option<&Head>, states: &LakeState) -> Option<String> {
    let bronze = states.get(name)?;
    let last = bronze.batch?;
    if let Some(listed) = ledger.and_then(|ledger| ledger.txn(&ledger_txn(&bronze.id))).filter(|listed| *listed > last)
    {
        return Some(told_by_ledger(name, last, listed));
    }
    let readers = project.readers(name).into_iter();
    let read = readers.filter_map(|reader| Some((*states.get(&reader)?.watermarks.get(&bronze.id)?, reader)));
    let (read, reader) = read.max().filter(|(read, _)| *read > last)?;
    Some(told_by_reader(name, last, &reader, read))
}

/// What a bronze table has lost.
#[derive(Clone, Debug)]
pub struct Lost {
    owner: Owner,
    /// from the last batch that it still has to the number that no batch has had yet
    pub gap: Gap,
    /// the ledger's lines of files whose records were in these batches
    pub files: Vec<LedgerEntry>,
    /// the ledger's lines of files whose batches it counts as lost, and which are there: the table is a copy from before
    /// the loss
    pub found: Vec<LedgerEntry>,
    /// whether the ledger lists all batches that are left; else it is to be completed before it can be told of these
    is_listed: bool,
}

/// What the ledger and the tables below know of a bronze table.
pub struct Known {
    table: TableName,
    page: Option<Arc<Page>>,
    readers: Vec<Reader>,
}

/// Asks the ledger and the readers. Bronze is to be looked at afterwards: it is never behind what they know, so what it
/// then lacks is lost, whatever a run commits meanwhile.
pub async fn known(project: &Project, lake: &Lake, name: &TableName) -> Result<Known> {
    let page = Book::new(lake).newest().await?;
    let readers = readers(project, lake, name).await?;
    Ok(Known { table: name.clone(), page, readers })
}

impl Known {
    /// What the table has lost, of which `bronze` is the newest version that can be read; none: nothing.
    pub fn lost(&self, bronze: &Snapshot) -> Result<Option<Lost>> {
        let Some(last) = bronze.txn(BATCH) else { return Ok(None) };
        let owner = Owner { table: self.table.clone(), id: bronze.table_id().to_owned() };
        let (ledger, lines, listed) = match &self.page {
            Some(page) => (page.of(&owner)?.batch, page.lines(&owner)?, page.listed(&owner).unwrap_or(0)),
            None => (0, Vec::new(), 0),
        };
        let read = self.readers.iter().filter_map(|reader| reader.read(bronze.table_id())).max().unwrap_or(0);
        let known = ledger.max(read);
        if known <= last {
            return Ok(None);
        }
        let found = match &self.page {
            Some(page) => found(page.told(&owner)?, &lines, bronze, last),
            None => Vec::new(),
        };
        let is_lost =
            |line: &LedgerEntry| line.state == FileState::Taken && line.batch.is_some_and(|batch| batch > last);
        let files = lines.into_iter().filter(is_lost).collect();
        Ok(Some(Lost { owner, gap: Gap { after: last, before: known + 1 }, files, found, is_listed: listed >= last }))
    }
}

/// The lines by which files were taken into batches that were lost later and are in `bronze`, whose last batch is `last`.
/// `told` are all lines, `lines` those that hold.
fn found(told: Vec<LedgerEntry>, lines: &[LedgerEntry], bronze: &Snapshot, last: i64) -> Vec<LedgerEntry> {
    let place = |line: &LedgerEntry| (line.path.clone(), line.batch);
    let gaps = protocol::head_state(bronze.head());
    let is_there = |line: &&LedgerEntry| line.batch.is_some_and(|b| b <= last && gaps.lost_under(b).is_none());
    let lost: BTreeSet<_> =
        told.iter().filter(|line| line.state == FileState::Lost).filter(is_there).map(place).collect();
    let is_taken = |line: &&LedgerEntry| line.state == FileState::Taken;
    let held: BTreeSet<_> = lines.iter().filter(is_taken).map(place).collect();
    // a file may have been found before: the last line counts
    let found = told.iter().filter(is_taken).map(|line| (place(line), line.clone()));
    let found: BTreeMap<_, _> = found.filter(|(place, _)| lost.contains(place) && !held.contains(place)).collect();
    found.into_values().collect()
}

/// Takes note: files of these batches count as never taken, and their numbers are not given again. `bronze` is the very
/// version that was found to lack them: if it is no longer the newest, nothing is noted. Bronze first; its commit names
/// the files, so that after a death in between, or where the ledger lacks more than this, the next run completes it.
///
/// # Errors
/// Bronze has moved on; the store failed.
pub async fn note(lake: &Lake, lost: &Lost, bronze: &Snapshot, run_id: &str) -> Result<i64> {
    let file = |line: &LedgerEntry| {
        json!({ "path": line.path, "size": line.size, "mtime_ns": line.mtime_ns, "etag": line.etag,
                "blake3": line.blake3, "batch": line.batch, "rows": line.rows, "malformed": line.malformed })
    };
    let mut note = protocol::remark(run_id, "repair");
    note.insert("batch".into(), lost.gap.before.into());
    note.insert("files".into(), Value::Array(Vec::new()));
    note.insert("lost".into(), lost.files.iter().map(file).collect());
    note.insert("found".into(), lost.found.iter().map(file).collect());
    let change = Change {
        txns: vec![(BATCH.to_owned(), lost.gap.before), lost_txn(lost.gap)],
        operation: Operation::SetProperties,
        note,
        ..Change::default()
    };
    let version = bronze.table().commit(bronze, change).await?;
    if !lost.is_listed {
        return Ok(version);
    }
    let entries = lost.files.iter().cloned().map(line).chain(lost.found.iter().cloned()).collect();
    let (owner, run_id, at) = (lost.owner.clone(), run_id.to_owned(), chrono::Utc::now());
    ledger::append(lake, &Lines { owner, entries, batch: Some(lost.gap.before), run_id, at }).await?;
    Ok(version)
}

/// The ledger's line that a file is as if it had never been taken.
pub fn line(taken: LedgerEntry) -> LedgerEntry {
    LedgerEntry {
        state: FileState::Lost,
        rows: None,
        malformed: None,
        reason: Some("commits of bronze were lost".to_owned()),
        ..taken
    }
}
