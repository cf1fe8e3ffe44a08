//! What a merge does with each row, decided on keys, orders and hashes alone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use polars::prelude::{BooleanChunked, DataFrame, IntoLazy, JoinArgs, JoinType, PolarsResult, col};

use super::compare::{GREATER, compare};
use super::lots::Lot;
use super::matching::{Matching, Pair};
use super::rules::Rules;
use super::same::{SAME, differs};
use super::{MergeRows, Scope};
use crate::delta::rows::{Files, Keep, Marks, POSITION, collect};

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
    /// the compared columns, by number, in which a pair differs; `None`: rows are not compared, any may but the key's
    pub columns: Option<BTreeSet<usize>>,
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
    let mut decision = Decision::default();
    let (mut matched, mut kept, mut waiting) = (0, Marks::default(), Vec::new());
    for lot in Lot::each(matching.lots) {
        let pairs = matching.pairs((source, &losers), target, rules, lot)?;
        matched += pairs.chunk_by(|a, b| a.ours == b.ours).count() as u64;
        if rules.scope.deletes() {
            pairs.iter().for_each(|pair| kept.set(pair.theirs));
        }
        // Pairs of several lots are compared together: each lot has some in nearly all files.
        waiting.extend(pairs);
        if lot.is_last() || waiting.len() >= matching.pairs_at_once(rules) {
            waiting.sort_unstable();
            for pairs in matching.portions(&waiting, rules) {
                decision.judge(pairs, &compare(pairs, source, target, rules)?)?;
            }
            waiting.clear();
        }
    }
    decision.rows.inserted = source_rows - losers.total() - matched;
    decision.rows.superseded += losers.total();
    decision.left_out.union(&losers);
    if rules.scope.deletes() {
        let stale = stale(target, &kept, &rules.scope)?;
        decision.rows.deleted += stale.total();
        decision.removed.union(&stale);
    }
    Ok(decision)
}

impl Decision {
    /// Judges sorted pairs by what is told of each. A table that another engine wrote may hold a key twice: such rows
    /// are replaced together or stay together.
    fn judge(&mut self, pairs: &[Pair], told: &DataFrame) -> PolarsResult<()> {
        let (greater, same) = (told.column(GREATER)?.bool()?, told.column(SAME)?.bool()?);
        let differs: Vec<&BooleanChunked> = (0..).map_while(|i| told.column(&differs(i)).ok()?.bool().ok()).collect();
        let mut start = 0;
        for pairs in pairs.chunk_by(|a, b| a.ours == b.ours) {
            let (row, end) = (pairs[0].ours, start + pairs.len());
            if !(start..end).all(|i| greater.get(i) == Some(true)) {
                self.rows.superseded += 1;
                self.left_out.set(row);
            } else if pairs.len() == 1 && same.get(start) == Some(true) {
                self.rows.unchanged += 1;
                self.left_out.set(row);
            } else {
                self.rows.updated += 1;
                self.rows.deleted += (pairs.len() - 1) as u64;
                pairs.iter().for_each(|pair| self.removed.set(pair.theirs));
                if let [Pair { theirs, .. }] = pairs {
                    let replaced = self.replaced.entry((theirs >> 32) as usize).or_default();
                    replaced.pairs.push((*theirs, row));
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
