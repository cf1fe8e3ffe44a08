//! What is wrong with a table's log, and what a repair did about it.

use serde::Serialize;

/// What a repair found and did, or would do. Serialises as the one JSON object that `--json` prints.
#[derive(Clone, Debug, Serialize)]
pub struct RepairReport {
    /// `silver.orders`, `quarantine.orders`, `lakesmith.ledger`
    pub table: String,
    /// how the table is now; in a dry run: how it would be
    pub status: Repaired,
    /// nothing was written
    pub dry_run: bool,
    /// the newest version that can be read now; none: there is no table
    pub version: Option<i64>,
    /// what is wrong, or was
    pub faults: Vec<MendedFault>,
    /// what a commit did is taken back, or would be
    pub takes_back: bool,
    /// bronze: batches that are gone
    pub lost: Option<LostBatches>,
    /// what it means for this table and those below, and what to do next
    pub notes: Vec<String>,
    /// why something could not be done
    pub error: Option<String>,
}

/// How a table's log is after a repair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Repaired {
    /// nothing was wrong
    Sound,
    /// all that keeps the table from being read and written was mended
    Mended,
    /// something is left that only a copy can bring back
    Damaged,
}

/// Something that was wrong.
#[derive(Clone, Debug, Serialize)]
pub struct MendedFault {
    /// names in `_delta_log`
    pub files: Vec<String>,
    /// what is wrong with them
    pub what: String,
    /// what is done about it
    pub remedy: String,
    /// whether it was done
    pub mended: bool,
}

/// Batches that a bronze table no longer has.
#[derive(Clone, Debug, Serialize)]
pub struct LostBatches {
    /// the last that it still has
    pub after: i64,
    /// the number that they stop short of
    pub before: i64,
    /// whose records were in them
    pub files: Vec<LostFile>,
}

/// A file whose records bronze has lost.
#[derive(Clone, Debug, Serialize)]
pub struct LostFile {
    /// within the landing folder
    pub path: String,
    /// its records
    pub rows: Option<i64>,
    /// it is still there, and the next run takes it in
    pub in_landing: bool,
}
