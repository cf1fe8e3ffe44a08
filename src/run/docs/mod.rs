//! What there is to tell of a project and its lake, as plain data: what `docs` makes its page of.

mod columns;
mod definition;
mod files;
mod inputs;
mod refused;
mod runs;
mod scrub;
mod state;
#[cfg(test)]
mod tests;
mod versions;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use futures::stream::{self, StreamExt};
use serde::Serialize;
use serde_json::{Map, Value};

use self::definition::TableDocs;
use self::runs::Runs;
use super::error::Result;
use super::ledger::Book;
use super::look::{self, Looks};
use super::survey::{TableStatus, statuses};
use super::{damage, past, preview};
use crate::delta::Lake;
use crate::name::{Layer, TableName};
use crate::plan::{Request, Task};
use crate::project::Project;

/// Versions of a table that are told of, at most.
const VERSIONS: usize = 200;
/// Versions of all tables together.
const VERSIONS_OF_ALL: usize = 20_000;
/// Lines of the history of runs: a table that one run wrote or that failed in it.
const RUN_LINES: u32 = 2_000;

/// A project and its lake at one moment.
#[derive(Debug, Serialize)]
pub struct ProjectDocs {
    /// the project's name
    pub project: String,
    /// the environment's name
    pub environment: String,
    /// where the lake is: relative to the project if within it; no user and no password
    pub lake: String,
    /// of timestamps written without one
    pub timezone: String,
    /// the program and its version
    pub made_by: String,
    /// when the lake was looked at
    pub made_at: DateTime<Utc>,
    /// whether there is any table yet
    pub lake_exists: bool,
    /// how much is told at most
    pub limits: Limits,
    /// what could not be told, and why
    pub notes: Vec<String>,
    /// what `check` warns of
    pub warnings: usize,
    /// each after those that it reads
    pub tables: Vec<TableDocs>,
    /// the newest lines of the history of runs, the newest first, by the names of its columns
    pub runs: Vec<Map<String, Value>>,
}

/// How much is told at most.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Limits {
    /// of each table
    pub versions: usize,
    /// of all
    pub run_lines: u32,
}

impl ProjectDocs {
    /// As JSON, without secrets.
    pub fn to_json(&self) -> Value {
        scrub::without_secrets(serde_json::to_value(self).unwrap_or_default())
    }

    /// The tables that cannot be read, and why.
    pub fn unreadable(&self) -> impl Iterator<Item = (&TableName, &str)> {
        self.tables.iter().filter_map(|table| Some((&table.table, table.error()?)))
    }
}

/// Looks at everything; writes nothing. A table that cannot be read tells so, the others are told of all the same.
///
/// # Errors
/// The lake's address cannot be understood.
pub async fn project_docs(project: &Project) -> Result<ProjectDocs> {
    let environment = &project.environment;
    let lake = Lake::open(&environment.lake, &environment.storage)?.with_memory(environment.memory());
    let made_at = Utc::now();
    let looks = look::all(project, &lake).await;
    let all: BTreeSet<TableName> = project.order.iter().cloned().collect();
    let statuses = statuses(project, &lake, &looks, &all).await;
    let mut notes = Vec::new();
    let tasks = tasks(project, &lake, &looks).await.unwrap_or_else(|error| {
        notes.push(format!("What a run would do now cannot be told: {error}"));
        BTreeMap::new()
    });
    let runs = runs::newest(&lake, RUN_LINES).await.unwrap_or_else(|error| {
        notes.push(format!("The history of runs cannot be read: {error}"));
        Runs::default()
    });
    let limits = Limits { versions: versions_each(project.order.len()), run_lines: RUN_LINES };
    let seen = Seen { project, lake: &lake, looks: &looks, tasks: &tasks, runs: &runs, limits, book: Book::new(&lake) };
    let seen = &seen;
    let tables = stream::iter(statuses).map(|status| seen.table(status)).buffered(look::AT_ONCE).collect().await;
    Ok(ProjectDocs {
        project: project.name.clone(),
        environment: environment.name.clone(),
        lake: place(project),
        timezone: project.timezone.name().to_owned(),
        made_by: concat!("lakesmith ", env!("CARGO_PKG_VERSION")).to_owned(),
        made_at,
        lake_exists: !looks.states.is_empty() || !looks.damaged.is_empty(),
        limits,
        notes,
        warnings: project.warnings.len(),
        tables,
        runs: runs.lines,
    })
}

/// A page of a thousand tables stays one that a browser opens at once.
fn versions_each(tables: usize) -> usize {
    (VERSIONS_OF_ALL / tables.max(1)).clamp(10, VERSIONS)
}

/// What a run would do, for the tables that it can be told of.
async fn tasks(project: &Project, lake: &Lake, looks: &Looks) -> Result<BTreeMap<TableName, Task>> {
    let damaged = |name: &TableName| looks.damaged.contains_key(name);
    let sound = |name: &&TableName| !damaged(name) && !project.inputs(name).iter().any(damaged);
    let tables = project.order.iter().filter(sound).cloned().collect();
    let plan = preview::plan_of(project, lake, looks, &Request { tables, ..Request::default() }).await?;
    Ok(plan.tasks.into_iter().map(|task| (task.table.clone(), task)).collect())
}

/// A folder of the machine that made the page says nothing to those who read it.
fn place(project: &Project) -> String {
    let lake = &project.environment.lake;
    let root = std::path::absolute(&project.root).unwrap_or_else(|_| project.root.clone());
    match std::path::Path::new(lake).strip_prefix(root) {
        Ok(within) => format!("./{}", within.display()),
        Err(_) => lake.clone(),
    }
}

/// What has been looked at.
struct Seen<'s> {
    project: &'s Project,
    lake: &'s Lake,
    looks: &'s Looks,
    tasks: &'s BTreeMap<TableName, Task>,
    runs: &'s Runs,
    limits: Limits,
    book: Book,
}

impl Seen<'_> {
    async fn table(&self, status: TableStatus) -> TableDocs {
        let name = &status.table.clone();
        let mut docs = definition::of(self.project, name);
        let task = self.tasks.get(name);
        let last_run = self.runs.last_of(name);
        (docs.state, docs.reasons) = state::of(&status, task, last_run);
        docs.remarks = state::remarks(&status, task, last_run);
        docs.task = task.cloned();
        docs.status = Some(status);
        self.look(name, &mut docs).await;
        docs
    }

    /// Each part for itself: what can be read is told.
    async fn look(&self, name: &TableName, docs: &mut TableDocs) {
        let snapshot = self.looks.snapshots.get(name);
        if name.layer == Layer::Bronze {
            match files::of(&self.book, name, snapshot).await {
                Ok(files) => docs.files = files,
                Err(error) => docs.fail("the ledger of its files", &error),
            }
        }
        let Some(snapshot) = snapshot else { return };
        columns::stored(&mut docs.columns, snapshot, name.layer == Layer::Bronze);
        docs.inputs = inputs::of(self.project, name, &self.looks.states);
        docs.event_range = docs.event_time.as_deref().and_then(|column| columns::range(snapshot, column));
        match past::of(self.project, name, snapshot, self.limits.versions).await {
            Ok(past) => docs.versions = versions::told(past, snapshot.rows(), snapshot.bytes()),
            Err(error) => docs.fail("its log", &error),
        }
        if docs.judges() {
            match refused::of(self.lake, name, snapshot).await {
                Ok(refused) => docs.quarantine = Some(refused),
                Err(error) => {
                    let error = damage::explained(self.lake, vec![name.clone()], error).await;
                    docs.fail("its quarantine", &error);
                }
            }
        }
    }
}
