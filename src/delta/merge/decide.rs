//! What a merge does with each row, decided on keys, orders and hashes alone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use polars::prelude::{
    BooleanChunked, DataFrame, Expr, IntoLazy, JoinArgs, JoinBuildSide, JoinType, LazyFrame, PolarsResult,
    SortMultipleOptions, col, lit,
};

use super::lots::Lot;
use super::rules::Rules;
use super::same::{Comparison, Detail, OF_TARGET, differs};
use super::{MergeRows, Scope};
use crate::delta::rows::{Files, Keep, Marks, POSITION, collect, rows_for_all_cores, stacked};
use crate::memory::Memory;

const GREATER: &str = "greater";
const SAME: &str = "same";

/// The fate of every row of both sides.
#[derive(Debug, Default)]
pub(super) struct Decision {
    /// source rows that do not go into the table
    pub left_out: Marks,
    /// target rows that leave the table
    pub removed: Marks,
    pub rows: MergeRows,
    /// by target file, where they are known: rows that leave the table for one of the source
    pub replaced: BTreeMap<usize, Replaced>,
}

/// Rows of one file of the target for each of which one of the source comes.
#[derive(Debug, Default)]
pub(super) struct Replaced {
    /// positions in the target and in the source
    pub pairs: Vec<(u64, u64)>,
    /// the compared columns, by number, in which a pair differs; `None`: any but those of the key
    pub columns: Option<BTreeSet<usize>>,
}

/// Keys of one side that are held at once however much memory there is.
const MOST: u64 = 8_000_000;

/// How the keys of both sides are matched: those of one side are held, lot by lot, while those of the other go by.
#[derive(Clone, Copy)]
pub(super) struct Matching {
    holds_source: bool,
    lots: u64,
    memory: Memory,
}

impl Matching {
    /// Holds the keys of the side that has fewer rows.
    pub(super) fn new(source_rows: u64, target_rows: u64, rules: &Rules, memory: Memory) -> Self {
        let lots = memory.lots(source_rows.min(target_rows), rules.key_width(), MOST);
        Matching { holds_source: source_rows <= target_rows, lots, memory }
    }

    /// What is `wanted` of rows of both sides with the same key. One side is held; the other goes by, some files at a
    /// time, so that no more of them need be open.
    ///
    /// The engine would choose by itself which side to hold, but only after it has taken in millions of rows of both.
    fn join(self, ours: Narrowed, theirs: Narrowed, rules: &Rules, wanted: &[Expr]) -> PolarsResult<DataFrame> {
        let keys: Vec<Expr> = rules.key_names().iter().map(|name| col(name.as_str())).collect();
        let side = if self.holds_source { JoinBuildSide::ForceLeft } else { JoinBuildSide::ForceRight };
        let args = JoinArgs { nulls_equal: true, build_side: Some(side), ..JoinArgs::new(JoinType::Inner) };
        let args = args.with_suffix(Some(OF_TARGET.into()));
        let (held, passing) = if self.holds_source { (ours, theirs) } else { (theirs, ours) };
        let held = held.rows()?;
        // Each query makes a table of what is held, which is not to be more work than what goes by.
        let (lots, held) = (passing.lots(held.height()), held.lazy());
        stacked(&lots, |files| {
            let passing = passing.query(files)?;
            let (ours, theirs) = if self.holds_source { (held.clone(), passing) } else { (passing, held.clone()) };
            Ok(ours.join(theirs, keys.clone(), keys.clone(), args.clone()).select(wanted))
        })
    }
}

/// Some columns of some rows, of which the key is in a lot.
#[derive(Clone, Copy)]
struct Narrowed<'a> {
    files: &'a Files,
    columns: &'a [Expr],
    keep: Keep<'a>,
    lot: Lot,
}

impl Narrowed<'_> {
    /// Files of at least so many rows, and of enough for all cores.
    fn lots(&self, rows: usize) -> Vec<Vec<usize>> {
        self.files.lots(self.keep, rows.max(rows_for_all_cores()))
    }

    fn rows(&self) -> PolarsResult<DataFrame> {
        stacked(&self.lots(0), |files| self.query(files))
    }

    fn query(&self, files: &[usize]) -> PolarsResult<LazyFrame> {
        Ok(self.lot.only(self.files.narrow_many(files, self.columns, self.keep)?))
    }
}

/// Rows of both sides that have the same key.
#[derive(Default)]
struct Matches {
    source: Marks,
    target: Marks,
}

/// Decides over a source without its `losers` and the files of the target that may hold one of its keys or of the
/// scope's, by way of `matching`.
pub(super) fn decide(
    source: &Files,
    source_rows: u64,
    losers: Marks,
    target: &Files,
    rules: &Rules,
    matching: Matching,
) -> PolarsResult<Decision> {
    let losers = Arc::new(losers);
    let matches = matches(source, &losers, target, rules, matching)?;
    let matched = matches.source.total();
    let mut decision = Decision {
        rows: MergeRows {
            inserted: source_rows - losers.total() - matched,
            superseded: losers.total(),
            ..MergeRows::default()
        },
        ..Decision::default()
    };
    decision.left_out.union(&losers);
    if rules.scope.deletes() {
        let stale = stale(target, &matches.target, &rules.scope)?;
        decision.rows.deleted = stale.total();
        decision.removed = stale;
    }
    if matched > 0 {
        let (ours, theirs) = (Arc::new(matches.source), Arc::new(matches.target));
        let detail = rules.comparison.as_ref().map_or(Detail::Row, |comparison| comparison.detail(matched));
        // Each side holds the keys that the other has, but for second rows of a key.
        let matching = Matching { lots: matching.memory.lots(matched, rules.pair_width(detail), MOST), ..matching };
        for lot in Lot::each(matching.lots) {
            decision.judge(&pairs((source, &ours), (target, &theirs), rules, (lot, matching), detail)?)?;
        }
    }
    Ok(decision)
}

impl Decision {
    /// Judges pairs of a source row and a target row of the same key, sorted by source row. A table that another
    /// engine wrote may hold a key twice: such rows are replaced together or stay together.
    fn judge(&mut self, pairs: &DataFrame) -> PolarsResult<()> {
        let ours = pairs.column(POSITION)?.u64()?;
        let theirs = pairs.column(&format!("{POSITION}{OF_TARGET}"))?.u64()?;
        let (greater, same) = (pairs.column(GREATER)?.bool()?, pairs.column(SAME)?.bool()?);
        let differs: Vec<&BooleanChunked> = (0..).map_while(|i| pairs.column(&differs(i)).ok()?.bool().ok()).collect();
        let mut start = 0;
        while start < pairs.height() {
            let row = ours.get(start).unwrap_or_default();
            let end = (start..pairs.height()).find(|&i| ours.get(i) != Some(row)).unwrap_or(pairs.height());
            let wins = (start..end).all(|i| greater.get(i) == Some(true));
            if !wins {
                self.rows.superseded += 1;
                self.left_out.set(row);
            } else if end - start == 1 && same.get(start) == Some(true) {
                self.rows.unchanged += 1;
                self.left_out.set(row);
            } else {
                self.rows.updated += 1;
                self.rows.deleted += (end - start - 1) as u64;
                (start..end).filter_map(|i| theirs.get(i)).for_each(|position| self.removed.set(position));
                if let (1, Some(position)) = (end - start, theirs.get(start)) {
                    let replaced = self.replaced.entry((position >> 32) as usize).or_default();
                    replaced.pairs.push((position, row));
                    if !differs.is_empty() {
                        let columns = differs.iter().enumerate().filter(|(_, row)| row.get(start) != Some(false));
                        replaced.columns.get_or_insert_default().extend(columns.map(|(number, _)| number));
                    }
                }
            }
            start = end;
        }
        Ok(())
    }
}

/// Finds the rows with a key of the other side; reads key columns only.
fn matches(
    source: &Files,
    losers: &Arc<Marks>,
    target: &Files,
    rules: &Rules,
    matching: Matching,
) -> PolarsResult<Matches> {
    let mut matches = Matches::default();
    if target.len() == 0 {
        return Ok(matches);
    }
    for lot in Lot::each(matching.lots) {
        let keys = lot.with_hash(rules.keys(), rules);
        let ours = Narrowed { files: source, columns: &keys, keep: Keep::Unmarked(losers), lot };
        let theirs = Narrowed { files: target, columns: &keys, keep: Keep::All, lot };
        let found = matching.join(ours, theirs, rules, &[col(POSITION), col(format!("{POSITION}{OF_TARGET}"))])?;
        matches.source.extend(&found.columns()[0])?;
        matches.target.extend(&found.columns()[1])?;
    }
    Ok(matches)
}

/// Target rows of the scope that no source row has the key of.
fn stale(target: &Files, matched: &Marks, scope: &Scope) -> PolarsResult<Marks> {
    let mut stale = match scope {
        Scope::None => Marks::default(),
        Scope::All => Marks::all(&target.counts()?),
        Scope::Keys(keys) => {
            let names = || keys.get_column_names().into_iter().map(|name| col(name.clone()));
            let touched = JoinArgs { nulls_equal: true, ..JoinArgs::new(JoinType::Semi) };
            let rows = target.narrow(&names().collect::<Vec<_>>(), Keep::All)?;
            let rows =
                rows.join(keys.clone().lazy(), names().collect::<Vec<_>>(), names().collect::<Vec<_>>(), touched);
            let mut marks = Marks::default();
            marks.extend(&collect(rows.select([col(POSITION)]))?.columns()[0])?;
            marks
        }
    };
    stale.subtract(matched);
    Ok(stale)
}

/// The matching rows side by side, with what is to be known of them, sorted by source row.
fn pairs(
    (source, ours): (&Files, &Arc<Marks>),
    (target, theirs): (&Files, &Arc<Marks>),
    rules: &Rules,
    (lot, matching): (Lot, Matching),
    detail: Detail,
) -> PolarsResult<DataFrame> {
    let carried = rules.comparison.iter().flat_map(|comparison| comparison.carried(detail));
    let columns = lot.with_hash(rules.keys().into_iter().chain(rules.orders()).chain(carried).collect(), rules);
    let ours = Narrowed { files: source, columns: &columns, keep: Keep::Marked(ours), lot };
    let theirs = Narrowed { files: target, columns: &columns, keep: Keep::Marked(theirs), lot };
    let same = rules.comparison.as_ref().map_or_else(|| lit(false), |comparison| comparison.same(detail));
    let differing = rules.comparison.iter().filter(|_| detail == Detail::Columns).flat_map(Comparison::differing);
    let greater = rules.greater().unwrap_or_else(|| lit(true));
    let judged = [col(POSITION), col(format!("{POSITION}{OF_TARGET}")), greater.alias(GREATER), same.alias(SAME)];
    let judged: Vec<Expr> = judged.into_iter().chain(differing).collect();
    matching.join(ours, theirs, rules, &judged)?.sort([POSITION], SortMultipleOptions::default())
}
