//! Ranges of event time computed anew.

mod derived;
mod loads;
mod model;
mod random;
mod resumes;

use std::path::Path;
use std::sync::Arc;

use lakesmith::delta::Lake;
use lakesmith::plan::{BackfillRequest, Range, Request};
use lakesmith::project::select;
use lakesmith::report::{ChunkReport, ChunkStatus, RunReport, TableReport};
use lakesmith::run::Run;

use crate::faulty::Faulty;
use crate::lake::load;
use crate::support::Project;

/// What is asked for: tables, from, to, chunk.
#[derive(Clone, Copy, Debug)]
struct Asked<'a> {
    select: &'a str,
    from: &'a str,
    to: &'a str,
    chunk: Option<&'a str>,
}

async fn backfill(root: &Path, lake: &Lake, asked: Asked<'_>) -> RunReport {
    carry_out(root, lake, asked, false).await
}

async fn carry_out(root: &Path, lake: &Lake, asked: Asked<'_>, loads: bool) -> RunReport {
    let project = load(root);
    let range = Range::parse(asked.from, asked.to, project.timezone).unwrap();
    let chunk = asked.chunk.map(|chunk| chunk.parse().unwrap());
    let tables = select(&project, &asked.select.split(' ').map(str::to_owned).collect::<Vec<_>>()).unwrap();
    let request = match loads {
        true => BackfillRequest::load(&project, &tables, range, chunk),
        false => BackfillRequest::new(&project, &tables, range, chunk),
    };
    let request = BackfillRequest { unguarded: true, ..request.unwrap() };
    let report = Run::in_lake(project, lake.clone(), Arc::new(|_| ())).backfill(&request, 2).await;
    for table in report.tables.iter().filter(|table| table.table.layer.to_string() == "silver") {
        assert!(table.chunks.iter().all(|chunk| chunk.rows.adds_up()), "{table:?}");
    }
    report
}

/// Runs some tables.
async fn run(root: &Path, lake: &Lake, selected: &str) -> RunReport {
    let project = load(root);
    let tables = select(&project, &[selected.to_owned()]).unwrap();
    let request = Request { tables, unguarded: true, ..Request::default() };
    Run::in_lake(project, lake.clone(), Arc::new(|_| ())).carry_out(&request, 2).await
}

/// Computes some tables anew.
async fn rebuild(root: &Path, lake: &Lake, selected: &str) -> RunReport {
    let project = load(root);
    let tables = select(&project, &[selected.to_owned()]).unwrap();
    let request = Request { rebuild: tables.clone(), tables, unguarded: true, ..Request::default() };
    Run::in_lake(project, lake.clone(), Arc::new(|_| ())).carry_out(&request, 2).await
}

fn lake(project: &Project) -> Lake {
    Faulty::healthy().lake(&project.path("lake"))
}

fn sound(report: RunReport) -> RunReport {
    assert!(report.tables.iter().all(|table| table.error.is_none()), "{report:#?}");
    report
}

fn of<'a>(report: &'a RunReport, table: &str) -> &'a TableReport {
    report.tables.iter().find(|report| report.table.to_string() == table).unwrap()
}

fn statuses(report: &TableReport) -> Vec<&'static str> {
    report.chunks.iter().map(|chunk: &ChunkReport| ChunkStatus::as_str(chunk.status)).collect()
}
