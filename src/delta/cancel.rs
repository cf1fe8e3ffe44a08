//! Two multisets of rows, less what they have in common. Rows are told apart by a hash of 128 bits, and doubles that
//! are the same to a merge are the same here.
//!
//! Most rows of a file that was written anew stand in their old places, so files of equal length are compared first by
//! what is stored ([`alike`]) and then value by value ([`beside`]), or else in their old order, so rows are walked through
//! on both sides ([`align`]). Only what that leaves is sorted.

mod align;
mod alike;
mod beside;
mod shares;

use std::cmp::Ordering;
use std::iter;
use std::ops::Range;
use std::sync::Arc;

use futures::stream::{self, StreamExt, TryStreamExt};
use polars::prelude::{
    DataFrame, DataType, Expr, Float64Chunked, LazyFrame, PolarsResult, SortMultipleOptions, UInt64Chunked, UnionArgs,
    col, concat, lit,
};
use tokio::runtime::Handle;

use self::align::align;
use self::alike::Proof;
use self::beside::unequal_in_place;
use self::shares::shares;
use super::Error;
use super::merge::close;
use super::rows::{Files, Keep, Marks, Origin, POSITION, collect, hash};
use crate::expr::Column;
use crate::memory::Memory;

/// Rows whose hashes are held at once however much memory there is; more are taken in several passes over the files.
const MOST: u64 = 16_000_000;
/// Bytes that a row takes: three numbers, which stand there three times while they are sorted, and an index.
const WIDTH: u64 = 92;

/// Pairs of files whose footers are looked at at once.
const PAIRS_AT_ONCE: usize = 16;

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

/// A row by both of its hashes and its position, whose uppermost bit tells the side. Equal rows of the left side are
/// less than those of the right.
type Row = (u64, u64, u64);

/// Takes away pairs of rows that are equal in `columns`.
pub(super) fn cancel(left: &Files, right: &Files, columns: &[Column], memory: Memory) -> PolarsResult<Rest> {
    cancel_at_once(left, right, columns, memory.rows_at_once(WIDTH, MOST))
}

/// How many rows of both sides, whose files have so many each, [`cancel`] is likely to decode. Reads the footers of files
/// that are paired, and no rows.
pub(super) async fn uncertain(
    (ours, left): (&[Origin], &[u64]),
    (theirs, right): (&[Origin], &[u64]),
    columns: &[Column],
    memory: Memory,
) -> Result<u64, Error> {
    let (paired, _) = shares(left, right, columns, memory.rows_at_once(WIDTH, MOST));
    let looks: Vec<_> = paired
        .into_iter()
        .map(|(our, their)| async move {
            let rows = left[our];
            let unlike = alike::unlike(&ours[our], &theirs[their], columns, rows, Proof::Footer).await?;
            let uncertain = unlike.map_or(rows, |unlike| unlike.iter().map(|rows| rows.len() as u64).sum());
            Ok::<_, Error>(rows - uncertain)
        })
        .collect();
    let certain: Vec<u64> = stream::iter(looks).buffered(PAIRS_AT_ONCE).try_collect().await?;
    Ok(left.iter().chain(right).sum::<u64>() - 2 * certain.into_iter().sum::<u64>())
}

/// As [`cancel`], with the hashes of so many rows in memory.
fn cancel_at_once(left: &Files, right: &Files, columns: &[Column], at_once: u64) -> PolarsResult<Rest> {
    let rest = match unaligned(left, right, columns, at_once)? {
        Unaligned::Rows(rows) => unequal(rows),
        Unaligned::Marked(rest) => unequal_in_lots(left, right, &hashes(columns), &rest.done(), at_once)?,
    };
    let (floating, exact): (Vec<&Column>, Vec<&Column>) = columns.iter().partition(|column| column.ty.is_floating());
    let rest = rest.done();
    if floating.is_empty() || rest.left.total() == 0 || rest.right.total() == 0 {
        return Ok(rest);
    }
    cancel_close(left, right, &rest, &exact, &floating, at_once)
}

fn hashes(columns: &[Column]) -> [Expr; 2] {
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    [hash(&names, 11).alias(HASH), hash(&names, 13).alias(SECOND)]
}

/// What is left after rows that stand in the same order have cancelled.
enum Unaligned {
    Rows(Vec<Row>),
    /// too many to be held
    Marked(Sides),
}

fn unaligned(left: &Files, right: &Files, columns: &[Column], at_once: u64) -> PolarsResult<Unaligned> {
    let hashes = hashes(columns);
    let counts = left.counts()?;
    let (paired, shares) = shares(&counts, &right.counts()?, columns, at_once);
    let mut over = Over { rows: Vec::new(), marked: None, at_once };
    for (ours, theirs) in paired {
        for rows in unlike((left, ours), (right, theirs), columns, counts[ours]) {
            let (ours, theirs) = unequal_in_place(left, ours, right, theirs, columns, rows)?;
            over.add(&ours, &theirs);
        }
    }
    for (ours, theirs) in shares {
        let ours = rows_in(&left.collect_some(&ours, &hashes, Keep::All)?, 0)?;
        let theirs = rows_in(&right.collect_some(&theirs, &hashes, Keep::All)?, RIGHT)?;
        over.add(&ours, &theirs);
    }
    Ok(over.marked.map_or(Unaligned::Rows(over.rows), Unaligned::Marked))
}

/// The rows of two files of so many each that what is stored does not prove equal. Blocks.
fn unlike(
    (left, ours): (&Files, usize),
    (right, theirs): (&Files, usize),
    columns: &[Column],
    rows: u64,
) -> Vec<Range<u32>> {
    let all = || iter::once(0..rows as u32).collect();
    let (Some(ours), Some(theirs)) = (left.origin(ours), right.origin(theirs)) else { return all() };
    match Handle::current().block_on(alike::unlike(ours, theirs, columns, rows, Proof::Bytes)) {
        Ok(unlike) => unlike.unwrap_or_else(all),
        // whoever reads the rows tells it better
        Err(error) => {
            tracing::debug!(%error, "what is stored cannot be compared");
            all()
        }
    }
}

/// What is left over of files that were walked through.
struct Over {
    rows: Vec<Row>,
    /// instead of rows, when there are too many
    marked: Option<Sides>,
    at_once: u64,
}

impl Over {
    fn add(&mut self, ours: &[Row], theirs: &[Row]) {
        let (ours_left, theirs_left) = align(ours, theirs);
        let over = ours_left.into_iter().map(|i| ours[i]).chain(theirs_left.into_iter().map(|i| theirs[i]));
        match &mut self.marked {
            Some(sides) => over.for_each(|(_, _, position)| sides.add(position)),
            None => self.rows.extend(over),
        }
        if self.rows.len() as u64 > self.at_once {
            self.marked = Some(Sides::of(std::mem::take(&mut self.rows)));
        }
    }
}

/// The rows of one side, in their order.
fn rows_of(frame: LazyFrame, side: u64) -> PolarsResult<Vec<Row>> {
    rows_in(&collect(frame)?, side)
}

fn rows_in(frame: &DataFrame, side: u64) -> PolarsResult<Vec<Row>> {
    let column = |name| PolarsResult::Ok(frame.column(name)?.u64()?.into_no_null_iter());
    let hashes = column(HASH)?.zip(column(SECOND)?);
    Ok(hashes.zip(column(POSITION)?).map(|((hash, second), position)| (hash, second, position | side)).collect())
}

/// As [`unequal`], of the rows that `rest` marks, hash by hash in several passes.
fn unequal_in_lots(left: &Files, right: &Files, hashes: &[Expr], rest: &Rest, at_once: u64) -> PolarsResult<Sides> {
    let mut sides = Sides::default();
    let lots = lots(rest.left.total() + rest.right.total(), at_once);
    for lot in 0..lots {
        let ours = rows_of(in_lot(left.narrow(hashes, Keep::Marked(&rest.left))?, lots, lot), 0)?;
        let theirs = rows_of(in_lot(right.narrow(hashes, Keep::Marked(&rest.right))?, lots, lot), RIGHT)?;
        sides.extend(unequal([ours, theirs].concat()));
    }
    Ok(sides)
}

/// What is left after equal rows have cancelled.
fn unequal(mut rows: Vec<Row>) -> Sides {
    rows.sort_unstable();
    let mut sides = Sides::default();
    for equal in rows.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
        let lefts = equal.partition_point(|(_, _, position)| position & RIGHT == 0);
        let pairs = lefts.min(equal.len() - lefts);
        let single = equal[pairs..lefts].iter().chain(&equal[lefts + pairs..]);
        single.for_each(|(_, _, position)| sides.add(*position));
    }
    sides
}

fn lots(rows: u64, at_once: u64) -> u64 {
    rows / at_once + 1
}

/// Takes away pairs of rows that are equal but for the last digits of their doubles.
fn cancel_close(
    left: &Files,
    right: &Files,
    rest: &Rest,
    exact: &[&Column],
    floating: &[&Column],
    at_once: u64,
) -> PolarsResult<Rest> {
    let exact: Vec<&str> = exact.iter().map(|column| column.name.as_str()).collect();
    let names: Vec<String> = (0..floating.len()).map(|i| format!("floating{i}")).collect();
    let mut columns = vec![hash(&exact, 17).alias(HASH)];
    let floating = floating.iter().zip(&names);
    columns
        .extend(floating.map(|(column, name)| col(column.name.as_str()).cast(DataType::Float64).alias(name.as_str())));
    let order: Vec<&str> = [HASH].into_iter().chain(names.iter().map(String::as_str)).collect();
    let lots = lots(rest.left.total() + rest.right.total(), at_once);
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
    fn of(rows: Vec<Row>) -> Self {
        let mut sides = Sides::default();
        rows.into_iter().for_each(|(_, _, position)| sides.add(position));
        sides
    }

    fn extend(&mut self, other: Sides) {
        self.left.union(&other.left);
        self.right.union(&other.right);
    }

    fn add(&mut self, position: u64) {
        match position & RIGHT {
            0 => self.left.set(position),
            _ => self.right.set(position & !RIGHT),
        }
    }

    fn done(self) -> Rest {
        Rest { left: Arc::new(self.left), right: Arc::new(self.right) }
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
fn runs(hashes: &UInt64Chunked) -> impl Iterator<Item = Range<usize>> {
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
