//! The files that lie in a table's folder, whether a commit names them or not.

use chrono::{DateTime, Utc};
use deltalake::logstore::object_store::path::Path;
use deltalake::logstore::object_store::{self, ObjectStore, ObjectStoreExt};
use futures::stream::{self, StreamExt, TryStreamExt};

use super::disk::is_temporary;
use super::links::Links;
use super::named::names_of;
use super::{Error, Snapshot, Table};

/// A file in a table's folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// relative to the folder, as on disk
    pub path: String,
    /// its size
    pub bytes: u64,
    /// by the store's clock
    pub modified_at: DateTime<Utc>,
    /// it lies in the folder itself and not where a link within it leads
    pub within: bool,
}

impl Stored {
    /// It was being written by a process that died, unless it still is.
    pub fn is_temporary(&self) -> bool {
        is_temporary(&self.path)
    }
}

/// Deletions that are under way together.
const AT_ONCE: usize = 16;

impl Table {
    /// All files in the table's folder and the folders in it, but for its log. What a process that died was writing is
    /// among them, that of the log too.
    ///
    /// # Errors
    /// [`Error::Storage`]
    pub async fn stored(&self) -> Result<Vec<Stored>, Error> {
        let store = self.log_store()?.object_store(None);
        let mut listed = store.list(None);
        let mut found = Vec::new();
        loop {
            match listed.try_next().await {
                Ok(Some(object)) => found.push(object),
                Ok(None) | Err(object_store::Error::NotFound { .. }) => break,
                Err(error) => return Err(Error::object(self.folder(), &error)),
            }
        }
        let mut links = Links::of(self);
        let is_of_table = |path: &str| !path.starts_with("_delta_log/") || is_temporary(path);
        let stored = found.into_iter().filter(|object| is_of_table(object.location.as_ref())).map(|object| {
            let path = object.location.as_ref().to_owned();
            let within = links.stays_within(&path);
            Stored { path, bytes: object.size, modified_at: object.last_modified, within }
        });
        Ok(stored.collect())
    }

    /// Deletes files of the folder for good; gives those that are gone now, and the first error if one stays. It goes
    /// on with the others then.
    pub async fn delete_stored(&self, files: &[Stored]) -> (Vec<Stored>, Option<Error>) {
        let store = match self.log_store() {
            Ok(log_store) => log_store.object_store(None),
            Err(error) => return (Vec::new(), Some(error)),
        };
        let deletions = stream::iter(files.to_vec()).map(|file| {
            let store = store.clone();
            async move {
                match Path::parse(&file.path) {
                    Ok(path) => match store.delete(&path).await {
                        Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(file),
                        Err(error) => Err(Error::object(self.folder(), &error)),
                    },
                    Err(error) => Err(Error::storage(&file.path, &error)),
                }
            }
        });
        let done: Vec<Result<Stored, Error>> = deletions.buffered(AT_ONCE).collect().await;
        let (mut gone, mut first) = (Vec::new(), None);
        for deleted in done {
            match deleted {
                Ok(file) => gone.push(file),
                Err(error) => first = first.or(Some(error)),
            }
        }
        (gone, first)
    }
}

impl Snapshot {
    /// Whether all files of this version are still there: an earlier one may have lost some to a vacuum.
    ///
    /// # Errors
    /// [`Error::Gone`] if not; [`Error::Storage`].
    pub async fn require_files(&self) -> Result<(), Error> {
        let table = self.table();
        let stored: std::collections::BTreeSet<String> = table.stored().await?.into_iter().map(|f| f.path).collect();
        let lost = self.files().iter().filter(|file| !names_of(file).iter().all(|name| stored.contains(name))).count();
        if lost == 0 {
            return Ok(());
        }
        let (version, all) = (self.version(), self.files().len());
        Err(Error::gone(table.folder(), lost_files(version, lost, all)))
    }
}

fn lost_files(version: i64, lost: usize, all: usize) -> String {
    format!(
        "version {version} cannot be read any more: {lost} of its {all} data files were deleted, as a vacuum does when \
         nothing keeps the version"
    )
}
