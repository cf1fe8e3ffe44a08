//! One data file of a table, as the log describes it.

use std::collections::BTreeMap;
use std::sync::Arc;

use deltalake::kernel::{Add, DeletionVectorDescriptor, Remove};
use serde_json::{Map, Value};

/// One data file. Files that a [`super::Writer`] has written and no commit names yet look the same. Cheap to clone.
#[derive(Clone, Debug)]
pub struct DataFile(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    add: Add,
    partition_values: BTreeMap<String, Option<String>>,
    statistics: Map<String, Value>,
    /// 0-based, ascending
    deleted_rows: Vec<u64>,
}

/// The tag that holds the BLAKE3 of a file's bytes, in hexadecimal.
pub(super) const BLAKE3_TAG: &str = "blake3";

/// What tells two states of a file apart: its path and its deletion vector.
pub(super) type FileId = (String, Option<String>);

pub(super) fn file_id(path: &str, vector: Option<&DeletionVectorDescriptor>) -> FileId {
    (path.to_owned(), vector.map(vector_id))
}

fn vector_id(vector: &DeletionVectorDescriptor) -> String {
    format!("{}@{:?}#{}", vector.path_or_inline_dv, vector.offset, vector.cardinality)
}

impl DataFile {
    pub(super) fn new(add: Add, deleted_rows: Vec<u64>) -> Self {
        let partition_values = add.partition_values.iter().map(|(k, v)| (k.clone(), v.clone())).collect();
        let statistics = add.stats.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        DataFile(Arc::new(Inner { add, partition_values, statistics, deleted_rows }))
    }

    /// Relative to the table's folder, as on disk (not percent-encoded).
    pub fn path(&self) -> &str {
        &self.0.add.path
    }

    /// What tells two states of a file apart: its path and its deletion vector. Equal ids hold equal rows.
    pub fn id(&self) -> (&str, Option<String>) {
        (self.path(), self.0.add.deletion_vector.as_ref().map(vector_id))
    }

    /// As [`DataFile::id`], to be kept.
    pub(super) fn own_id(&self) -> FileId {
        file_id(self.path(), self.0.add.deletion_vector.as_ref())
    }

    /// Bytes.
    pub fn size(&self) -> u64 {
        u64::try_from(self.0.add.size).unwrap_or_default()
    }

    /// Rows without those that its deletion vector hides; `None` if its writer kept no statistics.
    pub fn rows(&self) -> Option<u64> {
        let all = self.0.statistics.get("numRecords")?.as_u64()?;
        all.checked_sub(self.0.deleted_rows.len() as u64)
    }

    /// Column to value, as the log spells it; NULL is `None`.
    pub fn partition_values(&self) -> &BTreeMap<String, Option<String>> {
        &self.0.partition_values
    }

    /// Milliseconds since 1970.
    pub fn modification_time(&self) -> i64 {
        self.0.add.modification_time
    }

    /// The statistics, as the Delta protocol has them: numRecords, minValues, maxValues, nullCount.
    pub fn statistics(&self) -> &Map<String, Value> {
        &self.0.statistics
    }

    /// The BLAKE3 of the file's bytes in hexadecimal, if its writer noted it.
    pub fn blake3(&self) -> Option<&str> {
        self.tag(BLAKE3_TAG)
    }

    /// A tag of its Add.
    pub(super) fn tag(&self, key: &str) -> Option<&str> {
        self.0.add.tags.as_ref()?.get(key)?.as_deref()
    }

    /// The file, to be added with one more tag.
    pub(super) fn with_tag(&self, key: &str, value: &str) -> Self {
        let mut add = self.0.add.clone();
        add.tags.get_or_insert_default().insert(key.to_owned(), Some(value.to_owned()));
        DataFile::new(add, self.0.deleted_rows.clone())
    }

    /// Whether a deletion vector hides some of its rows.
    pub fn has_deletion_vector(&self) -> bool {
        self.0.add.deletion_vector.is_some()
    }

    pub(super) fn deletion_vector(&self) -> Option<&DeletionVectorDescriptor> {
        self.0.add.deletion_vector.as_ref()
    }

    /// 0-based positions that the deletion vector hides, ascending.
    pub(super) fn deleted_rows(&self) -> &[u64] {
        &self.0.deleted_rows
    }

    /// The least and the greatest value of an integer column by the statistics.
    pub fn min_max_i64(&self, column: &str) -> Option<(i64, i64)> {
        let bound = |side: &str| self.statistics().get(side)?.get(column)?.as_i64();
        Some((bound("minValues")?, bound("maxValues")?))
    }

    /// How many NULLs a column holds, by the statistics.
    pub fn null_count(&self, column: &str) -> Option<u64> {
        self.statistics().get("nullCount")?.get(column)?.as_u64()
    }

    pub(super) fn to_add(&self, data_change: bool) -> Add {
        Add { data_change, ..self.0.add.clone() }
    }

    pub(super) fn to_remove(&self, data_change: bool, now: i64) -> Remove {
        let add = &self.0.add;
        Remove {
            path: add.path.clone(),
            data_change,
            deletion_timestamp: Some(now),
            extended_file_metadata: Some(true),
            partition_values: Some(add.partition_values.clone()),
            size: Some(add.size),
            tags: add.tags.clone(),
            deletion_vector: add.deletion_vector.clone(),
            base_row_id: add.base_row_id,
            default_row_commit_version: add.default_row_commit_version,
        }
    }
}

impl PartialEq for DataFile {
    fn eq(&self, other: &Self) -> bool {
        self.id() == other.id()
    }
}
