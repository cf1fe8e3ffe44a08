//! How far a table has read each of its inputs.

use serde::Serialize;

use crate::name::{Layer, TableName};
use crate::plan::LakeState;
use crate::project::Project;

/// An input of a table.
#[derive(Debug, Serialize)]
pub struct InputDocs {
    /// which
    pub table: TableName,
    /// what is counted: `batch` of bronze, `version` of others
    pub unit: &'static str,
    /// up to here it has been read; none: not yet
    pub read: Option<i64>,
    /// here it is
    pub newest: Option<i64>,
}

impl InputDocs {
    /// Of a table that has not been looked at.
    pub fn unread(table: TableName) -> Self {
        let unit = if table.layer == Layer::Bronze { "batch" } else { "version" };
        InputDocs { table, unit, read: None, newest: None }
    }
}

/// The inputs of a table, by its watermarks.
pub fn of(project: &Project, name: &TableName, states: &LakeState) -> Vec<InputDocs> {
    let own = states.get(name);
    let input = |table: TableName| {
        let state = states.get(&table);
        let read = state.and_then(|state| own?.watermarks.get(&state.id)).copied();
        InputDocs { read, newest: state.map(|state| state.position()), ..InputDocs::unread(table) }
    };
    project.inputs(name).into_iter().map(input).collect()
}
