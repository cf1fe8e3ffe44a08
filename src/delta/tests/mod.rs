//! Tables on a disk of their own, and what all tests need.

mod basics;
mod commits;
mod faults;
pub(super) mod foreign;
mod hostile;
mod log;
mod old;
pub(super) mod patching;
mod reading;
mod replay;
mod restore;
mod writing;

use std::collections::BTreeMap;
use std::path::PathBuf;

use polars::prelude::*;

use super::{At, Change, DataFile, Lake, Snapshot, Table, TableSchema};
use crate::expr::{Column as Named, Type};

/// A lake that goes away with the test.
pub(super) struct Disk {
    folder: tempfile::TempDir,
    pub(super) lake: Lake,
}

impl Disk {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let lake = Lake::open(folder.path().to_str().unwrap(), &BTreeMap::new()).unwrap();
        Disk { folder, lake }
    }

    pub(super) fn path(&self) -> PathBuf {
        self.folder.path().canonicalize().unwrap()
    }
}

pub(super) fn schema(columns: &[(&str, Type)]) -> TableSchema {
    TableSchema::new(columns.iter().map(|(name, ty)| Named::new(*name, ty.clone())).collect())
}

/// One bigint column `a`.
pub(super) fn numbers() -> TableSchema {
    schema(&[("a", Type::BigInt)])
}

pub(super) fn rows(values: &[i64]) -> LazyFrame {
    df!("a" => values).unwrap().lazy()
}

pub(super) async fn collect(frame: LazyFrame) -> DataFrame {
    tokio::task::spawn_blocking(move || frame.collect_with_engine(Engine::Streaming).unwrap().unwrap_single())
        .await
        .unwrap()
}

/// The values of `a`, sorted.
pub(super) async fn values(snapshot: &Snapshot) -> Vec<i64> {
    let frame = collect(snapshot.scan().unwrap()).await;
    let mut values: Vec<i64> = frame.column("a").unwrap().i64().unwrap().iter().flatten().collect();
    values.sort_unstable();
    values
}

/// Writes rows and returns the change that adds them.
pub(super) async fn appended(table: &Table, values: &[i64]) -> Change {
    Change { adds: table.write(rows(values), &numbers()).await.unwrap(), ..Change::default() }
}

/// A table with one file of these rows.
pub(super) async fn table_of(disk: &Disk, values: &[i64]) -> Table {
    let table = disk.lake.table("silver/t");
    let change = appended(&table, values).await;
    table.create(&numbers(), change).await.unwrap();
    table
}

pub(super) async fn now(table: &Table) -> Snapshot {
    table.snapshot().await.unwrap().unwrap()
}
