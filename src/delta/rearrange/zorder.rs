//! Rows along a curve that visits near values of several columns one after the other (Morton's), cut into files: each
//! file then has narrow bounds in every one of the columns, so that a reader who asks for values of one of them leaves
//! most files unread.
//!
//! No sort holds the table: a sample of at most [`SAMPLE`] rows of these columns says where the curve is to be cut, and
//! then all rows are read in as many passes as it takes with at most [`OPEN_FILES`] open, each row going into the file
//! of its stretch of the curve.

mod axis;
mod curve;

use std::ops::Range;
use std::sync::Arc;

use polars::prelude::{
    DataFrame, DataType, Engine, IdxCa, IdxSize, LazyFrame, PlanCallback, PolarsError, PolarsResult, col, lit,
};

use self::curve::Curve;
use super::Layout;
use crate::delta::rows::{collect, hash};
use crate::delta::write::BATCH_ROWS;
use crate::delta::{DataFile, Error, Snapshot, Writer};

/// The tag of an Add whose file holds a stretch of the curve; its value names the columns.
pub(super) const TAG: &str = "lakesmith.zorder";
/// More of them would leave too few bits for each.
pub(super) const MOST_COLUMNS: usize = 8;

const SAMPLE: u64 = 1 << 18;
/// More are not open at once however much memory there is.
const OPEN_FILES: usize = 8;
/// Each open file holds a row group that is not written yet, its frames and its pages.
const OPEN_FILE_BYTES: u64 = 128 << 20;
/// Delta allows no tab in a column's name.
const ROW: &str = "\trow";

/// The value of [`TAG`]. No column of a Delta table without column mapping has a comma in its name.
pub(super) fn tag(columns: &[String]) -> String {
    columns.join(",")
}

/// Writes the rows of some files of one partition along the curve.
///
/// # Errors
/// As [`crate::delta::Table::write`]. Nothing is left behind.
pub(super) async fn write(snapshot: &Snapshot, files: &[DataFile], layout: &Layout) -> Result<Vec<DataFile>, Error> {
    let bytes: u64 = files.iter().map(DataFile::size).sum();
    let stretches = usize::try_from(bytes.div_ceil(layout.ordered_bytes())).unwrap_or(usize::MAX);
    let (frame, columns) = (snapshot.scan_files(files)?, layout.z_order.clone());
    let all = frame.clone();
    let curve = tokio::task::spawn_blocking(move || Curve::new(&sample(&all, &columns)?, columns, stretches));
    let curve = Arc::new(curve.await.map_err(|error| Error::Query(error.to_string()))??);
    let mut written = Vec::new();
    let memory = snapshot.table().lake().memory().to_hold();
    let at_once = usize::try_from(memory.bytes() / OPEN_FILE_BYTES).unwrap_or(OPEN_FILES).clamp(1, OPEN_FILES);
    for first in (0..curve.stretches()).step_by(at_once) {
        let stretches = first..curve.stretches().min(first + at_once);
        match pass(snapshot, frame.clone(), &curve, stretches, layout).await {
            Ok(files) => written.extend(files),
            Err(error) => {
                snapshot.table().remove_uncommitted(&written).await?;
                return Err(error);
            }
        }
    }
    let tag = tag(&layout.z_order);
    Ok(written.into_iter().map(|file| file.with_tag(TAG, &tag)).collect())
}

/// Rows of some columns, evenly chosen and the same ones every time.
fn sample(frame: &LazyFrame, columns: &[String]) -> PolarsResult<DataFrame> {
    let wanted: Vec<_> = columns.iter().map(|name| col(name.as_str())).collect();
    let count = collect(frame.clone().select([polars::prelude::len().cast(DataType::UInt64)]))?;
    let rows = count.columns()[0].u64()?.get(0).unwrap_or(0);
    let one_of = rows.div_ceil(SAMPLE).max(1);
    let frame = frame.clone().select(&wanted).with_row_index(ROW, None);
    let chosen = (hash(&[ROW], 19) % lit(one_of)).eq(lit(0u64));
    collect(frame.filter(chosen).select(&wanted))
}

/// Writes some stretches of the curve, each into a file of its own.
async fn pass(
    snapshot: &Snapshot,
    frame: LazyFrame,
    curve: &Arc<Curve>,
    stretches: Range<usize>,
    layout: &Layout,
) -> Result<Vec<DataFile>, Error> {
    let (table, mut schema) = (snapshot.table(), snapshot.schema().clone());
    // An order that statistics do not tell is of no use to a reader.
    schema.stats_columns = schema.with_statistics().into_iter().chain(layout.z_order.clone()).collect();
    // Only a stretch much longer than the others, of equal values, makes more than one file.
    let file_bytes = layout.file_bytes.saturating_mul(2);
    let writer = |_| Ok(Writer::with_file_bytes(table.clone(), &schema, file_bytes)?.with_lanes(1));
    let writers: Arc<Vec<Writer>> = Arc::new(stretches.clone().map(writer).collect::<Result<_, Error>>()?);
    let (sinks, curve) = (Arc::clone(&writers), Arc::clone(curve));
    let query = tokio::task::spawn_blocking(move || -> PolarsResult<()> {
        let take = PlanCallback::new(move |frame: DataFrame| {
            share_out(&frame, &curve.stretch_of_each(&frame)?, stretches.start, &sinks)?;
            Ok::<bool, PolarsError>(false)
        });
        frame.sink_batches(take, false, Some(BATCH_ROWS))?.collect_with_engine(Engine::Streaming)?;
        Ok(())
    });
    let failure = match query.await {
        Ok(result) => result.map_err(Error::from).err(),
        Err(died) => Some(Error::Query(format!("the query died: {died}"))),
    };
    let writers = Arc::into_inner(writers).ok_or_else(|| Error::Query("the query went on after it ended".into()))?;
    finish(snapshot, writers, failure).await
}

fn share_out(frame: &DataFrame, stretches: &[usize], first: usize, writers: &[Writer]) -> PolarsResult<()> {
    let mut rows: Vec<Vec<IdxSize>> = vec![Vec::new(); writers.len()];
    for (row, stretch) in (0..).zip(stretches) {
        if let Some(rows) = stretch.checked_sub(first).and_then(|index| rows.get_mut(index)) {
            rows.push(row);
        }
    }
    for (rows, writer) in rows.into_iter().zip(writers).filter(|(rows, _)| !rows.is_empty()) {
        let part = frame.take(&IdxCa::from_vec(ROW.into(), rows))?;
        writer.write(part).map_err(|error| PolarsError::ComputeError(error.to_string().into()))?;
    }
    Ok(())
}

/// Closes all files; if anything failed, deletes them and tells the first cause.
async fn finish(snapshot: &Snapshot, writers: Vec<Writer>, failure: Option<Error>) -> Result<Vec<DataFile>, Error> {
    let (mut written, mut cause) = (Vec::new(), None);
    for writer in writers {
        match writer.finish().await {
            Ok(files) => written.extend(files),
            Err(error) => cause = cause.or(Some(error)),
        }
    }
    match cause.or(failure) {
        None => Ok(written),
        Some(error) => {
            snapshot.table().remove_uncommitted(&written).await?;
            Err(error)
        }
    }
}

#[cfg(test)]
mod tests;
