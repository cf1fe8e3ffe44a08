//! Runs that are going on in this process: one that is stopped half-way is told of, too.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{Author, Line, record};
use crate::delta::Lake;
use crate::report::TableReport;
use crate::run::claim;

/// Whoever stops a process does not wait for its history.
const PATIENCE: Duration = Duration::from_secs(3);

struct Open {
    lake: Lake,
    author: Author,
    done: Vec<TableReport>,
}

static OPEN: Mutex<Vec<Open>> = Mutex::new(Vec::new());

fn locked() -> MutexGuard<'static, Vec<Open>> {
    OPEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A run begins.
pub fn begin(lake: &Lake, author: Author) {
    locked().push(Open { lake: lake.clone(), author, done: Vec::new() });
}

/// A table of a run is done.
pub fn done(run_id: &str, report: &TableReport) {
    if let Some(open) = locked().iter_mut().find(|open| open.author.run_id == run_id) {
        open.done.push(report.clone());
    }
}

/// A run is told of by itself.
pub fn end(run_id: &str) {
    locked().retain(|open| open.author.run_id != run_id);
}

/// What this process was at work on before it was stopped, for [`tell`].
pub struct Stopped {
    runs: Vec<Open>,
    /// run and table
    at_work: Vec<(String, String)>,
}

/// To be asked for before the claims are given free.
pub fn stopped() -> Stopped {
    Stopped { runs: std::mem::take(&mut *locked()), at_work: claim::at_work_here() }
}

/// Writes to the history what the runs have done and which tables they were at work on; nothing, if they had found
/// nothing to do.
pub async fn tell(stopped: Stopped) {
    let Stopped { runs, at_work } = stopped;
    for Open { lake, author, done } in runs {
        let is_done = |table: &str| done.iter().any(|report| report.table.to_string() == table);
        let half = at_work.iter().filter(|(run_id, table)| *run_id == author.run_id && !is_done(table));
        let lines: Vec<Line> = half.map(|(_, table)| Line::interrupted(table)).collect();
        let lines = done.iter().map(Line::from).chain(lines);
        let _ = tokio::time::timeout(PATIENCE, record(&lake, author, lines)).await;
    }
}
