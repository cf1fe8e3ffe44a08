//! Carries out a decision: files that stay, files that go, and what is left of the others in new files.

use std::sync::Arc;

use polars::prelude::{LazyFrame, PolarsResult};

use super::decide::Decision;
use crate::delta::rewrite::{Shape, at_once, write_apart};
use crate::delta::rows::{Files, Keep, Marks};
use crate::delta::write::FILE_BYTES;
use crate::delta::{DataFile, Error, Table, TableSchema};

/// Files of one side and the rows of them that go.
pub(super) struct Side {
    pub files: Vec<DataFile>,
    pub rows: Files,
    pub gone: Arc<Marks>,
}

/// What happens to the files of one side.
struct Fates {
    stay: Vec<DataFile>,
    go: Vec<DataFile>,
    /// numbers of the files that lose some of their rows
    shrink: Vec<usize>,
    /// how many rows these still have
    rows_left: u64,
}

/// What a merge changes.
pub(super) struct Rewritten {
    pub adds: Vec<DataFile>,
    pub removes: Vec<DataFile>,
    /// source files that are not to be committed
    pub unused: Vec<DataFile>,
}

impl Side {
    /// Looks at the number of rows of those files only that lose one.
    fn fates(&self) -> PolarsResult<Fates> {
        let mut fates = Fates { stay: Vec::new(), go: Vec::new(), shrink: Vec::new(), rows_left: 0 };
        let touched: Vec<usize> = (0..self.files.len()).filter(|&file| self.gone.count(file) > 0).collect();
        let mut counts = self.rows.counts_of(&touched)?.into_iter();
        for (number, file) in self.files.iter().enumerate() {
            let gone = self.gone.count(number);
            let left = if gone == 0 { None } else { counts.next().map(|rows| rows.saturating_sub(gone)) };
            match left {
                None => fates.stay.push(file.clone()),
                Some(left) => {
                    fates.go.push(file.clone());
                    fates.rows_left += left;
                    fates.shrink.extend((left > 0).then_some(number));
                }
            }
        }
        Ok(fates)
    }

    /// The rows that stay in the files that shrink, in lots of about the size of one full file.
    fn what_is_left(&self, fates: &Fates) -> PolarsResult<Vec<LazyFrame>> {
        let mut numbers = fates.shrink.clone();
        numbers.sort_by_key(|&number| (self.files[number].partition_values(), number));
        let (mut lots, mut bytes) = (Vec::<Vec<usize>>::new(), u64::MAX);
        for number in numbers {
            let size = self.files[number].size();
            bytes = bytes.saturating_add(size);
            if bytes > FILE_BYTES as u64 {
                lots.push(Vec::new());
                bytes = size;
            }
            lots.last_mut().into_iter().for_each(|lot| lot.push(number));
        }
        lots.iter().map(|lot| self.rows.rows(lot, Keep::Unmarked(&self.gone))).collect()
    }
}

impl Decision {
    /// Whether the numbers agree; they come from queries that know nothing of one another.
    pub(super) fn check(&self, table: &str, source_rows: u64) -> Result<(), Error> {
        let rows = &self.rows;
        let accounted = rows.inserted + rows.updated + rows.unchanged + rows.superseded == source_rows
            && rows.unchanged + rows.superseded == self.left_out.total()
            && rows.updated + rows.deleted == self.removed.total();
        let (out, removed) = (self.left_out.total(), self.removed.total());
        let what =
            || format!("the merge of {source_rows} rows does not add up: {rows:?}, {out} left out, {removed} removed");
        if accounted { Ok(()) } else { Err(Error::unreadable(table, what())) }
    }
}

/// Writes what is left of the files that lose rows. A source file that goes in as it is and a target file that loses
/// nothing are not touched.
pub(super) async fn rewrite(
    table: &Table,
    schema: &TableSchema,
    source: Side,
    target: Side,
) -> Result<Rewritten, Error> {
    let looked = tokio::task::spawn_blocking(move || -> PolarsResult<_> {
        let (ours, theirs) = (source.fates()?, target.fates()?);
        let left = [source.what_is_left(&ours)?, target.what_is_left(&theirs)?].concat();
        Ok((ours, theirs, left))
    });
    let (ours, theirs, left) = looked.await.map_err(|error| Error::Query(error.to_string()))??;
    let mut adds = ours.stay;
    if !left.is_empty() {
        let shape = Shape { file_bytes: FILE_BYTES, lanes: at_once(table.lake().memory()) / left.len() };
        let written = write_apart(table, schema, left, shape).await?;
        let (rows, expected) =
            (written.iter().filter_map(DataFile::rows).sum::<u64>(), ours.rows_left + theirs.rows_left);
        if rows != expected {
            table.remove_uncommitted(&written).await?;
            let what = format!("a merge wrote {rows} rows where {expected} were to be written");
            return Err(Error::unreadable(table.folder(), what));
        }
        adds.extend(written);
    }
    Ok(Rewritten { adds, removes: theirs.go, unused: ours.go })
}
