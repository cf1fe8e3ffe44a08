//! What happened: the report of a run, its rows accounted for.

mod chunks;
mod counts;
mod difference;
mod guard;
mod optimize;
mod past_run;
mod rehearsal;
mod repair;
mod vacuum;
pub mod value;
mod verify;

pub use chunks::{ChunkReport, ChunkStatus};
pub use counts::RowCounts;
pub use difference::{Change, ColumnDiff, DiffRead, DiffRows, DiffSide, RowChange, TableDiff, Total};
pub use guard::GuardStop;
pub use optimize::{BeforeAfter, OptimizeReport, Optimized};
pub use past_run::{INTERRUPTED, PastRun, PastTable};
pub use rehearsal::{QuarantineDiff, Rehearsal};
pub use repair::{LostBatches, LostFile, MendedFault, RepairReport, Repaired};
pub use vacuum::{DeletedFile, Keeper, KeptVersion, VacuumReport, VacuumedTable};
pub use verify::{
    DeepProof, EventsProof, FilesProof, LandingProof, LedgerProof, Proof, QuarantineProof, TableProof, VerifyReport,
};

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::name::TableName;
use crate::secrets;

/// What one run did. Serialises as the one JSON object that `--json` prints.
#[derive(Clone, Debug, Serialize)]
pub struct RunReport {
    /// names the run in commits, ledger, quarantine and history
    pub run_id: String,
    /// `failed` if a table failed or a file is set aside; `unchanged` if no table changed
    pub status: Status,
    /// in the order of the plan
    pub tables: Vec<TableReport>,
}

/// What a run did to one table.
#[derive(Clone, Debug, Serialize)]
pub struct TableReport {
    /// which
    pub table: TableName,
    /// what was done, or was to be done when it failed
    pub action: Action,
    /// how it ended
    pub status: Status,
    /// the table's version afterwards; none: there is no table
    pub version: Option<i64>,
    /// what became of the rows
    pub rows: RowCounts,
    /// from start to end
    pub seconds: f64,
    /// why it failed, or which files are set aside
    pub error: Option<String>,
    /// why it was done this way, or why nothing was
    pub note: Option<String>,
    /// the guard stopped it
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guard: Option<GuardStop>,
    /// a backfill: what became of each chunk
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub chunks: Vec<ChunkReport>,
    /// bronze only: what became of the files
    #[serde(skip_serializing_if = "FileCounts::is_empty")]
    pub files: FileCounts,
    /// what it read: version, and batch where the input is bronze
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<InputVersion>,
}

/// What a bronze task did with the files it found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FileCounts {
    /// taken in by this run
    pub taken: u64,
    /// set aside, now or before; each path with its reason
    pub set_aside: Vec<FileNote>,
    /// how many of those the ledger has from this run
    pub newly_set_aside: u64,
    /// left for the next run: still being written, or younger than `settle`
    pub left: Vec<FileNote>,
}

impl FileCounts {
    fn is_empty(&self) -> bool {
        *self == FileCounts::default()
    }
}

/// A file and what there is to say of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileNote {
    /// relative to the landing folder
    pub path: String,
    /// why
    pub reason: String,
}

/// The version of an input that a table was computed from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct InputVersion {
    /// which
    pub table: TableName,
    /// its Delta version
    pub version: i64,
    /// its last batch, if it is bronze
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch: Option<i64>,
}

/// How the error of a table begins that was not tried.
const SKIPPED: &str = "skipped: ";

/// What the note of a table says that another run has claimed.
const AT_WORK: &str = "is at work on it";

/// How a run or a table ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// something was done, all of it
    Succeeded,
    /// see the error
    Failed,
    /// there was nothing to do
    Unchanged,
}

/// What is done to a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// rows are added
    Append,
    /// rows are inserted, updated, deleted by key
    Merge,
    /// all rows are computed anew and published in one commit
    Rebuild,
    /// a range of time is computed anew
    Backfill,
    /// an earlier version is published again
    Restore,
    /// files are rewritten, rows stay
    Optimize,
    /// nothing
    None,
}

impl Action {
    /// The word that JSON and tables show.
    pub fn as_str(self) -> &'static str {
        match self {
            Action::Append => "append",
            Action::Merge => "merge",
            Action::Rebuild => "rebuild",
            Action::Backfill => "backfill",
            Action::Restore => "restore",
            Action::Optimize => "optimize",
            Action::None => "none",
        }
    }
}

impl Status {
    /// The word that JSON and tables show.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Succeeded => "succeeded",
            Status::Failed => "failed",
            Status::Unchanged => "unchanged",
        }
    }
}

impl RunReport {
    /// The report of a run over these tables.
    pub fn new(run_id: String, tables: Vec<TableReport>) -> Self {
        let failed = tables.iter().any(|t| t.error.is_some());
        let changed = tables.iter().any(|t| t.status == Status::Succeeded);
        let status = match (failed, changed) {
            (true, _) => Status::Failed,
            (_, true) => Status::Succeeded,
            _ => Status::Unchanged,
        };
        RunReport { run_id, status, tables }
    }

    /// 0 when all went well, 1 when a table failed or a file is set aside, 3 when nothing but the guard is in the way.
    pub fn exit_code(&self) -> u8 {
        let stopped = |t: &TableReport| t.guard.is_some() || t.is_skipped();
        let failures: Vec<_> = self.tables.iter().filter(|t| t.error.is_some()).collect();
        match failures.len() {
            0 => 0,
            _ if failures.into_iter().all(stopped) => 3,
            _ => 1,
        }
    }
}

impl TableReport {
    /// A report of nothing done, with the reason.
    pub fn unchanged(table: TableName, version: Option<i64>, note: impl Into<String>) -> Self {
        TableReport {
            table,
            action: Action::None,
            status: Status::Unchanged,
            version,
            rows: RowCounts::default(),
            seconds: 0.0,
            error: None,
            note: Some(note.into()),
            guard: None,
            chunks: Vec::new(),
            files: FileCounts::default(),
            inputs: Vec::new(),
        }
    }

    /// A report of a failure.
    pub fn failed(table: TableName, action: Action, version: Option<i64>, error: impl Into<String>) -> Self {
        TableReport {
            action,
            status: Status::Failed,
            error: Some(secrets::masked(&error.into()).into_owned()),
            note: None,
            ..TableReport::unchanged(table, version, "")
        }
    }

    /// A report of a table that the guard stopped.
    pub fn stopped(table: TableName, action: Action, version: Option<i64>, stop: GuardStop) -> Self {
        let error = stop.to_string();
        TableReport { guard: Some(stop), ..TableReport::failed(table, action, version, error) }
    }

    /// A report of a table that was not tried because one that it reads failed.
    pub fn skipped(table: TableName, above: &TableName) -> Self {
        TableReport::failed(table, Action::None, None, format!("{SKIPPED}`{above}` failed"))
    }

    /// A report of a table that another run has claimed; `whose` names it.
    pub fn left_to(table: TableName, whose: &str, until: DateTime<Utc>) -> Self {
        let note = format!("run {whose} {AT_WORK}; its claim ends at {}", until.format("%H:%M:%SZ"));
        TableReport::unchanged(table, None, note)
    }

    /// Whether it was left to another run.
    pub fn is_left(&self) -> bool {
        self.note.as_ref().is_some_and(|note| note.contains(AT_WORK))
    }

    /// Whether it was not tried because a table that it reads failed.
    pub fn is_skipped(&self) -> bool {
        self.error.as_ref().is_some_and(|error| error.starts_with(SKIPPED))
    }

    /// Whether the run wrote to the table.
    pub fn changed(&self) -> bool {
        self.status == Status::Succeeded && self.action != Action::None
    }
}
