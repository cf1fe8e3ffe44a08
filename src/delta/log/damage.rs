//! What is wrong with the files of a log, and which command says what can be done.

use serde_json::Error as JsonError;

use super::{FOLDER, Note, commit_name};
use crate::delta::Error;

/// The key of a commit's note that tells how many actions the commit has, itself counted: a file that was cut off
/// between two lines looks like a whole one.
pub(in crate::delta) const ACTIONS: &str = "actions";

/// The lines of a commit file.
///
/// # Errors
/// What is wrong with it, as a power cut, a full disk or a broken copy leaves it.
pub(super) fn text_of(bytes: &[u8]) -> Result<String, String> {
    if bytes.iter().all(|byte| byte.is_ascii_whitespace() || *byte == 0) {
        return Err(if bytes.is_empty() { "is empty" } else { "holds nothing but zeros or blanks" }.to_owned());
    }
    let text =
        std::str::from_utf8(bytes).map_err(|error| format!("is no text from byte {} on", error.valid_up_to()))?;
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let last = lines.clone().next_back().unwrap_or_default();
    if !last.trim_end().ends_with('}') {
        return Err("is cut off".to_owned());
    }
    match (lines.clone().count(), lines.clone().find_map(noted)) {
        (found, Some(noted)) if found != noted => Err(format!("is cut off: it has {found} of its {noted} lines")),
        _ => Ok(text.to_owned()),
    }
}

/// How many actions a line says that its commit has.
fn noted(line: &str) -> Option<usize> {
    Note::of(Some(line).filter(|line| line.starts_with("{\"commitInfo\""))?)?.actions
}

/// What is wrong with a line, counted from 0.
pub(super) fn of_line(number: usize, error: &JsonError) -> String {
    match error.is_eof() {
        true => format!("is cut off: its line {} breaks off", number + 1),
        false => format!("is damaged: line {}: {error}", number + 1),
    }
}

/// A commit file that cannot be read.
pub(super) fn of_commit(table: &str, version: i64, what: &str) -> Error {
    let file = commit_name(version);
    Error::unreadable(
        table,
        format!("{FOLDER}/{file} {what}, so what version {version} did cannot be told; {}", repair(table)),
    )
}

/// A commit file that is not there.
pub(in crate::delta) fn lost_commit(table: &str, version: i64) -> Error {
    let file = commit_name(version);
    Error::unreadable(table, format!("{FOLDER}/{file} is missing, and later versions stand on it; {}", repair(table)))
}

/// The file of a commit on which another was to follow is not there, though its version can be read from a checkpoint.
pub(in crate::delta) fn missing_commit(table: &str, version: i64) -> Error {
    let (file, mend) = (commit_name(version), crate::delta::table::repair(table));
    Error::unreadable(
        table,
        format!(
            "{FOLDER}/{file} is missing, and without it nothing can be committed; a checkpoint says what it came to: \
             `{mend}` writes it again"
        ),
    )
}

/// Which command looks into it. `table` is a folder such as `silver/orders`.
pub(super) fn repair(table: &str) -> String {
    format!("`{}` says what can be done", crate::delta::table::repair(table))
}
