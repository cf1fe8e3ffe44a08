//! A lake in a folder of this machine that goes away with it.

use tempfile::TempDir;

use crate::delta::Lake;
use crate::run::Run;
use crate::run::error::{Error, Result};

/// Where what is computed anew is kept while it is compared.
pub struct Scratch {
    run: Run,
    live: Lake,
    _folder: TempDir,
}

impl Scratch {
    /// An empty lake beside that of `run`, in the folder for temporary files (`TMPDIR`).
    pub fn new(run: &Run) -> Result<Self> {
        let failed = |source| Error::Io { what: "a folder for what is computed anew".to_string(), source };
        let folder = tempfile::Builder::new().prefix("lakesmith-verify-").tempdir().map_err(failed)?;
        let lake = Lake::open(&folder.path().to_string_lossy(), &Default::default())?;
        let lake = lake.with_memory(run.lake.memory());
        Ok(Scratch { run: run.within(lake), live: run.lake.clone(), _folder: folder })
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
