//! Which columns of a table are worth statistics because tables below group by them.

use super::Run;
use crate::gold;
use crate::name::TableName;
use crate::project::Definition;

impl Run {
    /// The columns by which the tables below tell which files hold rows of a group. They are no part of a definition:
    /// a file that lacks their statistics is read.
    pub(super) fn telling_columns(&self, name: &TableName) -> Vec<String> {
        let columns = self.project.tables.values().filter_map(|table| match &table.definition {
            Definition::Gold(derived) => Some(gold::telling_columns(derived, name)),
            _ => None,
        });
        columns.flatten().collect()
    }
}
