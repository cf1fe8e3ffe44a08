//! How the rows of a table differ between two sides: counted, summed and sampled as they stream by.

mod columns;
mod sample;
mod sum;
mod tally;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use self::columns::Compared;
use self::sum::totals;
use self::tally::Tally;
use super::error::{Error, Result};
use super::protocol::quarantine_folder;
use super::{damage, stream};
use crate::delta::{self, DataFile, RowDiff, Side};
use crate::name::TableName;
use crate::project::{Definition, Project};
use crate::report::{DiffRead, DiffRows, DiffSide, TableDiff};

/// Rows of each kind that a person is shown.
const SAMPLE: usize = 10;

/// Columns that say where a row of silver came from.
const LINEAGE: [&str; 4] = ["_batch", "_source_table", "_source_file", "_source_row"];
/// Columns of bronze and of a quarantine that say when and by which run a row came, and the batch: two lakes number
/// their batches apart.
const OF_ITS_LAKE: [&str; 4] = ["_batch", "_ingested_at", "_quarantined_at", "_run_id"];

/// How two sides are compared.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// as the answer names it
    pub table: String,
    /// tells rows apart, NULL being the same as NULL; empty: rows are compared as multisets
    pub key: Vec<String>,
    /// columns that do not count
    pub left_out: Vec<String>,
    /// at most so many rows of the sample are changed ones, as many added, as many removed
    pub sample: usize,
    /// whether all rows of both sides are summed, for which all files are read; else only the difference of the sums is
    /// known
    pub totals: bool,
}

impl Comparison {
    /// A table of the project: by the key of its definition, lineage aside.
    pub fn of(project: &Project, name: &TableName) -> Self {
        let (key, left_out) = match project.tables.get(name).map(|table| &table.definition) {
            Some(Definition::Silver(events)) => (events.key.clone(), owned(&LINEAGE)),
            Some(Definition::Gold(derived)) => (derived.key.clone(), Vec::new()),
            Some(Definition::Bronze(_)) | None => (Vec::new(), Vec::new()),
        };
        Comparison { table: name.to_string(), key, left_out, sample: SAMPLE, totals: false }
    }

    /// The quarantine of a silver table: by where a row came from.
    pub fn of_quarantine(name: &TableName) -> Self {
        let table = quarantine_folder(name).replace('/', ".");
        let left_out = owned(&["_quarantined_at", "_run_id"]);
        Comparison { table, key: owned(&LINEAGE), left_out, sample: SAMPLE, totals: false }
    }

    /// Leaves out what no two lakes have in common.
    pub fn across_lakes(mut self) -> Self {
        self.left_out.retain(|name| !OF_ITS_LAKE.contains(&name.as_str()));
        self.left_out.extend(owned(&OF_ITS_LAKE));
        self.key.retain(|name| !OF_ITS_LAKE.contains(&name.as_str()));
        self
    }
}

/// How `before` and `after` differ. Reads the files that tell them apart and no others, unless all sums are wanted.
///
/// # Errors
/// [`delta::Error::Gone`] if a file of one of the two was deleted meanwhile; [`Error::Refused`] if no column can be
/// compared; or a file cannot be read.
pub async fn compare(before: &Side, after: &Side, how: &Comparison) -> Result<TableDiff> {
    match difference(before, after, how).await {
        Ok(diff) => Ok(diff),
        Err(error) => Err(damage::of_versions([after, before].into_iter().filter_map(Side::snapshot), error).await),
    }
}

async fn difference(before: &Side, after: &Side, how: &Comparison) -> Result<TableDiff> {
    let compared = Compared::new(before.schema(), after.schema(), how);
    if compared.columns.is_empty() {
        let what = format!("no column of `{}` has types on both sides that can be compared", how.table);
        return Err(Error::Refused(what));
    }
    let diff = delta::side_diff(before, after, &compared.columns).await?;
    let mut read = read(before, after, &diff);
    let tally = tokio::task::spawn_blocking({
        let (compared, sample) = (compared.clone(), how.sample);
        move || Tally::of(&diff, compared, sample)
    });
    let tally = tally.await??;
    if how.totals {
        (read.files, read.bytes) = (read.of_files, read.of_bytes);
    }
    Ok(TableDiff {
        table: how.table.clone(),
        from: side(before),
        to: side(after),
        key: compared.key.clone(),
        left_out: how.left_out.iter().filter(|name| has(before, name) || has(after, name)).cloned().collect(),
        note: compared.note.clone(),
        rows: DiffRows { before: rows(before).await?, after: rows(after).await?, ..tally.rows },
        columns: compared.report(&tally.changed),
        totals: totals((before, after), &compared, &tally.differences, how).await?,
        sample: tally.sample.done(&compared),
        read,
    })
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

fn has(side: &Side, name: &str) -> bool {
    side.schema().ty(name).is_some()
}

fn side(side: &Side) -> DiffSide {
    DiffSide { version: side.version(), at: side.timestamp(), environment: None }
}

async fn rows(side: &Side) -> Result<u64> {
    match side.rows() {
        Some(rows) => Ok(rows),
        None => {
            let frame = side.scan()?;
            tokio::task::spawn_blocking(move || stream::count(frame)).await?
        }
    }
}

/// What was read, and of how much: a file that both sides have counts once.
fn read(before: &Side, after: &Side, diff: &RowDiff) -> DiffRead {
    let shared = match (before.snapshot(), after.snapshot()) {
        (Some(p), Some(q)) if p.table_id() == q.table_id() => after.files().iter().map(DataFile::id).collect(),
        _ => BTreeSet::new(),
    };
    let own = before.files().iter().filter(|file| !shared.contains(&file.id()));
    let (files, bytes) = own.chain(after.files()).fold((0, 0), |(n, bytes), file| (n + 1, bytes + file.size()));
    DiffRead { files: diff.files_read, of_files: files, bytes: diff.bytes_read, of_bytes: bytes }
}
