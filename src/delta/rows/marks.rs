//! Sets of rows, a bit each.

use std::sync::Arc;

use polars::prelude::{BooleanChunked, Column, DataType, Expr, Field, IntoColumn, NewChunkedArray, PolarsResult, col};

use super::ROW;

/// Some rows of some files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::delta) struct Marks(Vec<Vec<u64>>);

impl Marks {
    /// Marks every position of the column.
    pub(in crate::delta) fn extend(&mut self, positions: &Column) -> PolarsResult<()> {
        positions.u64()?.into_no_null_iter().for_each(|position| self.set(position));
        Ok(())
    }

    /// Marks every row of files with so many rows.
    pub(in crate::delta) fn all(counts: &[u64]) -> Self {
        let words = |&rows: &u64| {
            let mut words = vec![u64::MAX; (rows / 64) as usize];
            words.extend((rows % 64 > 0).then(|| (1 << (rows % 64)) - 1));
            words
        };
        Marks(counts.iter().map(words).collect())
    }

    pub(in crate::delta) fn set(&mut self, position: u64) {
        let (file, row) = ((position >> 32) as usize, position & u64::from(u32::MAX));
        let word = (row / 64) as usize;
        if self.0.len() <= file {
            self.0.resize(file + 1, Vec::new());
        }
        let words = &mut self.0[file];
        if words.len() <= word {
            words.resize(word + 1, 0);
        }
        words[word] |= 1 << (row % 64);
    }

    /// Takes the mark of a row away.
    pub(in crate::delta) fn unset(&mut self, position: u64) {
        let (file, row) = ((position >> 32) as usize, position & u64::from(u32::MAX));
        if let Some(word) = self.0.get_mut(file).and_then(|words| words.get_mut((row / 64) as usize)) {
            *word &= !(1 << (row % 64));
        }
    }

    /// Marks what `other` marks too.
    pub(in crate::delta) fn union(&mut self, other: &Marks) {
        self.combine(other, |mine, theirs| mine | theirs);
    }

    /// Takes away what `other` marks.
    pub(in crate::delta) fn subtract(&mut self, other: &Marks) {
        self.combine(other, |mine, theirs| mine & !theirs);
    }

    fn combine(&mut self, other: &Marks, word: impl Fn(u64, u64) -> u64) {
        self.0.resize(self.0.len().max(other.0.len()), Vec::new());
        for (mine, theirs) in self.0.iter_mut().zip(&other.0) {
            mine.resize(mine.len().max(theirs.len()), 0);
            mine.iter_mut().zip(theirs).for_each(|(mine, theirs)| *mine = word(*mine, *theirs));
        }
    }

    /// How many rows of a file are marked.
    pub(in crate::delta) fn count(&self, file: usize) -> u64 {
        self.0.get(file).map_or(0, |words| words.iter().map(|word| u64::from(word.count_ones())).sum())
    }

    /// The first marked row of a file and how many there are from it to the last.
    pub(super) fn span(&self, file: usize) -> (u32, u32) {
        let words = self.0.get(file).map_or(&[][..], Vec::as_slice);
        let (first, last) = (words.iter().position(|&word| word != 0), words.iter().rposition(|&word| word != 0));
        let Some((first, last)) = first.zip(last) else { return (0, 0) };
        let start = first as u32 * 64 + words[first].trailing_zeros();
        let end = last as u32 * 64 + 64 - words[last].leading_zeros();
        (start, end - start)
    }

    /// How many rows of all files are marked.
    pub(in crate::delta) fn total(&self) -> u64 {
        (0..self.0.len()).map(|file| self.count(file)).sum()
    }

    /// Whether a row is marked, as an expression over [`ROW`].
    pub(super) fn contain(self: &Arc<Self>, file: usize) -> Expr {
        let marks = Arc::clone(self);
        col(ROW).map(
            move |rows| {
                let words: &[u64] = marks.0.get(file).map_or(&[], Vec::as_slice);
                let marked =
                    |row: u32| words.get((row / 64) as usize).is_some_and(|word| word & (1 << (row % 64)) != 0);
                let bits = rows.idx()?.into_no_null_iter().map(marked);
                Ok(BooleanChunked::from_iter_values(rows.name().clone(), bits).into_column())
            },
            |_, field| Ok(Field::new(field.name().clone(), DataType::Boolean)),
        )
    }
}
