//! Old files into new ones, several at a time. Each lot of files is written apart from the others: rows that lay
//! together stay together, so statistics go on telling which file may hold a value.

use std::num::NonZeroUsize;

use futures::stream::{self, StreamExt};
use polars::prelude::LazyFrame;

use super::{DataFile, Error, Table, TableSchema, Writer};
use crate::memory::Memory;

/// Into what kind of files frames are written.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    /// a file is closed when it has so many bytes
    pub file_bytes: usize,
    /// how many threads write one frame; each may leave one small file for each partition
    pub lanes: usize,
}

/// A query that reads and writes files holds some hundred pieces of its rows.
const QUERY_BYTES: u64 = 256 << 20;

/// How many frames are written at the same time.
pub(super) fn at_once(memory: Memory) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    cores.min(usize::try_from(memory.bytes() / QUERY_BYTES).unwrap_or(cores)).max(1)
}

/// Writes each frame into files of its own.
///
/// # Errors
/// As [`Table::write`]. Nothing is left behind.
pub(super) async fn write_apart(
    table: &Table,
    schema: &TableSchema,
    frames: Vec<LazyFrame>,
    shape: Shape,
) -> Result<Vec<DataFile>, Error> {
    Ok(write_each(table, schema, frames, shape).await?.concat())
}

/// As [`write_apart`]; gives the files of each frame.
///
/// # Errors
/// As [`write_apart`].
pub(super) async fn write_each(
    table: &Table,
    schema: &TableSchema,
    frames: Vec<LazyFrame>,
    shape: Shape,
) -> Result<Vec<Vec<DataFile>>, Error> {
    let write = |frame| async move {
        let writer = Writer::with_file_bytes(table.clone(), schema, shape.file_bytes)?;
        writer.with_lanes(shape.lanes).write_query(frame, |_| ()).await
    };
    let results: Vec<Result<Vec<DataFile>, Error>> =
        stream::iter(frames).map(write).buffered(at_once(table.lake().memory())).collect().await;
    let (mut written, mut failure) = (Vec::new(), None);
    for result in results {
        match result {
            Ok(files) => written.push(files),
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    match failure {
        None => Ok(written),
        Some(error) => {
            table.remove_uncommitted(&written.concat()).await?;
            Err(error)
        }
    }
}
