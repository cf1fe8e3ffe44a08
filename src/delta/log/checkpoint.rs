//! The actions of a checkpoint's Parquet file. Only the columns that are asked for are decoded.

use std::collections::HashMap;

use arrow::array::{Array, AsArray, RecordBatch, StructArray};
use arrow::datatypes::{Int32Type, Int64Type};
use deltalake::kernel::{Add, DeletionVectorDescriptor};
use deltalake::parquet::arrow::ProjectionMask;
use deltalake::parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use serde_json::{Map, Value, json};

use super::place::Bytes;
use super::replay::{Wanted, decode};

/// What a file of a checkpoint holds.
#[derive(Default)]
pub(super) struct Found {
    pub(super) protocol: Option<Value>,
    pub(super) metadata: Option<Value>,
    pub(super) txns: Vec<(String, i64)>,
    /// `None`: they stand in other files, or without statistics as text where there are some as columns
    pub(super) adds: Option<Vec<Add>>,
}

const OF_HEAD: [&str; 3] = ["protocol", "metaData", "txn"];
const OF_FILES: [&str; 12] = [
    "add.path",
    "add.partitionValues",
    "add.size",
    "add.modificationTime",
    "add.dataChange",
    "add.stats",
    "add.tags",
    "add.deletionVector",
    "add.baseRowId",
    "add.defaultRowCommitVersion",
    "add.clusteringProvider",
    "sidecar.path",
];

/// Reads one file of a checkpoint.
///
/// # Errors
/// What is wrong with it.
pub(super) fn read(bytes: Bytes, wanted: Wanted) -> Result<Found, String> {
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let builder =
        ParquetRecordBatchReaderBuilder::try_new_with_options(bytes, options).map_err(|error| error.to_string())?;
    let mut columns = OF_HEAD.to_vec();
    if wanted == Wanted::Files {
        columns.extend(OF_FILES);
    }
    let schema = builder.parquet_schema();
    let parsed = schema.columns().iter().any(|column| column.path().string().starts_with("add.stats_parsed."));
    let mask = ProjectionMask::columns(schema, columns);
    let batches = builder.with_projection(mask).build().map_err(|error| error.to_string())?;
    let mut found = Found { adds: (wanted == Wanted::Files).then(Vec::new), ..Found::default() };
    for batch in batches {
        take(&batch.map_err(|error| error.to_string())?, parsed, &mut found)?;
    }
    Ok(found)
}

fn take(batch: &RecordBatch, parsed: bool, found: &mut Found) -> Result<(), String> {
    for action in actions(batch, "txn") {
        found.txns.extend(action.text("appId").zip(action.number("version")));
    }
    found.protocol = actions(batch, "protocol").last().map(|action| protocol(&action)).or(found.protocol.take());
    found.metadata = actions(batch, "metaData").last().map(|action| metadata(&action)).or(found.metadata.take());
    for sidecar in actions(batch, "sidecar") {
        check_sidecar(&sidecar.text("path").unwrap_or_default())?;
        found.adds = None;
    }
    let Some(mut adds) = found.adds.take() else { return Ok(()) };
    for action in actions(batch, "add") {
        let add = add(&action)?;
        if parsed && add.stats.is_none() {
            return Ok(());
        }
        adds.push(add);
    }
    found.adds = Some(adds);
    Ok(())
}

/// The protocol allows a sidecar to lie anywhere; a table that someone hands to us must not read other files.
pub(super) fn check_sidecar(path: &str) -> Result<(), String> {
    let plain = !path.is_empty() && !path.contains(['/', '\\', '%', ':']);
    if plain { Ok(()) } else { Err(format!("it names the sidecar `{path}`, a file outside the table's folder")) }
}

/// One row of a column of structs.
struct Row<'a> {
    of: &'a StructArray,
    at: usize,
}

fn actions<'a>(batch: &'a RecordBatch, kind: &str) -> impl Iterator<Item = Row<'a>> + use<'a> {
    let column = batch.column_by_name(kind).and_then(|column| column.as_struct_opt());
    column.into_iter().flat_map(|of| (0..of.len()).filter(|&at| of.is_valid(at)).map(move |at| Row { of, at }))
}

impl<'a> Row<'a> {
    fn text(&self, name: &str) -> Option<String> {
        let texts = self.of.column_by_name(name)?.as_string_opt::<i32>()?;
        texts.is_valid(self.at).then(|| texts.value(self.at).to_owned())
    }

    fn number(&self, name: &str) -> Option<i64> {
        let column = self.of.column_by_name(name)?;
        if column.is_null(self.at) {
            return None;
        }
        let short = || Some(i64::from(column.as_primitive_opt::<Int32Type>()?.value(self.at)));
        column.as_primitive_opt::<Int64Type>().map(|long| long.value(self.at)).or_else(short)
    }

    fn boolean(&self, name: &str) -> Option<bool> {
        let column = self.of.column_by_name(name)?.as_boolean_opt()?;
        column.is_valid(self.at).then(|| column.value(self.at))
    }

    fn inner(&self, name: &str) -> Option<Row<'a>> {
        let of = self.of.column_by_name(name)?.as_struct_opt()?;
        of.is_valid(self.at).then_some(Row { of, at: self.at })
    }

    fn texts(&self, name: &str) -> Option<Vec<String>> {
        let lists = self.of.column_by_name(name)?.as_list_opt::<i32>()?;
        if lists.is_null(self.at) {
            return None;
        }
        let list = lists.value(self.at);
        Some(list.as_string_opt::<i32>()?.iter().flatten().map(str::to_owned).collect())
    }

    fn map(&self, name: &str) -> Option<HashMap<String, Option<String>>> {
        let maps = self.of.column_by_name(name)?.as_map_opt()?;
        if maps.is_null(self.at) {
            return None;
        }
        let entries = maps.value(self.at);
        let (keys, values) = (entries.column(0).as_string_opt::<i32>()?, entries.column(1).as_string_opt::<i32>()?);
        Some(keys.iter().zip(values).filter_map(|(k, v)| Some((k?.to_owned(), v.map(str::to_owned)))).collect())
    }

    /// As JSON, without what is null.
    fn json(&self, name: &str, value: Option<Value>, into: &mut Map<String, Value>) {
        into.extend(value.map(|value| (name.to_owned(), value)));
    }
}

fn protocol(row: &Row) -> Value {
    let mut protocol = Map::new();
    for name in ["minReaderVersion", "minWriterVersion"] {
        row.json(name, row.number(name).map(Value::from), &mut protocol);
    }
    for name in ["readerFeatures", "writerFeatures"] {
        row.json(name, row.texts(name).map(Value::from), &mut protocol);
    }
    Value::Object(protocol)
}

fn metadata(row: &Row) -> Value {
    let mut metadata = Map::new();
    for name in ["id", "name", "description", "schemaString"] {
        row.json(name, row.text(name).map(Value::from), &mut metadata);
    }
    let options = |format: &Row| format.map("options").unwrap_or_default();
    let format = row.inner("format").map(|f| json!({ "provider": f.text("provider"), "options": options(&f) }));
    row.json("format", format, &mut metadata);
    row.json("partitionColumns", row.texts("partitionColumns").map(Value::from), &mut metadata);
    row.json("createdTime", row.number("createdTime").map(Value::from), &mut metadata);
    row.json("configuration", row.map("configuration").map(|map| json!(map)), &mut metadata);
    Value::Object(metadata)
}

fn add(row: &Row) -> Result<Add, String> {
    let lacks = |what: &str| format!("an add action has no {what}");
    Ok(Add {
        path: decode(row.text("path").ok_or_else(|| lacks("path"))?)?,
        partition_values: row.map("partitionValues").unwrap_or_default(),
        size: row.number("size").ok_or_else(|| lacks("size"))?,
        modification_time: row.number("modificationTime").ok_or_else(|| lacks("modificationTime"))?,
        data_change: row.boolean("dataChange").unwrap_or(true),
        stats: row.text("stats"),
        tags: row.map("tags"),
        deletion_vector: row.inner("deletionVector").map(|row| vector(&row)).transpose()?,
        base_row_id: row.number("baseRowId"),
        default_row_commit_version: row.number("defaultRowCommitVersion"),
        clustering_provider: row.text("clusteringProvider"),
    })
}

fn vector(row: &Row) -> Result<DeletionVectorDescriptor, String> {
    let vector = json!({
        "storageType": row.text("storageType"),
        "pathOrInlineDv": row.text("pathOrInlineDv"),
        "offset": row.number("offset"),
        "sizeInBytes": row.number("sizeInBytes"),
        "cardinality": row.number("cardinality"),
    });
    serde_json::from_value(vector).map_err(|error| format!("a deletion vector: {error}"))
}
