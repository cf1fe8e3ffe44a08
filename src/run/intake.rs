//! The records of new files, written as data files that no commit names yet. A file goes in whole or not at all.

use serde_json::{Value, json};

use super::Run;
use super::batch::Batch;
use super::error::{Error, Result};
use super::landing::{self, CHANGED_WHILE_READ, Judged, Seen, line};
use super::protocol::folder;
use super::shape::Shape;
use crate::bronze::{self, FileStat, FileSummary, Landing, ReadError};
use crate::delta::{DataFile, Snapshot, TableSchema};
use crate::expr::Columns;
use crate::name::TableName;
use crate::plan::{FileState, LedgerEntry, Verdict};
use crate::project::Source;

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
            "path": self.stat.path, "size": self.stat.size, "mtime_ns": self.stat.mtime_ns, "etag": self.stat.etag,
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

impl Taken {
    pub(super) fn new(stat: FileStat, summary: FileSummary) -> Self {
        let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        Taken { stat, blake3: summary.blake3, rows: number(summary.rows), malformed: number(summary.malformed) }
    }
}

impl Intake {
    /// Notes a file that cannot be taken.
    ///
    /// # Errors
    /// Its store cannot be used, which says nothing of the file.
    pub(super) fn refuse(&mut self, landing: &Landing, file: Judged, error: ReadError) -> Result<()> {
        match error {
            ReadError::Unreachable { .. } => return Err(Error::Refused(error.to_string())),
            ReadError::ChangedWhileRead { .. } => self.left.push((file, CHANGED_WHILE_READ.to_string())),
            // without a hash, for another time there may be enough memory
            ReadError::TooLarge { reason, .. } => self.set_aside.push((Judged { blake3: None, ..file }, reason)),
            ReadError::Unreadable { reason, .. } => {
                let blake3 = file.blake3.clone().or_else(|| bronze::hash_file(landing, &file.stat).ok());
                self.set_aside.push((Judged { blake3, ..file }, reason));
            }
        }
        Ok(())
    }
}

/// Reads every file that is to be taken into the bronze table that was seen, if there is one.
pub async fn read(
    run: &Run,
    name: &TableName,
    source: &Source,
    (seen, bronze): (&Seen, Option<&Snapshot>),
    batch: i64,
) -> Result<Intake> {
    let table = run.lake.table(&folder(name));
    let mut shape = Shape::new(run, source, landing::open(&run.project)?, &table, bronze);
    let mut batch = Batch::new(run, name, source, table, batch);
    let files = seen.files.clone();
    tokio::task::spawn_blocking(move || {
        let mut intake = Intake::default();
        let mut files = verdicts(files, &mut intake);
        // A file that proves unsound while it is read must leave no trace: if it has brought columns, the others are
        // read anew without them.
        loop {
            let before = shape.clone();
            let fitting = shape.fit_all(files, &mut intake)?;
            match batch.take_all(&shape, &fitting, &mut intake)? {
                None => break,
                Some(sound) => (files, shape) = (sound, before),
            }
        }
        intake.schema = shape.schema();
        Ok(intake)
    })
    .await?
}

/// The columns that came with files.
pub fn own_columns(schema: &TableSchema) -> Columns {
    schema.columns.iter().filter(|c| !bronze::ADDED.contains(&c.name.as_str())).cloned().collect()
}

/// The files to read; those that are set aside unread are noted.
fn verdicts(files: Vec<Judged>, intake: &mut Intake) -> Vec<Judged> {
    let mut wanted = Vec::new();
    for file in files {
        match file.verdict.clone() {
            Verdict::Take => wanted.push(file),
            Verdict::SetAside(why) => intake.set_aside.push((file, why)),
            _ => {}
        }
    }
    wanted
}
