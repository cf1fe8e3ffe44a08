//! Compaction: many small files become few of the size that the writer aims at. Rows stay as they are, so readers of
//! changes need not look.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::rewrite::{Shape, write_apart};
use super::write::FILE_BYTES;
use super::{Change, DataFile, Error, Operation, Snapshot};

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
    let (table, schema) = (snapshot.table(), snapshot.schema());
    let frames = lots.iter().map(|lot| table.scan(schema, lot)).collect::<Result<_, _>>()?;
    let removes = lots.concat();
    let adds = write_apart(table, schema, frames, Shape { file_bytes, lanes: 1 }).await?;
    let rows = |files: &[DataFile]| files.iter().map(DataFile::rows).sum::<Option<u64>>();
    if let Some(before) = rows(&removes).filter(|before| rows(&adds) != Some(*before)) {
        table.remove_uncommitted(&adds).await?;
        let what = format!("compaction read {:?} rows where the log says {before}", rows(&adds));
        return Err(Error::unreadable(table.folder(), what));
    }
    let change = Change { adds, removes, rearranges: true, operation: Operation::Optimize, note, ..Change::default() };
    table.commit(snapshot, change).await.map(Some)
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

#[cfg(test)]
mod tests;
