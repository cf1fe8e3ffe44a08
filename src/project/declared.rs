//! A table's file as it is written: kinds and words are checked, names and expressions are not resolved yet.

use super::declared_step::{self, DeclaredStep};
use super::layers::LayerFile;
use super::model::{Guard, OnChange, Source};
use super::reader::{File, Map, Text};
use super::source;
use super::spelling::{closest, did_you_mean};
use super::yaml::{Mark, Node, Value};
use super::{guard, optimize};
use crate::name::{Layer, TableName};

const BRONZE_KEYS: [&str; 4] = ["owner", "description", "optimize", "source"];
const TABLE_KEYS: [&str; 13] = [
    "owner",
    "description",
    "from",
    "contract",
    "columns",
    "key",
    "latest_by",
    "event_time",
    "partition_by",
    "on_change",
    "guard",
    "optimize",
    "steps",
];

/// One file of `layers/`.
pub(super) struct Declared<'a> {
    pub name: TableName,
    pub file: File<'a>,
    pub owner: Option<String>,
    pub description: Option<String>,
    pub optimize: optimize::Declared,
    pub body: Body,
}

pub(super) enum Body {
    Bronze(Option<Source>),
    Table(Box<DeclaredTable>),
    /// The file has no usable tree.
    Unreadable,
}

/// A silver or gold table. What is faulty is left out; the fault is recorded.
pub(super) struct DeclaredTable {
    pub mark: Mark,
    pub from: Vec<Reference>,
    pub contract: Option<Text>,
    /// A key of the file that fits only a table that reads bronze, and where it stands.
    pub events_only: Vec<(&'static str, Mark)>,
    pub columns: Vec<NamedSql>,
    pub key: Option<Vec<Text>>,
    pub latest_by: Vec<Text>,
    pub event_time: Option<Text>,
    pub partition_by: Vec<Text>,
    pub on_change: OnChange,
    pub guard: Option<Guard>,
    pub steps: Vec<DeclaredStep>,
}

/// Another table's name, as written.
#[derive(Clone)]
pub(super) struct Reference {
    pub table: TableName,
    pub mark: Mark,
}

/// `name: expression`, or a bare name in a list.
pub(super) struct NamedSql {
    pub name: Text,
    /// `None`: the column of that name
    pub sql: Option<Text>,
}

impl Declared<'_> {
    /// The table's own guard.
    pub(super) fn guard(&self) -> Option<Guard> {
        match &self.body {
            Body::Table(table) => table.guard,
            Body::Bronze(_) | Body::Unreadable => None,
        }
    }
}

/// Reads one file.
pub(super) fn read<'a>(layer_file: LayerFile<'a>) -> Declared<'a> {
    let LayerFile { name, file, node } = layer_file;
    let what = format!("`{name}`");
    let known: &[&str] = if name.layer == Layer::Bronze { &BRONZE_KEYS } else { &TABLE_KEYS };
    let Some(map) = node.as_ref().and_then(|node| file.map(node, &what, known)) else {
        let optimize = optimize::Declared::default();
        return Declared { name, file: file.clone(), owner: None, description: None, optimize, body: Body::Unreadable };
    };
    let owner = map.text("owner").map(|text| text.value);
    let description = map.text("description").map(|text| text.value);
    let optimize = optimize::of_table(&map);
    let body = match name.layer {
        Layer::Bronze => {
            let node =
                map.required("source", "where its files are, e.g. `source: { path: orders/*.csv, format: csv }`");
            Body::Bronze(node.and_then(|node| source::read(&file, node)))
        }
        Layer::Silver | Layer::Gold => Body::Table(Box::new(table(&map))),
    };
    Declared { name, file: file.clone(), owner, description, optimize, body }
}

fn table(map: &Map) -> DeclaredTable {
    let from = map.required("from", "the table it reads, e.g. `from: bronze.orders`").and(map.texts("from"));
    let from = from.unwrap_or_default();
    if let (Some(node), true) = (map.get("from"), from.is_empty())
        && matches!(node.value, Value::Sequence(_))
    {
        map.file.fault(node.mark, "`from` names no table");
    }
    let events_only = ["contract", "columns", "latest_by"]
        .into_iter()
        .filter_map(|key| map.entry(key).map(|(found, _)| (key, found.mark)))
        .collect();
    let on_changes = [("rebuild", OnChange::Rebuild), ("forward_only", OnChange::ForwardOnly)];
    DeclaredTable {
        mark: map.mark,
        from: references(map.file, &from),
        contract: map.text("contract"),
        events_only,
        columns: map.get("columns").map(|node| named(map.file, node, "`columns`")).unwrap_or_default(),
        key: map.texts("key"),
        latest_by: map.texts("latest_by").unwrap_or_default(),
        event_time: map.text("event_time"),
        partition_by: map.texts("partition_by").unwrap_or_default(),
        on_change: map.choice("on_change", &on_changes).unwrap_or(OnChange::Rebuild),
        guard: guard::read(map),
        steps: map.get("steps").map(|node| declared_step::read_all(map.file, node)).unwrap_or_default(),
    }
}

fn references(file: &File, texts: &[Text]) -> Vec<Reference> {
    let mut found: Vec<Reference> = Vec::new();
    for reference in texts.iter().filter_map(|text| reference(file, text)) {
        if found.iter().any(|other| other.table == reference.table) {
            file.fault(reference.mark, format!("`{}` stands here twice", reference.table));
        } else {
            found.push(reference);
        }
    }
    found
}

/// `silver.orders`
pub(super) fn reference(file: &File, text: &Text) -> Option<Reference> {
    let parts = text.value.split_once('.');
    let layer = parts.and_then(|(layer, _)| Layer::ALL.into_iter().find(|known| known.as_str() == layer));
    match (layer, parts) {
        (Some(layer), Some((_, name))) if !name.is_empty() => {
            Some(Reference { table: TableName { layer, name: name.to_owned() }, mark: text.mark })
        }
        _ => {
            let layers = Layer::ALL.map(Layer::as_str);
            let hint = parts
                .and_then(|(layer, name)| Some(format!("did you mean `{}.{name}`?", closest(layer, layers)?)))
                .unwrap_or_else(|| "a layer, a dot and a name, e.g. `silver.orders`".to_owned());
            file.hinted(text.mark, format!("`{}` is no table's name", text.value), Some(hint));
            None
        }
    }
}

/// `{name: sql}`
pub(super) fn named(file: &File, node: &Node, what: &str) -> Vec<NamedSql> {
    let Some(map) = file.open_map(node, what) else { return Vec::new() };
    let entries = map.entries.iter().filter_map(|(key, value)| {
        let sql = file.sql(value, &format!("the expression of `{}`", key.text))?;
        let name = Text { value: key.text.clone(), mark: key.mark, verbatim: Some(key.mark) };
        Some(NamedSql { name, sql: Some(sql) })
    });
    entries.collect()
}

/// A hint that names the verb or key that was most likely meant.
pub(super) fn known_hint(word: &str, known: &[&str]) -> String {
    did_you_mean(word, known.iter().copied()).unwrap_or_else(|| format!("known here: {}", known.join(", ")))
}
