//! What is made from a table goes back with it, to the version that was made from the one that comes back.

use serde_json::json;

use super::{all, assert_a_rebuild_changes_nothing, derive, events, lived, restore, rows, told};
use crate::support::{Project, table};

#[test]
fn gold_goes_back_with_silver_and_a_run_brings_both_along() {
    let project = lived();
    let before = all(&project);
    let report = restore(&project, &["silver.events@1+"]);
    assert_eq!((told(&report, "silver.events").1, told(&report, "gold.totals").1), (3, 3));
    let note = told(&report, "gold.totals").2;
    assert!(note.contains("version 1") && note.contains("brings it along"), "{note}");
    assert_eq!(table(&report, "gold.totals")["inputs"], json!([{ "table": "silver.events", "version": 3 }]));
    assert_eq!(rows(&project, "silver.events"), rows(&project, "silver.events@1"));
    assert_eq!(rows(&project, "gold.totals"), rows(&project, "gold.totals@1"));
    let status = project.json(&["status", "gold.totals"], 0);
    assert_eq!(status["tables"][0]["lag"], json!({}), "it is level with the silver table that came back");

    let files = project.lake_files();
    for again in [&["silver.events@1", "+"][..], &["silver.events+@3"], &["silver.events@3+"]] {
        assert_eq!(restore(&project, again)["status"], "unchanged", "{again:?}");
    }
    assert_eq!(project.lake_files(), files);

    assert_eq!(table(&project.run(0), "gold.totals")["action"], "merge");
    assert_eq!(all(&project), before);
    assert_a_rebuild_changes_nothing(&project);
    // later, from what came back
    assert_eq!(told(&restore(&project, &["silver.events@3+"]), "gold.totals").0, "restore");
    assert_eq!(rows(&project, "gold.totals"), rows(&project, "gold.totals@1"));
    project.run(0);
    assert_eq!(all(&project), before);
}

#[test]
fn a_table_with_no_such_version_stays_until_the_next_run() {
    let project = Project::small();
    for file in 1..=2 {
        project.write(&format!("landing/events/{file}.csv"), events(file));
        project.run(0);
    }
    project.write("landing/events/3.csv", events(3));
    project.json(&["run", "bronze", "silver"], 0);
    project.write("landing/events/4.csv", events(4));
    project.run(0);
    let before = all(&project);
    // gold has never been made from silver's version 2
    let report = restore(&project, &["silver.events@2+"]);
    let (action, version, note) = told(&report, "gold.totals");
    assert_eq!((action.as_str(), version), ("none", -1), "{report}");
    assert!(note.contains("no version of it was made from `silver.events@2`"), "{note}");
    assert!(note.contains("the next run brings it up to date"), "{note}");
    assert_eq!(rows(&project, "gold.totals"), before.2);
    project.run(0);
    assert_eq!(all(&project), before);
    assert_a_rebuild_changes_nothing(&project);
}

#[test]
fn gold_that_was_made_from_the_same_rows_under_another_version_goes_back() {
    let project = Project::small();
    project.write("landing/events/1.csv", events(1));
    project.json(&["run", "bronze", "silver"], 0);
    // the same rows once more: silver has a new version and no new row
    project.write("landing/events/1b.csv", "id,kind,amount,at\n1,k1,1.00,2026-01-01T00:00:00Z\n");
    project.run(0);
    project.write("landing/events/2.csv", events(2));
    project.run(0);
    let report = restore(&project, &["silver.events@0+"]);
    assert_eq!(told(&report, "gold.totals").0, "restore", "{report}");
    assert_eq!(rows(&project, "gold.totals"), rows(&project, "gold.totals@0"));
    project.run(0);
    assert_a_rebuild_changes_nothing(&project);
}

/// Silver from silver, and gold that joins both, each of its inputs at a version of its own.
fn chain() -> Project {
    let project = Project::small();
    project.write("layers/silver/big.yaml", "from: silver.events\nkey: [id]\nsteps:\n  - where: id > 0\n");
    project.write(
        "layers/gold/both.yaml",
        "from: silver.events\nsteps:\n  - join: { with: silver.big, on: id, how: left, prefix: big_ }\n  - group_by: { kind: kind }\n    \
         aggregate: { n: count(*), m: sum(big_amount) }\n",
    );
    for file in 1..=3 {
        project.write(&format!("landing/events/{file}.csv"), events(file));
        project.run(0);
    }
    project
}

#[test]
fn a_chain_of_tables_goes_back_each_to_what_was_made_from_the_one_above() {
    let project = chain();
    let tables = ["silver.events", "silver.big", "gold.totals", "gold.both"];
    let before: Vec<_> = tables.map(|name| rows(&project, name)).into();
    let report = restore(&project, &["silver.events@1+"]);
    assert_eq!(report["tables"].as_array().unwrap().len(), 4);
    for name in tables {
        assert_eq!(told(&report, name).0, "restore", "{report}");
        assert_eq!(rows(&project, name), rows(&project, &format!("{name}@1")), "{name}");
    }
    assert_eq!(project.json(&["plan", "silver.big", "gold"], 0)["tasks"][0]["action"], "none");
    project.run(0);
    for (name, before) in tables.iter().zip(before) {
        assert_eq!(rows(&project, name), before, "{name}");
    }
    // in the middle of the chain: what is above stays
    let report = restore(&project, &["silver.big@0+"]);
    assert_eq!(report["tables"].as_array().unwrap().len(), 2);
    assert_eq!(told(&report, "gold.both").0, "restore");
    let report = project.run(0);
    assert_eq!(table(&report, "gold.totals")["action"], "none");
    let after: Vec<_> = tables.map(|name| rows(&project, name)).into();
    project.json(&["rebuild", "silver", "gold", "--yes"], 0);
    let rebuilt: Vec<_> = tables.map(|name| rows(&project, name)).into();
    assert_eq!(rebuilt, after);
}

#[test]
fn gold_under_another_definition_is_rebuilt_from_what_came_back() {
    let project = lived();
    let gold = std::fs::read_to_string(project.path("layers/gold/totals.yaml")).unwrap();
    project.write(
        "layers/gold/totals.yaml",
        gold.replace("events: count(*)", "events: count(*), ids: count(distinct id)"),
    );
    derive(&project, "id * 2");
    project.run(0);
    let before = all(&project);
    let report = restore(&project, &["silver.events@0+", "--hold"]);
    let note = told(&report, "gold.totals").2;
    assert!(note.contains("the next run rebuilds it: its definition changed"), "{note}");
    let report = project.run(0);
    assert_eq!(table(&report, "silver.events")["action"], "none");
    assert_eq!(table(&report, "gold.totals")["action"], "rebuild", "{report}");
    assert_eq!(project.value("SELECT sum(ids) FROM gold.totals"), 2);
    project.json(&["restore", "silver.events", "--release"], 0);
    project.run(0);
    assert_eq!(all(&project), before);
}
