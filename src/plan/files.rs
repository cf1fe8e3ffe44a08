//! Which landing files a bronze table takes in, decided from the listing and the ledger alone.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::bronze::FileStat;
use crate::project::{ChangedFiles, SameContent, Source};

/// One line of the ledger: what became of a file with these bytes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LedgerEntry {
    /// counts up within a bronze table; of two lines about a path the greater holds
    pub entry: i64,
    /// relative to the landing folder
    pub path: String,
    /// in bytes
    pub size: i64,
    /// modification time, ns since 1970
    pub mtime_ns: i64,
    /// of the bytes as stored; none if they could not be read to the end
    pub blake3: Option<String>,
    /// the batch that holds its records
    pub batch: Option<i64>,
    /// its records
    pub rows: Option<i64>,
    /// of these, kept as raw text
    pub malformed: Option<i64>,
    /// what became of it
    pub state: FileState,
    /// why it is not taken
    pub reason: Option<String>,
}

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FileState {
    /// its records are in bronze
    Taken,
    /// it cannot be taken as it is; named by each run until it changes
    SetAside,
    /// its bytes were taken under another name (`same_content: skip`)
    Skipped,
    /// the user settled it by `files --ignore`
    Ignored,
}

impl FileState {
    /// As the ledger writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            FileState::Taken => "taken",
            FileState::SetAside => "set_aside",
            FileState::Skipped => "skipped",
            FileState::Ignored => "ignored",
        }
    }

    /// As the ledger writes it.
    pub fn parse(text: &str) -> Option<Self> {
        [FileState::Taken, FileState::SetAside, FileState::Skipped, FileState::Ignored]
            .into_iter()
            .find(|s| s.as_str() == text)
    }
}

/// The ledger of one bronze table, as far as decisions need it.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// the line that holds, by path
    pub last: BTreeMap<String, LedgerEntry>,
    /// the bytes that were taken last, by path; `None` where nobody knows any more which these were
    taken: BTreeMap<String, Option<String>>,
    contents: BTreeSet<String>,
    /// the greatest batch and entry in it
    pub batch: i64,
    /// see `batch`
    pub entry: i64,
}

impl Ledger {
    /// Reads the lines of one table, in any order.
    pub fn new(mut entries: Vec<LedgerEntry>) -> Self {
        entries.sort_by_key(|e| e.entry);
        let mut ledger = Ledger::default();
        for e in entries {
            ledger.entry = ledger.entry.max(e.entry);
            ledger.batch = ledger.batch.max(e.batch.unwrap_or(0));
            if e.state == FileState::Taken {
                ledger.taken.insert(e.path.clone(), e.blake3.clone());
                ledger.contents.extend(e.blake3.clone());
            }
            ledger.last.insert(e.path.clone(), e);
        }
        ledger
    }

    /// Whether these bytes were taken in, under any name.
    pub fn has_content(&self, blake3: &str) -> bool {
        self.contents.contains(blake3)
    }
}

/// What is to be done with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// nothing: the ledger knows it as it is
    Known,
    /// it was set aside as it is, for this reason
    StillAside(String),
    /// leave it for the next run, for this reason
    Left(String),
    /// read it
    Take,
    /// only its bytes can tell: hash them and ask [`compare`]
    Hash,
    /// note it as skipped: the same bytes were taken under another name
    Skip,
    /// set it aside, for this reason
    SetAside(String),
}

/// Judges a file by its stat.
pub fn judge(file: &FileStat, ledger: &Ledger, source: &Source, now: DateTime<Utc>) -> Verdict {
    match ledger.last.get(&file.path) {
        Some(last) if u64::try_from(last.size) == Ok(file.size) && last.mtime_ns == file.mtime_ns => known(last),
        _ if is_young(file, source, now) => {
            Verdict::Left(format!("younger than `settle: {}s`", source.settle.as_secs()))
        }
        None if source.same_content == SameContent::Take => Verdict::Take,
        _ => Verdict::Hash,
    }
}

/// Judges a file whose stat could not tell, by its bytes.
pub fn compare(file: &FileStat, blake3: &str, ledger: &Ledger, source: &Source) -> Verdict {
    let last = ledger.last.get(&file.path);
    match (last, ledger.taken.get(&file.path)) {
        (_, Some(Some(taken))) if taken == blake3 => Verdict::Known,
        (Some(last), _) if last.blake3.as_deref() == Some(blake3) => known(last),
        (_, Some(None)) if source.changed_files == ChangedFiles::Reject => Verdict::SetAside(
            "a file of this name was taken in, but which bytes it had is known no more (the ledger was made from \
             bronze's rows while it was away), and `changed_files` is `reject`"
                .into(),
        ),
        (_, Some(Some(_))) if source.changed_files == ChangedFiles::Reject => {
            Verdict::SetAside("it has other bytes than when it was taken in, and `changed_files` is `reject`".into())
        }
        (None, _) if source.same_content == SameContent::Skip && ledger.has_content(blake3) => Verdict::Skip,
        _ => Verdict::Take,
    }
}

fn known(last: &LedgerEntry) -> Verdict {
    match last.state {
        FileState::SetAside => Verdict::StillAside(last.reason.clone().unwrap_or_default()),
        _ => Verdict::Known,
    }
}

fn is_young(file: &FileStat, source: &Source, now: DateTime<Utc>) -> bool {
    let settle = i64::try_from(source.settle.as_nanos()).unwrap_or(i64::MAX);
    let now = now.timestamp_nanos_opt().unwrap_or(i64::MAX);
    settle > 0 && now.saturating_sub(file.mtime_ns) < settle
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::project::Format;

    fn source(changed_files: ChangedFiles, same_content: SameContent) -> Source {
        let settle = Duration::from_secs(10);
        Source { path: "*.csv".into(), format: Format::Ndjson, changed_files, same_content, settle }
    }

    fn file(mtime_s: i64) -> FileStat {
        FileStat { path: "a.csv".into(), size: 3, mtime_ns: mtime_s * 1_000_000_000 }
    }

    fn entry(state: FileState, hash: &str) -> LedgerEntry {
        LedgerEntry {
            entry: 1,
            path: "a.csv".into(),
            size: 3,
            mtime_ns: 5_000_000_000,
            blake3: Some(hash.into()),
            batch: (state == FileState::Taken).then_some(1),
            rows: None,
            malformed: None,
            state,
            reason: Some("why".into()),
        }
    }

    fn judged(entries: Vec<LedgerEntry>, mtime_s: i64, same_content: SameContent) -> Verdict {
        let now = DateTime::from_timestamp(100, 0).unwrap();
        judge(&file(mtime_s), &Ledger::new(entries), &source(ChangedFiles::Reject, same_content), now)
    }

    #[test]
    fn a_new_file_is_taken_once_it_has_settled() {
        assert_eq!(judged(vec![], 50, SameContent::Take), Verdict::Take);
        assert_eq!(judged(vec![], 50, SameContent::Skip), Verdict::Hash);
        assert!(matches!(judged(vec![], 95, SameContent::Take), Verdict::Left(_)));
    }

    #[test]
    fn a_known_stat_needs_no_bytes() {
        assert_eq!(judged(vec![entry(FileState::Taken, "x")], 5, SameContent::Take), Verdict::Known);
        let aside = judged(vec![entry(FileState::SetAside, "x")], 5, SameContent::Take);
        assert_eq!(aside, Verdict::StillAside("why".into()));
        assert_eq!(judged(vec![entry(FileState::Taken, "x")], 6, SameContent::Take), Verdict::Hash);
    }

    #[test]
    fn a_touch_is_no_change_and_other_bytes_follow_the_policy() {
        let ledger = Ledger::new(vec![entry(FileState::Taken, "x")]);
        let compared = |hash, changed| compare(&file(6), hash, &ledger, &source(changed, SameContent::Take));
        assert_eq!(compared("x", ChangedFiles::Reject), Verdict::Known);
        assert!(matches!(compared("y", ChangedFiles::Reject), Verdict::SetAside(_)));
        assert_eq!(compared("y", ChangedFiles::NewVersion), Verdict::Take);
    }

    #[test]
    fn a_file_that_was_taken_with_unknown_bytes_is_not_taken_twice_unsaid() {
        let ledger = Ledger::new(vec![LedgerEntry { blake3: None, ..entry(FileState::Taken, "") }]);
        let compared = |changed| compare(&file(6), "x", &ledger, &source(changed, SameContent::Take));
        assert!(matches!(compared(ChangedFiles::Reject), Verdict::SetAside(_)));
        assert_eq!(compared(ChangedFiles::NewVersion), Verdict::Take);
    }

    #[test]
    fn a_rejected_change_that_is_taken_back_is_known_again() {
        let rejected = LedgerEntry { entry: 2, mtime_ns: 6_000_000_000, ..entry(FileState::SetAside, "y") };
        let ledger = Ledger::new(vec![entry(FileState::Taken, "x"), rejected]);
        let compared = |hash| compare(&file(7), hash, &ledger, &source(ChangedFiles::Reject, SameContent::Take));
        assert_eq!(compared("x"), Verdict::Known);
        assert_eq!(compared("y"), Verdict::StillAside("why".into()));
    }

    #[test]
    fn the_same_bytes_under_another_name_can_be_skipped() {
        let other = LedgerEntry { path: "b.csv".into(), ..entry(FileState::Taken, "x") };
        let ledger = Ledger::new(vec![other]);
        let compared = |same| compare(&file(6), "x", &ledger, &source(ChangedFiles::Reject, same));
        assert_eq!(compared(SameContent::Skip), Verdict::Skip);
        assert_eq!(compared(SameContent::Take), Verdict::Take);
    }
}
