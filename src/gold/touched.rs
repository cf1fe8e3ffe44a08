//! Which groups a change of the inputs touches.

use polars::prelude::{
    DataFrame, Field, IntoLazy, LazyFrame, PolarsResult, UnionArgs, UniqueKeepStrategy, concat, polars_err,
};

use super::grouping::{Grouping, settled};
use super::{Input, find};
use crate::expr::Column;
use crate::name::TableName;
use crate::project::Derived;
use crate::steps::{OnFault, Rows, Step, value, with_join_keys};

/// The keys of every group that may differ between the old and the new inputs, each once, under the names that they
/// have in the table. Groups that do not differ may be among them.
///
/// A fault in an old row is passed over: the group that it would be in was never written.
///
/// # Errors
/// The table has no such keys ([`super::strategy`]), an input is missing, or steps and columns do not fit.
pub fn touched_keys(derived: &Derived, inputs: &[Input]) -> PolarsResult<LazyFrame> {
    let grouping = Grouping::of(derived).map_err(|why| polars_err!(ComputeError: "no groups to follow: {why}"))?;
    let mut parts = Vec::new();
    for side in [Side::Old, Side::New] {
        let walk = Walk { grouping: &grouping, inputs, side };
        for (table, first) in walk.sources(&derived.from) {
            parts.extend(walk.of_changed_rows(table, first)?);
            parts.extend(walk.of_changed_joins(table, first)?);
            parts.extend(walk.of_changed_joins_after(table, first)?);
        }
    }
    if parts.is_empty() {
        let fields = grouping.keys.iter().map(|key| Field::new(key.output.as_str().into(), key.expr.ty().to_polars()));
        return Ok(DataFrame::empty_with_schema(&fields.collect()).lazy());
    }
    let all = concat(parts, UnionArgs { maintain_order: false, ..Default::default() })?;
    Ok(all.unique(None, UniqueKeepStrategy::Any))
}

/// The inputs before or after the change.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Old,
    New,
}

/// Follows rows of one side from a table to their groups.
struct Walk<'a> {
    grouping: &'a Grouping<'a>,
    inputs: &'a [Input],
    side: Side,
}

impl<'a> Walk<'a> {
    /// The tables whose rows become rows before the group_by, and the step from which on they go.
    fn sources<'b>(&'b self, from: &'b TableName) -> Vec<(&'b TableName, usize)> {
        let unions = self.grouping.before.iter().enumerate().filter_map(|(i, step)| match step {
            Step::Union(table) => Some((table, i + 1)),
            _ => None,
        });
        [(from, 0)].into_iter().chain(unions).collect()
    }

    /// The groups of the rows of `table` that went or came.
    fn of_changed_rows(&self, table: &TableName, first: usize) -> PolarsResult<Option<LazyFrame>> {
        let input = self.input(table)?;
        let Some(change) = &input.change else { return Ok(None) };
        let rows = input.rows(match self.side {
            Side::Old => &change.removed,
            Side::New => &change.added,
        });
        let end = self.grouping.before.len();
        Ok(Some(self.keys(self.steps(rows, first, end)?)))
    }

    /// The groups of the rows of `table` that match a row which went from or came to a joined table.
    fn of_changed_joins(&self, table: &TableName, first: usize) -> PolarsResult<Vec<LazyFrame>> {
        let end = self.grouping.before.len();
        let mut parts = Vec::new();
        for (at, step) in self.grouping.before.iter().enumerate().skip(first) {
            let Step::Join(join) = step else { continue };
            let Some(moved) = self.moved(&join.with)? else { continue };
            // as early as the columns are there, for then all later steps see few rows
            let read = join.on.iter().map(|(left, _)| left.clone()).collect();
            let known = first + settled(&self.grouping.before[first..at], &read);
            let rows = self.steps(self.whole(self.input(table)?), first, known)?;
            let matching = with_join_keys(rows, join, moved)?;
            parts.push(self.keys(self.steps(matching, known, end)?));
        }
        Ok(parts)
    }

    /// The same for the joins of whole groups.
    fn of_changed_joins_after(&self, table: &TableName, first: usize) -> PolarsResult<Vec<LazyFrame>> {
        let mut parts = Vec::new();
        for join in &self.grouping.joins_after {
            let Some(moved) = self.moved(&join.with)? else { continue };
            let rows = self.steps(self.whole(self.input(table)?), first, self.grouping.before.len())?;
            let keys = self.grouping.keys.iter();
            let columns = keys.map(|key| Column::new(&key.output, key.expr.ty().clone())).collect();
            parts.push(with_join_keys(Rows { frame: self.keys(rows), columns }, join, moved)?.frame);
        }
        Ok(parts)
    }

    /// The rows of a table that went or came.
    fn moved(&self, table: &TableName) -> PolarsResult<Option<Rows>> {
        let input = self.input(table)?;
        let Some(change) = &input.change else { return Ok(None) };
        let parts = [&change.removed, &change.added].map(|frame| input.rows(frame).frame);
        let frame = concat(parts, UnionArgs { maintain_order: false, ..Default::default() })?;
        Ok(Some(Rows { frame, columns: input.columns.clone() }))
    }

    /// Unions are left out: their rows are followed on their own.
    fn steps(&self, rows: Rows, first: usize, end: usize) -> PolarsResult<Rows> {
        let tables = |name: &TableName| find(self.inputs, name).map(|input| self.whole(input));
        let steps = self.grouping.before.iter().enumerate().take(end).skip(first);
        steps
            .filter(|(_, step)| !matches!(step, Step::Union(_)))
            .try_fold(rows, |rows, (i, step)| step.apply(i, rows, self.on_fault(), &tables))
    }

    fn keys(&self, rows: Rows) -> LazyFrame {
        let keys = self.grouping.keys.iter().map(|key| value(key.expr, &key.output, "group_by", self.on_fault()));
        rows.frame.select(keys.collect::<Vec<_>>())
    }

    fn whole(&self, input: &Input) -> Rows {
        match (&input.change, self.side) {
            (Some(change), Side::Old) => input.rows(&change.old),
            _ => input.rows(&input.new),
        }
    }

    fn input(&self, table: &TableName) -> PolarsResult<&Input> {
        find(self.inputs, table).ok_or_else(|| polars_err!(ComputeError: "the input `{table}` is missing"))
    }

    fn on_fault(&self) -> OnFault {
        match self.side {
            Side::Old => OnFault::Null,
            Side::New => OnFault::Fail,
        }
    }
}
