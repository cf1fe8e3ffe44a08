//! One table on its way back to an earlier version.

use std::collections::{BTreeMap, BTreeSet};

use crate::delta::{self, At, Change, DataFile, Operation, Restoration, Snapshot, Table, way_back};
use crate::name::TableName;
use crate::project::{Definition, definition_hash};
use crate::run::error::{Error, Result};
use crate::run::protocol::{self, HOLD, folder};
use crate::run::{Run, quarantine};

/// A table on its way back to an earlier version.
pub struct Back<'a> {
    pub(super) run: &'a Run,
    pub(super) name: &'a TableName,
    pub(super) table: Table,
    /// the newest version; the commit is made against exactly this
    pub base: Snapshot,
    /// the version that comes back
    pub target: Snapshot,
    /// hash of its definition
    pub(super) today: String,
    /// silver from bronze: the refused rows of the version that comes back, if it had any
    refused: Option<Snapshot>,
    has_quarantine: bool,
    /// runs are to leave it there
    pub(super) hold: bool,
}

impl<'a> Back<'a> {
    /// Looks at the table as it is and as it was at `version`; runs are to leave it there if `hold`.
    ///
    /// # Errors
    /// There is no such version, or it or its refused rows cannot be had any more.
    pub async fn look(run: &'a Run, name: &'a TableName, version: i64, hold: bool) -> Result<Self> {
        let table = run.lake.table(&folder(name));
        let Some(base) = table.snapshot().await? else {
            return Err(Error::Refused(format!("`{name}` has not been made yet; to make it: lakesmith run +{name}")));
        };
        let target = table.snapshot_at(&At::Version(version)).await.map_err(|error| no_such_version(name, error))?;
        let has_quarantine = matches!(run.project.tables.get(name).map(|t| &t.definition), Some(Definition::Silver(_)));
        let refused = match has_quarantine {
            true => quarantine::of_version(&run.lake, name, &target).await?,
            false => None,
        };
        let today = definition_hash(&run.project, name);
        Ok(Back { run, name, table, base, target, today, refused, has_quarantine, hold })
    }

    /// # Errors
    /// Files that would come back are no longer in the store.
    pub async fn check_files(&self) -> Result<()> {
        self.check(&self.table, way_back(&self.base, &self.target).added, "that it needs").await?;
        let Some(refused) = &self.refused else { return Ok(()) };
        self.check(refused.table(), refused.files().to_vec(), "of the rows that it refused").await
    }

    async fn check(&self, table: &Table, files: Vec<DataFile>, what: &str) -> Result<()> {
        let missing = table.missing(&files).await?.len();
        if missing == 0 {
            return Ok(());
        }
        let (name, version, all) = (self.name, self.target.version(), files.len());
        Err(Error::Refused(format!(
            "`{name}@{version}` cannot come back: {missing} of the {all} files {what} were deleted, as by a vacuum; to make \
             the table anew: lakesmith rebuild {name}"
        )))
    }

    /// Publishes it; gives the new version, or `None` if nothing was to change. `above`: the versions that those of its
    /// inputs have now that went back, by their ids.
    ///
    /// # Errors
    /// Lost, if another writer was faster: then look again.
    pub async fn publish(&self, above: &BTreeMap<String, i64>) -> Result<Option<i64>> {
        match self.needs(above).await? {
            Need::Nothing => Ok(None),
            Need::Hold => self.set_hold().await.map(Some),
            Need::All => self.go_back(above).await.map(Some),
        }
    }

    /// What there is to change.
    pub async fn needs(&self, above: &BTreeMap<String, i64>) -> Result<Need> {
        let (now, wanted) = (self.base.properties(), self.properties());
        let differs = |key: &&String| now.get(*key) != wanted.get(*key);
        let differing: BTreeSet<&String> = now.keys().chain(wanted.keys()).filter(differs).collect();
        if differing.iter().any(|key| *key != HOLD) || !self.is_there(above).await? {
            return Ok(Need::All);
        }
        Ok(if differing.is_empty() { Need::Nothing } else { Need::Hold })
    }

    /// Whether rows, refused rows and watermarks are as they are to be.
    async fn is_there(&self, above: &BTreeMap<String, i64>) -> Result<bool> {
        let files = way_back(&self.base, &self.target);
        // marks only tell versions from others
        let is_noted = |(app, version): &(String, i64)| {
            app.starts_with(&protocol::read_txn("")) || self.base.txn(app) == Some(*version)
        };
        let same = files.added.is_empty() && files.removed.is_empty() && self.base.schema() == self.target.schema();
        if !same || !self.watermarks(above).iter().all(is_noted) {
            return Ok(false);
        }
        if !self.has_quarantine || self.base.version() == self.target.version() {
            return Ok(true);
        }
        if quarantine::look(&self.run.lake, self.name, self.base.head()).await.is_some() {
            return Ok(false);
        }
        let ids = |snapshot: &Option<Snapshot>| -> BTreeSet<(String, Option<String>)> {
            let files = snapshot.iter().flat_map(|s| s.files());
            files.map(|file| (file.path().to_owned(), file.id().1)).collect()
        };
        Ok(ids(&quarantine::of(&self.run.lake, self.name, &self.base).await?) == ids(&self.refused))
    }

    /// The quarantine goes first: the table's commit names the version of it that belongs to it.
    async fn go_back(&self, above: &BTreeMap<String, i64>) -> Result<i64> {
        let published = match self.has_quarantine {
            true => quarantine::restore(self.run, self.name, self.refused.as_ref()).await?,
            false => None,
        };
        let mut txns = self.watermarks(above);
        if self.has_quarantine {
            txns.extend(quarantine::txns(Some(&self.base), published.as_ref()));
        }
        let restoration = Restoration { properties: self.properties(), txns, note: self.note(above).await? };
        let version = self.table.restore(&self.base, &self.target, restoration).await?;
        if self.has_quarantine {
            quarantine::settle(self.run, self.name, published.as_ref()).await;
        }
        Ok(version)
    }

    async fn set_hold(&self) -> Result<i64> {
        let change = Change {
            properties: self.properties(),
            operation: Operation::SetProperties,
            note: protocol::remark(&self.run.id, "hold"),
            ..Change::default()
        };
        Ok(self.table.commit(&self.base, change).await?)
    }
}

/// What a table needs to be at an earlier version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// it is there
    Nothing,
    /// only that runs leave it alone
    Hold,
    /// rows, refused rows or watermarks
    All,
}

/// A version that cannot be had, and where to see which can.
pub fn no_such_version(name: &TableName, error: delta::Error) -> Error {
    match error {
        delta::Error::Gone { what, .. } => {
            Error::Refused(format!("`{name}`: {what}; its versions: lakesmith history {name}"))
        }
        other => other.into(),
    }
}
