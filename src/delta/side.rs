//! One side of a comparison: a version of a table, or files that no commit names yet.

use chrono::{DateTime, Utc};
use polars::prelude::LazyFrame;

use super::evolve::{common, widens};
use super::{DataFile, Error, Snapshot, Table, TableSchema};
use crate::expr::Column;

/// One side of a comparison. Cheap to clone.
#[derive(Clone)]
pub struct Side {
    table: Table,
    schema: TableSchema,
    files: Vec<DataFile>,
    snapshot: Option<Snapshot>,
}

impl Side {
    /// Rows in files that no commit names yet.
    pub fn staged(table: Table, schema: TableSchema, files: Vec<DataFile>) -> Self {
        Side { table, schema, files, snapshot: None }
    }

    /// No rows: the table is not there. Its columns are those of the other side.
    pub fn nothing(table: Table, schema: TableSchema) -> Self {
        Side::staged(table, schema, Vec::new())
    }

    /// Where the files lie.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// Columns and partitions.
    pub fn schema(&self) -> &TableSchema {
        &self.schema
    }

    /// The data files.
    pub fn files(&self) -> &[DataFile] {
        &self.files
    }

    /// The version, if it is one.
    pub fn snapshot(&self) -> Option<&Snapshot> {
        self.snapshot.as_ref()
    }

    /// The version's number, if it is one.
    pub fn version(&self) -> Option<i64> {
        self.snapshot().map(Snapshot::version)
    }

    /// When the version was committed, if it is one.
    pub fn timestamp(&self) -> Option<DateTime<Utc>> {
        self.snapshot().map(Snapshot::timestamp)
    }

    /// Rows, if each file tells.
    pub fn rows(&self) -> Option<u64> {
        self.files.iter().map(DataFile::rows).sum()
    }

    /// All rows.
    ///
    /// # Errors
    /// As [`Table::scan`].
    pub fn scan(&self) -> Result<LazyFrame, Error> {
        self.table.scan(&self.schema, &self.files)
    }

    /// The schema by which its files are read to become `columns`, which may be wider than its own or none of its own.
    /// What a scan does not widen keeps the side's own type, to be cast.
    pub(super) fn schema_of(&self, columns: &[Column]) -> Result<TableSchema, Error> {
        let mut schema = TableSchema::new(columns.to_vec());
        for Column { name, ty } in &mut schema.columns {
            match self.schema.ty(name) {
                Some(own) if common(own, ty).as_ref() != Some(ty) => {
                    let what = format!("`{name}` is {own} on one side and {ty} on the other: they cannot be compared");
                    return Err(Error::invalid(self.table.folder(), what));
                }
                Some(own) if !widens(own, ty) => *ty = own.clone(),
                _ => {}
            }
        }
        let partition_by = self.schema.partition_by.iter().filter(|name| schema.ty(name).is_some()).cloned().collect();
        Ok(TableSchema { partition_by, ..schema })
    }
}

impl From<&Snapshot> for Side {
    fn from(snapshot: &Snapshot) -> Self {
        let (table, schema) = (snapshot.table().clone(), snapshot.schema().clone());
        Side { table, schema, files: snapshot.files().to_vec(), snapshot: Some(snapshot.clone()) }
    }
}
