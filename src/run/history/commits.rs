//! What a run committed to a table, as the table's own log tells.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::delta::{CommitRecord, Lake};

/// The commits of one run to one table, its quarantine included.
#[derive(Debug, Default, PartialEq)]
pub struct Commits {
    /// the version that the first of them made
    first: Option<i64>,
    /// the version that the last of them made
    pub version: Option<i64>,
    /// of the landing files that came in
    pub bytes_read: Option<u64>,
    /// of the data files that were added
    pub bytes_written: Option<u64>,
    /// how many were added
    pub files_written: Option<u64>,
}

impl Commits {
    /// Those of a run to the table in the first of these folders, and the bytes of all. What cannot be read is not known.
    pub async fn of(lake: &Lake, run_id: &str, since: DateTime<Utc>, folders: &[String]) -> Self {
        let mut all = Commits::default();
        for (number, folder) in folders.iter().enumerate() {
            match lake.table(folder).commits_since(since).await {
                Ok(commits) => all.add(run_id, &commits, number == 0),
                Err(error) => {
                    tracing::debug!(folder, %error, "what a run wrote is not known");
                    return Commits::default();
                }
            }
        }
        all
    }

    /// The version that the table had before, when it has `version` now.
    pub fn before(&self, version: Option<i64>) -> Option<i64> {
        match self.first {
            Some(first) => Some(first - 1).filter(|before| *before >= 0),
            None => version,
        }
    }

    fn add(&mut self, run_id: &str, commits: &[CommitRecord], is_table: bool) {
        let is_own = |commit: &CommitRecord| {
            let id = commit.note.as_ref().and_then(|note| note.get("run_id"));
            id.and_then(Value::as_str).is_some_and(|id| id == run_id)
        };
        for commit in commits.iter().filter(|commit| is_own(commit)) {
            // what comes back was written long ago
            let (bytes, files) = match commit.operation.as_str() {
                "RESTORE" => (0, 0),
                _ => (commit.bytes_added, commit.files_added as u64),
            };
            self.bytes_written = Some(self.bytes_written.unwrap_or(0) + bytes);
            self.files_written = Some(self.files_written.unwrap_or(0) + files);
            if is_table {
                self.first.get_or_insert(commit.version);
                self.version = Some(commit.version);
                let files = commit.note.as_ref().and_then(|note| note.get("files")).and_then(Value::as_array);
                if let Some(files) = files {
                    let bytes: u64 = files.iter().filter_map(|file| file.get("size")?.as_u64()).sum();
                    self.bytes_read = Some(self.bytes_read.unwrap_or(0) + bytes);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commits_of_others_do_not_count() {
        let commit = |version, run: &str, bytes_added| CommitRecord {
            version,
            bytes_added,
            note: serde_json::json!({ "run_id": run, "files": [{ "size": 7 }] }).as_object().cloned(),
            ..CommitRecord::default()
        };
        let mut commits = Commits::default();
        commits.add("a", &[commit(3, "b", 1), commit(4, "a", 10), commit(5, "b", 1), commit(6, "a", 20)], true);
        commits.add("a", &[commit(9, "a", 100)], false);
        assert_eq!((commits.before(Some(8)), commits.version), (Some(3), Some(6)));
        assert_eq!((commits.bytes_read, commits.bytes_written), (Some(14), Some(130)));
        assert_eq!(Commits::default().before(Some(8)), Some(8));
        let mut made = Commits::default();
        made.add("a", &[commit(0, "a", 10)], true);
        assert_eq!(made.before(Some(0)), None);
    }
}
