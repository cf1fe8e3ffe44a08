//! A look at a bronze table's landing files: what is there, what the ledger knows, what is to be done with each.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::Utc;

use super::error::{Error, Result};
use super::history::{self, Author, Line};
use super::ledger::{self, Book, Lines, Owner};
use super::lost;
use super::protocol::{BATCH, folder};
use crate::bronze::{self, FileStat, Landing, ReadError};
use crate::delta::Head;
use crate::name::TableName;
use crate::plan::{FileState, Ledger, LedgerEntry, Verdict, compare, judge, unreadable};
use crate::project::{Project, Source};
use crate::report::FileNote;
use crate::secrets;

/// A landing file and what is to be done with it.
#[derive(Clone, Debug)]
pub struct Judged {
    /// the file as it was listed
    pub stat: FileStat,
    /// what is to be done
    pub verdict: Verdict,
    /// of its bytes, where they had to be looked at
    pub blake3: Option<String>,
}

/// What a look at a bronze table's landing files has shown.
pub struct Seen {
    /// whose ledger lines count
    pub owner: Owner,
    /// the bronze table, if it exists
    pub bronze: Option<Head>,
    /// what the ledger knows
    pub ledger: Arc<Ledger>,
    /// bronze has batches that the ledger does not list yet: those after this one
    pub unlisted_after: Option<i64>,
    /// every file that matches, by path
    pub files: Vec<Judged>,
    /// what matches and is never opened: devices, links that leave the folder, …
    pub refused: Vec<FileNote>,
}

impl Seen {
    /// Whether there is nothing to write for now.
    pub fn is_idle(&self) -> bool {
        let quiet = |f: &Judged| matches!(f.verdict, Verdict::Known | Verdict::StillAside(_) | Verdict::Left(_));
        self.unlisted_after.is_none() && self.files.iter().all(quiet)
    }

    /// The last batch of the table, by bronze and by its ledger.
    pub fn last_batch(&self) -> i64 {
        self.bronze.as_ref().and_then(|b| b.txn(BATCH)).unwrap_or(0).max(self.ledger.batch)
    }
}

/// The folder in which a project's files arrive.
pub fn open(project: &Project) -> Result<Landing> {
    let hint = format!("make it, or set `landing` of environment `{}` in lakesmith.yaml", project.environment.name);
    Landing::at(&project.environment.landing, &project.environment.storage)
        .map_err(|error| Error::Refused(format!("{error}; {hint}")))
}

/// Lists and judges the files of a bronze table.
pub async fn look(project: &Project, book: &Book, name: &TableName, source: &Source) -> Result<Seen> {
    // The ledger first: whatever another run does meanwhile, bronze is not behind it, and where bronze is ahead of it
    // the look says so. The other way round a batch could be missing from both.
    let page = book.newest().await?;
    let bronze = book.lake().table(&folder(name)).head().await?;
    let id = bronze.as_ref().map(|b| b.table_id().to_string()).unwrap_or_default();
    let owner = Owner { table: name.clone(), id };
    let ledger = page.as_ref().map(|page| page.of(&owner)).transpose()?.unwrap_or_default();
    let listed = page.and_then(|page| page.listed(&owner)).unwrap_or(0);
    let last = last_batch(name, bronze.as_ref(), &ledger)?;
    let ledger = Arc::new(ledger);
    let (root, source, known) = (open(project)?, source.clone(), ledger.clone());
    let (files, refused) = tokio::task::spawn_blocking(move || judged(&root, &source, &known)).await??;
    let unlisted_after = (listed < last).then_some(listed);
    Ok(Seen { owner, bronze, ledger, unlisted_after, files, refused })
}

/// The last batch of a bronze table, which its ledger must not be ahead of.
fn last_batch(name: &TableName, bronze: Option<&Head>, ledger: &Ledger) -> Result<i64> {
    let Some(bronze) = bronze else { return Ok(0) };
    let last = bronze.txn(BATCH).ok_or_else(|| {
        Error::Refused(format!(
            "`{name}` is a table that lakesmith did not make (it has no batches); move its folder away, or name the \
             bronze table otherwise"
        ))
    })?;
    if ledger.batch > last {
        return Err(Error::Refused(lost::told_by_ledger(name, last, ledger.batch)));
    }
    Ok(last)
}

fn judged(root: &Landing, source: &Source, ledger: &Ledger) -> Result<(Vec<Judged>, Vec<FileNote>)> {
    let listing = root.list(&source.path).map_err(|error| Error::Refused(error.to_string()))?;
    let now = Utc::now();
    let files = listing.files.into_iter().map(|stat| match judge(&stat, ledger, source, now) {
        Verdict::Hash => by_bytes(root, stat, ledger, source),
        verdict => Ok(Judged { stat, verdict, blake3: None }),
    });
    let files = files.collect::<Result<_>>()?;
    let settled = |path: &str| ledger.last.get(path).is_some_and(|last| last.state == FileState::Ignored);
    let refused = listing.refused.into_iter().filter(|file| !settled(&file.path));
    Ok((files, refused.map(|file| FileNote { path: file.path, reason: file.reason }).collect()))
}

fn by_bytes(root: &Landing, stat: FileStat, ledger: &Ledger, source: &Source) -> Result<Judged> {
    let (verdict, blake3) = match bronze::hash_file(root, &stat) {
        Ok(hash) => (compare(&stat, &hash, ledger, source), Some(hash)),
        Err(ReadError::ChangedWhileRead { .. }) => (Verdict::Left(CHANGED_WHILE_READ.to_string()), None),
        Err(ReadError::Unreadable { reason, .. } | ReadError::TooLarge { reason, .. }) => {
            (unreadable(&stat, reason, ledger), None)
        }
        Err(error @ ReadError::Unreachable { .. }) => return Err(Error::Refused(error.to_string())),
    };
    Ok(Judged { stat, verdict, blake3 })
}

/// Why a file is left for the next run.
pub const CHANGED_WHILE_READ: &str = "it changed while it was read";

/// Settles files that are set aside: the runs to come do not name them until they change.
///
/// # Errors
/// A path is not set aside in any of the bronze tables; then nothing is settled.
pub async fn ignore(project: &Project, book: &Book, sources: &[(TableName, Source)], paths: &[String]) -> Result<()> {
    let (run_id, started_at) = (uuid::Uuid::now_v7().to_string(), Utc::now());
    let paths: BTreeSet<&String> = paths.iter().collect();
    let mut open = paths.clone();
    let mut settled = Vec::new();
    for (name, source) in sources {
        let seen = look(project, book, name, source).await?;
        let entries: Vec<_> = paths.iter().filter_map(|path| settle(&seen, path)).collect();
        entries.iter().for_each(|entry| _ = open.remove(&entry.path));
        let lines = Lines { owner: seen.owner, entries, batch: None, run_id: run_id.clone(), at: Utc::now() };
        settled.push(lines);
    }
    if let Some(path) = open.first() {
        return Err(Error::Refused(format!(
            "`{path}` is not set aside; `lakesmith files` lists those that are, by their paths within the landing folder"
        )));
    }
    let author = Author { run_id, started_at, command: "files" };
    let mut told = Vec::new();
    for lines in settled.into_iter().filter(|lines| !lines.entries.is_empty()) {
        ledger::append(book.lake(), &lines).await?;
        let paths: Vec<&str> = lines.entries.iter().map(|entry| entry.path.as_str()).collect();
        told.push(Line::remark(
            &lines.owner.table.to_string(),
            "ignore",
            None,
            format!("ignored: {}", paths.join(", ")),
        ));
    }
    history::record(book.lake(), author, told.into_iter()).await;
    Ok(())
}

/// The line that settles a file, if it is set aside.
fn settle(seen: &Seen, path: &str) -> Option<LedgerEntry> {
    if let Some(refused) = seen.refused.iter().find(|file| file.path == path) {
        let stat = FileStat { path: path.to_string(), size: 0, mtime_ns: 0, etag: None };
        return Some(line(&stat, FileState::Ignored, None, Some(refused.reason.clone())));
    }
    let file = seen.files.iter().find(|file| file.stat.path == path)?;
    let last = seen.ledger.last.get(path);
    let reason = match &file.verdict {
        Verdict::SetAside(reason) | Verdict::StillAside(reason) => reason.clone(),
        // it is set aside and tried again each time
        Verdict::Take => last.filter(|last| last.is_tried_again(&file.stat))?.reason.clone().unwrap_or_default(),
        _ => return None,
    };
    let last = last.filter(|_| matches!(file.verdict, Verdict::StillAside(_)));
    let blake3 = file.blake3.clone().or_else(|| last.and_then(|last| last.blake3.clone()));
    Some(line(&file.stat, FileState::Ignored, blake3, Some(reason)))
}

/// A ledger line about a file whose records are not taken.
pub fn line(stat: &FileStat, state: FileState, blake3: Option<String>, reason: Option<String>) -> LedgerEntry {
    LedgerEntry {
        entry: 0,
        path: stat.path.clone(),
        size: i64::try_from(stat.size).unwrap_or(i64::MAX),
        mtime_ns: stat.mtime_ns,
        etag: stat.etag.clone(),
        blake3,
        batch: None,
        rows: None,
        malformed: None,
        state,
        reason: reason.map(|reason| secrets::masked(&reason).into_owned()),
        read_as: None,
    }
}
