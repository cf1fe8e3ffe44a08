//! Compaction: many small files become few of the size that the writer aims at. Rows stay as they are, so readers of
//! changes need not look.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use futures::stream::{self, StreamExt};
use serde_json::{Map, Value};

use super::write::FILE_BYTES;
use super::{Change, DataFile, Error, Operation, Snapshot, Writer};

/// A file of less than this share of the wanted size is small. The writer closes no file below it but the last of each
/// partition, hence what was compacted once is left alone.
const SMALL: usize = 2;

/// Rewrites the small files of each partition, and those with a deletion vector, into files of the usual size, in one
/// commit with dataChange = false. `None`: there was nothing to gain, and nothing was committed.
///
/// # Errors
/// [`Error::Lost`] if the table has moved on since the snapshot; else as [`super::Table::write`].
pub async fn compact(snapshot: &Snapshot, note: Map<String, Value>) -> Result<Option<i64>, Error> {
    compact_to(snapshot, note, FILE_BYTES).await
}

async fn compact_to(snapshot: &Snapshot, note: Map<String, Value>, file_bytes: usize) -> Result<Option<i64>, Error> {
    let lots = lots(snapshot.files(), (file_bytes / SMALL) as u64);
    if lots.is_empty() {
        return Ok(None);
    }
    let at_once = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let written: Vec<Result<Vec<DataFile>, Error>> =
        stream::iter(&lots).map(|lot| rewritten(snapshot, lot, file_bytes)).buffer_unordered(at_once).collect().await;
    let (written, failed): (Vec<_>, Vec<_>) = written.into_iter().partition(Result::is_ok);
    let adds: Vec<DataFile> = written.into_iter().flatten().flatten().collect();
    if let Some(Err(error)) = failed.into_iter().next() {
        snapshot.table().remove_uncommitted(&adds).await?;
        return Err(error);
    }
    let removes = lots.concat();
    let change = Change { adds, removes, rearranges: true, operation: Operation::Optimize, note, ..Change::default() };
    snapshot.table().commit(snapshot, change).await.map(Some)
}

/// The files to be rewritten together: those of one partition, if that makes fewer of them or rids them of deletion
/// vectors.
fn lots(files: &[DataFile], small: u64) -> Vec<Vec<DataFile>> {
    let mut lots: BTreeMap<_, Vec<DataFile>> = BTreeMap::new();
    for file in files.iter().filter(|file| file.size() < small || file.has_deletion_vector()) {
        lots.entry(file.partition_values()).or_default().push(file.clone());
    }
    lots.into_values().filter(|lot| lot.len() > 1 || lot.iter().any(DataFile::has_deletion_vector)).collect()
}

async fn rewritten(snapshot: &Snapshot, lot: &[DataFile], file_bytes: usize) -> Result<Vec<DataFile>, Error> {
    let (table, schema) = (snapshot.table(), snapshot.schema());
    let writer = Writer::with_file_bytes(table.clone(), schema, file_bytes)?.on_one_lane();
    let written = writer.write_query(table.scan(schema, lot)?).await?;
    let rows = |files: &[DataFile]| files.iter().map(DataFile::rows).sum::<Option<u64>>();
    match rows(lot) {
        Some(before) if rows(&written) != Some(before) => {
            table.remove_uncommitted(&written).await?;
            let what = format!("compaction read {:?} rows where the log says {before}", rows(&written));
            Err(Error::unreadable(table.folder(), what))
        }
        _ => Ok(written),
    }
}

#[cfg(test)]
mod tests;
