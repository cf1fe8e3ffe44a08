//! How a table is in a word, and why. Pure.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::name::{Layer, TableName};
use crate::plan::Task;
use crate::report::{Action, FileNote};
use crate::run::survey::TableStatus;

/// How a table is, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// it cannot be looked at
    Unreadable,
    /// its last run failed, a run would fail, or a file is set aside
    Failed,
    /// runs leave it as it is
    Held,
    /// its rows do not follow its definition, or it cannot go on
    Stale,
    /// it has not been made yet
    Missing,
    /// there is something new for it
    Behind,
    /// nothing is left to do
    Current,
}

/// Files and errors are many; the page names the first.
const NAMED: usize = 5;

/// How a table is, and all that is not well.
pub fn of(status: &TableStatus, task: Option<&Task>, last_run: Option<&Map<String, Value>>) -> (State, Vec<String>) {
    if let Some(error) = &status.error {
        return (State::Unreadable, vec![format!("cannot be read: {error}")]);
    }
    let mut found: Vec<(State, String)> = Vec::new();
    found.extend(failures(task, last_run).into_iter().map(|why| (State::Failed, why)));
    found.extend(status.hold.iter().map(|hold| (State::Held, hold.reason(&status.table))));
    found.extend(status.stale.iter().map(|why| (State::Stale, format!("stale: {why}"))));
    if status.version.is_none() {
        found.push((State::Missing, "not made yet".into()));
    }
    found.extend(status.lag.iter().map(|(input, n)| (State::Behind, behind(input, *n))));
    if let Some(task) = task.filter(|task| task.action != Action::None && found.is_empty()) {
        found.push((State::Behind, format!("a run has something to do: {}", task.why)));
    }
    found.sort_by_key(|(state, _)| *state);
    let worst = found.first().map_or(State::Current, |(state, _)| *state);
    (worst, found.into_iter().map(|(_, why)| why).collect())
}

/// What else there is to say of a table.
pub fn remarks(status: &TableStatus, task: Option<&Task>, last_run: Option<&Map<String, Value>>) -> Vec<String> {
    let mut remarks = Vec::new();
    if status.mixed {
        remarks.push("Mixed: some rows follow an earlier definition.".into());
    }
    if !status.foreign_writes.is_empty() {
        let versions: Vec<_> = status.foreign_writes.iter().map(ToString::to_string).collect();
        let unit = if versions.len() == 1 { "version" } else { "versions" };
        remarks.push(format!("Another writer changed rows in {unit} {}.", versions.join(", ")));
    }
    if let Some(error) = failed(last_run).filter(|_| is_settled(task)) {
        remarks.push(format!("The last run on record failed, and nothing of it is left to do: {error}"));
    }
    remarks
}

fn failures(task: Option<&Task>, last_run: Option<&Map<String, Value>>) -> Vec<String> {
    let mut failures = Vec::new();
    if let Some(task) = task {
        failures.extend(task.error.iter().map(|error| format!("a run would fail: {error}")));
        failures.extend(task.set_aside.iter().take(NAMED).map(set_aside));
        if task.set_aside.len() > NAMED {
            failures.push(format!("{} more files are set aside", task.set_aside.len() - NAMED));
        }
    }
    let said = |error: &str| failures.iter().any(|known| known.ends_with(error));
    if let Some(error) = failed(last_run).filter(|error| !is_settled(task) && !said(error)) {
        failures.push(format!("the last run failed: {error}"));
    }
    failures
}

fn set_aside(file: &FileNote) -> String {
    format!("{} is set aside: {}", file.path, file.reason)
}

/// A run would do nothing, so what a run failed of is over.
fn is_settled(task: Option<&Task>) -> bool {
    task.is_some_and(|task| task.action == Action::None && task.error.is_none())
}

fn failed(last_run: Option<&Map<String, Value>>) -> Option<&str> {
    let line = last_run?;
    let failed = line.get("status").and_then(Value::as_str) == Some("failed");
    failed.then(|| line.get("error").and_then(Value::as_str).unwrap_or("it does not say why"))
}

fn behind(input: &TableName, n: i64) -> String {
    let unit = if input.layer == Layer::Bronze { "batch" } else { "version" };
    match n {
        1 => format!("1 {unit} of {input} is not read yet"),
        2.. => format!("{n} {unit}{} of {input} are not read yet", if unit == "batch" { "es" } else { "s" }),
        _ => format!("it has read more of {input} than there is: {} {unit}(s)", n.unsigned_abs()),
    }
}
