//! Which files of a table are needed, by what is known of it. Pure: the clock is given.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};

use crate::delta::{NamedCommit, Stored};

/// A file that no commit names may belong to a commit that is being made; it is left so long.
pub const IN_FLIGHT: TimeDelta = TimeDelta::hours(24);

/// What is known of a table, to judge its files by.
pub struct Known<'a> {
    /// files of the versions that are kept
    pub needed: BTreeSet<String>,
    /// by version, as far as the log has them
    pub commits: &'a BTreeMap<i64, NamedCommit>,
    /// names, without folders, that are needed wherever they are
    pub elsewhere: &'a BTreeSet<String>,
    /// columns whose names may begin a folder's
    pub partition_by: &'a [String],
    /// files that no commit names must stay: not all of the log is there, or a run is at work
    pub spare_unnamed: bool,
    /// the time
    pub now: DateTime<Utc>,
}

/// What becomes of the files.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Judged {
    /// they go
    pub delete: Vec<Stored>,
    /// no commit names them, and they stay for now
    pub unnamed: usize,
    /// they are none of a Delta table's
    pub unknown: usize,
}

/// The oldest version that was the newest one at `since` or after. Clocks may differ, so that a later version bears an
/// earlier time; the widest span counts.
pub fn first_kept(commits: &BTreeMap<i64, NamedCommit>, newest: i64, since: DateTime<Utc>) -> i64 {
    let later = commits.iter().filter(|(_, commit)| commit.at > since).map(|(version, _)| *version).min();
    later.map_or(newest, |version| (version - 1).clamp(0, newest))
}

/// The oldest version from which on all can be read when only `stored` files are left.
pub fn oldest_readable(commits: &BTreeMap<i64, NamedCommit>, newest: i64, stored: &BTreeSet<&str>) -> i64 {
    let mut oldest = newest;
    while let Some(commit) = commits.get(&oldest).filter(|_| oldest > 0) {
        if !commit.removes.iter().all(|name| stored.contains(name.as_str())) {
            break;
        }
        oldest -= 1;
    }
    oldest
}

/// What becomes of each file in the table's folder.
pub fn judge(stored: Vec<Stored>, known: &Known) -> Judged {
    let named: BTreeSet<&String> =
        known.commits.values().flat_map(|commit| commit.adds.iter().chain(&commit.removes)).collect();
    let mut judged = Judged::default();
    for file in stored {
        let name = file.path.rsplit('/').next().unwrap_or_default();
        if file.is_temporary() && file.within {
            // no log ever names it
            match file.modified_at > known.now - IN_FLIGHT {
                true => judged.unnamed += 1,
                false => judged.delete.push(file),
            }
            continue;
        }
        if is_hidden(&file.path, known.partition_by) {
            continue;
        }
        if known.needed.contains(&file.path) || known.elsewhere.contains(name) {
            continue;
        }
        if !file.within || !is_delta(name) {
            judged.unknown += 1;
        } else if named.contains(&file.path) {
            judged.delete.push(file);
        } else if known.spare_unnamed || file.modified_at > known.now - IN_FLIGHT {
            judged.unnamed += 1;
        } else {
            judged.delete.push(file);
        }
    }
    judged
}

/// Names that begin so are not of the table, as Delta has it, but for folders of partitions.
fn is_hidden(path: &str, partition_by: &[String]) -> bool {
    let is_partition =
        |part: &str| part.split_once('=').is_some_and(|(column, _)| partition_by.iter().any(|name| name == column));
    path.split('/').any(|part| part.starts_with(['_', '.']) && !is_partition(part))
}

/// Data files and deletion vectors.
fn is_delta(name: &str) -> bool {
    name.ends_with(".parquet") || (name.starts_with("deletion_vector_") && name.ends_with(".bin"))
}

#[cfg(test)]
mod tests;
