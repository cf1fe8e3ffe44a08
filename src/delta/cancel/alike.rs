//! Two files of which one was made from the other: the parts in which nothing changed were copied as they were stored
//! (`write/patch.rs`), and what is stored alike need not be decoded to be equal.

use std::ops::Range;

use deltalake::logstore::object_store::ObjectStore;
use deltalake::parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, RowGroupMetaData};
use deltalake::parquet::schema::types::SchemaDescriptor;
use futures::stream::{self, StreamExt, TryStreamExt};

use crate::delta::Error;
use crate::delta::rows::Origin;
use crate::delta::table::object_path;
use crate::delta::write::footer;
use crate::expr::Column;

/// Row groups that are looked at at once.
const AT_ONCE: usize = 8;
/// What is stored of a row group in more bytes is not held to be compared.
const MOST_BYTES: u64 = 16 << 20;

/// The rows that may differ in `columns`, none of them nested, from those at their places in the other file; `None`: the
/// files do not tell.
///
/// # Errors
/// One of them cannot be read.
pub(super) async fn unlike(
    ours: &Origin,
    theirs: &Origin,
    columns: &[Column],
) -> Result<Option<Vec<Range<u32>>>, Error> {
    let hidden = ours.file.has_deletion_vector() || theirs.file.has_deletion_vector();
    if hidden || ours.file.partition_values() != theirs.file.partition_values() {
        return Ok(None);
    }
    let (old, new) = futures::try_join!(footer(&ours.table, &ours.file), footer(&theirs.table, &theirs.file))?;
    let Some(leaves) = leaves(&old, &new, columns) else { return Ok(None) };
    if !old
        .row_groups()
        .iter()
        .map(RowGroupMetaData::num_rows)
        .eq(new.row_groups().iter().map(RowGroupMetaData::num_rows))
    {
        return Ok(None);
    }
    let chunks = |group: &RowGroupMetaData, of: fn(&(usize, usize)) -> usize| -> Vec<ColumnChunkMetaData> {
        leaves.iter().map(|leaf| group.column(of(leaf)).clone()).collect()
    };
    let mut groups = Vec::new();
    let mut first = 0;
    for (old, new) in old.row_groups().iter().zip(new.row_groups()) {
        let rows = first..first + old.num_rows().max(0) as u32;
        first = rows.end;
        groups.push((rows, chunks(old, |leaf| leaf.0), chunks(new, |leaf| leaf.1)));
    }
    let looked = stream::iter(groups).map(|(rows, old, new)| async move {
        let alike = stored_alike((ours, &old), (theirs, &new)).await?;
        Ok::<_, Error>((!alike).then_some(rows))
    });
    let unlike: Vec<Option<Range<u32>>> = looked.buffered(AT_ONCE).try_collect().await?;
    Ok(Some(joined(unlike.into_iter().flatten())))
}

/// Where each file has the columns; one that neither has is NULL in both.
fn leaves(old: &ParquetMetaData, new: &ParquetMetaData, columns: &[Column]) -> Option<Vec<(usize, usize)>> {
    let (old, new) = (old.file_metadata().schema_descr(), new.file_metadata().schema_descr());
    let mut leaves = Vec::new();
    for column in columns {
        let find = |schema: &SchemaDescriptor| {
            schema.columns().iter().position(|leaf| leaf.path().parts().first() == Some(&column.name))
        };
        match (find(old), find(new)) {
            (Some(ours), Some(theirs)) if old.column(ours) == new.column(theirs) => leaves.push((ours, theirs)),
            (None, None) => {}
            _ => return None,
        }
    }
    Some(leaves)
}

/// Whether these column chunks have the same bytes, and those the same meaning.
async fn stored_alike(
    (ours, old): (&Origin, &[ColumnChunkMetaData]),
    (theirs, new): (&Origin, &[ColumnChunkMetaData]),
) -> Result<bool, Error> {
    let length = |chunk: &ColumnChunkMetaData| chunk.byte_range().1;
    let may_be = |(old, new): (&ColumnChunkMetaData, &ColumnChunkMetaData)| {
        length(old) == length(new)
            && old.compression() == new.compression()
            && old.dictionary_page_offset().is_some() == new.dictionary_page_offset().is_some()
    };
    if old.iter().map(length).sum::<u64>() > MOST_BYTES || !old.iter().zip(new).all(may_be) {
        return Ok(false);
    }
    let (old, new) = futures::try_join!(stored(ours, old), stored(theirs, new))?;
    Ok(old == new)
}

async fn stored(origin: &Origin, chunks: &[ColumnChunkMetaData]) -> Result<Vec<bytes::Bytes>, Error> {
    let store = origin.table.log_store()?.object_store(None);
    let ranges: Vec<Range<u64>> =
        chunks.iter().map(ColumnChunkMetaData::byte_range).map(|(start, length)| start..start + length).collect();
    let bytes = store.get_ranges(&object_path(origin.file.path()), &ranges).await;
    bytes.map_err(|error| Error::object(origin.file.path(), &error))
}

/// Ranges that follow one another as one.
fn joined(ranges: impl Iterator<Item = Range<u32>>) -> Vec<Range<u32>> {
    let mut joined: Vec<Range<u32>> = Vec::new();
    for range in ranges {
        match joined.last_mut() {
            Some(last) if last.end == range.start => last.end = range.end,
            _ => joined.push(range),
        }
    }
    joined
}

#[cfg(test)]
mod tests;
