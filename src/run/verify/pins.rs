//! The versions that are verified, taken at the beginning, so that what runs meanwhile does no harm.

use std::collections::{BTreeMap, BTreeSet};

use crate::delta::Snapshot;
use crate::name::TableName;
use crate::project::Definition;
use crate::run::error::{Error, Result};
use crate::run::look::{self, Looks};
use crate::run::protocol::LEDGER;
use crate::run::{Run, quarantine};

/// A table at its version, if there is one; or why it cannot be looked at, which is told where the table is needed.
type Pinned = Result<Option<Snapshot>>;

/// Tables at their versions.
pub struct Pins {
    /// the project's tables
    pub looks: Looks,
    ledger: Pinned,
    quarantines: BTreeMap<TableName, Pinned>,
}

impl Pins {
    /// The ledger before bronze, a table before its inputs and its quarantine: none is then ahead of what it speaks of.
    pub async fn new(run: &Run, tables: &BTreeSet<TableName>) -> Self {
        let ledger = run.lake.table(LEDGER).snapshot().await.map_err(Error::from);
        let looks = look::all(&run.project, &run.lake).await;
        let mut quarantines = BTreeMap::new();
        for name in tables {
            let definition = run.project.tables.get(name).map(|table| &table.definition);
            // of what is lost nothing is left to compare with
            let is_lost = looks.states.get(name).is_some_and(|state| state.lost_refusals.is_some());
            if let (false, Some(Definition::Silver(_)), Some(silver)) = (is_lost, definition, looks.snapshots.get(name))
            {
                quarantines.insert(name.clone(), quarantine::of(&run.lake, name, silver).await);
            }
        }
        Pins { looks, ledger, quarantines }
    }

    /// The ledger, if there is one.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn ledger(&self) -> Result<Option<&Snapshot>> {
        told(&self.ledger)
    }

    /// The quarantine that belongs to a silver table, if there is one.
    ///
    /// # Errors
    /// It can no longer be read.
    pub fn quarantine(&self, name: &TableName) -> Result<Option<&Snapshot>> {
        self.quarantines.get(name).map_or(Ok(None), told)
    }
}

fn told(pinned: &Pinned) -> Result<Option<&Snapshot>> {
    match pinned {
        Ok(snapshot) => Ok(snapshot.as_ref()),
        Err(error) => Err(Error::Refused(error.to_string())),
    }
}
