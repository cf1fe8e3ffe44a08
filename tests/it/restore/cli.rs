//! What people see.

use serde_json::json;

use super::{lived, restore, rows};
use crate::support::Project;

fn refusal(project: &Project, args: &[&str], code: i32) -> String {
    let said = project.lakesmith(&[&["restore"], args].concat());
    assert_eq!((said.code, said.stdout.as_str()), (code, ""), "{said:?}");
    said.stderr.replace(&project.root().display().to_string(), "[DIR]")
}

#[test]
fn what_does_not_go_back_says_why_and_what_to_do() {
    let project = lived();
    let files = project.lake_files();
    let refusals = [
        refusal(&project, &["bronze.events@0", "--yes"], 2),
        refusal(&project, &["quarantine.events@0", "--yes"], 2),
        refusal(&project, &["silver.event@0", "--yes"], 2),
        refusal(&project, &["silver.events", "--yes"], 2),
        refusal(&project, &["silver.events@yesterday", "--yes"], 2),
        refusal(&project, &["silver.events@9", "--yes"], 1),
        refusal(&project, &["silver.events@2020-01-01T00:00:00Z", "--yes"], 1),
        refusal(&project, &["silver.events@0"], 2),
        refusal(&project, &["silver.events@0", "--release"], 2),
    ];
    assert_eq!(project.lake_files(), files);
    insta::assert_snapshot!(refusals.join("\n"), @r"
    error: `bronze.events` does not go back: it holds all that was received, and its files would not be taken in a second time
    hint: to make what reads it as of then: lakesmith -C [DIR] rebuild silver.events+ --from bronze.events@0

    error: `quarantine.events` goes back with the table that refused its rows
    hint: e.g. `restore silver.events@3`

    error: there is no table `silver.event`
    hint: did you mean `silver.events`?

    error: to which version? e.g. `restore silver.events@3`
    hint: its versions: lakesmith -C [DIR] history silver.events

    error: `@yesterday` is no version
    hint: write a number, a time with its zone such as 2026-11-01T00:00:00Z, or the name of a pin, of which the table has none

    error: `silver.events`: there is no version 9; the newest is 2
    hint: its versions: lakesmith -C [DIR] history silver.events

    error: `silver.events`: the log holds no commit of 2020-01-01T00:00:00+00:00 or before
    hint: its versions: lakesmith -C [DIR] history silver.events

    error: a restore publishes an earlier version of the table, and there is nobody here to ask
    hint: say --yes

    error: `--release` lets runs go on with the table as it is: it takes no version
    ");
    let said = project.lakesmith(&["restore", "silver.events@0", "++"]);
    assert_eq!(said.code, 2, "{said:?}");
    let empty = Project::small();
    insta::assert_snapshot!(refusal(&empty, &["silver.events@0", "--yes"], 1), @r"
    warning: `check` has 1 warning; to see: lakesmith -C [DIR] check
    error: `silver.events` has not been made yet
    hint: to make it: lakesmith -C [DIR] run +silver.events
    ");
}

#[test]
fn a_dry_run_says_what_would_be_done_and_does_nothing() {
    let project = lived();
    let files = project.lake_files();
    let outlook = project.json(&["restore", "silver.events@1+", "--dry-run"], 0);
    let silver = &outlook["tables"][0];
    let told = [&silver["table"], &silver["version"], &silver["to"], &silver["rows_before"], &silver["rows_after"]];
    assert_eq!(told, [&json!("silver.events"), &json!(2), &json!(1), &json!(4), &json!(3)]);
    assert!(silver["why"].as_str().unwrap().contains("1 batch of `bronze.events`"), "{silver}");
    assert_eq!(outlook["tables"][1]["to"], 1);
    let said = project.lakesmith(&["restore", "silver.events@1", "--dry-run"]);
    assert!(said.stdout.starts_with("silver.events goes back to version 1 of 20"), "{said:?}");
    assert!(said.stdout.contains(": 4 → 3 rows; the next run does again what came after: 1 batch"), "{said:?}");
    assert_eq!(project.lake_files(), files);
}

#[test]
fn a_time_means_the_version_that_was_committed_last_until_then() {
    let project = lived();
    let versions = project.json(&["history", "silver.events"], 0)["versions"].clone();
    let at = versions[1]["at"].as_str().unwrap().to_owned();
    let report = restore(&project, &[&format!("silver.events@{at}")]);
    assert!(report["tables"][0]["note"].as_str().unwrap().contains("version 1"), "{report}");
    assert_eq!(rows(&project, "silver.events"), rows(&project, "silver.events@1"));
}

#[test]
fn the_history_of_tables_and_runs_tells_of_it() {
    let project = lived();
    let report = restore(&project, &["silver.events@1+", "--hold"]);
    let run_id = report["run_id"].as_str().unwrap();
    let runs = "SELECT \"table\", action, status, version FROM lakesmith.runs";
    let found = project.query(&format!("{runs} WHERE run_id = '{run_id}' ORDER BY \"table\" DESC"));
    let line = |table: &str| json!({ "table": table, "action": "restore", "status": "succeeded", "version": 3 });
    assert_eq!(found, [line("silver.events"), line("gold.totals")]);
    project.json(&["restore", "silver.events", "--release"], 0);
    let versions = project.json(&["history", "silver.events"], 0)["versions"].clone();
    let told = |i: usize| ["action", "restored", "current", "foreign"].map(|key| versions[i][key].clone());
    assert_eq!(told(0), [json!("release"), json!(null), json!(true), json!(false)]);
    assert_eq!(told(1), [json!("restore"), json!(1), json!(true), json!(false)]);
    assert_eq!(versions[1]["run_id"], run_id);
    let said = project.lakesmith(&["history", "silver.events"]);
    for words in
        ["restore of 1", "2 in, 3 out, by files", "3 read, 1 inserted, 1 updated, 1 quarantined", "bronze.events@1"]
    {
        assert!(said.stdout.contains(words), "{words}: {}", said.stdout);
    }
}
