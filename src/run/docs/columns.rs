//! The columns of a table: what the project says of them, and what the lake has.

use serde::Serialize;
use serde_json::Value;

use crate::delta::{DataFile, Snapshot};
use crate::expr::{Column, Columns};
use crate::name::TableName;
use crate::project::{Definition, Project, Property, Rule};

/// A column.
#[derive(Debug, Serialize)]
pub struct ColumnDocs {
    /// its name
    pub name: String,
    /// what it holds
    #[serde(rename = "type")]
    pub ty: String,
    /// for people
    pub description: Option<String>,
    /// what its contract wants of each value
    pub rules: Vec<String>,
    /// columns of inputs that its values are computed from: table, column
    pub from: Vec<(TableName, String)>,
    /// where definition and table do not agree: which of them has it
    pub only: Option<Only>,
}

/// Where a column is that is not in both definition and table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Only {
    /// the table does not have it yet
    Definition,
    /// lakesmith adds it
    Lineage,
    /// the definition does not have it any more
    Table,
}

/// The columns by the definition; none for bronze, whose columns are those of its files.
pub fn declared(project: &Project, name: &TableName) -> Vec<ColumnDocs> {
    let lineage = project.column_lineage(name);
    let (columns, properties): (&Columns, &[Property]) = match project.tables.get(name).map(|t| &t.definition) {
        Some(Definition::Silver(events)) => (&events.output, &events.contract.properties),
        Some(Definition::Gold(derived)) => (&derived.output, &[]),
        Some(Definition::Bronze(_)) | None => return Vec::new(),
    };
    let docs = |column: &Column| {
        let property = properties.iter().find(|property| property.name == column.name);
        ColumnDocs {
            name: column.name.clone(),
            ty: column.ty.to_string(),
            description: property.and_then(|property| property.description.clone()),
            rules: property.map(|property| property.rules.iter().map(rule).collect()).unwrap_or_default(),
            from: lineage.get(&column.name).into_iter().flatten().cloned().collect(),
            only: None,
        }
    };
    columns.iter().map(docs).collect()
}

/// What the table has beside that.
pub fn stored(columns: &mut Vec<ColumnDocs>, snapshot: &Snapshot, is_bronze: bool) {
    let stored = &snapshot.schema().columns;
    for column in columns.iter_mut() {
        match stored.iter().find(|stored| stored.name == column.name) {
            Some(stored) => column.ty = stored.ty.to_string(),
            None => column.only = Some(Only::Definition),
        }
    }
    for column in stored {
        if columns.iter().any(|known| known.name == column.name) {
            continue;
        }
        let only = match column.name.starts_with('_') {
            true => Some(Only::Lineage),
            false if is_bronze => None,
            false => Some(Only::Table),
        };
        let (name, ty) = (column.name.clone(), column.ty.to_string());
        columns.push(ColumnDocs { name, ty, description: None, rules: Vec::new(), from: Vec::new(), only });
    }
    columns.sort_by_key(|column| column.only == Some(Only::Lineage));
}

/// The least and the greatest value of a column of times, if all files tell.
pub fn range(snapshot: &Snapshot, column: &str) -> Option<(String, String)> {
    let bound = |file: &DataFile, side: &str| Some(file.statistics().get(side)?.get(column)?.as_str()?.to_owned());
    let holds = |file: &&DataFile| file.rows() != Some(0) && file.null_count(column) != file.rows();
    let bounds: Option<Vec<(String, String)>> = snapshot
        .files()
        .iter()
        .filter(holds)
        .map(|file| Some((bound(file, "minValues")?, bound(file, "maxValues")?)))
        .collect();
    bounds?.into_iter().reduce(|(a, b), (c, d)| (a.min(c), b.max(d)))
}

/// A rule in words; `lakesmith quarantine` names it so.
fn rule(rule: &Rule) -> String {
    match serde_json::to_value(rule) {
        Ok(Value::String(name)) => words(&name),
        Ok(Value::Object(map)) => map.iter().map(|(name, limit)| told(name, limit)).collect(),
        _ => String::new(),
    }
}

fn told(name: &str, limit: &Value) -> String {
    let colon = if limit.is_array() { ":" } else { "" };
    format!("{}{colon} {}", words(name), shown(limit))
}

fn words(name: &str) -> String {
    name.replace('_', " ")
}

fn shown(limit: &Value) -> String {
    match limit {
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(shown).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}
