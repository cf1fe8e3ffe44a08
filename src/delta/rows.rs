//! Data files as lazy frames whose rows have positions: a bit for each says which are meant ([`Marks`]), so that no
//! decision about rows holds the rows themselves.

mod hash;
mod marks;

use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use polars::prelude::{
    DataFrame, DataType, Engine, Expr, HConcatOptions, IntoLazy, LazyFrame, PlSmallStr, PlanCallback, PolarsResult,
    SchemaRef, SortMultipleOptions, UnionArgs, col, concat, concat_lf_horizontal, len, lit, polars_err,
};

pub(super) use self::hash::hash;
pub(super) use self::marks::Marks;
use super::{DataFile, Error, Table, TableSchema};
use crate::expr;

/// The column of a row's position in narrow frames: file number in the upper half, row number in the lower.
pub(super) const POSITION: &str = "position";

/// The column of the row number within one file. Delta does not allow a tab in a name, so no column of a table has it.
const ROW: &str = "\trow";

/// Files that one query reads. Polars opens all of them at once, and with thousands it takes minutes.
const AT_ONCE: usize = 64;

/// A few row groups.
const ROWS_PER_CORE: usize = 1 << 18;

/// Data files of one schema, each a lazy frame that gives its rows in the same order every time.
#[derive(Clone)]
pub(super) struct Files {
    schema: SchemaRef,
    frames: Vec<LazyFrame>,
    origins: Vec<Option<Origin>>,
}

/// The data file that a frame reads.
#[derive(Clone)]
pub(super) struct Origin {
    pub table: Table,
    pub file: DataFile,
}

/// Which rows of [`Files`] a query reads.
#[derive(Clone, Copy)]
pub(super) enum Keep<'a> {
    All,
    Marked(&'a Arc<Marks>),
    Unmarked(&'a Arc<Marks>),
}

impl Files {
    /// Frames that read no data file.
    #[cfg(test)]
    pub(super) fn new(schema: SchemaRef, frames: Vec<LazyFrame>) -> Self {
        let origins = vec![None; frames.len()];
        Files { schema, frames, origins }
    }

    /// All rows of data files of a table, in the shape of a schema.
    pub(super) fn of_table(table: &Table, schema: &TableSchema, files: &[DataFile]) -> Result<Self, Error> {
        let frames = files.iter().map(|file| table.scan(schema, std::slice::from_ref(file)));
        let origins = files.iter().map(|file| Some(Origin { table: table.clone(), file: file.clone() })).collect();
        Ok(Files { schema: schema.to_polars(), frames: frames.collect::<Result<_, _>>()?, origins })
    }

    /// These files, then those of `other`, which have the same schema.
    pub(super) fn and(mut self, other: Files) -> Self {
        self.frames.extend(other.frames);
        self.origins.extend(other.origins);
        self
    }

    /// The same rows, each column of the type that `schema` has for it.
    pub(super) fn cast(self, schema: SchemaRef) -> Self {
        let other = |(name, ty): &(&PlSmallStr, &DataType)| self.schema.get(name) != Some(*ty);
        let casts: Vec<Expr> =
            schema.iter().filter(other).map(|(name, ty)| col(name.clone()).strict_cast(ty.clone())).collect();
        if casts.is_empty() {
            return self;
        }
        let frames = self.frames.into_iter().map(|frame| frame.with_columns(casts.clone())).collect();
        Files { schema, frames, origins: self.origins }
    }

    pub(super) fn len(&self) -> usize {
        self.frames.len()
    }

    /// `columns` and [`POSITION`] of the rows to keep.
    pub(super) fn narrow(&self, columns: &[Expr], keep: Keep) -> PolarsResult<LazyFrame> {
        self.narrow_some(&(0..self.len()).collect::<Vec<_>>(), columns, keep)
    }

    /// As [`Files::narrow`], of the files of these numbers.
    pub(super) fn narrow_some(&self, files: &[usize], columns: &[Expr], keep: Keep) -> PolarsResult<LazyFrame> {
        self.read(files, keep, |file, frame| {
            let position = (col(ROW).cast(DataType::UInt64) + lit((file as u64) << 32)).alias(POSITION);
            frame.select([columns, &[position]].concat())
        })
    }

    /// As [`Files::narrow_some`], carried out.
    pub(super) fn collect_some(&self, files: &[usize], columns: &[Expr], keep: Keep) -> PolarsResult<DataFrame> {
        let kept: Vec<usize> = files.iter().copied().filter(|&file| keep.keeps_any_of(file)).collect();
        stacked(&self.queries(&kept), |files| self.narrow_some(files, columns, keep))
    }

    /// Columns of marked rows and [`POSITION`], by which they are sorted.
    pub(super) fn marked(&self, files: &[usize], columns: &[Expr], marks: &Arc<Marks>) -> PolarsResult<DataFrame> {
        let mut rows = self.collect_some(files, columns, Keep::Marked(marks))?;
        if rows.column(POSITION)?.u64()?.into_no_null_iter().is_sorted() {
            rows.rechunk_mut();
            return Ok(rows);
        }
        rows.sort([POSITION], SortMultipleOptions::default())
    }

    /// As [`Files::narrow_some`], carried out where one query cannot open so many files.
    pub(super) fn narrow_many(&self, files: &[usize], columns: &[Expr], keep: Keep) -> PolarsResult<LazyFrame> {
        if files.len() > AT_ONCE {
            return Ok(self.collect_some(files, columns, keep)?.lazy());
        }
        self.narrow_some(files, columns, keep)
    }

    /// As [`Files::narrow`], piece by piece into what [`fold`] makes of them.
    pub(super) fn fold<S: Send + 'static>(
        &self,
        columns: &[Expr],
        begin: S,
        take: impl Fn(&mut S, &DataFrame) -> PolarsResult<()> + Clone + Send + Sync + 'static,
    ) -> PolarsResult<S> {
        let all: Vec<usize> = (0..self.len()).collect();
        let lot = |state, files: Vec<usize>| fold(self.narrow_some(&files, columns, Keep::All)?, state, take.clone());
        self.queries(&all).into_iter().try_fold(begin, lot)
    }

    /// The files of which rows are kept, in lots of so many rows or a file more. All rows of a file count, since all are
    /// read.
    pub(super) fn lots(&self, keep: Keep, rows: usize) -> Vec<Vec<usize>> {
        let files: Vec<usize> = (0..self.len()).filter(|&file| keep.keeps_any_of(file)).collect();
        self.lots_of(&files, usize::MAX, rows)
    }

    /// Lots that a query can open, each large enough for all cores.
    fn queries(&self, files: &[usize]) -> Vec<Vec<usize>> {
        self.lots_of(files, AT_ONCE, rows_for_all_cores())
    }

    /// One lot at least.
    fn lots_of(&self, files: &[usize], most: usize, enough: usize) -> Vec<Vec<usize>> {
        let told = |origin: &Origin| origin.file.rows().unwrap_or(ROWS_PER_CORE as u64);
        let rows = |file: usize| self.origins[file].as_ref().map_or(0, told);
        let (mut lots, mut lot, mut held) = (Vec::new(), Vec::new(), 0);
        for &file in files {
            if lot.len() == most || held >= enough as u64 {
                lots.push(std::mem::take(&mut lot));
                held = 0;
            }
            lot.push(file);
            held += rows(file);
        }
        lots.push(lot);
        lots
    }

    /// Some rows of one file beside those at the same places of a file of `other`, and [`POSITION`] in its file of both.
    pub(super) fn beside(
        &self,
        file: usize,
        columns: &[Expr],
        (other, theirs): (&Files, usize),
        their_columns: &[Expr],
        rows: Range<u32>,
    ) -> PolarsResult<LazyFrame> {
        let some = |frame: &LazyFrame| frame.clone().slice(rows.start.into(), rows.end - rows.start);
        let frames = [some(&self.frames[file]).select(columns), some(&other.frames[theirs]).select(their_columns)];
        let options = HConcatOptions { parallel: true, strict: true, ..HConcatOptions::default() };
        let both = concat_lf_horizontal(frames, options)?.with_row_index(ROW, Some(rows.start));
        Ok(both.with_columns([col(ROW).cast(DataType::UInt64).alias(POSITION)]))
    }

    /// All columns of the rows to keep in the files of these numbers.
    pub(super) fn rows(&self, files: &[usize], keep: Keep) -> PolarsResult<LazyFrame> {
        let columns: Vec<Expr> = self.schema.iter_names().map(|name| col(name.clone())).collect();
        self.read(files, keep, |_, frame| frame.select(&columns))
    }

    /// How many rows the log tells of the files of which rows are kept.
    pub(super) fn rows_told(&self, keep: Keep) -> Option<u64> {
        let kept = (0..self.len()).filter(|&file| keep.keeps_any_of(file));
        kept.map(|file| self.origins[file].as_ref()?.file.rows()).sum()
    }

    /// How many rows each file has.
    pub(super) fn counts(&self) -> PolarsResult<Vec<u64>> {
        self.counts_of(&(0..self.len()).collect::<Vec<_>>())
    }

    /// How many rows the files of these numbers have.
    pub(super) fn counts_of(&self, files: &[usize]) -> PolarsResult<Vec<u64>> {
        let count = |&file: &usize| self.frames[file].clone().select([len().cast(DataType::UInt64)]);
        let mut all = Vec::with_capacity(files.len());
        for files in files.chunks(AT_ONCE) {
            let counts = collect(concat(files.iter().map(count).collect::<Vec<_>>(), UnionArgs::default())?)?;
            all.extend(counts.columns()[0].u64()?.into_no_null_iter());
        }
        Ok(all)
    }

    /// Where the rows of a file come from, if from a data file.
    pub(super) fn origin(&self, file: usize) -> Option<&Origin> {
        self.origins[file].as_ref()
    }

    /// All rows of a file, in their order.
    pub(super) fn frame(&self, file: usize) -> LazyFrame {
        self.frames[file].clone()
    }

    /// The files of these numbers, numbered anew.
    pub(super) fn only(&self, files: &[usize]) -> Files {
        let frames = files.iter().map(|&file| self.frames[file].clone()).collect();
        let origins = files.iter().map(|&file| self.origins[file].clone()).collect();
        Files { schema: Arc::clone(&self.schema), frames, origins }
    }

    fn read(
        &self,
        files: &[usize],
        keep: Keep,
        select: impl Fn(usize, LazyFrame) -> LazyFrame,
    ) -> PolarsResult<LazyFrame> {
        let mut frames: Vec<LazyFrame> = files
            .iter()
            .filter(|&&file| keep.keeps_any_of(file))
            .map(|&file| select(file, keep.of(file, self.frames[file].clone())))
            .collect();
        match frames.len() {
            0 => Ok(select(0, DataFrame::empty_with_schema(&self.schema).lazy().with_row_index(ROW, None))),
            1 => Ok(frames.remove(0)),
            _ => concat(frames, UnionArgs::default()),
        }
    }
}

impl Keep<'_> {
    /// Whether rows of a file are kept.
    fn keeps_any_of(self, file: usize) -> bool {
        !matches!(self, Keep::Marked(marks) if marks.count(file) == 0)
    }

    /// The rows to keep, numbered. What lies before the first marked row and after the last is not read.
    fn of(self, file: usize, frame: LazyFrame) -> LazyFrame {
        match self {
            Keep::Marked(marks) => {
                let (first, rows) = marks.span(file);
                frame.slice(i64::from(first), rows).with_row_index(ROW, Some(first)).filter(marks.contain(file))
            }
            Keep::Unmarked(marks) if marks.count(file) > 0 => {
                frame.with_row_index(ROW, None).filter(marks.contain(file).not())
            }
            Keep::All | Keep::Unmarked(_) => frame.with_row_index(ROW, None),
        }
    }
}

/// Whether values of the type hold a double or float somewhere.
pub(super) fn has_floating(ty: &expr::Type) -> bool {
    match ty {
        expr::Type::Array(inner) => has_floating(inner),
        expr::Type::Struct(columns) => columns.iter().any(|column| has_floating(&column.ty)),
        other => other.is_floating(),
    }
}

/// So many rows keep all cores busy.
pub(super) fn rows_for_all_cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZeroUsize::get) * ROWS_PER_CORE
}

/// Runs a query and hands its result over piece by piece, in any order; `take` adds each to what came of those before.
pub(super) fn fold<S: Send + 'static>(
    frame: LazyFrame,
    begin: S,
    take: impl Fn(&mut S, &DataFrame) -> PolarsResult<()> + Send + Sync + 'static,
) -> PolarsResult<S> {
    let held = Arc::new(Mutex::new(Some(begin)));
    let state = Arc::clone(&held);
    let piece = PlanCallback::new(move |frame: DataFrame| match &mut *locked(&state) {
        Some(state) => take(state, &frame).map(|()| false),
        None => Ok(true),
    });
    frame.sink_batches(piece, false, None)?.collect_with_engine(Engine::Streaming)?;
    let folded = locked(&held).take();
    folded.ok_or_else(|| polars_err!(ComputeError: "the query went on after it ended"))
}

/// What a thread that panicked left behind is not asked for: the query has failed.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The results of queries over one lot of files after the other.
pub(super) fn stacked(
    lots: &[Vec<usize>],
    query: impl Fn(&[usize]) -> PolarsResult<LazyFrame>,
) -> PolarsResult<DataFrame> {
    let (first, more) = lots.split_first().map_or((&[][..], &[][..]), |(first, more)| (first.as_slice(), more));
    let mut rows = collect(query(first)?)?;
    for files in more {
        rows.vstack_mut_owned(collect(query(files)?)?)?;
    }
    Ok(rows)
}

/// Runs a query in bounded memory, as far as its result allows.
pub(super) fn collect(frame: LazyFrame) -> PolarsResult<DataFrame> {
    Ok(frame.collect_with_engine(Engine::Streaming)?.unwrap_single())
}

#[cfg(test)]
mod tests;
