//! The columns after a step, and what does not fit.

use std::collections::HashMap;

use super::{Join, JoinKind, Rank, Step};
use crate::expr::{Aggregate, Column, Columns, Expr, Type};
use crate::name::TableName;

impl Step {
    /// The columns after it, given those before it and those of other tables.
    ///
    /// # Errors
    /// What does not fit, e.g. a join that would give two columns the same name.
    pub fn output(&self, input: &Columns, tables: &dyn Fn(&TableName) -> Option<Columns>) -> Result<Columns, String> {
        let other = |name: &TableName| tables(name).ok_or_else(|| format!("there is no table `{name}`"));
        let output = match self {
            Step::Derive(exprs) => derive(input, exprs)?,
            Step::Where(condition) | Step::Having(condition) => {
                boolean(condition)?;
                return Ok(input.clone());
            }
            Step::Select(exprs) => named(exprs),
            Step::Join(join) => join_output(input, join, &other(&join.with)?)?,
            Step::Union(table) => {
                same_columns(input, table, &other(table)?)?;
                return Ok(input.clone());
            }
            Step::GroupBy { keys, aggregate } => group_output(keys, aggregate)?,
            Step::Rank(rank) => rank_output(input, rank)?,
        };
        if output.is_empty() {
            return Err("no column is left; name at least one".into());
        }
        distinct_names(&output)?;
        Ok(output)
    }
}

/// A column of that name.
pub(super) fn find<'a>(columns: &'a Columns, name: &str) -> Option<&'a Column> {
    columns.iter().find(|c| c.name == name)
}

/// The type in which values of both types can be compared without loss; `None`: they cannot be joined.
pub(super) fn comparable(left: &Type, right: &Type) -> Option<Type> {
    match (left, right) {
        (Type::Array(_) | Type::Struct(_) | Type::Null, _) => None,
        (l, r) if l == r => Some(l.clone()),
        (l, r) if l.is_integer() && r.is_integer() => Some(if width(l) > width(r) { l.clone() } else { r.clone() }),
        (l, r) if l.is_floating() && r.is_floating() => Some(Type::Double),
        (Type::Decimal { precision: p1, scale: s1 }, Type::Decimal { precision: p2, scale: s2 }) => {
            let scale = *s1.max(s2);
            let whole = p1.saturating_sub(*s1).max(p2.saturating_sub(*s2));
            (whole + scale <= 38).then_some(Type::Decimal { precision: whole + scale, scale })
        }
        _ => None,
    }
}

fn width(integer: &Type) -> u8 {
    match integer {
        Type::TinyInt => 1,
        Type::SmallInt => 2,
        Type::Int => 4,
        _ => 8,
    }
}

fn named(exprs: &[(String, Expr)]) -> Columns {
    exprs.iter().map(|(name, expr)| Column::new(name, expr.ty().clone())).collect()
}

fn derive(input: &Columns, exprs: &[(String, Expr)]) -> Result<Columns, String> {
    let new = named(exprs);
    distinct_names(&new)?;
    let mut output = input.clone();
    for column in new {
        match output.iter_mut().find(|c| c.name == column.name) {
            Some(replaced) => *replaced = column,
            None => output.push(column),
        }
    }
    Ok(output)
}

fn boolean(condition: &Expr) -> Result<(), String> {
    match condition.ty() {
        Type::Boolean | Type::Null => Ok(()),
        other => Err(format!("the condition is of type {other}; it must be boolean")),
    }
}

fn join_output(input: &Columns, join: &Join, right: &Columns) -> Result<Columns, String> {
    let with = &join.with;
    if join.on.is_empty() {
        return Err(format!("the join with `{with}` has no `on:`; name the columns that must be equal"));
    }
    for (l, r) in &join.on {
        let left = find(input, l).ok_or_else(|| format!("the join's left side has no column `{l}`"))?;
        let right = find(right, r).ok_or_else(|| format!("`{with}` has no column `{r}`"))?;
        if comparable(&left.ty, &right.ty).is_none() {
            return Err(format!(
                "`{l}` is of type {} and `{r}` of `{with}` of type {}, which cannot be joined; cast one of them in a \
                 `derive` or `select` first",
                left.ty, right.ty
            ));
        }
    }
    if matches!(join.how, JoinKind::Semi | JoinKind::Anti) {
        return match join.columns.first() {
            Some((column, _)) => Err(format!("a semi or anti join adds no column, so `{column}` cannot be named")),
            None => Ok(input.clone()),
        };
    }
    let mut output = input.clone();
    for (column, name) in &join.columns {
        let found = find(right, column).ok_or_else(|| format!("`{with}` has no column `{column}`"))?;
        if let Some(taken) = output.iter().find(|c| same_name(&c.name, name)) {
            return Err(format!(
                "the join with `{with}` would bring in `{name}` beside `{}`; choose with `columns:` or set `prefix:`",
                taken.name
            ));
        }
        output.push(Column::new(name, found.ty.clone()));
    }
    Ok(output)
}

fn same_columns(input: &Columns, table: &TableName, other: &Columns) -> Result<(), String> {
    if let Some(extra) = other.iter().find(|c| find(input, &c.name).is_none()) {
        return Err(format!("`{table}` has a column `{}` that the rows above it have not", extra.name));
    }
    for column in input {
        let found = find(other, &column.name)
            .ok_or_else(|| format!("`{table}` has no column `{}`, which the rows above it have", column.name))?;
        if found.ty != column.ty {
            return Err(format!(
                "`{}` is of type {} here and {} in `{table}`; cast one of them",
                column.name, column.ty, found.ty
            ));
        }
    }
    Ok(())
}

fn group_output(keys: &[(String, Expr)], aggregate: &[(String, Aggregate)]) -> Result<Columns, String> {
    let keys = named(keys);
    if let Some(key) = keys.iter().find(|k| !is_ordered(&k.ty)) {
        return Err(format!("`{}` is of type {}, by which rows cannot be grouped", key.name, key.ty));
    }
    Ok(keys.into_iter().chain(aggregate.iter().map(|(name, a)| Column::new(name, a.ty().clone()))).collect())
}

fn rank_output(input: &Columns, rank: &Rank) -> Result<Columns, String> {
    if rank.by.is_empty() {
        return Err("`rank` has no `by:`; name the columns to sort by".into());
    }
    for name in rank.by.iter().map(|key| &key.column).chain(&rank.within) {
        let column = find(input, name).ok_or_else(|| format!("there is no column `{name}`"))?;
        if !is_ordered(&column.ty) {
            return Err(format!("`{name}` is of type {}, by which rows cannot be ranked", column.ty));
        }
    }
    if let Some(taken) = input.iter().find(|c| same_name(&c.name, &rank.name)) {
        return Err(format!("`rank` would add `{}` beside `{}`; choose another name in `as:`", rank.name, taken.name));
    }
    Ok(input.iter().cloned().chain([Column::new(&rank.name, Type::BigInt)]).collect())
}

fn is_ordered(ty: &Type) -> bool {
    !matches!(ty, Type::Array(_) | Type::Struct(_) | Type::Null)
}

fn same_name(a: &str, b: &str) -> bool {
    a.to_lowercase() == b.to_lowercase()
}

/// Spark and Delta tell names apart without regard to case.
fn distinct_names(columns: &Columns) -> Result<(), String> {
    let mut seen: HashMap<String, &str> = HashMap::new();
    for column in columns {
        match seen.insert(column.name.to_lowercase(), &column.name) {
            None => {}
            Some(first) if first == column.name => return Err(format!("two columns have the name `{first}`")),
            Some(first) => return Err(format!("the names `{first}` and `{}` differ only in case", column.name)),
        }
    }
    Ok(())
}
