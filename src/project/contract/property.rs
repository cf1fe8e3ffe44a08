//! `properties` of a contract.

use super::{Reading, quality, rules, types};
use crate::expr::Columns;
use crate::project::model::{Property, Rule};
use crate::project::reader::{File, Map};
use crate::project::yaml::{Kind, Mark, Node, Scalar, Value};

/// The standard's keys of a property.
pub(super) const KEYS: [&str; 28] = [
    "id",
    "name",
    "physicalType",
    "description",
    "businessName",
    "authoritativeDefinitions",
    "tags",
    "customProperties",
    "primaryKey",
    "primaryKeyPosition",
    "logicalType",
    "logicalTypeOptions",
    "physicalName",
    "required",
    "unique",
    "partitioned",
    "partitionKeyPosition",
    "classification",
    "encryptedName",
    "transformSourceObjects",
    "transformLogic",
    "transformDescription",
    "examples",
    "criticalDataElement",
    "relationships",
    "quality",
    "properties",
    "items",
];

/// One property and what the table must be asked about it.
pub(super) struct Found {
    pub property: Property,
    pub mark: Mark,
    /// its position, if it is part of the primary key
    pub primary_key: Option<i64>,
    /// where it is said that each value comes once
    pub unique: Option<Mark>,
}

/// The table's columns; `None` if one of them is not known.
pub(super) fn read_all(reading: &Reading, file: &File, node: &Node) -> Option<Vec<Found>> {
    let Value::Sequence(items) = &node.value else {
        file.wrong_kind(node, "`properties`", "a list");
        return None;
    };
    if items.is_empty() {
        file.fault(node.mark, "the contract names no column");
    }
    let mut found: Vec<Found> = Vec::new();
    for property in items.iter().filter_map(|item| read(reading, file, item)) {
        match found.iter().find(|other| other.property.name.eq_ignore_ascii_case(&property.property.name)) {
            Some(other) => {
                let message = format!("the property `{}` comes twice", property.property.name);
                let hint = format!("line {} has it too; the case of letters does not count", other.mark.line);
                file.hinted(property.mark, message, Some(hint));
            }
            None => found.push(property),
        }
    }
    (!found.is_empty() && found.len() == items.len()).then_some(found)
}

fn read(reading: &Reading, file: &File, node: &Node) -> Option<Found> {
    let map = file.map(node, "the property", &KEYS)?;
    let name = map.required("name", "the column's name").and(map.text("name"));
    let ty = types::read(&map);
    let required = map.boolean("required").unwrap_or(false);
    let (name, ty) = (name?, ty?);
    if let Some(hint) = crate::project::columns::bad_name(&name.value) {
        file.hinted(name.mark, format!("`{}` cannot be the name of a column", name.value), Some(hint));
        return None;
    }
    let mut found = Vec::new();
    if required {
        found.push(Rule::Required);
    }
    found.extend(rules::read(reading, &map, &ty));
    let mut unique = map.boolean("unique").unwrap_or(false).then(|| map.entry("unique")).flatten().map(|e| e.0.mark);
    for judged in quality::read(reading, &map, &ty) {
        match judged {
            quality::Judged::Rule(rule) if !found.contains(&rule) => found.push(rule),
            quality::Judged::Rule(_) => {}
            quality::Judged::Unique(mark) => unique = Some(mark),
        }
    }
    if ty.is_floating() && allows_nan(&map) {
        found.push(Rule::AllowNan);
    }
    let primary = map.boolean("primaryKey").unwrap_or(false);
    let primary_key = primary.then(|| position(&map));
    let mark = name.mark;
    let description = map.text("description").map(|text| text.value);
    let property = Property { name: name.value, ty, rules: found, description };
    Some(Found { property, mark, primary_key, unique })
}

fn position(map: &Map) -> i64 {
    map.text("primaryKeyPosition").and_then(|text| text.value.parse().ok()).unwrap_or(i64::MAX)
}

/// `customProperties: [{ property: allowNaN, value: true }]`: the standard has no word for it.
fn allows_nan(map: &Map) -> bool {
    let Some(Value::Sequence(items)) = map.get("customProperties").map(|node| &node.value) else { return false };
    items.iter().filter_map(|item| map.file.open_map(item, "a custom property")).any(|custom| {
        custom.text("property").is_some_and(|name| name.value == "allowNaN") && custom.boolean("value").unwrap_or(false)
    })
}

/// The members of an object.
pub(super) fn nested(file: &File, node: &Node) -> Option<Columns> {
    let Value::Sequence(items) = &node.value else {
        file.wrong_kind(node, "`properties`", "a list");
        return None;
    };
    let members: Vec<_> = items
        .iter()
        .map(|item| {
            let map = file.map(item, "the property", &KEYS)?;
            warn_of_nested_rules(&map);
            types::member(&map)
        })
        .collect();
    members.into_iter().collect()
}

/// Rules judge a column's value as a whole, not what is nested in it.
pub(super) fn warn_of_nested_rules(map: &Map) {
    for key in ["required", "unique", "logicalTypeOptions", "quality"] {
        let off = matches!(map.get(key).map(|node| &node.value),
            Some(Value::Scalar(Scalar { text, kind: Kind::Boolean, .. })) if text == "false");
        if let Some((found, _)) = map.entry(key)
            && !off
        {
            let hint = "take the value into a column of its own by `columns:`, e.g. with get_json".to_owned();
            map.file.warn(found.mark, format!("`{key}` of a nested property is not enforced"), Some(hint));
        }
    }
}
