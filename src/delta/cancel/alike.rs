//! Two files of which one was made from the other: the parts in which nothing changed were copied as they were stored
//! (`write/patch.rs`), and what is stored alike need not be decoded to be equal.

use std::ops::Range;

use deltalake::logstore::object_store::ObjectStore;
use deltalake::parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};
use deltalake::parquet::schema::types::SchemaDescriptor;
use futures::stream::{self, StreamExt, TryStreamExt};

use crate::delta::Error;
use crate::delta::rows::Origin;
use crate::delta::table::object_path;
use crate::delta::write::footer;
use crate::expr::Column;

/// Row groups that are looked at at once.
const AT_ONCE: usize = 4;
/// Bytes of a row group that are held at once to be compared. A column chunk that has more is not.
const MOST_BYTES: u64 = 8 << 20;
/// Ranges that are read of one file, each by a query of its own.
const MOST_RANGES: usize = 4;

/// By what row groups are taken for alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    /// their bytes, which prove it
    Bytes,
    /// sizes and statistics in the footers, which make it likely: enough to foresee what a comparison will cost
    Footer,
}

/// Of two files of so many rows each, those that may differ in `columns`, none of them nested, from those at their places
/// in the other file; `None`: the files do not tell.
///
/// # Errors
/// One of them cannot be read.
pub(super) async fn unlike(
    ours: &Origin,
    theirs: &Origin,
    columns: &[Column],
    rows: u64,
    proof: Proof,
) -> Result<Option<Vec<Range<u32>>>, Error> {
    let hidden = ours.file.has_deletion_vector() || theirs.file.has_deletion_vector();
    if hidden || ours.file.partition_values() != theirs.file.partition_values() {
        return Ok(None);
    }
    let (old, new) = futures::try_join!(footer(&ours.table, &ours.file), footer(&theirs.table, &theirs.file))?;
    let (Some(places), Some(leaves)) = (places(&old, &new, rows), leaves(&old, &new, columns)) else { return Ok(None) };
    let groups = places.into_iter().zip(old.row_groups().iter().zip(new.row_groups()));
    let looks: Vec<_> = groups
        .map(|(rows, (old, new))| {
            let chunks: Vec<_> = leaves.iter().map(|leaf| (old.column(leaf.0), new.column(leaf.1))).collect();
            async move {
                let likely = chunks.iter().all(|(old, new)| may_be_alike(old, new));
                let alike = likely && (proof == Proof::Footer || stored_alike(ours, theirs, &chunks).await?);
                Ok::<_, Error>((!alike).then_some(rows))
            }
        })
        .collect();
    let unlike: Vec<Option<Range<u32>>> = stream::iter(looks).buffered(AT_ONCE).try_collect().await?;
    Ok(Some(joined(unlike.into_iter().flatten())))
}

/// The rows of each row group, if both files have the same ones and these are all rows.
fn places(old: &ParquetMetaData, new: &ParquetMetaData, rows: u64) -> Option<Vec<Range<u32>>> {
    let counts = |file: &ParquetMetaData| {
        file.row_groups().iter().map(|group| u32::try_from(group.num_rows()).ok()).collect::<Option<Vec<_>>>()
    };
    let counts = counts(old).filter(|ours| counts(new).as_ref() == Some(ours))?;
    let (mut places, mut first) = (Vec::with_capacity(counts.len()), 0u32);
    for count in counts {
        let end = first.checked_add(count)?;
        places.push(first..end);
        first = end;
    }
    (u64::from(first) == rows).then_some(places)
}

/// Where each file has the columns; one that neither has is NULL in both.
fn leaves(old: &ParquetMetaData, new: &ParquetMetaData, columns: &[Column]) -> Option<Vec<(usize, usize)>> {
    if types_of_arrow(old) != types_of_arrow(new) {
        return None;
    }
    let (old, new) = (old.file_metadata().schema_descr(), new.file_metadata().schema_descr());
    let mut leaves = Vec::new();
    for column in columns {
        let find = |schema: &SchemaDescriptor| {
            schema.columns().iter().position(|leaf| leaf.path().parts().first() == Some(&column.name))
        };
        match (find(old), find(new)) {
            (None, None) => {}
            (Some(ours), Some(theirs)) if old.column(ours) == new.column(theirs) => {
                if old.column(ours).path().parts().len() > 1 {
                    return None;
                }
                leaves.push((ours, theirs));
            }
            _ => return None,
        }
    }
    Some(leaves)
}

/// What some writers note of their types beside those of Parquet, and readers go by.
fn types_of_arrow(file: &ParquetMetaData) -> Option<&String> {
    let noted = file.file_metadata().key_value_metadata()?;
    noted.iter().find(|pair| pair.key == "ARROW:schema")?.value.as_ref()
}

/// Whether two column chunks, as the footers describe them, may be the same bytes with the same meaning.
fn may_be_alike(old: &ColumnChunkMetaData, new: &ColumnChunkMetaData) -> bool {
    let told = |chunk: &ColumnChunkMetaData| {
        let dictionary = chunk.dictionary_page_offset().is_some();
        (chunk.compressed_size(), chunk.uncompressed_size(), chunk.num_values(), chunk.compression(), dictionary)
    };
    told(old) == told(new) && old.statistics() == new.statistics()
}

/// Whether these column chunks are the same bytes.
async fn stored_alike(
    ours: &Origin,
    theirs: &Origin,
    chunks: &[(&ColumnChunkMetaData, &ColumnChunkMetaData)],
) -> Result<bool, Error> {
    let ranges = chunks.iter().map(|(old, new)| range(old).zip(range(new)));
    let Some(ranges) = ranges.collect::<Option<Vec<_>>>() else { return Ok(false) };
    let mut rest = ranges.as_slice();
    while !rest.is_empty() {
        let mut bytes = 0u64;
        let fits = |(old, _): &&(Range<u64>, Range<u64>)| {
            bytes = bytes.saturating_add(old.end - old.start);
            bytes <= MOST_BYTES
        };
        let (portion, others) = rest.split_at(rest.iter().take_while(fits).count());
        let (old, new): (Vec<_>, Vec<_>) = portion.iter().cloned().unzip();
        if old.is_empty() {
            return Ok(false);
        }
        let (old, new) = futures::try_join!(stored(ours, &old), stored(theirs, &new))?;
        if old != new {
            return Ok(false);
        }
        rest = others;
    }
    Ok(true)
}

/// Where a column chunk is stored; `None` where its footer is nonsense.
fn range(chunk: &ColumnChunkMetaData) -> Option<Range<u64>> {
    let start = chunk.dictionary_page_offset().unwrap_or_else(|| chunk.data_page_offset());
    let (start, length) = (u64::try_from(start).ok()?, u64::try_from(chunk.compressed_size()).ok()?);
    Some(start..start.checked_add(length)?)
}

async fn stored(origin: &Origin, ranges: &[Range<u64>]) -> Result<Vec<bytes::Bytes>, Error> {
    let store = origin.table.log_store()?.object_store(None);
    let bytes = store.get_ranges(&object_path(origin.file.path()), ranges).await;
    bytes.map_err(|error| Error::object(origin.file.path(), &error))
}

/// Ranges that follow one another as one; where they would still be many, those that lie near one another too.
fn joined(ranges: impl Iterator<Item = Range<u32>>) -> Vec<Range<u32>> {
    let mut joined: Vec<Range<u32>> = Vec::new();
    for range in ranges.filter(|range| !range.is_empty()) {
        match joined.last_mut() {
            Some(last) if last.end == range.start => last.end = range.end,
            _ => joined.push(range),
        }
    }
    while joined.len() > MOST_RANGES {
        let gap = |&at: &usize| joined[at + 1].start - joined[at].end;
        let nearest = (0..joined.len() - 1).min_by_key(gap).unwrap_or_default();
        joined[nearest].end = joined[nearest + 1].end;
        joined.remove(nearest + 1);
    }
    joined
}

#[cfg(test)]
mod tests;
