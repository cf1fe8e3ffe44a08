//! Why a task could not be done.

use polars::prelude::PolarsError;

use crate::delta;
use crate::report::GuardStop;

/// Why a task could not be done; its text is what the user reads.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// the table's storage
    #[error(transparent)]
    Delta(#[from] delta::Error),
    /// a computation
    #[error("{}", delta::root_cause(.0))]
    Compute(#[from] PolarsError),
    /// the table must not be run as it is
    #[error("{0}")]
    Refused(String),
    /// the guard stopped it
    #[error("{0}")]
    Guarded(GuardStop),
    /// files and folders
    #[error("{what}: {source}")]
    Io {
        /// what was tried, with the path
        what: String,
        /// the system's answer
        source: std::io::Error,
    },
    /// a task of this process died
    #[error("internal error: {0}; please report it")]
    Internal(String),
}

impl Error {
    /// Another writer was faster: look again at what is left to do.
    pub fn is_lost(&self) -> bool {
        matches!(self, Error::Delta(delta::Error::Lost { .. }))
    }
}

impl From<tokio::task::JoinError> for Error {
    fn from(error: tokio::task::JoinError) -> Self {
        Error::Internal(error.to_string())
    }
}

/// The result of a task or a part of one.
pub type Result<T, E = Error> = std::result::Result<T, E>;
