//! A table of the lake, whether it exists or not.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use deltalake::logstore::LogStoreRef;
use deltalake::logstore::object_store::path::Path;
use deltalake::logstore::object_store::{self, ObjectStoreExt};
use polars::prelude::LazyFrame;

use super::log::{self, CommitFile, Listing, Log, Missing, Place, Replay, Wanted};
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
        let (_, replay) = self.replayed(&log, &listing, version, Wanted::Head).await?;
        Head::new(&self.folder, version, &replay).map(Some)
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
        let (commits, replay) = self.replayed(&log, listing, version, Wanted::Files).await?;
        // a checkpoint of this very version: its commit was not replayed
        let own = match commits.into_iter().rfind(|commit| commit.version == version) {
            Some(commit) => Some(commit),
            None => log.read(version).await?,
        };
        let time = match own.and_then(|commit| commit.time()) {
            Some(time) => Some(time),
            None => log.modified(version).await?,
        };
        Snapshot::load(self.clone(), version, replay, time.unwrap_or_default()).await
    }

    async fn replayed(
        &self,
        log: &Log,
        listing: &Listing,
        version: i64,
        wanted: Wanted,
    ) -> Result<(Vec<CommitFile>, Replay), Error> {
        let replayed = listing.replayed(version).map_err(|missing| match missing {
            Missing::Expired => {
                Error::gone(&self.folder, format!("version {version} cannot be had any more: its log was cleaned up"))
            }
            Missing::Lost(lost) => log::lost_commit(&self.folder, lost),
        })?;
        let commits = log.read_all(replayed).await?;
        let replay = log.replay(listing, &commits, version, wanted).await?;
        Ok((commits, replay))
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

/// As it stands on disk: object stores take odd characters as they are, but `Path::from` would encode them.
pub(super) fn object_path(path: &str) -> Path {
    Path::parse(path).unwrap_or_else(|_| Path::from(path))
}
