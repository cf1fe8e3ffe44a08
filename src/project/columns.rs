//! Names and roles of a table's columns.

use super::reader::{File, Text};
use super::spelling::did_you_mean;
use crate::expr::{Column, Columns, Type};
use crate::name::REFUSED_IN_COLUMNS;

/// Why a name cannot be a column's: Delta refuses some characters, lakesmith keeps `_` for its own columns.
pub(super) fn bad_name(name: &str) -> Option<String> {
    if name.starts_with('_') {
        return Some("names that begin with `_` belong to lakesmith".to_owned());
    }
    let refused = name.contains(REFUSED_IN_COLUMNS) || name.chars().any(char::is_control);
    (name.is_empty() || refused).then(|| "no spaces and none of , ; { } ( ) =".to_owned())
}

/// A column by name, or a fault.
pub(super) fn find<'c>(file: &File, columns: &'c Columns, name: &Text) -> Option<&'c Column> {
    let found = columns.iter().find(|column| column.name == name.value);
    if found.is_none() {
        let hint = known_hint(&name.value, columns);
        file.hinted(name.mark, format!("there is no column `{}`", name.value), Some(hint));
    }
    found
}

/// The column most likely meant, else all of them.
pub(super) fn known_hint(name: &str, columns: &Columns) -> String {
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    did_you_mean(name, names.iter().copied()).unwrap_or_else(|| format!("the columns are: {}", names.join(", ")))
}

/// The same names in whatever order.
pub(super) fn same(one: &[String], other: &[String]) -> bool {
    one.len() == other.len() && one.iter().all(|name| other.contains(name))
}

/// The names of `key:`, as far as they can be a key; the others are faults. Likewise below.
pub(super) fn key(file: &File, columns: &Columns, names: &[Text]) -> Vec<String> {
    let fits = |ty: &Type| !(ty.is_floating() || is_nested(ty));
    roles(file, columns, names, "key", fits, "a key is compared for equality; take text, integers, decimals or times")
}

/// The names of `partition_by:`.
pub(super) fn partition_by(file: &File, columns: &Columns, names: &[Text]) -> Vec<String> {
    let fits = |ty: &Type| !(ty.is_floating() || is_nested(ty));
    let found = roles(file, columns, names, "partition_by", fits, "each of its values becomes a folder");
    if let (Some(first), true) = (names.first(), found.len() == columns.len()) {
        file.fault(first.mark, "every column is in `partition_by`; a file must hold at least one");
    }
    found
}

/// The names of `latest_by:`.
pub(super) fn latest_by(file: &File, columns: &Columns, names: &[Text]) -> Vec<String> {
    roles(file, columns, names, "latest_by", |ty| !is_nested(ty), "its values must have an order")
}

/// The name in `event_time:`.
pub(super) fn event_time(file: &File, columns: &Columns, name: Option<&Text>) -> Option<String> {
    let fits = |ty: &Type| matches!(ty, Type::Date | Type::Timestamp);
    roles(file, columns, std::slice::from_ref(name?), "event_time", fits, "take a date or a timestamp").pop()
}

/// The names of `z_order:` of a table with these partitions.
pub(super) fn z_order(file: &File, columns: &Columns, partition_by: &[String], names: &[Text]) -> Vec<String> {
    if let Some(name) = names.get(MOST_Z_ORDERED) {
        file.fault(
            name.mark,
            format!("more than {MOST_Z_ORDERED} columns in `z_order`; each makes the others matter less"),
        );
    }
    for name in names.iter().filter(|name| partition_by.contains(&name.value)) {
        let hint = "name columns whose values are mixed within a partition".to_owned();
        file.hinted(
            name.mark,
            format!("`{}` is in `partition_by`: its values lie apart already", name.value),
            Some(hint),
        );
    }
    let fits = |ty: &Type| !matches!(ty, Type::Array(_) | Type::Struct(_) | Type::Null);
    roles(file, columns, names, "z_order", fits, "its values must have an order")
}

/// More of them share too few bits.
const MOST_Z_ORDERED: usize = 8;

fn is_nested(ty: &Type) -> bool {
    matches!(ty, Type::Array(_) | Type::Struct(_) | Type::Binary | Type::Null)
}

fn roles(
    file: &File,
    columns: &Columns,
    names: &[Text],
    role: &str,
    fits: impl Fn(&Type) -> bool,
    hint: &str,
) -> Vec<String> {
    let mut found = Vec::with_capacity(names.len());
    for name in names {
        let Some(column) = find(file, columns, name) else { continue };
        if found.contains(&name.value) {
            file.fault(name.mark, format!("`{}` stands twice in `{role}`", name.value));
        } else if !fits(&column.ty) {
            let message = format!("`{}` of type {} cannot stand in `{role}`", column.name, column.ty);
            file.hinted(name.mark, message, Some(hint.to_owned()));
        } else {
            found.push(name.value.clone());
        }
    }
    found
}
