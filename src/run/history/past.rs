//! Runs as the history tells of them, the newest first. Only the files that may hold what is wanted are read.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use polars::prelude::*;
use serde_json::Value;

use super::{COUNTS, schema};
use crate::delta::{DataFile, Lake, Snapshot};
use crate::project::Project;
use crate::report::{PastRun, PastTable, RowCounts};
use crate::run::error::Result;
use crate::run::protocol::RUNS;

/// So many files are read before it is asked whether that is enough.
const FILES_AT_ONCE: usize = 16;
/// How far the time in a run's id and the time at which it began may lie apart.
const SLACK: TimeDelta = TimeDelta::minutes(5);

/// Which runs are asked for.
#[derive(Clone, Debug, Default)]
pub struct WantedRuns {
    /// at most so many
    pub limit: usize,
    /// those whose id begins so
    pub run_id: Option<String>,
    /// only what they did to this table
    pub table: Option<String>,
    /// those in which something failed
    pub failed: bool,
    /// those that began then or later
    pub since: Option<DateTime<Utc>>,
}

/// The runs that are wanted, the newest first; none if there is no history yet.
///
/// # Errors
/// The history cannot be read.
pub async fn past_runs(project: &Project, wanted: &WantedRuns) -> Result<Vec<PastRun>> {
    let lake = Lake::open(&project.environment.lake, &project.environment.storage)?;
    match lake.table(RUNS).snapshot().await? {
        Some(snapshot) => newest(snapshot, wanted).await,
        None => Ok(Vec::new()),
    }
}

pub(super) async fn newest(snapshot: Snapshot, wanted: &WantedRuns) -> Result<Vec<PastRun>> {
    let mut files = wanted.files(&snapshot);
    // of unknown time first
    files.sort_by_key(|file| std::cmp::Reverse(file.latest("started_at").unwrap_or(DateTime::<Utc>::MAX_UTC)));
    let mut runs: HashMap<String, PastRun> = HashMap::new();
    let mut found = Vec::new();
    let mut rest = files.as_slice();
    while !rest.is_empty() {
        let (lot, later) = rest.split_at(rest.len().min(FILES_AT_ONCE));
        let (of, lot) = (snapshot.clone(), lot.to_vec());
        let lines = tokio::task::spawn_blocking(move || of.read_files(&schema(), &lot)).await??;
        add(&mut runs, &lines)?;
        found = wanted.of(&runs);
        let next = later.first().map(|file| file.latest("started_at").unwrap_or(DateTime::<Utc>::MAX_UTC));
        // rows of one run may stand in two files
        let is_covered = |run: &PastRun| next.is_some_and(|next| next < run.started_at);
        if wanted.limit > 0 && found.get(wanted.limit - 1).is_some_and(is_covered) {
            break;
        }
        rest = later;
    }
    found.truncate(wanted.limit);
    Ok(found)
}

impl WantedRuns {
    fn files(&self, snapshot: &Snapshot) -> Vec<DataFile> {
        let (id_from, id_to) = self.run_id.as_deref().and_then(times_of).unzip();
        let from = id_from.into_iter().chain(self.since).max();
        match (from, id_to) {
            (None, None) => snapshot.files().to_vec(),
            (from, to) => {
                let (from, to) = (from.unwrap_or(DateTime::<Utc>::MIN_UTC), to.unwrap_or(DateTime::<Utc>::MAX_UTC));
                snapshot.files_between("started_at", from, to)
            }
        }
    }

    /// Those of the runs that are wanted, the newest first.
    fn of(&self, runs: &HashMap<String, PastRun>) -> Vec<PastRun> {
        let named = |run: &&PastRun| self.run_id.as_ref().is_none_or(|id| run.run_id.starts_with(id.as_str()));
        let recent = |run: &&PastRun| self.since.is_none_or(|since| run.started_at >= since);
        let narrowed = |run: &PastRun| {
            let Some(table) = &self.table else { return run.clone() };
            let mut narrow = PastRun { status: "succeeded", tables: Vec::new(), ..run.clone() };
            run.tables.iter().filter(|one| one.table == *table).for_each(|one| narrow.add(one.clone()));
            narrow
        };
        let chosen = runs.values().filter(named).filter(recent).map(narrowed);
        let mut chosen: Vec<PastRun> =
            chosen.filter(|run| !run.tables.is_empty() && (!self.failed || run.is_failed())).collect();
        chosen.sort_by(|a, b| (b.started_at, &b.run_id).cmp(&(a.started_at, &a.run_id)));
        chosen
    }
}

/// Between which times a run began whose id, a UUID of version 7, begins so (RFC 9562, 5.7: 48 bits of milliseconds
/// come first); `None`: the id does not tell.
fn times_of(prefix: &str) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    let digits: String = prefix.chars().filter(|c| *c != '-').take(12).collect();
    let least = i64::from_str_radix(&format!("{digits:0<12}"), 16).ok()?;
    let greatest = i64::from_str_radix(&format!("{digits:f<12}"), 16).ok()?;
    let time = |millis| DateTime::from_timestamp_millis(millis);
    Some((time(least)?.checked_sub_signed(SLACK)?, time(greatest)?.checked_add_signed(SLACK)?))
}

/// Adds the lines of a frame to their runs.
fn add(runs: &mut HashMap<String, PastRun>, lines: &DataFrame) -> Result<()> {
    let text = |name: &str| lines.column(name).and_then(|c| c.str().cloned());
    let number = |name: &str| lines.column(name).and_then(|c| c.i64().cloned());
    let micros = |name: &str| lines.column(name).and_then(|c| c.cast(&DataType::Int64)?.i64().cloned());
    let (run_id, table, action, status) = (text("run_id")?, text("table")?, text("action")?, text("status")?);
    let (error, note, inputs) = (text("error")?, text("note")?, text("inputs")?);
    let (command, lakesmith) = (text("command")?, text("lakesmith_version")?);
    let (started, finished) = (micros("started_at")?, micros("finished_at")?);
    let (version, before, peak) = (number("version")?, number("version_before")?, number("peak_memory_bytes")?);
    let (read, written) = (number("bytes_read")?, number("bytes_written")?);
    let (deleted, seconds) = (number("bytes_deleted")?, lines.column("seconds")?.f64()?.clone());
    let counts = COUNTS.iter().map(|(name, count)| Ok((number(name)?, count))).collect::<PolarsResult<Vec<_>>>()?;
    let owned = |column: &StringChunked, at: usize| column.get(at).map(str::to_owned);
    let size = |column: &Int64Chunked, at: usize| column.get(at).and_then(|n| u64::try_from(n).ok());
    let time = |column: &Int64Chunked, at: usize| {
        column.get(at).and_then(DateTime::from_timestamp_micros).unwrap_or(DateTime::UNIX_EPOCH)
    };
    for at in 0..lines.height() {
        let mut rows = RowCounts::default();
        counts.iter().for_each(|(column, count)| *count(&mut rows) = size(column, at).unwrap_or(0));
        let line = PastTable {
            table: owned(&table, at).unwrap_or_default(),
            action: owned(&action, at).unwrap_or_default(),
            status: owned(&status, at).unwrap_or_default(),
            version_before: before.get(at),
            version: version.get(at),
            rows,
            seconds: seconds.get(at).unwrap_or(0.0),
            bytes_read: size(&read, at),
            bytes_written: size(&written, at),
            bytes_deleted: size(&deleted, at),
            error: owned(&error, at),
            note: owned(&note, at).filter(|note| !note.is_empty()),
            inputs: inputs.get(at).and_then(|text| serde_json::from_str(text).ok()).unwrap_or(Value::Array(Vec::new())),
        };
        let id = run_id.get(at).unwrap_or_default();
        let (started_at, finished_at) = (time(&started, at), time(&finished, at));
        let run = runs.entry(id.to_owned()).or_insert_with(|| PastRun {
            run_id: id.to_owned(),
            command: owned(&command, at),
            status: "succeeded",
            started_at,
            finished_at,
            seconds: (finished_at - started_at).as_seconds_f64(),
            peak_memory_bytes: size(&peak, at),
            lakesmith_version: owned(&lakesmith, at),
            tables: Vec::new(),
        });
        run.add(line);
    }
    Ok(())
}
