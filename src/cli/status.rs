//! `lakesmith status`

use chrono::Utc;

use super::args::{Global, SelectArgs};
use super::failure::{Complaint, FAILED, Outcome};
use super::table::{Column, table};
use super::{ui, words};
use crate::name::{Layer, TableName};
use crate::run::{TableStatus, survey};

pub async fn carry_out(global: &Global, args: &SelectArgs) -> Outcome {
    let project = super::project(global)?;
    let tables = super::selected(&project, &args.select)?;
    let all = survey(&project, &tables).await?;
    let code = if all.iter().any(|t| t.error.is_some()) { FAILED } else { 0 };
    if global.json {
        ui::answer_json(&serde_json::json!({
            "project": project.name,
            "environment": project.environment.name,
            "tables": all,
        }));
        print_errors(&all);
        return Ok(code);
    }
    let rows: Vec<Vec<String>> = all.iter().map(row).collect();
    let columns = [
        Column::Name("table"),
        Column::Number("version"),
        Column::Number("rows"),
        Column::Number("changed"),
        Column::Text("behind"),
        Column::Number("quarantined"),
        Column::Text("remarks"),
    ];
    ui::answer(&table(&columns, &rows, ui::width()));
    print_errors(&all);
    Ok(code)
}

fn print_errors(all: &[TableStatus]) {
    for status in all {
        if let Some(error) = &status.error {
            ui::print_error(&Complaint::of_table(&status.table, error));
        }
    }
}

fn row(table: &TableStatus) -> Vec<String> {
    let number = |n: Option<u64>| n.map(words::thousands).unwrap_or_default();
    let changed = table.changed_at.map(|at| format!("{} ago", words::duration((Utc::now() - at).num_seconds())));
    let behind: Vec<_> = table.lag.iter().filter_map(|(input, n)| behind(input, *n)).collect();
    vec![
        table.table.to_string(),
        table.version.map_or_else(|| "–".into(), |v| v.to_string()),
        number(table.rows),
        changed.unwrap_or_default(),
        behind.join(", "),
        number(table.quarantined),
        remarks(table),
    ]
}

/// Negative where the input has lost commits: it has nothing that is still to be read, and the remarks say so.
pub fn behind(input: &TableName, n: i64) -> Option<String> {
    let unit = if input.layer == Layer::Bronze { "batch" } else { "version" };
    (n > 0).then(|| format!("{} of {input}", words::count(n.unsigned_abs(), unit)))
}

fn remarks(table: &TableStatus) -> String {
    let mut remarks = Vec::new();
    if table.error.is_some() {
        return "cannot be read".into();
    }
    if table.version.is_none() {
        remarks.push("not made yet".to_string());
    }
    if let Some(hold) = &table.hold {
        remarks.push(hold.reason(&table.table));
    }
    if let Some(why) = &table.stale {
        remarks.push(format!("stale: {why}"));
    }
    if let Some(log) = &table.log {
        remarks.push(log.clone());
    }
    if table.mixed {
        remarks.push("mixed: some rows follow an earlier definition".into());
    }
    if !table.foreign_writes.is_empty() {
        let versions: Vec<_> = table.foreign_writes.iter().map(ToString::to_string).collect();
        let unit = if versions.len() == 1 { "version" } else { "versions" };
        remarks.push(format!("another writer changed rows in {unit} {}", versions.join(", ")));
    }
    if !table.pins.is_empty() {
        let pins: Vec<_> = table.pins.iter().map(|(name, version)| format!("{version} as {name}")).collect();
        remarks.push(format!("pinned: {}", pins.join(", ")));
    }
    remarks.join("; ")
}
