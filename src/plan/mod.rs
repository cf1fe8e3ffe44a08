//! Pure: (project, state of its tables, request) -> plan. What `plan` prints is what `run` follows.

mod backfill;
mod backfill_request;
mod decide;
mod files;
mod guard;
mod predict;
mod ranges;
mod state;

pub use backfill::{Backfill, backfill};
pub use backfill_request::BackfillRequest;
pub use decide::{Decision, Wanted, ahead, decide, went_back};
pub use files::{FileState, Ledger, LedgerEntry, Verdict, compare, judge, read_as, that_hold, unreadable};
pub use guard::guard;
pub use predict::{Full, Landing, plan};
pub use ranges::{Chunk, Moment, Range};
pub use state::{Gap, Hold, LakeState, TableState};

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::name::{At, TableName};
use crate::report::{Action, FileNote};

/// What the user asked for.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// the tables, after selection
    pub tables: BTreeSet<TableName>,
    /// of these, the ones to compute anew whatever their state, after all others have run; bronze is never rebuilt
    pub rebuild: BTreeSet<TableName>,
    /// versions of bronze tables that a rebuild reads instead of the newest
    pub from: BTreeMap<TableName, At>,
    /// tables may lose more rows than their guard allows
    pub unguarded: bool,
}

/// What a run would do, table by table, each after those that it reads.
#[derive(Clone, Debug, Serialize)]
pub struct Plan {
    /// one per selected table
    pub tasks: Vec<Task>,
}

/// What is to be done with one table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Task {
    /// which
    pub table: TableName,
    /// what
    pub action: Action,
    /// gold: `incremental` or `full`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// why it is so
    pub why: String,
    /// rows to be read, where statistics or the ledger tell
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
    /// bronze: files to be taken in
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<FileNote>,
    /// bronze: files set aside
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub set_aside: Vec<FileNote>,
    /// the table cannot be run as it is
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// selected tables that it waits for
    pub needs: Vec<TableName>,
}

/// How much of a gold table is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// only the groups that the change touches
    Incremental,
    /// all of it, then the difference is merged
    Full,
}
