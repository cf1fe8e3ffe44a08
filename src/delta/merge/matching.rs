//! Which rows of both sides have the same key.

use std::sync::Arc;

use polars::prelude::{DataFrame, Expr, IntoLazy, JoinArgs, JoinBuildSide, JoinType, LazyFrame, PolarsResult, col};

use super::compare;
use super::lots::Lot;
use super::rules::Rules;
use super::same::OF_TARGET;
use crate::delta::rows::{Files, Keep, Marks, POSITION, rows_for_all_cores, stacked};
use crate::memory::Memory;

/// A row of the source and one of the target that have the same key, by their positions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Pair {
    pub ours: u64,
    pub theirs: u64,
}

/// Keys of one side that are held at once however much memory there is.
const MOST: u64 = 8_000_000;

/// How the keys of both sides are matched: those of one side are held, lot by lot, while those of the other go by.
#[derive(Clone, Copy)]
pub(super) struct Matching {
    holds_source: bool,
    /// shares of all keys, each of which can be held
    pub lots: u64,
    memory: Memory,
}

impl Matching {
    /// Holds the keys of the side that has fewer rows.
    pub(super) fn new(source_rows: u64, target_rows: u64, rules: &Rules, memory: Memory) -> Self {
        let lots = memory.lots(source_rows.min(target_rows), rules.key_width(), MOST);
        Matching { holds_source: source_rows <= target_rows, lots, memory }
    }

    /// The pairs of one lot, sorted. Reads key columns only.
    pub(super) fn pairs(
        self,
        (source, losers): (&Files, &Arc<Marks>),
        target: &Files,
        rules: &Rules,
        lot: Lot,
    ) -> PolarsResult<Vec<Pair>> {
        if target.len() == 0 {
            return Ok(Vec::new());
        }
        let columns = lot.with_hash(rules.keys(), rules);
        let ours = Narrowed { files: source, columns: &columns, keep: Keep::Unmarked(losers), lot };
        let theirs = Narrowed { files: target, columns: &columns, keep: Keep::All, lot };
        let found = self.join(ours, theirs, rules)?;
        let (ours, theirs) = (found.columns()[0].u64()?, found.columns()[1].u64()?);
        let positions = ours.into_no_null_iter().zip(theirs.into_no_null_iter());
        let mut pairs: Vec<Pair> = positions.map(|(ours, theirs)| Pair { ours, theirs }).collect();
        pairs.sort_unstable();
        Ok(pairs)
    }

    /// How many pairs are compared at once.
    pub(super) fn pairs_at_once(self, rules: &Rules) -> usize {
        self.memory.rows_at_once(compare::width(rules), MOST) as usize
    }

    /// Sorted pairs in portions of so many that are compared at once; those of one source row stay together.
    pub(super) fn portions<'a>(
        self,
        mut pairs: &'a [Pair],
        rules: &Rules,
    ) -> impl Iterator<Item = &'a [Pair]> + use<'a> {
        let most = self.pairs_at_once(rules);
        std::iter::from_fn(move || {
            let last = pairs.get(most.min(pairs.len()).checked_sub(1)?)?.ours;
            let (portion, rest) = pairs.split_at(pairs.partition_point(|pair| pair.ours <= last));
            pairs = rest;
            Some(portion)
        })
    }

    /// The positions of rows of both sides with the same key. One side is held; the other goes by, some files at a time,
    /// so that no more of them need be open.
    ///
    /// The engine would choose by itself which side to hold, but only after it has taken in millions of rows of both.
    fn join(self, ours: Narrowed, theirs: Narrowed, rules: &Rules) -> PolarsResult<DataFrame> {
        let keys: Vec<Expr> = rules.key_names().iter().map(|name| col(name.as_str())).collect();
        let side = if self.holds_source { JoinBuildSide::ForceLeft } else { JoinBuildSide::ForceRight };
        let args = JoinArgs { nulls_equal: true, build_side: Some(side), ..JoinArgs::new(JoinType::Inner) };
        let args = args.with_suffix(Some(OF_TARGET.into()));
        let (held, passing) = if self.holds_source { (ours, theirs) } else { (theirs, ours) };
        let held = stacked(&held.lots(0), |files| held.query(files))?;
        // Each query makes a table of what is held, which is not to be more work than what goes by.
        let (lots, held) = (passing.lots(held.height()), held.lazy());
        stacked(&lots, |files| {
            let passing = passing.query(files)?;
            let (ours, theirs) = if self.holds_source { (held.clone(), passing) } else { (passing, held.clone()) };
            let joined = ours.join(theirs, keys.clone(), keys.clone(), args.clone());
            Ok(joined.select([col(POSITION), col(format!("{POSITION}{OF_TARGET}"))]))
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

    fn query(&self, files: &[usize]) -> PolarsResult<LazyFrame> {
        Ok(self.lot.only(self.files.narrow_many(files, self.columns, self.keep)?))
    }
}
