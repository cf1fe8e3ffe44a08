//! Which files of an input may hold rows of the touched groups, by what is known of their columns without reading them.

use std::collections::BTreeMap;

use polars::prelude::{DataFrame, DataType, IntoColumn, IntoLazy, PolarsResult, Series};

use super::grouping::{Grouping, Key};
use crate::expr::Expr;
use crate::name::TableName;
use crate::project::Derived;
use crate::spread::Spread;
use crate::steps::{OnFault, Step, value};

/// A key of the group_by that grows with one column of an input.
struct Path<'a> {
    key: &'a Key<'a>,
    /// the column of the input
    column: String,
    /// the values on the way, each over the one before it, whose name comes along
    steps: Vec<(String, &'a Expr)>,
}

/// The columns of an input that tell which of its rows belong to a group; none if all rows are needed anyway.
pub fn telling_columns(derived: &Derived, table: &TableName) -> Vec<String> {
    let Ok(grouping) = Grouping::of(derived) else { return Vec::new() };
    let mut columns: Vec<String> = paths(&grouping, derived, table).into_iter().map(|path| path.column).collect();
    columns.sort();
    columns.dedup();
    columns
}

/// Whether each of so many files of `table` may hold a row of the groups `touched`. What is not known counts as "may".
///
/// # Errors
/// Keys or columns of other types than the table's.
pub fn may_hold(
    derived: &Derived,
    table: &TableName,
    touched: &DataFrame,
    spreads: &BTreeMap<String, Spread>,
    files: usize,
) -> PolarsResult<Vec<bool>> {
    let mut may = vec![true; files];
    let Ok(grouping) = Grouping::of(derived) else { return Ok(may) };
    for path in paths(&grouping, derived, table) {
        let Some(spread) = spreads.get(&path.column) else { continue };
        let keys = touched.column(&path.key.output)?.as_materialized_series();
        let has_null = keys.null_count() > 0;
        let Some(wanted) = Ordered::sorted(keys)? else { continue };
        let (least, greatest) = (path.follow(&spread.least)?, path.follow(&spread.greatest)?);
        let (Some(least), Some(greatest)) = (Ordered::each(&least)?, Ordered::each(&greatest)?) else { continue };
        for (file, may) in may.iter_mut().enumerate() {
            let some = || is_between(&wanted, least[file].as_ref(), greatest[file].as_ref());
            *may &= (has_null && spread.nulls[file]) || (spread.values[file] && some());
        }
    }
    Ok(may)
}

/// Whether one of the sorted values lies between the two; `None` is open.
fn is_between(sorted: &[Ordered], least: Option<&Ordered>, greatest: Option<&Ordered>) -> bool {
    let first = least.map_or(0, |least| sorted.partition_point(|value| value < least));
    sorted.get(first).is_some_and(|value| greatest.is_none_or(|greatest| value <= greatest))
}

/// A table that stands in more than one place gives rows to groups in more than one way, and one that is joined gives
/// none by itself: of these all files are needed.
fn paths<'a>(grouping: &'a Grouping<'a>, derived: &Derived, table: &TableName) -> Vec<Path<'a>> {
    let places = derived.steps.iter().enumerate().filter(|(_, step)| step.table() == Some(table));
    let places: Vec<(usize, &Step)> = places.collect();
    let first = match places.as_slice() {
        [] if derived.from == *table => 0,
        [(at, Step::Union(_))] if derived.from != *table => at + 1,
        _ => return Vec::new(),
    };
    let Some(steps) = grouping.before.get(first..) else { return Vec::new() };
    grouping.keys.iter().filter_map(|key| path(key, steps)).collect()
}

/// From the key back to the input.
fn path<'a>(key: &'a Key<'a>, steps: &'a [Step]) -> Option<Path<'a>> {
    let mut column = key.expr.grows_with()?.to_owned();
    let mut values = vec![(column.clone(), key.expr)];
    for step in steps.iter().rev() {
        let made = match step {
            Step::Derive(exprs) => exprs.iter().find(|(name, _)| *name == column),
            Step::Select(exprs) => Some(exprs.iter().find(|(name, _)| *name == column)?),
            Step::Join(join) if join.columns.iter().any(|(_, name)| *name == column) => return None,
            Step::GroupBy { .. } | Step::Rank(_) => return None,
            _ => None,
        };
        if let Some((_, expr)) = made {
            column = expr.grows_with()?.to_owned();
            values.push((column.clone(), expr));
        }
    }
    values.reverse();
    Some(Path { key, column, steps: values })
}

impl Path<'_> {
    /// The keys that values of the input's column give; NULL where there is none.
    fn follow(&self, values: &Series) -> PolarsResult<Series> {
        let mut values = values.clone();
        for (column, expr) in &self.steps {
            let frame = values.with_name(column.as_str().into()).into_column().into_frame();
            let next = frame.lazy().select([value(expr, "key", "group_by", OnFault::Null)]).collect()?;
            values = next.column("key")?.as_materialized_series().clone();
        }
        Ok(values)
    }
}

/// A value of a type whose order is the same everywhere.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Ordered {
    Number(i64),
    Text(String),
}

impl Ordered {
    /// The values that are not NULL; `None` for other types.
    fn sorted(series: &Series) -> PolarsResult<Option<Vec<Self>>> {
        let Some(values) = Ordered::each(series)? else { return Ok(None) };
        let mut values: Vec<Ordered> = values.into_iter().flatten().collect();
        values.sort_unstable();
        values.dedup();
        Ok(Some(values))
    }

    fn each(series: &Series) -> PolarsResult<Option<Vec<Option<Self>>>> {
        Ok(match series.dtype() {
            DataType::String => {
                Some(series.str()?.iter().map(|text| text.map(|text| Ordered::Text(text.to_owned()))).collect())
            }
            ty if ty.is_signed_integer() || matches!(ty, DataType::Date | DataType::Datetime(..)) => {
                let numbers = series.to_physical_repr().cast(&DataType::Int64)?;
                Some(numbers.i64()?.iter().map(|number| number.map(Ordered::Number)).collect())
            }
            _ => None,
        })
    }
}
