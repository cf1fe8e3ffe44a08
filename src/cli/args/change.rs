//! What the commands take that change something.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::SelectArgs;
use crate::plan::Chunk;

/// `init`
#[derive(Debug, Args)]
pub struct InitArgs {
    /// Where to write it; made if it is not there
    pub dir: PathBuf,
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

/// `repair`
#[derive(Debug, Args)]
pub struct RepairArgs {
    /// The table; also quarantine.NAME, lakesmith.ledger or lakesmith.runs
    #[arg(value_name = "TABLE")]
    pub table: String,
    /// Show what is wrong and what would be done; writes nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
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
