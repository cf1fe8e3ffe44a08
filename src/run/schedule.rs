//! The order of tasks: each after those that it reads, as many at once as allowed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::claim::{Claimed, claim};
use super::error::{Error, Result};
use super::{Event, Run, gold, ingest, retry, silver};
use crate::name::TableName;
use crate::plan::Request;
use crate::project::{Definition, Table};
use crate::report::{Action, Status, TableReport};

/// Runs the requested tables and reports on each, in the project's order.
pub async fn tables(run: &Arc<Run>, request: &Request, jobs: usize) -> Vec<TableReport> {
    let order: Vec<_> = run.project.order.iter().filter(|t| request.tables.contains(*t)).cloned().collect();
    let permits = Arc::new(Semaphore::new(jobs.max(1)));
    let mut reports: BTreeMap<TableName, TableReport> = BTreeMap::new();
    let mut waiting = order.clone();
    let mut running = JoinSet::new();
    while !waiting.is_empty() || !running.is_empty() {
        let ready = take_ready(run, request, &mut waiting, &reports);
        let mut skipped = false;
        for name in ready {
            if let Some(above) = failed_above(run, &name, &reports) {
                skipped = true;
                finish(run, &mut reports, TableReport::skipped(name, &above));
                continue;
            }
            let (run, permits) = (run.clone(), permits.clone());
            running.spawn(async move {
                let _permit = permits.acquire_owned().await;
                table(&run, &name).await
            });
        }
        if skipped {
            continue;
        }
        match running.join_next().await {
            Some(Ok(report)) => finish(run, &mut reports, report),
            Some(Err(died)) => fail_unfinished(run, &order, &mut waiting, &mut reports, &died.to_string()),
            None => {}
        }
    }
    order.iter().filter_map(|t| reports.remove(t)).collect()
}

fn finish(run: &Run, reports: &mut BTreeMap<TableName, TableReport>, report: TableReport) {
    run.tell(Event::Finished(Box::new(report.clone())));
    reports.insert(report.table.clone(), report);
}

/// A panic in a task is a bug of ours; which table it was is not known here, so none of the rest may go on.
fn fail_unfinished(
    run: &Run,
    order: &[TableName],
    waiting: &mut Vec<TableName>,
    reports: &mut BTreeMap<TableName, TableReport>,
    why: &str,
) {
    waiting.clear();
    for name in order.iter().filter(|n| !reports.contains_key(*n)).cloned().collect::<Vec<_>>() {
        let error = Error::Internal(why.to_string()).to_string();
        finish(run, reports, TableReport::failed(name, Action::None, None, error));
    }
}

fn take_ready(
    run: &Run,
    request: &Request,
    waiting: &mut Vec<TableName>,
    reports: &BTreeMap<TableName, TableReport>,
) -> Vec<TableName> {
    let is_ready = |name: &TableName| {
        run.project.inputs(name).iter().all(|i| reports.contains_key(i) || !request.tables.contains(i))
    };
    let ready = waiting.iter().filter(|n| is_ready(n)).cloned().collect();
    waiting.retain(|n| !is_ready(n));
    ready
}

fn failed_above(run: &Run, name: &TableName, reports: &BTreeMap<TableName, TableReport>) -> Option<TableName> {
    let failed = |input: &TableName| reports.get(input).is_some_and(|r| r.status == Status::Failed);
    run.project.inputs(name).into_iter().find(failed)
}

async fn table(run: &Run, name: &TableName) -> TableReport {
    let began = Instant::now();
    run.tell(Event::Started(name.clone()));
    let Some(table) = run.project.tables.get(name) else {
        return TableReport::failed(name.clone(), Action::None, None, "it is not in the project");
    };
    let mut report = match claimed(run, table).await {
        Ok(report) => report,
        Err(error) => TableReport::failed(name.clone(), intended(run, table), None, error.to_string()),
    };
    report.seconds = began.elapsed().as_secs_f64();
    report
}

/// Does the work under a claim, if there is work at all: a run that finds nothing to do leaves no trace (I7).
async fn claimed(run: &Run, table: &Table) -> Result<TableReport> {
    if let Some(report) = idle(run, table).await? {
        return Ok(report);
    }
    match claim(&run.lake, &table.name, &run.id).await? {
        Claimed::Theirs(theirs) => Ok(TableReport::left_to(table.name.clone(), &theirs.run_id, theirs.until)),
        Claimed::Ours(lease) => {
            let done = retry::until_won(&format!("`{}`", table.name), || work(run, table)).await;
            lease.release().await;
            done
        }
    }
}

async fn idle(run: &Run, table: &Table) -> Result<Option<TableReport>> {
    match &table.definition {
        Definition::Bronze(source) => ingest::idle(run, &table.name, source).await,
        Definition::Silver(_) | Definition::Gold(_) => {
            let seen = run.look(&table.name).await?;
            Ok(seen.is_idle().then(|| TableReport::unchanged(table.name.clone(), seen.version(), seen.reason())))
        }
    }
}

async fn work(run: &Run, table: &Table) -> Result<TableReport> {
    match &table.definition {
        Definition::Bronze(source) => ingest::advance(run, &table.name, source).await,
        Definition::Silver(events) => silver::advance(run, &table.name, events).await,
        Definition::Gold(derived) => gold::advance(run, &table.name, derived).await,
    }
}

fn intended(run: &Run, table: &Table) -> Action {
    match &table.definition {
        _ if run.rebuild.contains(&table.name) => Action::Rebuild,
        Definition::Bronze(_) => Action::Append,
        Definition::Silver(events) if events.key.is_empty() => Action::Append,
        _ => Action::Merge,
    }
}
