//! A table at one version.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use delta_kernel::actions::deletion_vector::DeletionVectorDescriptor;
use deltalake::kernel::{Add, EagerSnapshot, Metadata, StorageType};
use deltalake::logstore::LogStoreRef;
use deltalake::logstore::object_store::{self, ObjectStoreExt};
use polars::prelude::LazyFrame;
use serde_json::Value;
use tokio::sync::OnceCell;

use super::links::Links;
use super::log::Replay;
use super::named::vector_name;
use super::table::object_path;
use super::{DataFile, Error, Head, Table, TableSchema, evolve, partition, schema};
use crate::expr::Type;

/// A table at one version; it does not change. Cheap to clone.
#[derive(Clone)]
pub struct Snapshot(Arc<Inner>);

struct Inner {
    table: Table,
    timestamp: DateTime<Utc>,
    head: Head,
    /// the metaData action
    metadata: Value,
    schema_json: Value,
    schema: TableSchema,
    files: Vec<DataFile>,
    /// delta-rs' replay of the log, which commits are made against; only what writes needs it
    replay: OnceCell<EagerSnapshot>,
}

impl Snapshot {
    pub(super) async fn load(
        table: Table,
        head: Head,
        replay: Replay,
        timestamp: DateTime<Utc>,
    ) -> Result<Self, Error> {
        let folder = table.folder().to_owned();
        let version = head.version();
        let metadata = metadata(&folder, replay.metadata.clone())?;
        let text = metadata.get("schemaString").and_then(Value::as_str).unwrap_or_default();
        let schema_json = serde_json::from_str(text).map_err(|e| Error::unreadable(&folder, format!("schema: {e}")))?;
        let schema = table_schema(&folder, &schema_json, &metadata, head.properties())?;
        let cell = OnceCell::new();
        let adds = match replay.files() {
            Some(adds) => adds,
            None => cell.get_or_try_init(|| replay_of(&table, &head)).await.map(adds_of)?,
        };
        let files = files(&table, adds).await?;
        check_partitions(&folder, &schema, &files)?;
        tracing::debug!(table = folder, version, files = files.len(), "opened");
        Ok(Snapshot(Arc::new(Inner { table, timestamp, head, metadata, schema_json, schema, files, replay: cell })))
    }

    /// The table.
    pub fn table(&self) -> &Table {
        &self.0.table
    }

    /// What the log says of it, but for its files.
    pub fn head(&self) -> &Head {
        &self.0.head
    }

    /// 0 is the table's first.
    pub fn version(&self) -> i64 {
        self.0.head.version()
    }

    /// Stays the same while the table lives; a table that was made anew has another.
    pub fn table_id(&self) -> &str {
        self.0.head.table_id()
    }

    /// When the version was committed: by its commitInfo, or by the file's time where the log no longer tells.
    pub fn timestamp(&self) -> DateTime<Utc> {
        self.0.timestamp
    }

    /// Columns and partitions.
    pub fn schema(&self) -> &TableSchema {
        &self.0.schema
    }

    /// A table property.
    pub fn property(&self, key: &str) -> Option<&str> {
        self.0.head.property(key)
    }

    /// All table properties.
    pub fn properties(&self) -> &BTreeMap<String, String> {
        self.0.head.properties()
    }

    /// The last version that an application noted with its commits.
    pub fn txn(&self, app: &str) -> Option<i64> {
        self.0.head.txn(app)
    }

    /// All applications and the versions that they noted.
    pub fn txns(&self) -> &BTreeMap<String, i64> {
        self.0.head.txns()
    }

    /// The data files, oldest first, then by path.
    pub fn files(&self) -> &[DataFile] {
        &self.0.files
    }

    /// Rows, if each file tells.
    pub fn rows(&self) -> Option<u64> {
        self.files().iter().map(DataFile::rows).sum()
    }

    /// The size of all data files.
    pub fn bytes(&self) -> u64 {
        self.files().iter().map(DataFile::size).sum()
    }

    /// All rows, as Spark reads them: without those that deletion vectors hide, partition values from the log.
    ///
    /// # Errors
    /// As [`Table::scan`].
    pub fn scan(&self) -> Result<LazyFrame, Error> {
        self.scan_files(self.files())
    }

    /// The rows of some of its files.
    ///
    /// # Errors
    /// As [`Table::scan`].
    pub fn scan_files(&self, files: &[DataFile]) -> Result<LazyFrame, Error> {
        self.table().scan(self.schema(), files)
    }

    /// As [`Table::scan_with_position`].
    ///
    /// # Errors
    /// As [`Table::scan`].
    pub fn scan_with_position(&self, files: &[DataFile]) -> Result<LazyFrame, Error> {
        self.table().scan_with_position(self.schema(), files)
    }

    /// The files whose statistics allow a row with `column` > `value`, for an integer column.
    pub fn files_above(&self, column: &str, value: i64) -> Vec<DataFile> {
        let may_hold = |file: &&DataFile| {
            let all_null = file.null_count(column).is_some() && file.null_count(column) == file.rows();
            !all_null && file.min_max_i64(column).is_none_or(|(_, max)| max > value)
        };
        self.files().iter().filter(may_hold).cloned().collect()
    }

    /// Whether the table can have `schema` while its rows stay.
    ///
    /// # Errors
    /// [`Error::Invalid`], naming the column that would go or become something else.
    pub fn accepts(&self, schema: &TableSchema) -> Result<(), Error> {
        evolve::check(self.table().folder(), self.schema(), schema)
    }

    /// The version as delta-rs sees it, read at the first use.
    pub(super) async fn replay(&self) -> Result<&EagerSnapshot, Error> {
        let replay = self.0.replay.get_or_try_init(|| replay_of(self.table(), self.head())).await?;
        let id = replay.metadata().id();
        if id != self.table_id() {
            // made anew since it was looked at
            return Err(Error::lost(self.table().folder(), self.version()));
        }
        Ok(replay)
    }

    /// The table's log store, without what cannot be used.
    pub(super) fn log_store(&self) -> Result<LogStoreRef, Error> {
        self.table().log_store_without(self.head().unusable())
    }

    /// The oracle of tests.
    #[cfg(test)]
    pub(super) async fn files_by_delta_rs(&self) -> Result<Vec<DataFile>, Error> {
        files(self.table(), adds_of(self.replay().await?)).await
    }

    pub(super) fn metadata(&self) -> &Value {
        &self.0.metadata
    }

    pub(super) fn schema_json(&self) -> &Value {
        &self.0.schema_json
    }
}

/// Whether a log says columns that can be read.
pub(super) fn check(replay: &Replay) -> Result<(), Error> {
    let text = replay.metadata.get("schemaString").and_then(Value::as_str).unwrap_or_default();
    let json = serde_json::from_str(text).map_err(|error| Error::unreadable("schema", error.to_string()))?;
    schema::from_json(&json).map(drop).map_err(|what| Error::unreadable("schema", what))
}

async fn replay_of(table: &Table, head: &Head) -> Result<EagerSnapshot, Error> {
    let (folder, version) = (table.folder(), head.version());
    let gone = |_| Error::gone(folder, format!("there is no version {version}"));
    let number = u64::try_from(version).map_err(gone)?;
    let log_store = table.log_store_without(head.unusable())?;
    EagerSnapshot::try_new(log_store.as_ref(), Some(number)).await.map_err(|error| Error::delta(folder, &error))
}

fn adds_of(replay: &EagerSnapshot) -> Vec<Add> {
    // add_action is the only way to a file's tags
    #[expect(deprecated)]
    replay.log_data().iter().map(|view| view.add_action()).collect()
}

/// The action as deltalake writes it, so that two of them can be compared.
fn metadata(table: &str, action: Value) -> Result<Value, Error> {
    let metadata: Result<Metadata, _> = serde_json::from_value(action);
    metadata.and_then(serde_json::to_value).map_err(|error| Error::unreadable(table, format!("metaData: {error}")))
}

fn table_schema(
    table: &str,
    schema_json: &Value,
    metadata: &Value,
    properties: &BTreeMap<String, String>,
) -> Result<TableSchema, Error> {
    let (columns, texts) = schema::from_json(schema_json).map_err(|what| Error::unreadable(table, what))?;
    let partition_by = metadata.get("partitionColumns").and_then(Value::as_array).into_iter().flatten();
    let stats = properties.get("delta.dataSkippingStatsColumns").map(String::as_str).unwrap_or_default();
    Ok(TableSchema {
        columns,
        partition_by: partition_by.filter_map(Value::as_str).map(str::to_owned).collect(),
        metadata: texts,
        stats_columns: schema::split_stats_property(stats),
    })
}

async fn files(table: &Table, adds: Vec<Add>) -> Result<Vec<DataFile>, Error> {
    let folder = table.folder();
    let log_store = match adds.iter().any(|add| add.deletion_vector.is_some()) {
        true => Some(table.log_store()?),
        false => None,
    };
    let mut files = Vec::with_capacity(adds.len());
    let mut seen = BTreeSet::new();
    let mut links = Links::of(table);
    for add in adds {
        check_path(folder, &add.path)?;
        if !links.leads_to_file(&add.path) {
            let what = format!("its log names `{}`, which is a link or no file", add.path);
            return Err(Error::unreadable(folder, what));
        }
        if !seen.insert(add.path.clone()) {
            return Err(Error::unreadable(folder, format!("the log names the file `{}` twice", add.path)));
        }
        let deleted = match &log_store {
            Some(log_store) => {
                let vector = add.deletion_vector.clone().and_then(|vector| vector_name(vector, log_store.root_url()));
                if vector.is_some_and(|vector| !links.leads_to_file(&vector)) {
                    let what = format!("the deletion vector of `{}` is a link or no file", add.path);
                    return Err(Error::unreadable(folder, what));
                }
                deleted_rows(folder, &add, log_store).await?
            }
            None => Vec::new(),
        };
        files.push(DataFile::new(add, deleted));
    }
    files.sort_by(|a, b| (a.modification_time(), a.path()).cmp(&(b.modification_time(), b.path())));
    Ok(files)
}

fn check_partitions(table: &str, schema: &TableSchema, files: &[DataFile]) -> Result<(), Error> {
    for name in &schema.partition_by {
        let ty = schema.ty(name).unwrap_or(&Type::Null);
        for file in files {
            let text = file.partition_values().get(name).and_then(|text| text.as_deref());
            if let Err(why) = partition::literal(text, ty) {
                return Err(Error::unreadable(table, format!("`{name}`: {why}")));
            }
        }
    }
    Ok(())
}

/// The protocol allows a path to lead anywhere; a table that someone hands to us must not read other files.
pub(super) fn check_path(table: &str, path: &str) -> Result<(), Error> {
    let leaves = path.starts_with('/') || path.contains("://") || path.starts_with("file:") || path.contains('\\');
    if leaves || path.split('/').any(|part| part == "..") {
        return Err(Error::unreadable(table, format!("its log names `{path}`, a file outside the table's folder")));
    }
    Ok(())
}

pub(super) async fn deleted_rows(table: &str, add: &Add, log_store: &LogStoreRef) -> Result<Vec<u64>, Error> {
    let Some(vector) = add.deletion_vector.clone() else { return Ok(Vec::new()) };
    if vector.storage_type == StorageType::AbsolutePath {
        let what = format!("the deletion vector of `{}` is a file outside the table's folder", add.path);
        return Err(Error::unreadable(table, what));
    }
    if vector.storage_type == StorageType::UuidRelativePath {
        check_prefix(table, &vector.path_or_inline_dv)?;
    }
    let cardinality = vector.cardinality;
    let damaged = |why: String| Error::unreadable(table, format!("the deletion vector of `{}`: {why}", add.path));
    let file = vector_name(vector.clone(), log_store.root_url());
    let vector = DeletionVectorDescriptor::try_from(vector).map_err(|error| damaged(error.to_string()))?;
    let (storage, root) = (log_store.engine(None).storage_handler(), log_store.root_url().clone());
    let rows = tokio::task::spawn_blocking(move || vector.row_indexes(storage, &root))
        .await
        .map_err(|error| damaged(error.to_string()))?;
    let rows = match (rows, file) {
        (Ok(rows), _) => rows,
        (Err(_), Some(file)) if is_missing(log_store, &file).await => {
            let what = format!(
                "the deletion vector of `{}` was deleted, as a vacuum does when nothing keeps the version",
                add.path
            );
            return Err(Error::gone(table, what));
        }
        (Err(error), _) => return Err(damaged(error.to_string())),
    };
    if i64::try_from(rows.len()) != Ok(cardinality) {
        return Err(damaged(format!("it hides {} rows where the log says {cardinality}", rows.len())));
    }
    Ok(rows)
}

/// A deletion vector's file is named by an optional folder and 20 characters that stand for a UUID.
fn check_prefix(table: &str, name: &str) -> Result<(), Error> {
    let folder = name.len().checked_sub(20).and_then(|end| name.get(..end)).unwrap_or(name);
    if folder.chars().all(|c| c.is_ascii_alphanumeric()) {
        return Ok(());
    }
    Err(Error::unreadable(
        table,
        format!("its log names the deletion vector `{name}`, a file outside the table's folder"),
    ))
}

async fn is_missing(log_store: &LogStoreRef, file: &str) -> bool {
    let found = log_store.object_store(None).head(&object_path(file)).await;
    matches!(found, Err(object_store::Error::NotFound { .. }))
}
