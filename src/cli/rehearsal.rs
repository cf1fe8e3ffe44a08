//! What would be done, carried out beside the lake and shown: `rebuild --dry-run`, `plan --diff`.

use std::sync::Arc;

use super::args::Global;
use super::failure::Failure;
use super::progress::Progress;
use super::{difference, interrupt, run, summary, ui, words};
use crate::plan::Request;
use crate::project::Project;
use crate::report::{Rehearsal, RunReport, TableReport};
use crate::run::{Run, rehearse as rehearse_run};

/// Carries out what was asked for, beside the lake, and shows how it goes.
pub async fn rehearse(
    global: &Global,
    project: Arc<Project>,
    request: &Request,
    jobs: Option<u16>,
) -> Result<Rehearsal, Failure> {
    let trial = Request { unguarded: true, ..request.clone() };
    let work = async |run: Run| run.carry_out(&trial, run::at_once(jobs)).await;
    of(global, project, request.unguarded, work).await
}

/// Does some work beside the lake and shows how it goes. The work itself goes on where the guard would stop it; whether
/// the guard has a say in it is told by `unguarded`.
pub async fn of(
    global: &Global,
    project: Arc<Project>,
    unguarded: bool,
    work: impl AsyncFnOnce(Run) -> RunReport,
) -> Result<Rehearsal, Failure> {
    let progress = Progress::new(global);
    let run = Run::new(project, progress.listener())?.allowed(unguarded);
    let rehearsal = interrupt::or(rehearse_run(&run, work), "nothing was published").await;
    progress.finish();
    Ok(rehearsal??)
}

/// Prints what came of it: JSON, or for people how each table would differ.
pub fn print(global: &Global, rehearsal: &Rehearsal) {
    if global.json {
        ui::answer_json(rehearsal);
    } else {
        print_tables(rehearsal);
    }
    print_remarks(global, rehearsal);
}

/// How each table would differ.
pub fn print_tables(rehearsal: &Rehearsal) {
    ui::answer(&summary::tables(&rehearsal.report, ui::width()));
    for TableReport { table, .. } in &rehearsal.report.tables {
        let Some(diff) = rehearsal.diffs.get(table) else { continue };
        ui::answer("");
        difference::print(diff);
        if let Some(quarantine) = rehearsal.quarantines.get(table).filter(|q| q.before != q.after) {
            let after = words::count(quarantine.after, "row");
            ui::answer(&format!("\nquarantine: {} → {after}", words::thousands(quarantine.before)));
        }
    }
}

/// What went wrong, and what the guard says.
pub fn print_remarks(global: &Global, rehearsal: &Rehearsal) {
    for table in &rehearsal.report.tables {
        summary::errors(global, table).iter().for_each(ui::print_error);
        if let Some(stop) = &table.guard {
            ui::print_warning(&format!("`{}`: {}", table.table, stop.would_stop()).into());
        }
    }
    if !global.json && !global.quiet {
        ui::tell(&last_line(rehearsal));
    }
}

fn last_line(rehearsal: &Rehearsal) -> String {
    let report = &rehearsal.report;
    let written = report.tables.iter().filter(|table| table.changed()).count();
    let all = words::count(report.tables.len() as u64, "table");
    format!("dry run: {written} of {all} would be written; nothing was published")
}
