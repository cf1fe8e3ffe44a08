//! `lakesmith runs [RUN_ID]`

use chrono::{DateTime, SecondsFormat, Utc};
use chrono_tz::Tz;

use super::args::{Global, RunsArgs};
use super::failure::{Complaint, Failure, Outcome};
use super::table::{Column, table};
use super::{past_run, ui, words};
use crate::plan::Moment;
use crate::project;
use crate::report::{INTERRUPTED, PastRun, PastTable};
use crate::run::{self, WantedRuns};

/// So much of a run's id is shown: its time to the millisecond.
const SHORT: usize = 13;
/// Runs that are named when the start of an id fits several.
const NAMED: usize = 10;

pub async fn carry_out(global: &Global, args: &RunsArgs) -> Outcome {
    let project = super::project(global)?;
    if let Some(id) = &args.run_id {
        let run = one(global, &project, id).await?;
        if global.json {
            ui::answer_json(&run);
        } else {
            past_run::print(global, &project, &run);
        }
        return Ok(0);
    }
    let since = args.since.as_deref().map(|text| since(text, project.timezone)).transpose()?;
    let wanted = WantedRuns { limit: args.limit, run_id: None, table: args.table.clone(), failed: args.failed, since };
    // one more tells whether there are more
    let asked = WantedRuns { limit: args.limit.saturating_add(1), ..wanted };
    let mut runs = run::past_runs(&project, &asked).await?;
    let more = runs.len() > args.limit;
    runs.truncate(args.limit);
    if global.json {
        ui::answer_json(&serde_json::json!({ "runs": runs }));
        return Ok(0);
    }
    list(global, args, &runs, more);
    Ok(0)
}

fn list(global: &Global, args: &RunsArgs, runs: &[PastRun], more: bool) {
    let columns = [
        Column::Name("run"),
        Column::Name("began (UTC)"),
        Column::Name("command"),
        Column::State("status"),
        Column::Text("what"),
        Column::Number("took"),
    ];
    if !runs.is_empty() {
        ui::answer(&table(&columns, &runs.iter().map(row).collect::<Vec<_>>(), ui::width()));
    }
    if global.quiet {
        return;
    }
    let is_filtered = args.table.is_some() || args.failed || args.since.is_some();
    match runs.first() {
        None if is_filtered => ui::tell("no such run"),
        None => ui::tell(&format!("nothing has run yet; to begin: {}", ui::command(global, "run"))),
        Some(newest) => {
            if more {
                ui::tell(&format!("the newest {} are shown; -n shows more", words::count(runs.len() as u64, "run")));
            }
            let named = runs.iter().find(|run| run.is_failed()).unwrap_or(newest);
            ui::tell(&format!("more of one: {}", ui::command(global, &format!("runs {}", short(&named.run_id)))));
        }
    }
}

fn row(run: &PastRun) -> Vec<String> {
    vec![
        short(&run.run_id).to_owned(),
        run.started_at.format("%Y-%m-%d %H:%M:%S").to_string(),
        run.command.clone().unwrap_or_default(),
        run.status.to_owned(),
        what(run),
        words::took(run.seconds),
    ]
}

/// What failed, then what changed.
pub fn what(run: &PastRun) -> String {
    let named = |word: &str, is_it: &dyn Fn(&PastTable) -> bool| {
        let tables: Vec<&PastTable> = run.tables.iter().filter(|table| is_it(table)).collect();
        match tables.as_slice() {
            [] => None,
            [one] => Some(format!("{} {word}", one.table)),
            [one, other] => Some(format!("{} and {} {word}", one.table, other.table)),
            many => Some(format!("{} {word}", words::count(many.len() as u64, "table"))),
        }
    };
    let parts = [
        named("failed", &|table| table.status == "failed" && !is_skipped(table)),
        named("skipped", &is_skipped),
        named("interrupted", &|table| table.status == INTERRUPTED),
        named("set files aside", &|table| table.status != "failed" && table.error.is_some()),
        named("changed", &|table| table.status == "succeeded"),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// Whether it was not tried because a table that it reads failed.
pub fn is_skipped(table: &PastTable) -> bool {
    table.error.as_ref().is_some_and(|error| error.starts_with("skipped: "))
}

pub fn short(run_id: &str) -> &str {
    run_id.get(..SHORT).unwrap_or(run_id)
}

/// The run whose id begins so.
async fn one(global: &Global, project: &project::Project, id: &str) -> Result<PastRun, Failure> {
    let id = id.to_lowercase();
    let wanted = WantedRuns { limit: NAMED, run_id: Some(id.clone()), ..WantedRuns::default() };
    let mut runs = run::past_runs(project, &wanted).await?;
    let list = ui::command(global, "runs");
    match runs.len() {
        0 => {
            let error = Complaint::from(format!("the history tells of no run `{id}`"));
            Err(Failure::wrong(error.with_hint(format!(
                "a run that changed nothing, or that was killed, is not in it; those that are: {list}"
            ))))
        }
        1 => Ok(runs.remove(0)),
        _ => {
            let ids: Vec<&str> = runs.iter().map(|run| run.run_id.as_str()).collect();
            let error = Complaint::from(format!("several runs begin with `{id}`"));
            Err(Failure::wrong(error.with_hint(format!("say more of it: {}", ids.join(", ")))))
        }
    }
}

/// `7d`: the last seven days; or a date or a time.
fn since(text: &str, timezone: Tz) -> Result<DateTime<Utc>, Failure> {
    if let Some(span) = project::span(text).and_then(|span| chrono::TimeDelta::from_std(span).ok()) {
        return Ok(Utc::now().checked_sub_signed(span).unwrap_or(DateTime::<Utc>::MIN_UTC));
    }
    let moment = Moment::parse(text, timezone);
    let moment = moment.map_err(|what| Failure::wrong(format!("`--since {text}` is no time: 7d, 36h, or {what}")))?;
    Ok(moment.instant)
}

/// As people read it: `2026-11-01 06:30:00 UTC`.
pub fn when(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true).replace('T', " ").replace('Z', " UTC")
}
