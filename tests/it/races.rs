//! Several processes at once, and the claims by which they step out of one another's way.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{Project, Said, assert_accounted, table};

/// A file of 40 events with ids of its own, whose amounts add up to 40.
fn events(first_id: usize) -> String {
    let rows = (first_id..first_id + 40).map(|id| format!("{id},k{},1.00,2026-01-01T00:00:00Z\n", id % 3));
    ["id,kind,amount,at\n".to_owned()].into_iter().chain(rows).collect()
}

#[test]
fn four_processes_at_once_take_each_record_once() {
    let project = Project::small();
    let mut paths = BTreeSet::new();
    for round in 0..2 {
        for file in 0..5 {
            let path = format!("events/{round}-{file}.csv");
            project.write(&format!("landing/{path}"), events(40 * (5 * round + file)));
            paths.insert(path);
        }
        let processes: Vec<_> = (0..4).map(|_| project.start(&["run", "--json"])).collect();
        for process in processes {
            let said = Said::of(process.wait_with_output().unwrap());
            assert_eq!(said.code, 0, "{said:?}");
            assert_accounted(&serde_json::from_str(&said.stdout).unwrap());
        }
        // What one process left to another that had looked too early.
        project.run(0);
        assert_eq!(project.run(0)["status"], "unchanged");
        let records = 40 * paths.len();
        let bronze =
            "SELECT count(*) AS rows, count(distinct _source_file || ':' || _source_row) AS records FROM bronze.events";
        assert_eq!(project.query(bronze), [json!({ "rows": records, "records": records })]);
        assert_eq!(project.value("SELECT count(*) FROM silver.events"), records);
        let totals =
            project.query("SELECT sum(events) AS events, cast(sum(amount) AS double) AS amount FROM gold.totals");
        assert_eq!(totals, [json!({ "events": records, "amount": records as f64 })]);
        let ledger = project.query("SELECT path, rows, state FROM lakesmith.ledger ORDER BY path");
        let expected: Vec<_> = paths.iter().map(|p| json!({ "path": p, "rows": 40, "state": "taken" })).collect();
        assert_eq!(ledger, expected);
    }
    assert_eq!(claims(&project), Vec::<String>::new());
}

#[test]
fn a_table_that_another_run_has_claimed_is_skipped() {
    let project = Project::small();
    project.write("landing/events/1.csv", events(0));
    claim(&project, "silver.events", "2099-01-01T00:00:00Z");
    let report = project.run(0);
    assert_eq!(table(&report, "bronze.events")["action"], "append");
    let silver = table(&report, "silver.events");
    assert_eq!((&silver["action"], &silver["status"]), (&json!("none"), &json!("unchanged")));
    let note = silver["note"].as_str().unwrap();
    assert!(note.contains("someone-else") && note.contains("its claim ends at"), "{note}");
    assert_eq!(table(&report, "gold.totals")["action"], "none");
    assert!(!project.path("lake/silver").exists());
    assert_eq!(claims(&project), ["silver.events.json"], "another's claim stays");
}

#[test]
fn a_claim_that_has_expired_is_taken_over_and_given_free() {
    let project = Project::small();
    project.write("landing/events/1.csv", events(0));
    for name in ["bronze.events", "silver.events", "gold.totals"] {
        claim(&project, name, "2020-01-01T00:00:00Z");
    }
    project.write("lake/_lakesmith/claims/gold.totals.json", "no claim at all");
    let report = project.run(0);
    assert!(report["tables"].as_array().unwrap().iter().all(|t| t["status"] == "succeeded"), "{report}");
    assert_eq!(claims(&project), Vec::<String>::new());
}

#[test]
fn a_run_without_work_leaves_a_claim_alone() {
    let project = Project::small();
    project.write("landing/events/1.csv", events(0));
    project.run(0);
    claim(&project, "silver.events", "2099-01-01T00:00:00Z");
    let report = project.run(0);
    assert_eq!(table(&report, "silver.events")["note"], "its inputs have nothing new");
    assert_eq!(claims(&project), ["silver.events.json"]);
}

/// Another run claims a table, as docs/lake.md has it.
fn claim(project: &Project, table: &str, until: &str) {
    let claim = json!({ "run_id": "someone-else", "table": table, "until": until });
    project.write(&format!("lake/_lakesmith/claims/{table}.json"), Value::to_string(&claim));
}

fn claims(project: &Project) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(project.path("lake/_lakesmith/claims")) else { return Vec::new() };
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}
