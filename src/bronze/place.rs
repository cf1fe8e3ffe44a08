//! Where a landing file is: on a disk of this machine, or in a bucket.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::{Path as FilePath, PathBuf};
use std::sync::{Arc, OnceLock};

use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStoreExt};

use super::landing::mtime_ns;
use crate::bucket::{Ahead, Bucket, Cause, Failure, Reader, wait};
use crate::regular;

/// What must stay the same while a file is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stat {
    pub size: u64,
    pub mtime_ns: i64,
    mark: Mark,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Mark {
    Inode(u64),
    ETag(Option<String>),
}

/// Where a file is.
#[derive(Clone, Debug)]
pub(super) enum Place {
    File(PathBuf),
    Object(Object),
}

/// An object as it was listed.
#[derive(Clone, Debug)]
pub(super) struct Object {
    pub bucket: Arc<Bucket>,
    pub key: Path,
    pub stat: Stat,
    /// pieces that were fetched already
    pub ahead: Ahead,
    /// what the store failed with while the object was read, which is not the object's fault
    pub failed: Arc<OnceLock<Failure>>,
}

/// The bytes of a file.
pub(super) enum Bytes {
    File(File),
    Object(Box<Reader>, Arc<OnceLock<Failure>>),
}

impl Stat {
    pub fn of_object(size: u64, mtime_ns: i64, etag: Option<String>) -> Self {
        Stat { size, mtime_ns, mark: Mark::ETag(etag) }
    }

    fn etag(&self) -> Option<&String> {
        match &self.mark {
            Mark::ETag(etag) => etag.as_ref(),
            Mark::Inode(_) => None,
        }
    }
}

impl From<&Metadata> for Stat {
    fn from(metadata: &Metadata) -> Self {
        #[cfg(unix)]
        let inode = std::os::unix::fs::MetadataExt::ino(metadata);
        #[cfg(not(unix))]
        let inode = 0;
        Stat { size: metadata.len(), mtime_ns: mtime_ns(metadata), mark: Mark::Inode(inode) }
    }
}

impl From<&ObjectMeta> for Stat {
    fn from(meta: &ObjectMeta) -> Self {
        Stat::of_object(meta.size, object_mtime(meta), meta.e_tag.clone())
    }
}

/// Nanoseconds since 1970.
pub(super) fn object_mtime(meta: &ObjectMeta) -> i64 {
    meta.last_modified.timestamp_nanos_opt().unwrap_or(i64::MAX)
}

impl Place {
    /// The file as it is now. Follows links; opens nothing.
    pub fn stat(&self) -> io::Result<Stat> {
        match self {
            Place::File(path) => std::fs::metadata(path).map(|metadata| Stat::from(&metadata)),
            Place::Object(object) => object.head().map(|meta| Stat::from(&meta)),
        }
    }

    /// Opens it, and tells what it is. An object's bytes are those that were listed, or cannot be read.
    pub fn open(&self) -> io::Result<(Bytes, Stat)> {
        match self {
            Place::File(path) => {
                let file = regular::open_resolved(path)?;
                let stat = Stat::from(&file.metadata()?);
                Ok((Bytes::File(file), stat))
            }
            Place::Object(Object { bucket, key, stat, ahead, failed }) => {
                let (store, etag) = (Arc::clone(bucket.store()), stat.etag().cloned());
                let reader = Reader::new(store, key.clone(), stat.size, etag, ahead.clone());
                Ok((Bytes::Object(Box::new(reader), Arc::clone(failed)), stat.clone()))
            }
        }
    }

    /// Whether it is still what it was `before`, when all of it was read as `bytes`.
    pub fn is_still(&self, before: &Stat, bytes: &Bytes) -> io::Result<bool> {
        match bytes {
            Bytes::File(file) => {
                Ok(Stat::from(&file.metadata()?) == *before && self.stat().is_ok_and(|now| now == *before))
            }
            // each piece was of that version
            Bytes::Object(..) if before.etag().is_some() => Ok(true),
            Bytes::Object(..) => Ok(self.stat()? == *before),
        }
    }

    /// Why its store could not be used, if it could not. That access is denied is the file's own matter.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Place::File(_) => None,
            Place::Object(object) => object.failed.get().filter(|failure| failure.cause() != Cause::Denied),
        }
    }

    /// The file on a disk of this machine.
    pub fn on_disk(&self) -> Option<&FilePath> {
        match self {
            Place::File(path) => Some(path),
            Place::Object(_) => None,
        }
    }
}

impl Object {
    fn head(&self) -> io::Result<ObjectMeta> {
        let (store, key) = (Arc::clone(self.bucket.store()), self.key.clone());
        let found = wait(async move { store.head(&key).await })?;
        found.map_err(|error| {
            self.note(&error);
            io::Error::other(error)
        })
    }

    /// Keeps the failure that an error bears.
    pub fn note(&self, error: &(dyn std::error::Error + 'static)) {
        note(&self.failed, error);
    }
}

fn note(failed: &OnceLock<Failure>, error: &(dyn std::error::Error + 'static)) {
    if let Some(failure) = Failure::within(error) {
        let _ = failed.set(failure.clone());
    }
}

impl Read for Bytes {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self {
            Bytes::File(file) => file.read(out),
            Bytes::Object(reader, failed) => reader.read(out).inspect_err(|error| note(failed, error)),
        }
    }
}
