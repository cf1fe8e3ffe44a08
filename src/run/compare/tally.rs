//! What is known of a difference once all its rows have gone by.

use std::sync::{Arc, Mutex};

use polars::prelude::{BooleanChunked, DataFrame, NewChunkedArray, PolarsResult};

use super::columns::Compared;
use super::sample::Sample;
use super::sum::Sum;
use crate::delta::{AFTER, BEFORE, RowDiff, after, before, differs};
use crate::report::{Change, DiffRows};
use crate::run::error::{Error, Result};
use crate::run::stream;

/// What is known of a difference.
pub struct Tally {
    /// added, removed and changed rows
    pub rows: DiffRows,
    /// per column that was compared, in how many changed rows it differs
    pub changed: Vec<u64>,
    /// per column that was compared, its sum afterwards less that before; `None`: it is not numeric
    pub differences: Vec<Option<Sum>>,
    /// the least rows of each kind
    pub sample: Sample,
    compared: Compared,
}

impl Tally {
    /// Streams the rows of a difference. Blocks.
    pub fn of(diff: &RowDiff, compared: Compared, sample: usize) -> Result<Self> {
        let frames = diff.pairs(&compared.columns, &compared.key)?;
        let tally = Arc::new(Mutex::new(Tally {
            rows: DiffRows::default(),
            changed: vec![0; compared.columns.len()],
            differences: compared.columns.iter().map(|column| Sum::of(&column.ty)).collect(),
            sample: Sample::new(sample, &compared),
            compared,
        }));
        for frame in frames {
            let tally = Arc::clone(&tally);
            stream::for_each_batch(frame, move |batch| {
                let mut tally = tally.lock().map_err(|_| died())?;
                Ok(tally.add(&batch)?)
            })?;
        }
        let tally = Arc::into_inner(tally).and_then(|tally| tally.into_inner().ok());
        tally.ok_or_else(died)
    }

    fn add(&mut self, batch: &DataFrame) -> PolarsResult<()> {
        let was = batch.column(BEFORE)?.is_not_null();
        let is = batch.column(AFTER)?.is_not_null();
        let mut any = BooleanChunked::from_iter_values("".into(), std::iter::repeat_n(false, batch.height()));
        for (i, column) in self.compared.columns.iter().enumerate() {
            let differs = batch.column(&differs(&column.name))?.bool()?;
            self.changed[i] += trues(differs);
            any = &any | differs;
            if let Some(sum) = &mut self.differences[i] {
                sum.add(batch.column(&after(&column.name))?)?;
                sum.subtract(batch.column(&before(&column.name))?)?;
            }
        }
        let (removed, added) = (!&is, !&was);
        self.rows.added += trues(&added);
        self.rows.removed += trues(&removed);
        self.rows.changed += trues(&any);
        for (change, rows) in [(Change::Changed, any), (Change::Added, added), (Change::Removed, removed)] {
            self.sample.add(change, batch, &rows)?;
        }
        Ok(())
    }
}

fn trues(values: &BooleanChunked) -> u64 {
    u64::from(values.sum().unwrap_or(0))
}

fn died() -> Error {
    Error::Internal("a comparison died".into())
}
