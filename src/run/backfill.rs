//! Backfills: a range of event time is computed anew, chunk by chunk, each in one commit; the tables below follow.
//!
//! What is done stands in the tables' own commits, so that a backfill that was interrupted goes on where it was.

mod derived;
mod keys;
mod marks;
mod silver;
mod within;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use serde_json::{Map, Value};

use self::marks::{Asked, MARK};
use super::claim::{Claimed, claim};
use super::error::{Error, Result};
use super::gold::Gold;
use super::protocol::{folder, table_state};
use super::schedule::{self, explained, failed};
use super::silver::Silver;
use super::{Event, Run, retry};
use crate::delta::{Change, Snapshot};
use crate::name::TableName;
use crate::plan::{BackfillRequest, Range};
use crate::project::{Definition, Project, Table, definition_hash};
use crate::report::{Action, ChunkReport, ChunkStatus, InputVersion, RowCounts, Status, TableReport};

/// One chunk of a request over one table.
struct Piece<'a> {
    range: Range,
    asked: &'a Asked,
    /// the request has no other, so that nobody asks whether it was done
    is_alone: bool,
}

/// What became of a chunk.
#[derive(Default)]
struct Done {
    version: Option<i64>,
    rows: RowCounts,
    /// the table, its quarantine or its definition is another now
    changes: bool,
    inputs: Vec<InputVersion>,
    /// why nothing can be done
    note: Option<String>,
}

type Reports = BTreeMap<TableName, TableReport>;

/// Carries out a backfill; gives a report for each table, in the project's order.
pub async fn tables(run: &Arc<Run>, request: &BackfillRequest, jobs: usize) -> Vec<TableReport> {
    let mut reports = Reports::new();
    follow(run, &request.first, jobs, &mut reports).await;
    let mut after = request.after.clone();
    for name in run.project.order.iter().filter(|name| request.tables.contains(*name)) {
        let report = match (run.project.tables.get(name), above_failed(&run.project, name, &reports)) {
            (Some(_), Some(above)) => TableReport::skipped(name.clone(), &above),
            (Some(definition), None) => match is_due(run, name, request).await {
                Ok(true) => table(run, definition, request).await,
                Ok(false) => {
                    after.insert(name.clone());
                    continue;
                }
                Err(error) => failed(name, Action::Backfill, error),
            },
            (None, _) => continue,
        };
        run.tell(Event::Finished(Box::new(report.clone())));
        reports.insert(name.clone(), report);
    }
    follow(run, &after, jobs, &mut reports).await;
    run.project.order.iter().filter_map(|name| reports.remove(name)).collect()
}

/// Runs tables, but for those below a table that failed.
async fn follow(run: &Arc<Run>, tables: &BTreeSet<TableName>, jobs: usize, reports: &mut Reports) {
    let mut ready = BTreeSet::new();
    for name in run.project.order.iter().filter(|name| tables.contains(*name)) {
        let itself = reports.get(name).filter(|report| report.status == Status::Failed).map(|_| name.clone());
        match above_failed(&run.project, name, reports) {
            None if itself.is_none() => drop(ready.insert(name.clone())),
            Some(above) if itself.is_none() => {
                let report = TableReport::skipped(name.clone(), &above);
                run.tell(Event::Finished(Box::new(report.clone())));
                reports.insert(name.clone(), report);
            }
            _ => {}
        }
    }
    for report in schedule::tables(run, &ready, jobs).await {
        let report = match reports.remove(&report.table) {
            Some(backfilled) => followed(backfilled, report),
            None => report,
        };
        reports.insert(report.table.clone(), report);
    }
}

/// One report of a table that was backfilled and then run.
fn followed(backfilled: TableReport, ran: TableReport) -> TableReport {
    let mut rows = backfilled.rows;
    rows += ran.rows;
    let changed = backfilled.status == Status::Succeeded && ran.status == Status::Unchanged;
    TableReport {
        action: backfilled.action,
        status: if changed { backfilled.status } else { ran.status },
        version: ran.version.or(backfilled.version),
        rows,
        seconds: backfilled.seconds + ran.seconds,
        chunks: backfilled.chunks,
        ..ran
    }
}

fn above_failed(project: &Project, name: &TableName, reports: &Reports) -> Option<TableName> {
    let is_failed = |input: &TableName| reports.get(input).is_some_and(|report| report.status == Status::Failed);
    project.inputs(name).into_iter().find(is_failed)
}

/// Whether ranges of the table are to be computed. A load is over once all of a table is there; a table below one that
/// is backfilled follows by a run, unless that would make all of it anew for a definition that changed.
async fn is_due(run: &Run, name: &TableName, request: &BackfillRequest) -> Result<bool> {
    if !request.loads && !request.after.contains(name) {
        return Ok(true);
    }
    let own = run.lake.table(&folder(name)).snapshot().await?.as_ref().map(table_state);
    if request.loads {
        return Ok(own.is_none_or(|own| own.is_loading()));
    }
    let today = definition_hash(&run.project, name);
    Ok(own.is_some_and(|own| own.definition.is_some_and(|definition| definition != today)))
}

async fn table(run: &Run, table: &Table, request: &BackfillRequest) -> TableReport {
    let (name, began) = (&table.name, Instant::now());
    run.tell(Event::Started(name.clone()));
    let mut report = TableReport::unchanged(name.clone(), None, "");
    report.note = None;
    report.action = Action::Backfill;
    if let Err(error) = claimed(run, table, request, &mut report).await {
        let TableReport { rows, version, chunks, inputs, .. } = report;
        report =
            TableReport { rows, chunks, inputs, ..failed(name, Action::Backfill, explained(run, name, error).await) };
        report.version = version;
    }
    report.seconds = began.elapsed().as_secs_f64();
    report
}

async fn claimed(run: &Run, table: &Table, request: &BackfillRequest, report: &mut TableReport) -> Result<()> {
    match claim(&run.lake, &table.name, &run.id, "backfill").await? {
        Claimed::Theirs(theirs) => {
            *report = TableReport::left_to(table.name.clone(), &theirs.whose(), theirs.until);
            Ok(())
        }
        Claimed::Ours(lease) => {
            let done = chunks(run, table, request, report).await;
            lease.release().await;
            done
        }
    }
}

/// Chunk by chunk, those that are done left out; ends with the first that fails.
async fn chunks(run: &Run, table: &Table, request: &BackfillRequest, report: &mut TableReport) -> Result<()> {
    let event_time = event_time(table)?;
    let definition = definition_hash(&run.project, &table.name);
    let asked = Asked { range: request.range, chunk: request.chunk, event_time, definition };
    let chunks = asked.range.chunks(asked.chunk, run.project.timezone).map_err(Error::Refused)?;
    let own = run.lake.table(&folder(&table.name)).snapshot().await?;
    report.version = own.as_ref().map(Snapshot::version);
    let done = asked.done(own.as_ref()).await?;
    let of = chunks.len();
    for (number, range) in (1..).zip(chunks) {
        run.tell(Event::Chunk { table: table.name.clone(), number, of });
        let mut chunk = ChunkReport::new(range, ChunkStatus::Skipped);
        if done.contains(&range.from.to_string()) {
            report.chunks.push(chunk);
            continue;
        }
        let began = Instant::now();
        let piece = Piece { range, asked: &asked, is_alone: of == 1 };
        let outcome = retry::until_won(&format!("`{}`", table.name), || one(run, table, &piece)).await;
        chunk.seconds = began.elapsed().as_secs_f64();
        match outcome {
            Ok(Done { note: Some(why), .. }) => {
                report.note = Some(why);
                report.action = Action::None;
                return Ok(());
            }
            Ok(done) => chunk.tell(done, report),
            Err(error) => {
                chunk.status = ChunkStatus::Failed;
                report.chunks.push(chunk);
                return Err(error);
            }
        }
    }
    report.note = Some(told(&report.chunks));
    Ok(())
}

async fn one(run: &Run, table: &Table, piece: &Piece<'_>) -> Result<Done> {
    let name = &table.name;
    match &table.definition {
        Definition::Silver(events) => silver::chunk(Silver { run, name, events }, piece).await,
        Definition::Gold(derived) => derived::chunk(Gold { run, name, derived }, piece).await,
        Definition::Bronze(_) => Err(Error::Refused("bronze is never made anew: all else is made from it".into())),
    }
}

fn event_time(table: &Table) -> Result<String> {
    let name = table.definition.event_time();
    name.map(str::to_owned).ok_or_else(|| Error::Refused("it has no `event_time` to tell a range by".into()))
}

fn told(chunks: &[ChunkReport]) -> String {
    let count = |status| chunks.iter().filter(|chunk| chunk.status == status).count();
    let skipped = match count(ChunkStatus::Skipped) {
        0 => String::new(),
        done => format!(", {done} done before"),
    };
    format!("{} of {} chunks changed it{skipped}", count(ChunkStatus::Succeeded), chunks.len())
}

impl ChunkReport {
    fn new(range: Range, status: ChunkStatus) -> Self {
        let rows = RowCounts::default();
        ChunkReport { from: range.from.instant, to: range.to.instant, status, version: None, rows, seconds: 0.0 }
    }

    /// Adds what became of the chunk to the report of its table.
    fn tell(mut self, done: Done, report: &mut TableReport) {
        self.status = if done.changes { ChunkStatus::Succeeded } else { ChunkStatus::Unchanged };
        self.version = done.version;
        self.rows = done.rows;
        if done.changes {
            report.status = Status::Succeeded;
        }
        report.version = done.version;
        report.rows += done.rows;
        report.inputs = done.inputs;
        report.chunks.push(self);
    }
}

impl Piece<'_> {
    fn event_time(&self) -> &str {
        &self.asked.event_time
    }

    /// The note of the chunk's commit.
    fn marked(&self, mut note: Map<String, Value>) -> Map<String, Value> {
        note.insert(MARK.into(), self.asked.mark(&self.range));
        note
    }
}

impl Done {
    fn waits(why: &str) -> Self {
        Done { note: Some(why.to_string()), ..Done::default() }
    }
}

/// Whether a change leaves a table as it is, but for its note.
fn moot(base: &Snapshot, change: &Change) -> bool {
    let files = change.adds.is_empty() && change.removes.is_empty() && change.txns.is_empty();
    let schema = change.schema.as_ref().is_none_or(|schema| schema == base.schema());
    files && schema && change.properties.iter().all(|(key, value)| base.property(key) == Some(value))
}
