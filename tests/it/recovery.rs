//! What is lost is made again from what is still there, or the run says what to do.

use std::sync::Arc;

use futures::FutureExt;
use serde_json::{Value, json};

use crate::faulty::Faulty;
use crate::lake::{let_claims_expire, run};
use crate::support::{Project, table};

fn events(ids: &[i64]) -> String {
    let rows = ids.iter().map(|id| format!("{id},k,1.00,2026-01-01T00:00:00Z\n"));
    ["id,kind,amount,at\n".to_owned()].into_iter().chain(rows).collect()
}

/// Every line of the ledger, but for when and by whom it was written.
fn ledger(project: &Project) -> Vec<Value> {
    project.query(
        "SELECT path, state, batch, rows, malformed, size, mtime_ns, blake3 FROM lakesmith.ledger ORDER BY batch, path",
    )
}

fn bronze_records(project: &Project) -> Value {
    project.value("SELECT count(*) FROM bronze.events")
}

/// In process, with every table.
async fn healthy_run(project: &Project) {
    let lake = Faulty::healthy().lake(&project.path("lake"));
    let report = run(project.root(), &lake, 1, false).await;
    assert!(report.tables.iter().all(|t| t.error.is_none()), "{report:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_death_between_bronze_and_the_ledger_takes_no_file_twice() {
    let project = Project::small();
    project.write("landing/events/1.csv", events(&[1, 2]));
    project.write("landing/events/2.csv", "id,kind,amount,at\n3,k\n");
    let deaf = Faulty::refusing("/_lakesmith/ledger/").lake(&project.path("lake"));
    let report = run(project.root(), &deaf, 1, false).await;
    assert!(report.tables[0].error.as_ref().unwrap().contains("connection reset"), "{report:?}");
    assert_eq!(bronze_records(&project), 3);
    assert!(!project.path("lake/_lakesmith/ledger/_delta_log").exists());

    project.run(0);
    assert_eq!(bronze_records(&project), 3);
    let told = |line: &Value| [&line["path"], &line["batch"], &line["rows"], &line["malformed"]].map(Value::clone);
    let lines = ledger(&project);
    let expected =
        [[json!("events/1.csv"), json!(1), json!(2), json!(0)], [json!("events/2.csv"), json!(1), json!(1), json!(1)]];
    assert_eq!(lines.iter().map(told).collect::<Vec<_>>(), expected);
    assert_eq!(lines[0]["blake3"], blake3::hash(events(&[1, 2]).as_bytes()).to_hex().as_str());

    project.write("landing/events/3.csv", events(&[4]));
    project.run(0);
    assert_eq!(bronze_records(&project), 4);
    assert_eq!(ledger(&project).last().unwrap()["batch"], 2);
}

/// A run that completes the ledger, and another that comes between bronze and the ledger meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_that_falls_behind_while_it_is_completed_takes_no_file_twice() {
    let project = Arc::new(Project::small());
    project.write("landing/events/1.csv", events(&[1, 2]));
    dies_before_the_ledger(&project).await;
    let others = project.clone();
    let another = move || {
        let project = others.clone();
        async move {
            project.write("landing/events/2.csv", events(&[3]));
            let_claims_expire(&project.path("lake"));
            dies_before_the_ledger(&project).await;
        }
        .boxed()
    };
    let disk = Faulty::meanwhile("/_lakesmith/ledger/part-", Box::new(another));
    let report = run(project.root(), &disk.lake(&project.path("lake")), 1, false).await;
    assert!(report.tables[0].error.is_none(), "{report:?}");
    assert_eq!(bronze_records(&project), 3);
    assert_eq!(ledger(&project).len(), 2);
}

async fn dies_before_the_ledger(project: &Project) {
    let lake = Faulty::refusing("/_lakesmith/ledger/").lake(&project.path("lake"));
    let report = run(project.root(), &lake, 1, false).await;
    assert!(report.tables[0].error.is_some(), "{report:?}");
}

#[test]
fn a_lost_ledger_is_made_again_from_the_commits_of_bronze() {
    let project = Project::small();
    for (file, ids) in [("1", [1, 2]), ("2", [2, 3])] {
        project.write(&format!("landing/events/{file}.csv"), events(&ids));
        project.run(0);
    }
    let before = ledger(&project);
    lose_the_ledger(&project);
    // by the time the ledger is made again, a file that was taken may be away
    std::fs::remove_file(project.path("landing/events/1.csv")).unwrap();
    project.write("landing/events/3.csv", events(&[4]));
    project.run(0);
    assert_eq!(bronze_records(&project), 5);
    assert_eq!(ledger(&project)[..2], before);
}

#[test]
fn a_lost_ledger_is_made_again_from_the_rows_of_bronze_where_its_commits_tell_nothing() {
    let project = Project::small();
    project.write("landing/events/1.csv", events(&[1, 2]));
    project.write("landing/events/2.csv", "id,kind,amount,at\n3,k\n4,k,1.00,\n");
    project.run(0);
    let before = ledger(&project);
    lose_the_ledger(&project);
    strip_notes(&project);
    project.run(0);
    assert_eq!(bronze_records(&project), 4);
    assert_eq!(ledger(&project), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_ledger_is_made_again_after_bronze_has_cleaned_up_its_log() {
    let project = Project::small();
    for file in 1..=12 {
        project.write(&format!("landing/events/{file:02}.csv"), events(&[file, file + 1]));
        healthy_run(&project).await;
    }
    let before = ledger(&project);
    lose_the_ledger(&project);
    let log = project.path("lake/bronze/events/_delta_log");
    assert!(log.join("00000000000000000009.checkpoint.parquet").exists());
    for version in 0..9 {
        std::fs::remove_file(log.join(format!("{version:020}.json"))).unwrap();
    }
    healthy_run(&project).await;
    assert_eq!(bronze_records(&project), 24);
    assert_eq!(ledger(&project), before);
    assert_eq!(project.run(0)["status"], "unchanged");
}

#[test]
fn a_file_that_was_away_when_the_ledger_was_made_from_rows_is_set_aside_when_it_comes_back() {
    let project = Project::small();
    project.write("landing/events/1.csv", events(&[1, 2]));
    project.run(0);
    lose_the_ledger(&project);
    strip_notes(&project);
    std::fs::rename(project.path("landing/events/1.csv"), project.path("away.csv")).unwrap();
    project.write("landing/events/2.csv", events(&[3]));
    project.run(0);
    std::fs::rename(project.path("away.csv"), project.path("landing/events/1.csv")).unwrap();
    let report = project.run(1);
    let aside = &table(&report, "bronze.events")["files"]["set_aside"][0];
    assert_eq!(aside["path"], "events/1.csv");
    assert_eq!(bronze_records(&project), 3);
}

fn lose_the_ledger(project: &Project) {
    std::fs::remove_dir_all(project.path("lake/_lakesmith/ledger")).unwrap();
}

/// Bronze's commits no longer say which files they took in.
fn strip_notes(project: &Project) {
    for entry in std::fs::read_dir(project.path("lake/bronze/events/_delta_log")).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let actions = text.lines().filter(|line| !line.contains("\"commitInfo\""));
        std::fs::write(&path, actions.map(|line| format!("{line}\n")).collect::<String>()).unwrap();
    }
}

#[test]
fn silver_refuses_bronze_that_was_made_anew_until_it_is_rebuilt() {
    let project = Project::small();
    project.write("landing/events/1.csv", events(&[1, 2]));
    project.run(0);
    std::fs::remove_dir_all(project.path("lake/bronze/events")).unwrap();
    std::fs::remove_file(project.path("landing/events/1.csv")).unwrap();
    project.write("landing/events/2.csv", events(&[2, 3, 4]));
    let report = project.run(1);
    assert_eq!(table(&report, "bronze.events")["files"]["taken"], 1);
    let refused = table(&report, "silver.events");
    assert_eq!(refused["status"], "failed");
    assert!(refused["error"].as_str().unwrap().contains("lakesmith rebuild silver.events"), "{refused}");
    assert_eq!(project.value("SELECT count(*) FROM silver.events"), 2, "nothing is lost meanwhile");
    assert_eq!(table(&report, "gold.totals")["error"], "skipped: `silver.events` failed");

    project.json(&["rebuild", "silver.events", "--yes"], 0);
    project.run(0);
    assert_eq!(project.value("SELECT string_agg(cast(id AS varchar), ',' ORDER BY id) FROM silver.events"), "2,3,4");
    assert_eq!(project.value("SELECT sum(events) FROM gold.totals"), 3);
    project.write("landing/events/3.csv", events(&[5]));
    assert_eq!(table(&project.run(0), "silver.events")["action"], "merge");
    assert_eq!(project.value("SELECT sum(events) FROM gold.totals"), 4);
}

#[test]
fn gold_follows_silver_that_was_made_anew() {
    let project = Project::small();
    project.write("landing/events/1.csv", events(&[1, 2]));
    project.write("landing/events/2.csv", "id,kind,amount,at\nx,k,1.00,\n");
    project.run(0);
    std::fs::remove_dir_all(project.path("lake/silver/events")).unwrap();
    project.write("landing/events/3.csv", events(&[2, 3]).replace(",k,", ",j,"));
    let report = project.run(0);
    assert_eq!(table(&report, "silver.events")["rows"]["read"], 5);
    let totals = project.query("SELECT kind, events FROM gold.totals ORDER BY kind");
    assert_eq!(totals, [json!({ "kind": "j", "events": 2 }), json!({ "kind": "k", "events": 1 })]);
    assert_eq!(project.value("SELECT count(*) FROM quarantine.events"), 1);
    assert_eq!(project.run(0)["status"], "unchanged");
}

#[test]
fn a_watermark_ahead_of_its_source_is_told() {
    let project = Project::small();
    for (file, ids) in [("1", [1, 2]), ("2", [3, 4])] {
        project.write(&format!("landing/events/{file}.csv"), events(&ids));
        project.run(0);
    }
    let lose = |folder: &str| {
        let commit = project.path(&format!("lake/{folder}/_delta_log/{:020}.json", 1));
        std::fs::remove_file(commit).unwrap();
    };
    lose("silver/events");
    let report = project.json(&["run", "gold.totals"], 0);
    let told = table(&report, "gold.totals")["note"].as_str().unwrap().to_owned();
    assert!(told.contains("full: ") && told.contains("version 1 was read: its commits were lost"), "{told}");
    assert_eq!(project.value("SELECT sum(events) FROM gold.totals"), 2, "as silver is");
    project.run(0);
    assert_eq!(project.value("SELECT sum(events) FROM gold.totals"), 4);

    // Without a ledger to tell that bronze has lost a commit, silver tells.
    lose("bronze/events");
    lose_the_ledger(&project);
    let report = project.json(&["run", "silver.events"], 1);
    let refused = table(&report, "silver.events")["error"].as_str().unwrap().to_owned();
    assert!(refused.contains("up to batch 2") && refused.contains("lakesmith repair bronze.events"), "{refused}");
}
