//! What is seen of the lake below.

use std::collections::{BTreeMap, BTreeSet};

use deltalake::logstore::object_store::path::Path;

/// The folder of a table's log.
pub(super) const LOG: &str = "_delta_log";
/// The hint at the last checkpoint.
const HINT: &str = "_last_checkpoint";
/// Names of the files of a version begin with so many digits.
const DIGITS: usize = 20;

/// What is not seen of the lake below.
#[derive(Debug, Default)]
pub(super) struct View {
    /// folders of which nothing is seen
    aside: Vec<Path>,
    /// objects that were deleted above
    deleted: BTreeSet<Path>,
    /// logs that go on by themselves, with the first version of their own: what the lake below commits after that is
    /// another history
    parted: BTreeMap<Path, i64>,
}

impl View {
    pub(super) fn new(aside: Vec<Path>) -> Self {
        View { aside, ..View::default() }
    }

    /// Whether an object or folder of the lake below is not seen.
    pub(super) fn hides(&self, location: &Path) -> bool {
        self.deleted.contains(location)
            || self.aside.iter().any(|folder| location.prefix_matches(folder))
            || self.is_of_another_history(location)
    }

    fn is_of_another_history(&self, location: &Path) -> bool {
        let Some((log, name)) = log_file(location) else { return false };
        let Some(first) = self.parted.get(&log) else { return false };
        name == HINT || version(&name).is_some_and(|version| version >= *first)
    }

    pub(super) fn delete(&mut self, location: Path) {
        self.deleted.insert(location);
    }

    /// A log goes on by itself from a version on; `false` if it did so already.
    pub(super) fn part(&mut self, log: &Path, version: i64) -> bool {
        let new = !self.parted.contains_key(log);
        self.parted.entry(log.clone()).or_insert(version);
        new
    }
}

/// The log of a commit file, and its version.
pub(super) fn commit(location: &Path) -> Option<(Path, i64)> {
    let (log, name) = log_file(location)?;
    let version = version(&name).filter(|_| name.len() == DIGITS + ".json".len() && name.ends_with(".json"))?;
    Some((log, version))
}

/// Where a log keeps its hint at the last checkpoint.
pub(super) fn hint(log: &Path) -> Path {
    log.clone().join(HINT)
}

/// The log and the name of a file in it; not of one in a folder below.
fn log_file(location: &Path) -> Option<(Path, String)> {
    let (log, name) = location.as_ref().rsplit_once('/')?;
    let is_log = log.rsplit('/').next() == Some(LOG);
    Some((Path::parse(log).ok().filter(|_| is_log)?, name.to_owned()))
}

fn version(name: &str) -> Option<i64> {
    name.get(..DIGITS)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Path {
        Path::parse(text).unwrap()
    }

    #[test]
    fn a_log_that_parted_hides_what_came_later_and_nothing_else() {
        let mut view = View::new(Vec::new());
        let log = path("lake/silver/t/_delta_log");
        assert!(view.part(&log, 11) && !view.part(&log, 12));
        let hidden = |name: &str| view.hides(&log.clone().join(name));
        for name in ["00000000000000000010.json", "00000000000000000010.checkpoint.parquet", "odd"] {
            assert!(!hidden(name), "{name}");
        }
        for name in [
            "00000000000000000011.json",
            "00000000000000000020.checkpoint.parquet",
            "00000000000000000020.checkpoint.0000000001.0000000002.parquet",
            "00000000000000000012.00000000000000000015.compacted.json",
            "00000000000000000011.crc",
            "_last_checkpoint",
        ] {
            assert!(hidden(name), "{name}");
        }
        assert!(!view.hides(&path("lake/silver/t/part-1.parquet")));
        assert!(!view.hides(&path("lake/silver/t/_delta_log/_sidecars/a.parquet")));
        assert!(!view.hides(&path("lake/silver/u/_delta_log/00000000000000000011.json")));
    }

    #[test]
    fn a_folder_that_is_set_aside_is_hidden_with_all_in_it() {
        let view = View::new(vec![path("lake/_lakesmith/claims")]);
        assert!(view.hides(&path("lake/_lakesmith/claims")));
        assert!(view.hides(&path("lake/_lakesmith/claims/silver.t.json")));
        assert!(!view.hides(&path("lake/_lakesmith/claims2/x")));
    }

    #[test]
    fn only_commits_are_commits() {
        let of = |name: &str| commit(&path(&format!("lake/t/_delta_log/{name}"))).map(|(_, version)| version);
        assert_eq!(of("00000000000000000007.json"), Some(7));
        assert_eq!(of("00000000000000000007.checkpoint.parquet"), None);
        assert_eq!(of("00000000000000000007.00000000000000000009.compacted.json"), None);
        assert_eq!(of("_last_checkpoint"), None);
        assert_eq!(commit(&path("lake/t/00000000000000000007.json")), None);
    }
}
