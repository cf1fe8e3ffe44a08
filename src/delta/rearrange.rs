//! Files are rewritten, rows stay as they are: many small files become few, and rows that are often asked for together
//! come to lie together. Readers of changes need not look.

mod layout;
mod zorder;

use std::collections::BTreeSet;

use serde_json::{Map, Value};

pub use self::layout::{Layout, untidy};
use self::layout::{Lot, lots};
use super::file::FileId;
use super::rewrite::{Shape, write_each};
use super::{Change, DataFile, Error, Operation, Snapshot, Table};

/// How often a commit that lost is tried again upon the winner's.
const ATTEMPTS: usize = 20;

/// What became of the files of a table.
#[derive(Clone, Debug)]
pub struct Rearranged {
    /// the version that the commit made
    pub version: i64,
    /// files that went
    pub removed: Vec<DataFile>,
    /// files that came
    pub added: Vec<DataFile>,
}

/// Some files and those that hold the same rows, which no commit names yet.
struct Rewritten {
    removes: Vec<DataFile>,
    adds: Vec<DataFile>,
}

/// [`rearrange`] with the usual size of files and nothing else; gives the version.
///
/// # Errors
/// As [`rearrange`].
pub async fn compact(snapshot: &Snapshot, note: Map<String, Value>) -> Result<Option<i64>, Error> {
    Ok(rearrange(snapshot, &Layout::default(), note).await?.map(|done| done.version))
}

/// Rewrites the files that do not lie as `layout` has it, in one commit with dataChange = false; deletion vectors are
/// applied. What other writers commit meanwhile does no harm: the same rows go into the version that follows theirs, but
/// for files that they have replaced. `None`: there was nothing to gain, and nothing was committed.
///
/// # Errors
/// [`Error::Lost`] if others have replaced all that was to be rewritten; [`Error::Invalid`] if rows cannot be brought
/// into such an order; else as [`Table::write`].
pub async fn rearrange(
    snapshot: &Snapshot,
    layout: &Layout,
    note: Map<String, Value>,
) -> Result<Option<Rearranged>, Error> {
    layout.check(snapshot)?;
    let lots = lots(snapshot.files(), layout);
    if lots.is_empty() {
        return Ok(None);
    }
    let rewritten = rewrite(snapshot, lots, layout).await?;
    publish(snapshot, rewritten, note).await.map(Some)
}

async fn rewrite(snapshot: &Snapshot, lots: Vec<Lot>, layout: &Layout) -> Result<Vec<Rewritten>, Error> {
    let (table, schema) = (snapshot.table(), snapshot.schema());
    let (ordered, plain): (Vec<Lot>, Vec<Lot>) = lots.into_iter().partition(|lot| lot.z_order);
    let frames = plain.iter().map(|lot| snapshot.scan_files(&lot.files)).collect::<Result<_, _>>()?;
    let adds = write_each(table, schema, frames, Shape { file_bytes: layout.file_bytes, lanes: 1 }).await?;
    let mut done: Vec<Rewritten> =
        plain.into_iter().zip(adds).map(|(lot, adds)| Rewritten { removes: lot.files, adds }).collect();
    let mut failure = None;
    for lot in ordered {
        match zorder::write(snapshot, &lot.files, layout).await {
            Ok(adds) => done.push(Rewritten { removes: lot.files, adds }),
            Err(error) => {
                failure = Some(error);
                break;
            }
        }
    }
    match failure.or_else(|| done.iter().find_map(|lot| lot.miscounted(table))) {
        None => Ok(done),
        Some(error) => {
            discard(table, &done).await?;
            Err(error)
        }
    }
}

impl Rewritten {
    fn miscounted(&self, table: &Table) -> Option<Error> {
        let rows = |files: &[DataFile]| files.iter().map(DataFile::rows).sum::<Option<u64>>();
        let (before, after) = (rows(&self.removes)?, rows(&self.adds)?);
        let what = format!("compaction read {after} rows where the log says {before}");
        (before != after).then(|| Error::unreadable(table.folder(), what))
    }
}

async fn discard(table: &Table, lots: &[Rewritten]) -> Result<(), Error> {
    let adds: Vec<DataFile> = lots.iter().flat_map(|lot| lot.adds.clone()).collect();
    table.remove_uncommitted(&adds).await
}

/// The same rows stand in other files: whatever else happened, that is right as long as the old files are the table's.
async fn publish(snapshot: &Snapshot, mut lots: Vec<Rewritten>, note: Map<String, Value>) -> Result<Rearranged, Error> {
    let (table, mut base) = (snapshot.table(), snapshot.clone());
    for _ in 0..ATTEMPTS {
        let added: Vec<DataFile> = lots.iter().flat_map(|lot| lot.adds.clone()).collect();
        let removed: Vec<DataFile> = lots.iter().flat_map(|lot| lot.removes.clone()).collect();
        let change = Change {
            adds: added.clone(),
            removes: removed.clone(),
            rearranges: true,
            operation: Operation::Optimize,
            note: note.clone(),
            ..Change::default()
        };
        match table.commit(&base, change).await {
            Ok(version) => return Ok(Rearranged { version, removed, added }),
            Err(Error::Lost { .. }) => {}
            Err(error) => return Err(error),
        }
        let Some(fresh) = table.snapshot().await? else { break };
        let files: BTreeSet<FileId> = fresh.files().iter().map(DataFile::own_id).collect();
        let stands = |lot: &Rewritten| lot.removes.iter().all(|file| files.contains(&file.own_id()));
        let (standing, replaced): (Vec<_>, Vec<_>) = lots.into_iter().partition(stands);
        discard(table, &replaced).await?;
        (lots, base) = (standing, fresh);
        if lots.is_empty() {
            break;
        }
    }
    discard(table, &lots).await?;
    Err(Error::lost(table.folder(), base.version() + 1))
}

#[cfg(test)]
mod tests;
