//! What `verify` has found: whether the lake is what its history says it is.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{FileNote, InputVersion, TableDiff};
use crate::name::TableName;

/// What became of the verification of some tables. Serialises as the one JSON object that `--json` prints.
#[derive(Clone, Debug, Serialize)]
pub struct VerifyReport {
    /// the worst of all
    pub status: Proof,
    /// in the project's order
    pub tables: Vec<TableProof>,
    /// the files of the ledger and of the history of runs; only looked at in depth
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lakesmith: Vec<FilesProof>,
}

/// How a verification ended, the better first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// the table is what its inputs give
    Equal,
    /// it has not been made yet
    Missing,
    /// its rows follow another definition than today's
    Stale,
    /// its rows follow two definitions, of which no promise speaks
    Mixed,
    /// what it was made from can no longer be read
    Unverifiable,
    /// it holds other rows than its inputs give
    Different,
    /// a data file is not the one that was written
    Damaged,
    /// it could not be verified: see the error
    Failed,
}

/// What was found of one table.
#[derive(Clone, Debug, Serialize)]
pub struct TableProof {
    /// which
    pub table: TableName,
    /// how it ended
    pub status: Proof,
    /// the version that was looked at; none: there is no table
    pub version: Option<i64>,
    /// of that version
    pub rows: Option<u64>,
    /// from start to end
    pub seconds: f64,
    /// what its rows were computed from anew
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<InputVersion>,
    /// how far it is behind each input: batches of bronze, versions of others. No fault: it is verified where it stands
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub behind: BTreeMap<TableName, i64>,
    /// why it ended so, or what is worth a word
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// why it could not be verified
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// the table against what its inputs give
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diff: Option<TableDiff>,
    /// silver from bronze: where its events went
    #[serde(skip_serializing_if = "Option::is_none")]
    pub events: Option<EventsProof>,
    /// silver from bronze: the rows that it refused
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quarantine: Option<QuarantineProof>,
    /// bronze: against the ledger
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ledger: Option<LedgerProof>,
    /// what was looked at in depth
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deep: Option<DeepProof>,
}

/// Where the events went that a silver table has read (promise I3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct EventsProof {
    /// events of bronze up to the watermark
    pub read: u64,
    /// rows that the table should hold
    pub kept: u64,
    /// events that lost to a later one of the same key
    pub superseded: u64,
    /// events that a `where` dropped
    pub filtered: u64,
    /// events that were refused
    pub quarantined: u64,
}

/// The quarantine of a silver table.
#[derive(Clone, Debug, Serialize)]
pub struct QuarantineProof {
    /// equal or different
    pub status: Proof,
    /// the version that belongs to the table; none: there is no quarantine
    pub version: Option<i64>,
    /// of that version
    pub rows: Option<u64>,
    /// against what the events give, without when and by which run they were refused
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diff: Option<TableDiff>,
}

/// A bronze table against the ledger, and the numbers of its records.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LedgerProof {
    /// files that were taken in, as often as they were
    pub files: u64,
    /// the ledger lacks the batches after this one, which the next run completes
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unlisted_after: Option<i64>,
    /// files of which bronze does not hold what the ledger says, or whose records are not numbered 1, 2, 3, …
    pub faults: Vec<FileNote>,
}

/// What only `--deep` looks at.
#[derive(Clone, Debug, Default, Serialize)]
pub struct DeepProof {
    /// data files of the table and of its quarantine
    pub files: Vec<FilesProof>,
    /// bronze: against the landing folder
    #[serde(skip_serializing_if = "Option::is_none")]
    pub landing: Option<LandingProof>,
}

/// The data files of one Delta table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FilesProof {
    /// within the lake
    pub folder: String,
    /// of the table; none: it cannot be opened
    pub version: Option<i64>,
    /// that were looked at
    pub files: u64,
    /// of these files
    pub bytes: u64,
    /// files of other writers, which noted no BLAKE3: only that they are there was looked at
    pub unhashed: u64,
    /// files that are not the ones that were written
    pub faults: Vec<FileNote>,
    /// what can be done, if a data file is among them
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

/// A bronze table against the landing files that are still there.
#[derive(Clone, Debug, Default, Serialize)]
pub struct LandingProof {
    /// files that are as they were taken in, and whose records were compared
    pub unchanged: u64,
    /// files that are no longer there
    pub gone: u64,
    /// why nothing could be compared
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// files that have changed since, or of which nothing can be told: no fault
    pub changed: Vec<FileNote>,
    /// files that are as they were taken in and can no longer be read
    pub faults: Vec<FileNote>,
    /// records that were compared
    pub records: u64,
    /// the records of bronze against those of the files
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diff: Option<TableDiff>,
}

impl VerifyReport {
    /// The report of these tables.
    pub fn new(tables: Vec<TableProof>, lakesmith: Vec<FilesProof>) -> Self {
        let damaged = lakesmith.iter().any(|files| !files.faults.is_empty()).then_some(Proof::Damaged);
        let status = tables.iter().map(|table| table.status).chain(damaged).max().unwrap_or(Proof::Equal);
        VerifyReport { status, tables, lakesmith }
    }

    /// 1 when something is different, damaged or could not be looked at; 0 otherwise, also where nothing could be
    /// proved.
    pub fn exit_code(&self) -> u8 {
        u8::from(self.status >= Proof::Different)
    }
}

impl TableProof {
    /// A proof without anything to show.
    pub fn new(table: TableName, status: Proof, note: Option<String>) -> Self {
        TableProof {
            table,
            status,
            version: None,
            rows: None,
            seconds: 0.0,
            inputs: Vec::new(),
            behind: BTreeMap::new(),
            note,
            error: None,
            diff: None,
            events: None,
            quarantine: None,
            ledger: None,
            deep: None,
        }
    }
}

impl Proof {
    /// The word that JSON and tables show.
    pub fn as_str(self) -> &'static str {
        match self {
            Proof::Equal => "equal",
            Proof::Missing => "missing",
            Proof::Stale => "stale",
            Proof::Mixed => "mixed",
            Proof::Unverifiable => "unverifiable",
            Proof::Different => "different",
            Proof::Damaged => "damaged",
            Proof::Failed => "failed",
        }
    }
}

impl DeepProof {
    /// Whether something of it is no longer what was written.
    pub fn is_damaged(&self) -> bool {
        self.files.iter().any(|files| !files.faults.is_empty())
    }

    /// Whether that is a data file: no rows of it can be trusted.
    pub fn has_damaged_data(&self) -> bool {
        self.files.iter().any(|files| files.remedy.is_some())
    }
}

impl LandingProof {
    /// Whether bronze holds what the files hold.
    pub fn is_sound(&self) -> bool {
        self.faults.is_empty() && self.diff.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::Layer;

    #[test]
    fn the_worst_table_counts_and_only_a_difference_fails() {
        let proof = |status| TableProof::new(TableName { layer: Layer::Gold, name: "g".into() }, status, None);
        let report = |all: &[Proof]| VerifyReport::new(all.iter().map(|status| proof(*status)).collect(), Vec::new());
        assert_eq!((report(&[]).status, report(&[]).exit_code()), (Proof::Equal, 0));
        for quiet in [Proof::Equal, Proof::Missing, Proof::Stale, Proof::Mixed, Proof::Unverifiable] {
            assert_eq!(report(&[Proof::Equal, quiet]).exit_code(), 0);
        }
        for loud in [Proof::Different, Proof::Damaged, Proof::Failed] {
            let report = report(&[Proof::Unverifiable, loud, Proof::Equal]);
            assert_eq!((report.status, report.exit_code()), (loud, 1));
        }
    }

    #[test]
    fn a_damaged_ledger_fails_too() {
        let faults = vec![FileNote { path: "part.parquet".into(), reason: "it is not there".into() }];
        let ledger = FilesProof {
            folder: "_lakesmith/ledger".into(),
            version: Some(1),
            files: 1,
            bytes: 1,
            unhashed: 0,
            faults,
            remedy: None,
        };
        let report = VerifyReport::new(Vec::new(), vec![ledger]);
        assert_eq!((report.status, report.exit_code()), (Proof::Damaged, 1));
    }
}
