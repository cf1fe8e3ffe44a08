//! What the commands take that only look.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::Serialize;

/// Commands over some tables.
#[derive(Debug, Args)]
pub struct SelectArgs {
    /// Tables: silver.orders, silver, gold.*, +gold.revenue (with all above), bronze.orders+ (with all below); none: all
    #[arg(value_name = "SELECT")]
    pub select: Vec<String>,
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("at least 1".to_owned()),
        Ok(limit) => Ok(limit),
        Err(_) => Err("a whole number, 1 or more".to_owned()),
    }
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

/// `history`
#[derive(Debug, Args)]
pub struct HistoryArgs {
    /// The table, e.g. silver.orders
    pub table: String,
    /// At most so many versions
    #[arg(short = 'n', long, value_name = "N", default_value_t = 20, value_parser = at_least_one)]
    pub limit: usize,
}

/// `runs`
#[derive(Debug, Args)]
pub struct RunsArgs {
    /// All about this run; the beginning of its id is enough
    #[arg(value_name = "RUN_ID", conflicts_with_all = ["table", "failed", "since"])]
    pub run_id: Option<String>,
    /// At most so many runs
    #[arg(short = 'n', long, value_name = "N", default_value_t = 20, value_parser = at_least_one)]
    pub limit: usize,
    /// Only runs that did something to this table, and only that
    #[arg(long, value_name = "TABLE")]
    pub table: Option<String>,
    /// Only runs in which something failed
    #[arg(long)]
    pub failed: bool,
    /// Only runs that began then or later: 7d, 36h, 2026-11-01, 2026-11-01T06:00:00Z
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
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

/// `docs`
#[derive(Debug, Args)]
pub struct DocsArgs {
    /// The folder that gets the page, index.html; made if it is not there; default: `site` in the project's folder
    #[arg(short, long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Show the page to browsers of this machine instead, made anew at each reload, until Ctrl-C; default:
    /// 127.0.0.1:4747, or another port if that one is taken
    #[arg(long, value_name = "ADDR", num_args = 0..=1, default_missing_value = "")]
    pub serve: Option<String>,
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

/// `completions`
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// bash, zsh or fish
    #[arg(value_enum, hide_possible_values = true)]
    pub shell: Shells,
}

/// Shells that can be taught.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Shells {
    /// GNU bash, version 4 or later
    Bash,
    /// Z shell
    Zsh,
    /// fish
    Fish,
}

/// `man`
#[derive(Debug, Args)]
pub struct ManArgs {
    /// Write lakesmith.1, lakesmith-run.1, … into this folder, which is made if it is not there
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}
