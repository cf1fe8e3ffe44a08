//! What a run would do: its report, and how the tables would differ.

use std::collections::BTreeMap;

use serde::ser::{Serialize, Serializer};

use super::{RunReport, Status, TableDiff, TableReport};
use crate::name::TableName;

/// What a run did that was carried out for trial, and how its tables then differed from those of the lake. Serialises
/// as the report of a run with `dry_run`, and with `diff` and `quarantine` of each table.
#[derive(Clone, Debug)]
pub struct Rehearsal {
    /// of the trial; the versions of its tables are those of the lake, for nothing was published
    pub report: RunReport,
    /// how the rows of each silver and gold table that was written would differ
    pub diffs: BTreeMap<TableName, TableDiff>,
    /// how many rows the quarantine of each of these tables has, and would have
    pub quarantines: BTreeMap<TableName, QuarantineDiff>,
}

/// How many rows a table refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct QuarantineDiff {
    /// as it is
    pub before: u64,
    /// as it would be
    pub after: u64,
}

impl Rehearsal {
    /// 1 when a table failed or a file is set aside, 3 when the guard would stop a table, else 0.
    pub fn exit_code(&self) -> u8 {
        let stopped = self.report.tables.iter().any(|table| table.guard.is_some());
        match self.report.exit_code() {
            0 if stopped => 3,
            code => code,
        }
    }
}

#[derive(serde::Serialize)]
struct Shown<'a> {
    run_id: &'a str,
    status: Status,
    dry_run: bool,
    tables: Vec<ShownTable<'a>>,
}

#[derive(serde::Serialize)]
struct ShownTable<'a> {
    #[serde(flatten)]
    report: &'a TableReport,
    diff: Option<&'a TableDiff>,
    quarantine: Option<&'a QuarantineDiff>,
}

impl Serialize for Rehearsal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let RunReport { run_id, status, tables } = &self.report;
        let with_diff = tables.iter().map(|report| ShownTable {
            report,
            diff: self.diffs.get(&report.table),
            quarantine: self.quarantines.get(&report.table),
        });
        let tables = with_diff.collect();
        Shown { run_id, status: *status, dry_run: true, tables }.serialize(serializer)
    }
}
