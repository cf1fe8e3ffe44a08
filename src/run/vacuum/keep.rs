//! What keeps versions of a table from a vacuum: their age, pins, tables that read them, the silver table that names them.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::judge::first_kept;
use super::{Subject, Vacuum};
use crate::delta::{At, Error as DeltaError, NamedFiles, Snapshot};
use crate::name::{Layer, TableName};
use crate::report::{Keeper, KeptVersion};
use crate::run::error::{Error, Result};
use crate::run::protocol::{folder, quarantine_txn, table_state};

/// A table as its log tells it.
pub struct Told {
    /// the files that the log names
    pub named: NamedFiles,
    /// the newest version
    pub newest: Snapshot,
}

/// The versions from one on, up to the newest.
pub struct Span {
    /// the first
    pub first: i64,
    /// files of all of them, as far as the log tells
    pub files: BTreeSet<String>,
    /// those whose files do not follow from the version before
    opened: Vec<i64>,
    /// the log tells of each
    pub is_complete: bool,
}

impl Vacuum {
    /// Looks at a table; `None` if there is none.
    pub(super) async fn told(&self, folder: &str) -> Result<Option<Told>> {
        let table = self.lake.table(folder);
        let Some(named) = table.named_files().await? else { return Ok(None) };
        let newest = table.snapshot_at(&At::Version(named.newest())).await?;
        Ok(Some(Told { named, newest }))
    }

    /// What is kept whatever its age.
    pub(super) async fn kept(&self, subject: &Subject, told: &Told) -> Result<Vec<KeptVersion>> {
        match subject {
            Subject::Table(table) => {
                let mut kept = pins(&told.newest)?;
                kept.extend(self.read_by(table, &told.newest).await?);
                Ok(kept)
            }
            Subject::Quarantine(silver) => self.named_by(silver, &told.newest).await,
            Subject::Ledger | Subject::Runs | Subject::Claims => Ok(Vec::new()),
        }
    }

    /// The versions up to which others have read the table: what has changed since is found by comparing with them.
    async fn read_by(&self, table: &TableName, newest: &Snapshot) -> Result<Vec<KeptVersion>> {
        let mut kept = Vec::new();
        if table.layer == Layer::Bronze {
            return Ok(kept); // read by batches, which are not taken away
        }
        for reader in self.project.readers(table) {
            let snapshot = self.lake.table(&folder(&reader)).snapshot().await.map_err(|error| {
                Error::Refused(format!("which version of it `{reader}` still needs cannot be told: {error}"))
            })?;
            let state = snapshot.as_ref().map(table_state).unwrap_or_default();
            let version = state.watermarks.get(newest.table_id()).copied();
            let version = version.filter(|version| (0..=newest.version()).contains(version));
            kept.extend(version.map(|version| {
                let by = reader.to_string();
                KeptVersion { version, why: Keeper::Watermark, by }
            }));
        }
        Ok(kept)
    }

    /// The versions of a quarantine that kept versions of its silver table name.
    async fn named_by(&self, silver: &TableName, newest: &Snapshot) -> Result<Vec<KeptVersion>> {
        let Some(told) = self.told(&folder(silver)).await? else { return Ok(Vec::new()) };
        let subject = Subject::Table(silver.clone());
        let span = span(&told.named, self.since(&subject, &told.newest)?).await?;
        let app = quarantine_txn(newest.table_id());
        let mut names: Vec<(i64, i64)> = Vec::new();
        let commits = told.named.commits().range(span.first..).filter(|(version, _)| !span.opened.contains(version));
        names.extend(commits.filter_map(|(version, commit)| Some((*version, *commit.txns.get(&app)?))));
        let singles = pins(&told.newest)?.into_iter().chain(self.read_by(silver, &told.newest).await?);
        let singles: BTreeSet<i64> = singles.map(|kept| kept.version).chain(span.opened).collect();
        for version in singles {
            names.extend(told.named.txn(version, &app).await?.map(|named| (version, named)));
        }
        // the latest version of silver that names it says enough
        names.sort_by_key(|(version, named)| (*named, -version));
        names.dedup_by_key(|(_, named)| *named);
        let kept =
            |(version, named)| KeptVersion { version: named, why: Keeper::Silver, by: format!("{silver}@{version}") };
        Ok(names.into_iter().filter(|(_, named)| (0..=newest.version()).contains(named)).map(kept).collect())
    }
}

fn pins(newest: &Snapshot) -> Result<Vec<KeptVersion>> {
    let pins = newest.pins()?.into_iter();
    Ok(pins.map(|(by, pin)| KeptVersion { version: pin.version, why: Keeper::Pin, by }).collect())
}

/// The versions that were the newest one at `since` or after.
pub async fn span(named: &NamedFiles, since: DateTime<Utc>) -> Result<Span> {
    let first = first_kept(named.commits(), named.newest(), since);
    let mut span = Span { first, files: BTreeSet::new(), opened: Vec::new(), is_complete: true };
    let mut told = false;
    for version in first..=named.newest() {
        match named.commits().get(&version) {
            Some(commit) if told => span.files.extend(commit.adds.iter().cloned()),
            commit => {
                // Without its commit nobody can say which files went with it.
                span.is_complete &= commit.is_some();
                let files = named.of(version).await?;
                told = files.is_some();
                span.is_complete &= told;
                span.opened.extend(files.is_some().then_some(version));
                span.files.extend(files.unwrap_or_default());
            }
        }
    }
    Ok(span)
}

/// The files of versions that are kept whatever their age.
///
/// # Errors
/// A pin's version cannot be put together any more; a version that is only read from need not.
pub async fn files_of(named: &NamedFiles, kept: &[KeptVersion]) -> Result<BTreeSet<String>> {
    let mut files = BTreeSet::new();
    for one in kept {
        match named.of(one.version).await? {
            Some(found) => files.extend(found),
            None if one.why == Keeper::Pin => {
                return Err(Error::Delta(DeltaError::Gone {
                    table: named.folder().to_string(),
                    what: format!(
                        "the log no longer has all of version {}, which the pin `{}` keeps; unpin it first",
                        one.version, one.by
                    ),
                }));
            }
            None => {}
        }
    }
    Ok(files)
}
