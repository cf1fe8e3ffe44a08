//! What can go wrong with a table, grouped by what the caller should do about it.

use std::io::{self, ErrorKind};

use deltalake::DeltaTableError;
use deltalake::logstore::object_store;
use polars::error::PolarsError;

use super::disk::{Failure, Unsettled};
use crate::bucket;

/// Why an operation on the lake failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another writer took the version: take a fresh snapshot and plan again. Nothing of this change is visible.
    #[error("{table}: version {version} was written by {by}")]
    Lost {
        /// the table's folder
        table: String,
        /// the version that this commit wanted
        version: i64,
        /// who has it: the run and what it did, or another program
        by: String,
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
    /// Another writer has `version`; who it is is not known.
    pub fn lost(table: &str, version: i64) -> Self {
        Error::Lost { table: table.into(), version, by: "another writer".into() }
    }

    pub(super) fn invalid(table: &str, what: impl Into<String>) -> Self {
        Error::Invalid { table: table.into(), what: what.into() }
    }

    pub(super) fn unreadable(table: &str, what: impl Into<String>) -> Self {
        Error::Unreadable { table: table.into(), what: what.into() }
    }

    pub(super) fn gone(table: &str, what: impl Into<String>) -> Self {
        Error::Gone { table: table.into(), what: what.into() }
    }

    pub(super) fn storage(location: &str, cause: Cause<'_>) -> Self {
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

/// What an error comes from.
pub(super) type Cause<'a> = &'a (dyn std::error::Error + 'static);

/// An error, what caused it, what caused that.
fn chain<'a>(error: Cause<'a>) -> impl Iterator<Item = Cause<'a>> {
    std::iter::successors(Some(error), |error| error.source())
}

/// An error and what caused it, each said once, and what to do about it if that can be said.
fn with_causes(error: Cause<'_>) -> String {
    // so does what a bucket's server refused
    if let Some(failure) = bucket::Failure::within(error) {
        return failure.to_string();
    }
    let mut causes: Vec<Cause<'_>> = chain(error).collect();
    // what the disk refused says all of it
    if let Some(failure) = causes.iter().position(|error| error.is::<Failure>() || error.is::<Unsettled>()) {
        causes.drain(..failure);
    }
    // says no more than what it comes from
    if causes.len() > 1 && matches!(causes[0].downcast_ref(), Some(object_store::Error::Generic { .. })) {
        causes.remove(0);
    }
    let mut text = String::new();
    for more in causes.iter().map(ToString::to_string) {
        if text.is_empty() {
            text = more;
        } else if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
    }
    match causes.iter().find_map(|error| advice(error.downcast_ref()?)) {
        Some(advice) => format!("{text}; {advice}"),
        None => text,
    }
}

/// What to do when the system refuses something.
fn advice(error: &io::Error) -> Option<&'static str> {
    /// EIO, on every Unix
    const BROKEN: i32 = 5;
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            Some("make room there and run again: what is committed stays, and the rest is done then")
        }
        ErrorKind::PermissionDenied => Some("give this user the right to it and run again"),
        ErrorKind::ReadOnlyFilesystem => Some("mount it for writing and run again"),
        _ if error.raw_os_error() == Some(BROKEN) => Some(
            "the disk fails: look into the system's log before you run again, and run `lakesmith verify --deep` then",
        ),
        _ => None,
    }
}

/// Whether it is about an object that is there, but may not be after a power cut.
pub(super) fn is_unsettled(error: Cause<'_>) -> bool {
    chain(error).any(|error| error.is::<Unsettled>())
}

/// Polars wraps an error in one context after another; the innermost says what happened. If it came from the system,
/// what to do is said too.
pub fn root_cause(error: &PolarsError) -> String {
    match error {
        PolarsError::Context { error, .. } => root_cause(error),
        other if bucket::Failure::within(other).is_some() => with_causes(other),
        PolarsError::IO { error: cause, .. } => match advice(cause) {
            Some(advice) => format!("{error}; {advice}"),
            None => error.to_string(),
        },
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_refuses_is_told_with_what_to_do() {
        let says = |code| Error::storage("silver/t", &io::Error::from_raw_os_error(code)).to_string();
        for (code, word, advice) in
            [(28, "No space left", "make room"), (13, "Permission denied", "right to it"), (5, "output error", "log")]
        {
            let said = says(code);
            assert!(said.starts_with("silver/t: ") && said.contains(word) && said.contains(advice), "{said}");
            let polars = root_cause(&io::Error::from_raw_os_error(code).into());
            assert!(polars.contains(word) && polars.contains(advice), "{polars}");
        }
        assert_eq!(says(2), "silver/t: No such file or directory (os error 2)");
    }

    #[test]
    fn a_store_that_says_nothing_by_itself_is_left_out() {
        let source = io::Error::from_raw_os_error(2).into();
        let error = object_store::Error::Generic { store: "LocalFileSystem", source };
        assert_eq!(Error::object("t", &error).to_string(), "t: No such file or directory (os error 2)");
    }
}
