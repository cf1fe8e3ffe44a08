//! `lakesmith status`

use chrono::Utc;

use super::args::{Global, SelectArgs};
use super::failure::Outcome;
use super::ui;
use crate::run::{TableStatus, survey};

pub async fn carry_out(global: &Global, args: &SelectArgs) -> Outcome {
    let project = super::project(global)?;
    let tables = super::selected(&project, &args.select)?;
    let all = survey(&project, &tables).await?;
    if global.json {
        ui::answer_json(&serde_json::json!({
            "project": project.name,
            "environment": project.environment.name,
            "tables": all,
        }));
        return Ok(0);
    }
    let rows: Vec<Vec<String>> = all.iter().map(row).collect();
    let header = ["table", "version", "rows", "changed", "lag", "quarantined", "remarks"];
    ui::answer(&ui::table(&header, &rows, &[false, true, true, true, false, true, false]));
    Ok(0)
}

fn row(table: &TableStatus) -> Vec<String> {
    let number = |n: Option<u64>| n.map(ui::thousands).unwrap_or_default();
    let changed = table.changed_at.map(|at| format!("{} ago", ui::duration((Utc::now() - at).num_seconds())));
    let lag: Vec<_> = table.lag.iter().map(|(input, n)| format!("{n} of {input}")).collect();
    vec![
        table.table.to_string(),
        table.version.map_or_else(|| "–".into(), |v| v.to_string()),
        number(table.rows),
        changed.unwrap_or_default(),
        lag.join(", "),
        number(table.quarantined),
        remarks(table),
    ]
}

fn remarks(table: &TableStatus) -> String {
    let mut remarks = Vec::new();
    if table.version.is_none() {
        remarks.push("not made yet".to_string());
    }
    if let Some(why) = &table.stale {
        remarks.push(format!("stale: {why}"));
    }
    if table.mixed {
        remarks.push("mixed: some rows follow an earlier definition".into());
    }
    if !table.foreign_writes.is_empty() {
        let versions: Vec<_> = table.foreign_writes.iter().map(ToString::to_string).collect();
        remarks.push(format!("another writer changed rows in version {}", versions.join(", ")));
    }
    remarks.join("; ")
}
