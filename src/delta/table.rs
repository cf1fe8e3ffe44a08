//! A table of the lake, whether it exists or not.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use deltalake::logstore::LogStoreRef;
use deltalake::logstore::object_store::path::Path;
use deltalake::logstore::object_store::{self, ObjectStoreExt};
use polars::prelude::LazyFrame;

use super::log::{self, CommitFile, Listing, Log, Missing, Place, Replay, Unread, Unusable, Wanted};
use super::scan::Positions;
use super::{DataFile, Error, Head, Lake, Snapshot, TableSchema, Writer};
use crate::name::At;

/// A table of the lake, whether it exists or not. Cheap to clone.
#[derive(Clone)]
pub struct Table {
    lake: Lake,
    folder: Arc<str>,
}

/// What tells the newest version of a table from all others, without reading it: its number, and the time of its commit
/// file by the store's clock, in case that the table was made anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// which version
    pub version: i64,
    written: Option<DateTime<Utc>>,
}

/// How many commits are looked at together on the way back to a time.
const COMMITS_AT_ONCE: usize = 64;

impl Table {
    pub(super) fn new(lake: Lake, folder: &str) -> Self {
        Table { lake, folder: folder.trim_matches('/').into() }
    }

    /// Within the lake, e.g. `silver/orders`.
    pub fn folder(&self) -> &str {
        &self.folder
    }

    /// The lake that holds it.
    pub fn lake(&self) -> &Lake {
        &self.lake
    }

    pub(super) fn log_store(&self) -> Result<LogStoreRef, Error> {
        self.lake.log_store(&self.folder)
    }

    /// The log store as if some files of the log were not there.
    pub(super) fn log_store_without(&self, unusable: &Unusable) -> Result<LogStoreRef, Error> {
        match unusable.is_empty() {
            true => self.log_store(),
            false => self.lake.log_store_hiding(&self.folder, unusable.hidden()),
        }
    }

    pub(super) fn log(&self) -> Result<Log, Error> {
        let place = match self.lake.folder_on_disk(&self.folder) {
            Some(folder) => Place::Folder(folder),
            None => Place::Store(self.log_store()?.object_store(None)),
        };
        Ok(Log::new(place, Arc::clone(&self.folder)))
    }

    /// The newest version, or `None` if there is no table. Always read anew.
    ///
    /// # Errors
    /// [`Error::Unreadable`] if the table is damaged or uses a feature that cannot be read rightly; [`Error::Storage`].
    pub async fn snapshot(&self) -> Result<Option<Snapshot>, Error> {
        let listing = self.log()?.list_recent().await?;
        match listing.latest() {
            Some(version) => Ok(Some(self.open(&listing, version).await?)),
            None => Ok(None),
        }
    }

    /// Which version is the newest, or `None` if there is no table. Always looked at anew.
    ///
    /// # Errors
    /// [`Error::Storage`]
    pub async fn newest(&self) -> Result<Option<Stamp>, Error> {
        let log = self.log()?;
        let Some(version) = log.list_recent().await?.latest() else { return Ok(None) };
        Ok(Some(Stamp { version, written: log.modified(version).await? }))
    }

    /// The newest version, but for its files: what the log has to be read for is less. Always read anew.
    ///
    /// # Errors
    /// As [`Table::snapshot`].
    pub async fn head(&self) -> Result<Option<Head>, Error> {
        let log = self.log()?;
        let listing = log.list_recent().await?;
        let Some(version) = listing.latest() else { return Ok(None) };
        let replayed = self.replayed(&log, &listing, version, Wanted::Head).await?;
        let head = Head::new(&self.folder, version, &replayed.replay)?;
        let mark = own(&log, replayed.commits, version).await?.and_then(|own| own.mark());
        Ok(Some(head.with(mark, replayed.unusable)))
    }

    /// An earlier version.
    ///
    /// # Errors
    /// [`Error::Gone`] if it does not exist or cannot be had any more; else as [`Table::snapshot`].
    pub async fn snapshot_at(&self, at: &At) -> Result<Snapshot, Error> {
        let listing = self.log()?.list().await?;
        let latest = listing.latest().ok_or_else(|| Error::gone(&self.folder, "there is no such table"))?;
        let version = match at {
            At::Version(version) => *version,
            At::Time(time) => self.version_at(&listing, *time).await?,
        };
        if !(0..=latest).contains(&version) {
            return Err(Error::gone(&self.folder, format!("there is no version {version}; the newest is {latest}")));
        }
        self.open(&listing, version).await
    }

    async fn version_at(&self, listing: &Listing, time: DateTime<Utc>) -> Result<i64, Error> {
        let log = self.log()?;
        let newest_first: Vec<i64> = listing.versions().rev().collect();
        for versions in newest_first.chunks(COMMITS_AT_ONCE) {
            for commit in log.read_all(versions.to_vec()).await? {
                let made = match commit.time() {
                    Some(time) => Some(time),
                    None => log.modified(commit.version).await?,
                };
                if made.is_some_and(|made| made <= time) {
                    return Ok(commit.version);
                }
            }
        }
        Err(Error::gone(&self.folder, format!("the log holds no commit of {} or before", time.to_rfc3339())))
    }

    async fn open(&self, listing: &Listing, version: i64) -> Result<Snapshot, Error> {
        let log = self.log()?;
        let Replayed { commits, replay, unusable } = self.replayed(&log, listing, version, Wanted::Files).await?;
        let own = own(&log, commits, version).await?;
        let time = match own.as_ref().and_then(CommitFile::time) {
            Some(time) => Some(time),
            None => log.modified(version).await?,
        };
        let head = Head::new(&self.folder, version, &replay)?.with(own.and_then(|own| own.mark()), unusable);
        Snapshot::load(self.clone(), head, replay, time.unwrap_or_default()).await
    }

    /// What the log comes to at a version. A checkpoint that cannot be read, or makes no sense, is done without if the
    /// commits before it are all there.
    ///
    /// # Errors
    /// [`Error::Gone`], [`Error::Unreadable`], [`Error::Storage`]
    pub(super) async fn replayed(
        &self,
        log: &Log,
        listing: &Listing,
        version: i64,
        wanted: Wanted,
    ) -> Result<Replayed, Error> {
        let mut unusable = listing.unusable.clone();
        let (checkpoint, what) = match self.replayed_on(log, listing, version, wanted).await {
            Ok((commits, replay)) => return Ok(self.telling(Replayed { commits, replay, unusable })),
            Err(Unread::Other(error)) => return Err(error),
            Err(Unread::Checkpoint(checkpoint, what)) => (checkpoint, what),
        };
        let broken = |what: &str| {
            let name = format!("{checkpoint:020}.checkpoint");
            let what = format!("the checkpoint of version {checkpoint} ({name}…) cannot be used: {what}");
            Error::unreadable(&self.folder, format!("{what}; `{}` says what can be done", repair(&self.folder)))
        };
        // The look may have begun at this very checkpoint.
        let mut all = log.list().await?;
        let mut last = (checkpoint, what.clone());
        loop {
            for name in all.checkpoints().get(&last.0).into_iter().flatten() {
                unusable.add(name, &last.1);
            }
            if unusable.is_empty() {
                return Err(broken(&what));
            }
            all = all.without(&unusable);
            match self.replayed_on(log, &all, version, wanted).await {
                Ok((commits, replay)) => return Ok(self.telling(Replayed { commits, replay, unusable })),
                Err(Unread::Checkpoint(earlier, what)) if earlier < last.0 => last = (earlier, what),
                // without it the log is not whole
                Err(_) => return Err(broken(&what)),
            }
        }
    }

    /// Says, once, what was done without.
    fn telling(&self, replayed: Replayed) -> Replayed {
        static TOLD: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
        for (name, why) in replayed.unusable.iter() {
            let file = format!("{}/_delta_log/{name}", self.folder);
            if TOLD.lock().unwrap_or_else(PoisonError::into_inner).insert(file.clone()) {
                let mend = repair(&self.folder);
                tracing::warn!("{file} cannot be used ({why}); the table is read without it, `{mend}` mends it");
            }
        }
        replayed
    }

    async fn replayed_on(
        &self,
        log: &Log,
        listing: &Listing,
        version: i64,
        wanted: Wanted,
    ) -> Result<(Vec<CommitFile>, Replay), Unread> {
        let commits = self.commits_on(log, listing, version).await.map_err(Unread::Other)?;
        let replay = log.replay(listing, &commits, version, wanted).await?;
        if let Some((checkpoint, _)) = listing.checkpoint_of(version) {
            // A flipped bit may leave a file that can be read and says what cannot be.
            let sound = Head::new(&self.folder, version, &replay).and_then(|_| super::snapshot::check(&replay));
            sound.map_err(|error| Unread::Checkpoint(checkpoint, error.to_string()))?;
        }
        Ok((commits, replay))
    }

    async fn commits_on(&self, log: &Log, listing: &Listing, version: i64) -> Result<Vec<CommitFile>, Error> {
        let replayed = listing.replayed(version).map_err(|missing| match missing {
            Missing::Expired => {
                Error::gone(&self.folder, format!("version {version} cannot be had any more: its log was cleaned up"))
            }
            Missing::Lost(lost) => log::lost_commit(&self.folder, lost),
        })?;
        log.read_all(replayed).await
    }

    /// A writer of data files that no commit names yet.
    ///
    /// # Errors
    /// [`Error::Invalid`] if Delta cannot store such a table.
    pub fn writer(&self, schema: &TableSchema) -> Result<Writer, Error> {
        Writer::new(self.clone(), schema)
    }

    /// Carries out a query with the streaming engine and writes what it gives, never holding all of it.
    ///
    /// # Errors
    /// [`Error::Query`], or as the writer's. Nothing is left behind.
    pub async fn write(&self, frame: LazyFrame, schema: &TableSchema) -> Result<Vec<DataFile>, Error> {
        self.write_telling(frame, schema, |_| ()).await
    }

    /// As [`Table::write`]; `tell` hears how many rows each piece has, from the threads that compute.
    ///
    /// # Errors
    /// As [`Table::write`].
    pub async fn write_telling(
        &self,
        frame: LazyFrame,
        schema: &TableSchema,
        tell: impl Fn(u64) + Send + Sync + 'static,
    ) -> Result<Vec<DataFile>, Error> {
        self.writer(schema)?.write_query(frame, tell).await
    }

    /// Deletes files that this process wrote and never tried to commit.
    ///
    /// # Errors
    /// [`Error::Storage`]; it goes on with the other files first.
    pub async fn remove_uncommitted(&self, files: &[DataFile]) -> Result<(), Error> {
        let store = self.log_store()?.object_store(None);
        let mut result = Ok(());
        for file in files {
            match store.delete(&object_path(file.path())).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => result = Err(Error::object(&self.folder, &error)),
            }
        }
        result
    }

    /// Reads data files, committed or not, as one frame with the columns of `schema`.
    ///
    /// # Errors
    /// [`Error::Unreadable`] if a partition value of a file is none of its type.
    pub fn scan(&self, schema: &TableSchema, files: &[DataFile]) -> Result<LazyFrame, Error> {
        super::scan::scan(self, schema, files, Positions::None)
    }

    /// As [`Table::scan`], with two more columns: [`super::FILE_COLUMN`], the index into `files` (u32), and
    /// [`super::ROW_COLUMN`], the 0-based position within the file (u32), deleted rows counted.
    ///
    /// # Errors
    /// As [`Table::scan`].
    pub fn scan_with_position(&self, schema: &TableSchema, files: &[DataFile]) -> Result<LazyFrame, Error> {
        super::scan::scan(self, schema, files, Positions::Add)
    }
}

/// What the log comes to at a version.
pub(super) struct Replayed {
    /// the commits since the checkpoint
    pub(super) commits: Vec<CommitFile>,
    pub(super) replay: Replay,
    /// what was done without
    pub(super) unusable: Unusable,
}

/// The commit of a version.
async fn own(log: &Log, commits: Vec<CommitFile>, version: i64) -> Result<Option<CommitFile>, Error> {
    // a checkpoint of this very version: its commit was not replayed
    match commits.into_iter().rfind(|commit| commit.version == version) {
        Some(commit) => Ok(Some(commit)),
        None => log.read(version).await,
    }
}

/// The command that looks into a table's log. `folder` is one such as `silver/orders`.
pub fn repair(folder: &str) -> String {
    format!("lakesmith repair {}", folder.replace("_lakesmith/", "lakesmith/").replace('/', "."))
}

/// As it stands on disk: object stores take odd characters as they are, but `Path::from` would encode them.
pub(super) fn object_path(path: &str) -> Path {
    Path::parse(path).unwrap_or_else(|_| Path::from(path))
}
