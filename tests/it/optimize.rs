//! Files that are rearranged: few of many, nothing lost, and what reads them goes on as if nothing had happened.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use lakesmith::delta::{self, Change, Lake, Snapshot};
use lakesmith::report::RunReport;
use lakesmith::run::RUNS;
use polars::prelude::IntoLazy;
use serde_json::{Map, Value, json};

use crate::lake::{assert_rows, now, rows, rows_at, run};
use crate::support::{Project, Said, assert_accounted, table};

const TABLES: [&str; 4] = ["bronze/events", "silver/events", "quarantine/events", "gold/totals"];

fn lake(project: &Project) -> Lake {
    Lake::open(project.path("lake").to_str().unwrap(), &BTreeMap::new()).unwrap()
}

/// `rows` events from this number on, of as many kinds, and one that is refused.
fn events(first: usize, rows: usize) -> String {
    let good = (first..first + rows).map(|id| format!("{id},k{},1.00,2026-01-01T00:00:00Z\n", id % rows));
    let refused = format!("x{first},k,1.00,\n");
    ["id,kind,amount,at\n".to_owned()].into_iter().chain(good).chain([refused]).collect()
}

/// A run of all tables for each of these files.
async fn runs(project: &Project, files: std::ops::Range<usize>) -> Vec<RunReport> {
    let mut reports = Vec::new();
    for file in files {
        project.write(&format!("landing/events/{file}.csv"), events(10 * file, 3));
        reports.push(run(project.root(), &lake(project), 1, false).await);
    }
    reports
}

fn set_auto(project: &Project, auto: &str) {
    let yaml = std::fs::read_to_string(project.path("lakesmith.yaml")).unwrap();
    project.write("lakesmith.yaml", format!("{yaml}optimize: {{ auto: {auto} }}\n"));
}

async fn files(project: &Project) -> Vec<usize> {
    let mut counts = Vec::new();
    for table in TABLES {
        counts.push(now(&lake(project), table).await.unwrap().files().len());
    }
    counts
}

#[tokio::test(flavor = "multi_thread")]
async fn gold_stays_incremental_when_its_input_was_compacted_between_two_runs() {
    let project = Project::small();
    for file in 0..2 {
        project.write(&format!("landing/events/{file}.csv"), events(100 * file, 20));
        project.run(0);
    }
    let before = now(&lake(&project), "silver/events").await.unwrap();
    assert_eq!(before.files().len(), 2);
    project.json(&["optimize", "silver"], 0);
    for file in before.files() {
        std::fs::remove_file(project.path("lake/silver/events").join(file.path())).unwrap();
    }

    project.write("landing/events/9.csv", "id,kind,amount,at\n900,k3,1.00,2026-01-01T00:00:00Z\n");
    let report = project.run(0);
    let gold = table(&report, "gold.totals");
    assert_eq!(gold["note"], "new in `silver.events`; incremental: 1 of 20 groups, 1 by addition");
    assert_eq!(gold["rows"]["updated"], 1);
    let totals = project.query("SELECT events, count(*) AS kinds FROM gold.totals GROUP BY events ORDER BY events");
    assert_eq!(totals, [json!({ "events": 2, "kinds": 19 }), json!({ "events": 3, "kinds": 1 })]);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_files_become_one_rows_stay_and_a_second_time_nothing_is_written() {
    let project = Project::small();
    runs(&project, 0..4).await;
    assert_eq!(files(&project).await, [4, 4, 4, 1]);
    let mut before = Vec::new();
    for folder in TABLES {
        let snapshot = now(&lake(&project), folder).await.unwrap();
        let columns: Vec<String> = snapshot.schema().columns.iter().map(|column| column.name.clone()).collect();
        before.push((snapshot.version(), snapshot.txns().clone(), snapshot.properties().clone(), columns));
    }
    let report = project.json(&["optimize"], 0);
    assert_eq!(report["status"], "succeeded");
    let silver = table(&report, "silver.events");
    assert_eq!(
        (&silver["action"], &silver["status"], &silver["version"]),
        (&json!("optimize"), &json!("succeeded"), &json!(4))
    );
    assert_eq!(silver["files"], json!({ "before": 4, "after": 1 }));
    assert!(silver["bytes"]["after"].as_u64() < silver["bytes"]["before"].as_u64());
    assert_eq!(table(&report, "quarantine.events")["files"]["after"], 1);
    let gold = table(&report, "gold.totals");
    assert_eq!(
        (&gold["action"], &gold["status"], &gold["note"]),
        (&json!("none"), &json!("unchanged"), &json!("its files are in order"))
    );
    assert_eq!(files(&project).await, [1, 1, 1, 1]);

    for (folder, (version, txns, properties, columns)) in TABLES.iter().zip(&before) {
        let after = now(&lake(&project), folder).await.unwrap();
        assert_eq!((after.txns(), after.properties()), (txns, properties), "{folder}");
        let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
        let was = rows_at(&lake(&project), folder, *version, &columns).await;
        assert_rows(folder, &rows(&lake(&project), folder, &columns).await, &was);
        assert!(after.files().iter().all(|file| file.blake3().is_some() && file.rows().is_some()), "{folder}");
    }
    let still = project.lake_files();
    assert_eq!(project.json(&["optimize"], 0)["status"], "unchanged");
    assert_eq!(project.lake_files(), still);

    let history = project.json(&["history", "silver.events"], 0);
    let newest = &history["versions"][0];
    assert_eq!((&newest["action"], &newest["foreign"]), (&json!("optimize"), &json!(false)));
    assert_eq!(newest["run_id"], report["run_id"]);
    let status = project.json(&["status"], 0);
    assert!(status["tables"].as_array().unwrap().iter().all(|t| t["foreign_writes"] == json!([])), "{status}");
    assert!(project.run(0)["tables"].as_array().unwrap().iter().all(|t| t["rows"]["inserted"] == 0));
    assert_eq!(project.run(0)["status"], "unchanged");
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_compact_what_they_leave_and_go_on_unharmed() {
    let project = Project::small();
    set_auto(&project, "3");
    let reports = runs(&project, 0..10).await;
    for (n, report) in reports.iter().enumerate() {
        let told = serde_json::to_value(report).unwrap();
        assert_eq!(told["status"], "succeeded", "{told}");
        let silver = table(&told, "silver.events");
        assert_eq!(
            (&silver["rows"]["read"], &silver["rows"]["quarantined"]),
            (&json!(4), &json!(1)),
            "run {n}: {silver}"
        );
        let gold = table(&told, "gold.totals");
        assert_eq!(gold["rows"]["updated"], if n == 0 { 0 } else { 3 }, "run {n}: {gold}");
    }
    let notes: Vec<String> = reports.iter().filter_map(|report| report.tables[0].note.clone()).collect();
    assert!(notes.iter().all(|note| note.ends_with("files were compacted into 1")), "{notes:?}");
    assert!(notes.len() >= 2, "{notes:?}");
    let counts = files(&project).await;
    assert!(counts.iter().all(|count| *count <= 4), "{counts:?}");
    assert_eq!(rows(&lake(&project), "silver/events", &["id"]).await.len(), 30);
    let totals = rows(&lake(&project), "gold/totals", &["events"]).await;
    assert_eq!(totals.iter().map(|row| row[0].parse::<u64>().unwrap()).sum::<u64>(), 30);
    let still = project.lake_files();
    assert_eq!(project.run(0)["status"], "unchanged");
    assert_eq!(project.lake_files(), still, "a run without news compacts nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_that_silver_has_not_read_stay_apart_from_those_that_it_has() {
    let project = Project::small();
    runs(&project, 0..2).await;
    for file in 2..5 {
        project.write(&format!("landing/events/{file}.csv"), events(10 * file, 3));
        project.json(&["run", "bronze"], 0);
    }
    project.json(&["optimize", "bronze"], 0);
    let bronze = now(&lake(&project), "bronze/events").await.unwrap();
    let batches = |snapshot: &Snapshot| {
        let mut batches: Vec<_> = snapshot.files().iter().filter_map(|file| file.min_max_i64("_batch")).collect();
        batches.sort_unstable();
        batches
    };
    assert_eq!(batches(&bronze), [(1, 2), (3, 5)]);
    let report = project.run(0);
    assert_eq!(table(&report, "silver.events")["rows"]["read"], 12);
    project.json(&["optimize", "bronze"], 0);
    assert_eq!(batches(&now(&lake(&project), "bronze/events").await.unwrap()), [(1, 5)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_history_of_runs_is_compacted_by_the_run_that_finds_it_long() {
    let project = Project::small();
    runs(&project, 0..1).await;
    let table = lake(&project).table(RUNS);
    let base = table.snapshot().await.unwrap().unwrap();
    let mut adds = Vec::new();
    for i in 0..70i64 {
        let line = polars::df!("run_id" => [format!("old{i}")], "version" => [i]).unwrap();
        adds.extend(table.write(line.lazy(), base.schema()).await.unwrap());
    }
    table.commit(&base, Change { adds, ..Change::default() }).await.unwrap();
    runs(&project, 1..2).await;
    let after = table.snapshot().await.unwrap().unwrap();
    assert_eq!((after.files().len(), after.rows()), (1, Some(70 + 2 * 3)));
}

#[test]
fn what_cannot_be_optimized_is_said() {
    let project = Project::small();
    let report = project.json(&["optimize"], 0);
    assert_eq!(
        (&report["status"], &report["tables"][0]["note"]),
        (&json!("unchanged"), &json!("there is no such table yet"))
    );
    project.write("landing/events/1.csv", events(0, 3));
    project.run(0);
    let report = project.json(&["optimize", "silver", "gold", "--z-order", "at,id"], 1);
    assert_eq!(
        (&report["status"], &table(&report, "silver.events")["status"]),
        (&json!("failed"), &json!("unchanged"))
    );
    assert_eq!(table(&report, "gold.totals")["error"], "gold/totals: there is no column `at` to order by");

    project.write(
        "lake/_lakesmith/claims/silver.events.json",
        json!({
            "run_id": "someone-else", "table": "silver.events", "until": "2099-01-01T00:00:00Z",
        })
        .to_string(),
    );
    let report = project.json(&["optimize", "silver"], 0);
    let note = table(&report, "silver.events")["note"].as_str().unwrap().to_owned();
    assert!(note.contains("someone-else"), "{note}");

    let silver = std::fs::read_to_string(project.path("layers/silver/events.yaml")).unwrap();
    project.write(
        "layers/silver/events.yaml",
        format!("{silver}optimize: {{ auto: never, z_order: [kinds], often: true }}\n"),
    );
    let faults = project.json(&["check"], 2);
    let told: Vec<&str> = faults["errors"].as_array().unwrap().iter().map(|e| e["message"].as_str().unwrap()).collect();
    assert_eq!(told, ["`auto` cannot be `never`", "there is no column `kinds`", "`optimize` has no key `often`"]);
}

/// In one process without claims, so that commits meet commits.
#[tokio::test(flavor = "multi_thread")]
async fn runs_and_compactions_at_once_lose_no_row_and_double_none() {
    let project = Arc::new(Project::small());
    runs(&project, 0..2).await;
    let over = Arc::new(AtomicBool::new(false));
    let compacting: Vec<_> = TABLES
        .into_iter()
        .chain(TABLES)
        .map(|folder| {
            let (table, over) = (lake(&project).table(folder), over.clone());
            tokio::spawn(async move {
                let mut won = 0;
                while !over.load(Ordering::Relaxed) {
                    let snapshot = table.snapshot().await.unwrap().unwrap();
                    match delta::compact(&snapshot, Map::from_iter([("run_id".to_owned(), json!("c"))])).await {
                        Ok(done) => won += usize::from(done.is_some()),
                        Err(delta::Error::Lost { .. }) => {}
                        Err(error) => panic!("{error}"),
                    }
                    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                }
                won
            })
        })
        .collect();
    for report in runs(&project, 2..8).await {
        assert!(report.tables.iter().all(|table| table.error.is_none()), "{report:?}");
    }
    over.store(true, Ordering::Relaxed);
    let mut won = 0;
    for task in compacting {
        won += task.await.unwrap();
    }
    assert!(won > 0, "no compaction met a run");
    assert_all(&project, 8).await;
}

#[test]
fn processes_that_run_and_optimize_at_once_lose_no_row_and_double_none() {
    let project = Project::small();
    project.write("landing/events/0.csv", events(0, 3));
    project.run(0);
    for file in 1..6 {
        project.write(&format!("landing/events/{file}.csv"), events(10 * file, 3));
        let commands = [&["run", "--json"][..], &["optimize", "--json"], &["optimize", "--json"]];
        let processes: Vec<_> = commands.iter().map(|args| project.start(args)).collect();
        for process in processes {
            let said = Said::of(process.wait_with_output().unwrap());
            assert_eq!(said.code, 0, "{said:?}");
            let report: Value = serde_json::from_str(&said.stdout).unwrap();
            if report["tables"][0].get("rows").is_some() {
                assert_accounted(&report);
            }
        }
    }
    project.run(0);
    assert_eq!(project.run(0)["status"], "unchanged");
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(assert_all(&project, 6));
}

/// Every event of that many files is there once, in each table.
async fn assert_all(project: &Project, files: usize) {
    let lake = lake(project);
    let mut expected: Vec<Vec<String>> =
        (0..files).flat_map(|f| (0..3).map(move |i| vec![(10 * f + i).to_string()])).collect();
    expected.sort();
    assert_rows("silver", &rows(&lake, "silver/events", &["id"]).await, &expected);
    assert_eq!(rows(&lake, "bronze/events", &["id"]).await.len(), 4 * files);
    let refused = project.json(&["quarantine", "silver.events"], 0);
    assert_eq!(refused.as_array().unwrap().len(), files);
    let totals = rows(&lake, "gold/totals", &["events"]).await;
    assert_eq!(totals.iter().map(|row| row[0].parse::<usize>().unwrap()).sum::<usize>(), 3 * files);
}
