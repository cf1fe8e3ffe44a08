//! The order of tasks: each after those that it reads, as many at once as allowed.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::claim::{Claimed, claim};
use super::error::{Error, Result};
use super::{Event, Run, damage, gold, ingest, optimize, rebuild, retry, silver};
use crate::name::TableName;
use crate::plan::Decision;
use crate::project::{Definition, Project, Table};
use crate::report::{Action, Status, TableReport};

/// Runs tables and reports on each.
pub async fn tables(run: &Arc<Run>, tables: &BTreeSet<TableName>, jobs: usize) -> Vec<TableReport> {
    let task = |name: TableName, above: BTreeMap<TableName, Arc<TableReport>>| {
        let run = run.clone();
        async move {
            let failed = above.values().find(|report| report.status == Status::Failed);
            let report = match failed {
                Some(failed) => TableReport::skipped(name, &failed.table),
                None => table(&run, &name).await,
            };
            run.tell(Event::Finished(Box::new(report.clone())));
            report
        }
    };
    let died = |name: TableName, why: String| {
        let report = TableReport::failed(name, Action::None, None, Error::Internal(why).to_string());
        run.tell(Event::Finished(Box::new(report.clone())));
        report
    };
    in_order(&run.project, tables, jobs, task, died).await.into_iter().map(|(_, report)| report).collect()
}

/// Carries out a task for each table after those of the tables that it reads, at most `jobs` at once. A task is given
/// what came of those; `died` speaks for one that panicked. Gives all outcomes in the project's order.
pub async fn in_order<T, F>(
    project: &Project,
    tables: &BTreeSet<TableName>,
    jobs: usize,
    task: impl Fn(TableName, BTreeMap<TableName, Arc<T>>) -> F,
    died: impl Fn(TableName, String) -> T,
) -> Vec<(TableName, T)>
where
    T: Send + Sync + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let permits = Arc::new(Semaphore::new(jobs.max(1)));
    let mut waiting: Vec<TableName> = project.order.iter().filter(|name| tables.contains(*name)).cloned().collect();
    let order = waiting.clone();
    let mut done: BTreeMap<TableName, Arc<T>> = BTreeMap::new();
    let (mut running, mut names) = (JoinSet::new(), HashMap::new());
    let inputs = |name: &TableName| project.inputs(name).into_iter().filter(|input| tables.contains(input)).collect();
    let inputs: BTreeMap<TableName, Vec<TableName>> = order.iter().map(|name| (name.clone(), inputs(name))).collect();
    let above = |name: &TableName| inputs.get(name).into_iter().flatten();
    loop {
        let ready = waiting.extract_if(.., |name| above(name).all(|input| done.contains_key(input)));
        for name in ready.collect::<Vec<_>>() {
            let above = above(&name).filter_map(|input| Some((input.clone(), done.get(input)?.clone()))).collect();
            let (work, permits) = (task(name.clone(), above), permits.clone());
            let handle = running.spawn(async move {
                let _permit = permits.acquire_owned().await;
                work.await
            });
            names.insert(handle.id(), name);
        }
        let (id, outcome) = match running.join_next_with_id().await {
            None => break,
            Some(Ok((id, outcome))) => (id, Ok(outcome)),
            Some(Err(panic)) => (panic.id(), Err(panic.to_string())),
        };
        if let Some(name) = names.remove(&id) {
            let outcome = outcome.unwrap_or_else(|why| died(name.clone(), why));
            done.insert(name, Arc::new(outcome));
        }
    }
    order.into_iter().filter_map(|name| Some((name.clone(), Arc::into_inner(done.remove(&name)?)?))).collect()
}

async fn table(run: &Run, name: &TableName) -> TableReport {
    let began = Instant::now();
    run.tell(Event::Started(name.clone()));
    let Some(table) = run.project.tables.get(name) else {
        return TableReport::failed(name.clone(), Action::None, None, "it is not in the project");
    };
    let mut report = match claimed(run, table).await {
        Ok(report) => report,
        Err(error) => failed(name, intended(table), explained(run, name, error).await),
    };
    report.seconds = began.elapsed().as_secs_f64();
    report
}

/// Why a table could not be made: a damaged file of it, or of one that it reads, is told as such.
pub async fn explained(run: &Run, name: &TableName, error: Error) -> Error {
    let tables = std::iter::once(name.clone()).chain(run.project.inputs(name)).collect();
    damage::explained(&run.lake, tables, error).await
}

/// The report of a table that could not be done.
pub fn failed(name: &TableName, action: Action, error: Error) -> TableReport {
    match error {
        Error::Guarded(stop) => TableReport::stopped(name.clone(), action, None, stop),
        error => TableReport::failed(name.clone(), action, None, error.to_string()),
    }
}

/// Does the work under a claim, if there is work at all: a run that finds nothing to do leaves no trace (I7).
async fn claimed(run: &Run, table: &Table) -> Result<TableReport> {
    if let Some(report) = idle(run, table).await? {
        return Ok(report);
    }
    match claim(&run.lake, &table.name, &run.id, "run").await? {
        Claimed::Theirs(theirs) => Ok(TableReport::left_to(table.name.clone(), &theirs.whose(), theirs.until)),
        Claimed::Ours(lease) => {
            let mut done = retry::until_won(&format!("`{}`", table.name), || work(run, table)).await;
            if let Ok(report) = &mut done {
                optimize::after_run(run, table, report).await;
            }
            lease.release().await;
            done
        }
    }
}

async fn idle(run: &Run, table: &Table) -> Result<Option<TableReport>> {
    match &table.definition {
        Definition::Bronze(source) => ingest::idle(run, &table.name, source).await,
        Definition::Silver(_) | Definition::Gold(_) => {
            let seen = run.glance(&table.name).await?;
            Ok(seen.is_idle().then(|| TableReport::unchanged(table.name.clone(), seen.version, seen.reason())))
        }
    }
}

async fn work(run: &Run, table: &Table) -> Result<TableReport> {
    let name = &table.name;
    if let Definition::Bronze(source) = &table.definition {
        return ingest::advance(run, name, source).await;
    }
    let seen = run.look(name).await?;
    match (&seen.decision, &table.definition) {
        (Decision::Refuse(why), _) => Err(Error::Refused(why.clone())),
        (Decision::Rebuild(_), _) => rebuild::one(run, table, &seen).await,
        (Decision::Advance { .. }, Definition::Silver(events)) => silver::advance(run, name, events, &seen).await,
        (Decision::Advance { .. }, Definition::Gold(derived)) => gold::advance(run, name, derived, &seen).await,
        _ => Ok(TableReport::unchanged(name.clone(), seen.version(), seen.reason())),
    }
}

fn intended(table: &Table) -> Action {
    match &table.definition {
        Definition::Bronze(_) => Action::Append,
        Definition::Silver(events) if events.key.is_empty() => Action::Append,
        _ => Action::Merge,
    }
}
