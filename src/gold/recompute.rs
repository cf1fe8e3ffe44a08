//! What the rows of a derived table are.

use polars::prelude::*;

use super::grouping::{Grouping, settled};
use super::{Input, find};
use crate::name::TableName;
use crate::project::Derived;
use crate::steps::{OnFault, Rows, Step, column, fresh, names, value, with_keys};

/// The table's rows from the inputs as they are now: all of them or, with the keys from [`super::touched_keys`], those
/// of the touched groups. The same expressions make both, so that the values are the same.
///
/// # Errors
/// Keys for a table that has none ([`super::strategy`]), an input that is missing, or steps and columns that do not fit.
pub fn recompute(derived: &Derived, inputs: &[Input], touched: Option<DataFrame>) -> PolarsResult<LazyFrame> {
    let only = touched.map(|keys| Only::new(derived, Which::Touched(keys))).transpose()?;
    rows(derived, inputs, only)
}

/// As [`recompute`], the rows of one lot of the groups: those of all lots are all rows.
///
/// # Errors
/// As [`recompute`].
pub fn recompute_lot(derived: &Derived, inputs: &[Input], lot: Lot) -> PolarsResult<LazyFrame> {
    rows(derived, inputs, Some(Only::new(derived, Which::Lot(lot))?))
}

/// One row of one column: how many groups there are in this lot, or fewer where a later step drops some. Reads what
/// tells the keys and nothing else.
///
/// # Errors
/// As [`recompute`].
pub fn count_groups(derived: &Derived, inputs: &[Input], lot: Lot) -> PolarsResult<LazyFrame> {
    let only = Only::new(derived, Which::Lot(lot))?;
    let tables = |name: &TableName| find(inputs, name).map(|input| input.rows(&input.new));
    let mut rows = first(derived, inputs)?;
    for (i, step) in derived.steps.iter().enumerate().take(only.at) {
        rows = step.apply(i, rows, OnFault::Null, &tables)?;
    }
    const GROUP: &str = "group";
    let (frame, keys) = only.keyed(&rows);
    let groups = frame.select([hash(&keys, 3).alias(GROUP)]).group_by([col(GROUP)]).agg([]);
    Ok(groups.select([len().cast(DataType::UInt64)]))
}

fn first(derived: &Derived, inputs: &[Input]) -> PolarsResult<Rows> {
    let input = find(inputs, &derived.from);
    let input = input.ok_or_else(|| polars_err!(ComputeError: "the input `{}` is missing", derived.from))?;
    Ok(input.rows(&input.new))
}

fn rows(derived: &Derived, inputs: &[Input], mut only: Option<Only>) -> PolarsResult<LazyFrame> {
    let tables = |name: &TableName| find(inputs, name).map(|input| input.rows(&input.new));
    let mut rows = first(derived, inputs)?;
    for (i, step) in derived.steps.iter().enumerate() {
        if let Some(only) = only.take_if(|only| only.at == i) {
            rows = only.of(rows);
        }
        rows = step.apply(i, rows, OnFault::Fail, &tables)?;
    }
    Ok(rows.trimmed().frame)
}

/// One of several shares of all groups.
#[derive(Clone, Copy, Debug)]
pub struct Lot {
    /// 0 for the first
    pub number: u64,
    /// how many there are
    pub of: u64,
}

/// Some groups of all.
enum Which {
    /// those with these keys
    Touched(DataFrame),
    /// a share of all
    Lot(Lot),
}

/// Lets only the rows of some groups pass.
struct Only<'a> {
    grouping: Grouping<'a>,
    which: Which,
    /// before this step
    at: usize,
}

impl<'a> Only<'a> {
    fn new(derived: &'a Derived, which: Which) -> PolarsResult<Self> {
        let grouping = Grouping::of(derived).map_err(|why| polars_err!(ComputeError: "no groups to follow: {why}"))?;
        let at = earliest(&grouping);
        Ok(Only { grouping, which, at })
    }

    fn of(self, rows: Rows) -> Rows {
        let frame = self.keyed(&rows).0.select(names(&rows.columns));
        Rows { frame, columns: rows.columns }
    }

    /// The rows with their keys, and the keys' names. A key that cannot be had is NULL here: a later `where` may take the
    /// row out, and if not, the group_by fails.
    fn keyed(&self, rows: &Rows) -> (LazyFrame, Vec<String>) {
        let keys = &self.grouping.keys;
        let inner = fresh(keys.len(), &rows.columns);
        let values = keys.iter().zip(&inner).map(|(key, name)| value(key.expr, name, "group_by", OnFault::Null));
        let frame = rows.frame.clone().with_columns(values.collect::<Vec<_>>());
        let frame = match &self.which {
            Which::Touched(touched) => {
                let outputs: Vec<String> = keys.iter().map(|key| key.output.clone()).collect();
                with_keys(frame, &inner, touched.clone().lazy(), &outputs)
            }
            Which::Lot(lot) => frame.filter((hash(&inner, 5) % lit(lot.of)).eq(lit(lot.number))),
        };
        (frame, inner)
    }
}

/// A hash of a group's key; keys that are equal to a group_by, such as 0.0 and -0.0, have the same.
fn hash(keys: &[String], seed: u64) -> Expr {
    // Odd, and another one for each column, so that columns which swap their values do not cancel out.
    const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;
    let mut factor = 1u64;
    keys.iter().fold(lit(seed), |sum, key| {
        factor = factor.wrapping_mul(FACTOR);
        sum + column(key).hash(seed, 1, 2, 3) * lit(factor)
    })
}

/// The first step before which the keys can be told, for then all later steps see few rows.
fn earliest(grouping: &Grouping) -> usize {
    let read = grouping.keys.iter().flat_map(|key| key.expr.columns()).collect();
    let union = grouping.before.iter().rposition(|step| matches!(step, Step::Union(_)));
    settled(grouping.before, &read).max(union.map_or(0, |last| last + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_are_equal_to_a_group_by_have_the_same_hash() {
        let keys = df!("a" => [Some(0.0), Some(-0.0), Some(f64::NAN), Some(-f64::NAN), None, None]).unwrap();
        let hashed = keys.lazy().select([hash(&["a".to_owned()], 3)]).collect().unwrap();
        let hashes: Vec<_> = hashed.columns()[0].u64().unwrap().iter().collect();
        assert_eq!([hashes[0], hashes[2], hashes[4]], [hashes[1], hashes[3], hashes[5]]);
        assert!(hashes[0] != hashes[2] && hashes[2] != hashes[4]);
    }

    #[test]
    fn columns_that_swap_their_values_have_another_hash() {
        let keys = df!("a" => [1, 2, 1], "b" => [2, 1, 1]).unwrap();
        let hashed = keys.lazy().select([hash(&["a".to_owned(), "b".to_owned()], 3)]).collect().unwrap();
        assert_eq!(hashed.columns()[0].n_unique().unwrap(), 3);
    }
}
