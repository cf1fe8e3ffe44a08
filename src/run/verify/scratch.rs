//! A lake in a folder of this machine that goes away with it.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tempfile::TempDir;

use crate::delta::Lake;
use crate::run::Run;
use crate::run::error::{Error, Result};

/// Where what is computed anew is kept while it is compared.
pub struct Scratch {
    run: Run,
    live: Lake,
    folder: TempDir,
}

impl Scratch {
    /// An empty lake beside that of `run`, in the folder for temporary files (`TMPDIR`).
    pub fn new(run: &Run) -> Result<Self> {
        let failed = |source| Error::Io { what: "a folder for what is computed anew".to_string(), source };
        let folder = tempfile::Builder::new().prefix("lakesmith-verify-").tempdir().map_err(failed)?;
        let lake = Lake::open(&folder.path().to_string_lossy(), &Default::default())?;
        let lake = lake.with_memory(run.lake.memory());
        Ok(Scratch { run: run.within(lake), live: run.lake.clone(), folder })
    }

    /// The run whose lake this is.
    pub fn run(&self) -> &Run {
        &self.run
    }

    /// The lake that is verified.
    pub fn live(&self) -> &Lake {
        &self.live
    }

    /// The lake.
    pub fn lake(&self) -> &Lake {
        &self.run.lake
    }
}

/// How often the folder is deleted again: work that an interruption has left behind may still write into it.
const ATTEMPTS: u32 = 5;
const PAUSE: Duration = Duration::from_millis(20);

impl Drop for Scratch {
    fn drop(&mut self) {
        GONE.lock().unwrap_or_else(PoisonError::into_inner).push(self.folder.path().to_owned());
        for _ in 0..ATTEMPTS {
            match std::fs::remove_dir_all(self.folder.path()) {
                Ok(()) => break,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => break,
                Err(_) => std::thread::sleep(PAUSE),
            }
        }
    }
}

/// Folders that were deleted.
static GONE: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Deletes once more what was deleted already, should work that goes on for nobody have written there since.
pub fn sweep() {
    for folder in GONE.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
        let _ = std::fs::remove_dir_all(folder);
    }
}
