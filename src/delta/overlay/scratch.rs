//! The folder of what is written above a lake.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tempfile::TempDir;

use crate::delta::Error;

/// The folder that holds what was written above a lake; it goes when this is dropped. A process that is killed outright
/// leaves it in the folder for temporary files, under a name that begins with `lakesmith-`.
#[derive(Debug)]
pub struct Scratch {
    /// deletes it once more
    _guard: TempDir,
    /// without links
    folder: PathBuf,
    closed: Arc<AtomicBool>,
}

/// How often the folder is deleted again if something was written into it meanwhile.
const ATTEMPTS: u32 = 5;
const PAUSE: Duration = Duration::from_millis(20);

impl Scratch {
    pub(super) fn new() -> Result<Self, Error> {
        let place = std::env::temp_dir();
        let failed = |error: std::io::Error| Error::storage(&place.to_string_lossy(), &error);
        let made = make(&place).map_err(failed)?;
        let folder = made.path().canonicalize().map_err(failed)?;
        Ok(Scratch { _guard: made, folder, closed: Arc::default() })
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Set when the folder goes: work that still goes on must not make it again.
    pub(super) fn closed(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.closed)
    }
}

/// The rows are nobody else's business.
fn make(place: &Path) -> std::io::Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("lakesmith-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o700));
    }
    builder.tempdir_in(place)
}

impl Drop for Scratch {
    fn drop(&mut self) {
        self.closed.store(true, Ordering::SeqCst);
        for _ in 0..ATTEMPTS {
            match fs::remove_dir_all(&self.folder) {
                Ok(()) => return,
                Err(error) if error.kind() == ErrorKind::NotFound => return,
                Err(error) => {
                    let folder = self.folder.display();
                    tracing::debug!(%folder, %error, "could not delete a scratch folder");
                    std::thread::sleep(PAUSE);
                }
            }
        }
        tracing::warn!(folder = %self.folder.display(), "a scratch folder could not be deleted");
    }
}
