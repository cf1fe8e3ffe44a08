//! What a vacuum takes and what it leaves.

use std::fs;

use serde_json::json;

use super::*;

#[test]
fn versions_within_the_retention_read_the_same_and_files_of_older_ones_go() {
    let project = grown();
    let before: Vec<Rows> = (0..4).map(|version| silver(&project, version)).collect();
    let history = project.json(&["history", "silver.events"], 0);
    let shown = project.json(&["vacuum", "--dry-run"], 0);
    assert_eq!(table(&shown, "silver.events")["files"], 1, "{shown}");
    // the history of runs tells of the vacuum
    let files = || project.lake_files().iter().filter(|(path, _)| !path.to_string_lossy().contains("/runs/")).count();
    let listing = files();

    let report = project.json(&["vacuum", "--yes"], 0);
    assert_eq!(report["status"], "succeeded");
    let told = table(&report, "silver.events");
    // Runs were 60, 40, 20 and 0 days ago: 30 days ago version 1 was the newest.
    assert_eq!((&told["files"], &told["oldest"], &told["newest"]), (&json!(1), &json!(1), &json!(3)), "{told}");
    assert_eq!(told["delete"], table(&shown, "silver.events")["delete"], "what was shown is what was done");
    for version in 1..4 {
        assert_eq!(Some(&silver(&project, version)), before.get(version as usize), "version {version}");
    }
    let gone: Vec<_> =
        report["tables"].as_array().unwrap().iter().flat_map(|t| t["delete"].as_array().unwrap()).collect();
    assert_eq!(files(), listing - gone.len());
    assert_eq!(project.json(&["history", "silver.events"], 0), history, "no version came");

    let again = project.json(&["vacuum", "--yes"], 0);
    assert_eq!((&again["status"], &table(&again, "silver.events")["files"]), (&json!("unchanged"), &json!(0)));
    assert_eq!(project.run(0)["status"], "unchanged");
}

#[test]
fn a_version_that_lost_files_says_so() {
    let project = grown();
    project.json(&["vacuum", "--yes"], 0);
    for args in [
        &["show", "silver.events@0"][..],
        &["query", "SELECT * FROM silver.\"events@0\""],
        &["pin", "silver.events@0", "--as", "first"],
    ] {
        let said = project.lakesmith(args);
        assert_eq!(said.code, 1, "{args:?}: {said:?}");
        let why = "version 0 cannot be read any more: 1 of its 1 data files were deleted, as a vacuum does";
        assert!(said.stderr.contains(why), "{args:?}: {said:?}");
    }
    assert_eq!(project.value("SELECT count(*) FROM silver.\"events@1\""), 2);
}

#[test]
fn a_dry_run_deletes_nothing_and_without_yes_nothing_is_done() {
    let project = grown();
    let before = project.lake_files();
    let shown = project.json(&["vacuum", "--dry-run"], 0);
    assert_eq!((&shown["dry_run"], &shown["status"]), (&json!(true), &json!("succeeded")));
    let said = project.lakesmith(&["vacuum"]);
    assert_eq!(said.code, 2, "{said:?}");
    assert!(said.stderr.contains("there is nobody here to ask") && said.stderr.contains("--yes"), "{said:?}");
    assert_eq!(project.lake_files(), before);
}

#[test]
fn a_retention_under_the_floor_needs_force() {
    let project = grown();
    let before = project.lake_files();
    for args in [&["vacuum", "--retain", "6d", "--yes"][..], &["vacuum", "--retain", "0s", "--dry-run"]] {
        let said = project.lakesmith(args);
        assert_eq!(said.code, 2, "{said:?}");
        assert!(said.stderr.contains("less than 7 days") && said.stderr.contains("--force"), "{said:?}");
    }
    assert_eq!(project.lakesmith(&["vacuum", "--retain", "soon"]).code, 2);
    assert_eq!(project.lake_files(), before);
    let report = project.json(&["vacuum", "--retain", "0s", "--force", "--yes"], 0);
    let told = table(&report, "silver.events");
    assert_eq!((&told["oldest"], &told["files"]), (&json!(3), &json!(3)), "{told}");
    assert_eq!(table(&project.json(&["vacuum", "--retain", "1w", "--dry-run"], 0), "silver.events")["files"], 0);
}

#[test]
fn what_no_commit_names_is_left_for_a_day_whatever_is_forced() {
    let project = grown();
    let forced = ["vacuum", "silver.events", "--retain", "0s", "--force", "--yes"];
    project.json(&forced, 0);
    let staged = ["staged.parquet", "x=1/staged.parquet", "deletion_vector_1.bin"];
    let others = ["notes.txt", "_staging/s.parquet", ".hidden.parquet"];
    for name in staged.iter().chain(&others) {
        project.write(&format!("lake/silver/events/{name}"), "x");
    }
    let age = |hours| {
        for name in staged.iter().chain(&others) {
            let path = project.path("lake/silver/events").join(name);
            set_modified(&path, SystemTime::now() - Duration::from_hours(hours));
        }
    };
    age(23);
    let report = project.json(&forced, 0);
    let told = table(&report, "silver.events");
    assert_eq!((&told["files"], &told["unnamed"], &told["unknown"]), (&json!(0), &json!(3), &json!(1)), "{told}");
    age(25);
    // a run is at work on the table, perhaps for more than a day
    let claim = json!({ "run_id": "other", "table": "silver.events", "until": "2099-01-01T00:00:00Z" });
    project.write("lake/_lakesmith/claims/silver.events.json", claim.to_string());
    assert_eq!(table(&project.json(&forced, 0), "silver.events")["unnamed"], 3);
    fs::remove_file(project.path("lake/_lakesmith/claims/silver.events.json")).unwrap();
    assert_eq!(table(&project.json(&forced, 0), "silver.events")["files"], 3);
    for name in others {
        assert!(project.path("lake/silver/events").join(name).exists(), "{name}");
    }
}

#[test]
fn what_a_dead_process_was_writing_goes_after_a_day_wherever_it_lies() {
    let project = grown();
    let folders = ["silver/events", "silver/events/_delta_log", "_lakesmith/runs/_delta_log", "_lakesmith/claims"];
    let files = folders.map(|folder| project.path("lake").join(folder).join(".lakesmith-tmp-0190"));
    let rows = project.query("SELECT * FROM gold.totals ORDER BY kind");
    for hours in [23, 25] {
        for path in &files {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "half a ").unwrap();
            set_modified(path, SystemTime::now() - Duration::from_hours(hours));
        }
        assert_eq!(project.query("SELECT * FROM gold.totals ORDER BY kind"), rows);
        project.json(&["vacuum", "--yes"], 0);
        assert_eq!(files.iter().filter(|path| path.exists()).count(), if hours < 24 { 4 } else { 0 });
    }
    // among the claims alone, where there is no table to tell of
    fs::write(&files[3], "half a ").unwrap();
    set_modified(&files[3], SystemTime::now() - Duration::from_hours(25));
    let report = project.json(&["vacuum", "--yes"], 0);
    assert_eq!(table(&report, "lakesmith.claims")["files"], 1);
    assert!(!files[3].exists());
}

#[test]
fn where_there_is_no_log_only_what_is_half_written_goes_and_history() {
    let project = grown();
    let tables = ["silver/events", "_lakesmith/runs"];
    for folder in tables {
        fs::remove_dir_all(project.path("lake").join(folder).join("_delta_log")).unwrap();
        for name in [".lakesmith-tmp-0190", "part-0190.parquet"] {
            project.write(&format!("lake/{folder}/{name}"), "x");
        }
    }
    let deleted = |hours, how: &str| {
        for (path, _) in project.lake_files() {
            set_modified(&path, SystemTime::now() - Duration::from_hours(hours));
        }
        let report = project.json(&["vacuum", how], 0);
        ["silver.events", "lakesmith.runs"].map(|name| table(&report, name)["files"].as_u64().unwrap())
    };
    let of_history = fs::read_dir(project.path("lake/_lakesmith/runs")).unwrap().count() as u64;
    assert_eq!(deleted(23, "--dry-run"), [0, 0]);
    // silver's rows may be wanted back, with a copy of the log
    assert_eq!(deleted(25, "--yes"), [1, of_history]);
    assert!(project.path("lake/silver/events/part-0190.parquet").exists());
    assert!(!project.path("lake/_lakesmith/runs/part-0190.parquet").exists());
}

#[test]
fn a_selection_is_all_that_is_touched() {
    let project = grown();
    let report = project.json(&["vacuum", "gold", "--retain", "0s", "--force", "--yes"], 0);
    let names: Vec<_> = report["tables"].as_array().unwrap().iter().map(|t| t["table"].as_str().unwrap()).collect();
    assert_eq!(names, ["gold.totals"]);
    let report = project.json(&["vacuum", "--dry-run"], 0);
    let names: Vec<_> = report["tables"].as_array().unwrap().iter().map(|t| t["table"].as_str().unwrap()).collect();
    let expected =
        ["bronze.events", "silver.events", "quarantine.events", "gold.totals", "lakesmith.ledger", "lakesmith.runs"];
    assert_eq!(names, expected);
}

#[test]
fn a_table_that_cannot_be_opened_fails_alone_and_what_it_reads_is_left() {
    let project = grown();
    fs::write(project.path("lake/gold/totals/_delta_log/00000000000000000003.json"), "").unwrap();
    let files_of_silver = files(&project, "silver/events");
    let report = project.json(&["vacuum", "--yes"], 1);
    assert_eq!(report["status"], "failed");
    assert!(table(&report, "gold.totals")["error"].as_str().unwrap().contains("is empty"), "{report}");
    let silver = table(&report, "silver.events")["error"].as_str().unwrap();
    assert!(silver.contains("which version of it `gold.totals` still needs cannot be told"), "{silver}");
    assert_eq!(files(&project, "silver/events"), files_of_silver);
    assert_eq!(table(&report, "bronze.events")["status"], "unchanged");
}

#[test]
fn one_vacuum_at_a_time() {
    let project = grown();
    let claim = json!({ "run_id": "other", "table": "old-files", "until": "2099-01-01T00:00:00Z" });
    project.write("lake/_lakesmith/claims/old-files.json", claim.to_string());
    let before = project.lake_files();
    for args in [&["vacuum", "--yes"][..], &["pin", "silver.events@2", "--as", "late"]] {
        let said = project.lakesmith(args);
        assert!(said.code == 2 && said.stderr.contains("at work on this lake"), "{said:?}");
    }
    assert_eq!(project.lake_files(), before);
}
