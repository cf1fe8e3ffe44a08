//! The landing files of a bronze table, by the ledger: the landing folder need not be there.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::delta::Snapshot;
use crate::name::TableName;
use crate::plan::{FileState, LedgerEntry};
use crate::run::error::Result;
use crate::run::ledger::{Book, Owner};

/// Files that are named.
const NAMED: usize = 100;

/// The landing files of a bronze table.
#[derive(Debug, Default, Serialize)]
pub struct FilesDocs {
    /// how many there are, by what became of them
    pub counts: BTreeMap<&'static str, u64>,
    /// the newest
    pub newest: Vec<FileDocs>,
}

/// What became of a landing file.
#[derive(Debug, Serialize)]
pub struct FileDocs {
    /// relative to the landing folder
    pub path: String,
    /// what became of it
    pub state: &'static str,
    /// the batch that holds its records
    pub batch: Option<i64>,
    /// its records
    pub rows: Option<i64>,
    /// of these, kept as raw text
    pub malformed: Option<i64>,
    /// its size
    pub bytes: i64,
    /// why it was not taken
    pub reason: Option<String>,
}

/// By the newest ledger; `None`: there is none yet.
pub async fn of(book: &Book, name: &TableName, bronze: Option<&Snapshot>) -> Result<Option<FilesDocs>> {
    let Some(page) = book.newest().await? else { return Ok(None) };
    let id = bronze.map(|bronze| bronze.table_id().to_string()).unwrap_or_default();
    let ledger = page.of(&Owner { table: name.clone(), id })?;
    Ok(Some(told(ledger.last.into_values().collect())))
}

fn told(mut lines: Vec<LedgerEntry>) -> FilesDocs {
    let mut counts = BTreeMap::new();
    for line in &lines {
        *counts.entry(word(line.state)).or_default() += 1;
    }
    lines.sort_by_key(|line| std::cmp::Reverse((line.state == FileState::SetAside, line.entry)));
    lines.truncate(NAMED);
    FilesDocs { counts, newest: lines.into_iter().map(file).collect() }
}

/// Bytes that were taken in before are taken in.
fn word(state: FileState) -> &'static str {
    match state {
        FileState::Touched => FileState::Taken.as_str(),
        other => other.as_str(),
    }
}

fn file(line: LedgerEntry) -> FileDocs {
    FileDocs {
        path: line.path,
        state: word(line.state),
        batch: line.batch,
        rows: line.rows,
        malformed: line.malformed,
        bytes: line.size,
        reason: line.reason,
    }
}
