//! What becomes of landing files over many runs: the ledger's bookkeeping.

use std::fs::{self, File};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::support::{Project, table};

const A: &str = "id,kind,amount,at\n1,a,1.10,2026-01-01T00:00:00Z\n";
const B: &str = "id,kind,amount,at\n2,b,2.20,2026-01-01T00:00:00Z\n";

impl Project {
    /// The source of `bronze.events` with more options, e.g. `  settle: 1h`.
    fn source(&self, options: &str) {
        self.write("layers/bronze/events.yaml", format!("source:\n  path: events/*.csv\n  format: csv\n{options}\n"));
    }

    /// Gives a landing file a time so many seconds ago.
    fn age(&self, name: &str, seconds: u64) {
        let file = File::options().write(true).open(self.path("landing/events").join(name)).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(seconds)).unwrap();
    }

    /// The state of each landing file as `files` tells it.
    fn states(&self) -> Vec<(String, String)> {
        let files = self.json(&["files"], 0);
        let text = |file: &Value, key: &str| file[key].as_str().unwrap().to_owned();
        files["files"].as_array().unwrap().iter().map(|f| (text(f, "path"), text(f, "state"))).collect()
    }

    fn state(&self) -> String {
        let states = self.states();
        assert_eq!(states.len(), 1, "{states:?}");
        states[0].1.clone()
    }

    fn bronze_rows(&self) -> Value {
        self.value("SELECT count(*) FROM bronze.events")
    }

    /// Runs, expects that nothing is written.
    fn run_idle(&self, code: i32) -> Value {
        let before = self.lake_files();
        let report = self.run(code);
        assert_eq!(self.lake_files(), before);
        report
    }
}

fn aside(report: &Value) -> Vec<String> {
    let files = table(report, "bronze.events")["files"]["set_aside"].as_array().cloned().unwrap_or_default();
    files.iter().map(|f| f["path"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_touch_is_no_change_and_is_noted_when_something_else_is() {
    let project = Project::small();
    project.write("landing/events/1.csv", A);
    project.run(0);
    project.age("1.csv", 5000);
    assert_eq!(project.run_idle(0)["status"], "unchanged");
    project.write("landing/events/2.csv", B);
    project.run(0);
    assert_eq!(project.bronze_rows(), 2);
    assert_eq!(project.states().iter().map(|(_, s)| s.as_str()).collect::<Vec<_>>(), ["taken", "taken"]);
    let touched = project.query("SELECT path FROM lakesmith.ledger WHERE state = 'touched'");
    assert_eq!(touched, [json!({ "path": "events/1.csv" })]);
}

#[test]
fn a_rejected_change_is_named_each_time_until_it_is_taken_back() {
    let project = Project::small();
    project.write("landing/events/1.csv", A);
    project.run(0);
    project.write("landing/events/1.csv", B);
    for _ in 0..2 {
        let report = project.run(1);
        assert_eq!(aside(&report), ["events/1.csv"]);
        assert_eq!(table(&report, "silver.events")["status"], "unchanged");
    }
    project.run_idle(1);
    assert_eq!(project.state(), "set_aside");
    project.write("landing/events/1.csv", A);
    project.run_idle(0);
    assert_eq!(project.state(), "taken");
    assert_eq!(project.bronze_rows(), 1);
}

#[test]
fn a_rejected_change_is_settled_by_ignoring_it_until_it_changes() {
    let project = Project::small();
    project.write("landing/events/1.csv", A);
    project.run(0);
    project.write("landing/events/1.csv", B);
    project.run(1);
    project.json(&["files", "--ignore", "events/1.csv"], 0);
    project.run_idle(0);
    assert_eq!(project.state(), "ignored");
    let again = project.lakesmith(&["files", "--ignore", "events/1.csv"]);
    assert_eq!(again.code, 2);
    assert!(again.stderr.contains("is not set aside"), "{again:?}");
    project.write("landing/events/1.csv", format!("{A}3,c,3.30,\n"));
    assert_eq!(aside(&project.run(1)), ["events/1.csv"]);
}

#[test]
fn a_rejected_change_is_taken_once_the_source_says_so() {
    let project = Project::small();
    project.write("landing/events/1.csv", A);
    project.run(0);
    project.write("landing/events/1.csv", B);
    project.run(1);
    project.source("  changed_files: new_version");
    let report = project.run(0);
    assert_eq!(table(&report, "silver.events")["rows"]["inserted"], 1);
    assert_eq!(project.bronze_rows(), 2);
    project.write("landing/events/1.csv", A);
    project.run(0);
    assert_eq!(project.bronze_rows(), 3);
    project.run_idle(0);
}

#[test]
fn a_file_set_aside_for_how_it_is_read_is_tried_again_when_that_changes() {
    let project = Project::small();
    for layer in ["silver", "gold"] {
        fs::remove_dir_all(project.path("layers").join(layer)).unwrap();
    }
    project.write("landing/events/1.csv", "1,5\n2,6\n");
    let report = project.run(1);
    assert!(table(&report, "bronze.events")["error"].as_str().unwrap().contains("header: false"), "{report}");
    project.run_idle(1);
    project.source("  csv: { header: false }");
    let report = project.run(0);
    assert_eq!(table(&report, "bronze.events")["rows"]["inserted"], 2);
}

#[test]
fn a_file_that_goes_away_is_no_longer_named_and_may_come_back() {
    let project = Project::small();
    project.write("landing/events/1.csv", A);
    project.write("landing/events/2.csv", "1,2,3,4\n");
    assert_eq!(aside(&project.run(1)), ["events/2.csv"]);
    fs::remove_file(project.path("landing/events/2.csv")).unwrap();
    fs::remove_file(project.path("landing/events/1.csv")).unwrap();
    project.run_idle(0);
    project.write("landing/events/1.csv", A);
    project.run_idle(0);
    project.write("landing/events/2.csv", B);
    project.run(0);
    assert_eq!(project.bronze_rows(), 2);
}

#[test]
fn the_same_bytes_under_another_name_are_taken_or_skipped() {
    let project = Project::small();
    project.source("  same_content: skip");
    project.write("landing/events/1.csv", A);
    project.write("landing/events/2.csv", A);
    project.run(0);
    project.write("landing/events/3.csv", A);
    project.run(0);
    assert_eq!(project.bronze_rows(), 1);
    let states: Vec<_> = project.states().into_iter().map(|(_, state)| state).collect();
    assert_eq!(states, ["taken", "skipped", "skipped"]);
    project.run_idle(0);
    project.source("  same_content: take");
    project.write("landing/events/4.csv", A);
    project.run(0);
    assert_eq!(project.bronze_rows(), 2);
}

#[test]
fn a_young_file_is_left_until_it_has_settled() {
    let project = Project::small();
    project.source("  settle: 1h");
    project.write("landing/events/1.csv", A);
    let report = project.run_idle(0);
    let bronze = table(&report, "bronze.events");
    assert_eq!(bronze["files"]["left"][0]["path"], "events/1.csv");
    assert!(bronze["note"].as_str().unwrap().contains("1 is left"), "{bronze}");
    project.age("1.csv", 4000);
    project.run(0);
    assert_eq!(project.bronze_rows(), 1);
}

/// The columns of a file that proves unsound only at its end must neither widen the table nor stand in the way of others.
#[test]
fn a_file_that_proves_unsound_leaves_no_trace() {
    let project = Project::small();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let long = format!("id,kind,amount,at,odd\n{}", "1,a,1.10,,x\n".repeat(20_000));
    std::io::Write::write_all(&mut packed, long.as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    project.write("landing/events/0.csv.gz", &packed[..packed.len() / 2]);
    project.write("landing/events/1.csv", A);
    project.write("landing/events/2.csv", "id,kind,amount,at,Odd\n2,b,2.20,,y\n");
    let report = project.run(1);
    assert_eq!(aside(&report), ["events/0.csv.gz"], "{report}");
    assert_eq!(project.query("SELECT \"Odd\", _source_row FROM bronze.events ORDER BY id").len(), 2);
    let data: u64 = project
        .lake_files()
        .iter()
        .filter(|(path, _)| {
            path.extension().is_some_and(|e| e == "parquet") && path.to_string_lossy().contains("bronze")
        })
        .map(|_| 1)
        .sum();
    assert_eq!(data, 1, "what was written of the unsound file is gone");
    project.run_idle(1);
    project.write("landing/events/0.csv.gz", "");
    fs::remove_file(project.path("landing/events/0.csv.gz")).unwrap();
    project.run_idle(0);
}

/// A name that Delta cannot store, or a type, is the matter of one file.
#[test]
fn a_file_that_no_table_can_hold_does_not_stop_the_others() {
    let project = Project::small();
    project.write("landing/events/1.csv", A);
    project.write("landing/events/2.csv", "id,kind,amount,\"a\rt\"\r\n2,b,2.20,x\r\n");
    project.run(0);
    assert_eq!(project.query("SELECT a_t FROM bronze.events WHERE a_t IS NOT NULL"), [json!({ "a_t": "x" })]);
}
