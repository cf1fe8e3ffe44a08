//! What the rows of a derived table are.

use polars::prelude::*;

use super::grouping::{Grouping, settled};
use super::{Input, find};
use crate::name::TableName;
use crate::project::Derived;
use crate::steps::{OnFault, Rows, Step, fresh, names, value, with_keys};

/// The table's rows from the inputs as they are now: all of them or, with the keys from [`super::touched_keys`], those
/// of the touched groups. The same expressions make both, so that the values are the same.
///
/// # Errors
/// Keys for a table that has none ([`super::strategy`]), an input that is missing, or steps and columns that do not fit.
pub fn recompute(derived: &Derived, inputs: &[Input], touched: Option<DataFrame>) -> PolarsResult<LazyFrame> {
    let tables = |name: &TableName| find(inputs, name).map(|input| input.rows(&input.new));
    let mut rows =
        tables(&derived.from).ok_or_else(|| polars_err!(ComputeError: "the input `{}` is missing", derived.from))?;
    let mut only = touched.map(|keys| Only::new(derived, keys)).transpose()?;
    for (i, step) in derived.steps.iter().enumerate() {
        if let Some(only) = only.take_if(|only| only.at == i) {
            rows = only.of(rows);
        }
        rows = step.apply(i, rows, OnFault::Fail, &tables)?;
    }
    Ok(rows.trimmed().frame)
}

/// Lets only the rows of some groups pass.
struct Only<'a> {
    grouping: Grouping<'a>,
    touched: DataFrame,
    /// before this step
    at: usize,
}

impl<'a> Only<'a> {
    fn new(derived: &'a Derived, touched: DataFrame) -> PolarsResult<Self> {
        let grouping = Grouping::of(derived).map_err(|why| polars_err!(ComputeError: "no groups to follow: {why}"))?;
        let at = earliest(&grouping);
        Ok(Only { grouping, touched, at })
    }

    /// A key that cannot be had is NULL here: a later `where` may take the row out, and if not, the group_by fails.
    fn of(self, rows: Rows) -> Rows {
        let keys = &self.grouping.keys;
        let inner = fresh(keys.len(), &rows.columns);
        let values = keys.iter().zip(&inner).map(|(key, name)| value(key.expr, name, "group_by", OnFault::Null));
        let frame = rows.frame.with_columns(values.collect::<Vec<_>>());
        let outputs: Vec<String> = keys.iter().map(|key| key.output.clone()).collect();
        let frame = with_keys(frame, &inner, self.touched.lazy(), &outputs).select(names(&rows.columns));
        Rows { frame, columns: rows.columns }
    }
}

/// The first step before which the keys can be told, for then all later steps see few rows.
fn earliest(grouping: &Grouping) -> usize {
    let read = grouping.keys.iter().flat_map(|key| key.expr.columns()).collect();
    let union = grouping.before.iter().rposition(|step| matches!(step, Step::Union(_)));
    settled(grouping.before, &read).max(union.map_or(0, |last| last + 1))
}
