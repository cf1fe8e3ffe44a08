//! Whole projects, good and bad.

mod good;

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::load::load_with;
use super::{Fault, Project};

/// Writes files into a new directory.
fn written(files: &[(&str, &str)]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (path, text) in files {
        write(dir.path(), path, text);
    }
    dir
}

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Loads without any variable in the environment.
fn loaded(root: &Path) -> Result<Project, Vec<Fault>> {
    load_with(root, None, &|_| None)
}

/// `file:line:column message | hint`
fn shown(faults: &[Fault]) -> Vec<String> {
    faults
        .iter()
        .map(|f| {
            let hint = f.hint.as_ref().map(|hint| format!(" | {hint}")).unwrap_or_default();
            format!("{}:{}:{} {}{hint}", f.file.display(), f.line, f.column, f.message)
        })
        .collect()
}
