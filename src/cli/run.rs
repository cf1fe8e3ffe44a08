//! `lakesmith run`

use std::sync::Arc;

use super::args::{Global, RunArgs};
use super::failure::Outcome;
use super::progress::Progress;
use super::{backfill, interrupt, summary};
use crate::observe::Observer;
use crate::plan::Request;
use crate::project::Project;
use crate::run::Run;

pub async fn carry_out(global: &Global, args: &RunArgs) -> Outcome {
    let project = super::project(global)?;
    super::mention_warnings(global, &project);
    let tables = super::selected(&project, &args.select.select)?;
    if args.range.from.is_some() {
        return backfill::load(global, project, &tables, (&args.range, args.yes), args.jobs).await;
    }
    let request = Request { tables, unguarded: args.yes, ..Request::default() };
    carry_out_request(global, project, (&request, "run"), args.jobs).await
}

/// Runs what was asked for by a command, shows how it goes, prints what came of it, tells others.
pub async fn carry_out_request(
    global: &Global,
    project: Arc<Project>,
    (request, command): (&Request, &'static str),
    jobs: Option<u16>,
) -> Outcome {
    let progress = Progress::new(global);
    let observer = Observer::new(&project);
    let run = Run::new(project, observer.listener(progress.listener()))?;
    let watch = observer.watch(&run, command);
    let work = run.clone().carry_out(request, at_once(jobs));
    let report = interrupt::or_done(work).await;
    progress.finish();
    summary::conclude(global, watch, report).await
}

/// So many tables are worked on at once.
pub fn at_once(jobs: Option<u16>) -> usize {
    jobs.map_or_else(|| std::thread::available_parallelism().map_or(1, usize::from), usize::from)
}
