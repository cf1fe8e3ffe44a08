//! Bronze against the landing files that are still as they were taken in: their records are read anew and compared.

use std::collections::BTreeMap;

use polars::prelude::*;

use super::bronze::Listed;
use super::difference;
use crate::bronze::{self, BATCH, FileStat, Landing, ReadError, SOURCE_FILE, SOURCE_ROW};
use crate::delta::{Lake, Snapshot, Table, Writer};
use crate::name::TableName;
use crate::plan::LedgerEntry;
use crate::project::Source;
use crate::report::{FileNote, LandingProof};
use crate::run::anew::Rows;
use crate::run::error::{Error, Result};
use crate::run::protocol::folder;
use crate::run::shape::Shape;
use crate::run::{Event, Run, landing};

/// Reads the landing files that have not changed into `scratch` and compares what they hold with bronze.
pub async fn check(run: &Run, listed: &Listed<'_>, source: &Source, scratch: &Lake) -> Result<LandingProof> {
    let root = match landing::open(&run.project) {
        Ok(root) => root,
        Err(error) => return Ok(unreachable(listed, &error)),
    };
    let table = scratch.table(&folder(listed.name));
    let shape = Shape::new(run, source, root.clone(), &table, Some(listed.bronze)).unlimited();
    let reading =
        Reading { run: run.clone(), listed: last_taken(&listed.taken), name: listed.name.clone(), shape, root };
    let (writer, schema) = (table.writer(&reading.shape.schema())?, reading.shape.schema());
    let read = tokio::task::spawn_blocking(move || reading.read_all(&writer).map(|read| (read, writer)));
    let ((mut proof, places), writer) = read.await??;
    let files = writer.finish().await?;
    if places.is_empty() {
        return Ok(proof);
    }
    let held = held(listed.bronze, &places, &scratch.table("held")).await?;
    proof.diff = difference::of_bronze(&run.project, listed.name, &held, &Rows { table, schema, files }).await?;
    Ok(proof)
}

/// The records of bronze that are of `places`. They are copied: of a table, only whole files can be compared.
async fn held(bronze: &Snapshot, places: &Places, copy: &Table) -> Result<Rows> {
    let first = places.iter().map(|(batch, _)| *batch).min().unwrap_or(0);
    let rows = bronze.scan_files(&bronze.files_above(BATCH, first - 1))?;
    let files = copy.write(restricted(rows, places)?, bronze.schema()).await?;
    Ok(Rows { table: copy.clone(), schema: bronze.schema().clone(), files })
}

/// The rows of `places`.
fn restricted(rows: LazyFrame, places: &Places) -> Result<LazyFrame> {
    let (batches, files): (Vec<i64>, Vec<&str>) = places.iter().map(|(batch, file)| (*batch, file.as_str())).unzip();
    let places = df!(BATCH => batches, SOURCE_FILE => files)?.lazy();
    let by = [col(BATCH), col(SOURCE_FILE)];
    Ok(rows.join(places, by.clone(), by, JoinArgs::new(JoinType::Semi)))
}

/// Where each record was taken from: the batch and the file.
type Places = Vec<(i64, String)>;

/// The last time that each file was taken in: of an earlier one its bytes are gone.
fn last_taken(taken: &[LedgerEntry]) -> Vec<LedgerEntry> {
    let last: BTreeMap<&String, &LedgerEntry> = taken.iter().map(|line| (&line.path, line)).collect();
    last.into_values().cloned().collect()
}

fn unreachable(listed: &Listed<'_>, error: &Error) -> LandingProof {
    let gone = last_taken(&listed.taken).len() as u64;
    LandingProof { gone, note: Some(error.to_string()), ..LandingProof::default() }
}

/// The reading of a table's landing files.
struct Reading {
    run: Run,
    name: TableName,
    listed: Vec<LedgerEntry>,
    shape: Shape,
    root: Landing,
}

/// What a landing file is by now.
enum Now {
    Unchanged(FileStat),
    Gone,
    Changed(String),
}

impl Reading {
    /// Writes the records of the files that are as they were. Blocks.
    fn read_all(&self, writer: &Writer) -> Result<(LandingProof, Places)> {
        let mut proof = LandingProof::default();
        let mut places = Places::new();
        for line in &self.listed {
            let note = |reason: String| FileNote { path: line.path.clone(), reason };
            let stat = match self.now(line) {
                Now::Gone => {
                    proof.gone += 1;
                    continue;
                }
                Now::Changed(why) => {
                    proof.changed.push(note(why));
                    continue;
                }
                Now::Unchanged(stat) => stat,
            };
            match self.read(line, &stat, writer)? {
                Ok(records) => {
                    proof.unchanged += 1;
                    proof.records += records;
                    places.push((line.batch.unwrap_or(0), line.path.clone()));
                }
                Err(ReadError::ChangedWhileRead { .. }) => {
                    proof.changed.push(note("it changed while it was read".to_string()));
                }
                Err(error @ (ReadError::Unreachable { .. } | ReadError::TooLarge { .. })) => {
                    proof.faults.push(note(error.to_string()))
                }
                Err(ReadError::Unreadable { reason, .. }) => proof.faults.push(note(format!(
                    "its bytes are those that were taken in, and it cannot be read as it was then: {reason}"
                ))),
            }
        }
        Ok((proof, places))
    }

    fn now(&self, line: &LedgerEntry) -> Now {
        let Ok(stat) = self.root.stat(&line.path) else { return Now::Gone };
        let Some(noted) = &line.blake3 else {
            return Now::Changed("which bytes it had when it was taken in is not known".to_string());
        };
        if i64::try_from(stat.size) != Ok(line.size) {
            return Now::Changed(format!("it had {} bytes when it was taken in and has {} now", line.size, stat.size));
        }
        match bronze::hash_file(&self.root, &stat) {
            Ok(hash) if hash == *noted => Now::Unchanged(stat),
            Ok(_) => Now::Changed("it has other bytes than when it was taken in".to_string()),
            Err(error) => Now::Changed(error.to_string()),
        }
    }

    /// Writes the records of one file as they were taken in, and counts them.
    fn read(
        &self,
        line: &LedgerEntry,
        stat: &FileStat,
        writer: &Writer,
    ) -> Result<std::result::Result<u64, ReadError>> {
        let mut reader = match self.shape.open(stat) {
            Ok(reader) => reader,
            Err(error) => return Ok(Err(error)),
        };
        let mut records = 0;
        for frame in reader.by_ref() {
            let frame = match frame {
                Ok(frame) => frame,
                Err(error) => return Ok(Err(error)),
            };
            let frame = match bronze::conform(&frame, self.shape.columns(), &[SOURCE_ROW, bronze::MALFORMED]) {
                Ok(frame) => frame,
                Err(error) => {
                    return Ok(Err(ReadError::Unreadable { path: stat.path.clone(), reason: error.to_string() }));
                }
            };
            records += frame.height() as u64;
            self.run.tell(Event::Progress { table: self.name.clone(), rows: frame.height() as u64 });
            let batch = line.batch.unwrap_or(0);
            writer.write(bronze::with_lineage(frame, batch, &stat.path, self.run.started_at)?)?;
        }
        let same = reader.summary().is_some_and(|summary| Some(&summary.blake3) == line.blake3.as_ref());
        Ok(if same { Ok(records) } else { Err(ReadError::ChangedWhileRead { path: stat.path.clone() }) })
    }
}
