//! Deletes data files that no version of a table needs any more. Safe beside a run: what a run writes and has not
//! committed yet is younger than a day or of a table that the run has claimed, and what it reads was the newest version
//! when it began, which is kept as long as the retention says. Nothing is committed: no version changes, so that no
//! table below has something new.

mod judge;
mod keep;
mod retention;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use self::judge::{IN_FLIGHT, Known, judge, oldest_readable};
use super::claim::{self, Claimed, OLD_FILES, at_work, claim_named};
use super::error::{Error, Result};
use super::history::{self, Author, Line};
use super::protocol::{LEDGER, RUNS, folder, quarantine_folder};
use crate::delta::{Lake, Snapshot, Stored, Table};
use crate::name::TableName;
use crate::project::{Definition, Project};
use crate::report::{DeletedFile, VacuumReport, VacuumedTable};

/// Files that are deleted between two looks at whether a commit has brought one of them back.
const FILES_BETWEEN_LOOKS: usize = 1000;

/// What a vacuum is to do.
#[derive(Clone)]
pub struct Vacuum {
    /// the checked project: all its tables have a say in what is kept
    pub project: Arc<Project>,
    /// where the tables are
    pub lake: Lake,
    /// those to delete from, and their quarantines
    pub tables: BTreeSet<TableName>,
    /// the ledger and the history of runs too
    pub records: bool,
    /// for how long versions are kept, whatever the tables' properties say
    pub retain: Option<Duration>,
    /// also for less than the floor
    pub force: bool,
    /// the time
    pub now: DateTime<Utc>,
}

/// A table of the lake.
#[derive(Clone, Debug)]
enum Subject {
    /// of the project
    Table(TableName),
    /// of this silver table
    Quarantine(TableName),
    Ledger,
    Runs,
    /// no table: what was being written there
    Claims,
}

impl Subject {
    fn folder(&self) -> String {
        match self {
            Subject::Table(name) => folder(name),
            Subject::Quarantine(silver) => quarantine_folder(silver),
            Subject::Ledger => LEDGER.to_string(),
            Subject::Runs => RUNS.to_string(),
            Subject::Claims => claim::FOLDER.to_string(),
        }
    }

    /// As `query` names it.
    fn label(&self) -> String {
        self.folder().replace("_lakesmith/", "lakesmith/").replace('/', ".")
    }

    /// What is no table is told of only if it has files to delete.
    fn worth_telling(&self, report: VacuumedTable) -> Option<VacuumedTable> {
        let is_table = !matches!(self, Subject::Claims);
        (is_table || report.files > 0 || report.error.is_some()).then_some(report)
    }

    /// The table whose claim covers it.
    fn claimed_with(&self) -> Option<&TableName> {
        match self {
            Subject::Table(name) | Subject::Quarantine(name) => Some(name),
            Subject::Ledger | Subject::Runs | Subject::Claims => None,
        }
    }
}

impl Vacuum {
    /// What would be deleted. Writes nothing.
    ///
    /// # Errors
    /// [`Error::Refused`] if a retention is too short, or not understood.
    pub async fn survey(&self) -> Result<VacuumReport> {
        let subjects = self.subjects();
        self.check_retentions(&subjects).await?;
        let mut tables = Vec::new();
        for subject in &subjects {
            let mut report = VacuumedTable::new(subject.label());
            match self.inspect(subject, &mut report).await {
                Ok(files) => report.deletes(files.iter().map(deleted).collect()),
                Err(error) => report.fails(error.to_string()),
            }
            tables.extend(subject.worth_telling(report));
        }
        Ok(VacuumReport::new(true, tables))
    }

    /// Deletes what a survey has shown, as far as it is still not needed.
    ///
    /// # Errors
    /// As [`Vacuum::survey`]; [`Error::Refused`] too if another vacuum is at work.
    pub async fn carry_out(&self, shown: &VacuumReport) -> Result<VacuumReport> {
        let subjects = self.subjects();
        self.check_retentions(&subjects).await?;
        let run_id = uuid::Uuid::now_v7().to_string();
        let lease = match claim_named(&self.lake, OLD_FILES, &run_id, "vacuum").await? {
            Claimed::Ours(lease) => lease,
            Claimed::Theirs(theirs) => {
                let (whose, until) = (theirs.whose(), theirs.until.format("%H:%M:%S"));
                return Err(Error::Refused(format!(
                    "another vacuum, a restore or a pin is at work on this lake: {whose}; its claim ends at {until} UTC"
                )));
            }
        };
        let shown: BTreeMap<&str, BTreeSet<&str>> = shown
            .tables
            .iter()
            .map(|table| (table.table.as_str(), table.delete.iter().map(|file| file.path.as_str()).collect()))
            .collect();
        let mut tables = Vec::new();
        for subject in &subjects {
            let label = subject.label();
            let mut report = VacuumedTable::new(&label);
            let allowed = shown.get(label.as_str()).cloned().unwrap_or_default();
            if let Err(error) = self.sweep(subject, &allowed, &mut report).await {
                report.fails(error.to_string());
            }
            tables.extend(subject.worth_telling(report));
        }
        lease.release().await;
        let author = Author { run_id, started_at: self.now, command: "vacuum" };
        history::record(&self.lake, author, tables.iter().map(Line::from)).await;
        Ok(VacuumReport::new(false, tables))
    }

    fn subjects(&self) -> Vec<Subject> {
        let mut subjects = Vec::new();
        for name in self.project.order.iter().filter(|name| self.tables.contains(*name)) {
            subjects.push(Subject::Table(name.clone()));
            let definition = self.project.tables.get(name).map(|table| &table.definition);
            if matches!(definition, Some(Definition::Silver(_))) {
                subjects.push(Subject::Quarantine(name.clone()));
            }
        }
        if self.records {
            subjects.extend([Subject::Ledger, Subject::Runs, Subject::Claims]);
        }
        subjects
    }

    /// A retention that is too short is a wrong command, of which no part is done.
    async fn check_retentions(&self, subjects: &[Subject]) -> Result<()> {
        for subject in subjects {
            // what cannot be opened is told table by table
            if let Ok(Some(newest)) = self.lake.table(&subject.folder()).snapshot().await {
                self.since(subject, &newest)?;
            }
        }
        Ok(())
    }

    /// Versions that were the newest one then or later are kept.
    fn since(&self, subject: &Subject, newest: &Snapshot) -> Result<DateTime<Utc>> {
        let property = newest.property(retention::PROPERTY);
        let retention = retention::retention(&subject.label(), self.retain, property, self.force)?;
        Ok(self.now.checked_sub_signed(retention).unwrap_or(DateTime::<Utc>::MIN_UTC))
    }

    /// The files that are not needed; the report learns why the others are.
    async fn inspect(&self, subject: &Subject, report: &mut VacuumedTable) -> Result<Vec<Stored>> {
        let table = self.lake.table(&subject.folder());
        // Files first, then claims, then the log: what is committed meanwhile is then named by the log.
        let stored = table.stored().await?;
        if matches!(subject, Subject::Claims) {
            let is_left = |file: &Stored| file.is_temporary() && file.modified_at <= self.now - IN_FLIGHT;
            return Ok(stored.into_iter().filter(is_left).collect());
        }
        let worker = match subject.claimed_with() {
            Some(name) => at_work(&self.lake, name).await?,
            None => None,
        };
        let Some(told) = self.told(&subject.folder()).await? else {
            return Ok(self.without_log(subject, stored, report));
        };
        let since = self.since(subject, &told.newest)?;
        let span = keep::span(&told.named, since).await?;
        let kept = self.kept(subject, &told).await?;
        let mut needed = keep::files_of(&told.named, &kept).await?;
        needed.extend(span.files);
        let all: Vec<String> = stored.iter().map(|file| file.path.clone()).collect();
        let judged = judge(
            stored,
            &Known {
                needed,
                commits: told.named.commits(),
                elsewhere: told.named.elsewhere(),
                partition_by: &told.newest.schema().partition_by,
                spare_unnamed: worker.is_some() || !span.is_complete,
                now: self.now,
            },
        );
        let mut left: BTreeSet<&str> = all.iter().map(String::as_str).collect();
        judged.delete.iter().for_each(|file| _ = left.remove(file.path.as_str()));
        report.since = Some(since);
        report.newest = Some(told.named.newest());
        report.oldest = Some(oldest_readable(told.named.commits(), told.named.newest(), &left));
        report.kept = kept;
        report.unnamed = judged.unnamed;
        report.unknown = judged.unknown;
        Ok(judged.delete)
    }

    /// What a first commit that failed has left. Data files stay, for the log may be what is lost; nothing rests on the
    /// history of runs.
    fn without_log(&self, subject: &Subject, stored: Vec<Stored>, report: &mut VacuumedTable) -> Vec<Stored> {
        let known = Known {
            needed: BTreeSet::new(),
            commits: &BTreeMap::new(),
            elsewhere: &BTreeSet::new(),
            partition_by: &[],
            spare_unnamed: !matches!(subject, Subject::Runs),
            now: self.now,
        };
        let judged = judge(stored, &known);
        report.unnamed = judged.unnamed;
        report.unknown = judged.unknown;
        judged.delete
    }

    async fn sweep(&self, subject: &Subject, allowed: &BTreeSet<&str>, report: &mut VacuumedTable) -> Result<()> {
        let mut files = self.inspect(subject, report).await?;
        files.retain(|file| allowed.contains(file.path.as_str()));
        let table = self.lake.table(&subject.folder());
        let mut gone = Vec::new();
        // where there is no log, version 0 would be news
        let swept = sweep_files(&table, report.newest.unwrap_or(-1), &files, &mut gone).await;
        report.deletes(gone.iter().map(deleted).collect());
        swept
    }
}

/// Deletes files, unless a commit after `seen` has brought them back: nothing but claims keeps others from making one.
async fn sweep_files(table: &Table, seen: i64, files: &[Stored], gone: &mut Vec<Stored>) -> Result<()> {
    for lot in files.chunks(FILES_BETWEEN_LOOKS) {
        let back = table.named_since(seen).await?;
        let lot: Vec<Stored> = lot.iter().filter(|file| !back.contains(&file.path)).cloned().collect();
        let (deleted, error) = table.delete_stored(&lot).await;
        gone.extend(deleted);
        if let Some(error) = error {
            return Err(error.into());
        }
    }
    Ok(())
}

fn deleted(file: &Stored) -> DeletedFile {
    DeletedFile { path: file.path.clone(), bytes: file.bytes, modified_at: file.modified_at }
}
