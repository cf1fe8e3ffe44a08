//! Work carried out for trial: on a lake above the lake, whose tables are then compared with those of the lake.

use std::collections::BTreeMap;

use super::compare::{Comparison, compare};
use super::error::{Error, Result};
use super::protocol::{LEDGER, folder, quarantine_folder};
use super::{Run, claim, damage, quarantine};
use crate::delta::{At, Lake, Side, Snapshot};
use crate::name::{Layer, TableName};
use crate::project::Definition;
use crate::report::{DiffSide, QuarantineDiff, Rehearsal, RunReport, TableDiff, TableReport};

/// Does `work` with a run whose lake is an overlay of this run's, and tells how its tables then differ from those of the
/// lake. Nothing is published, nothing is left; what others do to the lake meanwhile is not seen. Bronze tables are not
/// compared: rows are only added to them, and the report counts these.
///
/// The work is to go on where the guard would stop a table: the report then says that it would, unless this run is
/// [allowed](Run::allowed) to.
///
/// # Errors
/// The scratch folder cannot be made, or a table cannot be compared.
pub async fn rehearse(run: &Run, work: impl AsyncFnOnce(Run) -> RunReport) -> Result<Rehearsal> {
    let (lake, _scratch) = run.lake.overlay(&[claim::FOLDER])?;
    let stage = Stage::new(run, lake).await?;
    let mut report = work(run.within(stage.lake.clone())).await;
    let (mut diffs, mut quarantines) = (BTreeMap::new(), BTreeMap::new());
    for table in &mut report.tables {
        if let Some(diff) = stage.compare(table).await? {
            quarantines.extend(stage.quarantined(&table.table).await?.map(|rows| (table.table.clone(), rows)));
            diffs.insert(table.table.clone(), diff);
        }
    }
    Ok(Rehearsal { report, diffs, quarantines })
}

/// Where a trial takes place.
struct Stage<'a> {
    run: &'a Run,
    lake: Lake,
    /// the version of each table, quarantines too, when it began
    versions: BTreeMap<String, i64>,
}

impl<'a> Stage<'a> {
    /// Freezes every table at one time. Each says how far it has got in others: it goes before these, as a look does.
    async fn new(run: &'a Run, lake: Lake) -> Result<Self> {
        let silver = |name: &TableName| (name.layer == Layer::Silver).then(|| quarantine_folder(name));
        let tables = run.project.order.iter().rev().flat_map(|name| [folder(name)].into_iter().chain(silver(name)));
        let mut versions = BTreeMap::new();
        for folder in [LEDGER.to_owned()].into_iter().chain(tables) {
            if let Some(version) = lake.table(&folder).freeze().await? {
                versions.insert(folder, version);
            }
        }
        Ok(Stage { run, lake, versions })
    }

    /// How a table that was written differs from what it was, and what its guard says to that.
    async fn compare(&self, report: &mut TableReport) -> Result<Option<TableDiff>> {
        let (name, folder) = (report.table.clone(), folder(&report.table));
        report.version = self.versions.get(&folder).copied();
        let Some(after) = self.lake.table(&folder).snapshot().await? else { return Ok(None) };
        if name.layer == Layer::Bronze || Some(after.version()) == report.version {
            return Ok(None);
        }
        let before = self.before(&folder).await?;
        let nothing = || Side::nothing(self.lake.table(&folder), after.schema().clone());
        let how = Comparison { totals: true, ..Comparison::of(&self.run.project, &name) };
        let compared = compare(&before.as_ref().map_or_else(nothing, Side::from), &Side::from(&after), &how).await;
        let mut diff = match compared {
            Ok(diff) => diff,
            Err(error) => return Err(self.in_lake(&folder, error).await),
        };
        // no such version was published, and none may be
        diff.to = DiffSide::default();
        if let Err(Error::Guarded(stop)) = self.run.guard(&name, before.as_ref(), diff.rows.after) {
            report.guard = Some(stop);
        }
        Ok(Some(diff))
    }

    /// The error in the words of a file that is damaged in the lake itself, if one is behind it: the trial may no longer
    /// need it.
    async fn in_lake(&self, folder: &str, error: Error) -> Error {
        match self.run.lake.table(folder).snapshot().await {
            Ok(Some(version)) => damage::of_versions([&version], error).await,
            _ => error,
        }
    }

    /// How many rows a silver table refuses, as it was and as it is now.
    async fn quarantined(&self, name: &TableName) -> Result<Option<QuarantineDiff>> {
        if !matches!(self.run.project.tables.get(name).map(|t| &t.definition), Some(Definition::Silver(_))) {
            return Ok(None);
        }
        let before = match (self.before(&folder(name)).await?, self.before(&quarantine_folder(name)).await?) {
            (Some(silver), Some(newest)) if quarantine::lost(name, silver.head(), Some(newest.head())).is_none() => {
                quarantine::belonging_to(&newest, &silver).await?
            }
            _ => None,
        };
        let after = quarantine::current(&self.lake, name).await?;
        let rows = |quarantine: Option<Snapshot>| quarantine.and_then(|quarantine| quarantine.rows()).unwrap_or(0);
        Ok(Some(QuarantineDiff { before: rows(before), after: rows(after) }))
    }

    async fn before(&self, folder: &str) -> Result<Option<Snapshot>> {
        match self.versions.get(folder) {
            Some(version) => Ok(Some(self.lake.table(folder).snapshot_at(&At::Version(*version)).await?)),
            None => Ok(None),
        }
    }
}
