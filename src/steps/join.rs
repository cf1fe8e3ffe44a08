//! Joins: SQL's meaning, where NULL matches nothing.

use polars::prelude::*;

use super::apply::{Rows, column, fresh, names, renamed};
use super::output::{comparable, find};
use super::{Join, JoinKind};
use crate::expr::{Column, Columns, Type};

/// The rows of `left` joined with those of `right`; exactly the columns `output`.
pub(super) fn apply(left: Rows, join: &Join, right: Rows, output: &Columns) -> PolarsResult<LazyFrame> {
    let keys = fresh(2 * join.on.len(), output);
    let (left_keys, right_keys) = keys.split_at(join.on.len());
    let mut left_on = Vec::new();
    let mut right_columns = Vec::new();
    for ((l, r), (left_key, right_key)) in join.on.iter().zip(left_keys.iter().zip(right_keys)) {
        let (l, r, ty) = key(&left.columns, l, &right.columns, r)?;
        left_on.push(as_type(l, &ty).alias(left_key.as_str()));
        right_columns.push(as_type(r, &ty).alias(right_key.as_str()));
    }
    right_columns.extend(join.columns.iter().map(|(from, to)| renamed(from, to)));
    let joined = left
        .frame
        .with_columns(left_on)
        .join_builder()
        .with(right.frame.select(right_columns))
        .how(kind(join.how))
        .left_on(by_name(left_keys))
        .right_on(by_name(right_keys))
        .join_nulls(false)
        .finish();
    Ok(joined.select(names(output)))
}

/// The rows of `left` that a row of `right` matches, whatever kind of join it is.
pub(crate) fn with_join_keys(left: Rows, join: &Join, right: Rows) -> PolarsResult<Rows> {
    let columns = left.columns.clone();
    let semi = Join { how: JoinKind::Semi, columns: Vec::new(), ..join.clone() };
    Ok(Rows { frame: apply(left, &semi, right, &columns)?, columns })
}

/// The rows of `frame` whose `keys` stand in a row of `wanted`, NULL being equal to itself.
pub(crate) fn with_keys(frame: LazyFrame, keys: &[String], wanted: LazyFrame, wanted_keys: &[String]) -> LazyFrame {
    frame
        .join_builder()
        .with(wanted)
        .how(JoinType::Semi)
        .left_on(by_name(keys))
        .right_on(by_name(wanted_keys))
        .join_nulls(true)
        .finish()
}

fn by_name(names: &[String]) -> Vec<Expr> {
    names.iter().map(|name| column(name)).collect()
}

fn kind(how: JoinKind) -> JoinType {
    match how {
        JoinKind::Inner => JoinType::Inner,
        JoinKind::Left => JoinType::Left,
        JoinKind::Semi => JoinType::Semi,
        JoinKind::Anti => JoinType::Anti,
    }
}

fn key<'a>(left: &'a Columns, l: &str, right: &'a Columns, r: &str) -> PolarsResult<(&'a Column, &'a Column, Type)> {
    let pair = find(left, l).zip(find(right, r));
    pair.and_then(|(l, r)| Some((l, r, comparable(&l.ty, &r.ty)?)))
        .ok_or_else(|| polars_err!(ComputeError: "`{l}` and `{r}` cannot be joined"))
}

fn as_type(of: &Column, ty: &Type) -> Expr {
    let value = column(&of.name);
    if of.ty == *ty { value } else { value.strict_cast(ty.to_polars()) }
}
