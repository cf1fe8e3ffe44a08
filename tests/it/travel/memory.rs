//! What every version of every table held when it was made (I6).

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use lakesmith::delta::{At, Lake};

use crate::lake::{Rows, assert_rows};

/// Versions, by folder and number.
#[derive(Default)]
pub struct Memory {
    versions: BTreeMap<String, BTreeMap<i64, Version>>,
}

/// A version as it was when it was made.
pub struct Version {
    /// all columns
    pub rows: Rows,
    /// whether a vacuum may have taken it
    pub is_gone: bool,
    pub made_at: DateTime<Utc>,
    /// rows differ from what the table's inputs say, by the hand of another writer
    pub is_tainted: bool,
    /// the version of the quarantine that belongs to it
    pub quarantine: Option<i64>,
}

impl Memory {
    /// Remembers the versions that are new in these folders.
    pub async fn learn(&mut self, lake: &Lake, folders: &[String]) {
        for folder in folders {
            let table = lake.table(folder);
            let Some(newest) = table.snapshot().await.unwrap() else { continue };
            let known = self.versions.entry(folder.clone()).or_default();
            let from = known.last_key_value().map_or(0, |(version, _)| version + 1);
            if from > newest.version() {
                continue;
            }
            for commit in table.history(from).await.unwrap() {
                let version = commit.version;
                let snapshot = table.snapshot_at(&At::Version(version)).await.unwrap();
                let note = commit.note.unwrap_or_default();
                let action = note.get("action").and_then(|action| action.as_str()).unwrap_or_default();
                let before = known.get(&(version - 1)).is_some_and(|before| before.is_tainted);
                let is_tainted = match note.get("restored").and_then(|restored| restored.as_i64()) {
                    Some(restored) => known[&restored].is_tainted,
                    None if commit.data_change && !note.contains_key("run_id") => true,
                    None => before && action != "rebuild",
                };
                let made = Version {
                    rows: crate::lake::rows_of(&snapshot, &["*"]).await,
                    is_gone: false,
                    made_at: commit.timestamp,
                    is_tainted,
                    quarantine: quarantine(snapshot.txns()),
                };
                known.insert(version, made);
            }
        }
    }

    /// Every version reads as it did; what a vacuum may have taken may be an error, and is never anything else.
    pub async fn check(&self, lake: &Lake) {
        for (folder, versions) in &self.versions {
            for (number, version) in versions {
                match read(lake, folder, *number).await {
                    Ok(rows) => assert_rows(&format!("{folder}@{number}"), &rows, &version.rows),
                    Err(error) => assert!(version.is_gone, "{folder}@{number}: {error}"),
                }
            }
        }
    }

    /// The versions of a table that were the newest then or later.
    pub fn newest_since(&self, folder: &str, since: DateTime<Utc>) -> BTreeSet<(String, i64)> {
        let versions: Vec<(i64, &Version)> = self.of(folder).collect();
        let follower = versions.iter().skip(1).map(|(_, version)| version.made_at).map(Some).chain([None]);
        let kept = versions.iter().zip(follower).filter(|(_, follower)| follower.is_none_or(|made| made > since));
        kept.map(|((number, _), _)| (folder.to_owned(), *number)).collect()
    }

    /// After a vacuum: what it had to keep reads as it did, the rest so or not at all.
    pub async fn lose(&mut self, lake: &Lake, needed: &BTreeSet<(String, i64)>) {
        for (folder, versions) in &mut self.versions {
            for (number, version) in versions.iter_mut() {
                let what = format!("{folder}@{number}");
                match read(lake, folder, *number).await {
                    Ok(rows) => assert_rows(&what, &rows, &version.rows),
                    Err(error) => {
                        assert!(!needed.contains(&(folder.clone(), *number)), "{what} is needed: {error}");
                        version.is_gone = true;
                    }
                }
            }
        }
    }

    /// The versions of a table.
    pub fn of(&self, folder: &str) -> impl DoubleEndedIterator<Item = (i64, &Version)> {
        self.versions.get(folder).into_iter().flatten().map(|(number, version)| (*number, version))
    }

    pub fn is_tainted(&self, folder: &str) -> bool {
        self.of(folder).last().is_some_and(|(_, version)| version.is_tainted)
    }
}

fn quarantine(txns: &BTreeMap<String, i64>) -> Option<i64> {
    txns.iter().find(|(app, _)| app.starts_with("lakesmith/quarantine/")).map(|(_, version)| *version)
}

/// The rows of a version, or why they cannot be had.
pub async fn read(lake: &Lake, folder: &str, version: i64) -> Result<Rows, String> {
    let snapshot = lake.table(folder).snapshot_at(&At::Version(version)).await.map_err(|error| error.to_string())?;
    crate::lake::try_rows_of(&snapshot, &["*"]).await
}
