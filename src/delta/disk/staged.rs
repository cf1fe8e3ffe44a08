//! A file that is to become an object.

#[cfg(unix)]
use std::fs::TryLockError;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
#[cfg(unix)]
use std::time::Duration;

use deltalake::logstore::object_store::{Error, PutPayload, Result};

use super::failure::{failed, unsettled};

/// What is being written bears a name that begins so. Readers of Delta tables and of logs pass over names that begin with
/// a dot; one that a dead process left is deleted by a vacuum.
const PREFIX: &str = ".lakesmith-tmp-";

/// A lock is held for as long as it takes to rename a file: who does not get it in ten seconds does not wait.
#[cfg(unix)]
const LOOKS: u32 = 2000;
#[cfg(unix)]
const BETWEEN_LOOKS: Duration = Duration::from_millis(5);

/// Whether a path is that of an object that was being written.
pub(in crate::delta) fn is_temporary(path: &str) -> bool {
    path.rsplit('/').next().unwrap_or_default().starts_with(PREFIX)
}

/// A file beside the place of the object that it is to become. It goes when this is dropped before.
#[derive(Debug)]
pub(super) struct Staged {
    file: File,
    path: PathBuf,
    target: PathBuf,
    is_placed: bool,
}

impl Staged {
    /// Makes the folder too, where it is missing.
    pub(super) fn beside(target: PathBuf) -> Result<Self> {
        let path = target.with_file_name(format!("{PREFIX}{}", uuid::Uuid::now_v7()));
        let create = || OpenOptions::new().write(true).create_new(true).open(&path);
        let file = match (create(), target.parent()) {
            (Err(error), Some(folder)) if error.kind() == ErrorKind::NotFound => {
                make_folder(folder).map_err(failed("make the folder", folder))?;
                create()
            }
            (created, _) => created,
        };
        let file = file.map_err(failed("write", &target))?;
        Ok(Staged { file, path, target, is_placed: false })
    }

    pub(super) fn write(&mut self, payload: &PutPayload) -> Result<()> {
        let written = payload.iter().try_for_each(|bytes| self.file.write_all(bytes));
        written.map_err(failed("write", &self.target))
    }

    pub(super) fn write_at(&mut self, offset: u64, payload: &PutPayload) -> Result<()> {
        self.file.seek(SeekFrom::Start(offset)).map_err(failed("write", &self.target))?;
        self.write(payload)
    }

    /// Gives the bytes to the disk.
    pub(super) fn sync(&self) -> Result<()> {
        self.file.sync_all().map_err(failed("write", &self.target))
    }

    /// Puts it where nothing stands.
    pub(super) fn link(self) -> Result<()> {
        match fs::hard_link(&self.path, &self.target) {
            Ok(()) => {}
            Err(source) if source.kind() == ErrorKind::AlreadyExists => {
                let path = self.target.to_string_lossy().into_owned();
                return Err(Error::AlreadyExists { path, source: source.into() });
            }
            Err(error) => return Err(failed("link a file to", &self.target)(error)),
        }
        let target = self.target.clone();
        drop(self);
        settle(&target)
    }

    /// Puts it there whether something stands there or not.
    pub(super) fn replace(mut self) -> Result<()> {
        fs::rename(&self.path, &self.target).map_err(failed("rename a file to", &self.target))?;
        self.is_placed = true;
        settle(&self.target)
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if self.is_placed {
            return;
        }
        if let Err(error) = fs::remove_file(&self.path) {
            let path = self.path.display();
            tracing::debug!(%path, %error, "a temporary file stays until a vacuum");
        }
    }
}

/// Gives the name of an object to the disk.
pub(super) fn settle(target: &Path) -> Result<()> {
    let synced = target.parent().map_or(Ok(()), sync_folder);
    synced.map_err(|error| unsettled(target, error))
}

/// Makes a folder and those above it that are missing; the disk has them when this returns.
fn make_folder(folder: &Path) -> io::Result<()> {
    let made = match (fs::create_dir(folder), folder.parent()) {
        (Err(error), Some(above)) if error.kind() == ErrorKind::NotFound => {
            make_folder(above)?;
            fs::create_dir(folder)
        }
        (made, _) => made,
    };
    match made {
        Ok(()) => folder.parent().map_or(Ok(()), sync_folder),
        Err(error) if error.kind() == ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    match File::open(folder)?.sync_all() {
        // some file systems of a network do not know it
        Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => Ok(()),
        synced => synced,
    }
}

/// Folders cannot be synced; their names are in the journal of the file system.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Keeps all others that ask for it from overwriting in the folder of `target` until it is dropped, or the process ends.
/// `None`: the file system knows no locks, or whoever has it was stopped half-way; what is read then is still compared.
#[cfg(unix)]
pub(super) fn lock(target: &Path) -> Result<Option<File>> {
    let path = target.parent().unwrap_or(target);
    let folder = match File::open(path) {
        Ok(folder) => folder,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed("lock the folder", path)(error)),
    };
    for _ in 0..LOOKS {
        match folder.try_lock() {
            Ok(()) => return Ok(Some(folder)),
            Err(TryLockError::WouldBlock) => std::thread::sleep(BETWEEN_LOOKS),
            Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(failed("lock the folder", path)(error)),
        }
    }
    Ok(None)
}

/// Elsewhere a folder cannot be opened as a file: what is read is compared all the same.
#[cfg(not(unix))]
pub(super) fn lock(_: &Path) -> Result<Option<File>> {
    Ok(None)
}
