//! The command line: one file per command, flags in [`args`], the look of it in `ui`.

mod args;
mod check;
mod failure;
mod files;
mod frame;
mod history;
mod init;
mod logging;
mod plan;
mod progress;
mod quarantine;
mod query;
mod rebuild;
mod run;
mod show;
mod status;
mod ui;

use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;

pub use args::Cli;
use args::{Command, Global};
use failure::{Failure, Outcome, WRONG};

use crate::project::{self, Project};

/// Parses the command line, does what it says, prints the answer; gives the exit code.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { WRONG } else { 0 });
        }
    };
    logging::start(cli.global.verbose);
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
        Command::Status(args) => block_on(status::carry_out(global, args)),
        Command::History(args) => block_on(history::carry_out(global, args)),
        Command::Files(args) => block_on(files::carry_out(global, args)),
        Command::Show(args) => block_on(show::carry_out(global, args)),
        Command::Query(args) => block_on(query::carry_out(global, args)),
        Command::Quarantine(args) => block_on(quarantine::carry_out(global, args)),
    }
}

fn block_on(work: impl Future<Output = Outcome>) -> Outcome {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(work)
}

/// Reads the project that the flags name; its warnings go to stderr.
fn project(global: &Global) -> Result<Arc<Project>, Failure> {
    let project =
        project::load(&global.project, global.environment.as_deref()).map_err(|faults| Failure::project(&faults))?;
    if !global.quiet {
        project.warnings.iter().for_each(|warning| ui::print_warning(&warning.to_string()));
    }
    Ok(Arc::new(project))
}

/// The tables that a selection names.
fn selected(
    project: &Project,
    select: &[String],
) -> Result<std::collections::BTreeSet<crate::name::TableName>, Failure> {
    project::select(project, select).map_err(|faults| Failure { faults, code: WRONG })
}
