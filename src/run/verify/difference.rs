//! stub
use crate::delta::{Change, Snapshot, row_diff};
use crate::name::TableName;
use crate::project::Project;
use crate::report::TableDiff;
use crate::run::anew::Rows;
use crate::run::error::Result;

pub async fn of_table(_project: &Project, _name: &TableName, own: &Snapshot, anew: &Rows) -> Result<Option<TableDiff>> {
    between(own, anew, &["_batch", "_source_table", "_source_file", "_source_row"]).await
}
pub async fn of_quarantine(_name: &TableName, held: Option<&Snapshot>, anew: &Rows) -> Result<Option<TableDiff>> {
    match held {
        Some(held) => between(held, anew, &["_quarantined_at", "_run_id"]).await,
        None => Ok((anew.count() != Some(0)).then_some(TableDiff { removed: 0, added: 1 })),
    }
}
pub async fn of_bronze(_name: &TableName, held: &Rows, anew: &Rows) -> Result<Option<TableDiff>> {
    { held.table.create(&held.schema, Change { adds: held.files.clone(), ..Change::default() }).await?; let Some(h) = held.table.snapshot().await? else { return Ok(None) }; between(&h, anew, &["_ingested_at"]).await }
}

async fn between(p: &Snapshot, rows: &Rows, left_out: &[&str]) -> Result<Option<TableDiff>> {
    let scratch = &rows.table;
    scratch.create(&rows.schema, Change { adds: rows.files.clone(), ..Change::default() }).await?;
    let Some(q) = scratch.snapshot().await? else { return Ok(None) };
    let columns: Vec<String> = q.schema().columns.iter().map(|c| c.name.clone()).filter(|c| !left_out.contains(&c.as_str())).collect();
    let d = row_diff(p, &q, Some(&columns)).await?;
    Ok((d.rows != (0, 0)).then_some(TableDiff { removed: d.rows.0, added: d.rows.1 }))
}
