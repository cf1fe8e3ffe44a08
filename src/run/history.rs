//! The history of runs: a Delta table with one line per table that a run changed or that failed in it.

use chrono::Utc;
use polars::prelude::*;

use super::error::Result;
use super::protocol::RUNS;
use super::{Run, optimize, retry};
use crate::delta::{Change, Operation, TableSchema};
use crate::expr::{Column as Col, Type};
use crate::report::{RowCounts, RunReport, Status, TableReport};

/// The columns of the table of runs.
pub fn schema() -> TableSchema {
    let text = ["run_id", "table", "action", "status", "error", "note", "inputs"];
    let mut columns: Vec<Col> = text.iter().map(|name| Col::new(*name, Type::String)).collect();
    columns.extend(["started_at", "finished_at"].map(|name| Col::new(name, Type::Timestamp)));
    columns.push(Col::new("seconds", Type::Double));
    columns.push(Col::new("version", Type::BigInt));
    columns.extend(COUNTS.iter().map(|(name, _)| Col::new(*name, Type::BigInt)));
    TableSchema { columns, ..TableSchema::default() }
}

type Count = fn(&RowCounts) -> u64;

const COUNTS: [(&str, Count); 8] = [
    ("rows_read", |r| r.read),
    ("rows_inserted", |r| r.inserted),
    ("rows_updated", |r| r.updated),
    ("rows_unchanged", |r| r.unchanged),
    ("rows_superseded", |r| r.superseded),
    ("rows_filtered", |r| r.filtered),
    ("rows_quarantined", |r| r.quarantined),
    ("rows_deleted", |r| r.deleted),
];

/// Writes a run to the history, if it changed a table or one failed.
pub async fn record(run: &Run, report: &RunReport) -> Result<()> {
    let worth = |t: &&TableReport| t.changed() || t.status == Status::Failed;
    let tables: Vec<&TableReport> = report.tables.iter().filter(worth).collect();
    if tables.is_empty() {
        return Ok(());
    }
    let frame = frame(run, &tables)?;
    let table = run.lake.table(RUNS);
    let adds = table.write(frame.lazy(), &schema()).await?;
    retry::until_won("the history of runs", || async {
        let change = Change { adds: adds.clone(), operation: Operation::Append, ..Change::default() };
        let base = table.snapshot().await?;
        match &base {
            Some(base) => table.commit(base, change).await?,
            None => table.create(&schema(), change).await?,
        };
        optimize::own_table(&run.lake, RUNS, base.as_ref(), &run.id).await;
        Ok(())
    })
    .await
}

fn frame(run: &Run, tables: &[&TableReport]) -> Result<DataFrame> {
    let text = |f: &dyn Fn(&TableReport) -> Option<String>| tables.iter().map(|t| f(t)).collect::<Vec<_>>();
    let mut columns: Vec<Column> = vec![
        Column::new("run_id".into(), text(&|_| Some(run.id.clone()))),
        Column::new("table".into(), text(&|t| Some(t.table.to_string()))),
        Column::new("action".into(), text(&|t| Some(t.action.as_str().into()))),
        Column::new("status".into(), text(&|t| Some(t.status.as_str().into()))),
        Column::new("error".into(), text(&|t| t.error.clone())),
        Column::new("note".into(), text(&|t| t.note.clone())),
        Column::new("inputs".into(), text(&|t| serde_json::to_string(&t.inputs).ok())),
    ];
    let instant = |at: chrono::DateTime<Utc>| vec![at.timestamp_micros(); tables.len()];
    for (name, at) in [("started_at", run.started_at), ("finished_at", Utc::now())] {
        columns.push(Column::new(name.into(), instant(at)).cast(&Type::Timestamp.to_polars())?);
    }
    columns.push(Column::new("seconds".into(), tables.iter().map(|t| t.seconds).collect::<Vec<_>>()));
    columns.push(Column::new("version".into(), tables.iter().map(|t| t.version).collect::<Vec<_>>()));
    for (name, count) in COUNTS {
        let counts: Vec<i64> = tables.iter().map(|t| i64::try_from(count(&t.rows)).unwrap_or(i64::MAX)).collect();
        columns.push(Column::new(name.into(), counts));
    }
    Ok(DataFrame::new(tables.len(), columns)?)
}
