//! Where the files of a log lie.

use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use deltalake::logstore::object_store::path::Path;
use deltalake::logstore::object_store::{self, ObjectStore, ObjectStoreExt, PutPayload};
use futures::TryStreamExt;

use super::FOLDER;
use crate::delta::Error;
use crate::delta::disk::Failure;
use crate::delta::error::Cause;
use crate::regular;

/// The bytes that stores give.
pub(super) type Bytes = <PutPayload as IntoIterator>::Item;

/// The folder of a table: one on a disk of this machine, which is read without the detour over a store (that resolves and
/// stats every file of the folder, and gives each call to another thread), or one of a store.
#[derive(Clone)]
pub(in crate::delta) enum Place {
    Folder(PathBuf),
    Store(Arc<dyn ObjectStore>),
}

impl Place {
    /// The names of the files in the log's folder that do not sort before `from`.
    pub(super) async fn names(&self, table: &str, from: &str) -> Result<Vec<String>, Error> {
        tracing::trace!(table, from, "listed");
        match self {
            Place::Folder(folder) => {
                let folder = folder.join(FOLDER);
                Ok(found(names_in(&folder, from)).map_err(|e| unread(table, folder, e))?.unwrap_or_default())
            }
            Place::Store(store) => {
                let offset = Path::from_iter([FOLDER, from]);
                let listed = store.list_with_offset(Some(&Path::from(FOLDER)), &offset).try_collect::<Vec<_>>().await;
                let listed = match listed {
                    Err(object_store::Error::NotFound { .. }) => Vec::new(),
                    listed => listed.map_err(|e| failed(table, &e))?,
                };
                let direct = listed.iter().filter(|file| file.location.parts().count() == 2);
                Ok(direct.filter_map(|file| Some(file.location.filename()?.to_owned())).collect())
            }
        }
    }

    /// A file of the log; `None` if it is not there.
    pub(super) async fn read(&self, table: &str, name: &str) -> Result<Option<Bytes>, Error> {
        tracing::trace!(table, name, "read");
        match self {
            Place::Folder(folder) => {
                let path = folder.join(FOLDER).join(name);
                Ok(found(regular::read(&path)).map_err(|e| unread(table, path, e))?.map(Bytes::from))
            }
            Place::Store(store) => {
                let bytes = match store.get(&Path::from_iter([FOLDER, name])).await {
                    Ok(found) => found.bytes().await,
                    Err(object_store::Error::NotFound { .. }) => return Ok(None),
                    Err(error) => Err(error),
                };
                bytes.map(Some).map_err(|e| failed(table, &e))
            }
        }
    }

    /// When a file of the log was written.
    pub(super) async fn modified(&self, table: &str, name: &str) -> Result<Option<DateTime<Utc>>, Error> {
        match self {
            Place::Folder(folder) => {
                let path = folder.join(FOLDER).join(name);
                let time = std::fs::metadata(&path).and_then(|found| found.modified());
                Ok(found(time).map_err(|e| unread(table, path, e))?.map(DateTime::from))
            }
            Place::Store(store) => match store.head(&Path::from_iter([FOLDER, name])).await {
                Ok(found) => Ok(Some(found.last_modified)),
                Err(object_store::Error::NotFound { .. }) => Ok(None),
                Err(error) => Err(failed(table, &error)),
            },
        }
    }
}

fn names_in(folder: &std::path::Path, from: &str) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        // other names are none of a log's
        names.extend(entry.file_name().into_string().ok().filter(|name| name.as_str() >= from));
    }
    names.sort_unstable();
    Ok(names)
}

fn found<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        result => result.map(Some),
    }
}

fn unread(table: &str, path: PathBuf, error: io::Error) -> Error {
    Error::storage(table, &Failure::new("read", path, error))
}

fn failed(table: &str, error: Cause<'_>) -> Error {
    Error::storage(&format!("{table}/{FOLDER}"), error)
}
