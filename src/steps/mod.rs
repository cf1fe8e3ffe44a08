//! Data-frame verbs: derive, where, select, join, union, group_by, having, rank. Checked against the columns that come
//! in, applied to lazy frames.

mod apply;
mod join;
mod output;
mod rank;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

pub use apply::{OnFault, Rows, Tables, apply};
pub(crate) use apply::{column, fresh, names, renamed, value};
pub(crate) use join::{with_join_keys, with_keys};
use serde::Serialize;

use crate::expr::{Aggregate, Expr};
use crate::name::TableName;

/// One verb, its expressions typed.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// adds columns or replaces them; all read the columns that came in
    Derive(Vec<(String, Expr)>),
    /// keeps the rows for which it is true
    Where(Expr),
    /// exactly these columns
    Select(Vec<(String, Expr)>),
    /// with another table
    Join(Join),
    /// the rows of another table below these; columns by name, same types
    Union(TableName),
    /// one row per key
    GroupBy {
        /// name and what it is
        keys: Vec<(String, Expr)>,
        /// name and what it is
        aggregate: Vec<(String, Aggregate)>,
    },
    /// `where` after group_by
    Having(Expr),
    /// SQL's RANK(): ties share a number, the next is skipped
    Rank(Rank),
}

/// A join; NULL matches nothing, as in SQL.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Join {
    /// the right side
    pub with: TableName,
    /// columns that must be equal: left, right
    pub on: Vec<(String, String)>,
    /// which rows stay
    pub how: JoinKind,
    /// the right side's columns to add and their names here; none for semi and anti
    pub columns: Vec<(String, String)>,
}

/// Which rows of a join stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum JoinKind {
    /// matches
    Inner,
    /// all of the left, with NULL where nothing matches
    Left,
    /// the left rows that match, each once
    Semi,
    /// the left rows that do not
    Anti,
}

/// `rank: { by, within, as }`
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Rank {
    /// sorted by these; NULL comes last
    pub by: Vec<SortKey>,
    /// numbered anew for each value of these columns
    pub within: Vec<String>,
    /// the new column, bigint
    #[serde(rename = "as")]
    pub name: String,
}

/// `revenue desc`
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SortKey {
    /// a column
    pub column: String,
    /// greatest first
    pub descending: bool,
}

impl Step {
    /// The table that it brings in, if any.
    pub fn table(&self) -> Option<&TableName> {
        match self {
            Step::Join(join) => Some(&join.with),
            Step::Union(table) => Some(table),
            _ => None,
        }
    }
}
