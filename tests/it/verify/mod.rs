//! `verify`: what is equal is said to be, and whatever somebody has done to a lake is found, in the table where it was
//! done and in no other.

mod bronze;
mod deep;
mod outcomes;
mod tables;

use std::path::PathBuf;

use lakesmith::delta::{Change, Lake, Snapshot};
use polars::prelude::{Expr, LazyFrame};
use serde_json::Value;

use crate::lake::now;
use crate::support::{Project, table};

const FIRST: &str = "id,kind,amount,at
1,a,1.10,2026-01-01T00:00:00Z
2,b,2.20,2026-01-01T00:00:00Z
x,b,2.20,2026-01-01T00:00:00Z
4
";
const SECOND: &str = "id,kind,amount,at
2,b,2.50,2026-01-02T00:00:00Z
1,a,1.00,2025-12-31T00:00:00Z
3,c,3.30,
5,c,1.005,
";

/// The small project with two batches: rows of every fate.
fn made() -> Project {
    let project = Project::small();
    project.write("landing/events/1.csv", FIRST);
    project.run(0);
    project.write("landing/events/2.csv", SECOND);
    project.run(0);
    project
}

impl Project {
    /// `verify --json`, which must not write anything, neither into the lake nor beside it.
    pub fn verify(&self, args: &[&str], code: i32) -> Value {
        let before = self.lake_files();
        std::fs::create_dir_all(self.path("tmp")).unwrap();
        let tmp = self.path("tmp").display().to_string();
        let args: Vec<&str> = ["verify", "--json"].iter().chain(args).copied().collect();
        let said = self.lakesmith_with(&[("TMPDIR", &tmp)], &args);
        assert_eq!(said.code, code, "{said:?}");
        assert_eq!(self.lake_files(), before, "the lake was written to");
        assert_eq!(std::fs::read_dir(self.path("tmp")).unwrap().count(), 0, "something was left behind");
        serde_json::from_str(&said.stdout).unwrap_or_else(|error| panic!("{error}: {said:?}"))
    }

    fn lake(&self) -> Lake {
        Lake::open(self.path("lake").to_str().unwrap(), &Default::default()).unwrap()
    }

    /// The data files of a table, oldest first.
    async fn data(&self, folder: &str) -> Vec<PathBuf> {
        let snapshot = now(&self.lake(), folder).await.unwrap();
        snapshot.files().iter().map(|file| self.path("lake").join(folder).join(file.path())).collect()
    }
}

/// Every table and how its verification ended.
fn statuses(report: &Value) -> Vec<(&str, &str)> {
    let tables = report["tables"].as_array().unwrap();
    tables.iter().map(|t| (t["table"].as_str().unwrap(), t["status"].as_str().unwrap())).collect()
}

fn all_equal(report: &Value) {
    assert!(statuses(report).iter().all(|(_, status)| *status == "equal"), "{report:#}");
    assert_eq!(report["status"], "equal");
}

/// These tables have a fault of this kind, and no other table has any.
fn only(report: &Value, wrong: &[&str], status: &str) {
    for (name, found) in statuses(report) {
        let expected = if wrong.contains(&name) { status } else { "equal" };
        assert_eq!(found, expected, "{name} in {report:#}");
    }
    assert_eq!(report["status"], status);
}

/// What a list of files says, as text.
fn faults(list: &Value) -> Vec<String> {
    let text = |fault: &Value| format!("{}: {}", fault["path"].as_str().unwrap(), fault["reason"].as_str().unwrap());
    list.as_array().unwrap().iter().map(text).collect()
}

/// Another program writes all rows of a table anew, or others in their place.
async fn rewrite(lake: &Lake, folder: &str, rows: impl FnOnce(LazyFrame) -> LazyFrame) -> i64 {
    let old = now(lake, folder).await.unwrap();
    let adds = old.table().write(rows(old.scan().unwrap()), old.schema()).await.unwrap();
    // Bronze is append-only; whoever wants to cheat says that nothing changed.
    let change = Change { adds, removes: old.files().to_vec(), rearranges: true, ..Change::default() };
    old.table().commit(&old, change).await.unwrap()
}

/// Another program adds rows to a table.
async fn append(lake: &Lake, folder: &str, rows: impl FnOnce(LazyFrame) -> LazyFrame) {
    let old: Snapshot = now(lake, folder).await.unwrap();
    let adds = old.table().write(rows(old.scan().unwrap()), old.schema()).await.unwrap();
    old.table().commit(&old, Change { adds, ..Change::default() }).await.unwrap();
}

/// Takes the rows out for which a condition holds.
fn without(condition: Expr) -> impl FnOnce(LazyFrame) -> LazyFrame {
    move |rows| rows.filter(condition.not().fill_null(polars::prelude::lit(true)))
}
