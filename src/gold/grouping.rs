//! A derived table seen as: steps row by row, one group_by, steps group by group.

use std::collections::BTreeSet;

use crate::expr::Expr;
use crate::project::Derived;
use crate::steps::{Join, Step};

/// A table whose groups can be computed one by one.
pub(super) struct Grouping<'a> {
    /// each row after them comes from one row of the first table or of a union
    pub(super) before: &'a [Step],
    /// in the order of the table's key
    pub(super) keys: Vec<Key<'a>>,
    /// joins after the group_by; what they match is told by the group's keys alone, whose names in the table stand as
    /// the left columns
    pub(super) joins_after: Vec<Join>,
}

/// One key of the group_by.
pub(super) struct Key<'a> {
    /// what it is, over the columns before the group_by
    pub(super) expr: &'a Expr,
    /// its name in the table
    pub(super) output: String,
}

impl<'a> Grouping<'a> {
    /// The table's steps around its group_by, or why its groups cannot be computed one by one.
    pub(super) fn of(derived: &'a Derived) -> Result<Self, String> {
        let steps = &derived.steps;
        if steps.iter().any(|step| matches!(step, Step::Rank(_))) {
            return Err("a rank depends on all rows".into());
        }
        let mut groups = steps.iter().enumerate().filter_map(|(i, step)| match step {
            Step::GroupBy { keys, .. } => Some((i, keys)),
            _ => None,
        });
        let (at, keys) = groups.next().ok_or("it has no group_by")?;
        if groups.next().is_some() {
            return Err("it groups more than once".into());
        }
        if keys.is_empty() {
            return Err("its group_by has no key, so all rows are one group".into());
        }
        let after = &steps[at + 1..];
        let outputs = keys
            .iter()
            .map(|(name, expr)| {
                let names = names_after(name, expr, after);
                let wanted = derived.key.iter().find(|key| names.contains(key)).or(names.first());
                wanted.cloned().ok_or_else(|| format!("`{name}` of its group_by does not reach the output"))
            })
            .collect::<Result<Vec<_>, String>>()?;
        let joins_after = joins_after(after, keys, &outputs)?;
        let keys = keys.iter().zip(outputs).map(|((_, expr), output)| Key { expr, output }).collect();
        Ok(Grouping { before: &steps[..at], keys: in_order(keys, &derived.key)?, joins_after })
    }
}

fn joins_after(after: &[Step], keys: &[(String, Expr)], outputs: &[String]) -> Result<Vec<Join>, String> {
    let mut joins = Vec::new();
    for (i, step) in after.iter().enumerate() {
        let join = match step {
            Step::Join(join) => join,
            Step::Union(table) => return Err(format!("it has a union with `{table}` after its group_by")),
            _ => continue,
        };
        let key_of = |column: &String| {
            keys.iter()
                .zip(outputs)
                .find(|((name, expr), _)| names_after(name, expr, &after[..i]).contains(column))
                .map(|(_, output)| output.clone())
                .ok_or_else(|| {
                    let with = &join.with;
                    format!("it joins `{with}` after its group_by on `{column}`, which is no key of the group_by")
                })
        };
        let on = join.on.iter().map(|(l, r)| Ok((key_of(l)?, r.clone()))).collect::<Result<_, String>>()?;
        joins.push(Join { on, ..join.clone() });
    }
    Ok(joins)
}

/// The names that a group's column has after `steps`; none if it is gone or another value.
fn names_after(name: &str, expr: &Expr, steps: &[Step]) -> Vec<String> {
    let mut names = vec![name.to_owned()];
    for step in steps {
        match step {
            Step::Derive(exprs) => {
                let copies = copies(&names, expr, exprs);
                names.retain(|name| !exprs.iter().any(|(replaced, _)| replaced == name));
                names.extend(copies);
            }
            Step::Select(exprs) => names = copies(&names, expr, exprs),
            _ => {}
        }
    }
    names
}

/// Those of `exprs` that are just one of the columns `names`.
fn copies(names: &[String], key: &Expr, exprs: &[(String, Expr)]) -> Vec<String> {
    let is_copy = |expr: &Expr| expr.ty() == key.ty() && names.iter().any(|name| is_column(expr, name));
    exprs.iter().filter(|(_, expr)| is_copy(expr)).map(|(name, _)| name.clone()).collect()
}

fn in_order<'a>(mut keys: Vec<Key<'a>>, order: &[String]) -> Result<Vec<Key<'a>>, String> {
    let place = |key: &Key| order.iter().position(|name| *name == key.output);
    if keys.len() != order.len() || keys.iter().any(|key| place(key).is_none()) {
        return Err("its key is not the key of its group_by".into());
    }
    keys.sort_by_key(place);
    Ok(keys)
}

/// How many of `steps` must have gone before the columns `read` are what they are after all of them.
pub(super) fn settled(steps: &[Step], read: &BTreeSet<String>) -> usize {
    let makes = |step: &Step| match step {
        Step::Derive(exprs) => exprs.iter().any(|(name, _)| read.contains(name)),
        Step::Select(exprs) => exprs.iter().any(|(name, expr)| read.contains(name) && !is_column(expr, name)),
        Step::Join(join) => join.columns.iter().any(|(_, name)| read.contains(name)),
        Step::Where(_) | Step::Having(_) | Step::Union(_) => false,
        Step::GroupBy { .. } | Step::Rank(_) => true,
    };
    steps.iter().rposition(makes).map_or(0, |last| last + 1)
}

fn is_column(expr: &Expr, name: &str) -> bool {
    *expr == Expr::column(name, expr.ty().clone())
}
