//! What is there against what should be, as `diff` tells it: from the table as it is to what its inputs give.

use crate::bronze::{BATCH, INGESTED_AT, SOURCE_FILE, SOURCE_ROW};
use crate::delta::{Side, Snapshot};
use crate::name::TableName;
use crate::project::Project;
use crate::report::TableDiff;
use crate::run::anew::Rows;
use crate::run::compare::{Comparison, compare};
use crate::run::error::Result;

/// A table against its rows computed anew; `None`: they are the same.
pub async fn of_table(project: &Project, name: &TableName, own: &Snapshot, anew: &Rows) -> Result<Option<TableDiff>> {
    between(&own.into(), &staged(anew), &Comparison::of(project, name)).await
}

/// The quarantine of a silver table, where there is one, against the rows that the events give.
pub async fn of_quarantine(name: &TableName, held: Option<&Snapshot>, anew: &Rows) -> Result<Option<TableDiff>> {
    let held = match held {
        Some(held) => held.into(),
        None => Side::nothing(anew.table.clone(), anew.schema.clone()),
    };
    between(&held, &staged(anew), &Comparison::of_quarantine(name)).await
}

/// Records of bronze against those of the landing files, each by the place that it was taken from.
pub async fn of_bronze(project: &Project, name: &TableName, held: &Rows, anew: &Rows) -> Result<Option<TableDiff>> {
    let how = Comparison {
        key: [BATCH, SOURCE_FILE, SOURCE_ROW].map(String::from).to_vec(),
        left_out: vec![INGESTED_AT.to_string()],
        ..Comparison::of(project, name)
    };
    between(&staged(held), &staged(anew), &how).await
}

async fn between(held: &Side, anew: &Side, how: &Comparison) -> Result<Option<TableDiff>> {
    Ok(Some(compare(held, anew, how).await?).filter(TableDiff::differs))
}

fn staged(rows: &Rows) -> Side {
    Side::staged(rows.table.clone(), rows.schema.clone(), rows.files.clone())
}
