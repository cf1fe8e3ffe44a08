//! The history of runs: all that changes something is in it, for anyone to query.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{Project, table};

const DAY_1: &str = "id,kind,amount,at\n1,a,1,2026-01-01\n2,b,2,2026-01-01\n3,x,no,2026-01-01\n";
const DAY_2: &str = "id,kind,amount,at\n1,a,5,2026-01-02\n4,a,4,2026-01-02\n";

fn lines(project: &Project) -> Vec<Value> {
    project.query("SELECT * FROM lakesmith.runs ORDER BY started_at, \"table\"")
}

fn newest(project: &Project) -> Value {
    project.json(&["runs", "-n", "1"], 0)["runs"][0].clone()
}

/// Command and status of the newest run, and of each table its action, versions and whether it wrote.
fn told(project: &Project) -> Value {
    let run = newest(project);
    let of = |t: &Value| {
        json!([t["table"], t["action"], t["version_before"], t["version"], t["bytes_written"].as_u64() > Some(0)])
    };
    let tables: Vec<Value> = run["tables"].as_array().unwrap().iter().map(of).collect();
    json!([run["command"], run["status"], tables])
}

#[test]
fn a_file_that_is_set_aside_is_told_once_and_beside_what_changes_later() {
    let project = Project::small();
    project.write("landing/events/1.csv", DAY_1);
    project.run(0);
    let written = lines(&project).len();
    project.write("landing/events/2.csv", b"\xff\xfe\x00");
    let report = project.run(1);
    assert_eq!(table(&report, "bronze.events")["files"]["newly_set_aside"], 1);
    assert_eq!(told(&project), json!(["run", "failed", [["bronze.events", "none", 0, 0, false]]]));
    assert_eq!(newest(&project)["run_id"], report["run_id"]);
    assert!(newest(&project)["tables"][0]["error"].as_str().unwrap().contains("events/2.csv"));
    let again = project.run(1);
    assert_eq!(table(&again, "bronze.events")["files"]["newly_set_aside"], 0);
    assert_eq!(lines(&project).len(), written + 1, "it is aside as before: nothing has changed");
    let silver = std::fs::read_to_string(project.path("layers/silver/events.yaml")).unwrap();
    project.write("layers/silver/events.yaml", format!("{silver}steps:\n  - where: id <> 1\n"));
    project.run(1);
    assert_eq!(told(&project)[1], "failed", "as the run's report says");
    assert_eq!(told(&project)[2][0], json!(["bronze.events", "none", 0, 0, false]));
}

#[test]
fn whatever_changes_something_is_in_the_history() {
    let project = Project::small();
    project.write("landing/events/1.csv", DAY_1);
    let report = project.run(0);
    let run = newest(&project);
    assert_eq!(run["run_id"], report["run_id"]);
    assert!(run["peak_memory_bytes"].as_u64() > Some(1 << 20), "{run}");
    assert_eq!(run["lakesmith_version"], env!("CARGO_PKG_VERSION"));
    for told in run["tables"].as_array().unwrap() {
        let name = told["table"].as_str().unwrap();
        assert_eq!(told["rows"], table(&report, name)["rows"], "{name}");
        assert_eq!(told["inputs"], table(&report, name).get("inputs").cloned().unwrap_or(json!([])), "{name}");
        assert_eq!((&told["version_before"], &told["version"]), (&Value::Null, &json!(0)), "{name}");
    }
    assert_eq!(run["tables"][0]["bytes_read"], DAY_1.len());

    project.write("landing/events/2.csv", DAY_2);
    project.run(0);
    let tables = json!([
        ["bronze.events", "append", 0, 1, true],
        ["silver.events", "merge", 0, 1, true],
        ["gold.totals", "merge", 0, 1, true]
    ]);
    assert_eq!(told(&project), json!(["run", "succeeded", tables]));
    project.json(&["rebuild", "silver+", "--yes"], 0);
    assert_eq!(told(&project)[0], "rebuild");
    assert_eq!(told(&project)[2][0], json!(["silver.events", "rebuild", 1, 2, true]));
    let backfill = ["backfill", "silver.events", "--from", "2026-01-01", "--to", "2026-01-03", "--yes"];
    project.json(&backfill, 0);
    assert_eq!(told(&project)[0], "rebuild", "a backfill that changes nothing is not told");
    project.json(&["restore", "silver.events@0", "--yes"], 0);
    assert_eq!(told(&project), json!(["restore", "succeeded", [["silver.events", "restore", 2, 3, false]]]));
    project.run(0);
    let silver = std::fs::read_to_string(project.path("layers/silver/events.yaml")).unwrap();
    let silver = format!("{silver}on_change: forward_only\nsteps:\n  - where: id <> 4\n");
    project.write("layers/silver/events.yaml", silver);
    project.json(&backfill, 0);
    assert_eq!(told(&project)[0], "backfill");
    assert_eq!(told(&project)[2][0], json!(["silver.events", "backfill", 4, 5, false]));
    project.run(0);
    project.json(&["optimize", "bronze"], 0);
    assert_eq!(told(&project), json!(["optimize", "succeeded", [["bronze.events", "optimize", 1, 2, true]]]));

    let before = lines(&project);
    let count = project.json(&["runs"], 0)["runs"].as_array().unwrap().len();
    assert_eq!(before.iter().map(|line| line["run_id"].as_str()).collect::<BTreeSet<_>>().len(), count);
    assert!(count >= 6, "{count}");
    assert!(before.iter().all(|line| line["command"].is_string() && line["seconds"].as_f64() >= Some(0.0)));
}

#[test]
fn a_vacuum_is_told_with_what_it_deleted() {
    let project = Project::small();
    project.write("landing/events/1.csv", DAY_1);
    project.run(0);
    project.write("landing/events/2.csv", DAY_2);
    project.run(0);
    let vacuum = ["vacuum", "gold", "--retain", "0s", "--force", "--yes"];
    let report = project.json(&vacuum, 0);
    let run = newest(&project);
    assert_eq!((&run["command"], &run["tables"][0]["action"]), (&json!("vacuum"), &json!("vacuum")));
    assert_eq!(run["tables"][0]["bytes_deleted"], report["tables"][0]["bytes"]);
    assert!(run["tables"][0]["bytes_deleted"].as_u64() > Some(0));
    let files = project.lake_files();
    project.json(&vacuum, 0);
    assert_eq!(files, project.lake_files(), "one that finds nothing leaves no trace");
}

#[test]
fn a_run_that_changes_nothing_is_not_told() {
    let project = Project::small();
    project.write("landing/events/1.csv", DAY_1);
    project.run(0);
    let files = project.lake_files();
    project.run(0);
    project.json(&["optimize"], 0);
    assert_eq!(files, project.lake_files());
    assert_eq!(project.json(&["runs"], 0)["runs"].as_array().unwrap().len(), 1);
}

#[test]
fn a_history_that_cannot_be_written_fails_no_run() {
    let project = Project::small();
    project.write("landing/events/1.csv", DAY_1);
    project.write("lake/_lakesmith/runs/_delta_log/00000000000000000000.json", "no commit");
    let said = project.lakesmith(&["run"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.stderr.contains("could not be written to the history of runs"), "{said:?}");
    assert_eq!(project.value("SELECT count(*) FROM silver.events"), 2);
    assert_eq!(project.lakesmith(&["runs"]).code, 1);
}

#[test]
fn what_failed_is_told_with_the_reason() {
    let project = Project::small();
    project.write("landing/events/1.csv", DAY_1);
    project.run(0);
    project.write("lake/gold/totals/_delta_log/00000000000000000001.json", "no commit");
    project.write("landing/events/2.csv", DAY_2);
    project.run(1);
    let run = newest(&project);
    assert_eq!(run["status"], "failed");
    let gold = run["tables"].as_array().unwrap().iter().find(|t| t["table"] == "gold.totals").unwrap();
    assert_eq!(gold["status"], "failed");
    assert!(!gold["error"].as_str().unwrap().is_empty());
    let failed = project.json(&["runs", "--failed", "--since", "1h"], 0);
    assert_eq!(failed["runs"].as_array().unwrap().len(), 1);
    let narrow = project.json(&["runs", "--failed", "--table", "silver.events"], 0);
    assert_eq!(narrow["runs"], json!([]));
    let id = run["run_id"].as_str().unwrap();
    assert_eq!(project.json(&["runs", &id[..13]], 0), run);
    assert_eq!(project.json(&["runs", &id.to_uppercase()], 0), run);
    let said = project.lakesmith(&["runs", "0"]);
    assert_eq!(said.code, 2, "{said:?}");
    assert!(said.stderr.contains("several runs begin with `0`") && said.stderr.contains(id), "{said:?}");
    assert_eq!(project.lakesmith(&["runs", "ffff"]).code, 2);
}

#[test]
fn no_run_at_all_is_no_answer() {
    for args in [&["runs", "-n", "0"][..], &["history", "silver.events", "-n", "0"]] {
        let said = Project::small().lakesmith(args);
        assert_eq!(said.code, 2, "{said:?}");
        assert!(said.stderr.contains("at least 1"), "{said:?}");
    }
}

#[test]
fn what_people_have_said_of_tables_and_files_is_in_the_history() {
    let project = Project::small();
    project.write("landing/events/1.csv", "id,kind,amount,at\n1,a,1.10,\n");
    project.write("landing/events/3.csv.gz", "no gzip at all");
    let yaml = "source:\n  path: events/*\n  format: csv\n";
    project.write("layers/bronze/events.yaml", yaml);
    project.run(1);
    project.json(&["pin", "silver.events@0", "--as", "first"], 0);
    project.json(&["pin", "silver.events@0", "--as", "first"], 0);
    project.json(&["unpin", "silver.events", "first"], 0);
    project.json(&["files", "--ignore", "events/3.csv.gz"], 0);
    let runs = project.json(&["runs"], 0)["runs"].clone();
    let told: Vec<_> = runs.as_array().unwrap().iter().map(|run| run["command"].as_str().unwrap()).collect();
    assert_eq!(told, ["files", "unpin", "pin", "run"], "{runs:#}");
    assert_eq!(runs[0]["tables"][0]["table"], "bronze.events");
    assert_eq!(runs[0]["tables"][0]["note"], "ignored: events/3.csv.gz");
    assert_eq!(runs[2]["tables"][0]["note"], "version 0 is now first");
}
