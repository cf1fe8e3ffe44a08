//! Which landing files a bronze table takes in, decided from the listing and the ledger alone.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::bronze::FileStat;
use crate::project::{ChangedFiles, Format, Limits, SameContent, Source};

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
    /// of an object in a bucket
    pub etag: Option<String>,
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
    /// of a file that was set aside: how the source wanted it read, see [`read_as`]
    pub read_as: Option<String>,
}

impl LedgerEntry {
    /// Whether it tells all that `line`, which has no number yet, would tell.
    pub fn says(&self, line: &LedgerEntry) -> bool {
        LedgerEntry { entry: line.entry, ..self.clone() } == *line
    }

    /// Whether this file was set aside for what may be otherwise another time.
    pub fn is_tried_again(&self, file: &FileStat) -> bool {
        let is_same = u64::try_from(self.size) == Ok(file.size) && is_unmarked(file, self);
        self.state == FileState::SetAside && self.blake3.is_none() && is_same
    }
}

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FileState {
    /// its records are in bronze
    Taken,
    /// it cannot be taken as it is; named by each run until it changes
    SetAside,
    /// its bytes are those that were taken in, only its time is another
    Touched,
    /// its bytes were taken under another name (`same_content: skip`)
    Skipped,
    /// the user settled it by `files --ignore`
    Ignored,
    /// the batch that held its records is no longer in bronze: it is as if it had never been taken
    Lost,
}

impl FileState {
    /// As the ledger writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            FileState::Taken => "taken",
            FileState::SetAside => "set_aside",
            FileState::Touched => "touched",
            FileState::Skipped => "skipped",
            FileState::Ignored => "ignored",
            FileState::Lost => "lost",
        }
    }

    /// As the ledger writes it.
    pub fn parse(text: &str) -> Option<Self> {
        let all = [Self::Taken, Self::SetAside, Self::Touched, Self::Skipped, Self::Ignored, Self::Lost];
        all.into_iter().find(|s| s.as_str() == text)
    }
}

/// The ledger of one bronze table, as far as decisions need it.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// the line that holds, by path
    pub last: BTreeMap<String, LedgerEntry>,
    /// the line that took it in last, by path
    taken: BTreeMap<String, LedgerEntry>,
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
        for e in &entries {
            ledger.entry = ledger.entry.max(e.entry);
            ledger.batch = ledger.batch.max(e.batch.unwrap_or(0));
        }
        for e in that_hold(entries) {
            if e.state == FileState::Taken {
                ledger.taken.insert(e.path.clone(), e.clone());
                ledger.contents.extend(e.blake3.clone());
            }
            ledger.last.insert(e.path.clone(), e);
        }
        ledger
    }

    /// What became of a file that is judged [`Verdict::Known`].
    pub fn known(&self, path: &str) -> Option<&LedgerEntry> {
        let last = self.last.get(path)?;
        match last.state {
            // a change that was set aside and then taken back
            FileState::Touched | FileState::SetAside => self.taken.get(path),
            FileState::Taken | FileState::Skipped | FileState::Ignored => Some(last),
            FileState::Lost => None,
        }
    }
}

/// The lines without those of batches that were lost, and without what was said of such a file before it was: it is as
/// it was before it was taken. `entries` are in their order.
pub fn that_hold(entries: Vec<LedgerEntry>) -> Vec<LedgerEntry> {
    let mut holds: Vec<bool> = entries.iter().map(|line| line.state != FileState::Lost).collect();
    // the places of the lines that hold so far
    let mut of_path: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, line) in entries.iter().enumerate() {
        let places = of_path.entry(&line.path).or_default();
        if line.state != FileState::Lost {
            places.push(at);
            continue;
        }
        let is_lost = |&place: &usize| {
            entries.get(place).is_some_and(|taken| taken.state == FileState::Taken && taken.batch == line.batch)
        };
        if let Some(from) = places.iter().position(is_lost) {
            for gone in places.drain(from..) {
                if let Some(holds) = holds.get_mut(gone) {
                    *holds = false;
                }
            }
        }
    }
    entries.into_iter().zip(holds).filter_map(|(line, holds)| holds.then_some(line)).collect()
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

/// Why a file whose bytes are not those that were taken in is set aside.
const CHANGED: &str = "it has other bytes than when it was taken in, and `changed_files` is `reject`";
const UNKNOWN: &str = "a file of this name was taken in, but which bytes it had is known no more (the ledger was made from \
                       bronze's rows while it was away), and `changed_files` is `reject`";

/// What of a source decides over whether a file can be taken in. A file that was set aside is tried again when this is
/// another.
pub fn read_as(source: &Source) -> String {
    let format = match &source.format {
        Format::Csv(csv) => format!(
            "csv, delimiter {:?}, quote {:?}, header {}, encoding {}",
            char::from(csv.delimiter),
            csv.quote.map(char::from),
            csv.header,
            csv.encoding
        ),
        Format::Ndjson => "ndjson".to_string(),
        Format::Parquet => "parquet".to_string(),
    };
    let changed = match source.changed_files {
        ChangedFiles::Reject => "rejected",
        ChangedFiles::NewVersion => "new versions",
    };
    let limits = match source.limits {
        limits if limits == Limits::default() => String::new(),
        Limits { line, size, ratio, columns } => format!("; limits {line}, {size}, {ratio}, {columns}"),
    };
    format!("{format}; changed files are {changed}{limits}")
}

/// Judges a file by its stat.
pub fn judge(file: &FileStat, ledger: &Ledger, source: &Source, now: DateTime<Utc>) -> Verdict {
    match ledger.last.get(&file.path) {
        Some(last) if u64::try_from(last.size) == Ok(file.size) && is_unmarked(file, last) => {
            // Bytes that could not be read may be readable now, though the file is as it was.
            let settled = last.state != FileState::SetAside || (is_read_alike(last, source) && last.blake3.is_some());
            if settled { known(last) } else { Verdict::Hash }
        }
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
    let rejects = source.changed_files == ChangedFiles::Reject;
    let taken = ledger.taken.get(&file.path).map(|taken| taken.blake3.as_deref());
    match (last, taken) {
        (_, Some(Some(taken))) if taken == blake3 => Verdict::Known,
        (Some(last), _) if last.blake3.as_deref() == Some(blake3) && is_read_alike(last, source) => known(last),
        (_, Some(None)) if rejects => Verdict::SetAside(UNKNOWN.into()),
        (_, Some(_)) if rejects => Verdict::SetAside(CHANGED.into()),
        (_, None) if source.same_content == SameContent::Skip && ledger.contents.contains(blake3) => Verdict::Skip,
        _ => Verdict::Take,
    }
}

/// Judges a file whose bytes cannot be read.
pub fn unreadable(file: &FileStat, reason: String, ledger: &Ledger) -> Verdict {
    let last = ledger.last.get(&file.path);
    let aside = last.is_some_and(|last| last.state == FileState::SetAside && last.blake3.is_none());
    if aside { Verdict::StillAside(reason) } else { Verdict::SetAside(reason) }
}

/// Whether a file that was set aside would be read now as it was then.
fn is_read_alike(last: &LedgerEntry, source: &Source) -> bool {
    last.state != FileState::SetAside || last.read_as.as_deref() == Some(&read_as(source))
}

/// Whether nothing tells that a file of the same size has other bytes. An object has a time of whole seconds; its ETag
/// tells more, and stays when the same bytes are put again.
fn is_unmarked(file: &FileStat, last: &LedgerEntry) -> bool {
    match (&file.etag, &last.etag) {
        (Some(now), Some(then)) => now == then,
        _ => last.mtime_ns == file.mtime_ns,
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
mod tests;
