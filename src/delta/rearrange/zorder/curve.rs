//! The curve itself: ranks of several columns to one number, whose bits are theirs in turn.

use polars::prelude::{DataFrame, PolarsResult};

use super::axis::Axis;

/// A column is parted no finer than into 2^10.
const BITS: u32 = 10;
const ALL_BITS: u32 = 60;

/// A curve through the values of some columns, cut into stretches of about as many rows each.
pub(super) struct Curve {
    axes: Vec<(String, Axis)>,
    /// of each column
    bits: u32,
    /// where each stretch but the first begins
    cuts: Vec<u64>,
}

impl Curve {
    /// The curve for the rows that `sample` stands for; rows that are equal on it are not parted, so it may have fewer
    /// stretches.
    pub(super) fn new(sample: &DataFrame, columns: Vec<String>, stretches: usize) -> PolarsResult<Self> {
        let bits = BITS.min(ALL_BITS / u32::try_from(columns.len().max(1)).unwrap_or(ALL_BITS));
        let most = (1usize << bits) - 2;
        let axis = |name: String| {
            let axis = Axis::new(sample.column(&name)?, most)?;
            Ok((name, axis))
        };
        let axes = columns.into_iter().map(axis).collect::<PolarsResult<_>>()?;
        let mut curve = Curve { axes, bits, cuts: Vec::new() };
        let mut places = curve.places(sample)?;
        places.sort_unstable();
        let cut = |i: usize| places.get(i * places.len() / stretches).copied();
        curve.cuts = (1..stretches).filter_map(cut).filter(|cut| Some(cut) != places.first()).collect();
        curve.cuts.dedup();
        Ok(curve)
    }

    /// How many there are.
    pub(super) fn stretches(&self) -> usize {
        self.cuts.len() + 1
    }

    /// On which stretch each row lies.
    pub(super) fn stretch_of_each(&self, rows: &DataFrame) -> PolarsResult<Vec<usize>> {
        let stretch = |place| self.cuts.partition_point(|cut| *cut <= place);
        Ok(self.places(rows)?.into_iter().map(stretch).collect())
    }

    fn places(&self, rows: &DataFrame) -> PolarsResult<Vec<u64>> {
        let ranks = |(name, axis): &(String, Axis)| {
            // A column of few values counts as much as one of many: its highest bit must be in use.
            let shift = self.bits.saturating_sub(u64::BITS - axis.last().leading_zeros());
            let ranks = axis.ranks(rows.column(name)?)?;
            Ok(ranks.into_iter().map(|rank| rank << shift).collect())
        };
        let ranks: Vec<Vec<u64>> = self.axes.iter().map(ranks).collect::<PolarsResult<_>>()?;
        let place = |row: usize| {
            let bits = (0..self.bits).rev().flat_map(|bit| ranks.iter().map(move |ranks| ranks[row] >> bit & 1));
            bits.fold(0, |place, bit| place << 1 | bit)
        };
        Ok((0..rows.height()).map(place).collect())
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::*;

    use super::*;

    #[test]
    fn neighbours_in_both_columns_share_a_stretch() {
        let (mut x, mut y) = (Vec::new(), Vec::new());
        for i in 0..16i64 {
            for j in 0..16i64 {
                x.push(i);
                y.push(j);
            }
        }
        let rows = df!("x" => x, "y" => y).unwrap();
        let curve = Curve::new(&rows, vec!["x".into(), "y".into()], 4).unwrap();
        assert_eq!(curve.stretches(), 4);
        let stretches = curve.stretch_of_each(&rows).unwrap();
        for stretch in 0..4 {
            let count = stretches.iter().filter(|s| **s == stretch).count();
            assert!((40..=90).contains(&count), "{count} rows on stretch {stretch}");
        }
        let spans: usize = (0..16)
            .map(|i| stretches[16 * i..16 * (i + 1)].iter().collect::<std::collections::BTreeSet<_>>().len())
            .sum();
        assert!(spans <= 16 * 3, "a value of x stands on {spans} / 16 of 4 stretches");
    }

    #[test]
    fn equal_rows_are_one_stretch_and_no_rows_too() {
        let rows = df!("x" => vec![None::<i64>; 100]).unwrap();
        assert_eq!(Curve::new(&rows, vec!["x".into()], 5).unwrap().stretches(), 1);
        assert_eq!(Curve::new(&rows.head(Some(0)), vec!["x".into()], 5).unwrap().stretches(), 1);
    }
}
