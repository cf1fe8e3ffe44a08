//! The guard in front of a commit.

use super::Run;
use super::error::{Error, Result};
use crate::delta::Snapshot;
use crate::name::TableName;
use crate::plan;

impl Run {
    /// Stops if the commit that makes a table of `after` rows out of `base` would take more away than the table's guard
    /// allows. A table whose writer did not count its rows has nothing to compare with.
    pub(super) fn guard(&self, name: &TableName, base: Option<&Snapshot>, after: u64) -> Result<()> {
        let guard = self.project.tables.get(name).map(|table| table.guard).unwrap_or_default();
        match base.and_then(Snapshot::rows) {
            Some(before) if !self.unguarded => plan::guard(guard, before, after).map_err(Error::Guarded),
            _ => Ok(()),
        }
    }
}
