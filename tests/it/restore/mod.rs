//! Tables that go back to an earlier version, and what runs make of them then.

mod back;
mod below;
mod cli;
mod deaths;
mod hold;
mod lost;
mod random;

use serde_json::Value;

use crate::support::{Project, table};

/// Three runs of the small project. Each file has a new event, one that replaces an earlier one, one that is refused.
fn lived() -> Project {
    let project = Project::small();
    for file in 1..=3 {
        project.write(&format!("landing/events/{file}.csv"), events(file));
        project.run(0);
    }
    project
}

fn events(file: u32) -> String {
    format!(
        "id,kind,amount,at\n{file},k{file},1.00,2026-01-0{file}T00:00:00Z\n0,first,{file}.00,2026-01-0{file}T00:00:00Z\nx{file},bad,1.00,\n"
    )
}

/// `restore … --yes --json`, which succeeds.
fn restore(project: &Project, args: &[&str]) -> Value {
    project.json(&[&["restore", "--yes"], args].concat(), 0)
}

/// What became of one table: action, version, note.
fn told(report: &Value, name: &str) -> (String, i64, String) {
    let table = table(report, name);
    let text = |key: &str| table[key].as_str().unwrap_or_default().to_owned();
    (text("action"), table["version"].as_i64().unwrap_or(-1), text("note"))
}

/// The rows of a table or of a version of it, lineage too.
fn rows(project: &Project, name: &str) -> Vec<Value> {
    let (layer, name) = name.split_once('.').unwrap();
    let mut rows = project.query(&format!("SELECT * FROM {layer}.\"{name}\""));
    rows.sort_by_key(Value::to_string);
    rows
}

/// Rows that silver refuses, by file and row.
fn refused(project: &Project) -> Vec<String> {
    let rows = project.json(&["quarantine", "silver.events"], 0);
    let place = |row: &Value| format!("{}:{}", row["_source_file"].as_str().unwrap(), row["_source_row"]);
    let mut places: Vec<String> = rows.as_array().unwrap().iter().map(place).collect();
    places.sort();
    places
}

/// Silver, its refused rows and gold, without lineage.
fn all(project: &Project) -> (Vec<Value>, Vec<String>, Vec<Value>) {
    let mut silver = project.query("SELECT id, kind, amount, at FROM silver.events");
    silver.sort_by_key(Value::to_string);
    (silver, refused(project), rows(project, "gold.totals"))
}

/// I4: what a rebuild from bronze gives is what is there.
fn assert_a_rebuild_changes_nothing(project: &Project) {
    let before = all(project);
    project.json(&["rebuild", "silver", "gold", "--yes"], 0);
    project.run(0);
    assert_eq!(all(project), before);
}

/// The definition of silver, with one more column.
fn derive(project: &Project, expression: &str) {
    let yaml = "from: bronze.events\ncontract: schemas/events.odcs.yaml\nkey: [id]\nlatest_by: [at]\nevent_time: at\n";
    project.write("layers/silver/events.yaml", format!("{yaml}steps:\n  - derive: {{ extra: {expression} }}\n"));
}
