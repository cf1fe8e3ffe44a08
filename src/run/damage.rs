//! Why rows cannot be read: a library's words about a file say little; which file of which table it is, what is wrong
//! with it and what can be done, the log tells by its sizes, and by its hash of the file that the words name.

use super::error::Error;
use super::protocol::{folder, quarantine_folder};
use crate::delta::{self, Lake, Snapshot};
use crate::name::TableName;

/// What readers say of files that are not as they were written.
const SIGNS: [&str; 9] =
    ["parquet", "data file", "os error", "corrupt", "decompress", "out of specification", "thrift", "range", "eof"];

fn looks_damaged(error: &Error, said: &str) -> bool {
    let may_be = match error {
        Error::Compute(_) | Error::Internal(_) | Error::Io { .. } => true,
        Error::Delta(delta::Error::Gone { .. }) => return true,
        Error::Delta(error) => !matches!(error, delta::Error::Lost { .. } | delta::Error::Memory(_)),
        Error::Refused(_) | Error::Guarded(_) => false,
    };
    let text = said.to_lowercase();
    may_be && !delta::is_elsewhere(said) && SIGNS.iter().any(|sign| text.contains(sign))
}

/// As [`explained`], where these versions were read.
pub async fn of_versions(versions: impl IntoIterator<Item = &Snapshot>, error: Error) -> Error {
    let said = error.to_string();
    if !looks_damaged(&error, &said) {
        return error;
    }
    for version in versions {
        if let Ok(Some(damage)) = version.find_damage(&said).await {
            return damage.into();
        }
    }
    advised(error)
}

/// The error in the words of the damaged file that is behind it, if one is; `tables` are those that were read.
pub async fn explained(lake: &Lake, tables: Vec<TableName>, error: Error) -> Error {
    let said = error.to_string();
    if !looks_damaged(&error, &said) {
        return error;
    }
    for name in &tables {
        for folder in [folder(name), quarantine_folder(name)] {
            if let Ok(Some(snapshot)) = lake.table(&folder).snapshot().await
                && let Ok(Some(damage)) = snapshot.find_damage(&said).await
            {
                return damage.into();
            }
        }
    }
    advised(error)
}

/// The error, with what can be done to know more if it is about bytes that cannot be read.
pub fn advised(error: Error) -> Error {
    let is_of_reader = match &error {
        Error::Compute(_) | Error::Internal(_) | Error::Io { .. } => true,
        Error::Delta(error) => matches!(error, delta::Error::Storage { .. } | delta::Error::Query(_)),
        Error::Refused(_) | Error::Guarded(_) => false,
    };
    match delta::with_advice(&error.to_string()).filter(|_| is_of_reader) {
        Some(text) => Error::Refused(text),
        None => error,
    }
}
