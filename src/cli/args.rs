//! What the user said.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use serde::Serialize;

use super::examples;
use crate::memory::Memory;
use crate::plan::Chunk;

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
    /// Show how each table is: version, rows, freshness, how far behind, what is stale
    #[command(after_help = examples::STATUS)]
    Status(SelectArgs),
    /// Show what happened to a table, version by version, the newest first
    #[command(after_help = examples::HISTORY)]
    History(HistoryArgs),
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
}

/// `init`
#[derive(Debug, Args)]
pub struct InitArgs {
    /// Where to write it; made if it is not there
    pub dir: PathBuf,
}

/// Commands over some tables.
#[derive(Debug, Args)]
pub struct SelectArgs {
    /// Tables: silver.orders, silver, gold.*, +gold.revenue (with all above), bronze.orders+ (with all below); none: all
    #[arg(value_name = "SELECT")]
    pub select: Vec<String>,
}

/// `plan`
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// What to plan
    #[command(flatten)]
    pub select: SelectArgs,
    /// Do it beside the lake, new files included, and show how the tables would differ
    #[arg(long)]
    pub diff: bool,
    /// With --diff: tables at work at once; default: the number of cores
    #[arg(short, long, value_name = "N", requires = "diff", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
}

/// `run`
#[derive(Debug, Args)]
pub struct RunArgs {
    /// What to run
    #[command(flatten)]
    pub select: SelectArgs,
    /// Do it even where the guard would stop a table that loses too many rows
    #[arg(short, long)]
    pub yes: bool,
    /// Tables at work at once; default: the number of cores
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
    /// Load a long history by ranges
    #[command(flatten)]
    pub range: RangeArgs,
}

/// `rebuild`
#[derive(Debug, Args)]
pub struct RebuildArgs {
    /// Tables: silver.orders, silver.orders+ (with all below), gold
    #[arg(value_name = "SELECT", required = true)]
    pub select: Vec<String>,
    /// Read a bronze table as it was, e.g. bronze.orders@12 or bronze.orders@2026-11-01T00:00:00Z; the next run goes on
    /// from there; may be repeated
    #[arg(long, value_name = "TABLE@VERSION")]
    pub from: Vec<String>,
    /// Compute beside the lake, show how the tables would differ, publish nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask, and do it even where the guard would stop a table that loses too many rows
    #[arg(short, long)]
    pub yes: bool,
    /// Tables at work at once; default: the number of cores
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
}

/// `backfill`
#[derive(Debug, Args)]
pub struct BackfillArgs {
    /// Tables with an event_time: silver.orders, silver.orders+ (what is made from it follows), silver
    #[arg(value_name = "SELECT", required = true)]
    pub select: Vec<String>,
    /// The first event time: a date or a time, in the project's time zone unless it names one
    #[arg(long, value_name = "TIME")]
    pub from: String,
    /// The first event time beyond
    #[arg(long, value_name = "TIME")]
    pub to: String,
    /// Commit piece by piece, each so long, e.g. 1d, 2w, 1mo; not given: all at once
    #[arg(long, value_name = "LENGTH")]
    pub chunk: Option<Chunk>,
    /// Compute beside the lake, show how the tables would differ, publish nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask, and let tables lose more rows than their guard allows
    #[arg(short, long)]
    pub yes: bool,
    /// Tables at work at once in what follows; default: the number of cores
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
}

/// `optimize`
#[derive(Debug, Args)]
pub struct OptimizeArgs {
    /// What to optimize
    #[command(flatten)]
    pub select: SelectArgs,
    /// Bring rows together that are near one another in all of these columns; default: those of the table's `optimize`
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    pub z_order: Option<Vec<String>>,
    /// Tables at work at once; default: the number of cores
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
}

/// A range of event time that a run is to load.
#[derive(Debug, Args)]
pub struct RangeArgs {
    /// Load silver tables that are not complete yet by ranges: the first event time
    #[arg(long, value_name = "TIME", requires = "to")]
    pub from: Option<String>,
    /// The first event time beyond the range
    #[arg(long, value_name = "TIME", requires = "from")]
    pub to: Option<String>,
    /// Commit such a table piece by piece, each so long, e.g. 1d, 2w, 1mo
    #[arg(long, value_name = "LENGTH", requires = "from")]
    pub chunk: Option<Chunk>,
}

/// `restore`
#[derive(Debug, Args)]
pub struct RestoreArgs {
    /// A silver or gold table at a version: silver.orders@3 or silver.orders@2026-11-01T00:00:00Z; with a `+` behind it
    /// also what is made from the table
    #[arg(value_name = "TABLE@VERSION")]
    pub table: String,
    /// Each table below goes back to its version that was made from the one that comes back
    #[arg(value_name = "+", value_parser = ["+"], hide_possible_values = true)]
    pub below: Option<String>,
    /// Runs leave the table there until --release or a rebuild
    #[arg(long, conflicts_with = "release")]
    pub hold: bool,
    /// Let runs go on with the table as it is
    #[arg(long, conflicts_with = "dry_run")]
    pub release: bool,
    /// Show what would be done; writes nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
}

/// `history`
#[derive(Debug, Args)]
pub struct HistoryArgs {
    /// The table, e.g. silver.orders
    pub table: String,
    /// At most so many versions
    #[arg(short = 'n', long, value_name = "N", default_value_t = 20)]
    pub limit: usize,
}

/// `files`
#[derive(Debug, Args)]
pub struct FilesArgs {
    /// Bronze tables; none: all
    #[arg(value_name = "SELECT")]
    pub select: Vec<String>,
    /// Only files in this state: new, taken, set_aside, ignored, skipped or left; may be repeated
    #[arg(long, value_name = "STATE", value_enum, hide_possible_values = true)]
    pub state: Vec<FileState>,
    /// Settle a file that is set aside: runs do not name it again until it changes; may be repeated
    #[arg(long, value_name = "PATH")]
    pub ignore: Vec<String>,
}

/// What became of a landing file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
#[value(rename_all = "snake_case")]
pub enum FileState {
    /// the next run looks at it
    New,
    /// its records are in bronze
    Taken,
    /// it cannot be taken as it is
    SetAside,
    /// it was set aside and the user settled it
    Ignored,
    /// its bytes were taken under another name
    Skipped,
    /// not now: younger than `settle`, or still being written
    Left,
}

impl FileState {
    /// As it is printed.
    pub fn as_str(self) -> &'static str {
        match self {
            FileState::New => "new",
            FileState::Taken => "taken",
            FileState::SetAside => "set_aside",
            FileState::Ignored => "ignored",
            FileState::Skipped => "skipped",
            FileState::Left => "left",
        }
    }
}

/// `show`
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// A table; TABLE@3 is its version 3, TABLE@2026-11-01T00:00:00Z its version of that time, TABLE@NAME a pinned one
    pub table: String,
    /// How many, and how
    #[command(flatten)]
    pub rows: RowsArgs,
}

/// `diff`
#[derive(Debug, Args)]
pub struct DiffArgs {
    /// A table, as it was: silver.orders@3, or silver.orders@2026-11-01T00:00:00Z; also quarantine.orders
    pub from: String,
    /// The same table later: silver.orders@5, or @5; not given: as it is. Or another environment, to compare with the
    /// table there
    pub to: Option<String>,
    /// Of the rows that differ show at most so many changed, added and removed ones each
    #[arg(short = 'n', long, value_name = "N", default_value_t = 10)]
    pub limit: usize,
    /// Sum the numeric columns of both versions, for which all of their files are read
    #[arg(long)]
    pub totals: bool,
    /// Exit with 1 if there is a difference
    #[arg(long)]
    pub exit_code: bool,
}

/// `query`
#[derive(Debug, Args)]
pub struct QueryArgs {
    /// One SELECT statement. Tables: bronze.*, silver.*, gold.*, quarantine.*, lakesmith.ledger, lakesmith.runs; of a
    /// version: silver."orders@3"
    pub sql: String,
    /// How to print the rows: table, csv or json
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::Table, hide_possible_values = true)]
    pub format: Format,
}

/// `verify`
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// What to verify
    #[command(flatten)]
    pub select: SelectArgs,
    /// Read every data file too and compare its hash, and bronze with the landing files that are still there
    #[arg(long)]
    pub deep: bool,
}

/// `quarantine`
#[derive(Debug, Args)]
pub struct QuarantineArgs {
    /// A silver table
    pub table: String,
    /// How many, and how
    #[command(flatten)]
    pub rows: RowsArgs,
}

/// `pin`
#[derive(Debug, Args)]
pub struct PinArgs {
    /// A version of a table: silver.orders@12; silver.orders is its newest
    #[arg(value_name = "TABLE[@VERSION]", requires = "name")]
    pub table: Option<String>,
    /// The name: a letter, then letters, digits, `-`, `_` and `.`
    #[arg(long = "as", value_name = "NAME", requires = "table")]
    pub name: Option<String>,
}

/// `unpin`
#[derive(Debug, Args)]
pub struct UnpinArgs {
    /// The table, e.g. silver.orders
    pub table: String,
    /// The pin's name
    pub name: String,
}

/// `vacuum`
#[derive(Debug, Args)]
pub struct VacuumArgs {
    /// Tables, a silver one with its quarantine; none: all, and the ledger and the history of runs
    #[command(flatten)]
    pub select: SelectArgs,
    /// Keep versions that were the newest one in the last 30d, 36h, …; default: what each table's
    /// delta.deletedFileRetentionDuration says (30 days)
    #[arg(long, value_name = "SPAN", value_parser = span)]
    pub retain: Option<Duration>,
    /// Show what would be deleted; delete nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Allow a retention of less than 7 days
    #[arg(long)]
    pub force: bool,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
}

fn span(text: &str) -> Result<Duration, String> {
    crate::project::span(text).ok_or_else(|| "a whole number and s, m, h, d or w, e.g. 30d".to_string())
}

/// Commands that print some rows.
#[derive(Debug, Args)]
pub struct RowsArgs {
    /// At most so many rows, in no particular order
    #[arg(short = 'n', long, value_name = "N", default_value_t = 20)]
    pub limit: usize,
    /// How to print them: table, csv or json
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::Table, hide_possible_values = true)]
    pub format: Format,
}

/// How rows are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// for people
    Table,
    /// RFC 4180, with a header
    Csv,
    /// an array of objects
    Json,
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
        for command in Cli::command().get_subcommands() {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains(&format!("lakesmith {}", command.get_name())), "{}: {help}", command.get_name());
        }
    }
}
