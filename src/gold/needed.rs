//! What a derived table cannot be made without.

use std::collections::BTreeSet;

use super::columns_read;
use crate::name::TableName;
use crate::project::Derived;
use crate::steps::Step;

/// The columns of an input without which the table cannot be computed; `None`: all of them. Others make no difference,
/// though those of the first table count as changes.
pub fn columns_needed(derived: &Derived, table: &TableName) -> Option<BTreeSet<String>> {
    if derived.from != *table {
        return columns_read(derived, table);
    }
    let mut needed = BTreeSet::new();
    for step in &derived.steps {
        match step {
            Step::Where(expr) | Step::Having(expr) => needed.extend(expr.columns()),
            Step::Derive(exprs) => needed.extend(exprs.iter().flat_map(|(_, expr)| expr.columns())),
            Step::Join(join) => {
                needed.extend(join.on.iter().flat_map(|(left, right)| [left.clone(), right.clone()]));
                needed.extend(join.columns.iter().map(|(column, _)| column.clone()));
            }
            Step::Rank(rank) => {
                needed.extend(rank.by.iter().map(|key| key.column.clone()));
                needed.extend(rank.within.iter().cloned());
            }
            Step::Union(_) => return None,
            Step::Select(exprs) => {
                needed.extend(exprs.iter().flat_map(|(_, expr)| expr.columns()));
                return Some(needed);
            }
            Step::GroupBy { aggregate, .. } if aggregate.iter().any(|(_, a)| a.reads_all()) => return None,
            Step::GroupBy { keys, aggregate } => {
                needed.extend(keys.iter().flat_map(|(_, expr)| expr.columns()));
                needed.extend(aggregate.iter().flat_map(|(_, aggregate)| aggregate.columns()));
                return Some(needed);
            }
        }
    }
    None
}
