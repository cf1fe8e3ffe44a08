//! The command line: one file per command, flags in [`args`], the look of it in `ui`.

mod args;
mod ask;
mod backfill;
mod check;
mod diff;
mod difference;
mod docs;
mod examples;
mod failure;
mod files;
mod frame;
mod history;
mod init;
mod interrupt;
mod letters;
mod logging;
mod manual;
mod optimize;
mod pace;
mod past_run;
mod pin;
mod plan;
mod progress;
mod quarantine;
mod query;
mod rebuild;
mod rehearsal;
mod repair;
mod restore;
mod run;
mod runs;
mod show;
mod status;
mod summary;
mod table;
mod ui;
mod vacuum;
mod verify;
mod words;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;

pub use args::Cli;
use args::{Command, Global};
use failure::{Complaint, Failure, Outcome, WRONG};

use crate::name::TableName;
use crate::project::{self, Project, Question};
use crate::run::columns_from_lake;
use crate::secrets;

/// Parses the command line, does what it says, prints the answer; gives the exit code.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { WRONG } else { 0 });
        }
    };
    interrupt::listen();
    secrets::keep_environment();
    ui::tell_panics();
    if let Err(filter) = logging::start(cli.global.verbose) {
        ui::print_warning(&format!("LAKESMITH_LOG is no filter: {filter}").into());
    }
    match carry_out(&cli) {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            ui::print_failure(&failure, cli.global.json);
            ExitCode::from(failure.code)
        }
    }
}

fn carry_out(cli: &Cli) -> Outcome {
    let global = &cli.global;
    match &cli.command {
        Command::Init(args) => init::carry_out(global, args),
        Command::Check => check::carry_out(global),
        Command::Plan(args) => block_on(plan::carry_out(global, args)),
        Command::Run(args) => block_on(run::carry_out(global, args)),
        Command::Rebuild(args) => block_on(rebuild::carry_out(global, args)),
        Command::Backfill(args) => block_on(backfill::carry_out(global, args)),
        Command::Optimize(args) => block_on(optimize::carry_out(global, args)),
        Command::Repair(args) => block_on(repair::carry_out(global, args)),
        Command::Restore(args) => block_on(restore::carry_out(global, args)),
        Command::Status(args) => block_on(status::carry_out(global, args)),
        Command::History(args) => block_on(history::carry_out(global, args)),
        Command::Runs(args) => block_on(runs::carry_out(global, args)),
        Command::Files(args) => block_on(files::carry_out(global, args)),
        Command::Show(args) => block_on(show::carry_out(global, args)),
        Command::Diff(args) => block_on(diff::carry_out(global, args)),
        Command::Query(args) => block_on(query::carry_out(global, args)),
        Command::Docs(args) => block_on(docs::carry_out(global, args)),
        Command::Verify(args) => block_on(verify::carry_out(global, args)),
        Command::Quarantine(args) => block_on(quarantine::carry_out(global, args)),
        Command::Pin(args) => block_on(pin::carry_out(global, args)),
        Command::Unpin(args) => block_on(pin::unpin(global, args)),
        Command::Vacuum(args) => block_on(vacuum::carry_out(global, args)),
        Command::Completions(args) => manual::completions(args.shell),
        Command::Man(args) => manual::man(global, args),
    }
}

fn block_on(work: impl Future<Output = Outcome>) -> Outcome {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(work);
    // After an interruption computations still go on, for nobody.
    runtime.shutdown_background();
    outcome
}

/// Reads the project that the flags name, and from its lake and landing folder the columns of its bronze tables.
fn project(global: &Global) -> Result<Arc<Project>, Failure> {
    folder(global)?;
    let unreachable = RefCell::new(None);
    let known = |question: &Question| {
        columns_from_lake(question).unwrap_or_else(|error| {
            unreachable.replace(Some(error));
            None
        })
    };
    let project = project::load(&global.project, global.environment.as_deref(), &known);
    if let Some(error) = unreachable.take() {
        return Err(error.into());
    }
    let mut project = project.map_err(|faults| Failure::project(&faults))?;
    project.environment.memory = global.memory.or(project.environment.memory);
    Ok(Arc::new(project))
}

fn folder(global: &Global) -> Result<(), Failure> {
    if !global.project.is_dir() {
        let error = Complaint::from(format!("there is no folder `{}`", global.project.display()));
        return Err(Failure::wrong(
            error.with_hint("`-C DIR` names a project's folder; `lakesmith init DIR` makes one"),
        ));
    }
    Ok(())
}

/// The warnings of a project in a word; `check` prints them.
fn mention_warnings(global: &Global, project: &Project) {
    let warnings = project.warnings.len() as u64;
    if warnings > 0 && !global.quiet {
        let see = ui::command(global, "check");
        ui::print_warning(&format!("`check` has {}; to see: {see}", words::count(warnings, "warning")).into());
    }
}

/// The tables that a selection names.
fn selected(project: &Project, select: &[String]) -> Result<BTreeSet<TableName>, Failure> {
    let tables = project::select(project, select);
    tables.map_err(|errors| Failure { errors: errors.into_iter().map(Complaint::from).collect(), code: WRONG })
}
