//! Definitions that change, selections, failures, several sources: what becomes of the tables.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::support::{Project, table};

const FIRST: &str = "id,kind,amount,at\n1,a,1.10,2026-01-01T00:00:00Z\n2,b,2.20,2026-01-01T00:00:00Z\n";
const SECOND: &str = "id,kind,amount,at\n3,c,3.30,2026-01-02T00:00:00Z\n";
const SILVER: &str = "layers/silver/events.yaml";

impl Project {
    /// A small project with one file in it.
    fn begun() -> Self {
        let project = Project::small();
        project.write("landing/events/1.csv", FIRST);
        project.run(0);
        project
    }

    fn add(&self, file: &str, more: &str) {
        let text = fs::read_to_string(self.path(file)).unwrap();
        self.write(file, format!("{text}{more}"));
    }

    fn data_files(&self, folder: &str) -> Vec<PathBuf> {
        let below = self.path("lake").join(folder);
        let files = self.lake_files().into_iter().map(|(path, _)| path).filter(|path| path.starts_with(&below));
        files.filter(|path| path.extension().is_some_and(|e| e == "parquet")).collect()
    }

    fn status(&self, name: &str) -> Value {
        self.json(&["status", name], 0)["tables"][0].clone()
    }

    fn error(&self, args: &[&str]) -> String {
        let report = self.json(args, 1);
        let error = report["tables"].as_array().unwrap().iter().find_map(|t| t["error"].as_str());
        error.unwrap_or_else(|| panic!("no error in {report}")).to_owned()
    }
}

fn statuses(report: &Value) -> Vec<(String, String)> {
    let text = |table: &Value, key: &str| table[key].as_str().unwrap().to_owned();
    report["tables"].as_array().unwrap().iter().map(|t| (text(t, "table"), text(t, "status"))).collect()
}

#[test]
fn forward_only_keeps_old_rows_and_marks_the_table_until_a_rebuild() {
    let project = Project::begun();
    project.add(SILVER, "on_change: forward_only\nsteps:\n  - derive: { kind: kind || '!' }\n");
    project.run(0);
    assert_eq!(project.status("silver.events")["mixed"], false, "no row follows the new definition yet");
    project.write("landing/events/2.csv", SECOND);
    let report = project.run(0);
    assert_eq!(table(&report, "silver.events")["action"], "merge");
    assert_eq!(project.value("SELECT string_agg(kind, ' ' ORDER BY id) FROM silver.events"), "a b c!");
    assert_eq!(project.status("silver.events")["mixed"], true);
    assert_eq!(project.run(0)["status"], "unchanged");
    project.json(&["rebuild", "silver.events+", "--yes"], 0);
    assert_eq!(project.value("SELECT string_agg(kind, ' ' ORDER BY id) FROM silver.events"), "a! b! c!");
    assert_eq!(project.status("silver.events")["mixed"], false);
    assert_eq!(project.value("SELECT string_agg(kind, ' ' ORDER BY kind) FROM gold.totals"), "a! b! c!");
}

#[test]
fn forward_only_never_drops_a_column_of_rows_that_stay() {
    let project = Project::begun();
    fs::remove_dir_all(project.path("layers/gold")).unwrap();
    let select = "on_change: forward_only\nsteps:\n  - select: { id: id, at: at }\n";
    project.add(SILVER, select);
    project.write("landing/events/2.csv", SECOND);
    let error = project.error(&["run"]);
    assert!(error.contains("`kind` would be dropped while rows stay; rebuild the table"), "{error}");
    assert_eq!(project.value("SELECT count(kind) FROM silver.events"), 2);
    // without a key rows are only added, and the table could be left with a schema that its old files do not fit
    let keyless = Project::small();
    keyless.write("landing/events/1.csv", FIRST);
    fs::remove_dir_all(keyless.path("layers/gold")).unwrap();
    let silver = "from: bronze.events\ncontract: schemas/events.odcs.yaml\non_change: forward_only\n";
    keyless.write(SILVER, format!("{silver}steps:\n  - derive: {{ more: kind }}\n"));
    keyless.run(0);
    keyless.write(SILVER, format!("{silver}steps:\n  - derive: {{ more: id }}\n"));
    keyless.write("landing/events/2.csv", SECOND);
    let error = keyless.error(&["run"]);
    assert!(error.contains("`more` is string and cannot become bigint while rows stay"), "{error}");
    assert_eq!(keyless.value("SELECT count(more) FROM silver.events"), 2);
    assert_eq!(keyless.data_files("silver/events").len(), 1, "what was staged is gone");
}

#[test]
fn a_definition_changed_in_the_middle_rebuilds_one_table_and_the_next_follows() {
    let project = Project::begun();
    project.add(SILVER, "steps:\n  - derive: { amount: \"cast(amount * 2 as decimal(12, 2))\" }\n");
    let report = project.run(0);
    assert_eq!(table(&report, "bronze.events")["status"], "unchanged");
    assert_eq!(table(&report, "silver.events")["action"], "rebuild");
    assert_eq!(table(&report, "gold.totals")["action"], "merge");
    assert_eq!(table(&report, "gold.totals")["rows"]["updated"], 2);
    assert_eq!(project.value("SELECT sum(amount) FROM gold.totals"), 6.6);
    assert_eq!(project.run(0)["status"], "unchanged");
}

#[test]
fn a_selection_runs_what_it_names() {
    let project = Project::small();
    project.write("landing/events/1.csv", FIRST);
    let report = project.json(&["run", "silver.events"], 0);
    let silver = table(&report, "silver.events");
    assert_eq!(
        (silver["status"].as_str(), silver["note"].as_str()),
        (Some("unchanged"), Some("`bronze.events` has no rows yet"))
    );
    let report = project.json(&["run", "bronze.events"], 0);
    assert_eq!(statuses(&report), [("bronze.events".to_owned(), "succeeded".to_owned())]);
    let report = project.json(&["run", "+silver.events"], 0);
    let expected = [("bronze.events", "unchanged"), ("silver.events", "succeeded")];
    assert_eq!(statuses(&report), expected.map(|(t, s)| (t.to_owned(), s.to_owned())));
    let report = project.json(&["run", "bronze.events+"], 0);
    let expected = [("bronze.events", "unchanged"), ("silver.events", "unchanged"), ("gold.totals", "succeeded")];
    assert_eq!(statuses(&report), expected.map(|(t, s)| (t.to_owned(), s.to_owned())));
}

#[test]
fn a_table_that_is_behind_its_definition_is_not_read_by_a_selection() {
    let project = Project::begun();
    project.add(SILVER, "steps:\n  - derive: { size: length(kind) }\n");
    project.write(
        "layers/gold/totals.yaml",
        "from: silver.events\nsteps:\n  - group_by: { size: size }\n    aggregate: { events: count(*) }\n",
    );
    let error = project.error(&["run", "gold.totals"]);
    assert!(error.contains("`size` of `silver.events`") && error.contains("lakesmith run +gold.totals"), "{error}");
    project.run(0);
    assert_eq!(project.query("SELECT * FROM gold.totals"), [json!({ "size": 1, "events": 2 })]);
}

#[test]
fn a_failed_table_stops_neither_its_siblings_nor_the_next_run() {
    let project = Project::small();
    project.write("landing/events/1.csv", FIRST);
    let bad = "from: silver.events\nsteps:\n  - derive: { share: 1 / (id - 2) }\n";
    project.write("layers/gold/bad.yaml", format!("{bad}key: [id]\n"));
    project.write(
        "layers/gold/below.yaml",
        "from: gold.bad\nsteps:\n  - group_by: { kind: kind }\n    aggregate: { n: count(*) }\n",
    );
    for _ in 0..2 {
        let report = project.run(1);
        assert_eq!(report["status"], "failed");
        assert!(table(&report, "gold.bad")["error"].as_str().unwrap().contains("division by zero"), "{report}");
        assert_eq!(table(&report, "gold.below")["error"], "skipped: `gold.bad` failed");
        assert!(table(&report, "gold.totals")["error"].is_null());
        assert_eq!(project.value("SELECT count(*) FROM gold.totals"), 2);
        assert_eq!(project.data_files("gold/bad"), Vec::<PathBuf>::new());
    }
    project.write("layers/gold/bad.yaml", format!("{}key: [id]\n", bad.replace("id - 2", "id")));
    let report = project.run(0);
    assert_eq!(table(&report, "gold.totals")["status"], "unchanged");
    assert_eq!(table(&report, "gold.below")["rows"]["inserted"], 2);
    assert_eq!(project.run(0)["status"], "unchanged");
}

#[test]
fn a_key_that_comes_twice_fails_the_table_and_leaves_nothing() {
    let project = Project::begun();
    project.write("layers/gold/twice.yaml", "from: silver.events\nkey: [at]\n");
    let error = project.error(&["run"]);
    assert!(error.contains("at"), "{error}");
    assert_eq!(project.data_files("gold/twice"), Vec::<PathBuf>::new());
}

/// A second source beside `bronze.events`, whose files lie in `more/`.
fn two_sources() -> Project {
    let project = Project::small();
    project.write("layers/bronze/more.yaml", "source:\n  path: more/*.csv\n  format: csv\n");
    let silver = fs::read_to_string(project.path(SILVER)).unwrap();
    project.write(SILVER, silver.replace("from: bronze.events", "from: [bronze.events, bronze.more]"));
    project
}

#[test]
fn silver_of_two_sources_begins_with_the_one_that_has_something() {
    let project = two_sources();
    project.write("landing/events/1.csv", format!("{FIRST}x,,,\n"));
    let report = project.run(0);
    assert_eq!(table(&report, "silver.events")["rows"]["inserted"], 2);
    project.write("landing/more/1.csv", "id,kind,amount,at\n2,z,9.00,2026-03-01T00:00:00Z\n7,q,7.00,\ny,,,\n");
    let report = project.run(0);
    let rows = &table(&report, "silver.events")["rows"];
    assert_eq!([&rows["read"], &rows["inserted"], &rows["updated"], &rows["quarantined"]], [3, 1, 1, 1]);
    assert_eq!(project.run(0)["status"], "unchanged");
    let refused = "SELECT _source_table AS t, _row AS r FROM quarantine.events ORDER BY t";
    let refused = project.query(refused);
    assert_eq!(refused.iter().map(|r| r["t"].as_str().unwrap()).collect::<Vec<_>>(), ["bronze.events", "bronze.more"]);
    assert_eq!(project.value("SELECT string_agg(kind, ' ' ORDER BY id) FROM silver.events"), "a z q");
}

#[test]
fn a_source_that_is_taken_away_leaves_silver_and_quarantine() {
    let project = two_sources();
    project.write("landing/events/1.csv", format!("{FIRST}x,,,\n"));
    project.write("landing/more/1.csv", "id,kind,amount,at\n7,q,7.00,\ny,,,\n");
    project.run(0);
    let silver = fs::read_to_string(project.path(SILVER)).unwrap();
    project.write(SILVER, silver.replace("from: [bronze.events, bronze.more]", "from: bronze.events"));
    let report = project.run(0);
    assert_eq!(table(&report, "silver.events")["action"], "rebuild");
    assert_eq!(project.value("SELECT count(*) FROM silver.events"), 2);
    assert_eq!(project.value("SELECT string_agg(_source_table, ' ') FROM quarantine.events"), "bronze.events");
    // what was read of it before counts for nothing when it comes back
    project.write(SILVER, silver.replace("latest_by", "on_change: forward_only\nlatest_by"));
    project.write("landing/events/2.csv", SECOND);
    project.run(0);
    assert_eq!(project.value("SELECT string_agg(kind, ' ' ORDER BY id) FROM silver.events"), "a b c q");
}

#[test]
fn a_bronze_table_that_was_made_again_is_not_taken_for_the_old_one() {
    let project = Project::begun();
    fs::remove_dir_all(project.path("lake/bronze/events")).unwrap();
    let error = project.error(&["run", "silver.events"]);
    assert!(error.contains("no longer in the lake") && error.contains("lakesmith rebuild silver.events"), "{error}");
    let error = project.error(&["run"]);
    assert!(error.contains("another table") && error.contains("lakesmith rebuild silver.events"), "{error}");
    assert_eq!(project.value("SELECT count(*) FROM bronze.events"), 2);
    project.json(&["rebuild", "silver.events+", "--yes"], 0);
    assert_eq!(project.run(0)["status"], "unchanged");
}

/// Other engines delete files that a table has left. Gold's increment then has nothing to compare with.
#[test]
fn gold_is_computed_in_full_when_what_changed_can_no_longer_be_read() {
    let project = Project::begun();
    let before = project.data_files("silver/events");
    project.write("landing/events/2.csv", "id,kind,amount,at\n1,a,5.00,2026-01-05T00:00:00Z\n");
    project.json(&["run", "+silver.events"], 0);
    before.iter().for_each(|file| fs::remove_file(file).unwrap());
    let report = project.run(0);
    assert!(table(&report, "gold.totals")["note"].as_str().unwrap().contains("cannot be told"), "{report}");
    assert_eq!(project.value("SELECT sum(amount) FROM gold.totals"), 7.2);
}

#[test]
fn a_watermark_that_moves_without_a_row_computes_nothing() {
    let project = Project::small();
    project.write(
        "layers/gold/ranks.yaml",
        "from: silver.events\nsteps:\n  - rank: { by: [amount desc, id], within: [kind], as: position }\nkey: [id]\n",
    );
    project.write("landing/events/1.csv", FIRST);
    project.run(0);
    let files = project.data_files("gold");
    project.write("landing/events/2.csv", FIRST);
    let report = project.run(0);
    for name in ["gold.ranks", "gold.totals"] {
        let gold = table(&report, name);
        assert_eq!((&gold["status"], &gold["rows"]["read"]), (&json!("succeeded"), &json!(0)), "{report}");
    }
    assert_eq!(project.data_files("gold"), files);
    assert_eq!(project.run(0)["status"], "unchanged");
}
