//! The definition hash: what a table's rows depend on beside its inputs.

use serde::Serialize;

use super::{Definition, Project};
use crate::name::TableName;

/// Raised whenever an expression, a step or a rule comes to mean something else, so that every table is made anew.
pub const EXPRESSIONS_VERSION: u32 = 1;

#[derive(Serialize)]
struct Hashed<'p, T> {
    expressions_version: u32,
    timezone: &'p str,
    definition: &'p T,
}

/// BLAKE3 in hex of all that decides over a silver or gold table's rows: sources, contract, steps, key, time zone; not
/// its owner, description, `event_time`, `on_change` or comments. Empty for a bronze table and for a name that is not
/// in the project: bronze rows depend on files alone.
pub fn definition_hash(project: &Project, name: &TableName) -> String {
    match project.tables.get(name).map(|table| &table.definition) {
        Some(Definition::Silver(events)) => hash(project, events.as_ref()),
        Some(Definition::Gold(derived)) => hash(project, derived.as_ref()),
        Some(Definition::Bronze(_)) | None => String::new(),
    }
}

fn hash<T: Serialize>(project: &Project, definition: &T) -> String {
    let hashed = Hashed { expressions_version: EXPRESSIONS_VERSION, timezone: project.timezone.name(), definition };
    // Plain enums, structs and lists always have a JSON form.
    let json = serde_json::to_vec(&hashed).unwrap_or_default();
    blake3::hash(&json).to_hex().to_string()
}
