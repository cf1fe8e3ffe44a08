//! Runs from landing files to gold, as a user sees them.

use serde_json::json;

use crate::support::{Project, table};

const FIRST: &str = "id,kind,amount,at\n1,a,1.10,2026-01-01T00:00:00Z\n2,b,2.20,2026-01-01T00:00:00Z\n";

#[test]
fn files_become_bronze_silver_and_gold() {
    let project = Project::small();
    project.write("landing/events/1.csv", FIRST);
    let report = project.run(0);
    assert_eq!(report["status"], "succeeded");
    assert_eq!(table(&report, "bronze.events")["action"], "append");
    assert_eq!(table(&report, "silver.events")["rows"]["inserted"], 2);
    let totals = project.query("SELECT kind, events, amount FROM gold.totals ORDER BY kind");
    assert_eq!(
        totals,
        [json!({ "kind": "a", "events": 1, "amount": 1.10 }), json!({ "kind": "b", "events": 1, "amount": 2.20 }),]
    );
}

#[test]
fn running_again_writes_nothing() {
    let project = Project::small();
    project.write("landing/events/1.csv", FIRST);
    project.run(0);
    let before = project.lake_files();
    let report = project.run(0);
    assert_eq!(report["status"], "unchanged");
    assert_eq!(project.lake_files(), before);
}

#[test]
fn a_full_export_of_unchanged_rows_rewrites_nothing() {
    let project = Project::small();
    project.write("landing/events/1.csv", FIRST);
    project.run(0);
    let files = || {
        project
            .lake_files()
            .into_iter()
            .filter(|(p, _)| {
                let silver_or_gold =
                    p.components().any(|c| ["silver", "gold"].map(std::ffi::OsStr::new).contains(&c.as_os_str()));
                silver_or_gold && p.extension().is_some_and(|e| e == "parquet")
            })
            .collect::<Vec<_>>()
    };
    let before = files();
    project.write("landing/events/2.csv", FIRST);
    let report = project.run(0);
    assert_eq!(table(&report, "silver.events")["rows"]["unchanged"], 2);
    assert_eq!(files(), before);
    assert_eq!(project.value("SELECT count(*) FROM bronze.events"), 4);
}

#[test]
fn a_correction_changes_the_groups_it_touches() {
    let project = Project::small();
    project.write("landing/events/1.csv", FIRST);
    project.run(0);
    project.write(
        "landing/events/2.csv",
        "id,kind,amount,at\n1,c,5.00,2026-01-02T00:00:00Z\n2,b,9.99,2025-01-01T00:00:00Z\n",
    );
    let report = project.run(0);
    let silver = table(&report, "silver.events");
    assert_eq!((&silver["rows"]["updated"], &silver["rows"]["superseded"]), (&json!(1), &json!(1)));
    let totals = project.query("SELECT kind, amount FROM gold.totals ORDER BY kind");
    assert_eq!(totals, [json!({ "kind": "b", "amount": 2.20 }), json!({ "kind": "c", "amount": 5.00 })]);
}

#[test]
fn what_does_not_fit_the_contract_is_quarantined_with_its_reason() {
    let project = Project::small();
    project.write("landing/events/1.csv", "id,kind,amount,at\n1,a,1.005,2026-01-01T00:00:00Z\nx,b,2.20,\n3,c\n");
    let report = project.run(0);
    assert_eq!(table(&report, "silver.events")["rows"]["quarantined"], 3);
    let refused = project.json(&["quarantine", "silver.events"], 0);
    let rules: Vec<_> = refused.as_array().unwrap().iter().map(|r| r["_reasons"][0]["rule"].clone()).collect();
    assert_eq!(rules, ["type", "type", "malformed"]);
}

#[test]
fn a_changed_definition_rebuilds_the_table_and_never_back_by_itself() {
    let project = Project::small();
    project.write("landing/events/1.csv", FIRST);
    project.run(0);
    let silver = std::fs::read_to_string(project.path("layers/silver/events.yaml")).unwrap();
    project.write("layers/silver/events.yaml", format!("{silver}steps:\n  - where: kind <> 'a'\n"));
    let report = project.run(0);
    assert_eq!(table(&report, "silver.events")["action"], "rebuild");
    assert_eq!(project.value("SELECT count(*) FROM gold.totals"), 1);
    project.write("layers/silver/events.yaml", &silver);
    let report = project.run(1);
    assert_eq!(table(&report, "silver.events")["status"], "failed");
    let report = project.json(&["rebuild", "silver.events+", "--yes"], 0);
    assert_eq!(table(&report, "silver.events")["action"], "rebuild");
    assert_eq!(project.value("SELECT count(*) FROM gold.totals"), 2);
}

#[test]
fn bronze_that_lost_commits_is_found() {
    let project = Project::small();
    project.write("landing/events/1.csv", FIRST);
    project.run(0);
    project.write("landing/events/2.csv", FIRST);
    project.run(0);
    std::fs::remove_file(project.path("lake/bronze/events/_delta_log/00000000000000000001.json")).unwrap();
    let report = project.run(1);
    let error = table(&report, "bronze.events")["error"].as_str().unwrap();
    assert!(error.contains("commits of bronze were lost"), "{error}");
}
