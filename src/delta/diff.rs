//! What changed between two versions of a table, by their data files alone: it needs no commit between them and no
//! change-data feed, and sees what any engine did. Where the log still has the commits between them, what only
//! rearranged files is left out.

mod net;

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;

use polars::prelude::{LazyFrame, PolarsError, PolarsResult};

use super::cancel::cancel;
use super::evolve::widens;
use super::file::FileId;
use super::rows::{Files, Keep};
use super::{DataFile, Error, Snapshot, TableSchema, merge};

/// Files whose rows tell two versions apart: all rows of `added` less all rows of `removed` are the difference.
#[derive(Clone, Debug, Default)]
pub struct FileDiff {
    /// rows that went
    pub removed: Vec<DataFile>,
    /// rows that came
    pub added: Vec<DataFile>,
}

/// Rows of one version that the other does not have, as multisets.
#[derive(Clone)]
pub struct RowDiff {
    /// of the earlier version
    pub removed: LazyFrame,
    /// of the later one
    pub added: LazyFrame,
    /// how many rows `removed` and `added` have
    pub rows: (u64, u64),
    /// the size of the files that were looked into
    pub bytes_read: u64,
}

/// The files whose rows tell `p` from `q`: those of one version that the other does not have or, where the log still
/// tells what was merely rearranged between them and that is less, those of the commits that changed rows. Then a file
/// may be one that neither of the two has, or stand there several times. A file is its path and its deletion vector.
///
/// # Errors
/// [`Error::Storage`].
pub async fn file_diff(p: &Snapshot, q: &Snapshot) -> Result<FileDiff, Error> {
    let plain = plain(p, q);
    if plain.bytes() == 0 || p.table_id() != q.table_id() || p.version() >= q.version() {
        return Ok(plain);
    }
    Ok(net::net(p, q).await?.filter(|net| net.bytes() < plain.bytes()).unwrap_or(plain))
}

fn plain(p: &Snapshot, q: &Snapshot) -> FileDiff {
    // Two tables do not share files, even if these have the same names.
    if p.table_id() != q.table_id() {
        return FileDiff { removed: p.files().to_vec(), added: q.files().to_vec() };
    }
    let ids = |snapshot: &Snapshot| -> BTreeMap<FileId, DataFile> {
        snapshot.files().iter().map(|file| (file.own_id(), file.clone())).collect()
    };
    let (old, new) = (ids(p), ids(q));
    let only = |these: &BTreeMap<FileId, DataFile>, others: &BTreeMap<FileId, DataFile>| {
        these.iter().filter(|(id, _)| !others.contains_key(*id)).map(|(_, file)| file.clone()).collect()
    };
    FileDiff { removed: only(&old, &new), added: only(&new, &old) }
}

impl FileDiff {
    /// Whether the two versions have the same rows, as far as files tell.
    pub fn is_empty(&self) -> bool {
        self.removed.is_empty() && self.added.is_empty()
    }

    /// The size of all its files.
    pub fn bytes(&self) -> u64 {
        self.removed.iter().chain(&self.added).map(DataFile::size).sum()
    }
}

/// The rows that tell `p` from `q`, in some columns of `q` or all of them. A column that `p` lacks is NULL there. NULL
/// is the same as NULL, NaN as NaN, and doubles are the same within the tolerance of a merge. The files of
/// [`file_diff`] are read and no others.
///
/// # Errors
/// [`Error::Invalid`] if a column has another type in `p`, so that values cannot be compared; [`Error::Gone`] if a file
/// that is needed was deleted meanwhile.
pub async fn row_diff(p: &Snapshot, q: &Snapshot, columns: Option<&[String]>) -> Result<RowDiff, Error> {
    let files = file_diff(p, q).await?;
    let schema = chosen(p, q.schema(), columns)?;
    let of_p: BTreeSet<FileId> = p.files().iter().map(DataFile::own_id).collect();
    // Each version may stand in a lake of its own; what neither has, a commit of the later one has named.
    let (own, passing) = files.removed.iter().cloned().partition::<Vec<_>, _>(|file| of_p.contains(&file.own_id()));
    let before = within(schema.clone(), &p.schema().partition_by);
    let removed = merge::files(p.table(), &before, &own)?.and(merge::files(q.table(), &before, &passing)?);
    let added = merge::files(q.table(), &schema, &files.added)?;
    cancelled(p, schema, removed, added, files.bytes()).await
}

/// The rows that would tell a table from `p` if `files`, which no commit names yet, held all its rows, in some columns
/// of `schema` or all of them; else as [`row_diff`].
///
/// # Errors
/// As [`row_diff`].
pub async fn replacement_diff(
    p: &Snapshot,
    schema: &TableSchema,
    files: &[DataFile],
    columns: Option<&[String]>,
) -> Result<RowDiff, Error> {
    let schema = chosen(p, schema, columns)?;
    let before = within(schema.clone(), &p.schema().partition_by);
    let removed = merge::files(p.table(), &before, p.files())?;
    let added = merge::files(p.table(), &schema, files)?;
    let bytes = p.bytes() + files.iter().map(DataFile::size).sum::<u64>();
    cancelled(p, schema, removed, added, bytes).await
}

/// What is left of the rows of both sides.
async fn cancelled(
    p: &Snapshot,
    schema: TableSchema,
    removed: Files,
    added: Files,
    bytes_read: u64,
) -> Result<RowDiff, Error> {
    let cancelled = tokio::task::spawn_blocking(move || -> PolarsResult<_> {
        let rest = cancel(&removed, &added, &schema.columns)?;
        let rows = |files: &Files, marks| files.rows(&(0..files.len()).collect::<Vec<_>>(), Keep::Marked(marks));
        let counts = (rest.left.total(), rest.right.total());
        Ok((rows(&removed, &rest.left)?, rows(&added, &rest.right)?, counts))
    });
    let cancelled = cancelled.await.map_err(|error| Error::Query(error.to_string()))?;
    let (removed, added, rows) = cancelled.map_err(|error| gone(p, error))?;
    Ok(RowDiff { removed, added, rows, bytes_read })
}

/// The log may still know of files that were vacuumed.
fn gone(p: &Snapshot, error: PolarsError) -> Error {
    let missing =
        |error: &PolarsError| matches!(error, PolarsError::IO { error, .. } if error.kind() == ErrorKind::NotFound);
    let mut root = &error;
    while let PolarsError::Context { error, .. } = root {
        root = error;
    }
    if !missing(root) {
        return error.into();
    }
    let what = format!("files were deleted, so what changed since version {} cannot be told", p.version());
    Error::gone(p.table().folder(), what)
}

/// The later schema with the columns to compare alone.
fn chosen(p: &Snapshot, later: &TableSchema, columns: Option<&[String]>) -> Result<TableSchema, Error> {
    let folder = p.table().folder();
    let mut schema = later.clone();
    if let Some(columns) = columns {
        let find = |name: &String| {
            let column = schema.columns.iter().find(|column| &column.name == name).cloned();
            column.ok_or_else(|| Error::invalid(folder, format!("there is no column `{name}`")))
        };
        schema.columns = columns.iter().map(find).collect::<Result<_, _>>()?;
    }
    for column in &schema.columns {
        let earlier = p.schema().ty(&column.name);
        if earlier.is_some_and(|earlier| !widens(earlier, &column.ty)) {
            let was = earlier.map(ToString::to_string).unwrap_or_default();
            let (name, version) = (&column.name, p.version());
            let what =
                format!("`{name}` was {was} in version {version} and is {} now: the two cannot be compared", column.ty);
            return Err(Error::invalid(folder, what));
        }
    }
    Ok(within(schema, &later.partition_by))
}

/// The same columns, partitioned as a version was that may have had other partitions.
fn within(schema: TableSchema, partition_by: &[String]) -> TableSchema {
    let partition_by = partition_by.iter().filter(|name| schema.ty(name).is_some()).cloned().collect();
    TableSchema { partition_by, ..schema }
}

#[cfg(test)]
mod tests;
