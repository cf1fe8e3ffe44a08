//! A table on hold stays where it is while everything else goes on.

use serde_json::json;

use super::{all, assert_a_rebuild_changes_nothing, derive, events, lived, restore, rows, told};
use crate::support::table;

#[test]
fn runs_leave_a_table_on_hold_alone_and_say_so_until_it_is_released() {
    let project = lived();
    let report = restore(&project, &["silver.events@0", "--hold"]);
    let note = told(&report, "silver.events").2;
    assert!(note.contains("runs leave it alone until: lakesmith restore silver.events --release"), "{note}");
    project.write("landing/events/4.csv", events(4));
    // another definition is no reason either
    derive(&project, "id + 1");
    let report = project.run(0);
    let silver = table(&report, "silver.events");
    assert_eq!(
        (&silver["action"], &silver["status"], &silver["version"]),
        (&json!("none"), &json!("unchanged"), &json!(3))
    );
    assert!(silver["note"].as_str().unwrap().starts_with("held at version 0 since "), "{silver}");
    assert_eq!(table(&report, "bronze.events")["action"], "append");
    assert_eq!(rows(&project, "silver.events"), rows(&project, "silver.events@0"));
    assert_eq!(rows(&project, "gold.totals"), rows(&project, "gold.totals@0"), "gold follows the table as it is");

    let status = &project.json(&["status", "silver.events"], 0)["tables"][0];
    assert_eq!((&status["hold"]["version"], &status["stale"]), (&json!(0), &json!(null)));
    let said = project.lakesmith(&["status", "silver.events"]);
    assert!(said.stdout.contains("held at version 0"), "{said:?}");
    let plan = &project.json(&["plan"], 0)["tasks"][1];
    assert!(plan["action"] == "none" && plan["why"].as_str().unwrap().starts_with("held at version 0"), "{plan}");
    let files = project.lake_files();
    assert_eq!(project.run(0)["status"], "unchanged");
    assert_eq!(restore(&project, &["silver.events@0", "--hold"])["status"], "unchanged");
    assert_eq!(project.lake_files(), files);

    let report = project.json(&["restore", "silver.events", "--release"], 0);
    let (action, _, note) = told(&report, "silver.events");
    assert!(action == "restore" && note.contains("runs go on with it, held at version 0 until now"), "{report}");
    assert_eq!(project.json(&["restore", "silver.events+", "--release"], 0)["status"], "unchanged");
    assert_eq!(table(&project.run(0), "silver.events")["action"], "rebuild");
    assert_a_rebuild_changes_nothing(&project);
}

#[test]
fn what_reads_a_table_on_hold_waits_only_for_columns_that_it_needs() {
    let project = lived();
    derive(&project, "id + 1");
    let gold = std::fs::read_to_string(project.path("layers/gold/totals.yaml")).unwrap();
    project.write("layers/gold/totals.yaml", gold.replace("events: count(*)", "events: count(*), more: sum(extra)"));
    project.run(0);
    restore(&project, &["silver.events@1", "--hold"]);
    let refused = table(&project.run(1), "gold.totals")["error"].as_str().unwrap().to_owned();
    assert!(refused.contains("`extra`") && refused.contains("lakesmith restore silver.events --release"), "{refused}");
    project.write("layers/gold/totals.yaml", gold);
    project.json(&["rebuild", "gold.totals", "--yes"], 0);
    assert_eq!(rows(&project, "gold.totals"), rows(&project, "gold.totals@1"));
}

#[test]
fn a_hold_alone_changes_no_row_and_moves_with_the_table() {
    let project = lived();
    let before = all(&project);
    let held_at = || project.json(&["status", "silver.events"], 0)["tables"][0]["hold"]["version"].clone();
    assert_eq!(told(&restore(&project, &["silver.events@2", "--hold"]), "silver.events").1, 3);
    let version = &project.json(&["history", "silver.events"], 0)["versions"][0];
    assert_eq!((&version["action"], &version["files"]["added"]), (&json!("hold"), &json!(0)));
    assert_eq!((held_at(), all(&project)), (json!(2), before));
    // without --hold a table on hold stays so
    let report = restore(&project, &["silver.events@1"]);
    assert!(told(&report, "silver.events").2.contains("runs leave it alone"), "{report}");
    assert_eq!(held_at(), 1);
    assert_eq!(table(&project.run(0), "silver.events")["action"], "none");
    // to a version that was on hold itself
    project.json(&["restore", "silver.events", "--release"], 0);
    restore(&project, &["silver.events@4"]);
    assert_eq!(held_at(), json!(null), "a hold is of now, not of a version");
}

#[test]
fn a_rebuild_that_is_asked_for_ends_a_hold() {
    let project = lived();
    let before = all(&project);
    restore(&project, &["silver.events@0+", "--hold"]);
    restore(&project, &["gold.totals@0", "--hold"]);
    project.json(&["rebuild", "silver.events", "--yes"], 0);
    let report = project.run(0);
    assert!(told(&report, "gold.totals").2.starts_with("held at version 0"), "{report}");
    project.json(&["rebuild", "gold.totals", "--yes"], 0);
    project.run(0);
    assert_eq!(all(&project), before);
    let holds = project.json(&["status"], 0);
    assert!(holds["tables"].as_array().unwrap().iter().all(|t| t["hold"].is_null()), "{holds}");
}
