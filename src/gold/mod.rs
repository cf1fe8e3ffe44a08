//! Tables made from tables: which groups a change of the inputs touches, and what their rows are now. Pure: lazy frames
//! in, lazy frames out; nothing here knows where they come from.
//!
//! The rows before a `group_by` come each from one row of the first table or of a union, by way of filters and joins.
//! So a change touches just the groups of the rows that went or came, and of the rows that a changed joined table
//! matches; the rows of all other groups are as they were.

mod addition;
mod grouping;
mod needed;
mod prune;
mod recompute;
#[cfg(test)]
mod tests;
mod touched;
mod weight;

use std::collections::BTreeSet;

use polars::prelude::LazyFrame;

pub use addition::{Added, Addition};
pub use needed::columns_needed;
pub use prune::{may_hold, telling_columns};
pub use recompute::{Lot, count_groups, recompute, recompute_lot};
pub use touched::touched_keys;
pub use weight::{Weight, weight};

use crate::expr::Columns;
use crate::name::TableName;
use crate::project::Derived;
use crate::steps::{Rows, Step};

/// How a table can follow a change of its inputs.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// only the groups that the change touches are computed anew
    Groups {
        /// the group's columns in the output, in the order of the table's key
        keys: Vec<String>,
    },
    /// all of it is computed anew
    Full {
        /// why, to follow "because": `it has no group_by`
        why: String,
    },
}

/// How `derived` can follow a change of its inputs.
pub fn strategy(derived: &Derived) -> Strategy {
    match grouping::Grouping::of(derived) {
        Ok(grouping) => Strategy::Groups { keys: grouping.keys.into_iter().map(|key| key.output).collect() },
        Err(why) => Strategy::Full { why },
    }
}

/// The columns of an input whose changes count: a table that is only joined counts by its `on` and what the join adds,
/// so a customer's new e-mail address touches no group of revenue by region. `None`: all columns.
pub fn columns_read(derived: &Derived, table: &TableName) -> Option<BTreeSet<String>> {
    let united = |step: &Step| matches!(step, Step::Union(other) if other == table);
    if derived.from == *table || derived.steps.iter().any(united) {
        return None;
    }
    let joins = derived.steps.iter().filter_map(|step| match step {
        Step::Join(join) if join.with == *table => Some(join),
        _ => None,
    });
    let read = joins.flat_map(|join| {
        let on = join.on.iter().map(|(_, right)| right);
        on.chain(join.columns.iter().map(|(column, _)| column)).cloned()
    });
    Some(read.collect())
}

/// A table that a derived table reads, without lineage columns.
#[derive(Clone)]
pub struct Input {
    /// its name
    pub table: TableName,
    /// the columns of all its frames, at least those of [`columns_needed`]; what else they hold is not read
    pub columns: Columns,
    /// its rows at the version to compute from
    pub new: LazyFrame,
    /// what changed since the version last computed from; `None`: nothing
    pub change: Option<Change>,
}

/// How an input came from one version to another.
#[derive(Clone)]
pub struct Change {
    /// all rows at the version last computed from
    pub old: LazyFrame,
    /// rows that only the old version has, as a multiset
    pub removed: LazyFrame,
    /// rows that only the new version has, as a multiset
    pub added: LazyFrame,
}

impl Input {
    fn rows(&self, frame: &LazyFrame) -> Rows {
        Rows { frame: frame.clone(), columns: self.columns.clone() }.trimmed()
    }
}

fn find<'a>(inputs: &'a [Input], table: &TableName) -> Option<&'a Input> {
    inputs.iter().find(|input| input.table == *table)
}
