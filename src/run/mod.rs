//! Carries out a plan, task by task. The only place that collects lazy frames.

mod anew;
mod backfill;
mod batch;
mod claim;
mod compare;
mod damage;
mod docs;
mod error;
mod extent;
mod gold;
mod guard;
mod heal;
mod history;
mod ingest;
mod intake;
mod judge;
mod known;
mod landing;
mod ledger;
mod look;
mod lost;
mod needs;
mod optimize;
mod past;
mod pins;
mod preview;
mod protocol;
mod quarantine;
mod read;
mod rebuild;
mod refusals;
mod rehearse;
mod repair;
mod restore;
mod retry;
mod schedule;
mod shape;
mod sharing;
mod silver;
mod stream;
mod survey;
mod telling;
mod vacuum;
mod verify;

use std::sync::Arc;

use chrono::{DateTime, Utc};

pub use claim::release_all as release_claims;
pub use compare::{Comparison, compare};
pub use docs::{ProjectDocs, project_docs};
pub use error::{Error, Result};
pub use history::open::{stopped, tell as tell_of_stopped};
use history::{Author, Line};
pub use history::{Commits, WantedRuns, past_runs};
pub use known::{columns_from_lake, columns_from_landing};
pub use landing::{Judged, Seen as LandingSeen, ignore, look as look_at_landing};
pub use ledger::Book;
pub use past::{Past, history};
pub use pins::{Pinned, pin, pins, unpin};
pub use preview::plan;
pub use protocol::{LEDGER, RUNS, folder, quarantine_folder};
pub use quarantine::current as quarantined;
pub use read::{head, query};
pub use refusals::{Refusals, refusals};
pub use rehearse::rehearse;
pub use repair::{Repair, RepairPlace};
pub use restore::{Outlook, Restore, Return};
pub use survey::{TableStatus, survey};
pub use vacuum::Vacuum;
pub use verify::sweep as sweep_scratch;

use crate::delta::Lake;
use crate::name::TableName;
use crate::plan::{BackfillRequest, Request};
use crate::project::Project;
use crate::report::{RunReport, TableReport};

/// What happens while a run goes on.
#[derive(Clone, Debug)]
pub enum Event {
    /// a table's task begins
    Started(TableName),
    /// rows went by
    Progress {
        /// whose task
        table: TableName,
        /// so many more
        rows: u64,
    },
    /// so many rows are going to go by
    Expected {
        /// whose task
        table: TableName,
        /// how many
        rows: u64,
    },
    /// a part of a table's work is done
    Share {
        /// whose task
        table: TableName,
        /// from 0 to 1
        share: f64,
    },
    /// a backfill begins with a chunk
    Chunk {
        /// whose
        table: TableName,
        /// 1 for the first
        number: usize,
        /// how many there are
        of: usize,
    },
    /// a table's task ended
    Finished(Box<TableReport>),
}

/// Where events go; called from many threads.
pub type Listener = Arc<dyn Fn(Event) + Send + Sync>;

/// One run: who it is, what it works on.
#[derive(Clone)]
pub struct Run {
    /// names the run in commits, ledger, quarantine and history
    pub id: String,
    /// when it began; the time that its rows bear
    pub started_at: DateTime<Utc>,
    /// the checked project
    pub project: Arc<Project>,
    /// where the tables are
    pub lake: Lake,
    book: Arc<ledger::Book>,
    unguarded: bool,
    listener: Listener,
}

impl Run {
    /// A run of `project` in its environment's lake. Touches nothing yet.
    ///
    /// # Errors
    /// The lake's address cannot be understood.
    pub fn new(project: Arc<Project>, listener: Listener) -> Result<Self> {
        let environment = &project.environment;
        let lake = Lake::open(&environment.lake, &environment.storage)?.with_memory(environment.memory());
        Ok(Run::in_lake(project, lake, listener))
    }

    /// A run of `project` in a lake that is open already. Touches nothing yet.
    pub fn in_lake(project: Arc<Project>, lake: Lake, listener: Listener) -> Self {
        let id = uuid::Uuid::now_v7().to_string();
        let book = Arc::new(ledger::Book::new(&lake));
        Run { id, started_at: Utc::now(), project, lake, book, unguarded: false, listener }
    }

    /// Whether tables may lose more rows than their guard allows.
    pub fn allowed(self, unguarded: bool) -> Self {
        Run { unguarded, ..self }
    }

    /// Does what `request` asks for, at most `jobs` tables at once, and writes it to the history of runs. A table that
    /// fails does not stop its siblings; what stands below it is skipped.
    pub async fn carry_out(mut self, request: &Request, jobs: usize) -> RunReport {
        self.unguarded = request.unguarded;
        let (run, jobs) = self.sharing(&request.tables, jobs);
        let run = Arc::new(run);
        let command = if request.rebuild.is_empty() { "run" } else { "rebuild" };
        run.begin(command);
        let others = request.tables.difference(&request.rebuild).cloned().collect();
        let mut reports = schedule::tables(&run, &others, jobs).await;
        if !request.rebuild.is_empty() {
            reports.extend(rebuild::tables(&run, request, jobs).await);
        }
        let report = RunReport::new(run.id.clone(), reports);
        history::record(&run.lake, run.author(command), report.tables.iter().map(Line::from)).await;
        report
    }

    /// Computes a range of event time anew, chunk by chunk, table by table, each after those that it reads; then runs
    /// what follows, at most `jobs` tables at once. It goes on where a backfill of the same request was interrupted.
    pub async fn backfill(mut self, request: &BackfillRequest, jobs: usize) -> RunReport {
        self.unguarded = request.unguarded;
        let (run, jobs) = self.sharing(&request.all(), jobs);
        let run = Arc::new(run);
        let command = if request.loads { "run" } else { "backfill" };
        run.begin(command);
        let report = RunReport::new(run.id.clone(), backfill::tables(&run, request, jobs).await);
        history::record(&run.lake, run.author(command), report.tables.iter().map(Line::from)).await;
        report
    }

    /// The same run in another lake.
    fn within(&self, lake: Lake) -> Self {
        Run { book: Arc::new(ledger::Book::new(&lake)), lake, ..self.clone() }
    }

    /// The run begins, and is told of should it be stopped half-way.
    fn begin(&self, command: &'static str) {
        history::open::begin(&self.lake, self.author(command));
    }

    /// Who writes to the history of runs.
    fn author(&self, command: &'static str) -> Author {
        Author { run_id: self.id.clone(), started_at: self.started_at, command }
    }

    fn tell(&self, event: Event) {
        if let Event::Finished(report) = &event {
            history::open::done(&self.id, report);
        }
        (self.listener)(event);
    }
}
