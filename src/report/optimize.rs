//! What `optimize` did to the files of tables.

use serde::Serialize;

use super::{Action, Status};

/// What `optimize` did. Serialises as the one JSON object that `--json` prints.
#[derive(Clone, Debug, Serialize)]
pub struct OptimizeReport {
    /// names it in commits
    pub run_id: String,
    /// `failed` if a table failed; `unchanged` if no file was rewritten
    pub status: Status,
    /// each with its quarantine behind it
    pub tables: Vec<Optimized>,
}

/// What became of the files of one table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Optimized {
    /// `silver.orders`, or `quarantine.orders` for what it refused
    pub table: String,
    /// `optimize`, or `none`
    pub action: Action,
    /// how it ended
    pub status: Status,
    /// the table's version afterwards; none: there is no table, or it was not looked at
    pub version: Option<i64>,
    /// how many data files it had and has
    pub files: BeforeAfter,
    /// and their bytes
    pub bytes: BeforeAfter,
    /// from start to end
    pub seconds: f64,
    /// why it failed
    pub error: Option<String>,
    /// why nothing was done
    pub note: Option<String>,
}

/// A number before and after.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct BeforeAfter {
    /// before
    pub before: u64,
    /// after
    pub after: u64,
}

impl OptimizeReport {
    /// The report over these tables.
    pub fn new(run_id: String, tables: Vec<Optimized>) -> Self {
        let any = |status| tables.iter().any(|table| table.status == status);
        let status = match (any(Status::Failed), any(Status::Succeeded)) {
            (true, _) => Status::Failed,
            (_, true) => Status::Succeeded,
            _ => Status::Unchanged,
        };
        OptimizeReport { run_id, status, tables }
    }

    /// 0 when all went well, 1 when a table failed.
    pub fn exit_code(&self) -> u8 {
        u8::from(self.status == Status::Failed)
    }
}

impl Optimized {
    /// Nothing was done, and why.
    pub fn unchanged(table: impl Into<String>, version: Option<i64>, note: impl Into<String>) -> Self {
        Optimized {
            table: table.into(),
            action: Action::None,
            status: Status::Unchanged,
            version,
            files: BeforeAfter::default(),
            bytes: BeforeAfter::default(),
            seconds: 0.0,
            error: None,
            note: Some(note.into()),
        }
    }

    /// It failed, and why.
    pub fn failed(table: impl Into<String>, error: impl Into<String>) -> Self {
        let (action, status, error) = (Action::Optimize, Status::Failed, Some(error.into()));
        Optimized { action, status, error, note: None, ..Optimized::unchanged(table, None, "") }
    }
}
