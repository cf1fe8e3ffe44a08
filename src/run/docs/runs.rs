//! The newest lines of the history of runs, whatever columns it has: it grows with the program.

use std::collections::BTreeMap;

use polars::prelude::{DataFrame, IdxSize, SortMultipleOptions, col};
use serde_json::{Map, Value};

use crate::delta::Lake;
use crate::name::TableName;
use crate::report::value::to_json;
use crate::run::error::Result;
use crate::run::protocol::RUNS;
use crate::run::stream;

/// Without these a line says nothing.
const NEEDED: [&str; 3] = ["run_id", "table", "started_at"];
/// Told elsewhere, and long.
const LEFT_OUT: [&str; 1] = ["inputs"];
/// Errors are cut here.
const CHARS: usize = 2_000;

/// Lines of the history of runs, the newest first.
#[derive(Default)]
pub struct Runs {
    /// by the names of its columns; what is NULL is not there
    pub lines: Vec<Map<String, Value>>,
    last: BTreeMap<String, usize>,
}

impl Runs {
    fn new(lines: Vec<Map<String, Value>>) -> Self {
        let mut last = BTreeMap::new();
        for (at, line) in lines.iter().enumerate() {
            if let Some(table) = line.get("table").and_then(Value::as_str) {
                last.entry(table.to_owned()).or_insert(at);
            }
        }
        Runs { lines, last }
    }

    /// The newest line of a table.
    pub fn last_of(&self, table: &TableName) -> Option<&Map<String, Value>> {
        self.lines.get(*self.last.get(&table.to_string())?)
    }
}

/// The newest `limit` lines; none if there is no history yet.
pub async fn newest(lake: &Lake, limit: IdxSize) -> Result<Runs> {
    let Some(snapshot) = lake.table(RUNS).snapshot().await? else { return Ok(Runs::default()) };
    let columns = &snapshot.schema().columns;
    if NEEDED.iter().any(|needed| !columns.iter().any(|column| column.name == *needed)) {
        return Ok(Runs::default());
    }
    let shown = columns.iter().filter(|column| !LEFT_OUT.contains(&column.name.as_str()));
    let shown: Vec<_> = shown.map(|column| col(column.name.as_str())).collect();
    let newest_first = SortMultipleOptions::default().with_order_descending_multi([true, true, false]);
    let frame = snapshot.scan()?.select(shown).sort(["started_at", "run_id", "table"], newest_first).limit(limit);
    let frame = tokio::task::spawn_blocking(move || stream::collect(frame)).await??;
    Ok(Runs::new(lines(&frame)))
}

fn lines(frame: &DataFrame) -> Vec<Map<String, Value>> {
    let line = |at: usize| {
        let values = frame.columns().iter().map(|column| {
            let value = column.get(at).map(|value| to_json(&value)).unwrap_or_default();
            (column.name().to_string(), cut(value))
        });
        values.filter(|(_, value)| !value.is_null()).collect()
    };
    (0..frame.height()).map(line).collect()
}

fn cut(value: Value) -> Value {
    match value {
        Value::String(text) if text.chars().count() > CHARS => {
            Value::String(text.chars().take(CHARS).chain(['…']).collect())
        }
        other => other,
    }
}
