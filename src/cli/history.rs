//! `lakesmith history TABLE`

use serde_json::Value;

use super::args::{Global, HistoryArgs};
use super::failure::Outcome;
use super::table::{Column, table};
use super::{show, ui, words};
use crate::run::{self, Past};

pub async fn carry_out(global: &Global, args: &HistoryArgs) -> Outcome {
    let project = super::project(global)?;
    let name = show::known(&project, &args.table)?;
    let past = run::history(&project, &name, args.limit).await;
    let past = past.map_err(|error| match error {
        run::Error::Refused(_) => show::nothing_yet(global, &name),
        other => other.into(),
    })?;
    if global.json {
        ui::answer_json(&serde_json::json!({ "table": name, "versions": past }));
        return Ok(0);
    }
    let rows: Vec<Vec<String>> = past.iter().map(row).collect();
    let columns = [
        Column::Number("version"),
        Column::Name("when (UTC)"),
        Column::Text("action"),
        Column::Text("rows"),
        Column::Text("from"),
        Column::Text("definition"),
        Column::Name("run"),
    ];
    ui::answer(&table(&columns, &rows, ui::width()));
    Ok(0)
}

fn row(past: &Past) -> Vec<String> {
    let definition = match (&past.definition, past.current) {
        (Some(hash), Some(true)) => format!("{} (today's)", short(hash)),
        (Some(hash), _) => short(hash),
        _ => String::new(),
    };
    vec![
        past.version.to_string(),
        past.at.format("%Y-%m-%d %H:%M:%S").to_string(),
        action(past),
        rows(past),
        past.inputs.as_ref().map(inputs).unwrap_or_default(),
        definition,
        past.run_id.clone().unwrap_or_default(),
    ]
}

fn action(past: &Past) -> String {
    let mut action = match (past.restored, past.foreign) {
        (_, true) => format!("{} (another writer)", past.action),
        (Some(version), _) => format!("{} of {version}", past.action),
        _ => past.action.clone(),
    };
    if !past.pins.is_empty() {
        action.push_str(&format!("; pinned as {}", past.pins.join(", ")));
    }
    action
}

/// The rows that a run accounts for; of other commits those of the files that came and went.
fn rows(past: &Past) -> String {
    let files = &past.files;
    match &past.rows {
        Some(rows) => counts(rows),
        None if files.rearranged => format!(
            "the same, {} → {}",
            words::count(files.removed as u64, "file"),
            words::count(files.added as u64, "file")
        ),
        None if files.added + files.removed == 0 => String::new(),
        None => {
            let rows = |n: Option<u64>| n.map_or_else(|| "?".into(), words::thousands);
            format!("{} in, {} out, by files", rows(files.rows_added), rows(files.rows_removed))
        }
    }
}

fn short(hash: &str) -> String {
    hash.chars().take(8).collect()
}

fn counts(rows: &Value) -> String {
    let Value::Object(counts) = rows else { return String::new() };
    let parts = counts.iter().filter_map(|(word, n)| Some((word, n.as_u64().filter(|n| *n > 0)?)));
    parts.map(|(word, n)| format!("{} {word}", words::thousands(n))).collect::<Vec<_>>().join(", ")
}

fn inputs(inputs: &Value) -> String {
    let Value::Array(inputs) = inputs else { return String::new() };
    let one = |input: &Value| {
        let table = input.get("table").and_then(Value::as_str).unwrap_or("?");
        let version = input.get("version").and_then(Value::as_i64).unwrap_or(-1);
        format!("{table}@{version}")
    };
    inputs.iter().map(one).collect::<Vec<_>>().join(", ")
}
