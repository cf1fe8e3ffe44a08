//! What gold reads to follow a change of its inputs: what it must not need is deleted from the disk first.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::support::{Project, table};

const HEADER: &str = "id,kind,amount,at\n";

/// Each day in a file of its own.
fn days(project: &Project, days: std::ops::Range<u32>) {
    for day in days {
        let row = |id: u32| format!("{},k{},1.50,2026-01-{:02}T00:00:00Z\n", 10 * day + id, id % 3, day + 1);
        arrive(project, &format!("{day}.csv"), &(0..6).map(row).collect::<String>());
        project.json(&["run", "bronze", "silver"], 0);
    }
}

fn arrive(project: &Project, name: &str, rows: &str) {
    project.write(&format!("landing/events/{name}"), format!("{HEADER}{rows}"));
}

fn silver(project: &Project) -> BTreeSet<PathBuf> {
    let files = std::fs::read_dir(project.path("lake/silver/events")).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|extension| extension == "parquet")).collect()
}

fn newest(files: &BTreeSet<PathBuf>) -> PathBuf {
    files.iter().max_by_key(|path| std::fs::metadata(path).unwrap().modified().unwrap()).unwrap().clone()
}

fn gold(project: &Project, name: &str) -> Value {
    table(&project.json(&["run", &format!("gold.{name}")], 0), &format!("gold.{name}")).clone()
}

#[test]
fn counts_and_sums_follow_new_rows_without_the_old_ones() {
    let project = Project::small();
    days(&project, 0..2);
    gold(&project, "totals");
    let old = silver(&project);
    days(&project, 2..3);
    arrive(&project, "more.csv", "900,k9,,2026-01-09T00:00:00Z\n901,,2.50,2026-01-09T00:00:00Z\n");
    project.json(&["run", "bronze", "silver"], 0);
    old.iter().for_each(|file| std::fs::remove_file(file).unwrap());

    let report = gold(&project, "totals");
    assert_eq!(report["note"], "new in `silver.events`; incremental: 5 of 3 groups, 5 by addition");
    assert_eq!((&report["rows"]["inserted"], &report["rows"]["updated"]), (&json!(2), &json!(3)));
    let ask = "SELECT concat_ws(' ', kind, events, CAST(amount AS DOUBLE)) AS line FROM gold.totals ORDER BY kind";
    let lines: Vec<Value> = project.query(ask).into_iter().map(|row| row["line"].clone()).collect();
    assert_eq!(lines, ["k0 6 9.0", "k1 6 9.0", "k2 6 9.0", "k9 1", "1 2.5"]);
}

#[test]
fn touched_groups_are_computed_from_the_files_that_may_hold_them() {
    let project = Project::small();
    project.write(
        "layers/gold/days.yaml",
        "from: silver.events\nsteps:\n  - group_by: { day: \"date_trunc('day', at)\" }\n    aggregate: { most: max(amount) }\n",
    );
    days(&project, 0..5);
    gold(&project, "days");
    let before = silver(&project);
    let last = newest(&before);
    arrive(&project, "late.csv", "41,k1,7.50,2026-01-05T12:00:00Z\n999,k1,9.50,2026-01-05T12:00:00Z\n");
    project.json(&["run", "bronze", "silver"], 0);
    before.iter().filter(|path| **path != last).for_each(|file| std::fs::remove_file(file).unwrap());

    let report = gold(&project, "days");
    assert_eq!(report["note"], "new in `silver.events`; incremental: 1 of 5 groups");
    let most = project.query("SELECT day, most FROM gold.days WHERE most > 1.5");
    assert_eq!((most.len(), most[0]["most"].to_string().contains("9.5")), (1, true), "{most:?}");
}

#[test]
fn what_tables_below_group_by_has_statistics() {
    let project = Project::small();
    project.write(
        "layers/gold/kinds.yaml",
        "from: silver.events\nsteps:\n  - group_by: [kind]\n    aggregate: { most: max(amount) }\n",
    );
    for (number, kind) in ["a", "b", "c", "d"].into_iter().enumerate() {
        let row = |id: usize| format!("{},{kind}{},1.50,2026-01-01T00:00:00Z\n", 10 * number + id, id % 2);
        arrive(&project, &format!("{kind}.csv"), &(0..4).map(row).collect::<String>());
        project.json(&["run", "bronze", "silver"], 0);
    }
    gold(&project, "kinds");
    let files = silver(&project);
    let last = newest(&files);
    arrive(&project, "late.csv", "99,d1,9.50,2026-01-01T00:00:00Z\n");
    project.json(&["run", "bronze", "silver"], 0);
    files.iter().filter(|path| **path != last).for_each(|file| std::fs::remove_file(file).unwrap());
    assert_eq!(gold(&project, "kinds")["note"], "new in `silver.events`; incremental: 1 of 8 groups");
}

#[test]
fn a_change_of_a_column_that_no_step_reads_touches_nothing() {
    let project = Project::small();
    days(&project, 0..1);
    gold(&project, "totals");
    arrive(&project, "late.csv", "1,k1,1.50,2026-01-20T00:00:00Z\n");
    project.json(&["run", "bronze", "silver"], 0);
    let report = gold(&project, "totals");
    assert_eq!(report["note"], "new in `silver.events`; incremental: 0 of 3 groups");
    assert_eq!(report["rows"]["updated"], 0);
}

#[test]
fn what_the_log_tells_is_in_the_plan() {
    let project = Project::small();
    days(&project, 0..2);
    gold(&project, "totals");
    days(&project, 2..3);
    let planned = || project.json(&["plan", "gold"], 0)["tasks"][0].clone();
    assert_eq!(planned()["mode"], "incremental");
    std::fs::remove_dir_all(project.path("lake/silver/events")).unwrap();
    project.json(&["run", "silver"], 0);
    let task = planned();
    let why = "`silver.events` is another table than before";
    assert_eq!((&task["mode"], &task["why"]), (&json!("full"), &json!(format!("new in `silver.events`; {why}"))));
    assert_eq!(gold(&project, "totals")["note"], format!("new in `silver.events`; full: {why}"));
}

#[test]
fn what_tables_below_group_by_writes_nothing_by_itself() {
    let project = Project::small();
    days(&project, 0..2);
    project.json(&["run"], 0);
    let before = silver(&project);
    project.write(
        "layers/gold/kinds.yaml",
        "from: silver.events\nsteps:\n  - group_by: { kind: kind }\n    aggregate: { events: count(*) }\n",
    );
    let first = project.json(&["run"], 0);
    assert_eq!(table(&first, "gold.kinds")["status"], "succeeded");
    assert_eq!(table(&first, "silver.events")["status"], "unchanged");
    let again = project.json(&["run"], 0);
    assert!(again["tables"].as_array().unwrap().iter().all(|table| table["status"] == "unchanged"), "{again}");
    assert_eq!(silver(&project), before);
}
