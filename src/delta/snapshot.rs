//! A table at one version.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use delta_kernel::actions::deletion_vector::DeletionVectorDescriptor;
use deltalake::kernel::{Add, EagerSnapshot, StorageType};
use deltalake::logstore::LogStoreRef;
use deltalake::logstore::object_store::{self, ObjectStoreExt};
use polars::prelude::LazyFrame;
use serde_json::Value;

use super::named::vector_name;
use super::table::object_path;
use super::{DataFile, Error, Table, TableSchema, evolve, schema};

/// A table at one version; it does not change. Cheap to clone.
#[derive(Clone)]
pub struct Snapshot(Arc<Inner>);

struct Inner {
    table: Table,
    version: i64,
    timestamp: DateTime<Utc>,
    /// the log's replay, which commits are made against
    replay: EagerSnapshot,
    /// the metaData action
    metadata: Value,
    schema_json: Value,
    table_id: String,
    schema: TableSchema,
    properties: BTreeMap<String, String>,
    txns: BTreeMap<String, i64>,
    files: Vec<DataFile>,
}

/// Reader features that change nothing of what a scan of ours must do.
const READ_RIGHTLY: [&str; 3] = ["deletionVectors", "v2Checkpoint", "vacuumProtocolCheck"];

impl Snapshot {
    pub(super) async fn load(
        table: Table,
        version: i64,
        txns: BTreeMap<String, i64>,
        timestamp: DateTime<Utc>,
    ) -> Result<Self, Error> {
        let folder = table.folder().to_owned();
        let number =
            u64::try_from(version).map_err(|_| Error::gone(&folder, format!("there is no version {version}")))?;
        let log_store = table.log_store()?;
        let replay = EagerSnapshot::try_new(log_store.as_ref(), Some(number))
            .await
            .map_err(|error| Error::delta(&folder, &error))?;
        let json =
            |value: Result<Value, serde_json::Error>| value.map_err(|e| Error::unreadable(&folder, e.to_string()));
        let protocol = json(serde_json::to_value(replay.protocol()))?;
        let metadata = json(serde_json::to_value(replay.metadata()))?;
        let schema_json = json(serde_json::to_value(replay.schema().as_ref()))?;
        let properties = texts(&metadata, "configuration");
        check_features(&folder, &protocol, &properties)?;
        let schema = table_schema(&folder, &schema_json, &metadata, &properties)?;
        let files = files(&folder, &replay, &log_store).await?;
        let table_id = metadata.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
        Ok(Snapshot(Arc::new(Inner {
            table,
            version,
            timestamp,
            replay,
            metadata,
            schema_json,
            table_id,
            schema,
            properties,
            txns,
            files,
        })))
    }

    /// The table.
    pub fn table(&self) -> &Table {
        &self.0.table
    }

    /// 0 is the table's first.
    pub fn version(&self) -> i64 {
        self.0.version
    }

    /// Stays the same while the table lives; a table that was made anew has another.
    pub fn table_id(&self) -> &str {
        &self.0.table_id
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
        self.0.properties.get(key).map(String::as_str)
    }

    /// All table properties.
    pub fn properties(&self) -> &BTreeMap<String, String> {
        &self.0.properties
    }

    /// The last version that an application noted with its commits.
    pub fn txn(&self, app: &str) -> Option<i64> {
        self.0.txns.get(app).copied()
    }

    /// All applications and the versions that they noted.
    pub fn txns(&self) -> &BTreeMap<String, i64> {
        &self.0.txns
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

    pub(super) fn replay(&self) -> &EagerSnapshot {
        &self.0.replay
    }

    pub(super) fn metadata(&self) -> &Value {
        &self.0.metadata
    }

    pub(super) fn schema_json(&self) -> &Value {
        &self.0.schema_json
    }
}

fn texts(action: &Value, key: &str) -> BTreeMap<String, String> {
    let texts = action.get(key).and_then(Value::as_object);
    texts.into_iter().flatten().filter_map(|(k, v)| Some((k.clone(), v.as_str()?.to_owned()))).collect()
}

/// A reader must refuse what it does not know: the rows could mean something else.
fn check_features(table: &str, protocol: &Value, properties: &BTreeMap<String, String>) -> Result<(), Error> {
    let mapping = properties.get("delta.columnMapping.mode").map_or("none", String::as_str);
    if !mapping.eq_ignore_ascii_case("none") {
        let what = format!(
            "the table uses column mapping (delta.columnMapping.mode = {mapping}), which lakesmith does not read. Rewrite \
             it without, e.g. with Spark's CREATE TABLE … AS SELECT"
        );
        return Err(Error::unreadable(table, what));
    }
    let features = protocol.get("readerFeatures").and_then(Value::as_array).into_iter().flatten();
    let unknown: Vec<&str> = features
        .filter_map(Value::as_str)
        // column mapping was looked at above; types and columns tell by themselves whether timestamps have no zone
        .filter(|name| !READ_RIGHTLY.contains(name) && !["columnMapping", "timestampNtz"].contains(name))
        .collect();
    if unknown.is_empty() {
        return Ok(());
    }
    Err(Error::unreadable(table, format!("the table uses {}, which lakesmith does not read", unknown.join(", "))))
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

async fn files(table: &str, replay: &EagerSnapshot, log_store: &LogStoreRef) -> Result<Vec<DataFile>, Error> {
    // add_action is the only way to a file's tags
    #[expect(deprecated)]
    let adds: Vec<Add> = replay.log_data().iter().map(|view| view.add_action()).collect();
    let mut files = Vec::with_capacity(adds.len());
    let mut seen = BTreeSet::new();
    for add in adds {
        check_path(table, &add.path)?;
        if !seen.insert(add.path.clone()) {
            return Err(Error::unreadable(table, format!("the log names the file `{}` twice", add.path)));
        }
        let deleted = deleted_rows(table, &add, log_store).await?;
        files.push(DataFile::new(add, deleted));
    }
    files.sort_by(|a, b| (a.modification_time(), a.path()).cmp(&(b.modification_time(), b.path())));
    Ok(files)
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

async fn is_missing(log_store: &LogStoreRef, file: &str) -> bool {
    let found = log_store.object_store(None).head(&object_path(file)).await;
    matches!(found, Err(object_store::Error::NotFound { .. }))
}
