//! What a plan needs to know of the lake, as plain data.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::name::TableName;

/// One table of the lake as it is at one version.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TableState {
    /// Delta's version
    pub version: i64,
    /// Delta's table id; another id is another table
    pub id: String,
    /// hash of the definition that its rows follow
    pub definition: Option<String>,
    /// hashes of definitions that it followed before
    pub left: Vec<String>,
    /// some rows follow an earlier definition (`forward_only`, backfill)
    pub mixed: bool,
    /// the id of each input as it was read last
    pub inputs: BTreeMap<TableName, String>,
    /// how far it has got in each input, by the input's id: the batch of a bronze input, the version of another
    pub watermarks: BTreeMap<String, i64>,
    /// a number that tells the version from another of its number, should commits have been lost
    pub mark: Option<i64>,
    /// the marks of the versions that the watermarks name, by the input's id
    pub read: BTreeMap<String, i64>,
    /// bronze: batches that were lost, as `repair` has noted
    pub lost: Vec<Gap>,
    /// silver: rows that it refused are gone: why, and what to do
    pub lost_refusals: Option<String>,
    /// runs leave it as it is
    pub hold: Option<Hold>,
    /// bronze: the last batch
    pub batch: Option<i64>,
    /// by its files' statistics
    pub rows: Option<u64>,
    /// its data files
    pub files: usize,
    /// of its data files
    pub bytes: u64,
}

impl TableState {
    /// The place that a reader of this table gets to when it reads all of it: the batch of bronze, else the version.
    pub fn position(&self) -> i64 {
        self.batch.unwrap_or(self.version)
    }

    /// The lost batches that a reader with this watermark has read some of: it read each batch up to there, so what it
    /// has got is no longer what is there.
    pub fn lost_under(&self, watermark: i64) -> Option<Gap> {
        self.lost.iter().copied().find(|gap| gap.after < watermark && watermark < gap.before)
    }

    /// Whether the version that a reader has got to, which has the number of this one, is another: commits of this table
    /// were lost, and others came in their place.
    pub fn is_other_than(&self, reader: &TableState) -> bool {
        let read = reader.read.get(&self.id);
        self.batch.is_none() && self.mark.zip(read.copied()).is_some_and(|(mark, read)| mark != read)
    }
}

/// Batches that a bronze table had and has no more. No batch gets their numbers again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// the batch before them
    pub after: i64,
    /// the number after them
    pub before: i64,
}

/// That runs leave a table as it is, and since when; a table property, as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// the run that set it
    pub run_id: String,
    /// when
    pub at: DateTime<Utc>,
    /// the version that the table went back to
    pub version: i64,
}

impl Hold {
    /// Why a run leaves `table` alone, and what to do about it.
    pub fn reason(&self, table: &TableName) -> String {
        let at = self.at.format("%Y-%m-%d %H:%M:%SZ");
        format!("held at version {} since {at}; to let runs go on: lakesmith restore {table} --release", self.version)
    }
}

/// The tables that exist; a missing one has not been made yet.
pub type LakeState = BTreeMap<TableName, TableState>;
