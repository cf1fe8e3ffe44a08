//! Rebuilds: computed first, published together, from bronze as it is or was, while others are at work; and the guard.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use futures::FutureExt;
use lakesmith::delta::Lake;
use lakesmith::report::{Action, RunReport};
use serde_json::{Value, json};

use crate::faulty::{Death, Faulty, Meanwhile};
use crate::lake::{let_claims_expire, rows, run};
use crate::support::{Project, table};

const FIRST: &str = "id,kind,amount,at\n1,a,1.10,2026-01-01T00:00:00Z\n2,b,2.20,2026-01-01T00:00:00Z\nx,b,1,\n";
const SECOND: &str = "id,kind,amount,at\n3,c,3.30,2026-01-02T00:00:00Z\n1,a,9.00,2026-01-03T00:00:00Z\ny,b,1,\n";
const SILVER: &str = "layers/silver/events.yaml";
const LOG: &str = "/silver/events/_delta_log/";

fn healthy(project: &Project) -> Lake {
    Faulty::healthy().lake(&project.path("lake"))
}

/// One file taken in, the next one waiting, and a rule mended.
async fn begun() -> Arc<Project> {
    let project = Arc::new(Project::small());
    project.write("landing/events/1.csv", FIRST);
    assert_eq!(run(project.root(), &healthy(&project), 2, false).await.exit_code(), 0);
    project
}

fn mend(project: &Project) {
    let silver = fs::read_to_string(project.path(SILVER)).unwrap();
    project.write(SILVER, format!("{silver}steps:\n  - derive: {{ kind: kind || kind }}\n"));
}

async fn rebuild(project: &Project, lake: &Lake) -> RunReport {
    run(project.root(), lake, 2, true).await
}

/// What silver, quarantine and gold hold.
async fn held(project: &Project) -> [Vec<Vec<String>>; 3] {
    let lake = healthy(project);
    [
        rows(&lake, "silver/events", &["id", "kind", "amount", "at"]).await,
        rows(&lake, "quarantine/events", &["_source_file", "_source_row"]).await,
        rows(&lake, "gold/totals", &["kind", "events", "amount"]).await,
    ]
}

/// What the tables must hold: those of a lake in which all files were taken in at once.
async fn expected(project: &Project) -> [Vec<Vec<String>>; 3] {
    let fresh = Project::small();
    for file in [SILVER, "layers/gold/totals.yaml"] {
        fresh.write(file, fs::read_to_string(project.path(file)).unwrap());
    }
    for entry in fs::read_dir(project.path("landing/events")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        fresh.write(&format!("landing/events/{name}"), fs::read(path).unwrap());
    }
    assert_eq!(run(fresh.root(), &healthy(&fresh), 2, false).await.exit_code(), 0);
    held(&fresh).await
}

fn data_files(project: &Project, folder: &str) -> Vec<PathBuf> {
    let below = project.path("lake").join(folder);
    let files = project.lake_files().into_iter().map(|(path, _)| path);
    files.filter(|path| path.starts_with(&below) && path.extension().is_some_and(|e| e == "parquet")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn all_is_computed_before_the_first_commit_and_gold_names_the_silver_that_it_was_made_from() {
    let project = begun().await;
    mend(&project);
    let before = data_files(&project, "gold/totals").len();
    let seen = Arc::new(Mutex::new(0));
    let (theirs, count) = (project.clone(), seen.clone());
    let meanwhile: Meanwhile = Box::new(move || {
        *count.lock().unwrap() = data_files(&theirs, "gold/totals").len();
        async {}.boxed()
    });
    let disk = Faulty::meanwhile(LOG, meanwhile).lake(&project.path("lake"));
    let report = rebuild(&project, &disk).await;
    assert_eq!(report.exit_code(), 0, "{report:?}");
    assert_eq!(*seen.lock().unwrap(), before + 1, "gold is written before silver is published");
    let [silver, gold] = [&report.tables[1], &report.tables[2]];
    assert_eq!((silver.action, gold.action), (Action::Rebuild, Action::Rebuild));
    assert_eq!(gold.inputs[0].version, silver.version.unwrap());
    assert_eq!(held(&project).await, expected(&project).await);
    let files = project.lake_files();
    assert_eq!(project.run(0)["status"], "unchanged");
    assert_eq!(project.lake_files(), files);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_that_loses_against_a_run_takes_in_its_events_too() {
    let project = begun().await;
    mend(&project);
    project.write("landing/events/2.csv", SECOND);
    let theirs = project.clone();
    let meanwhile = move || {
        let project = theirs.clone();
        async move {
            let_claims_expire(&project.path("lake"));
            let report = run(project.root(), &healthy(&project), 1, false).await;
            assert_eq!((report.exit_code(), report.tables[1].version), (0, Some(1)), "{report:?}");
        }
        .boxed()
    };
    let disk = Faulty::meanwhile("/silver/events/_delta_log/", Box::new(meanwhile)).lake(&project.path("lake"));
    let silver_and_gold = ["silver.events", "gold.totals"].map(|name| name.parse().unwrap());
    let request = lakesmith::plan::Request {
        tables: silver_and_gold.clone().into(),
        rebuild: silver_and_gold.into(),
        ..Default::default()
    };
    let loaded = crate::lake::load(project.root());
    let report = lakesmith::run::Run::in_lake(loaded, disk, Arc::new(|_| ())).carry_out(&request, 2).await;
    assert_eq!(report.exit_code(), 0, "{report:?}");
    crate::support::assert_accounted(&serde_json::to_value(&report).unwrap());
    let [silver, gold] = [&report.tables[0], &report.tables[1]];
    assert_eq!((silver.version, silver.rows.read, silver.inputs[0].batch), (Some(2), 6, Some(2)));
    assert_eq!((gold.rows.inserted, gold.inputs[0].version), (3, 2));
    assert_eq!(held(&project).await, expected(&project).await);
    assert_eq!(project.run(0)["status"], "unchanged");
}

#[tokio::test(flavor = "multi_thread")]
async fn wherever_a_rebuild_dies_the_next_run_does_the_rest() {
    let mut deaths = 0;
    let mut wanted = None;
    for (last_arrives, step) in [(false, 1), (true, 3)] {
        for after in (0..).step_by(step) {
            let project = begun().await;
            mend(&project);
            project.write("landing/events/2.csv", SECOND);
            assert_eq!(run(project.root(), &healthy(&project), 1, false).await.exit_code(), 0);
            let disk = Faulty::dying(Death { after, last_arrives, blind: true });
            let report = rebuild(&project, &disk.lake(&project.path("lake"))).await;
            let_claims_expire(&project.path("lake"));
            let report_after = run(project.root(), &healthy(&project), 1, false).await;
            assert_eq!(report_after.exit_code(), 0, "{after} {last_arrives}: {report_after:?}");
            if wanted.is_none() {
                wanted = Some(expected(&project).await);
            }
            assert_eq!(Some(held(&project).await), wanted, "{after} {last_arrives}");
            if disk.changes() <= after {
                assert_eq!(report.exit_code(), 0);
                break;
            }
            deaths += 1;
        }
    }
    assert!(deaths > 10, "{deaths}");
}

#[test]
fn a_rebuild_from_an_earlier_bronze_is_taken_on_by_the_next_run() {
    let project = Project::small();
    project.write("landing/events/1.csv", FIRST);
    project.run(0);
    project.write("landing/events/2.csv", SECOND);
    project.run(0);
    let report = project.json(&["rebuild", "silver.events+", "--from", "bronze.events@0", "--yes"], 0);
    assert_eq!(
        table(&report, "silver.events")["inputs"],
        json!([{"table": "bronze.events", "version": 0, "batch": 1}])
    );
    let ids = "SELECT string_agg(cast(id as varchar), ' ' ORDER BY id) FROM silver.events";
    assert_eq!(project.value(ids), "1 2");
    assert_eq!(project.value("SELECT cast(sum(amount) as varchar) FROM gold.totals"), "3.30");
    assert_eq!(project.value("SELECT count(*) FROM quarantine.events"), 1);
    let report = project.run(0);
    assert_eq!(table(&report, "silver.events")["rows"]["read"], 3);
    assert_eq!(project.value(ids), "1 2 3");
    assert_eq!(project.value("SELECT cast(sum(amount) as varchar) FROM gold.totals"), "14.50");
    assert_eq!(project.value("SELECT count(*) FROM quarantine.events"), 2);
    for wrong in ["bronze.events", "silver.events@0", "bronze.orders@0", "bronze.events@yesterday"] {
        project.json(&["rebuild", "silver.events", "--yes", "--from", wrong], 2);
    }
    project.json(&["rebuild", "gold.totals", "--yes", "--from", "bronze.events@0"], 2);
    let report = project.json(&["rebuild", "silver.events", "--yes", "--from", "bronze.events@7"], 1);
    let error = table(&report, "silver.events")["error"].as_str().unwrap();
    assert!(error.contains("there is no version 7; the newest is 1"), "{error}");
}

fn guard_of(report: &Value, name: &str) -> Value {
    table(report, name)["guard"].clone()
}

#[test]
fn a_table_that_would_lose_most_of_its_rows_is_stopped_unless_the_user_insists() {
    let project = Project::small();
    let rows: String = (0..10).map(|id| format!("{id},k{id},1.00,2026-01-01T00:00:00Z\n")).collect();
    project.write("landing/events/1.csv", format!("id,kind,amount,at\n{rows}"));
    project.run(0);
    let silver = fs::read_to_string(project.path(SILVER)).unwrap();
    let keep = |n: u32| project.write(SILVER, format!("{silver}steps:\n  - where: id < {n}\n"));

    keep(4);
    let report = project.json(&["run"], 3);
    assert_eq!(report["status"], "failed");
    assert_eq!(guard_of(&report, "silver.events"), json!({"before": 10, "after": 4, "limit": 0.5}));
    assert!(table(&report, "gold.totals")["error"].as_str().unwrap().starts_with("skipped: "));
    assert_eq!(project.value("SELECT count(*) FROM silver.events"), 10);
    assert_eq!(data_files(&project, "silver/events").len(), 1, "what was computed is gone");
    // `rebuild --yes` insists; so does `run --yes`.
    let report = project.json(&["run", "--yes"], 0);
    assert_eq!(table(&report, "silver.events")["status"], "succeeded");
    assert_eq!(project.value("SELECT count(*) FROM gold.totals"), 4);

    keep(3);
    project.write("lakesmith.yaml", fs::read_to_string(project.path("lakesmith.yaml")).unwrap() + "guard: 10%\n");
    assert_eq!(guard_of(&project.json(&["run"], 3), "silver.events")["limit"], 0.1);
    let below_off = fs::read_to_string(project.path(SILVER)).unwrap() + "guard: off\n";
    project.write(SILVER, below_off);
    let report = project.json(&["run"], 3);
    assert_eq!(table(&report, "silver.events")["status"], "succeeded");
    assert_eq!(guard_of(&report, "gold.totals"), json!({"before": 4, "after": 3, "limit": 0.1}), "by its diff");
    let said = project.lakesmith(&["run"]);
    assert_eq!(said.code, 3);
    assert!(said.stderr.contains("the guard stopped it: of its 4 rows 3 would be left"), "{}", said.stderr);
}

#[test]
fn a_table_that_would_become_empty_is_stopped_whatever_the_share() {
    let project = Project::small();
    project.write("landing/events/1.csv", FIRST);
    project.run(0);
    let silver = fs::read_to_string(project.path(SILVER)).unwrap();
    project.write(SILVER, format!("{silver}guard: 1\nsteps:\n  - where: id > 7\n"));
    assert_eq!(guard_of(&project.json(&["run"], 3), "silver.events")["after"], 0);
}
