//! What the user said.

mod change;
mod look;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub use self::change::*;
pub use self::look::*;
use super::examples;
use crate::memory::Memory;

/// Keeps a medallion lakehouse on Delta Lake: files in, bronze, silver, gold out.
#[derive(Debug, Parser)]
#[command(name = "lakesmith", version, arg_required_else_help = true, max_term_width = 100)]
#[command(after_help = examples::ALL)]
pub struct Cli {
    /// What holds everywhere
    #[command(flatten)]
    pub global: Global,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// Flags of every command.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Everywhere")]
pub struct Global {
    /// The project's folder
    #[arg(
        short = 'C',
        long = "project",
        value_name = "DIR",
        default_value = ".",
        global = true,
        overrides_with = "project"
    )]
    pub project: PathBuf,
    /// The environment; the project's default one if not given
    #[arg(long = "env", value_name = "NAME", global = true, overrides_with = "environment")]
    pub environment: Option<String>,
    /// Memory to work with, e.g. 2GB or 512MiB; default: the environment's `memory`, else half of the machine's
    #[arg(long, value_name = "SIZE", global = true, overrides_with = "memory")]
    pub memory: Option<Memory>,
    /// Print the answer as JSON on stdout
    #[arg(long, global = true)]
    pub json: bool,
    /// Print nothing but the answer and errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Tell what goes on; twice: in detail (LAKESMITH_LOG=FILTER, LAKESMITH_LOG_FORMAT=json)
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub verbose: u8,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a small project that runs at once
    #[command(after_help = examples::INIT)]
    Init(InitArgs),
    /// Validate the project without touching the lake
    #[command(after_help = examples::CHECK)]
    Check,
    /// Show what `run` would do, and why; writes nothing
    #[command(after_help = examples::PLAN)]
    Plan(PlanArgs),
    /// Take in new files and bring tables up to date
    #[command(after_help = examples::RUN)]
    Run(RunArgs),
    /// Compute silver and gold tables anew and publish each in one commit
    #[command(after_help = examples::REBUILD)]
    Rebuild(RebuildArgs),
    /// Compute a range of event time anew, chunk by chunk
    #[command(after_help = examples::BACKFILL)]
    Backfill(BackfillArgs),
    /// Make few files of many small ones, and bring rows together that are asked for together
    #[command(after_help = examples::OPTIMIZE)]
    Optimize(OptimizeArgs),
    /// Take a table back to an earlier version; the next run does again what came after
    #[command(after_help = examples::RESTORE)]
    Restore(RestoreArgs),
    /// Mend a table's log: a broken checkpoint, a last commit that is empty or cut off, batches that bronze has lost
    #[command(after_help = examples::REPAIR)]
    Repair(RepairArgs),
    /// Show how each table is: version, rows, freshness, how far behind, what is stale
    #[command(after_help = examples::STATUS)]
    Status(SelectArgs),
    /// Show what happened to a table, version by version, the newest first
    #[command(after_help = examples::HISTORY)]
    History(HistoryArgs),
    /// Show what ran: what each run changed, what failed and why; with an id all about one
    #[command(after_help = examples::RUNS)]
    Runs(RunsArgs),
    /// List landing files and what became of them; settle those that are set aside
    #[command(after_help = examples::FILES)]
    Files(FilesArgs),
    /// Print rows of a table, as it is or as it was
    #[command(after_help = examples::SHOW)]
    Show(ShowArgs),
    /// Show how a table differs between two versions, or between two environments
    #[command(after_help = examples::DIFF)]
    Diff(DiffArgs),
    /// Answer a SQL question over all tables (read only)
    #[command(after_help = examples::QUERY)]
    Query(QueryArgs),
    /// Make one page of the project: lineage, contracts, versions, runs, what is stale and why
    #[command(after_help = examples::DOCS)]
    Docs(DocsArgs),
    /// Prove that each table is what its inputs give; writes nothing into the lake
    #[command(after_help = examples::VERIFY)]
    Verify(VerifyArgs),
    /// Print the rows that a silver table refused, with the reasons
    #[command(after_help = examples::QUARANTINE)]
    Quarantine(QuarantineArgs),
    /// Give a version of a table a name, which also keeps it from `vacuum`; without a table: list the pins
    #[command(after_help = examples::PIN)]
    Pin(PinArgs),
    /// Take a pin's name from its version again
    #[command(after_help = examples::UNPIN)]
    Unpin(UnpinArgs),
    /// Delete data files that no version within the retention, no pin and no table needs any more
    #[command(after_help = examples::VACUUM)]
    Vacuum(VacuumArgs),
    /// Print a script that makes a shell complete commands, flags and tables
    #[command(after_help = examples::COMPLETIONS)]
    Completions(CompletionsArgs),
    /// Print the manual page, or write one for each command
    #[command(after_help = examples::MAN)]
    Man(ManArgs),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_shows_examples() {
        fn check(command: &clap::Command, path: &str) {
            for command in command.get_subcommands() {
                let path = format!("{path} {}", command.get_name());
                let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
                assert!(help.contains(&path), "{path}: {help}");
                assert!(help.contains("Examples:"), "{path}: {help}");
                check(command, &path);
            }
        }
        check(&Cli::command(), "lakesmith");
    }
}
