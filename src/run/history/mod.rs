//! The history of runs: a Delta table with one line per table that a run changed or that failed in it. Nothing rests on
//! it: what cannot be written is warned of and lost.

mod commits;
pub(super) mod open;
mod past;

use chrono::{DateTime, Utc};
use polars::prelude::*;

pub use self::commits::Commits;
pub use self::past::{WantedRuns, past_runs};
use super::error::Result;
use super::protocol::{RUNS, folder, quarantine_folder, remark};
use super::{optimize, retry};
use crate::delta::{Change, Lake, Operation, Snapshot, TableSchema};
use crate::expr::{Column as Col, Type};
use crate::memory;
use crate::name::Layer;
use crate::report::{
    Action, INTERRUPTED, InputVersion, Optimized, RepairReport, Repaired, RowCounts, Status, TableReport, VacuumedTable,
};
use crate::secrets;

/// The columns of the table of runs. Columns may be added here; tables of earlier versions are widened as they are
/// written to.
pub fn schema() -> TableSchema {
    let text = ["run_id", "table", "action", "status", "error", "note", "inputs"];
    let mut columns: Vec<Col> = text.iter().map(|name| Col::new(*name, Type::String)).collect();
    columns.extend(["started_at", "finished_at"].map(|name| Col::new(name, Type::Timestamp)));
    columns.push(Col::new("seconds", Type::Double));
    columns.push(Col::new("version", Type::BigInt));
    columns.extend(COUNTS.iter().map(|(name, _)| Col::new(*name, Type::BigInt)));
    columns.extend(["command", "lakesmith_version"].map(|name| Col::new(name, Type::String)));
    let numbers = ["version_before", "bytes_read", "bytes_written", "bytes_deleted", "peak_memory_bytes"];
    columns.extend(numbers.map(|name| Col::new(name, Type::BigInt)));
    TableSchema { columns, ..TableSchema::default() }
}

type Count = fn(&mut RowCounts) -> &mut u64;

const COUNTS: [(&str, Count); 8] = [
    ("rows_read", |r| &mut r.read),
    ("rows_inserted", |r| &mut r.inserted),
    ("rows_updated", |r| &mut r.updated),
    ("rows_unchanged", |r| &mut r.unchanged),
    ("rows_superseded", |r| &mut r.superseded),
    ("rows_filtered", |r| &mut r.filtered),
    ("rows_quarantined", |r| &mut r.quarantined),
    ("rows_deleted", |r| &mut r.deleted),
];

/// Who did what is written.
#[derive(Clone)]
pub struct Author {
    /// names the run
    pub run_id: String,
    /// when it began
    pub started_at: DateTime<Utc>,
    /// what the user asked for, e.g. `run`
    pub command: &'static str,
}

/// What was done to one table.
pub struct Line {
    table: String,
    /// whose commits tell more: the table's, then its quarantine's
    folders: Vec<String>,
    action: &'static str,
    status: Status,
    /// the process was told to stop before it was done
    interrupted: bool,
    version: Option<i64>,
    rows: RowCounts,
    seconds: f64,
    bytes_deleted: Option<u64>,
    error: Option<String>,
    note: Option<String>,
    inputs: Vec<InputVersion>,
    /// the ledger has a file from it that could not be taken in
    sets_aside: bool,
}

impl From<&TableReport> for Line {
    fn from(report: &TableReport) -> Self {
        let quarantine = (report.table.layer == Layer::Silver).then(|| quarantine_folder(&report.table));
        Line {
            table: report.table.to_string(),
            folders: [folder(&report.table)].into_iter().chain(quarantine).collect(),
            action: report.action.as_str(),
            status: report.status,
            interrupted: false,
            version: report.version,
            rows: report.rows,
            seconds: report.seconds,
            bytes_deleted: None,
            error: report.error.clone(),
            note: report.note.clone(),
            inputs: report.inputs.clone(),
            sets_aside: report.files.newly_set_aside > 0,
        }
    }
}

impl From<&Optimized> for Line {
    fn from(report: &Optimized) -> Self {
        let files = report.files;
        let told = format!("{} files became {}", files.before, files.after);
        Line {
            table: report.table.clone(),
            folders: vec![report.table.replacen('.', "/", 1)],
            action: report.action.as_str(),
            status: report.status,
            interrupted: false,
            version: report.version,
            rows: RowCounts::default(),
            seconds: report.seconds,
            bytes_deleted: None,
            error: report.error.clone(),
            note: report.note.clone().or_else(|| report.error.is_none().then_some(told)),
            inputs: Vec::new(),
            sets_aside: false,
        }
    }
}

impl From<&VacuumedTable> for Line {
    fn from(report: &VacuumedTable) -> Self {
        Line {
            table: report.table.clone(),
            folders: Vec::new(),
            action: "vacuum",
            status: report.status,
            interrupted: false,
            version: report.newest,
            rows: RowCounts::default(),
            seconds: 0.0,
            bytes_deleted: Some(report.bytes),
            error: report.error.clone(),
            note: (report.files > 0).then(|| format!("{} files deleted", report.files)),
            inputs: Vec::new(),
            sets_aside: false,
        }
    }
}

impl From<&RepairReport> for Line {
    fn from(report: &RepairReport) -> Self {
        let faults = report.faults.iter().map(|fault| fault.what.as_str()).collect::<Vec<_>>().join("; ");
        Line {
            table: report.table.clone(),
            folders: Vec::new(),
            action: "repair",
            status: match report.status {
                Repaired::Sound => Status::Unchanged,
                Repaired::Mended => Status::Succeeded,
                Repaired::Damaged => Status::Failed,
            },
            interrupted: false,
            version: report.version,
            rows: RowCounts::default(),
            seconds: 0.0,
            bytes_deleted: None,
            error: report.error.clone(),
            note: (!faults.is_empty()).then_some(faults),
            inputs: Vec::new(),
            sets_aside: false,
        }
    }
}

impl Line {
    /// What is said of a table without a change to its rows.
    pub fn remark(table: &str, action: &'static str, version: Option<i64>, note: String) -> Self {
        Line {
            table: table.to_owned(),
            folders: Vec::new(),
            action,
            status: Status::Succeeded,
            interrupted: false,
            version,
            rows: RowCounts::default(),
            seconds: 0.0,
            bytes_deleted: None,
            error: None,
            note: Some(note),
            inputs: Vec::new(),
            sets_aside: false,
        }
    }

    fn interrupted(table: &str) -> Self {
        let note = "stopped by a signal; what it has committed stays, the next run does the rest".to_owned();
        Line { interrupted: true, ..Line::remark(table, Action::None.as_str(), None, note) }
    }

    fn status(&self) -> &'static str {
        if self.interrupted { INTERRUPTED } else { self.status.as_str() }
    }

    /// A run that finds nothing to do leaves no trace (I7).
    fn is_worth_telling(&self) -> bool {
        match self.status {
            _ if self.interrupted => true,
            Status::Failed => true,
            Status::Succeeded => self.action != Action::None.as_str(),
            Status::Unchanged => self.sets_aside,
        }
    }
}

/// Writes to the history what changed or failed, if anything did. Never fails; it warns.
pub async fn record(lake: &Lake, author: Author, lines: impl Iterator<Item = Line>) {
    let mut lines: Vec<Line> = lines.collect();
    let is_worth_telling = lines.iter().any(Line::is_worth_telling);
    // beside what has changed also what is still amiss: the run has failed by it
    lines.retain(|line| line.is_worth_telling() || line.error.is_some());
    if is_worth_telling && let Err(error) = write(lake, &author, lines).await {
        let (run, command) = (&author.run_id, author.command);
        tracing::warn!(run, command, %error, "this could not be written to the history of runs; nothing else is amiss");
    }
    open::end(&author.run_id);
}

async fn write(lake: &Lake, author: &Author, lines: Vec<Line>) -> Result<()> {
    let mut told = Vec::with_capacity(lines.len());
    for line in lines {
        let commits = Commits::of(lake, &author.run_id, author.started_at, &line.folders).await;
        told.push((line, commits));
    }
    let table = lake.table(RUNS);
    let adds = table.write(frame(author, told)?.lazy(), &schema()).await?;
    retry::until_won("the history of runs", || async {
        let base = table.snapshot().await?;
        let change = Change {
            adds: adds.clone(),
            schema: base.as_ref().map(widened),
            operation: Operation::Append,
            note: remark(&author.run_id, "append"),
            ..Change::default()
        };
        match &base {
            Some(base) => table.commit(base, change).await?,
            None => table.create(&schema(), change).await?,
        };
        optimize::own_table(lake, RUNS, base.as_ref(), &author.run_id).await;
        Ok(())
    })
    .await
}

/// What the table has, of whichever version of lakesmith, and what it lacks.
fn widened(base: &Snapshot) -> TableSchema {
    let mut wide = base.schema().clone();
    let lacks = |column: &Col| base.schema().ty(&column.name).is_none();
    wide.columns.extend(schema().columns.into_iter().filter(lacks));
    wide
}

fn frame(author: &Author, told: Vec<(Line, Commits)>) -> Result<DataFrame> {
    let height = told.len();
    let text = |name: &str, of: &dyn Fn(&Line) -> Option<String>| {
        Column::new(name.into(), told.iter().map(|(line, _)| of(line)).collect::<Vec<_>>())
    };
    let masked = |message: &Option<String>| message.as_deref().map(|text| secrets::masked(text).into_owned());
    let number = |name: &str, of: &dyn Fn(&Line, &Commits) -> Option<u64>| {
        let values = told.iter().map(|(line, commits)| of(line, commits).map(|n| i64::try_from(n).unwrap_or(i64::MAX)));
        Column::new(name.into(), values.collect::<Vec<_>>())
    };
    let version = |name: &str, of: &dyn Fn(&Line, &Commits) -> Option<i64>| {
        Column::new(name.into(), told.iter().map(|(line, commits)| of(line, commits)).collect::<Vec<_>>())
    };
    let mut columns: Vec<Column> = vec![
        text("run_id", &|_| Some(author.run_id.clone())),
        text("table", &|line| Some(line.table.clone())),
        text("action", &|line| Some(line.action.into())),
        text("status", &|line| Some(line.status().into())),
        text("error", &|line| masked(&line.error)),
        text("note", &|line| masked(&line.note)),
        text("inputs", &|line| serde_json::to_string(&line.inputs).ok()),
    ];
    for (name, at) in [("started_at", author.started_at), ("finished_at", Utc::now())] {
        let instants = Column::new(name.into(), vec![at.timestamp_micros(); height]);
        columns.push(instants.cast(&Type::Timestamp.to_polars())?);
    }
    columns.push(Column::new("seconds".into(), told.iter().map(|(line, _)| line.seconds).collect::<Vec<_>>()));
    columns.push(version("version", &|line, commits| commits.version.or(line.version)));
    columns.extend(COUNTS.iter().map(|(name, count)| number(name, &|line, _| Some(*count(&mut line.rows.clone())))));
    columns.push(text("command", &|_| Some(author.command.into())));
    columns.push(text("lakesmith_version", &|_| Some(env!("CARGO_PKG_VERSION").into())));
    columns.push(version("version_before", &|line, commits| commits.before(line.version)));
    columns.push(number("bytes_read", &|_, commits| commits.bytes_read));
    columns.push(number("bytes_written", &|_, commits| commits.bytes_written));
    columns.push(number("bytes_deleted", &|line, _| line.bytes_deleted));
    let peak = memory::peak();
    columns.push(number("peak_memory_bytes", &|_, _| peak));
    Ok(DataFrame::new(height, columns)?)
}

#[cfg(test)]
mod tests;
