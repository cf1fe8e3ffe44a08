//! Rows of both sides with the same key, side by side: which is later, and whether and where they differ.

use std::sync::Arc;

use polars::prelude::{Column, DataFrame, Expr, IdxCa, IdxSize, IntoLazy, PlSmallStr, PolarsResult, col, polars_bail};

use super::matching::Pair;
use super::rules::Rules;
use super::same::{Aspect, OF_TARGET, SAME};
use crate::delta::rows::{Files, Keep, Marks, POSITION, rows_for_all_cores};

/// Whether the source's row is later in the order.
pub(super) const GREATER: &str = "greater";

/// Aspects in which rows are compared at once: whole row groups of their columns are held while they are read.
const AT_ONCE: usize = 4;

/// Where the files have no more rows than this, all are: of so few, opening a file takes longer than reading it.
const FEW_ROWS: u64 = 1 << 16;

/// Bytes that a pair takes while it is compared: its positions, and what is read of both rows, which stands there twice
/// while they are brought together.
pub(super) fn width(rules: &Rules) -> u64 {
    let at_once = |aspects: &[Aspect]| aspects.iter().map(|aspect| aspect.width).sum::<u64>();
    64 + 4 * aspects(rules).chunks(AT_ONCE).map(at_once).max().unwrap_or(0)
}

/// For each of some sorted pairs [`GREATER`], [`SAME`] and, if rows are compared, in which columns these two differ.
pub(super) fn compare(pairs: &[Pair], source: &Files, target: &Files, rules: &Rules) -> PolarsResult<DataFrame> {
    let (aspects, sides) = (aspects(rules), Sides::new(pairs, source, target));
    let rows = target.rows_told(Keep::Marked(&sides.theirs));
    let at_once = if rows.is_some_and(|rows| rows <= FEW_ROWS) { aspects.len().max(1) } else { AT_ONCE };
    let mut told = DataFrame::empty_with_height(pairs.len());
    for aspects in aspects.chunks(at_once) {
        told.hstack_mut(sides.told(aspects)?.columns())?;
    }
    if rules.greater().is_none() {
        told.with_column(always(GREATER, true, pairs.len()))?;
    }
    let is_same = |name: &&PlSmallStr| name.starts_with(SAME);
    let same = told.get_column_names().into_iter().filter(is_same).map(|name| col(name.clone())).reduce(Expr::and);
    let same = match same {
        Some(same) => told.clone().lazy().select([same.alias(SAME)]).collect()?.columns()[0].clone(),
        None => always(SAME, rules.comparison.is_some(), pairs.len()),
    };
    told.with_column(same)?.take(&sides.in_order_of_pairs())
}

/// The order, then the columns.
fn aspects(rules: &Rules) -> Vec<Aspect> {
    let told = |greater: Expr| vec![greater.alias(GREATER)];
    let of_order = |greater| Aspect { carried: rules.orders(), width: rules.order_width, told: told(greater) };
    let columns = rules.comparison.iter().flat_map(|comparison| comparison.aspects());
    rules.greater().map(of_order).into_iter().chain(columns).collect()
}

fn always(name: &str, told: bool, height: usize) -> Column {
    Column::new_scalar(name.into(), told.into(), height)
}

/// Both sides of some pairs.
struct Sides<'a> {
    pairs: &'a [Pair],
    source: &'a Files,
    target: &'a Files,
    ours: Arc<Marks>,
    theirs: Arc<Marks>,
    /// by pair, the place of its source row among those of all pairs
    places: Vec<IdxSize>,
    /// the pairs' numbers in the order of the target's rows
    by_target: Vec<IdxSize>,
}

impl<'a> Sides<'a> {
    fn new(pairs: &'a [Pair], source: &'a Files, target: &'a Files) -> Self {
        let (mut ours, mut theirs) = (Marks::default(), Marks::default());
        pairs.iter().for_each(|pair| ours.set(pair.ours));
        pairs.iter().for_each(|pair| theirs.set(pair.theirs));
        let same_row = pairs.chunk_by(|a, b| a.ours == b.ours).zip(0..);
        let places = same_row.flat_map(|(pairs, place)| pairs.iter().map(move |_| place)).collect();
        let mut by_target: Vec<IdxSize> = (0..pairs.len() as IdxSize).collect();
        by_target.sort_unstable_by_key(|&number| pairs[number as usize].theirs);
        Sides { pairs, source, target, ours: Arc::new(ours), theirs: Arc::new(theirs), places, by_target }
    }

    /// What aspects tell, in the order of the target's rows. Those of the source are held while they go by.
    fn told(&self, aspects: &[Aspect]) -> PolarsResult<DataFrame> {
        let carried: Vec<Expr> = aspects.iter().flat_map(|aspect| aspect.carried.clone()).collect();
        let told: Vec<Expr> = aspects.iter().flat_map(|aspect| aspect.told.clone()).collect();
        let all: Vec<usize> = (0..self.source.len()).collect();
        let held = self.source.marked(&all, &carried, &self.ours)?;
        let (mut lots, mut rest) = (Vec::new(), self.by_target.as_slice());
        for files in self.target.lots(Keep::Marked(&self.theirs), rows_for_all_cores()) {
            let passing = self.target.marked(&files, &carried, &self.theirs)?;
            let (these, more) = rest.split_at(passing.height().min(rest.len()));
            lots.push(self.beside(&held, passing, these)?.lazy().select(&told).collect()?);
            rest = more;
        }
        if !rest.is_empty() {
            polars_bail!(ComputeError: "a data file has fewer rows than before");
        }
        let mut lots = lots.into_iter();
        let mut all = lots.next().unwrap_or_default();
        lots.try_for_each(|lot| all.vstack_mut_owned(lot).map(|_| ()))?;
        Ok(all)
    }

    /// Rows of the target that belong to pairs of these numbers, each beside that of the source.
    fn beside(&self, held: &DataFrame, passing: DataFrame, numbers: &[IdxSize]) -> PolarsResult<DataFrame> {
        let positions = passing.column(POSITION)?.u64()?.into_no_null_iter();
        if !positions.eq(numbers.iter().map(|&number| self.pairs[number as usize].theirs)) {
            polars_bail!(ComputeError: "a data file has other rows than before");
        }
        let places = numbers.iter().map(|&number| self.places[number as usize]).collect();
        let renamed = |column: Column| {
            let name = format!("{}{OF_TARGET}", column.name());
            column.with_name(name.into())
        };
        let theirs: Vec<Column> = passing.into_columns().into_iter().map(renamed).collect();
        held.take(&IdxCa::from_vec(PlSmallStr::EMPTY, places))?.hstack(&theirs)
    }

    /// Where each pair's row is in the order of the target's.
    fn in_order_of_pairs(&self) -> IdxCa {
        let mut places = vec![0; self.pairs.len()];
        self.by_target.iter().zip(0..).for_each(|(&number, place)| places[number as usize] = place);
        IdxCa::from_vec(PlSmallStr::EMPTY, places)
    }
}
