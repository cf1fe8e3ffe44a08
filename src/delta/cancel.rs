//! Two multisets of rows, less what they have in common. Rows are told apart by a hash of 128 bits, and doubles that
//! are the same to a merge are the same here.

use std::cmp::Ordering;
use std::sync::Arc;

use polars::prelude::{
    DataFrame, DataType, Expr, Float64Chunked, LazyFrame, PolarsResult, SortMultipleOptions, UInt64Chunked, UnionArgs,
    col, concat, lit,
};

use super::merge::close;
use super::rows::{Files, Keep, Marks, POSITION, collect, hash};
use crate::expr::Column;

/// Rows whose hashes are held at once; more are taken in several passes over the files.
const AT_ONCE: u64 = 16_000_000;

/// The bit of a position that says that the row is of the right side.
const RIGHT: u64 = 1 << 63;

const HASH: &str = "hash";
const SECOND: &str = "second";

/// The rows of each side that have no partner on the other.
#[derive(Clone, Debug, Default)]
pub(super) struct Rest {
    pub left: Arc<Marks>,
    pub right: Arc<Marks>,
}

/// Takes away pairs of rows that are equal in `columns`.
pub(super) fn cancel(left: &Files, right: &Files, columns: &[Column]) -> PolarsResult<Rest> {
    let rows = left.counts()?.iter().chain(&right.counts()?).sum();
    cancel_in_lots(left, right, columns, lots(rows))
}

fn lots(rows: u64) -> u64 {
    rows / AT_ONCE + 1
}

fn cancel_in_lots(left: &Files, right: &Files, columns: &[Column], lots: u64) -> PolarsResult<Rest> {
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let hashes = [hash(&names, 11).alias(HASH), hash(&names, 13).alias(SECOND)];
    let mut rest = Sides::default();
    for lot in 0..lots {
        let rows = both(left.narrow(&hashes, Keep::All)?, right.narrow(&hashes, Keep::All)?)?;
        let rows = collect(in_lot(rows, lots, lot))?.sort([HASH], SortMultipleOptions::default())?;
        rest.add_unequal(&rows)?;
    }
    let (floating, exact): (Vec<&Column>, Vec<&Column>) = columns.iter().partition(|column| column.ty.is_floating());
    let rest = rest.done();
    if floating.is_empty() || rest.left.total() == 0 || rest.right.total() == 0 {
        return Ok(rest);
    }
    cancel_close(left, right, &rest, &exact, &floating)
}

/// Takes away pairs of rows that are equal but for the last digits of their doubles.
fn cancel_close(
    left: &Files,
    right: &Files,
    rest: &Rest,
    exact: &[&Column],
    floating: &[&Column],
) -> PolarsResult<Rest> {
    let exact: Vec<&str> = exact.iter().map(|column| column.name.as_str()).collect();
    let names: Vec<String> = (0..floating.len()).map(|i| format!("floating{i}")).collect();
    let mut columns = vec![hash(&exact, 17).alias(HASH)];
    let floating = floating.iter().zip(&names);
    columns
        .extend(floating.map(|(column, name)| col(column.name.as_str()).cast(DataType::Float64).alias(name.as_str())));
    let order: Vec<&str> = [HASH].into_iter().chain(names.iter().map(String::as_str)).collect();
    let lots = lots(rest.left.total() + rest.right.total());
    let mut closer = Sides::default();
    for lot in 0..lots {
        let ours = left.narrow(&columns, Keep::Marked(&rest.left))?;
        let theirs = right.narrow(&columns, Keep::Marked(&rest.right))?;
        let rows = collect(in_lot(both(ours, theirs)?, lots, lot))?.sort(&order, SortMultipleOptions::default())?;
        closer.add_distant(&rows, &names)?;
    }
    Ok(closer.done())
}

/// The rows of both sides below one another.
fn both(left: LazyFrame, right: LazyFrame) -> PolarsResult<LazyFrame> {
    let right = right.with_columns([col(POSITION) + lit(RIGHT)]);
    concat([left, right], UnionArgs { maintain_order: false, ..UnionArgs::default() })
}

fn in_lot(frame: LazyFrame, lots: u64, lot: u64) -> LazyFrame {
    let of_lot = |hash: Expr| (hash % lit(lots)).eq(lit(lot));
    if lots == 1 { frame } else { frame.filter(of_lot(col(HASH))) }
}

#[derive(Default)]
struct Sides {
    left: Marks,
    right: Marks,
}

impl Sides {
    fn add(&mut self, position: u64) {
        match position & RIGHT {
            0 => self.left.set(position),
            _ => self.right.set(position & !RIGHT),
        }
    }

    fn done(self) -> Rest {
        Rest { left: Arc::new(self.left), right: Arc::new(self.right) }
    }

    /// Adds what is left after equal rows have cancelled; the rows are sorted by their first hash.
    fn add_unequal(&mut self, rows: &DataFrame) -> PolarsResult<()> {
        let (second, positions) = (rows.column(SECOND)?.u64()?.rechunk(), rows.column(POSITION)?.u64()?.rechunk());
        for run in runs(rows.column(HASH)?.u64()?) {
            let mut run: Vec<(u64, u64)> = run.filter_map(|i| Some((second.get(i)?, positions.get(i)?))).collect();
            run.sort_unstable();
            for equal in run.chunk_by(|a, b| a.0 == b.0) {
                let lefts = equal.partition_point(|(_, position)| position & RIGHT == 0);
                let pairs = lefts.min(equal.len() - lefts);
                let single = equal[pairs..lefts].iter().chain(&equal[lefts + pairs..]);
                single.for_each(|(_, position)| self.add(*position));
            }
        }
        Ok(())
    }

    /// Adds what is left after close rows have cancelled; the rows are sorted by the hash of their exact values, then
    /// by their floating ones. Where two rows have several close partners, pairs may be missed: a difference that is
    /// none does no harm.
    fn add_distant(&mut self, rows: &DataFrame, names: &[String]) -> PolarsResult<()> {
        let values: Vec<Float64Chunked> = names
            .iter()
            .map(|name| Ok(rows.column(name)?.f64()?.rechunk().into_owned()))
            .collect::<PolarsResult<_>>()?;
        let positions = rows.column(POSITION)?.u64()?.rechunk();
        let position = |i: &usize| positions.get(*i).unwrap_or_default();
        for run in runs(rows.column(HASH)?.u64()?) {
            let (lefts, rights): (Vec<usize>, Vec<usize>) = run.partition(|i| position(i) & RIGHT == 0);
            let (mut l, mut r) = (lefts.iter().peekable(), rights.iter().peekable());
            while let (Some(&i), Some(&j)) = (l.peek(), r.peek()) {
                if values.iter().all(|value| same(value.get(*i), value.get(*j))) {
                    l.next();
                    r.next();
                } else if i.cmp(j) == Ordering::Less {
                    l.next().into_iter().for_each(|i| self.add(position(i)));
                } else {
                    r.next().into_iter().for_each(|j| self.add(position(j)));
                }
            }
            l.chain(r).for_each(|i| self.add(position(i)));
        }
        Ok(())
    }
}

fn same(a: Option<f64>, b: Option<f64>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => close(a, b),
        (a, b) => a.is_none() && b.is_none(),
    }
}

/// The runs of equal values.
fn runs(hashes: &UInt64Chunked) -> impl Iterator<Item = std::ops::Range<usize>> {
    let hashes: Vec<u64> = hashes.into_no_null_iter().collect();
    let mut start = 0;
    std::iter::from_fn(move || {
        let first = hashes.get(start)?;
        let run = start..hashes[start..].iter().position(|hash| hash != first).map_or(hashes.len(), |n| start + n);
        start = run.end;
        Some(run)
    })
}

#[cfg(test)]
mod tests;
