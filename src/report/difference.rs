//! How the rows of a table differ between two of its versions, or between a version and what would be published.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::value::{Cell, Row};

/// How the rows of a table differ between two sides. Serialises as one JSON object.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TableDiff {
    /// e.g. `silver.orders`
    pub table: String,
    /// the earlier side
    pub from: DiffSide,
    /// the later side
    pub to: DiffSide,
    /// by which rows are told apart; empty: rows are compared as multisets, and none is `changed`
    pub key: Vec<String>,
    /// columns whose values are not compared: where a row came from
    pub left_out: Vec<String>,
    /// what is to be said of the comparison, e.g. why there is no key
    pub note: Option<String>,
    /// how many
    pub rows: DiffRows,
    /// the columns of either side but those left out, in order
    pub columns: Vec<ColumnDiff>,
    /// sums of the numeric columns but the key's and those that say where a row came from
    pub totals: Vec<Total>,
    /// some of the rows that differ, the least by key; without a key by all columns
    pub sample: Vec<RowChange>,
    /// what was read to tell
    pub read: DiffRead,
}

/// One side of a difference.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct DiffSide {
    /// Delta's; none: there is no table, or its rows are not published
    pub version: Option<i64>,
    /// when that was committed
    pub at: Option<DateTime<Utc>>,
    /// where the table lies, if the sides lie in two environments
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
}

/// Numbers of rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DiffRows {
    /// of the earlier side
    pub before: u64,
    /// of the later side
    pub after: u64,
    /// on the later side alone
    pub added: u64,
    /// on the earlier side alone
    pub removed: u64,
    /// on both sides by their key, with other values
    pub changed: u64,
}

/// How a column differs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ColumnDiff {
    /// which
    pub name: String,
    /// in how many changed rows its value is another
    pub changed: u64,
    /// the type on the earlier side; none: there is no such column, and every value counts as NULL
    pub was: Option<String>,
    /// the type on the later side; none as above
    pub is: Option<String>,
    /// false where the types are such that values cannot be compared
    pub compared: bool,
}

/// The sum of a numeric column. Decimals and integers are numbers in JSON up to 15 digits, else texts, so that no digit
/// is lost.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Total {
    /// the column
    pub name: String,
    /// of all rows of the earlier side, if that was asked for
    pub before: Option<Cell>,
    /// of all rows of the later side, if that was asked for
    pub after: Option<Cell>,
    /// after less before; none if the sum is too large or the column is not on both sides with comparable types
    pub difference: Option<Cell>,
    /// whether the two are the same, doubles within the tolerance of a comparison
    #[serde(skip)]
    pub same: bool,
}

/// What became of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// it has other values
    Changed,
    /// it is new
    Added,
    /// it is no more
    Removed,
}

/// A row that differs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RowChange {
    /// how
    pub change: Change,
    /// the columns in which it differs, if it has changed
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
    /// the row as it was, without what is left out
    pub before: Option<Row>,
    /// the row as it is afterwards
    pub after: Option<Row>,
}

/// What was read to tell a difference, and of how much: the files of both sides, each once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DiffRead {
    /// files that were read
    pub files: usize,
    /// of so many
    pub of_files: usize,
    /// the size of the files that were read
    pub bytes: u64,
    /// of so many
    pub of_bytes: u64,
}

impl TableDiff {
    /// Whether rows or columns differ.
    pub fn differs(&self) -> bool {
        let DiffRows { added, removed, changed, .. } = self.rows;
        added + removed + changed > 0 || self.columns.iter().any(|column| column.was != column.is)
    }

    /// The columns that have other values, came, went or have another type.
    pub fn changed_columns(&self) -> impl Iterator<Item = &ColumnDiff> {
        self.columns.iter().filter(|column| column.changed > 0 || column.was != column.is)
    }
}

impl Change {
    /// The word that JSON and tables show.
    pub fn as_str(self) -> &'static str {
        match self {
            Change::Changed => "changed",
            Change::Added => "added",
            Change::Removed => "removed",
        }
    }
}
