//! From bronze rows to judged rows.

use polars::prelude::{self as pl, LazyFrame, PolarsResult, lit};

use crate::expr::{Columns, Expr, Settings};
use crate::project::Events;
use crate::steps::Step;

use super::cast::invalid;
use super::columns::{REASONS, REFUSED_FROM, ROW, column, output_columns};
use super::flow::{Finding, Flow, LIVE, Mark, Others, REFUSED};
use super::verdict::Verdict;
use super::{read, rules};

/// What bronze rows become.
#[derive(Clone)]
pub struct Prepared {
    /// Every row that no `where` filtered out: the columns of [`output_columns`], then `_reasons` (null for a good row),
    /// `_row` and `_refused_from` (the bronze row as text and its table, for the others). [`split`](super::split) parts
    /// its batches. Elementwise, so in the order of bronze's rows.
    pub frame: LazyFrame,
}

/// Casts, transforms and judges the rows of `events.from[source]`: bronze's added columns and those of its files.
///
/// # Errors
/// What no row is to blame for: a type that cannot become the contract's, a rule that does not fit its property, a step
/// that is not one of events. Also what stops `bronze` itself.
pub fn prepare(events: &Events, source: usize, bronze: LazyFrame) -> PolarsResult<Prepared> {
    let timezone = events.timezone.parse();
    let timezone = timezone.map_err(|_| invalid(format!("`{}` is no time zone", events.timezone)))?;
    let settings = Settings { timezone };
    let (mut flow, row) = read::read(events, source, bronze, settings)?;
    let due = judged_before(events);
    for (step, due) in events.steps.iter().zip(&due) {
        note_rules(&mut flow, events, due, settings)?;
        apply(&mut flow, step)?;
    }
    settle_zeros(&mut flow);
    note_rules(&mut flow, events, &due[events.steps.len()], settings)?;
    note_rest(&mut flow, events)?;
    flow.refuse_noted();
    let source_table = events.from.get(source).map(ToString::to_string).unwrap_or_default();
    let verdict = Verdict { refused: REFUSED.to_owned(), checks: flow.checks, row, source_table };
    Ok(Prepared { frame: finish(events, flow.frame, &flow.columns, verdict)? })
}

pub(super) fn apply(flow: &mut Flow, step: &Step) -> PolarsResult<()> {
    match step {
        Step::Derive(columns) => set(flow, columns, Others::Stay),
        Step::Select(columns) => set(flow, columns, Others::Go),
        Step::Where(condition) => {
            let condition_lowered = condition.lower();
            let finding = condition_lowered.fault.map(|fault| told(flow, None, condition, fault));
            flow.filter(condition_lowered.value, finding);
        }
        other => return Err(invalid(format!("events have no step {other:?}"))),
    }
    Ok(())
}

fn set(flow: &mut Flow, columns: &[(String, Expr)], others: Others) {
    let mut values = Vec::new();
    let mut findings = Vec::new();
    for (name, expr) in columns {
        let lowered = expr.lower();
        findings.extend(lowered.fault.map(|fault| told(flow, Some(name.clone()), expr, fault)));
        values.push((crate::expr::Column::new(name, expr.ty().clone()), lowered.value));
    }
    flow.set(values, findings, others);
}

fn told(flow: &mut Flow, column: Option<String>, expr: &Expr, fault: pl::Expr) -> Finding {
    Finding { column, mark: Mark::Told(fault), shown: flow.keep(expr.columns()) }
}

/// For each step, and then for the end, the positions of the properties to judge before it: those that are there for
/// the last time.
fn judged_before(events: &Events) -> Vec<Vec<usize>> {
    let mut names: Vec<Vec<&str>> = vec![events.columns.iter().map(|c| c.name.as_str()).collect()];
    for step in &events.steps {
        let before = names.last().cloned().unwrap_or_default();
        names.push(match step {
            Step::Derive(columns) => before.into_iter().chain(columns.iter().map(|(name, _)| name.as_str())).collect(),
            Step::Select(columns) => columns.iter().map(|(name, _)| name.as_str()).collect(),
            _ => before,
        });
    }
    let mut due = vec![Vec::new(); names.len()];
    for (position, property) in events.contract.properties.iter().enumerate() {
        if let Some(last) = names.iter().rposition(|names| names.contains(&property.name.as_str())) {
            due[last].push(position);
        }
    }
    due
}

fn note_rules(flow: &mut Flow, events: &Events, due: &[usize], settings: Settings) -> PolarsResult<()> {
    let mut found = Vec::new();
    for position in due {
        let property = &events.contract.properties[*position];
        for (rule, broken) in rules::broken(property, settings)? {
            let shown = flow.keep([property.name.clone()]);
            let mark = Mark::Broken(rule, broken);
            found.push((*position, Finding { column: Some(property.name.clone()), mark, shown }));
        }
    }
    flow.note(found);
    Ok(())
}

/// -0.0 becomes 0.0.
pub(super) fn settle_zeros(flow: &mut Flow) {
    let floating = flow.columns.iter().filter(|c| c.ty.is_floating());
    let settled = floating.map(|c| column(&c.name) + lit(0.0).cast(c.ty.to_polars()));
    let settled: Vec<pl::Expr> = settled.collect();
    flow.frame = flow.frame.clone().with_columns(settled);
}

/// What holds without being in the contract: keys are not NULL, and what the contract does not know is no NaN.
fn note_rest(flow: &mut Flow, events: &Events) -> PolarsResult<()> {
    let in_contract = |name: &str| events.contract.properties.iter().position(|p| p.name == name);
    let mut found = Vec::new();
    let mut note = |flow: &mut Flow, name: &str, rule, broken| {
        let shown = flow.keep([name.to_owned()]);
        let order = in_contract(name).unwrap_or(usize::MAX);
        found.push((order, Finding { column: Some(name.to_owned()), mark: Mark::Broken(rule, broken), shown }));
    };
    for output in &events.output {
        if output.ty.is_floating() && in_contract(&output.name).is_none() {
            note(flow, &output.name, rules::NAN, column(&output.name).is_nan());
        }
    }
    for key in &events.key {
        note(flow, key, rules::KEY, column(key).is_null());
    }
    flow.note(found);
    Ok(())
}

fn finish(events: &Events, frame: LazyFrame, columns: &Columns, verdict: Verdict) -> PolarsResult<LazyFrame> {
    const VERDICT: &str = "(verdict)";
    for output in &events.output {
        let found = columns.iter().find(|c| c.name == output.name).map(|c| &c.ty);
        if found != Some(&output.ty) {
            let found = found.map_or_else(|| "missing".to_owned(), ToString::to_string);
            return Err(invalid(format!("`{}` should be {} after the steps and is {found}", output.name, output.ty)));
        }
    }
    let frame = frame.with_column(verdict.into_expr().alias(VERDICT));
    let mut selected: Vec<pl::Expr> = output_columns(events).iter().map(|c| column(&c.name)).collect();
    selected.extend([REASONS, ROW, REFUSED_FROM].map(|name| column(VERDICT).struct_().field_by_name(name)));
    if events.steps.iter().any(|step| matches!(step, Step::Where(_))) {
        return Ok(frame.filter(column(LIVE).or(column(REFUSED))).select(selected));
    }
    Ok(frame.select(selected))
}
