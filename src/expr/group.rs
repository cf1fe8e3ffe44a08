//! Aggregates.

use super::tree::Expr;

/// The names of the aggregate functions.
pub(super) const AGGREGATES: &[&str] =
    &["count", "sum", "min", "max", "avg", "median", "stddev", "bool_and", "bool_or", "first", "last"];

/// One call of an aggregate function.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub(super) struct AggregateCall {
    pub(super) argument: Option<Expr>,
}
