//! States and sizes; what a lake gives is tested through the command.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::state::{self, State};
use super::versions::{self, VersionDocs};
use crate::plan::Task;
use crate::report::Action;
use crate::run::past::{Files, Past};
use crate::run::survey::TableStatus;

fn status() -> TableStatus {
    TableStatus {
        table: "silver.orders".parse().unwrap(),
        version: Some(3),
        rows: Some(10),
        bytes: Some(100),
        files: Some(1),
        changed_at: None,
        lag: BTreeMap::new(),
        stale: None,
        mixed: false,
        hold: None,
        quarantined: Some(0),
        foreign_writes: Vec::new(),
        pins: BTreeMap::new(),
        log: None,
        error: None,
    }
}

fn task(action: Action) -> Task {
    Task {
        table: "silver.orders".parse().unwrap(),
        action,
        mode: None,
        why: "`bronze.orders` is about to change".into(),
        rows: None,
        files: Vec::new(),
        set_aside: Vec::new(),
        error: None,
        needs: Vec::new(),
    }
}

fn failed_run() -> Map<String, Value> {
    json!({ "status": "failed", "error": "no room" }).as_object().unwrap().clone()
}

#[test]
fn a_table_is_as_bad_as_the_worst_of_it_and_all_reasons_are_told() {
    let current = state::of(&status(), Some(&task(Action::None)), None);
    assert_eq!(current, (State::Current, Vec::new()));

    let behind = TableStatus { lag: BTreeMap::from([("bronze.orders".parse().unwrap(), 2)]), ..status() };
    let stale = TableStatus { stale: Some("its definition changed".into()), ..behind.clone() };
    let reasons = ["stale: its definition changed", "2 batches of bronze.orders are not read yet"];
    assert_eq!(state::of(&stale, None, None), (State::Stale, reasons.map(String::from).to_vec()));
    let (worst, why) = state::of(&stale, Some(&task(Action::Rebuild)), Some(&failed_run()));
    assert_eq!((worst, why[0].as_str(), why.len()), (State::Failed, "the last run failed: no room", 3));

    let unreadable = TableStatus { error: Some("its log is damaged".into()), ..stale };
    assert_eq!(state::of(&unreadable, None, None).1, ["cannot be read: its log is damaged"]);
}

#[test]
fn what_a_plan_sees_coming_makes_a_table_behind() {
    let (state, why) = state::of(&status(), Some(&task(Action::Merge)), None);
    assert_eq!(state, State::Behind);
    assert_eq!(why, ["a run has something to do: `bronze.orders` is about to change"]);
}

#[test]
fn a_failure_of_which_nothing_is_left_is_a_remark() {
    let idle = task(Action::None);
    assert_eq!(state::of(&status(), Some(&idle), Some(&failed_run())).0, State::Current);
    assert!(state::remarks(&status(), Some(&idle), Some(&failed_run()))[0].ends_with("no room"));
    assert_eq!(state::of(&status(), None, Some(&failed_run())).0, State::Failed);
}

fn past(version: i64, rows_added: u64, rows_removed: Option<u64>, rearranged: bool) -> Past {
    let files = Files {
        added: 1,
        removed: 1,
        rows_added: Some(rows_added),
        rows_removed,
        bytes_added: 10,
        bytes_removed: Some(4),
        rearranged,
    };
    Past {
        version,
        at: chrono::DateTime::default(),
        run_id: None,
        action: "merge".into(),
        restored: None,
        rows: None,
        files,
        inputs: None,
        definition: None,
        current: None,
        foreign: false,
        engine: None,
        pins: Vec::new(),
    }
}

#[test]
fn the_size_of_each_version_follows_from_the_newest_as_far_as_commits_tell() {
    let versions =
        vec![past(3, 5, Some(2), false), past(2, 9, Some(9), true), past(1, 4, None, false), past(0, 1, None, false)];
    let told = versions::told(versions, Some(20), 30);
    let of = |get: fn(&VersionDocs) -> Option<u64>| told.iter().map(get).collect::<Vec<_>>();
    assert_eq!(of(|v| v.rows), [Some(20), Some(17), Some(17), None]);
    assert_eq!(of(|v| v.bytes), [Some(30), Some(24), Some(18), Some(12)]);
    assert_eq!(told.iter().map(|v| v.changed).collect::<Vec<_>>(), [true, false, true, true]);
}
