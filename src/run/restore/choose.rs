//! Which version of a table below was made from the version that its input goes back to. By the commits alone.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::delta::CommitRecord;
use crate::run::past::is_foreign;
use crate::run::protocol::{RESTORED, watermark_txn};

/// The versions of a table that have the same rows as `version`, as far as its commits tell: those that follow by
/// commits that changed no row, and those to which it went back.
pub fn same_rows(history: &[CommitRecord], version: i64) -> BTreeSet<i64> {
    // each version, and the first one that is known to have its rows
    let mut first: BTreeMap<i64, i64> = BTreeMap::new();
    for commit in history {
        let restored = commit.note.as_ref().and_then(|note| note.get(RESTORED)?.as_i64());
        let like = match restored {
            Some(restored) => restored,
            None if commit.data_change => commit.version,
            None => commit.version - 1,
        };
        first.insert(commit.version, first.get(&like).copied().unwrap_or(like));
    }
    let of = |version: i64| first.get(&version).copied().unwrap_or(version);
    let same = first.keys().copied().filter(|other| of(*other) == of(version));
    same.chain([version]).collect()
}

/// The newest version that lakesmith made from inputs at these versions; by txn, any of several with the same rows.
pub fn made_from(history: &[CommitRecord], inputs: &BTreeMap<String, BTreeSet<i64>>) -> Option<i64> {
    let mut made = false;
    let mut newest = None;
    for commit in history {
        // A commit that computes rows from later versions of its inputs notes those of all of them.
        let reads = commit.txns.keys().any(|app| app.starts_with(&watermark_txn("")));
        let ours = commit.note.as_ref().is_some_and(|note| note.get("run_id").is_some_and(Value::is_string));
        if is_foreign(commit) {
            made = false;
        } else if ours && reads {
            let is_at = |(app, versions): (&String, &BTreeSet<i64>)| {
                commit.txns.get(app).is_some_and(|version| versions.contains(version))
            };
            made = inputs.iter().all(is_at);
        }
        if made {
            newest = Some(commit.version);
        }
    }
    newest
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A commit of ours that notes how far `a` and `b` were read.
    fn ours(version: i64, txns: &[(&str, i64)], data_change: bool) -> CommitRecord {
        let note = json!({ "run_id": "r" }).as_object().cloned();
        let txns = txns.iter().map(|(app, version)| (watermark_txn(app), *version)).collect();
        CommitRecord { version, txns, data_change, note, ..CommitRecord::default() }
    }

    fn theirs(version: i64) -> CommitRecord {
        CommitRecord { version, data_change: true, ..CommitRecord::default() }
    }

    fn restored(version: i64, to: i64) -> CommitRecord {
        let note = json!({ "run_id": "r", RESTORED: to }).as_object().cloned();
        CommitRecord { note, ..ours(version, &[], true) }
    }

    fn at(inputs: &[(&str, &[i64])]) -> BTreeMap<String, BTreeSet<i64>> {
        inputs.iter().map(|(app, versions)| (watermark_txn(app), versions.iter().copied().collect())).collect()
    }

    #[test]
    fn versions_have_the_same_rows_where_no_commit_between_them_changed_any_or_one_went_back() {
        let history = [
            ours(0, &[], true),
            ours(1, &[], false),
            ours(2, &[], true),
            restored(3, 1),
            ours(4, &[], false),
            theirs(5),
            restored(6, 4),
            restored(7, 2),
        ];
        for (version, same) in [(0, vec![0, 1, 3, 4, 6]), (4, vec![0, 1, 3, 4, 6]), (2, vec![2, 7]), (5, vec![5])] {
            assert_eq!(same_rows(&history, version).into_iter().collect::<Vec<_>>(), same, "{version}");
        }
    }

    #[test]
    fn what_a_log_no_longer_tells_has_only_its_own_rows() {
        let history = [ours(7, &[], false), restored(8, 2), ours(9, &[], true)];
        assert_eq!(same_rows(&history, 7), BTreeSet::from([7]), "6 is gone");
        assert_eq!(same_rows(&history, 8), BTreeSet::from([8]));
        assert_eq!(same_rows(&[], 3), BTreeSet::from([3]));
    }

    #[test]
    fn the_newest_version_made_from_the_inputs_counts() {
        let history = [
            ours(0, &[("a", 0), ("b", 0)], true),
            ours(1, &[("a", 3), ("b", 0)], true),
            ours(2, &[("a", 3), ("b", 1)], true),
            ours(3, &[("a", 4), ("b", 1)], true),
            ours(4, &[("b", 1)], true),
        ];
        assert_eq!(made_from(&history, &at(&[("a", &[3])])), Some(2));
        assert_eq!(made_from(&history, &at(&[("a", &[3, 4])])), Some(3));
        assert_eq!(made_from(&history, &at(&[("a", &[3]), ("b", &[0])])), Some(1));
        assert_eq!(made_from(&history, &at(&[("a", &[4]), ("b", &[0])])), None);
        assert_eq!(made_from(&history, &at(&[("a", &[9])])), None);
    }

    #[test]
    fn what_is_made_anew_from_the_same_versions_counts() {
        let history = [ours(0, &[("a", 3)], true), ours(1, &[], true), ours(2, &[("a", 4)], true)];
        assert_eq!(made_from(&history, &at(&[("a", &[3])])), Some(1), "a backfill notes no versions");
    }

    #[test]
    fn a_version_that_another_writer_changed_does_not_count_and_one_that_was_only_rearranged_does() {
        let history = [
            ours(0, &[("a", 3)], true),
            ours(1, &[], false),
            theirs(2),
            ours(3, &[], false),
            ours(4, &[("b", 1)], true),
        ];
        assert_eq!(made_from(&history, &at(&[("a", &[3])])), Some(1));
    }
}
