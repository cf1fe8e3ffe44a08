//! Gold tables, and silver tables that read silver, typed.

use super::columns;
use super::declared::{Declared, DeclaredTable};
use super::model::Derived;
use super::reader::Text;
use super::typing::Typing;
use crate::expr::{Columns, Expr, Settings};
use crate::name::TableName;
use crate::steps::Step;

/// Types a table over the columns of `tables`; `None` if its own columns cannot be known.
pub(super) fn read(
    declared: &Declared,
    table: &DeclaredTable,
    settings: Settings,
    tables: &dyn Fn(&TableName) -> Option<Columns>,
) -> Option<Derived> {
    let file = &declared.file;
    for (key, mark) in &table.events_only {
        let hint = match *key {
            "contract" => "a contract judges events; give it to the silver table that reads bronze",
            "columns" => "name columns by a `select` or `derive` step",
            _ => "rows are chosen by key where events come in; here, use a `rank` step",
        };
        let message = format!("`{key}` stands only in a table that reads bronze");
        file.hinted(*mark, message, Some(hint.to_owned()));
    }
    let [from] = table.from.as_slice() else { return None };
    let input = tables(&from.table)?;
    let typing = Typing { file, settings, tables, contract: None };
    let (steps, output) = typing.steps(input, &table.steps)?;
    Some(Derived {
        from: from.table.clone(),
        key: key(declared, table, &steps, &output),
        steps,
        event_time: columns::event_time(file, &output, table.event_time.as_ref()),
        partition_by: columns::partition_by(file, &output, &table.partition_by),
        on_change: table.on_change,
        output,
    })
}

/// The last group_by's keys if they are still there, else `key:`, else none.
fn key(declared: &Declared, table: &DeclaredTable, steps: &[Step], output: &Columns) -> Vec<String> {
    let written = table.key.as_deref().unwrap_or_default();
    let named = columns::key(&declared.file, output, written);
    let Some(grouped) = group_key(steps).filter(|key| !key.is_empty()) else { return named };
    if let (Some(first), false) = (written.first(), columns::same(&named, &grouped)) {
        let message = format!("`key` is not what the last `group_by` groups by: {}", grouped.join(", "));
        declared.file.hinted(first.mark, message, Some("leave `key` out".to_owned()));
    }
    let texts: Vec<Text> = grouped.iter().map(|name| text(name, table)).collect();
    columns::key(&declared.file, output, &texts)
}

fn text(name: &str, table: &DeclaredTable) -> Text {
    Text { value: name.to_owned(), mark: table.mark, verbatim: None }
}

/// The keys of the last `group_by`, if every one of them still stands for its group after the steps that follow.
fn group_key(steps: &[Step]) -> Option<Vec<String>> {
    let at = steps.iter().rposition(|step| matches!(step, Step::GroupBy { .. }))?;
    let Step::GroupBy { keys, .. } = &steps[at] else { return None };
    let names: Vec<String> = keys.iter().map(|(name, _)| name.clone()).collect();
    let kept = |name: &String| steps[at + 1..].iter().all(|step| keeps(step, name));
    names.iter().all(kept).then_some(names)
}

fn keeps(step: &Step, name: &str) -> bool {
    let unchanged = |expr: &Expr| *expr == Expr::column(name, expr.ty().clone());
    match step {
        Step::Derive(exprs) => exprs.iter().all(|(new, expr)| new != name || unchanged(expr)),
        Step::Select(exprs) => exprs.iter().any(|(new, expr)| new == name && unchanged(expr)),
        _ => true,
    }
}
