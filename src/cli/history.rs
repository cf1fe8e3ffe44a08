//! `lakesmith history TABLE`

use serde_json::Value;

use super::args::{Global, HistoryArgs};
use super::failure::Outcome;
use super::{show, ui};
use crate::run::{self, Past};

pub async fn carry_out(global: &Global, args: &HistoryArgs) -> Outcome {
    let project = super::project(global)?;
    let name = show::known(&project, &args.table)?;
    let past = run::history(&project, &name, args.limit).await?;
    if global.json {
        ui::answer_json(&serde_json::json!({ "table": name, "versions": past }));
        return Ok(0);
    }
    let rows: Vec<Vec<String>> = past.iter().map(row).collect();
    let header = ["version", "when", "action", "rows", "from", "definition", "run"];
    ui::answer(&ui::table(&header, &rows, &[true]));
    Ok(0)
}

fn row(past: &Past) -> Vec<String> {
    let action = if past.foreign { format!("{} (another writer)", past.action) } else { past.action.clone() };
    let definition = match (&past.definition, past.current) {
        (Some(hash), Some(true)) => format!("{} (today's)", short(hash)),
        (Some(hash), _) => short(hash),
        _ => String::new(),
    };
    vec![
        past.version.to_string(),
        past.at.format("%Y-%m-%d %H:%M:%S").to_string(),
        action,
        past.rows.as_ref().map(counts).unwrap_or_default(),
        past.inputs.as_ref().map(inputs).unwrap_or_default(),
        definition,
        past.run_id.clone().unwrap_or_default(),
    ]
}

fn short(hash: &str) -> String {
    hash.chars().take(8).collect()
}

fn counts(rows: &Value) -> String {
    let Value::Object(counts) = rows else { return String::new() };
    let parts = counts.iter().filter(|(_, n)| n.as_u64().is_some_and(|n| n > 0));
    parts.map(|(word, n)| format!("{n} {word}")).collect::<Vec<_>>().join(", ")
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
