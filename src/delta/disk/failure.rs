//! What the disk refused, in words that people can act on.

use std::io;
use std::path::{Path, PathBuf};

use deltalake::logstore::object_store;

/// What could not be done on the disk.
#[derive(Debug, thiserror::Error)]
#[error("cannot {what} {}: {source}", .path.display())]
pub(in crate::delta) struct Failure {
    what: &'static str,
    path: PathBuf,
    source: io::Error,
}

/// An object is there for all to see, but the disk has not taken it: a power cut may undo it.
#[derive(Debug, thiserror::Error)]
#[error("{} is there, but the disk failed to keep it and a power cut may undo it: {source}", .path.display())]
pub(in crate::delta) struct Unsettled {
    path: PathBuf,
    source: io::Error,
}

impl Failure {
    /// `what` as in "cannot … PATH".
    pub(in crate::delta) fn new(what: &'static str, path: PathBuf, source: io::Error) -> Self {
        Failure { what, path, source }
    }
}

pub(super) fn failed(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> object_store::Error {
    let path = path.to_owned();
    move |source| store_error(Failure { what, path, source })
}

pub(super) fn unsettled(path: &Path, source: io::Error) -> object_store::Error {
    store_error(Unsettled { path: path.to_owned(), source })
}

fn store_error(source: impl std::error::Error + Send + Sync + 'static) -> object_store::Error {
    object_store::Error::Generic { store: "disk", source: Box::new(source) }
}
