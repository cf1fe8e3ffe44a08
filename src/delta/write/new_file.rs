//! A data file on its way into the table's folder.

use std::collections::HashMap;

use chrono::Utc;
use deltalake::kernel::Add;
use tokio::runtime::Handle;

use super::upload::Upload;
use crate::delta::file::BLAKE3_TAG;
use crate::delta::table::object_path;
use crate::delta::{DataFile, Error, Table};

/// Its name and what the log will say of it.
pub(super) struct NewFile {
    path: String,
    partition_values: HashMap<String, Option<String>>,
}

impl NewFile {
    /// `folder`: that of the partition, empty or with a slash at its end.
    pub(super) fn create(
        table: &Table,
        runtime: &Handle,
        folder: &str,
        partition_values: HashMap<String, Option<String>>,
    ) -> Result<(Self, Upload), Error> {
        let path = format!("{folder}part-{}.zstd.parquet", uuid::Uuid::now_v7());
        let store = table.log_store()?.object_store(None);
        let upload = Upload::new(runtime.clone(), store, object_path(&path));
        Ok((NewFile { path, partition_values }, upload))
    }

    /// All bytes are there.
    pub(super) fn complete(self, table: &Table, upload: &mut Upload, statistics: String) -> Result<DataFile, Error> {
        let (size, hash) = upload.complete().map_err(|error| Error::storage(table.folder(), &error))?;
        let add = Add {
            path: self.path,
            partition_values: self.partition_values,
            size: i64::try_from(size).unwrap_or(i64::MAX),
            modification_time: Utc::now().timestamp_millis(),
            data_change: true,
            stats: Some(statistics),
            tags: Some(HashMap::from([(BLAKE3_TAG.to_owned(), Some(hash.to_hex().to_string()))])),
            ..Add::default()
        };
        Ok(DataFile::new(add, Vec::new()))
    }
}
