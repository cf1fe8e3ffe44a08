//! What changed between two versions of a table, by their data files alone: it needs no commit between them and no
//! change-data feed, and sees what any engine did.

use std::collections::BTreeMap;
use std::io::ErrorKind;

use polars::prelude::{LazyFrame, PolarsError, PolarsResult};

use super::cancel::cancel;
use super::evolve::widens;
use super::rows::{Files, Keep};
use super::{DataFile, Error, Snapshot, Table, TableSchema, merge};

/// Files of one version that the other does not have.
#[derive(Clone, Debug, Default)]
pub struct FileDiff {
    /// of the earlier version
    pub removed: Vec<DataFile>,
    /// of the later one
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

/// The files that tell `p` from `q`; a file is its path and its deletion vector.
pub fn file_diff(p: &Snapshot, q: &Snapshot) -> FileDiff {
    let ids = |snapshot: &Snapshot| -> BTreeMap<_, DataFile> {
        let own = |file: &DataFile| ((file.path().to_owned(), file.id().1), file.clone());
        snapshot.files().iter().map(own).collect()
    };
    // Two tables do not share files, even if these have the same names.
    if p.table_id() != q.table_id() {
        return FileDiff { removed: p.files().to_vec(), added: q.files().to_vec() };
    }
    let (old, new) = (ids(p), ids(q));
    let only = |these: &BTreeMap<(String, Option<String>), DataFile>, others: &BTreeMap<_, DataFile>| {
        these.iter().filter(|(id, _)| !others.contains_key(*id)).map(|(_, file)| file.clone()).collect()
    };
    FileDiff { removed: only(&old, &new), added: only(&new, &old) }
}

/// The rows that tell `p` from `q`, in some columns of `q` or all of them. A column that `p` lacks is NULL there. NULL
/// is the same as NULL, NaN as NaN, and doubles are the same within the tolerance of a merge. Where the log still tells
/// that every commit between the two only rearranged files, no file is read.
///
/// # Errors
/// [`Error::Invalid`] if a column has another type in `p`, so that values cannot be compared; [`Error::Gone`] if a file of
/// one of the two was deleted meanwhile.
pub async fn row_diff(p: &Snapshot, q: &Snapshot, columns: Option<&[String]>) -> Result<RowDiff, Error> {
    let mut files = file_diff(p, q);
    let differ = !files.removed.is_empty() || !files.added.is_empty();
    if differ && only_rearranged(p, q).await? {
        files = FileDiff::default();
    }
    let schema = chosen(p, q.schema(), columns)?;
    cancelled(p, (q.table(), &schema), files).await
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
    cancelled(p, (p.table(), &schema), FileDiff { removed: p.files().to_vec(), added: files.to_vec() }).await
}

/// What is left of the rows of both sides.
async fn cancelled(p: &Snapshot, (table, schema): (&Table, &TableSchema), files: FileDiff) -> Result<RowDiff, Error> {
    let removed = merge::files(p.table(), &within(schema.clone(), &p.schema().partition_by), &files.removed)?;
    let added = merge::files(table, schema, &files.added)?;
    let bytes_read = files.removed.iter().chain(&files.added).map(DataFile::size).sum();
    let compared = schema.columns.clone();
    let cancelled = tokio::task::spawn_blocking(move || -> PolarsResult<_> {
        let rest = cancel(&removed, &added, &compared)?;
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

/// Whether the log still has every commit after `p` up to `q` and none of them changed a row.
async fn only_rearranged(p: &Snapshot, q: &Snapshot) -> Result<bool, Error> {
    if p.table_id() != q.table_id() || p.version() >= q.version() {
        return Ok(false);
    }
    let mut between = q.table().history(p.version() + 1).await?;
    between.retain(|commit| commit.version <= q.version());
    let all = i64::try_from(between.len()) == Ok(q.version() - p.version());
    Ok(all && between.iter().all(|commit| !commit.data_change))
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
