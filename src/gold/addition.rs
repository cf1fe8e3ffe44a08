//! Groups followed without their other rows: where a table holds nothing of a group but counts and exact sums, what
//! they are now is what they were, more by the rows that came and less by those that went. It is the number that all
//! rows would give, since addition of exact numbers knows no order. Where NULLs leave it open, the group is computed
//! anew.

mod balance;

use polars::prelude::{
    BooleanChunked, Column, DataFrame, Expr, IntoLazy, JoinArgs, JoinType, LazyFrame, NewChunkedArray, PolarsResult,
    UnionArgs, UniqueKeepStrategy, concat, polars_err,
};

use self::balance::Fate;
use super::grouping::Grouping;
use super::{Input, find};
use crate::expr::{Addable, Aggregate, exact_column};
use crate::name::TableName;
use crate::project::Derived;
use crate::steps::{OnFault, Rows, Step, column, fresh, renamed};

/// A table that can follow a change of its first input so.
pub struct Addition<'a> {
    derived: &'a Derived,
    /// the group_by, which is the last step
    at: usize,
    keys: &'a [(String, crate::expr::Expr)],
    parts: Vec<Part<'a>>,
}

/// One aggregate.
struct Part<'a> {
    name: &'a str,
    aggregate: &'a Aggregate,
    follows: Addable,
    /// of a sum: which of the parts counts the values that it sums
    counted_by: Option<usize>,
}

/// What became of the touched groups.
#[derive(Clone, Debug)]
pub struct Added {
    /// the keys of all of them, under their names in the table
    pub touched: DataFrame,
    /// what those are now that follow by addition; of those that are gone there is none
    pub rows: DataFrame,
    /// the keys of the others
    pub anew: DataFrame,
}

impl<'a> Addition<'a> {
    /// How `derived` follows a change of the inputs `changed`; `None`: some rows' part in it cannot be told from the
    /// changed rows alone.
    pub fn of(derived: &'a Derived, changed: &[&TableName]) -> Option<Self> {
        let at = Grouping::of(derived).ok()?.before.len();
        let (before, last) = derived.steps.split_at_checked(at)?;
        let [Step::GroupBy { keys, aggregate }] = last else { return None };
        if changed != [&derived.from] || before.iter().any(|step| step.table() == Some(&derived.from)) {
            return None;
        }
        let follow: Vec<Addable> = aggregate.iter().map(|(_, aggregate)| aggregate.addable()).collect::<Option<_>>()?;
        if !follow.contains(&Addable::Rows) {
            return None;
        }
        let counted_by = |follows: &Addable| match follows {
            Addable::Sum { values } => aggregate.iter().position(|(_, aggregate)| aggregate == values),
            _ => None,
        };
        let counted_by: Vec<Option<usize>> = follow.iter().map(counted_by).collect();
        let parts = aggregate.iter().zip(follow).zip(counted_by);
        let parts =
            parts.map(|(((name, aggregate), follows), counted_by)| Part { name, aggregate, follows, counted_by });
        Some(Addition { derived, at, keys, parts: parts.collect() })
    }

    /// The groups of the rows that went and of those that came, each as the table would have them if there were no
    /// other rows, and how many values each sum has.
    ///
    /// # Errors
    /// An input is missing, or steps and columns do not fit.
    pub fn sides(&self, inputs: &[Input]) -> PolarsResult<[LazyFrame; 2]> {
        let from = &self.derived.from;
        let input = find(inputs, from).ok_or_else(|| polars_err!(ComputeError: "the input `{from}` is missing"))?;
        let change = input.change.as_ref().ok_or_else(|| polars_err!(ComputeError: "`{from}` has not changed"))?;
        Ok([self.side(inputs, input.rows(&change.removed))?, self.side(inputs, input.rows(&change.added))?])
    }

    fn side(&self, inputs: &[Input], mut rows: Rows) -> PolarsResult<LazyFrame> {
        let tables = |name: &TableName| find(inputs, name).map(|input| input.rows(&input.new));
        // the rows of a union have not changed
        let before = self.derived.steps.iter().enumerate().take(self.at);
        for (i, step) in before.filter(|(_, step)| !matches!(step, Step::Union(_))) {
            rows = step.apply(i, rows, OnFault::Fail, &tables)?;
        }
        let of_parts = self.parts.iter().map(|part| (part.name.to_owned(), part.aggregate.clone()));
        let counts = self.parts.iter().zip(self.counts()).filter_map(|(part, name)| match &part.follows {
            Addable::Sum { values } => Some((name, values.clone())),
            _ => None,
        });
        let grouped = Step::GroupBy { keys: self.keys.to_vec(), aggregate: of_parts.chain(counts).collect() };
        Ok(grouped.apply(self.at, rows, OnFault::Fail, &tables)?.frame)
    }

    /// Names for the numbers of values.
    fn counts(&self) -> Vec<String> {
        fresh(self.parts.len(), &self.derived.output)
    }

    /// The keys of the groups of both sides, each once.
    ///
    /// # Errors
    /// Frames that are not those of [`Addition::sides`].
    pub fn touched(&self, sides: &[DataFrame; 2]) -> PolarsResult<DataFrame> {
        let keys = |side: &DataFrame| side.clone().lazy().select(self.names());
        let all = concat(sides.each_ref().map(keys), UnionArgs::default())?;
        all.unique(None, UniqueKeepStrategy::Any).collect()
    }

    fn names(&self) -> Vec<Expr> {
        self.keys.iter().map(|(name, _)| column(name)).collect()
    }

    /// The rows of the table whose groups are touched.
    pub fn of_groups(&self, table: LazyFrame, touched: &DataFrame) -> LazyFrame {
        joined(table, touched.clone().lazy(), &self.names(), JoinType::Semi)
    }

    /// What the groups are now: `old` are the touched ones as the table has them.
    ///
    /// # Errors
    /// Frames that do not fit.
    pub fn add(&self, touched: DataFrame, old: &DataFrame, sides: &[DataFrame; 2]) -> PolarsResult<Added> {
        let [removed, added] = sides;
        let mut sheet = touched.lazy();
        for (side, rows, counts) in
            [(balance::OLD, old, false), (balance::REMOVED, removed, true), (balance::ADDED, added, true)]
        {
            let values = self.parts.iter().enumerate().map(|(i, part)| renamed(part.name, &balance::amount(side, i)));
            let counted = self.parts.iter().zip(self.counts()).enumerate();
            let counted = counted.filter(|(_, (part, _))| counts && matches!(part.follows, Addable::Sum { .. }));
            let counted = counted.map(|(i, (_, name))| renamed(&name, &balance::values(side, i)));
            let columns: Vec<Expr> = self.names().into_iter().chain(values).chain(counted).collect();
            sheet = joined(sheet, rows.clone().lazy().select(columns), &self.names(), JoinType::Left);
        }
        let sheet = sheet.collect()?;
        let fates = balance::fates(&sheet, &self.parts)?;
        let touched = sheet.select(self.keys.iter().map(|(name, _)| name.as_str()))?;
        let those = |wanted: &dyn Fn(&Fate) -> bool| {
            touched.filter(&BooleanChunked::from_iter_values("".into(), fates.iter().map(wanted)))
        };
        let living: Vec<&[Option<i128>]> = fates.iter().filter_map(Fate::values).collect();
        let column = |(i, part): (usize, &Part)| {
            let cells: Vec<Option<i128>> = living.iter().map(|values| values[i]).collect();
            exact_column(part.name, &cells, part.aggregate.ty())
        };
        let columns: Vec<Column> = self.parts.iter().enumerate().map(column).collect::<PolarsResult<_>>()?;
        let rows = those(&|fate| fate.values().is_some())?.hstack(&columns)?;
        Ok(Added { anew: those(&|fate| matches!(fate, Fate::Open))?, rows, touched })
    }
}

/// The rows of `left` with those of `right` that have the same keys; NULL is equal to itself.
fn joined(left: LazyFrame, right: LazyFrame, keys: &[Expr], how: JoinType) -> LazyFrame {
    left.join(right, keys, keys, JoinArgs { nulls_equal: true, ..JoinArgs::new(how) })
}
