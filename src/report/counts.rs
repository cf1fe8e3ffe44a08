//! Where each row went.

use serde::{Deserialize, Serialize};

/// What became of the rows that a task read. For silver from bronze,
/// `read = inserted + updated + unchanged + superseded + filtered + quarantined` (promise I3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowCounts {
    /// rows of the input that were looked at
    pub read: u64,
    /// new in the table
    pub inserted: u64,
    /// replaced a row of the same key
    pub updated: u64,
    /// equal to what is there
    pub unchanged: u64,
    /// lost to a later row of the same key
    pub superseded: u64,
    /// dropped by a `where`
    pub filtered: u64,
    /// refused, with reasons, in the quarantine
    pub quarantined: u64,
    /// taken out of the table
    pub deleted: u64,
}

impl RowCounts {
    /// Whether every event that was read is accounted for (I3).
    pub fn adds_up(&self) -> bool {
        self.read == self.inserted + self.updated + self.unchanged + self.superseded + self.filtered + self.quarantined
    }

    /// Whether the table's rows differ afterwards.
    pub fn changes(&self) -> bool {
        self.inserted + self.updated + self.deleted > 0
    }
}
