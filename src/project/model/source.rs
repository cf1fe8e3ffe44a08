//! What a bronze table is read from.

use std::time::Duration;

use serde::Serialize;

/// What a bronze table is read from.
#[derive(Clone, Debug)]
pub struct Source {
    /// Glob within the landing folder, e.g. `orders/*.csv`
    pub path: String,
    /// what the files are
    pub format: Format,
    /// what happens when a file that was taken in has other bytes now
    pub changed_files: ChangedFiles,
    /// what happens when a new file has the bytes of one that was taken in
    pub same_content: SameContent,
    /// files younger than this are left for the next run
    pub settle: Duration,
    /// how much of a file is taken for data
    pub limits: Limits,
}

/// What lies beyond is no data but a mistake or a bomb: the file is set aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// bytes of a record of text, its line end included
    pub line: u64,
    /// bytes of a file once it is unpacked, of a Parquet file those of its values
    pub size: u64,
    /// bytes that one byte of a packed file may become
    pub ratio: u64,
    /// columns of the table
    pub columns: u64,
}

impl Limits {
    /// None at all.
    pub const NONE: Limits = Limits { line: u64::MAX, size: u64::MAX, ratio: u64::MAX, columns: u64::MAX };
}

impl Default for Limits {
    fn default() -> Self {
        Limits { line: 64 << 20, size: 100_000_000_000, ratio: 200, columns: 10_000 }
    }
}

/// The format of a source's files; `.gz` and `.zst` on top are seen by their name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Format {
    /// delimited text
    Csv(CsvOptions),
    /// one JSON document a line
    Ndjson,
    /// Apache Parquet
    Parquet,
}

/// `csv:` of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CsvOptions {
    /// one ASCII byte
    pub delimiter: u8,
    /// one ASCII byte, or none: quotes are text like any other
    pub quote: Option<u8>,
    /// whether the first record names the columns; without it they are `column_1`, `column_2`, …
    pub header: bool,
    /// WHATWG label, e.g. `utf-8`, `windows-1252`, `utf-16le`
    pub encoding: String,
    /// unquoted-or-quoted texts that silver reads as NULL, beside the empty one; bronze keeps them as they are
    pub null_values: Vec<String>,
}

/// What happens when a file that was taken in has other bytes now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangedFiles {
    /// it is set aside
    Reject,
    /// all of it is taken in again, in a new batch
    NewVersion,
}

/// What happens when a new file has the bytes of one that was taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SameContent {
    /// it is taken in like any other
    Take,
    /// it is noted in the ledger and not taken in
    Skip,
}
