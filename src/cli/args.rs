//! What the user said.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Keeps a medallion lakehouse on Delta Lake: files in, bronze, silver, gold out.
#[derive(Debug, Parser)]
#[command(name = "lakesmith", version, propagate_version = true, arg_required_else_help = true, max_term_width = 100)]
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
pub struct Global {
    /// The project's folder
    #[arg(short = 'C', long = "project", value_name = "DIR", default_value = ".", global = true)]
    pub project: PathBuf,
    /// The environment; the project's default one if not given
    #[arg(long = "env", value_name = "NAME", global = true)]
    pub environment: Option<String>,
    /// Print one JSON object on stdout
    #[arg(long, global = true)]
    pub json: bool,
    /// Print nothing but the answer and errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Tell what goes on; twice: in detail (LAKESMITH_LOG filters by module, LAKESMITH_LOG_FORMAT=json)
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub verbose: u8,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a small project that runs at once
    Init(InitArgs),
    /// Validate the project without touching the lake
    Check,
    /// Show what `run` would do, and why; writes nothing
    Plan(SelectArgs),
    /// Take in new files and bring tables up to date
    Run(RunArgs),
    /// Compute silver and gold tables anew and publish each in one commit
    Rebuild(RebuildArgs),
    /// Show how each table is: version, rows, freshness, lag, what is stale
    Status(SelectArgs),
    /// Show what happened to a table, version by version
    History(HistoryArgs),
    /// List landing files and what became of them; settle those that are set aside
    Files(FilesArgs),
    /// Print rows of a table, as it is or as it was: silver.orders, silver.orders@3, silver.orders@2026-11-01T00:00:00Z
    Show(ShowArgs),
    /// Answer a SQL question over all tables (read only), e.g. "SELECT count(*) FROM silver.orders"
    Query(QueryArgs),
    /// Print the rows that a silver table refused, with the reasons
    Quarantine(QuarantineArgs),
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
    /// Tables: silver.orders, silver, +gold.daily_revenue (with all above), bronze.orders+ (with all below); none: all
    #[arg(value_name = "SELECT")]
    pub select: Vec<String>,
}

/// `run`
#[derive(Debug, Args)]
pub struct RunArgs {
    /// What to run
    #[command(flatten)]
    pub select: SelectArgs,
    /// Tables at work at once; default: the number of cores
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
}

/// `rebuild`
#[derive(Debug, Args)]
pub struct RebuildArgs {
    /// Tables: silver.orders, silver.orders+ (with all below), gold
    #[arg(value_name = "SELECT", required = true)]
    pub select: Vec<String>,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
    /// Tables at work at once; default: the number of cores
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
}

/// `history`
#[derive(Debug, Args)]
pub struct HistoryArgs {
    /// The table, e.g. silver.orders
    pub table: String,
    /// The newest so many versions
    #[arg(short = 'n', long, default_value_t = 20)]
    pub limit: usize,
}

/// `files`
#[derive(Debug, Args)]
pub struct FilesArgs {
    /// Bronze tables; none: all
    #[arg(value_name = "SELECT")]
    pub select: Vec<String>,
    /// Settle a file that is set aside: runs do not name it again until it changes
    #[arg(long, value_name = "PATH")]
    pub ignore: Vec<String>,
}

/// `show`
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// A table, or TABLE@VERSION, or TABLE@TIME
    pub table: String,
    /// At most so many rows
    #[arg(short = 'n', long, default_value_t = 20)]
    pub limit: usize,
    /// How to print them
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
}

/// `query`
#[derive(Debug, Args)]
pub struct QueryArgs {
    /// One SELECT statement. Tables: bronze.*, silver.*, gold.*, quarantine.*, lakesmith.ledger, lakesmith.runs; of a
    /// version: silver."orders@3"
    pub sql: String,
    /// How to print the rows
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
}

/// `quarantine`
#[derive(Debug, Args)]
pub struct QuarantineArgs {
    /// A silver table
    pub table: String,
    /// At most so many rows
    #[arg(short = 'n', long, default_value_t = 20)]
    pub limit: usize,
    /// How to print them
    #[arg(long, value_enum, default_value_t = Format::Table)]
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
