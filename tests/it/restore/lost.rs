//! What cannot be had any more is found out before anything is written.

use std::path::Path;

use super::{all, events, lived, restore, rows, told};
use crate::support::{Project, table};

/// Deletes the data files of a folder's version 0 that its newest version no longer has, as a vacuum does.
fn vacuum(project: &Project, folder: &str) {
    let log = project.path(&format!("lake/{folder}/_delta_log"));
    let newest: String =
        std::fs::read_dir(&log).unwrap().map(|e| std::fs::read_to_string(e.unwrap().path()).unwrap()).collect();
    let removed: Vec<serde_json::Value> = newest.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let path = |action: &serde_json::Value| Some(action["remove"]["path"].as_str()?.to_owned());
    let paths: Vec<String> = removed.iter().filter_map(path).collect();
    assert!(!paths.is_empty());
    for path in paths {
        let _ = std::fs::remove_file(project.path(&format!("lake/{folder}")).join(Path::new(&path)));
    }
}

#[test]
fn a_version_whose_files_a_vacuum_deleted_does_not_come_back() {
    let project = lived();
    vacuum(&project, "silver/events");
    let before = (all(&project), project.lake_files());
    let said = project.lakesmith(&["restore", "silver.events@0", "--yes"]);
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.stderr.contains("`silver.events@0` cannot come back: 1 of the 1 files"), "{said:?}");
    assert!(said.stderr.contains("hint: to make the table anew: lakesmith -C"), "{said:?}");
    assert_eq!((all(&project), project.lake_files()), before, "nothing is written");
    // the newest version needs none of them
    assert_eq!(restore(&project, &["silver.events@2"])["status"], "unchanged");
}

#[test]
fn refused_rows_that_cannot_be_had_any_more_stop_it_too() {
    for lose in [lose_files as fn(&Project), lose_all] {
        let project = lived();
        lose(&project);
        let before = project.lake_files();
        let said = project.lakesmith(&["restore", "silver.events@0", "--yes"]);
        assert_eq!(said.code, 1, "{said:?}");
        assert!(said.stderr.contains("refused") && said.stderr.contains("rebuild silver.events"), "{said:?}");
        assert_eq!(project.lake_files(), before);
    }
}

fn lose_files(project: &Project) {
    let files = project.lake_files();
    let refused = files.iter().filter(|(path, _)| path.to_string_lossy().contains("quarantine/events/part-"));
    refused.for_each(|(path, _)| std::fs::remove_file(path).unwrap());
}

fn lose_all(project: &Project) {
    std::fs::remove_dir_all(project.path("lake/quarantine/events")).unwrap();
}

#[test]
fn gold_whose_version_is_gone_stays_until_the_next_run() {
    let project = lived();
    let before = all(&project);
    vacuum(&project, "gold/totals");
    let report = restore(&project, &["silver.events@0+"]);
    let (action, _, note) = told(&report, "gold.totals");
    assert!(action == "none" && note.contains("`gold.totals@0` cannot come back"), "{note}");
    assert!(note.ends_with("the next run brings it up to date"), "{note}");
    assert_eq!(rows(&project, "silver.events"), rows(&project, "silver.events@0"));
    project.run(0);
    assert_eq!(all(&project), before);
}

#[test]
fn a_table_whose_bronze_is_another_one_now_goes_back_and_says_that_runs_will_refuse_it() {
    let project = lived();
    std::fs::remove_dir_all(project.path("lake/bronze/events")).unwrap();
    project.write("landing/events/4.csv", events(4));
    project.run(1);
    project.json(&["rebuild", "silver.events", "--yes"], 0);
    let report = restore(&project, &["silver.events@0"]);
    let note = told(&report, "silver.events").2;
    assert!(note.contains("the next run will refuse it: `bronze.events` is another table"), "{note}");
    assert_eq!(rows(&project, "silver.events"), rows(&project, "silver.events@0"));
    let refused = table(&project.json(&["run"], 1), "silver.events")["error"].clone();
    assert!(refused.as_str().unwrap().contains("is another table"), "{refused}");
    project.json(&["rebuild", "silver.events", "--yes"], 0);
    assert_eq!(table(&project.run(0), "silver.events")["action"], "none");
}

#[test]
fn a_table_that_another_run_has_claimed_does_not_go_back() {
    let project = lived();
    let before = all(&project);
    let claim = r#"{"run_id":"someone-else","table":"silver.events","until":"2099-01-01T00:00:00Z"}"#;
    project.write("lake/_lakesmith/claims/silver.events.json", claim);
    let report = project.json(&["restore", "silver.events@0+", "--yes"], 1);
    let error = table(&report, "silver.events")["error"].as_str().unwrap().to_owned();
    assert!(error.contains("run someone-else is at work on it") && error.contains("nothing was done"), "{report}");
    assert_eq!(all(&project), before);

    // a vacuum could delete what comes back
    std::fs::rename(
        project.path("lake/_lakesmith/claims/silver.events.json"),
        project.path("lake/_lakesmith/claims/old-files.json"),
    )
    .unwrap();
    let report = project.json(&["restore", "silver.events@0+", "--yes"], 1);
    let error = table(&report, "silver.events")["error"].as_str().unwrap().to_owned();
    assert!(error.contains("a vacuum, a pin or another restore is at work"), "{report}");
    assert_eq!(all(&project), before);

    // one below: it is left to that run and the next
    std::fs::rename(
        project.path("lake/_lakesmith/claims/old-files.json"),
        project.path("lake/_lakesmith/claims/gold.totals.json"),
    )
    .unwrap();
    let report = project.json(&["restore", "silver.events@0+", "--yes"], 1);
    assert_eq!(told(&report, "silver.events").0, "restore");
    assert!(table(&report, "gold.totals")["error"].as_str().unwrap().contains("someone-else"), "{report}");
    std::fs::remove_file(project.path("lake/_lakesmith/claims/gold.totals.json")).unwrap();
    assert_eq!(told(&restore(&project, &["silver.events@0+"]), "gold.totals").0, "restore", "what was left is done");
    project.run(0);
    assert_eq!(all(&project), before);
}
