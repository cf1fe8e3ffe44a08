//! `rebuild --dry-run` and `plan --diff`: what would be done is done beside the lake and shown; the lake stays as it is.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use lakesmith::delta::{At, Lake, Side};
use lakesmith::plan::Request;
use lakesmith::run::{Comparison, Run, compare, rehearse};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::faulty::Faulty;
use crate::lake::{load, run};
use crate::support::{Project, table};

const EVENTS: &str = "id,kind,amount,at
1,a,1.00,2026-01-01T00:00:00Z
2,a,2.00,2026-01-01T00:00:00Z
3,b,3.00,2026-01-01T00:00:00Z
4,c,4.00,2026-01-01T00:00:00Z
5,c,5.005,2026-01-01T00:00:00Z
";

/// Events of kind `a` are worth twice as much, those of kind `b` do not count.
const MENDED: &str = "from: bronze.events
contract: schemas/events.odcs.yaml
key: [id]
latest_by: [at]
event_time: at
steps:
  - derive: { amount: \"cast(case when kind = 'a' then amount * 2 else amount end as decimal(12,2))\" }
  - where: kind <> 'b'
";

/// A lake whose silver table follows another definition than today's.
fn stale() -> Project {
    let project = made();
    project.write("layers/silver/events.yaml", MENDED);
    project
}

fn made() -> Project {
    let project = Project::small();
    project.write("landing/events/1.csv", EVENTS);
    project.run(0);
    project
}

/// Every file below a folder, with the hash of its bytes.
fn bytes(folder: &Path) -> BTreeMap<PathBuf, blake3::Hash> {
    let entries = walkdir::WalkDir::new(folder).into_iter().filter_map(Result::ok);
    let files = entries.filter(|entry| entry.file_type().is_file()).map(|entry| entry.into_path());
    files.map(|path| (path.clone(), blake3::hash(&std::fs::read(path).unwrap()))).collect()
}

fn rows(diff: &Value) -> [u64; 5] {
    ["before", "after", "added", "removed", "changed"].map(|name| diff["rows"][name].as_u64().unwrap())
}

fn changed(diff: &Value) -> Vec<(&str, u64)> {
    let columns = diff["columns"].as_array().unwrap().iter();
    let counted = columns.map(|c| (c["name"].as_str().unwrap(), c["changed"].as_u64().unwrap()));
    counted.filter(|(_, n)| *n > 0).collect()
}

#[test]
fn a_dry_run_tells_what_the_rebuild_then_does() {
    let project = stale();
    let before = bytes(&project.path("lake"));
    let dry = project.json(&["rebuild", "silver.events+", "--dry-run"], 0);
    assert_eq!(bytes(&project.path("lake")), before);
    assert_eq!((&dry["dry_run"], &dry["status"]), (&json!(true), &json!("succeeded")));
    let (silver, gold) = (table(&dry, "silver.events"), table(&dry, "gold.totals"));
    assert_eq!((&silver["action"], &silver["version"]), (&json!("rebuild"), &json!(0)), "{silver}");
    assert_eq!((rows(&silver["diff"]), changed(&silver["diff"])), ([4, 3, 0, 1, 2], vec![("amount", 2)]));
    assert_eq!((rows(&gold["diff"]), changed(&gold["diff"])), ([3, 2, 0, 1, 1], vec![("amount", 1)]));
    assert_eq!(silver["quarantine"], json!({ "before": 1, "after": 1 }));
    assert_eq!(gold["quarantine"], Value::Null);
    let total = &silver["diff"]["totals"][0];
    assert_eq!(
        [&total["name"], &total["before"], &total["after"], &total["difference"]],
        [&json!("amount"), &json!(10.0), &json!(10.0), &json!(0.0)]
    );

    project.json(&["rebuild", "silver.events+", "--yes"], 0);
    for (dry, name) in [(silver, "silver.events"), (gold, "gold.totals")] {
        let mut done = difference(&project, name);
        let mut dry = dry["diff"].clone();
        assert_eq!(
            (dry["to"].take(), done["to"].take()["version"].take()),
            (json!({ "version": null, "at": null }), json!(1))
        );
        // the sizes of two files of the same rows need not be the same
        (dry["read"], done["read"]) = (Value::Null, Value::Null);
        assert_eq!(dry, done, "{name}");
    }
    let again = project.json(&["rebuild", "silver.events+", "--dry-run"], 0);
    for name in ["silver.events", "gold.totals"] {
        let diff = &table(&again, name)["diff"];
        assert_eq!((&rows(diff)[2..], changed(diff)), (&[0, 0, 0][..], vec![]), "{name}");
    }
}

/// How version 1 of a table differs from version 0.
fn difference(project: &Project, name: &str) -> Value {
    let lake = Lake::open(project.path("lake").to_str().unwrap(), &BTreeMap::new()).unwrap();
    let (table, project) = (lake.table(&name.replace('.', "/")), load(project.root()));
    let name = project.order.iter().find(|table| table.to_string() == name).unwrap();
    let how = Comparison { totals: true, ..Comparison::of(&project, name) };
    let compared = async {
        let (before, after) = (table.snapshot_at(&At::Version(0)).await, table.snapshot_at(&At::Version(1)).await);
        compare(&Side::from(&before.unwrap()), &Side::from(&after.unwrap()), &how).await.unwrap()
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    serde_json::to_value(runtime.block_on(compared)).unwrap()
}

#[test]
fn only_what_is_selected_is_computed() {
    let project = stale();
    let dry = project.json(&["rebuild", "silver.events", "--dry-run"], 0);
    let tables: Vec<_> = dry["tables"].as_array().unwrap().iter().map(|t| &t["table"]).collect();
    assert_eq!(tables, ["silver.events"]);
}

#[test]
fn a_plan_shows_what_a_run_would_change() {
    let project = made();
    project.write("landing/events/2.csv", "id,kind,amount,at\n1,a,7.00,2026-01-02T00:00:00Z\n6,d,1.00,\n7,d,x,\n");
    let before = bytes(project.root());
    let plan = project.json(&["plan", "--diff"], 0);
    assert_eq!(bytes(project.root()), before, "neither lake nor landing folder");
    let tasks: Vec<_> = plan["tasks"].as_array().unwrap().iter().map(|t| &t["table"]).collect();
    assert_eq!(tasks, ["bronze.events", "silver.events", "gold.totals"]);
    let bronze = table(&plan, "bronze.events");
    assert_eq!(
        [&bronze["rows"]["inserted"], &bronze["files"]["taken"], &bronze["diff"]],
        [&json!(3), &json!(1), &Value::Null]
    );
    let silver = table(&plan, "silver.events");
    assert_eq!((rows(&silver["diff"]), changed(&silver["diff"])), ([4, 5, 1, 0, 1], vec![("amount", 1), ("at", 1)]));
    assert_eq!(silver["quarantine"], json!({ "before": 1, "after": 2 }));
    assert_eq!(rows(&table(&plan, "gold.totals")["diff"]), [3, 4, 1, 0, 1]);
    assert_eq!(project.run(0)["tables"].as_array().unwrap().len(), 3, "it takes the same file in");
    assert_eq!(project.value("SELECT count(*) FROM silver.events"), 5);
    let idle = project.json(&["plan", "--diff"], 0);
    assert_eq!((&idle["status"], &table(&idle, "silver.events")["diff"]), (&json!("unchanged"), &Value::Null));
}

#[test]
fn a_table_that_is_not_there_yet_is_compared_with_nothing() {
    let project = Project::small();
    project.write("landing/events/1.csv", EVENTS);
    let plan = project.json(&["plan", "--diff"], 0);
    let silver = table(&plan, "silver.events");
    assert_eq!((&silver["version"], rows(&silver["diff"])), (&Value::Null, [0, 4, 4, 0, 0]));
    assert_eq!(silver["quarantine"], json!({ "before": 0, "after": 1 }));
    assert!(!project.path("lake").exists());
}

#[test]
fn nothing_is_left_where_temporary_files_go() {
    let project = stale();
    std::fs::create_dir(project.path("tmp")).unwrap();
    let tmp = project.path("tmp").display().to_string();
    let left = || std::fs::read_dir(&tmp).unwrap().count();
    let env = [("TMPDIR", tmp.as_str())];
    let dry = ["rebuild", "silver.events+", "--dry-run"];
    assert_eq!((project.lakesmith_with(&env, &dry).code, left()), (0, 0));
    // a table fails
    project.write("layers/gold/totals.yaml", "from: silver.events\nsteps:\n  - derive: { x: 1 / (id - 1) }\n");
    let said = project.lakesmith_with(&env, &dry);
    assert_eq!((said.code, left()), (1, 0), "{said:?}");
    assert!(said.stderr.contains("division by zero"), "{said:?}");
    let nowhere = project.path("none").display().to_string();
    let said = project.lakesmith_with(&[("TMPDIR", nowhere.as_str())], &dry);
    assert_eq!((said.code, said.stderr.contains(&nowhere)), (1, true), "{said:?}");
}

#[test]
fn another_run_at_work_is_no_hindrance() {
    let project = stale();
    let claim = json!({ "run_id": "someone-else", "table": "silver.events", "until": "2099-01-01T00:00:00Z" });
    project.write("lake/_lakesmith/claims/silver.events.json", claim.to_string());
    let before = bytes(&project.path("lake"));
    let dry = project.json(&["rebuild", "silver.events", "--dry-run"], 0);
    assert_eq!(rows(&table(&dry, "silver.events")["diff"]), [4, 3, 0, 1, 2]);
    assert_eq!(bytes(&project.path("lake")), before, "its claim stays, and there is none of ours");
}

/// All tables of a project, silver and gold anew.
fn everything(project: &lakesmith::project::Project) -> Request {
    let tables: std::collections::BTreeSet<_> = project.order.iter().cloned().collect();
    let rebuild = tables.iter().filter(|table| table.layer.to_string() != "bronze").cloned().collect();
    Request { tables, rebuild, ..Request::default() }
}

fn quiet(project: &Project, lake: &Lake) -> Run {
    Run::in_lake(load(project.root()), lake.clone(), Arc::new(|_| ()))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_store_of_the_lake_is_asked_for_no_change() {
    let project = stale();
    project.write("landing/events/2.csv", "id,kind,amount,at\n6,d,1.00,\n");
    let store = Faulty::healthy();
    let run = quiet(&project, &store.lake(&project.path("lake")));
    let request = everything(&run.project);
    let rehearsal = rehearse(&run, async |run| run.carry_out(&request, 2).await).await.unwrap();
    assert_eq!((rehearsal.exit_code(), rehearsal.diffs.len(), store.changes()), (0, 2, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_do_meanwhile_is_not_seen() {
    let project = stale();
    let lake = Lake::open(project.path("lake").to_str().unwrap(), &BTreeMap::new()).unwrap();
    let trial = quiet(&project, &lake);
    let request = everything(&trial.project);
    let alone = rehearse(&trial, async |trial| trial.carry_out(&request, 1).await).await.unwrap();
    let rehearsal = rehearse(&trial, async |trial| {
        project.write("landing/events/2.csv", "id,kind,amount,at\n1,a,100.00,2026-02-01T00:00:00Z\n9,z,1.00,\n");
        let report = run(project.root(), &lake, 1, true).await;
        assert_eq!(report.exit_code(), 0, "{report:?}");
        std::fs::remove_file(project.path("landing/events/2.csv")).unwrap();
        trial.carry_out(&request, 1).await
    });
    let rehearsal = rehearsal.await.unwrap();
    for (table, diff) in &alone.diffs {
        let beside = &rehearsal.diffs[table];
        assert_eq!((&diff.rows, &diff.sample), (&beside.rows, &beside.sample), "{table}");
        assert_eq!(beside.from.version, Some(0));
    }
    assert_eq!(project.value("SELECT count(*) FROM silver.events"), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rehearsal_that_is_stopped_leaves_nothing() {
    let project = stale();
    let lake = Lake::open(project.path("lake").to_str().unwrap(), &BTreeMap::new()).unwrap();
    let (trial, before) = (quiet(&project, &lake), bytes(&project.path("lake")));
    let (request, scratch) = (everything(&trial.project), Mutex::new(None));
    let computed = Notify::new();
    let rehearsal = rehearse(&trial, async |trial| {
        let folder = trial.lake.url().to_file_path().unwrap();
        trial.carry_out(&request, 1).await;
        assert!(bytes(&folder).len() > 5);
        scratch.lock().unwrap().replace(folder);
        computed.notify_one();
        std::future::pending().await
    });
    tokio::select! {
        _ = rehearsal => {}
        () = computed.notified() => {}
    }
    assert!(!scratch.lock().unwrap().take().unwrap().exists());
    assert_eq!(bytes(&project.path("lake")), before);
}

#[test]
fn what_the_guard_would_stop_is_shown() {
    let project = made();
    project.write("layers/silver/events.yaml", MENDED.replace("kind <> 'b'", "kind = 'b'"));
    for args in [&["rebuild", "silver.events", "--dry-run"][..], &["plan", "--diff"]] {
        let dry = project.json(args, 3);
        let silver = table(&dry, "silver.events");
        assert_eq!((&silver["status"], rows(&silver["diff"])), (&json!("succeeded"), [4, 1, 0, 3, 0]));
        assert_eq!(silver["guard"], json!({ "before": 4, "after": 1, "limit": 0.5 }));
    }
    let dry = project.json(&["rebuild", "silver.events", "--dry-run", "--yes"], 0);
    assert_eq!(table(&dry, "silver.events")["guard"], Value::Null);
}

#[test]
fn a_backfill_is_tried_too() {
    let project = stale();
    let before = bytes(&project.path("lake"));
    let args = ["backfill", "silver.events+", "--from", "2026-01-01", "--to", "2026-01-02"];
    let dry = project.json(&[&args[..], &["--dry-run"]].concat(), 0);
    assert_eq!(bytes(&project.path("lake")), before);
    assert_eq!(rows(&table(&dry, "silver.events")["diff"]), [4, 3, 0, 1, 2]);
    assert_eq!(rows(&table(&dry, "gold.totals")["diff"]), [3, 2, 0, 1, 1]);
    project.json(&[&args[..], &["--yes"]].concat(), 0);
    assert_eq!(project.value("SELECT count(*) FROM silver.events"), 3);
}

#[test]
fn a_rebuild_from_earlier_bronze_is_tried_too() {
    let project = made();
    project.write("landing/events/2.csv", "id,kind,amount,at\n6,d,1.00,\n");
    project.run(0);
    let args = ["rebuild", "silver.events+", "--from", "bronze.events@0", "--dry-run"];
    let dry = project.json(&args, 0);
    assert_eq!(rows(&table(&dry, "silver.events")["diff"]), [5, 4, 0, 1, 0]);
    assert_eq!(rows(&table(&dry, "gold.totals")["diff"]), [4, 3, 0, 1, 0]);
    assert_eq!(
        project.json(&["rebuild", "silver.events", "--from", "bronze.events@9", "--dry-run"], 1)["status"],
        "failed"
    );
}
