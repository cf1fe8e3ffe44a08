//! Our types and those of the Delta protocol. The protocol's form of a schema is JSON, so this is JSON in and out
//! (<https://github.com/delta-io/delta/blob/master/PROTOCOL.md#schema-serialization-format>).

use std::collections::{BTreeMap, BTreeSet};

use polars::prelude::{DataType, Field, Schema, SchemaRef};
use serde_json::{Map, Value, json};

use super::{Error, partition};
use crate::expr::{Column, Columns, Type};
use crate::name::REFUSED_IN_COLUMNS;

/// Column to key to text.
pub(super) type Texts = BTreeMap<String, BTreeMap<String, String>>;

/// What a table holds and how its files are laid out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TableSchema {
    /// in order, with those of `partition_by`
    pub columns: Columns,
    /// columns whose values stand in the log and not in the files
    pub partition_by: Vec<String>,
    /// per column, texts that travel with it, e.g. the header that it had
    pub metadata: Texts,
    /// the columns with statistics (`delta.dataSkippingStatsColumns`); empty: the first 32
    pub stats_columns: Vec<String>,
}

/// Statistics cover as many columns unless `delta.dataSkippingStatsColumns` names them.
const DEFAULT_STATS_COLUMNS: usize = 32;

impl TableSchema {
    /// Unpartitioned, with nothing but columns.
    pub fn new(columns: Columns) -> Self {
        TableSchema { columns, ..TableSchema::default() }
    }

    /// A column's type.
    pub fn ty(&self, name: &str) -> Option<&Type> {
        self.columns.iter().find(|c| c.name == name).map(|c| &c.ty)
    }

    /// All columns as Polars holds them.
    pub fn to_polars(&self) -> SchemaRef {
        fields(self.columns.iter())
    }

    /// The columns that stand in the files.
    pub(super) fn file_columns(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(|c| !self.partition_by.contains(&c.name))
    }

    pub(super) fn file_schema(&self) -> SchemaRef {
        fields(self.file_columns())
    }

    /// The names of the columns that get statistics.
    pub(super) fn with_statistics(&self) -> BTreeSet<String> {
        if self.stats_columns.is_empty() {
            self.file_columns().take(DEFAULT_STATS_COLUMNS).map(|c| c.name.clone()).collect()
        } else {
            self.stats_columns.iter().cloned().collect()
        }
    }

    /// `delta.dataSkippingStatsColumns`, if it must be set.
    pub(super) fn stats_property(&self) -> Option<String> {
        let plain = |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        let quoted = |name: &String| if plain(name) { name.clone() } else { format!("`{}`", name.replace('`', "``")) };
        (!self.stats_columns.is_empty()).then(|| self.stats_columns.iter().map(quoted).collect::<Vec<_>>().join(","))
    }

    /// Whether every Delta reader can read a table with this schema.
    pub(super) fn check(&self, table: &str) -> Result<(), Error> {
        check_names(table, "", &self.columns)?;
        if self.columns.is_empty() {
            return Err(Error::invalid(table, "a table needs at least one column"));
        }
        for name in self.partition_by.iter().chain(&self.stats_columns) {
            if self.ty(name).is_none() {
                return Err(Error::invalid(
                    table,
                    format!("there is no column `{name}` to partition by or to measure"),
                ));
            }
        }
        for name in &self.partition_by {
            if matches!(self.ty(name), Some(Type::Array(_) | Type::Struct(_) | Type::Binary)) {
                return Err(Error::invalid(table, format!("`{name}` is no type to partition by")));
            }
            if !partition::is_plain(name) {
                let what =
                    format!("`{name}`: a table can be partitioned by columns named with A-Z a-z 0-9 - . _ ~ alone");
                return Err(Error::invalid(table, what));
            }
        }
        if self.file_columns().next().is_none() {
            return Err(Error::invalid(table, "a table needs a column that it is not partitioned by"));
        }
        Ok(())
    }

    /// `schemaString`, keeping of `base` what we have no word for (comments, metadata that is no text).
    pub(super) fn to_json(&self, base: Option<&Value>) -> Value {
        let fields: Vec<Value> = self.columns.iter().map(|column| self.field(column, base)).collect();
        json!({ "type": "struct", "fields": fields })
    }

    fn field(&self, column: &Column, base: Option<&Value>) -> Value {
        let mut metadata = match base.and_then(|base| field_of(base, &column.name)) {
            Some(field) => field.get("metadata").and_then(Value::as_object).cloned().unwrap_or_default(),
            None => Map::new(),
        };
        for (key, text) in self.metadata.get(&column.name).into_iter().flatten() {
            metadata.insert(key.clone(), Value::String(text.clone()));
        }
        json!({ "name": column.name, "type": type_to_json(&column.ty), "nullable": true, "metadata": metadata })
    }
}

fn fields<'a>(columns: impl Iterator<Item = &'a Column>) -> SchemaRef {
    columns.map(|c| Field::new(c.name.as_str().into(), c.ty.to_polars())).collect::<Schema>().into()
}

fn field_of<'a>(schema: &'a Value, name: &str) -> Option<&'a Value> {
    schema.get("fields")?.as_array()?.iter().find(|field| field.get("name").and_then(Value::as_str) == Some(name))
}

/// Delta compares names without case, and without column mapping these characters cannot stand in Parquet's names.
fn check_names(table: &str, prefix: &str, columns: &[Column]) -> Result<(), Error> {
    let mut seen = BTreeSet::new();
    for Column { name, ty } in columns {
        let path = format!("{prefix}{name}");
        if name.is_empty() || name.contains(REFUSED_IN_COLUMNS) {
            return Err(Error::invalid(table, format!("Delta cannot store a column named {path:?}")));
        }
        if !seen.insert(name.to_lowercase()) {
            return Err(Error::invalid(table, format!("`{path}` comes twice: Delta does not tell case apart")));
        }
        check_type(table, &path, ty)?;
    }
    Ok(())
}

fn check_type(table: &str, path: &str, ty: &Type) -> Result<(), Error> {
    match ty {
        Type::Null => Err(Error::invalid(table, format!("`{path}` has no type: Delta cannot store a bare NULL"))),
        Type::Decimal { precision, scale } if *precision == 0 || *precision > 38 || scale > precision => {
            Err(Error::invalid(table, format!("`{path}` cannot be {ty}")))
        }
        Type::Array(inner) => check_type(table, path, inner),
        Type::Struct(columns) if columns.is_empty() => {
            Err(Error::invalid(table, format!("`{path}` is a struct without fields")))
        }
        Type::Struct(columns) => check_names(table, &format!("{path}."), columns),
        _ => Ok(()),
    }
}

fn type_to_json(ty: &Type) -> Value {
    match ty {
        Type::Boolean => json!("boolean"),
        Type::TinyInt => json!("byte"),
        Type::SmallInt => json!("short"),
        Type::Int => json!("integer"),
        Type::BigInt => json!("long"),
        Type::Float => json!("float"),
        Type::Double => json!("double"),
        Type::Decimal { precision, scale } => json!(format!("decimal({precision},{scale})")),
        // a bare NULL is refused before it comes here
        Type::String | Type::Null => json!("string"),
        Type::Binary => json!("binary"),
        Type::Date => json!("date"),
        Type::Timestamp => json!("timestamp"),
        Type::Array(inner) => json!({ "type": "array", "elementType": type_to_json(inner), "containsNull": true }),
        Type::Struct(columns) => {
            let field =
                |c: &Column| json!({ "name": c.name, "type": type_to_json(&c.ty), "nullable": true, "metadata": {} });
            json!({ "type": "struct", "fields": columns.iter().map(field).collect::<Vec<_>>() })
        }
    }
}

/// The columns of `schemaString`, with the texts of their metadata.
///
/// # Errors
/// What no type of ours can hold, with the path of its column.
pub(super) fn from_json(schema: &Value) -> Result<(Columns, Texts), String> {
    let columns = struct_from_json(schema, "")?;
    let mut metadata = BTreeMap::new();
    for column in &columns {
        let Some(found) = field_of(schema, &column.name).and_then(|f| f.get("metadata")).and_then(Value::as_object)
        else {
            continue;
        };
        let texts: BTreeMap<String, String> =
            found.iter().filter_map(|(k, v)| Some((k.clone(), v.as_str()?.to_owned()))).collect();
        if !texts.is_empty() {
            metadata.insert(column.name.clone(), texts);
        }
    }
    Ok((columns, metadata))
}

fn struct_from_json(schema: &Value, prefix: &str) -> Result<Columns, String> {
    let fields = schema.get("fields").and_then(Value::as_array).ok_or("its schema has no fields")?;
    fields
        .iter()
        .map(|field| {
            let name = field.get("name").and_then(Value::as_str).ok_or("a column has no name")?;
            let path = format!("{prefix}{name}");
            let ty = type_from_json(field.get("type").unwrap_or(&Value::Null), &path)?;
            Ok(Column::new(name, ty))
        })
        .collect()
}

fn type_from_json(ty: &Value, path: &str) -> Result<Type, String> {
    let unknown = || format!("`{path}` has the type {ty}, which lakesmith cannot read");
    if let Some(name) = ty.as_str() {
        return primitive_from_json(name).ok_or_else(unknown);
    }
    match ty.get("type").and_then(Value::as_str) {
        Some("struct") => Ok(Type::Struct(struct_from_json(ty, &format!("{path}."))?)),
        Some("array") => {
            let inner = type_from_json(ty.get("elementType").unwrap_or(&Value::Null), path)?;
            Ok(Type::Array(Box::new(inner)))
        }
        _ => Err(unknown()),
    }
}

fn primitive_from_json(name: &str) -> Option<Type> {
    Some(match name {
        "boolean" => Type::Boolean,
        "byte" => Type::TinyInt,
        "short" => Type::SmallInt,
        "integer" => Type::Int,
        "long" => Type::BigInt,
        "float" => Type::Float,
        "double" => Type::Double,
        "string" => Type::String,
        "binary" => Type::Binary,
        "date" => Type::Date,
        "timestamp" => Type::Timestamp,
        // Spark writes a bare `decimal` for decimal(10,0)
        "decimal" => Type::Decimal { precision: 10, scale: 0 },
        other => {
            let (precision, scale) = other.strip_prefix("decimal(")?.strip_suffix(')')?.split_once(',')?;
            Type::Decimal { precision: precision.trim().parse().ok()?, scale: scale.trim().parse().ok()? }
        }
    })
}

/// The columns that `delta.dataSkippingStatsColumns` names.
pub(super) fn split_stats_property(text: &str) -> Vec<String> {
    let mut names = vec![String::new()];
    let mut quoted = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, names.last_mut()) {
            ('`', Some(name)) if quoted && chars.peek() == Some(&'`') => name.extend(chars.next()),
            ('`', _) => quoted = !quoted,
            (',', _) if !quoted => names.push(String::new()),
            (c, Some(name)) if quoted || !c.is_whitespace() => name.push(c),
            _ => {}
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

/// Whether any column, however deep, must not be NULL.
pub(super) fn has_not_null(schema: &Value) -> bool {
    match schema {
        Value::Object(object) => {
            object.get("nullable") == Some(&Value::Bool(false))
                || object.get("containsNull") == Some(&Value::Bool(false))
                || object.values().any(has_not_null)
        }
        Value::Array(values) => values.iter().any(has_not_null),
        _ => false,
    }
}

/// The text of a Polars type, for messages.
pub(super) fn type_name(dtype: &DataType) -> String {
    Type::from_polars(dtype).map_or_else(|| dtype.to_string(), |ty| ty.to_string())
}
