//! What changed between two versions of a table, by their data files alone: it needs no commit between them and no
//! change-data feed, and sees what any engine did. Where the log still has the commits between them, what only
//! rearranged files is left out.

mod net;

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;

use polars::prelude::{LazyFrame, PolarsError, PolarsResult};

use super::cancel::{self, cancel};
use super::evolve::widens;
use super::file::FileId;
use super::rows::{Files, Keep, Origin};
use super::{DataFile, Error, Side, Snapshot, TableSchema};
use crate::expr::{Column, Columns};
use crate::memory::Memory;

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
    /// how many files were looked into
    pub files_read: usize,
    /// their size
    pub bytes_read: u64,
    /// what its rows may be paired with
    pub memory: Memory,
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
    let columns = chosen(p, q.schema(), columns)?;
    side_diff(&p.into(), &q.into(), &columns).await
}

/// How many rows of `files`, which tell `p` from `q`, are likely to be decoded to compare these columns: all but those of
/// row groups that seem to be in both as the same bytes. Reads footers alone; `None`: the log does not tell the rows.
///
/// # Errors
/// As [`row_diff`].
pub async fn uncertain_rows(
    p: &Snapshot,
    q: &Snapshot,
    files: &FileDiff,
    columns: &[String],
) -> Result<Option<u64>, Error> {
    let columns = chosen(p, q.schema(), Some(columns))?;
    let origin = |file: &DataFile| Origin { table: q.table().clone(), file: file.clone() };
    let side = |files: &[DataFile]| -> Option<(Vec<Origin>, Vec<u64>)> {
        Some((files.iter().map(origin).collect(), files.iter().map(DataFile::rows).collect::<Option<_>>()?))
    };
    let (Some(removed), Some(added)) = (side(&files.removed), side(&files.added)) else { return Ok(None) };
    let memory = q.table().lake().memory();
    cancel::uncertain((&removed.0, &removed.1), (&added.0, &added.1), &columns, memory).await.map(Some)
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
    let columns = chosen(p, schema, columns)?;
    let staged = Side::staged(p.table().clone(), schema.clone(), files.to_vec());
    side_diff(&p.into(), &staged, &columns).await
}

/// The rows that tell one side from the other, as [`row_diff`], in `columns` of either: a column that a side lacks is
/// NULL there, one that is narrower there is widened.
///
/// # Errors
/// As [`row_diff`].
pub async fn side_diff(before: &Side, after: &Side, columns: &[Column]) -> Result<RowDiff, Error> {
    let files = differing(before, after).await?;
    let (files_read, bytes_read) = (files.removed.len() + files.added.len(), files.bytes());
    let later = if before.version() > after.version() { before } else { after };
    let removed = rows_of(before, later, files.removed, columns)?;
    let added = rows_of(after, later, files.added, columns)?;
    let (compared, memory) = (columns.to_vec(), after.table().lake().memory());
    let cancelled = tokio::task::spawn_blocking(move || -> PolarsResult<_> {
        let rest = cancel(&removed, &added, &compared, memory)?;
        let rows = |files: &Files, marks| files.rows(&(0..files.len()).collect::<Vec<_>>(), Keep::Marked(marks));
        let counts = (rest.left.total(), rest.right.total());
        Ok((rows(&removed, &rest.left)?, rows(&added, &rest.right)?, counts))
    });
    let cancelled = cancelled.await.map_err(|error| Error::Query(error.to_string()))?;
    let (removed, added, rows) = cancelled.map_err(|error| gone(before, after, error))?;
    Ok(RowDiff { removed, added, rows, files_read, bytes_read, memory })
}

/// The files whose rows tell one side from the other, whichever of the two came first.
async fn differing(before: &Side, after: &Side) -> Result<FileDiff, Error> {
    match (before.snapshot(), after.snapshot()) {
        (Some(p), Some(q)) if p.version() <= q.version() => file_diff(p, q).await,
        (Some(p), Some(q)) => {
            let FileDiff { removed, added } = file_diff(q, p).await?;
            Ok(FileDiff { removed: added, added: removed })
        }
        _ => Ok(FileDiff { removed: before.files().to_vec(), added: after.files().to_vec() }),
    }
}

/// The rows of files of one side, read as `columns`. What it lacks, a commit of the `later` side has named: each may
/// stand in a lake of its own.
fn rows_of(side: &Side, later: &Side, files: Vec<DataFile>, columns: &[Column]) -> Result<Files, Error> {
    let schema = side.schema_of(columns)?;
    let ids: BTreeSet<FileId> = side.files().iter().map(DataFile::own_id).collect();
    let (own, passing) = files.into_iter().partition::<Vec<_>, _>(|file| ids.contains(&file.own_id()));
    let files = Files::of_table(side.table(), &schema, &own)?.and(Files::of_table(later.table(), &schema, &passing)?);
    Ok(files.cast(TableSchema::new(columns.to_vec()).to_polars()))
}

/// The log may still know of files that were vacuumed.
fn gone(before: &Side, after: &Side, error: PolarsError) -> Error {
    let missing =
        |error: &PolarsError| matches!(error, PolarsError::IO { error, .. } if error.kind() == ErrorKind::NotFound);
    let mut root = &error;
    while let PolarsError::Context { error, .. } = root {
        root = error;
    }
    if !missing(root) {
        return error.into();
    }
    let versions = match (before.version(), after.version()) {
        (Some(p), Some(q)) => format!("between versions {p} and {q}"),
        (Some(p), None) => format!("since version {p}"),
        _ => "here".to_owned(),
    };
    Error::gone(after.table().folder(), format!("files were deleted, so what changed {versions} cannot be told"))
}

/// The columns of the later schema that are to be compared.
fn chosen(p: &Snapshot, later: &TableSchema, columns: Option<&[String]>) -> Result<Columns, Error> {
    let folder = p.table().folder();
    let mut chosen = later.columns.clone();
    if let Some(columns) = columns {
        let find = |name: &String| {
            let column = later.columns.iter().find(|column| &column.name == name).cloned();
            column.ok_or_else(|| Error::invalid(folder, format!("there is no column `{name}`")))
        };
        chosen = columns.iter().map(find).collect::<Result<_, _>>()?;
    }
    for column in &chosen {
        let earlier = p.schema().ty(&column.name);
        if earlier.is_some_and(|earlier| !widens(earlier, &column.ty)) {
            let was = earlier.map(ToString::to_string).unwrap_or_default();
            let (name, version) = (&column.name, p.version());
            let what =
                format!("`{name}` was {was} in version {version} and is {} now: the two cannot be compared", column.ty);
            return Err(Error::invalid(folder, what));
        }
    }
    Ok(chosen)
}

#[cfg(test)]
mod tests;
