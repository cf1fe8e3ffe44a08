//! One past run, for someone who was not there.

use chrono::Utc;

use super::args::Global;
use super::table::{Column, table};
use super::{runs, summary, ui, words};
use crate::project::Project;
use crate::report::{INTERRUPTED, PastRun, PastTable};

pub fn print(global: &Global, project: &Project, run: &PastRun) {
    let mut parts = vec![head(run), tables(run)];
    parts.extend(told("What failed", run, |table| table.error.clone()));
    parts.extend(told("Notes", run, |table| table.note.clone().filter(|_| table.error.is_none())));
    parts.extend(told("Made from", run, inputs));
    ui::answer(&parts.join("\n\n"));
    if !global.quiet {
        next(global, project, run).iter().for_each(|line| ui::tell(line));
    }
}

fn head(run: &PastRun) -> String {
    let ago = words::duration((Utc::now() - run.started_at).num_seconds());
    let mut lines = vec![
        ("run", run.run_id.clone()),
        ("command", run.command.clone().unwrap_or_else(|| "not noted".into())),
        ("status", format!("{}: {}", run.status, runs::what(run))),
        ("began", format!("{}, {ago} ago", runs::when(run.started_at))),
        ("took", words::took(run.seconds)),
    ];
    lines.extend(run.peak_memory_bytes.map(|bytes| ("memory", format!("{} at most", words::bytes(bytes)))));
    lines.extend(run.lakesmith_version.clone().map(|version| ("lakesmith", version)));
    lines.iter().map(|(key, text)| format!("{key:<11}{text}")).collect::<Vec<_>>().join("\n")
}

fn tables(run: &PastRun) -> String {
    let columns = [
        Column::Name("table"),
        Column::State("action"),
        Column::Number("version"),
        Column::Text("rows"),
        Column::Number("read"),
        Column::Number("written"),
        Column::Number("took"),
    ];
    let deletes = run.tables.iter().any(|table| table.bytes_deleted.is_some());
    let columns = columns.map(|column| match column {
        Column::Number("written") if deletes => Column::Number("deleted"),
        column => column,
    });
    table(&columns, &run.tables.iter().map(row).collect::<Vec<_>>(), ui::width())
}

fn row(table: &PastTable) -> Vec<String> {
    let action = match table.status.as_str() {
        _ if runs::is_skipped(table) => "skipped",
        "failed" => "failed",
        INTERRUPTED => INTERRUPTED,
        _ => &table.action,
    };
    let version = match (table.version_before, table.version) {
        (Some(before), Some(after)) if before != after => format!("{before} → {after}"),
        (_, Some(version)) => version.to_string(),
        _ => String::new(),
    };
    let rows = match table.rows == crate::report::RowCounts::default() {
        true => String::new(),
        false => summary::counts(&table.rows),
    };
    let size = |bytes: Option<u64>| bytes.map(words::bytes).unwrap_or_default();
    vec![
        table.table.clone(),
        action.to_owned(),
        version,
        rows,
        size(table.bytes_read),
        size(table.bytes_written.or(table.bytes_deleted)),
        words::took(table.seconds),
    ]
}

/// What there is to say of the tables, a line each, under a title.
fn told(title: &str, run: &PastRun, of: impl Fn(&PastTable) -> Option<String>) -> Option<String> {
    let lines: Vec<String> = run
        .tables
        .iter()
        .filter_map(|table| Some(format!("  {}: {}", table.table, words::clean(&of(table)?).replace('\n', "\n    "))))
        .collect();
    (!lines.is_empty()).then(|| format!("{title}\n{}", lines.join("\n")))
}

fn inputs(table: &PastTable) -> Option<String> {
    let versions: Vec<String> = table.inputs.as_array()?.iter().filter_map(input).collect();
    (!versions.is_empty()).then(|| versions.join(", "))
}

fn input(input: &serde_json::Value) -> Option<String> {
    let (table, version) = (input.get("table")?.as_str()?, input.get("version")?.as_i64()?);
    Some(format!("{table}@{version}"))
}

/// What to look at now: rows that were refused, and what changed in the table that changed most.
fn next(global: &Global, project: &Project, run: &PastRun) -> Vec<String> {
    let known = |table: &&PastTable| project.order.iter().any(|name| name.to_string() == table.table);
    let mut lines = Vec::new();
    for table in run.tables.iter().filter(known).filter(|table| table.rows.quarantined > 0) {
        let see = ui::command(global, &format!("quarantine {}", table.table));
        lines.push(format!("rows that `{}` refused: {see}", table.table));
    }
    let rows = |table: &&PastTable| table.rows.inserted + table.rows.updated + table.rows.deleted;
    let changed = run.tables.iter().filter(known).filter(|table| !table.table.starts_with("bronze."));
    let changed = changed.filter(|table| rows(table) > 0).max_by_key(rows);
    if let Some(PastTable { table, version_before: Some(before), version: Some(after), .. }) = changed {
        let see = ui::command(global, &format!("diff {table}@{before} @{after}"));
        lines.push(format!("what changed in `{table}`: {see}"));
    }
    if run.is_failed() {
        lines.push(format!("to try again: {}", ui::command(global, "run")));
    }
    lines
}
