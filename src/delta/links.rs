//! Symbolic links within a table's folder: what lies beyond one is not the table's.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::Table;

/// Where the folders of a table on a local disk really are, for stores follow links. Of tables elsewhere all is plain.
pub(super) struct Links {
    root: Option<(PathBuf, PathBuf)>,
    folders: BTreeMap<PathBuf, bool>,
}

impl Links {
    pub(super) fn of(table: &Table) -> Self {
        let lake = table.lake().overlaid().map_or(table.lake(), |(_, below)| below);
        let root = lake.local_path().map(|lake| lake.join(table.folder()));
        let root = root.map(|root| (std::fs::canonicalize(&root).unwrap_or_else(|_| root.clone()), root));
        Links { root, folders: BTreeMap::new() }
    }

    /// Whether the folder of a file is one of the table's.
    pub(super) fn stays_within(&mut self, path: &str) -> bool {
        let Some((real, root)) = &self.root else { return true };
        let folder = Path::new(path).parent().unwrap_or(Path::new("")).to_path_buf();
        let stays = |folder: &PathBuf| match std::fs::canonicalize(root.join(folder)) {
            Ok(at) => at == real.join(folder),
            Err(_) => !root.join(folder).exists(),
        };
        *self.folders.entry(folder.clone()).or_insert_with(|| stays(&folder))
    }

    /// Whether there is nothing at a path, or a file that is no link and not beyond one.
    pub(super) fn leads_to_file(&mut self, path: &str) -> bool {
        if !self.stays_within(path) {
            return false;
        }
        let Some((_, root)) = &self.root else { return true };
        std::fs::symlink_metadata(root.join(path)).map_or(true, |found| found.is_file())
    }
}
