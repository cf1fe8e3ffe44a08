//! The versions that are verified, taken at the beginning, so that what runs meanwhile does no harm.

use std::collections::{BTreeMap, BTreeSet};

use crate::delta::Snapshot;
use crate::name::TableName;
use crate::project::Definition;
use crate::run::error::{Error, Result};
use crate::run::look::{self, Looks};
use crate::run::protocol::LEDGER;
use crate::run::{Run, quarantine};

/// Tables at their versions.
pub struct Pins {
    /// the ledger, if there is one
    pub ledger: Option<Snapshot>,
    /// the project's tables
    pub looks: Looks,
    quarantines: BTreeMap<TableName, Result<Option<Snapshot>>>,
}

impl Pins {
    /// The ledger before bronze, a table before its inputs and its quarantine: none is then ahead of what it speaks of.
    pub async fn new(run: &Run, tables: &BTreeSet<TableName>) -> Result<Self> {
        let ledger = run.lake.table(LEDGER).snapshot().await?;
        let looks = look::all(&run.project, &run.lake).await;
        let mut quarantines = BTreeMap::new();
        for name in tables {
            let definition = run.project.tables.get(name).map(|table| &table.definition);
            if let (Some(Definition::Silver(_)), Some(silver)) = (definition, looks.snapshots.get(name)) {
                quarantines.insert(name.clone(), quarantine::of(&run.lake, name, silver).await);
            }
        }
        Ok(Pins { ledger, looks, quarantines })
    }

    /// The quarantine that belongs to a silver table, if there is one.
    ///
    /// # Errors
    /// It can no longer be read.
    pub fn quarantine(&self, name: &TableName) -> Result<Option<&Snapshot>> {
        match self.quarantines.get(name) {
            None => Ok(None),
            Some(Ok(quarantine)) => Ok(quarantine.as_ref()),
            Some(Err(error)) => Err(Error::Refused(error.to_string())),
        }
    }
}
