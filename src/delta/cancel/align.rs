//! Two lists of rows walked through side by side. Files that were written anew hold most of their rows in the order
//! that these had, in place or closer together, in one file or in stretches in several: so equal rows are found without
//! sorting. What is not found here is merely left to be found later.

use std::collections::HashMap;

use super::Row;

/// How far ahead the next equal pair is looked for.
const NEAR: usize = 8;

/// One row of so many, chosen by its hash, is a place to go on from after the order was lost.
const ANCHORS: u64 = 64;

/// The indexes of the rows without a partner among those that were found.
pub(super) fn align(left: &[Row], right: &[Row]) -> (Vec<usize>, Vec<usize>) {
    let mut walk = Walk { left, right, taken: vec![false; right.len()], anchors: HashMap::new() };
    for (j, row) in right.iter().enumerate().filter(|(_, row)| is_anchor(row)) {
        walk.anchors.entry(row.0).or_insert(j);
    }
    let alone = walk.pairs();
    let taken = walk.taken;
    (alone, (0..right.len()).filter(|&j| !taken[j]).collect())
}

fn is_anchor(row: &Row) -> bool {
    row.0.is_multiple_of(ANCHORS)
}

struct Walk<'a> {
    left: &'a [Row],
    right: &'a [Row],
    /// the rows of the right side that have a partner
    taken: Vec<bool>,
    anchors: HashMap<u64, usize>,
}

impl Walk<'_> {
    /// Takes pairs; gives the rows of the left side that have found none.
    fn pairs(&mut self) -> Vec<usize> {
        let (mut i, mut j) = (0, 0);
        let mut alone = Vec::new();
        while i < self.left.len() {
            if self.are_equal(i, j) {
                self.taken[j] = true;
                (i, j) = (i + 1, j + 1);
                continue;
            }
            let (next_i, next_j) = self.near(i, j).or_else(|| self.far(i)).unwrap_or((i + 1, j));
            alone.extend(i..next_i);
            (i, j) = (next_i, next_j);
        }
        alone
    }

    fn are_equal(&self, i: usize, j: usize) -> bool {
        let pair = self.left.get(i).zip(self.right.get(j));
        pair.is_some_and(|(l, r)| (l.0, l.1) == (r.0, r.1)) && !self.taken[j]
    }

    /// The next equal pair after some rows were replaced, went or came.
    fn near(&self, i: usize, j: usize) -> Option<(usize, usize)> {
        (1..=NEAR).flat_map(|n| [(i + n, j + n), (i + n, j), (i, j + n)]).find(|&(i, j)| self.are_equal(i, j))
    }

    /// Where the right side goes on with this very row.
    fn far(&self, i: usize) -> Option<(usize, usize)> {
        let row = self.left.get(i).filter(|row| is_anchor(row))?;
        self.anchors.get(&row.0).map(|&j| (i, j)).filter(|&(i, j)| self.are_equal(i, j))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(numbers: impl IntoIterator<Item = u64>) -> Vec<Row> {
        numbers.into_iter().enumerate().map(|(at, number)| (scattered(number), number, at as u64)).collect()
    }

    fn scattered(number: u64) -> u64 {
        number.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(17)
    }

    fn left_over(left: &[Row], right: &[Row]) -> (usize, usize) {
        let (left, right) = align(left, right);
        (left.len(), right.len())
    }

    #[test]
    fn rows_that_changed_in_place_or_went_are_all_that_is_left() {
        let old = rows(0..10_000);
        let changed = rows((0..10_000).map(|n| if n % 100 == 7 { n + 1_000_000 } else { n }));
        assert_eq!(left_over(&old, &changed), (100, 100));
        let shrunk = rows((0..10_000).filter(|n| n % 100 != 7));
        assert_eq!(left_over(&old, &shrunk), (100, 0));
        assert_eq!(left_over(&shrunk, &old), (0, 100));
        let (mine, theirs) = align(&old, &changed);
        assert_eq!((mine, theirs.len()), ((0..100).map(|n| n * 100 + 7).collect(), 100));
    }

    #[test]
    fn stretches_may_lie_anywhere() {
        let old = rows(0..40_000);
        let stretches = [30_000..40_000, 10_000..20_000, 0..10_000, 20_000..30_000u64];
        let (left, right) = left_over(&old, &rows(stretches.into_iter().flatten()));
        assert!(left == right && left < 2_000, "{left} {right}");
    }

    #[test]
    fn a_row_has_one_partner() {
        assert_eq!(left_over(&rows([5; 30]), &rows([5; 20])), (10, 0));
        assert_eq!(left_over(&rows([64, 64, 1]), &rows([1, 64])), left_over(&rows([64, 64, 1]), &rows([1, 64])));
        assert_eq!(left_over(&[], &rows([1])), (0, 1));
    }
}
