//! The ledger as many looks see it: each asks the log for the newest version, and only a version that is new is read.

use std::collections::BTreeMap;
use std::sync::Arc;

use polars::prelude::DataFrame;
use tokio::sync::Mutex;

use super::{Owner, entries, schema};
use crate::delta::{Lake, Snapshot, Stamp};
use crate::plan::{Ledger, LedgerEntry, that_hold};
use crate::run::error::Result;
use crate::run::protocol::{LEDGER, ledger_txn};

/// The ledger of a lake.
pub struct Book {
    lake: Lake,
    /// and the version that the log said was the newest
    last: Mutex<Option<(Stamp, Arc<Page>)>>,
}

/// The ledger at one version.
pub struct Page {
    snapshot: Snapshot,
    lines: DataFrame,
    /// which lines are of a table, by its name
    places: BTreeMap<String, Vec<usize>>,
}

impl Book {
    /// Reads nothing yet.
    pub fn new(lake: &Lake) -> Self {
        Book { lake: lake.clone(), last: Mutex::default() }
    }

    /// The lake that it is of.
    pub fn lake(&self) -> &Lake {
        &self.lake
    }

    /// The newest version now; `None`: there is no ledger yet.
    pub async fn newest(&self) -> Result<Option<Arc<Page>>> {
        let mut last = self.last.lock().await;
        let table = self.lake.table(LEDGER);
        let Some(newest) = table.newest().await? else { return Ok(None) };
        match last.as_ref() {
            Some((stamp, page)) if *stamp == newest => return Ok(Some(page.clone())),
            _ => {}
        }
        let Some(snapshot) = table.snapshot().await? else { return Ok(None) };
        let is_it = snapshot.version() == newest.version;
        let page = Arc::new(Page::read(snapshot).await?);
        *last = is_it.then(|| (newest, page.clone()));
        Ok(Some(page))
    }
}

impl Page {
    /// Reads a version of the ledger.
    pub async fn read(snapshot: Snapshot) -> Result<Self> {
        let of = snapshot.clone();
        let lines = tokio::task::spawn_blocking(move || of.read(&schema())).await??;
        let mut places: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (at, table) in lines.column("table")?.str()?.iter().enumerate() {
            match places.get_mut(table.unwrap_or_default()) {
                Some(of) => of.push(at),
                None => _ = places.insert(table.unwrap_or_default().to_owned(), vec![at]),
            }
        }
        Ok(Page { snapshot, lines, places })
    }

    /// What it says of one bronze table.
    pub fn of(&self, owner: &Owner) -> Result<Ledger> {
        Ok(Ledger::new(self.all(owner)?))
    }

    /// The lines of one bronze table that still hold, in their order.
    pub fn lines(&self, owner: &Owner) -> Result<Vec<LedgerEntry>> {
        Ok(that_hold(self.told(owner)?))
    }

    /// All that was ever told of one bronze table, in its order.
    pub fn told(&self, owner: &Owner) -> Result<Vec<LedgerEntry>> {
        let mut lines = self.all(owner)?;
        lines.sort_by_key(|line| line.entry);
        Ok(lines)
    }

    fn all(&self, owner: &Owner) -> Result<Vec<LedgerEntry>> {
        let ids = self.lines.column("table_id")?.str()?;
        let of_table = self.places.get(&owner.table.to_string()).into_iter().flatten().copied();
        let mine = of_table.filter(|&at| ids.get(at).is_some_and(|id| id.is_empty() || id == owner.id));
        entries(&self.lines, mine)
    }

    /// The last batch of a bronze table that it lists.
    pub fn listed(&self, owner: &Owner) -> Option<i64> {
        self.snapshot.txn(&ledger_txn(&owner.id))
    }
}
