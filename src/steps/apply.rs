//! Steps as operations on lazy frames. No step relies on an order of rows: the streaming engine keeps none.

use polars::prelude::*;

use super::{Step, join, rank};
use crate::expr::{self, Aggregate, Column, Columns, Type};
use crate::name::TableName;

/// Rows on their way through the steps: a lazy frame and what its columns are.
#[derive(Clone)]
pub struct Rows {
    /// holds these columns, of these types
    pub frame: LazyFrame,
    /// in order
    pub columns: Columns,
}

/// The rows of the tables that steps bring in.
pub type Tables<'a> = dyn Fn(&TableName) -> Option<Rows> + 'a;

/// What a row does in which an expression has no value: division by zero, overflow, a cast that does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFault {
    /// it fails the query with a message that names the step
    Fail,
    /// the value is NULL
    Null,
}

/// Applies `steps` in order. A row with a fault (division by zero, overflow) fails the query with a message that names
/// the step.
///
/// # Errors
/// A table that `tables` does not know, or a step that does not fit the columns.
pub fn apply(
    frame: LazyFrame,
    columns: &Columns,
    steps: &[Step],
    tables: &dyn Fn(&TableName) -> Option<(LazyFrame, Columns)>,
) -> PolarsResult<LazyFrame> {
    let tables = |name: &TableName| tables(name).map(|(frame, columns)| Rows { frame, columns });
    let rows = Rows { frame, columns: columns.clone() };
    let mut numbered = steps.iter().enumerate();
    Ok(numbered.try_fold(rows, |rows, (i, step)| step.apply(i, rows, OnFault::Fail, &tables))?.frame)
}

impl Step {
    /// Applies this step, the one at `index` (from 0) of its table.
    ///
    /// # Errors
    /// A table that `tables` does not know, or columns that do not fit.
    pub fn apply(&self, index: usize, rows: Rows, on_fault: OnFault, tables: &Tables) -> PolarsResult<Rows> {
        let what = format!("step {} ({})", index + 1, self.verb());
        let columns = self
            .output(&rows.columns, &|name| tables(name).map(|t| t.columns))
            .map_err(|message| polars_err!(ComputeError: "{what}: {message}"))?;
        let lower = Lower { what: &what, on_fault };
        let frame = match self {
            Step::Derive(exprs) => rows.frame.with_columns(lower.named(exprs)),
            Step::Where(condition) | Step::Having(condition) => lower.filter(rows, condition),
            Step::Select(exprs) => lower.select(rows, exprs),
            Step::Join(join) => join::apply(rows, join, table(&join.with, tables, &what)?, &columns)?,
            Step::Union(name) => union(rows, table(name, tables, &what)?)?,
            Step::GroupBy { keys, aggregate } => lower.group(rows, keys, aggregate),
            Step::Rank(rank) => rank::apply(rows, rank)?,
        };
        Ok(Rows { frame, columns })
    }

    /// The word that stands for it in a table's `steps`.
    pub fn verb(&self) -> &'static str {
        match self {
            Step::Derive(_) => "derive",
            Step::Where(_) => "where",
            Step::Select(_) => "select",
            Step::Join(_) => "join",
            Step::Union(_) => "union",
            Step::GroupBy { .. } => "group_by",
            Step::Having(_) => "having",
            Step::Rank(_) => "rank",
        }
    }
}

impl Rows {
    /// Exactly these columns, whatever else the frame holds.
    pub(crate) fn trimmed(self) -> Self {
        let frame = self.frame.select(names(&self.columns));
        Rows { frame, columns: self.columns }
    }
}

/// A column by its very name; Polars' `col` would take `*` and `^…$` for patterns.
pub(crate) fn column(name: &str) -> Expr {
    Expr::Column(name.into())
}

/// A column under another name.
pub(crate) fn renamed(from: &str, to: &str) -> Expr {
    column(from).alias(to)
}

/// Columns by name.
pub(crate) fn names(columns: &Columns) -> Vec<Expr> {
    columns.iter().map(|c| column(&c.name)).collect()
}

/// `count` names that no column bears.
pub(crate) fn fresh(count: usize, columns: &Columns) -> Vec<String> {
    let taken = |name: &String| columns.iter().any(|c| c.name == *name);
    (0..).map(|i| format!("__{i}")).filter(|name| !taken(name)).take(count).collect()
}

fn table(name: &TableName, tables: &Tables, what: &str) -> PolarsResult<Rows> {
    tables(name).map(Rows::trimmed).ok_or_else(|| polars_err!(ComputeError: "{what}: there is no table `{name}`"))
}

fn union(above: Rows, below: Rows) -> PolarsResult<LazyFrame> {
    let order = names(&above.columns);
    let parts = [above.frame.select(&order), below.frame.select(&order)];
    concat(parts, UnionArgs { maintain_order: false, ..Default::default() })
}

/// `expr` under a name, as it is within the step `what`.
pub(crate) fn value(expr: &expr::Expr, name: &str, what: &str, on_fault: OnFault) -> Expr {
    Lower { what, on_fault }.alias(name, expr)
}

/// Lowers the expressions of one step.
struct Lower<'a> {
    what: &'a str,
    on_fault: OnFault,
}

impl Lower<'_> {
    /// The value, and whether a row can fail the query.
    fn expr(&self, expr: &expr::Expr, place: &str) -> (Expr, bool) {
        let lowered = expr.lower();
        match self.on_fault {
            OnFault::Fail if lowered.fault.is_some() => (lowered.strict(&format!("{}{place}", self.what)), true),
            _ => (lowered.value, false),
        }
    }

    fn named(&self, exprs: &[(String, expr::Expr)]) -> Vec<Expr> {
        exprs.iter().map(|(name, expr)| self.alias(name, expr)).collect()
    }

    fn alias(&self, name: &str, expr: &expr::Expr) -> Expr {
        self.expr(expr, &format!(", `{name}`")).0.alias(name)
    }

    fn filter(&self, rows: Rows, condition: &expr::Expr) -> LazyFrame {
        let (value, can_fail) = self.expr(condition, "");
        let value = if *condition.ty() == Type::Null { value.cast(DataType::Boolean) } else { value };
        if !can_fail {
            return rows.frame.filter(value);
        }
        // Polars joins neighbouring filters into one and evaluates both on all rows. As a column of its own the
        // condition sees only the rows that the filters before it let through.
        let kept = fresh(1, &rows.columns).remove(0);
        rows.frame.with_column(value.alias(kept.as_str())).filter(column(&kept)).select(names(&rows.columns))
    }

    /// By way of `with_columns`, since a selection of literals alone would be one row, however many came in.
    fn select(&self, rows: Rows, exprs: &[(String, expr::Expr)]) -> LazyFrame {
        let inner = fresh(exprs.len(), &rows.columns);
        let values = self.named(exprs).into_iter().zip(&inner).map(|(expr, name)| expr.alias(name.as_str()));
        let outer = inner.iter().zip(exprs).map(|(inner, (name, _))| renamed(inner, name));
        rows.frame.with_columns(values.collect::<Vec<_>>()).select(outer.collect::<Vec<_>>())
    }

    /// The keys are columns of their own while grouping, since a key may have the name of a column that an aggregate
    /// reads.
    fn group(&self, rows: Rows, keys: &[(String, expr::Expr)], aggregate: &[(String, Aggregate)]) -> LazyFrame {
        let taken: Columns = rows
            .columns
            .iter()
            .cloned()
            .chain(aggregate.iter().map(|(name, a)| Column::new(name, a.ty().clone())))
            .collect();
        let inner = fresh(keys.len(), &taken);
        let exprs = self.named(keys).into_iter().zip(&inner).map(|(expr, name)| expr.alias(name.as_str()));
        let frame = rows.frame.with_columns(exprs.collect::<Vec<_>>());
        // no tie-break of its own: all columns that came in decide between equals, in their order
        let grouped = expr::group(frame, &rows.columns, &inner, aggregate, &[]);
        let key_columns = inner.iter().zip(keys).map(|(inner, (name, _))| renamed(inner, name));
        grouped.select(key_columns.chain(aggregate.iter().map(|(name, _)| column(name))).collect::<Vec<_>>())
    }
}
