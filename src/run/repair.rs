//! A table's log mended: what is wrong, what is done, and what that means for the tables below.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::Utc;

use super::claim::{Claimed, Lease, claim};
use super::error::{Error, Result};
use super::history::{self, Author, Line};
use super::landing;
use super::lost::{self, Lost};
use super::protocol::{LEDGER, RUNS, folder, quarantine_folder};
use super::quarantine;
use super::retry;
use crate::delta::{At, Fault, Lake, LogHealth, Remedy, Snapshot, Table};
use crate::name::{Layer, TableName};
use crate::plan::LedgerEntry;
use crate::project::{Definition, Project};
use crate::report::{LostBatches, LostFile, MendedFault, RepairReport, Repaired};

/// A Delta table of the lake, of which the log is to be mended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RepairPlace {
    /// a table of the project
    Table(TableName),
    /// the rows that this silver table refused
    Quarantine(TableName),
    /// the ledger
    Ledger,
    /// the history of runs
    Runs,
}

/// A repair of one table.
#[derive(Clone)]
pub struct Repair {
    /// the checked project
    pub project: Arc<Project>,
    /// where the tables are
    pub lake: Lake,
    /// which
    pub place: RepairPlace,
}

impl RepairPlace {
    /// Reads `silver.orders`, `quarantine.orders`, `lakesmith.ledger` or `lakesmith.runs`; none: there is no such thing.
    pub fn parse(project: &Project, text: &str) -> Option<Self> {
        if let Some(name) = text.strip_prefix("quarantine.") {
            let silver = TableName { layer: Layer::Silver, name: name.to_owned() };
            let definition = project.tables.get(&silver).map(|table| &table.definition);
            return matches!(definition, Some(Definition::Silver(_))).then_some(RepairPlace::Quarantine(silver));
        }
        match text {
            "lakesmith.ledger" => Some(RepairPlace::Ledger),
            "lakesmith.runs" => Some(RepairPlace::Runs),
            name => name.parse().ok().filter(|name| project.tables.contains_key(name)).map(RepairPlace::Table),
        }
    }

    fn folder(&self) -> String {
        match self {
            RepairPlace::Table(name) => folder(name),
            RepairPlace::Quarantine(silver) => quarantine_folder(silver),
            RepairPlace::Ledger => LEDGER.to_owned(),
            RepairPlace::Runs => RUNS.to_owned(),
        }
    }

    /// As people call it.
    pub fn label(&self) -> String {
        self.folder().replace("_lakesmith/", "lakesmith/").replace('/', ".")
    }

    /// The table whose claim covers it.
    fn claimed_with(&self) -> Option<&TableName> {
        match self {
            RepairPlace::Table(name) | RepairPlace::Quarantine(name) => Some(name),
            RepairPlace::Ledger | RepairPlace::Runs => None,
        }
    }
}

impl Repair {
    /// What is wrong, and what would be done. Writes nothing.
    ///
    /// # Errors
    /// The store failed.
    pub async fn survey(&self) -> Result<RepairReport> {
        let health = self.table().log_health().await?;
        let (left, lost) = self.look(&health).await?;
        self.report(&health, left.as_ref(), lost.as_ref(), true).await
    }

    /// Does it.
    ///
    /// # Errors
    /// Another run is at work on the table; the store failed.
    pub async fn carry_out(&self) -> Result<RepairReport> {
        let author = Author { run_id: uuid::Uuid::now_v7().to_string(), started_at: Utc::now(), command: "repair" };
        let lease = self.claim(&author.run_id).await?;
        let done = self.mend(&author.run_id).await;
        if let Some(lease) = lease {
            lease.release().await;
        }
        if let Ok(report) = &done {
            history::record(&self.lake, author, std::iter::once(Line::from(report))).await;
        }
        done
    }

    async fn claim(&self, run_id: &str) -> Result<Option<Lease>> {
        let Some(table) = self.place.claimed_with() else { return Ok(None) };
        match claim(&self.lake, table, run_id, "repair").await? {
            Claimed::Ours(lease) => Ok(Some(lease)),
            Claimed::Theirs(theirs) => {
                Err(Error::Refused(format!("`{}` is not repaired: {}", self.place.label(), theirs.telling())))
            }
        }
    }

    async fn mend(&self, run_id: &str) -> Result<RepairReport> {
        let health = self.table().log_health().await?;
        self.table().mend_log(&health, run_id, Utc::now()).await?;
        // whoever mends looks again
        let after = self.table().log_health().await?;
        let label = format!("`{}`", self.place.label());
        let mut report = retry::until_won(&label, || self.note(&health, &after, run_id)).await?;
        if let Some(fault) = after.faults.iter().find(|fault| fault.remedy != Remedy::Old && !health.is_lost()) {
            report.status = Repaired::Damaged;
            let file = fault.files.first().cloned().unwrap_or_default();
            report.error = Some(format!("{file} {}: repair it once more", fault.what));
        }
        Ok(report)
    }

    /// Takes note of what bronze has lost, now that its log is as in `after`. Fails with `Lost` when another writer was
    /// faster: what was found is then to be found again.
    async fn note(&self, health: &LogHealth, after: &LogHealth, run_id: &str) -> Result<RepairReport> {
        let (left, lost) = self.look(after).await?;
        let mut report = self.report(health, left.as_ref(), lost.as_ref(), false).await?;
        if let (Some(lost), Some(bronze), false) = (&lost, &left, after.is_mendable()) {
            report.version = Some(lost::note(&self.lake, lost, bronze, run_id).await?);
        }
        Ok(report)
    }

    fn table(&self) -> Table {
        self.lake.table(&self.place.folder())
    }

    /// The version that the table has once its log is mended, and what bronze has lost by then.
    async fn look(&self, health: &LogHealth) -> Result<(Option<Snapshot>, Option<Lost>)> {
        match &self.place {
            RepairPlace::Table(name) if name.layer == Layer::Bronze && !health.is_lost() => {
                // who knows more than bronze, before bronze
                let known = lost::known(&self.project, &self.lake, name).await?;
                let left = self.left(health).await?;
                let lost = left.as_ref().map(|bronze| known.lost(bronze)).transpose()?.flatten();
                Ok((left, lost))
            }
            _ => Ok((self.left(health).await?, None)),
        }
    }

    async fn left(&self, health: &LogHealth) -> Result<Option<Snapshot>> {
        match health.left() {
            _ if health.is_lost() => Ok(None),
            // the newest now: since its log was read the table may have moved on
            newest if newest == health.newest => Ok(self.table().snapshot().await.ok().flatten()),
            Some(version) => Ok(self.table().snapshot_at(&At::Version(version)).await.ok()),
            None => Ok(None),
        }
    }

    async fn report(
        &self,
        health: &LogHealth,
        left: Option<&Snapshot>,
        lost: Option<&Lost>,
        dry_run: bool,
    ) -> Result<RepairReport> {
        let done =
            |fault: &Fault| !dry_run && matches!(fault.remedy, Remedy::Anew | Remedy::Again | Remedy::TakeBack(_));
        let told = |fault: &Fault| MendedFault {
            files: fault.files.clone(),
            what: fault.what.clone(),
            remedy: remedy(fault.remedy),
            mended: done(fault),
        };
        let beyond = match health.is_lost() {
            true => Some(self.beyond_repair()),
            // the log first: as long as it cannot be read, a rebuild cannot either
            false if health.is_mendable() => None,
            false => self.lost_refusals(left).await?,
        };
        let status = match () {
            () if beyond.is_some() => Repaired::Damaged,
            () if health.is_mendable() || lost.is_some() => Repaired::Mended,
            () => Repaired::Sound,
        };
        // the landing folder is looked at only if it is asked for
        let there = if lost.is_some() { self.in_landing().await } else { BTreeSet::new() };
        Ok(RepairReport {
            table: self.place.label(),
            status,
            dry_run,
            version: if health.is_lost() { None } else { health.left() },
            faults: health.faults.iter().map(told).collect(),
            takes_back: health.faults.iter().any(|fault| matches!(fault.remedy, Remedy::TakeBack(_))),
            lost: lost.map(|lost| lost_batches(lost, &there)),
            notes: self.notes(health, left, lost).await?,
            error: beyond,
        })
    }

    /// What no mending of its log brings back to a quarantine.
    async fn lost_refusals(&self, left: Option<&Snapshot>) -> Result<Option<String>> {
        let RepairPlace::Quarantine(silver) = &self.place else { return Ok(None) };
        let head = self.lake.table(&folder(silver)).head().await?;
        Ok(head.and_then(|head| quarantine::lost(silver, &head, left.map(Snapshot::head))))
    }

    async fn in_landing(&self) -> BTreeSet<String> {
        let RepairPlace::Table(name) = &self.place else { return BTreeSet::new() };
        let Some(Definition::Bronze(source)) = self.project.tables.get(name).map(|table| &table.definition) else {
            return BTreeSet::new();
        };
        let (project, pattern) = (self.project.clone(), source.path.clone());
        let listed = tokio::task::spawn_blocking(move || landing::open(&project).ok()?.list(&pattern).ok()).await;
        let files = listed.ok().flatten().map(|listing| listing.files).unwrap_or_default();
        files.into_iter().map(|file| file.path).collect()
    }

    /// What it means, and what to do next.
    async fn notes(&self, health: &LogHealth, left: Option<&Snapshot>, lost: Option<&Lost>) -> Result<Vec<String>> {
        let mut notes = Vec::new();
        let label = self.place.label();
        let takes_back = health.faults.iter().any(|fault| matches!(fault.remedy, Remedy::TakeBack(_)));
        if !takes_back && lost.is_none() {
            return Ok(notes);
        }
        for found in lost.iter().flat_map(|lost| &lost.found) {
            let batch = found.batch.unwrap_or_default();
            notes.push(format!("{} is there again, in batch {batch}, and is not taken in anew", found.path));
        }
        match &self.place {
            RepairPlace::Table(name) => {
                let id = left.map(Snapshot::table_id).unwrap_or_default();
                let position = lost.map_or_else(|| left.map_or(-1, Snapshot::version), |lost| lost.gap.after);
                let unit = if name.layer == Layer::Bronze { "batch" } else { "version" };
                let mut ahead = false;
                for reader in lost::readers(&self.project, &self.lake, name).await? {
                    let Some(read) = reader.read(id).filter(|read| *read > position) else { continue };
                    ahead = true;
                    notes.push(format!("`{}` has read `{label}` up to {unit} {read}, which is gone", reader.table));
                }
                notes.push(match (name.layer, ahead) {
                    (Layer::Bronze, true) => format!(
                        "next: `lakesmith run {name}` takes in anew what is still in the landing folder, then `lakesmith \
                         rebuild {name}+` makes the tables below anew"
                    ),
                    (_, true) => "next: `lakesmith run` does again what the commit did, and computes in full what was made \
                                  from it"
                        .to_owned(),
                    (_, false) => "next: `lakesmith run` does again what the commit did".to_owned(),
                });
            }
            RepairPlace::Quarantine(silver) => notes.push(match self.lost_refusals(left).await? {
                Some(gone) => gone,
                None => format!("no version of `{silver}` belongs to what that commit did: nothing is lost with it"),
            }),
            RepairPlace::Ledger => notes.push(
                "next: `lakesmith run` completes it from bronze; what was set aside or ignored by that commit is told again"
                    .to_owned(),
            ),
            RepairPlace::Runs => notes.push("what that commit said of a run is lost; no table rests on it".to_owned()),
        }
        Ok(notes)
    }

    fn beyond_repair(&self) -> String {
        let label = self.place.label();
        let otherwise = match &self.place {
            RepairPlace::Table(name) if name.layer == Layer::Bronze => {
                "move the table's folder away: the next run takes in anew what is in the landing folder, and \
                 `lakesmith rebuild` makes the tables below from that"
            }
            RepairPlace::Table(_) => "move the table's folder away: the next run makes it anew",
            RepairPlace::Quarantine(_) => "move its folder away and rebuild the silver table",
            RepairPlace::Ledger => "move its folder away: the next run makes it from bronze",
            RepairPlace::Runs => "move its folder away: the history of runs begins anew",
        };
        format!(
            "`{label}` cannot be mended: bring these files back from a copy, and repair it again. If there is none, {otherwise}"
        )
    }
}

fn lost_batches(lost: &Lost, there: &BTreeSet<String>) -> LostBatches {
    let file = |line: &LedgerEntry| LostFile {
        in_landing: there.contains(&line.path),
        path: line.path.clone(),
        rows: line.rows,
    };
    let is_found =
        |line: &&LedgerEntry| lost.found.iter().any(|found| found.path == line.path && found.blake3 == line.blake3);
    let files = lost.files.iter().filter(|line| !is_found(line)).map(file).collect();
    LostBatches { after: lost.gap.after, before: lost.gap.before, files }
}

fn remedy(remedy: Remedy) -> String {
    match remedy {
        Remedy::Anew => "it is put aside and a new checkpoint is written".to_owned(),
        Remedy::Again => "it is written again, from the checkpoint of its version".to_owned(),
        Remedy::TakeBack(Some(left)) => format!("it is put aside; version {left} is then the last that is left"),
        Remedy::TakeBack(None) => "it is put aside; the table is not made then".to_owned(),
        Remedy::Old => "nothing: only earlier versions need it, which can no longer be read".to_owned(),
        Remedy::Copy => "only a copy of the file brings the newest version back".to_owned(),
    }
}
