//! What a backfill did, chunk by chunk.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::RowCounts;

/// What a backfill did with one chunk of a table.
#[derive(Clone, Debug, Serialize)]
pub struct ChunkReport {
    /// the first time within
    pub from: DateTime<Utc>,
    /// the first time beyond
    pub to: DateTime<Utc>,
    /// how it ended
    pub status: ChunkStatus,
    /// the table's version afterwards; none: it was not looked at
    pub version: Option<i64>,
    /// what became of the rows
    pub rows: RowCounts,
    /// from start to end
    pub seconds: f64,
}

/// How a chunk ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ChunkStatus {
    /// the table or its quarantine is another now
    Succeeded,
    /// all was as it should be
    Unchanged,
    /// an earlier backfill of the same request did it
    Skipped,
    /// see the table's error
    Failed,
}

impl ChunkStatus {
    /// The word that JSON and tables show.
    pub fn as_str(self) -> &'static str {
        match self {
            ChunkStatus::Succeeded => "succeeded",
            ChunkStatus::Unchanged => "unchanged",
            ChunkStatus::Skipped => "skipped",
            ChunkStatus::Failed => "failed",
        }
    }
}

impl std::ops::AddAssign for RowCounts {
    fn add_assign(&mut self, more: Self) {
        self.read += more.read;
        self.inserted += more.inserted;
        self.updated += more.updated;
        self.unchanged += more.unchanged;
        self.superseded += more.superseded;
        self.filtered += more.filtered;
        self.quarantined += more.quarantined;
        self.deleted += more.deleted;
    }
}
