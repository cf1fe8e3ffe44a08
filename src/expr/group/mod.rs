//! `group_by`: aggregates over groups. Arguments and filters are columns before the grouping, since Polars' streaming
//! engine counts wrongly where a filter stands within an aggregate (polars#29322); sums are made of parts that cannot
//! wrap, and put together and checked after it.

mod addable;
mod call;
mod finish;
mod partial;

use std::collections::BTreeSet;

pub use addable::{Addable, exact_cells, exact_column};
pub(super) use call::{AGGREGATES, Call, Function, Order};
use partial::Partial;
use polars::prelude as pl;

use super::lower::column;
use super::tree::{Expr, Node};
use super::types::{Columns, Type};

/// A typed expression over aggregates, e.g. `sum(total) / count(*)`.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[serde(transparent)]
pub struct Aggregate {
    pub(super) expr: Expr,
}

impl Aggregate {
    /// The type of its values.
    pub fn ty(&self) -> &Type {
        self.expr.ty()
    }

    /// The columns that it reads.
    pub fn columns(&self) -> BTreeSet<String> {
        self.expr.columns()
    }

    /// Whether a group keeps values of its rows until the end, and not a sum, a count or an extreme of them.
    pub fn keeps_values(&self) -> bool {
        let mut calls = Vec::new();
        collect_calls(&self.expr, &mut calls);
        calls.iter().any(|call| matches!(call.function, Function::CountDistinct | Function::Median))
    }

    /// Whether all columns of a row can matter: `first` and `last` break ties by them.
    pub fn reads_all(&self) -> bool {
        let mut calls = Vec::new();
        collect_calls(&self.expr, &mut calls);
        calls.iter().any(|call| call.function == Function::First)
    }
}

/// The one key of a frame that is grouped by nothing.
const ALL: &str = "(all)";

/// Groups `frame`, whose columns are `columns`, by the columns `keys` (NULL is a group of its own; no keys: one group
/// if there is a row), with the aggregates under their names. `first` and `last` break ties by `tiebreak`, then by all
/// columns. Sums are checked: an overflow fails the query.
pub fn group(
    frame: pl::LazyFrame,
    columns: &Columns,
    keys: &[String],
    aggregates: &[(String, Aggregate)],
    tiebreak: &[String],
) -> pl::LazyFrame {
    let ties: Vec<&str> = tiebreak.iter().chain(columns.iter().map(|c| &c.name)).map(String::as_str).collect();
    let mut partials: Vec<Partial> = Vec::new();
    for (name, aggregate) in aggregates {
        let mut calls = Vec::new();
        collect_calls(&aggregate.expr, &mut calls);
        for call in calls {
            if !partials.iter().any(|partial| partial.column == call.column()) {
                partials.push(Partial::of(call, &format!("`{name}`"), &ties));
            }
        }
    }
    let group_keys: Vec<pl::Expr> =
        if keys.is_empty() { vec![column(ALL)] } else { keys.iter().map(|key| column(key)).collect() };
    let mut before: Vec<pl::Expr> = partials.iter().flat_map(|partial| partial.before.clone()).collect();
    if keys.is_empty() {
        before.push(pl::lit(true).alias(ALL));
    }
    let within: Vec<pl::Expr> = partials.iter().flat_map(|partial| partial.within.clone()).collect();
    let after: Vec<pl::Expr> = partials.into_iter().map(|partial| partial.after.alias(partial.column)).collect();
    let results = aggregates.iter().map(|(name, a)| a.expr.lower().strict(&format!("`{name}`")).alias(name.as_str()));
    // with_columns first: a select of literals alone would give one row
    let names: Vec<pl::Expr> = keys.iter().chain(aggregates.iter().map(|(name, _)| name)).map(|n| column(n)).collect();
    frame
        .with_columns(before)
        .group_by(group_keys)
        .agg(within)
        .with_columns(after)
        .with_columns(results.collect::<Vec<_>>())
        .select(names)
}

fn collect_calls<'e>(e: &'e Expr, calls: &mut Vec<&'e Call>) {
    if let Node::Aggregate(call) = e.node.as_ref() {
        calls.push(call);
        return;
    }
    for part in e.parts() {
        collect_calls(part, calls);
    }
}
