//! Tables go back to an earlier version: rows, refused rows and watermarks together, in one commit per table. The next
//! run then does again what came after, with today's definition, or leaves them alone while they are on hold.

mod back;
mod choose;
mod outlook;
mod wanted;

use std::collections::BTreeMap;
use std::time::Instant;

pub use outlook::{Outlook, Return};

use self::back::{Back, Need};
use self::outlook::Choice;
use super::claim::{Claimed, Lease, OLD_FILES, claim, claim_named};
use super::error::{Error, Result};
use super::history::Line;
use super::protocol::{self, HOLD, folder, table_state};
use super::{Event, Run, history, retry};
use crate::delta::{At, Change, Operation, Snapshot};
use crate::name::TableName;
use crate::report::{Action, RunReport, Status, TableReport};

/// What is to go back.
#[derive(Clone, Debug)]
pub struct Restore {
    /// a silver or gold table
    pub table: TableName,
    /// to this version
    pub at: At,
    /// what is made from it goes back too
    pub below: bool,
    /// runs are to leave it there
    pub hold: bool,
}

impl Run {
    /// Takes tables back and writes that to the history of runs. What cannot be had any more is found out before anything
    /// is written. A table below for which there is no version made from the one that comes back stays as it is: the next
    /// run brings it up to date.
    pub async fn restore(self, restore: &Restore) -> RunReport {
        self.begin("restore");
        let mut reports = Vec::new();
        let mut leases = Vec::new();
        if let Err(error) = take_back(&self, restore, &mut leases, &mut reports).await {
            finish(
                &self,
                &mut reports,
                TableReport::failed(restore.table.clone(), Action::Restore, None, error.to_string()),
            );
        }
        self.reported(leases, reports).await
    }

    /// Lets runs go on with tables that were on hold, and writes that to the history of runs.
    pub async fn release(self, tables: &[TableName]) -> RunReport {
        self.begin("restore");
        let mut reports = Vec::new();
        let mut leases = Vec::new();
        for name in tables {
            self.tell(Event::Started(name.clone()));
            let began = Instant::now();
            let done = match claimed(&self, name, &mut leases).await {
                Ok(()) => retry::until_won(&format!("`{name}`"), || release(&self, name)).await,
                Err(error) => Err(error),
            };
            let report =
                done.unwrap_or_else(|e| TableReport::failed(name.clone(), Action::Restore, None, e.to_string()));
            finish(&self, &mut reports, TableReport { seconds: began.elapsed().as_secs_f64(), ..report });
        }
        self.reported(leases, reports).await
    }

    async fn reported(&self, leases: Vec<Lease>, reports: Vec<TableReport>) -> RunReport {
        for lease in leases {
            lease.release().await;
        }
        let report = RunReport::new(self.id.clone(), reports);
        history::record(&self.lake, self.author("restore"), report.tables.iter().map(Line::from)).await;
        report
    }
}

fn finish(run: &Run, reports: &mut Vec<TableReport>, report: TableReport) {
    run.tell(Event::Finished(Box::new(report.clone())));
    reports.push(report);
}

/// A run must not put back meanwhile what is taken away here; commits would still decide.
async fn claimed(run: &Run, name: &TableName, leases: &mut Vec<Lease>) -> Result<()> {
    match claim(&run.lake, name, &run.id, "restore").await? {
        Claimed::Ours(lease) => {
            leases.push(lease);
            Ok(())
        }
        Claimed::Theirs(theirs) => Err(Error::Refused(format!("{}; nothing was done", theirs.telling()))),
    }
}

/// A vacuum that has decided what it deletes would not see that a version comes back.
async fn claimed_old_files(run: &Run, leases: &mut Vec<Lease>) -> Result<()> {
    match claim_named(&run.lake, OLD_FILES, &run.id, "restore").await? {
        Claimed::Ours(lease) => {
            leases.push(lease);
            Ok(())
        }
        Claimed::Theirs(theirs) => {
            let (whose, until) = (theirs.whose(), theirs.until.format("%H:%M:%SZ"));
            let who = "a vacuum, a pin or another restore is at work on this lake";
            Err(Error::Refused(format!("{who} until {until}, {whose}; nothing was done")))
        }
    }
}

/// Fails if nothing was done.
async fn take_back(
    run: &Run,
    restore: &Restore,
    leases: &mut Vec<Lease>,
    reports: &mut Vec<TableReport>,
) -> Result<()> {
    claimed(run, &restore.table, leases).await?;
    claimed_old_files(run, leases).await?;
    let choices = outlook::choose(run, restore).await?;
    let mut above = BTreeMap::new();
    let mut failed: Option<TableName> = None;
    for Choice { table: name, version } in choices {
        run.tell(Event::Started(name.clone()));
        let began = Instant::now();
        let report = match (&failed, version) {
            (Some(failed), _) => TableReport::skipped(name.clone(), failed),
            (None, Err(why)) => TableReport::unchanged(name.clone(), None, why),
            (None, Ok(version)) => {
                let hold = restore.hold && name == restore.table;
                let done = one(run, &name, version, hold, &mut above, leases).await;
                if done.is_err() {
                    failed = Some(name.clone());
                }
                done.unwrap_or_else(|e| TableReport::failed(name.clone(), Action::Restore, None, e.to_string()))
            }
        };
        finish(run, reports, TableReport { seconds: began.elapsed().as_secs_f64(), ..report });
    }
    Ok(())
}

/// Takes one table back; `above`: the ids and versions of those that went back already, to which it is added.
async fn one(
    run: &Run,
    name: &TableName,
    version: i64,
    hold: bool,
    above: &mut BTreeMap<String, i64>,
    leases: &mut Vec<Lease>,
) -> Result<TableReport> {
    if !leases.iter().any(|lease| lease.is_of(name)) {
        claimed(run, name, leases).await?;
    }
    let attempt = || async {
        let back = Back::look(run, name, version, hold).await?;
        let need = back.needs(above).await?;
        if need == Need::All {
            back.check_files().await?;
        }
        let published = back.publish(above).await?;
        Ok((back, published))
    };
    let (back, published) = retry::until_won(&format!("`{name}`"), attempt).await?;
    let now = published.unwrap_or(back.base.version());
    let next = outlook::next_run(run, name, &back, above).await?;
    let id = back.base.table_id().to_string();
    let mut report = TableReport::unchanged(name.clone(), Some(now), format!("{}; {next}", as_it_was(&back.target)));
    if published.is_some() {
        report.status = Status::Succeeded;
        report.action = Action::Restore;
        report.inputs = back.inputs(above).await?;
    }
    above.insert(id, now);
    Ok(report)
}

fn as_it_was(target: &Snapshot) -> String {
    let rows = target.rows().map(|n| format!(", {n} {}", if n == 1 { "row" } else { "rows" })).unwrap_or_default();
    let (version, at) = (target.version(), target.timestamp().format("%Y-%m-%d %H:%M:%SZ"));
    format!("as it was at version {version} of {at}{rows}")
}

async fn release(run: &Run, name: &TableName) -> Result<TableReport> {
    let table = run.lake.table(&folder(name));
    let Some(base) = table.snapshot().await? else {
        return Err(Error::Refused("it has not been made yet".into()));
    };
    if base.property(HOLD).is_none() {
        return Ok(TableReport::unchanged(name.clone(), Some(base.version()), "it is not on hold"));
    }
    let change = Change {
        unset: [HOLD.to_string()].into(),
        operation: Operation::SetProperties,
        note: protocol::remark(&run.id, "release"),
        ..Change::default()
    };
    let version = table.commit(&base, change).await?;
    let held = table_state(&base).hold.map(|hold| format!(", held at version {} until now", hold.version));
    let note = format!("runs go on with it{}", held.unwrap_or_default());
    let report = TableReport::unchanged(name.clone(), Some(version), note);
    Ok(TableReport { status: Status::Succeeded, action: Action::Restore, ..report })
}
