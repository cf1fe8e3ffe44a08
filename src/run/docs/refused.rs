//! The rows that a silver table refused, counted. None of their values is told: a page goes to more people than a lake.

use polars::prelude::*;
use serde::Serialize;

use crate::delta::{Lake, Snapshot};
use crate::name::TableName;
use crate::report::value::to_json;
use crate::run::error::Result;
use crate::run::{quarantine, stream};

/// Reasons, files and days that are told, of each the most frequent or the newest.
const TOLD: IdxSize = 100;

/// A table's quarantine.
#[derive(Debug, Default, Serialize)]
pub struct QuarantineDocs {
    /// all of it
    pub rows: u64,
    /// by column and rule that is broken; a row can break several
    pub by_reason: Vec<Count>,
    /// by landing file
    pub by_file: Vec<Count>,
    /// by the day on which they were refused, in order
    pub by_day: Vec<Count>,
}

/// So many rows.
#[derive(Debug, PartialEq, Serialize)]
pub struct Count {
    /// what they have in common; NULL is none
    pub of: Vec<Option<String>>,
    /// how many
    pub rows: u64,
}

/// Of the rows that belong to a version of a silver table.
pub async fn of(lake: &Lake, name: &TableName, silver: &Snapshot) -> Result<QuarantineDocs> {
    let Some(snapshot) = quarantine::of(lake, name, silver).await? else { return Ok(QuarantineDocs::default()) };
    let rows = snapshot.rows();
    if rows == Some(0) {
        return Ok(QuarantineDocs::default());
    }
    let frame = snapshot.scan()?;
    tokio::task::spawn_blocking(move || counted(&frame, rows)).await?
}

fn counted(frame: &LazyFrame, rows: Option<u64>) -> Result<QuarantineDocs> {
    let field = |name: &str| col("_reasons").struct_().field_by_name(name).alias(name);
    let reasons = frame
        .clone()
        .select([col("_reasons")])
        .explode(cols(["_reasons"]), ExplodeOptions { empty_as_null: false, keep_nulls: false });
    let by_reason = reasons.select([field("column"), field("rule")]);
    let by_day = frame.clone().select([col("_quarantined_at").cast(DataType::Date).alias("day")]);
    let rows = match rows {
        Some(rows) => rows,
        None => stream::count(frame.clone())?,
    };
    let mut by_day = counts(by_day, &["day"], Order::ByName)?;
    by_day.reverse();
    Ok(QuarantineDocs {
        rows,
        by_reason: counts(by_reason, &["column", "rule"], Order::ByRows)?,
        by_file: counts(frame.clone().select([col("_source_file")]), &["_source_file"], Order::ByRows)?,
        by_day,
    })
}

/// What is told where there is more than is told.
#[derive(PartialEq)]
enum Order {
    /// those of most rows
    ByRows,
    /// the last by name
    ByName,
}

fn counts(frame: LazyFrame, keys: &[&str], order: Order) -> Result<Vec<Count>> {
    let by_rows = (order == Order::ByRows).then_some("(rows)");
    let by: Vec<Expr> = by_rows.iter().chain(keys).map(|name| col(*name)).collect();
    let mut descending = vec![order == Order::ByName; by.len()];
    descending[0] = true;
    let groups = frame.group_by(keys.iter().map(|key| col(*key)).collect::<Vec<_>>()).agg([len().alias("(rows)")]);
    let sorted = groups.sort_by_exprs(by, SortMultipleOptions::default().with_order_descending_multi(descending));
    let found = stream::collect(sorted.limit(TOLD))?;
    let text = |key: &str, at: usize| -> Result<Option<String>> {
        Ok(to_json(&found.column(key)?.get(at)?).as_str().map(str::to_owned))
    };
    let rows = found.column("(rows)")?.cast(&DataType::UInt64)?;
    let rows = rows.u64()?;
    (0..found.height())
        .map(|at| {
            let of = keys.iter().map(|key| text(key, at)).collect::<Result<_>>()?;
            Ok(Count { of, rows: rows.get(at).unwrap_or(0) })
        })
        .collect()
}
