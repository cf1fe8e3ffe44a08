//! What can go wrong with a table, grouped by what the caller should do about it.

use deltalake::DeltaTableError;
use deltalake::logstore::object_store;
use polars::error::PolarsError;

/// Why an operation on the lake failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another writer took the version: take a fresh snapshot and plan again. Nothing of this change is visible.
    #[error("{table}: version {version} was written by another writer")]
    Lost {
        /// the table's folder
        table: String,
        /// the version that this commit wanted
        version: i64,
    },
    /// A version, a commit or a file is no longer there.
    #[error("{table}: {what}")]
    Gone {
        /// the table's folder
        table: String,
        /// what is not there, and what can be done
        what: String,
    },
    /// The table is damaged or uses something that cannot be read rightly.
    #[error("{table}: {what}")]
    Unreadable {
        /// the table's folder
        table: String,
        /// the feature, file or commit
        what: String,
    },
    /// Polars could not carry out a query; the root cause stands first.
    #[error("{0}")]
    Query(String),
    /// It would take more memory than there is to work with; the text says what can be done.
    #[error("{0}")]
    Memory(String),
    /// The store failed. Nothing is known about whether the last request arrived; the same work may be tried again.
    #[error("{location}: {what}")]
    Storage {
        /// path or URL
        location: String,
        /// the store's words
        what: String,
    },
    /// What the caller asked for cannot be stored.
    #[error("{table}: {what}")]
    Invalid {
        /// the table's folder
        table: String,
        /// what is wrong with it
        what: String,
    },
}

impl Error {
    pub(super) fn invalid(table: &str, what: impl Into<String>) -> Self {
        Error::Invalid { table: table.into(), what: what.into() }
    }

    pub(super) fn unreadable(table: &str, what: impl Into<String>) -> Self {
        Error::Unreadable { table: table.into(), what: what.into() }
    }

    pub(super) fn gone(table: &str, what: impl Into<String>) -> Self {
        Error::Gone { table: table.into(), what: what.into() }
    }

    pub(super) fn storage(location: &str, cause: &dyn std::error::Error) -> Self {
        Error::Storage { location: location.into(), what: with_causes(cause) }
    }

    /// The library's error about the table at `table`.
    pub(super) fn delta(table: &str, error: &DeltaTableError) -> Self {
        match error {
            DeltaTableError::ObjectStore { source } => Error::storage(table, source),
            DeltaTableError::Io { source } => Error::storage(table, source),
            other => Error::unreadable(table, with_causes(other)),
        }
    }

    pub(super) fn object(location: &str, error: &object_store::Error) -> Self {
        Error::storage(location, error)
    }
}

impl From<PolarsError> for Error {
    fn from(error: PolarsError) -> Self {
        Error::Query(root_cause(&error))
    }
}

/// An error and what caused it, each said once.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}

/// Polars wraps an error in one context after another; the innermost says what happened.
fn root_cause(error: &PolarsError) -> String {
    match error {
        PolarsError::Context { error, .. } => root_cause(error),
        other => other.to_string(),
    }
}
