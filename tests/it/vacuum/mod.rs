//! `vacuum`, `pin`, `unpin`: what is kept reads the same for ever (I6), what nothing needs goes. Time passes by moving
//! the times of commits and files back.

mod chance;
mod foreign;
mod others;
mod pins;
mod rules;
mod story;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use lakesmith::delta::Lake;
use serde_json::Value;

use crate::lake::{Rows, rows_at};
use crate::support::Project;

/// A file of events: `id,kind,amount` each.
fn events(rows: &[&str]) -> String {
    let rows = rows.iter().map(|row| format!("{row},2026-01-01T00:00:00Z\n"));
    ["id,kind,amount,at\n".to_owned()].into_iter().chain(rows).collect()
}

/// So many days go by in the lake.
fn pass(project: &Project, days: u64) {
    pass_in(&project.path("lake"), Duration::from_hours(24 * days));
}

fn pass_in(dir: &Path, time: Duration) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            pass_in(&path, time);
            continue;
        }
        let is_commit = path.extension().is_some_and(|e| e == "json") && path.parent().unwrap().ends_with("_delta_log");
        if is_commit {
            let lines = fs::read_to_string(&path).unwrap();
            fs::write(&path, lines.lines().map(|line| earlier(line, time) + "\n").collect::<String>()).unwrap();
        }
        let modified = fs::metadata(&path).unwrap().modified().unwrap();
        set_modified(&path, modified - time);
    }
}

fn earlier(line: &str, time: Duration) -> String {
    let mut action: Value = serde_json::from_str(line).unwrap();
    if let Some(at) = action.pointer_mut("/commitInfo/timestamp") {
        *at = (at.as_i64().unwrap() - i64::try_from(time.as_millis()).unwrap()).into();
    }
    action.to_string()
}

fn set_modified(path: &Path, at: SystemTime) {
    fs::File::options().write(true).open(path).unwrap().set_modified(at).unwrap();
}

/// A table's data files.
fn files(project: &Project, folder: &str) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = project.lake_files().into_iter().map(|(path, _)| path).collect();
    let folder = project.path("lake").join(folder);
    found.retain(|path| path.starts_with(&folder) && !path.components().any(|part| part.as_os_str() == "_delta_log"));
    found
}

/// What a vacuum says of one table.
fn table<'a>(report: &'a Value, name: &str) -> &'a Value {
    crate::support::table(report, name)
}

fn lake(project: &Project) -> Lake {
    Lake::open(project.path("lake").to_str().unwrap(), &BTreeMap::new()).unwrap()
}

/// The rows of a version of silver.events.
fn silver(project: &Project, version: i64) -> Rows {
    let columns = ["id", "kind", "amount", "at", "_batch", "_source_file", "_source_row"];
    block_on(rows_at(&lake(project), "silver/events", version, &columns))
}

/// The rows of a version of gold.totals.
fn gold(project: &Project, version: i64) -> Rows {
    block_on(rows_at(&lake(project), "gold/totals", version, &["kind", "events", "amount"]))
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(work)
}

/// Four runs, twenty days after one another: each changes the one row of kind `a` and adds one, the second also has one
/// row refused.
fn grown() -> Project {
    static GROWN: LazyLock<Project> = LazyLock::new(grow);
    let project = Project::empty();
    copy(GROWN.root(), project.root());
    project
}

fn grow() -> Project {
    let project = Project::small();
    let files =
        [["1,a,1.00", "2,b,1.00"], ["1,a,2.00", "x,b,2.00"], ["1,a,3.00", "3,b,3.00"], ["1,a,4.00", "4,b,4.00"]];
    for (number, rows) in files.iter().enumerate() {
        if number > 0 {
            pass(&project, 20);
        }
        let file = events(rows).replace("2026-01-01", &format!("2026-01-0{}", number + 1));
        project.write(&format!("landing/events/{number}.csv"), file);
        project.run(0);
    }
    project
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let (path, to) = (entry.as_ref().unwrap().path(), to.join(entry.unwrap().file_name()));
        if path.is_dir() {
            fs::create_dir_all(&to).unwrap();
            copy(&path, &to);
        } else {
            let modified = fs::metadata(&path).unwrap().modified().unwrap();
            fs::copy(&path, &to).unwrap();
            set_modified(&to, modified);
        }
    }
}
