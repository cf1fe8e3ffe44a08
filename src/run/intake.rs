//! The records of new files, written as data files that no commit names yet. A file goes in whole or not at all.

use std::collections::{BTreeMap, BTreeSet};

use polars::prelude::DataFrame;
use serde_json::{Value, json};
use tokio::runtime::Handle;

use super::error::Result;
use super::landing::{self, Judged, Seen, line};
use super::protocol::folder;
use super::{Event, Run};
use crate::bronze::{self, FileReader, FileStat, FileSummary, Landing, ReadError, ReadOptions};
use crate::delta::{DataFile, Table, TableSchema, Writer};
use crate::expr::Columns;
use crate::name::TableName;
use crate::plan::{FileState, LedgerEntry, Verdict};
use crate::project::{SameContent, Source};

/// Bytes of a file's rows that wait until the file is known to be sound; a larger file gets data files of its own,
/// which are dropped if it turns out unsound.
const HELD_BYTES: usize = 64 << 20;
/// Key of a column's metadata: its name in the files.
const ORIGINAL_NAME: &str = "lakesmith.original_name";

/// A file whose records are in the new batch.
#[derive(Clone, Debug)]
pub struct Taken {
    stat: FileStat,
    blake3: String,
    /// records
    pub rows: i64,
    malformed: i64,
}

/// What came of the files that were to be taken.
#[derive(Default)]
pub struct Intake {
    /// sound ones
    pub taken: Vec<Taken>,
    /// those that cannot be read or do not fit, with the reason
    pub set_aside: Vec<(Judged, String)>,
    /// those whose bytes another file of this batch has
    pub skipped: Vec<Judged>,
    /// those that changed while they were read, with the reason
    pub left: Vec<(Judged, String)>,
    /// the rows of the sound ones
    pub data: Vec<DataFile>,
    /// the table's, with the columns that these files bring
    pub schema: TableSchema,
}

impl Taken {
    /// As bronze's commit notes it.
    pub fn to_json(&self) -> Value {
        json!({
            "path": self.stat.path, "size": self.stat.size, "mtime_ns": self.stat.mtime_ns,
            "blake3": self.blake3, "rows": self.rows, "malformed": self.malformed,
        })
    }

    /// As the ledger notes it.
    pub fn to_entry(&self, batch: i64) -> LedgerEntry {
        LedgerEntry {
            batch: Some(batch),
            rows: Some(self.rows),
            malformed: Some(self.malformed),
            ..line(&self.stat, FileState::Taken, Some(self.blake3.clone()), None)
        }
    }
}

/// Reads every file that is to be taken.
pub async fn read(run: &Run, name: &TableName, source: &Source, seen: &Seen, batch: i64) -> Result<Intake> {
    let before = seen.bronze.as_ref().map(|b| b.schema().clone());
    let mut reading = Reading {
        run: run.clone(),
        name: name.clone(),
        source: source.clone(),
        landing: landing::open(&run.project)?,
        table: run.lake.table(&folder(name)),
        columns: before.as_ref().map(own_columns).unwrap_or_default(),
        originals: before.as_ref().map(|b| b.metadata.clone()).unwrap_or_default(),
        before,
        batch,
        handle: Handle::current(),
        shared: None,
        intake: Intake::default(),
    };
    let files = seen.files.clone();
    tokio::task::spawn_blocking(move || {
        reading.all(files)?;
        Ok(reading.intake)
    })
    .await?
}

/// The columns that came with files.
pub fn own_columns(schema: &TableSchema) -> Columns {
    schema.columns.iter().filter(|c| !bronze::ADDED.contains(&c.name.as_str())).cloned().collect()
}

struct Reading {
    run: Run,
    name: TableName,
    source: Source,
    landing: Landing,
    table: Table,
    before: Option<TableSchema>,
    columns: Columns,
    /// what Delta cannot store as it is named, by the name that it is stored under
    originals: BTreeMap<String, BTreeMap<String, String>>,
    batch: i64,
    handle: Handle,
    shared: Option<Writer>,
    intake: Intake,
}

impl Reading {
    fn all(&mut self, files: Vec<Judged>) -> Result<()> {
        let fitting = self.fitting(files);
        self.intake.schema = self.schema();
        let mut contents = BTreeSet::new();
        for file in fitting {
            let known = file.blake3.as_ref().is_some_and(|hash| contents.contains(hash));
            if known && self.source.same_content == SameContent::Skip {
                self.intake.skipped.push(file);
                continue;
            }
            match self.file(&file)? {
                Ok(summary) => {
                    contents.insert(summary.blake3.clone());
                    self.intake.taken.push(taken(file.stat, summary));
                }
                Err(error) => self.refuse(file, error),
            }
        }
        if let Some(shared) = self.shared.take() {
            self.intake.data.extend(self.handle.block_on(shared.finish())?);
        }
        Ok(())
    }

    fn schema(&self) -> TableSchema {
        let first_four = || bronze::ADDED.iter().take(4).map(|c| (*c).to_string()).collect();
        let mut columns = bronze::added_columns();
        columns.extend(self.columns.clone());
        TableSchema {
            columns,
            metadata: self.originals.clone(),
            stats_columns: self.before.as_ref().map_or_else(first_four, |b| b.stats_columns.clone()),
            ..TableSchema::default()
        }
    }

    /// Sets aside what does not fit the table; the columns of the others widen it.
    fn fitting(&mut self, files: Vec<Judged>) -> Vec<Judged> {
        let mut fitting = Vec::new();
        for file in files {
            match file.verdict.clone() {
                Verdict::Take => match self.fit(&file.stat) {
                    Ok(()) => fitting.push(file),
                    Err(error) => self.refuse(file, error),
                },
                Verdict::SetAside(why) => self.intake.set_aside.push((file, why)),
                _ => {}
            }
        }
        fitting
    }

    /// Opens a file for its columns; those that Delta cannot store under their own name keep it as metadata.
    fn fit(&mut self, stat: &FileStat) -> std::result::Result<(), ReadError> {
        let reader = self.open(stat)?;
        let unfit = |reason| ReadError::Unreadable { path: stat.path.clone(), reason };
        let fitted = bronze::fit(reader.columns(), &self.columns).map_err(unfit)?;
        for header in reader.headers().iter().filter(|h| h.stored != h.original) {
            let named = self.originals.entry(header.stored.clone()).or_default();
            named.entry(ORIGINAL_NAME.to_string()).or_insert_with(|| header.original.clone());
        }
        self.columns = fitted.columns;
        Ok(())
    }

    fn open(&self, stat: &FileStat) -> std::result::Result<FileReader, ReadError> {
        let mut options = ReadOptions::default();
        options.timezone = self.run.project.timezone;
        let known: Vec<String> = self.columns.iter().map(|c| c.name.clone()).collect();
        let known = (!known.is_empty()).then_some(known.as_slice());
        bronze::read(&self.landing, stat, &self.source.format, known, &options)
    }

    fn refuse(&mut self, file: Judged, error: ReadError) {
        match error {
            ReadError::ChangedWhileRead { .. } => {
                self.intake.left.push((file, "it changed while it was read".to_string()));
            }
            ReadError::Unreadable { reason, .. } => {
                let blake3 = file.blake3.clone().or_else(|| bronze::hash_file(&self.landing, &file.stat).ok());
                self.intake.set_aside.push((Judged { blake3, ..file }, reason));
            }
        }
    }

    /// Writes the rows of a file, if it is sound. The outer error is the lake's, the inner one the file's.
    fn file(&mut self, file: &Judged) -> Result<std::result::Result<FileSummary, ReadError>> {
        let mut held = Held { frames: Vec::new(), bytes: 0, own: None };
        let read = self.stream(&file.stat, &mut held)?;
        match (read, held.own) {
            (Ok(summary), Some(own)) => {
                self.intake.data.extend(self.handle.block_on(own.finish())?);
                Ok(Ok(summary))
            }
            (Ok(summary), None) => {
                if self.shared.is_none() {
                    self.shared = Some(self.table.writer(&self.intake.schema)?);
                }
                for frame in held.frames {
                    self.shared.as_ref().map_or(Ok(()), |writer| writer.write(frame))?;
                }
                Ok(Ok(summary))
            }
            (Err(error), own) => {
                if let Some(own) = own {
                    self.handle.block_on(own.abort());
                }
                Ok(Err(error))
            }
        }
    }

    fn stream(&self, stat: &FileStat, held: &mut Held) -> Result<std::result::Result<FileSummary, ReadError>> {
        let mut reader = match self.open(stat) {
            Ok(reader) => reader,
            Err(error) => return Ok(Err(error)),
        };
        for frame in reader.by_ref() {
            let frame = match frame {
                Ok(frame) => frame,
                Err(error) => return Ok(Err(error)),
            };
            self.run.tell(Event::Progress { table: self.name.clone(), rows: frame.height() as u64 });
            let keep = [bronze::SOURCE_ROW, bronze::MALFORMED];
            let frame = bronze::conform(&frame, &self.columns, &keep)?;
            let frame = bronze::with_lineage(frame, self.batch, &stat.path, self.run.started_at)?;
            held.take(frame, || Ok(self.table.writer(&self.intake.schema)?))?;
        }
        let summary = reader.summary().cloned();
        Ok(summary.ok_or_else(|| ReadError::ChangedWhileRead { path: stat.path.clone() }))
    }
}

/// Rows of a file that may yet turn out unsound.
struct Held {
    frames: Vec<DataFrame>,
    bytes: usize,
    own: Option<Writer>,
}

impl Held {
    fn take(&mut self, frame: DataFrame, open: impl FnOnce() -> Result<Writer>) -> Result<()> {
        if let Some(own) = &self.own {
            return Ok(own.write(frame)?);
        }
        self.bytes += frame.estimated_size();
        self.frames.push(frame);
        if self.bytes > HELD_BYTES {
            let own = open()?;
            for frame in self.frames.drain(..) {
                own.write(frame)?;
            }
            self.own = Some(own);
        }
        Ok(())
    }
}

fn taken(stat: FileStat, summary: FileSummary) -> Taken {
    let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    Taken { stat, blake3: summary.blake3, rows: number(summary.rows), malformed: number(summary.malformed) }
}
