//! Rebuilds: tables are computed anew beside what is there, then published one right after another, each in one commit.
//! A death between two commits leaves every table consistent, and the next run does the rest.

mod part;
mod publish;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use self::part::{Part, Pins};
use self::publish::publish;
use super::claim::{Claimed, Lease, claim};
use super::error::{Error, Result};
use super::look::Seen;
use super::protocol::folder;
use super::schedule::{explained, failed, in_order};
use super::{Event, Run};
use crate::name::TableName;
use crate::plan::Request;
use crate::project::Table;
use crate::report::{Action, Status, TableReport};

/// What came of computing a table: the report, if there is nothing to publish.
type Computed = std::result::Result<Part, Box<TableReport>>;

/// Rebuilds the tables that are to be, and reports on each in the project's order.
pub async fn tables(run: &Arc<Run>, request: &Request, jobs: usize) -> Vec<TableReport> {
    let pins = match pins(run, request).await {
        Ok(pins) => Arc::new(pins),
        Err(error) => return all_failed(run, request, &error),
    };
    let (leases, mut reports) = claims(run, &request.rebuild).await;
    let mine: BTreeSet<TableName> = leases.iter().map(|(name, _)| name.clone()).collect();
    let task = |name: TableName, above: BTreeMap<TableName, Arc<Computed>>| {
        let (run, pins) = (run.clone(), pins.clone());
        async move { computed(&run, &name, &above, &pins).await }
    };
    let died = |name: TableName, why: String| Err(Box::new(failed(&name, Action::Rebuild, Error::Internal(why))));
    let mut published = BTreeMap::new();
    for (name, computed) in in_order(&run.project, &mine, jobs, task, died).await {
        let report = match computed {
            Ok(part) => publish_below(run, part, &mut published, &reports).await,
            Err(report) => *report,
        };
        run.tell(Event::Finished(Box::new(report.clone())));
        reports.insert(name, report);
    }
    for (_, lease) in leases {
        lease.release().await;
    }
    run.project.order.iter().filter_map(|name| reports.remove(name)).collect()
}

/// Rebuilds one table from the inputs that were seen. The caller has claimed it.
pub async fn one(run: &Run, table: &Table, seen: &Seen) -> Result<TableReport> {
    let rows = seen.inputs.iter().map(|(name, snapshot)| (name.clone(), part::Input::Version(snapshot.clone())));
    let part = Part::compute(run, &table.name, seen.own.clone(), rows.collect(), seen.reason()).await?;
    publish(run, part, &mut BTreeMap::new()).await
}

/// The versions that are read instead of the newest.
async fn pins(run: &Run, request: &Request) -> Result<Pins> {
    let mut pins = Pins::new();
    for (table, at) in &request.from {
        let snapshot = run.lake.table(&folder(table)).snapshot_at(at).await?;
        snapshot.require_files().await?;
        pins.insert(table.clone(), snapshot);
    }
    Ok(pins)
}

fn all_failed(run: &Run, request: &Request, error: &Error) -> Vec<TableReport> {
    let names = run.project.order.iter().filter(|name| request.rebuild.contains(*name));
    names.map(|name| TableReport::failed(name.clone(), Action::Rebuild, None, error.to_string())).collect()
}

/// Claims what no other run is at work on.
async fn claims(
    run: &Run,
    tables: &BTreeSet<TableName>,
) -> (Vec<(TableName, Lease)>, BTreeMap<TableName, TableReport>) {
    let (mut leases, mut reports) = (Vec::new(), BTreeMap::new());
    for name in tables {
        let report = match claim(&run.lake, name, &run.id, "rebuild").await {
            Ok(Claimed::Ours(lease)) => {
                leases.push((name.clone(), lease));
                continue;
            }
            Ok(Claimed::Theirs(theirs)) => TableReport::left_to(name.clone(), &theirs.whose(), theirs.until),
            Err(error) => failed(name, Action::Rebuild, error),
        };
        run.tell(Event::Finished(Box::new(report.clone())));
        reports.insert(name.clone(), report);
    }
    (leases, reports)
}

async fn computed(run: &Run, name: &TableName, above: &BTreeMap<TableName, Arc<Computed>>, pins: &Pins) -> Computed {
    let began = Instant::now();
    run.tell(Event::Started(name.clone()));
    let is_failed = |computed: &Computed| matches!(computed, Err(report) if report.status == Status::Failed);
    if let Some((failed, _)) = above.iter().find(|(_, computed)| is_failed(computed)) {
        return Err(Box::new(TableReport::skipped(name.clone(), failed)));
    }
    let above =
        above.iter().filter_map(|(name, computed)| Some((name.clone(), computed.as_ref().as_ref().ok()?.rows())));
    let mut part = match Part::of(run, name, &above.collect(), pins).await {
        Ok(part) => part.map_err(Box::new)?,
        Err(error) => return Err(Box::new(failed(name, Action::Rebuild, explained(run, name, error).await))),
    };
    part.seconds = began.elapsed().as_secs_f64();
    Ok(part)
}

/// Publishes a table unless one that it reads could not be.
async fn publish_below(
    run: &Run,
    part: Part,
    published: &mut publish::All,
    reports: &BTreeMap<TableName, TableReport>,
) -> TableReport {
    let name = part.name.clone();
    let is_failed = |input: &TableName| reports.get(input).is_some_and(|report| report.status == Status::Failed);
    if let Some(above) = run.project.inputs(&name).into_iter().find(is_failed) {
        part.anew.discard().await;
        return TableReport::skipped(name, &above);
    }
    match publish(run, part, published).await {
        Ok(report) => report,
        Err(error) => failed(&name, Action::Rebuild, explained(run, &name, error).await),
    }
}
