//! A project run in process, and its tables as text.

use std::path::Path;
use std::sync::Arc;

use lakesmith::delta::{At, Lake, Snapshot};
use lakesmith::plan::Request;
use lakesmith::project::{self, Project};
use lakesmith::report::RunReport;
use lakesmith::run::{Run, columns_from_lake};
use polars::prelude::{AnyValue, Engine};

use crate::support;

/// Rows as texts, sorted: equal tables are equal multisets.
pub type Rows = Vec<Vec<String>>;

/// What NULL looks like in [`Rows`].
pub const NULL: &str = "NULL";

/// Carries out all tables of the project, as many at once as `jobs`; `rebuild`: silver and gold anew.
pub async fn run(root: &Path, lake: &Lake, jobs: usize, rebuild: bool) -> RunReport {
    let project = load(root);
    let tables: std::collections::BTreeSet<_> = project.order.iter().cloned().collect();
    let mut request = Request { tables, unguarded: true, ..Request::default() };
    if rebuild {
        request.rebuild = request.tables.iter().filter(|t| t.layer.to_string() != "bronze").cloned().collect();
    }
    let report = Run::in_lake(project, lake.clone(), Arc::new(|_| ())).carry_out(&request, jobs).await;
    support::assert_accounted(&serde_json::to_value(&report).unwrap());
    report
}

/// The project in this folder.
pub fn load(root: &Path) -> Arc<Project> {
    let known = |question: &project::Question| columns_from_lake(question).unwrap();
    Arc::new(project::load(root, None, &known).unwrap_or_else(|faults| panic!("{faults:?}")))
}

/// The newest version of a table.
pub async fn now(lake: &Lake, folder: &str) -> Option<Snapshot> {
    lake.table(folder).snapshot().await.unwrap()
}

/// The rows of some columns; none if there is no table.
pub async fn rows(lake: &Lake, folder: &str, columns: &[&str]) -> Rows {
    match now(lake, folder).await {
        Some(snapshot) => rows_of(&snapshot, columns).await,
        None => Vec::new(),
    }
}

/// The rows of some columns of an earlier version.
pub async fn rows_at(lake: &Lake, folder: &str, version: i64, columns: &[&str]) -> Rows {
    rows_of(&lake.table(folder).snapshot_at(&At::Version(version)).await.unwrap(), columns).await
}

/// The rows of some columns of a version.
pub async fn rows_of(snapshot: &Snapshot, columns: &[&str]) -> Rows {
    try_rows_of(snapshot, columns).await.unwrap()
}

/// The rows of some columns of a version, or why they cannot be had.
pub async fn try_rows_of(snapshot: &Snapshot, columns: &[&str]) -> Result<Rows, String> {
    let columns: Vec<_> = columns.iter().map(|name| polars::prelude::col(*name)).collect();
    let frame = snapshot.scan().map_err(|error| error.to_string())?.select(columns);
    let collect = move || frame.collect_with_engine(Engine::Streaming).map(|collected| collected.unwrap_single());
    let frame = tokio::task::spawn_blocking(collect).await.unwrap().map_err(|error| error.to_string())?;
    let row = |i| frame.columns().iter().map(|column| text(&column.get(i).unwrap())).collect();
    let mut rows: Rows = (0..frame.height()).map(row).collect();
    rows.sort();
    Ok(rows)
}

/// Doubles are cut to six digits, so that the order in which a sum adds its terms does not show.
fn text(value: &AnyValue) -> String {
    match value {
        AnyValue::Null => NULL.to_owned(),
        AnyValue::String(text) => (*text).to_owned(),
        AnyValue::StringOwned(text) => text.to_string(),
        AnyValue::Float64(double) => format!("{double:.6}"),
        AnyValue::Decimal(digits, _, 2) => cents(*digits),
        AnyValue::Datetime(us, ..) | AnyValue::DatetimeOwned(us, ..) => us.to_string(),
        AnyValue::List(items) => items.iter().map(|item| text(&item)).collect::<Vec<_>>().join(" | "),
        AnyValue::StructOwned(fields) => fields.0.iter().map(text).collect::<Vec<_>>().join("~"),
        AnyValue::Struct(..) => text(&value.clone().into_static()),
        other => other.to_string(),
    }
}

/// A decimal of two places.
pub fn cents(cents: i128) -> String {
    format!("{}{}.{:02}", if cents < 0 { "-" } else { "" }, cents.abs() / 100, cents.abs() % 100)
}

/// Fails with the rows that only one side has.
pub fn assert_rows(what: &str, found: &Rows, expected: &Rows) {
    let (mut extra, mut missing) = (found.clone(), Vec::new());
    for row in expected {
        match extra.iter().position(|r| r == row) {
            Some(at) => drop(extra.remove(at)),
            None => missing.push(row),
        }
    }
    assert!(extra.is_empty() && missing.is_empty(), "{what}\n  too many: {extra:#?}\n  missing: {missing:#?}");
}

/// A minute and more goes by: what a dead run claimed is free again.
pub fn let_claims_expire(lake: &Path) {
    let Ok(claims) = std::fs::read_dir(lake.join("_lakesmith/claims")) else { return };
    for claim in claims {
        let path = claim.unwrap().path();
        let mut claim: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        claim["until"] = "2020-01-01T00:00:00Z".into();
        std::fs::write(&path, claim.to_string()).unwrap();
    }
}
