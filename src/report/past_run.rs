//! A run as the history of runs tells of it.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;

use super::RowCounts;

/// The status of what was told to stop before it was done.
pub const INTERRUPTED: &str = "interrupted";

/// One run, rebuild, backfill, restore, optimization or vacuum that changed something or failed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PastRun {
    /// names the run in commits, ledger and quarantine
    pub run_id: String,
    /// `run`, `rebuild`, …; none: a version of lakesmith ran that did not note it
    pub command: Option<String>,
    /// `failed` if a table failed or a file is set aside, else `interrupted` if it was told to stop, else `succeeded`
    pub status: &'static str,
    /// when it began
    pub started_at: DateTime<Utc>,
    /// when its last table was done
    pub finished_at: DateTime<Utc>,
    /// from start to end
    pub seconds: f64,
    /// the most that the process had at a time; none: the system did not tell
    pub peak_memory_bytes: Option<u64>,
    /// the version of lakesmith
    pub lakesmith_version: Option<String>,
    /// those that it changed or that failed
    pub tables: Vec<PastTable>,
}

/// What a run did to one table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PastTable {
    /// as `query` names it, e.g. `silver.orders` or `quarantine.orders`
    pub table: String,
    /// `append`, `merge`, …, `vacuum`
    pub action: String,
    /// `succeeded`, `failed`, `interrupted` or `unchanged`
    pub status: String,
    /// the version that it had before; none: there was no table, or it is not known
    pub version_before: Option<i64>,
    /// the version that it had afterwards
    pub version: Option<i64>,
    /// what became of the rows
    pub rows: RowCounts,
    /// from start to end
    pub seconds: f64,
    /// of the landing files that were taken in
    pub bytes_read: Option<u64>,
    /// of the data files that were committed to the table and its quarantine
    pub bytes_written: Option<u64>,
    /// of the data files that a vacuum deleted
    pub bytes_deleted: Option<u64>,
    /// why it failed, or which files are set aside
    pub error: Option<String>,
    /// why it was done this way
    pub note: Option<String>,
    /// the versions that it was computed from: `table`, `version`, and `batch` of bronze
    pub inputs: Value,
}

impl PastRun {
    /// Adds a table.
    pub fn add(&mut self, table: PastTable) {
        if table.error.is_some() || table.status == "failed" {
            self.status = "failed";
        } else if table.status == INTERRUPTED && !self.is_failed() {
            self.status = INTERRUPTED;
        }
        self.tables.push(table);
    }

    /// Whether something failed.
    pub fn is_failed(&self) -> bool {
        self.status == "failed"
    }
}
