//! `lakesmith backfill`, and `lakesmith run --from … --to …`

use std::collections::BTreeSet;
use std::io::{BufRead, IsTerminal};
use std::sync::Arc;

use super::args::{BackfillArgs, Global, RangeArgs};
use super::failure::{Complaint, Failure, Outcome, WRONG};
use super::progress::Progress;
use super::{interrupt, rehearsal, run, summary, ui};
use crate::name::TableName;
use crate::observe::Observer;
use crate::plan::{BackfillRequest, Chunk, Range};
use crate::project::Project;
use crate::run::Run;

pub async fn carry_out(global: &Global, args: &BackfillArgs) -> Outcome {
    let project = super::project(global)?;
    super::mention_warnings(global, &project);
    let tables = super::selected(&project, &args.select)?;
    let (range, chunk) = range(&project, &args.from, &args.to, args.chunk)?;
    let mut request = BackfillRequest::new(&project, &tables, range, chunk).map_err(wrong)?;
    if args.dry_run {
        return rehearse(global, project, request, args).await;
    }
    if !args.yes && !confirmed(&request)? {
        return Err(Failure::wrong("nothing was done"));
    }
    request.unguarded = args.yes;
    carry_out_request(global, project, &request, args.jobs).await
}

async fn rehearse(global: &Global, project: Arc<Project>, request: BackfillRequest, args: &BackfillArgs) -> Outcome {
    let trial = BackfillRequest { unguarded: true, ..request };
    let work = async |run: Run| run.backfill(&trial, run::at_once(args.jobs)).await;
    let rehearsal = rehearsal::of(global, project, args.yes, work).await?;
    rehearsal::print(global, &rehearsal);
    Ok(rehearsal.exit_code())
}

/// A run that loads silver tables by ranges.
pub async fn load(
    global: &Global,
    project: Arc<Project>,
    tables: &BTreeSet<TableName>,
    asked: (&RangeArgs, bool),
    jobs: Option<u16>,
) -> Outcome {
    let (RangeArgs { from: Some(from), to: Some(to), chunk }, unguarded) = asked else {
        return Err(Failure::wrong("`--from` and `--to` go together"));
    };
    let (range, chunk) = range(&project, from, to, *chunk)?;
    let mut request = BackfillRequest::load(&project, tables, range, chunk).map_err(wrong)?;
    request.unguarded = unguarded;
    carry_out_request(global, project, &request, jobs).await
}

fn range(project: &Project, from: &str, to: &str, chunk: Option<Chunk>) -> Result<(Range, Option<Chunk>), Failure> {
    let range = Range::parse(from, to, project.timezone).map_err(Failure::wrong)?;
    range.chunks(chunk, project.timezone).map_err(Failure::wrong)?;
    Ok((range, chunk))
}

fn wrong(errors: Vec<(String, String)>) -> Failure {
    let errors = errors.into_iter().map(|(message, hint)| Complaint::from(message).with_hint(hint));
    Failure { errors: errors.collect(), code: WRONG }
}

async fn carry_out_request(
    global: &Global,
    project: Arc<Project>,
    request: &BackfillRequest,
    jobs: Option<u16>,
) -> Outcome {
    let progress = Progress::new(global);
    let observer = Observer::new(&project);
    let run = Run::new(project, observer.listener(progress.listener()))?;
    let watch = observer.watch(&run, if request.loads { "run" } else { "backfill" });
    let report = interrupt::or_done(run.clone().backfill(request, run::at_once(jobs))).await;
    progress.finish();
    summary::conclude(global, watch, report).await
}

fn confirmed(request: &BackfillRequest) -> Result<bool, Failure> {
    if !std::io::stdin().is_terminal() {
        let error = Complaint::from("a backfill publishes a range of rows anew, and there is nobody here to ask");
        return Err(Failure::wrong(error.with_hint("say --yes")));
    }
    let names: Vec<_> = request.tables.iter().map(ToString::to_string).collect();
    let Range { from, to } = request.range;
    ui::tell(&format!("Compute {} from {from} until before {to} anew and publish? [y/N]", names.join(", ")));
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    Ok(matches!(line.trim(), "y" | "Y" | "yes"))
}
