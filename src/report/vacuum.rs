//! What a vacuum deletes, or would, and what it keeps.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::Status;

/// What a vacuum did, or would do. Serialises as the one JSON object that `--json` prints.
#[derive(Clone, Debug, Serialize)]
pub struct VacuumReport {
    /// `unchanged` if there is nothing to delete, `failed` if a table has an error
    pub status: Status,
    /// nothing was deleted
    pub dry_run: bool,
    /// table by table, each quarantine after its silver table
    pub tables: Vec<VacuumedTable>,
}

/// What a vacuum did, or would do, to one table.
#[derive(Clone, Debug, Serialize)]
pub struct VacuumedTable {
    /// `silver.orders`, `quarantine.orders`, `lakesmith.ledger`
    pub table: String,
    /// `unchanged` if it has nothing to delete
    pub status: Status,
    /// versions that were the newest one since then are kept
    pub since: Option<DateTime<Utc>>,
    /// this version and all later ones can be read afterwards
    pub oldest: Option<i64>,
    /// the newest version
    pub newest: Option<i64>,
    /// versions that are kept for another reason than their age
    pub kept: Vec<KeptVersion>,
    /// files that go
    pub files: usize,
    /// of the files that go
    pub bytes: u64,
    /// files that no commit names and that stay all the same: they may belong to a commit that is being made
    pub unnamed: usize,
    /// files that stay because they are none that a Delta table has
    pub unknown: usize,
    /// the files that go
    pub delete: Vec<DeletedFile>,
    /// why the table, or the rest of its files, was left alone
    pub error: Option<String>,
}

/// A version that is kept whatever its age.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeptVersion {
    /// which
    pub version: i64,
    /// what keeps it
    pub why: Keeper,
    /// the pin's name, or the table that still reads from this version, or the silver version whose rows were refused
    pub by: String,
}

/// What keeps a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Keeper {
    /// a user gave it a name
    Pin,
    /// a table has read so far and will ask what has changed since
    Watermark,
    /// a version of the silver table that is kept names this one of its quarantine
    Silver,
}

/// A file that goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeletedFile {
    /// within the table's folder
    pub path: String,
    /// its size
    pub bytes: u64,
    /// by the store's clock
    pub modified_at: DateTime<Utc>,
}

impl VacuumReport {
    /// Sums up what was done to each table.
    pub fn new(dry_run: bool, tables: Vec<VacuumedTable>) -> Self {
        let any = |status| tables.iter().any(|table| table.status == status);
        let status = match (any(Status::Failed), any(Status::Succeeded)) {
            (true, _) => Status::Failed,
            (false, true) => Status::Succeeded,
            (false, false) => Status::Unchanged,
        };
        VacuumReport { status, dry_run, tables }
    }

    /// Files and bytes that go, of all tables.
    pub fn total(&self) -> (u64, u64) {
        let files = self.tables.iter().map(|table| table.files as u64).sum();
        (files, self.tables.iter().map(|table| table.bytes).sum())
    }
}

impl VacuumedTable {
    /// A table of which nothing is known yet.
    pub fn new(table: impl Into<String>) -> Self {
        VacuumedTable {
            table: table.into(),
            status: Status::Unchanged,
            since: None,
            oldest: None,
            newest: None,
            kept: Vec::new(),
            files: 0,
            bytes: 0,
            unnamed: 0,
            unknown: 0,
            delete: Vec::new(),
            error: None,
        }
    }

    /// Notes the files that go.
    pub fn deletes(&mut self, files: Vec<DeletedFile>) {
        self.files = files.len();
        self.bytes = files.iter().map(|file| file.bytes).sum();
        self.delete = files;
        if self.files > 0 && self.status == Status::Unchanged {
            self.status = Status::Succeeded;
        }
    }

    /// Notes why the table was left alone.
    pub fn fails(&mut self, error: impl Into<String>) {
        self.status = Status::Failed;
        self.error = Some(error.into());
    }
}
