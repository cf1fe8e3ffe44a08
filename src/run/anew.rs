//! A table computed anew: rows in files that no commit names yet, so that they can be published later, compared with
//! what is there, or dropped.

use polars::prelude::LazyFrame;

use super::error::Result;
use crate::delta::{DataFile, Snapshot, Table, TableSchema};
use crate::report::RowCounts;

/// Rows to read: those of a version, or those of files that will be one.
#[derive(Clone)]
pub struct Rows {
    /// where the files lie
    pub table: Table,
    /// their columns
    pub schema: TableSchema,
    /// the files
    pub files: Vec<DataFile>,
}

/// All rows of a table, computed anew.
pub struct Anew {
    /// those of the table
    pub rows: Rows,
    /// those that it refuses, for its quarantine; `None`: it has none
    pub refused: Option<Rows>,
    /// what became of the rows that were read
    pub counts: RowCounts,
}

impl Rows {
    /// All of them.
    pub fn scan(&self) -> Result<LazyFrame> {
        Ok(self.table.scan(&self.schema, &self.files)?)
    }

    /// How many, if the files tell.
    pub fn count(&self) -> Option<u64> {
        self.files.iter().map(DataFile::rows).sum()
    }
}

impl From<&Snapshot> for Rows {
    fn from(snapshot: &Snapshot) -> Self {
        let (table, schema) = (snapshot.table().clone(), snapshot.schema().clone());
        Rows { table, schema, files: snapshot.files().to_vec() }
    }
}

impl Anew {
    /// Deletes the files, which no commit has named and none will.
    pub async fn discard(self) {
        for rows in std::iter::once(self.rows).chain(self.refused) {
            discard(&rows.table, &rows.files).await;
        }
    }
}

/// Deletes files that no commit has named and none will.
pub async fn discard(table: &Table, files: &[DataFile]) {
    if let Err(error) = table.remove_uncommitted(files).await {
        tracing::warn!(table = table.folder(), %error, "could not delete files that no commit names");
    }
}
