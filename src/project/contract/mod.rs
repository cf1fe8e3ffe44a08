//! Data contracts: Open Data Contract Standard v3.1, as far as rows can be judged by them.

mod diagnostics;
mod literal;
mod plain;
#[cfg(test)]
mod plain_tests;
mod property;
mod quality;
mod rules;
mod types;

use std::path::{Component, Path, PathBuf};

use super::model::{Contract, Property};
use super::reader::{Faults, File, Map, Text};
use super::spelling::did_you_mean;
use super::yaml::{Mark, Node, Value};
use crate::name::TableName;

const TOP_KEYS: [&str; 22] = [
    "version",
    "apiVersion",
    "kind",
    "id",
    "status",
    "name",
    "tenant",
    "tags",
    "servers",
    "dataProduct",
    "description",
    "domain",
    "schema",
    "support",
    "price",
    "team",
    "roles",
    "slaDefaultElement",
    "slaProperties",
    "authoritativeDefinitions",
    "customProperties",
    "contractCreatedTs",
];
const OBJECT_KEYS: [&str; 14] = [
    "id",
    "name",
    "physicalType",
    "description",
    "businessName",
    "authoritativeDefinitions",
    "tags",
    "customProperties",
    "logicalType",
    "physicalName",
    "dataGranularityDescription",
    "properties",
    "relationships",
    "quality",
];

/// A contract as one table uses it.
pub(super) struct Loaded<'a> {
    pub file: File<'a>,
    pub contract: Contract,
    /// where each property's name stands, in the order of the contract
    pub marks: Vec<Mark>,
    /// names of the properties with `primaryKey: true`, by position, and where the first one stands
    pub primary_key: Option<(Vec<String>, Mark)>,
    /// `unique: true` or duplicateValues, and where
    pub unique: Vec<(String, Mark)>,
    pub owner: Option<String>,
    pub description: Option<String>,
}

/// What the contract's reader needs to know of the table.
pub(super) struct Reading<'r> {
    pub root: &'r Path,
    pub table: &'r TableName,
    pub timezone: chrono_tz::Tz,
}

/// Reads the contract that `referrer` names; `None` if its columns are not all known.
pub(super) fn load<'a>(reading: &Reading, referrer: &File<'a>, path: &Text, faults: &'a Faults) -> Option<Loaded<'a>> {
    let relative = PathBuf::from(&path.value);
    if relative.components().any(|part| !matches!(part, Component::Normal(_) | Component::CurDir)) {
        let hint = "write it relative to the project's root, e.g. `schemas/orders.odcs.yaml`".to_owned();
        referrer.hinted(path.mark, format!("`{}` leads out of the project", path.value), Some(hint));
        return None;
    }
    if !reading.root.join(&relative).is_file() {
        let message = format!("the contract `{}` does not exist", path.value);
        referrer.hinted(path.mark, message, similar_file(reading.root, &path.value));
        return None;
    }
    let before = faults.count();
    let (file, node) = File::open(reading.root, relative, faults);
    let node = node?;
    let readable = faults.count() == before;
    let loaded = top(reading, file.clone(), &node);
    if readable {
        diagnostics::report(reading.root, &file, &node, faults.count() > before);
    }
    loaded
}

fn similar_file(root: &Path, path: &str) -> Option<String> {
    let folder = Path::new(path).parent()?;
    let entries = std::fs::read_dir(root.join(folder)).ok()?;
    let names: Vec<String> =
        entries.filter_map(|entry| Some(folder.join(entry.ok()?.file_name()).to_string_lossy().into_owned())).collect();
    did_you_mean(path, names.iter().map(String::as_str))
        .or_else(|| Some("the path is relative to the project's root, e.g. `schemas/orders.odcs.yaml`".to_owned()))
}

fn top<'a>(reading: &Reading, file: File<'a>, node: &Node) -> Option<Loaded<'a>> {
    let map = file.map(node, "the contract", &TOP_KEYS)?;
    for key in ["version", "apiVersion", "kind", "id", "status"] {
        map.required(key, "the Open Data Contract Standard requires it");
    }
    let schema = map.required("schema", "a list with the table's object and its `properties`")?;
    let object = object(reading, &file, schema)?;
    let owner = owner(&map);
    let object = file.map(object, "the schema object", &OBJECT_KEYS)?;
    let description = object.text("description").or_else(|| purpose(&map)).map(|text| text.value);
    object_rules(&object);
    let properties = object.required("properties", "a list of the table's columns")?;
    let found = property::read_all(reading, &file, properties)?;
    Some(loaded(file.clone(), found, owner, description))
}

/// The schema object: the only one, else the one with the table's name.
fn object<'n>(reading: &Reading, file: &File, schema: &'n Node) -> Option<&'n Node> {
    let Value::Sequence(objects) = &schema.value else {
        file.wrong_kind(schema, "`schema`", "a list");
        return None;
    };
    let name_of = |node: &Node| match &node.value {
        Value::Mapping(_) => file.open_map(node, "the schema object").and_then(|map| map.text("name")),
        _ => None,
    };
    let found = match objects.as_slice() {
        [only] => Some(only),
        several => several.iter().find(|node| name_of(node).is_some_and(|name| name.value == reading.table.name)),
    };
    if found.is_none() {
        let message = format!("the contract has no schema object for `{}`", reading.table);
        let hint = format!("with several objects, one must have `name: {}`", reading.table.name);
        file.hinted(schema.mark, message, Some(hint));
    }
    found
}

/// Rules on the whole table, none of which judges a row.
fn object_rules(object: &Map) {
    for key in ["quality", "relationships"] {
        if let Some(node) = object.get(key)
            && let Value::Sequence(rules) = &node.value
        {
            for rule in rules {
                let hint = "lakesmith enforces rules on one value of one row".to_owned();
                object.file.warn(rule.mark, format!("a rule in `{key}` of the table is not enforced"), Some(hint));
            }
        }
    }
}

/// The team's name, else the member whose role is owner.
fn owner(map: &Map) -> Option<String> {
    let team = map.get("team")?;
    let members = match &team.value {
        Value::Mapping(_) => {
            let team = map.file.open_map(team, "`team`")?;
            if let Some(name) = team.text("name") {
                return Some(name.value);
            }
            team.get("members")?
        }
        _ => team,
    };
    let Value::Sequence(members) = &members.value else { return None };
    members.iter().filter_map(|member| map.file.open_map(member, "a member of the team")).find_map(|member| {
        let role = member.text("role")?;
        role.value.eq_ignore_ascii_case("owner").then(|| member.text("username")).flatten().map(|name| name.value)
    })
}

fn purpose(map: &Map) -> Option<Text> {
    let node = map.get("description")?;
    match node.value {
        Value::Mapping(_) => map.file.open_map(node, "`description`")?.text("purpose"),
        _ => None,
    }
}

fn loaded(
    file: File<'_>,
    found: Vec<property::Found>,
    owner: Option<String>,
    description: Option<String>,
) -> Loaded<'_> {
    let mut keys: Vec<(i64, &property::Found)> =
        found.iter().filter_map(|p| p.primary_key.map(|position| (position, p))).collect();
    keys.sort_by_key(|(position, _)| *position);
    let primary_key =
        keys.first().map(|(_, first)| (keys.iter().map(|(_, p)| p.property.name.clone()).collect(), first.mark));
    let unique = found.iter().filter_map(|p| Some((p.property.name.clone(), p.unique?))).collect();
    let marks = found.iter().map(|p| p.mark).collect();
    let properties: Vec<Property> = found.into_iter().map(|p| p.property).collect();
    let contract = Contract { file: file.path.clone(), properties };
    Loaded { file, contract, marks, primary_key, unique, owner, description }
}
