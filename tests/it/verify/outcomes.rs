//! What can only not be proved, what goes wrong, and what happens meanwhile.

use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use lakesmith::report::{Proof, VerifyReport};
use lakesmith::run::{Event, Run};
use polars::prelude::{col, lit};
use serde_json::json;

use super::*;
use crate::lake::load;

const SILVER: &str = "layers/silver/events.yaml";
const DERIVE: &str = "steps:\n  - derive: { kind: kind || '!' }\n";

fn define(project: &Project, more: &str) {
    let text = fs::read_to_string(project.path(SILVER)).unwrap();
    project.write(SILVER, format!("{text}{more}"));
}

fn note<'a>(report: &'a Value, name: &str) -> &'a str {
    table(report, name)["note"].as_str().unwrap_or_else(|| panic!("{report:#}"))
}

fn late(project: &Project, file: &str) {
    project.write(&format!("landing/events/{file}.csv"), "id,kind,amount,at\n7,c,7.00,\n");
}

#[test]
fn what_has_not_been_made_is_missing() {
    let project = Project::small();
    let report = project.verify(&["--deep"], 0);
    only(&report, &["bronze.events", "silver.events", "gold.totals"], "missing");
}

#[test]
fn a_table_that_is_behind_is_verified_where_it_stands() {
    let project = made();
    late(&project, "3");
    project.json(&["run", "bronze"], 0);
    let report = project.verify(&[], 0);
    all_equal(&report);
    assert_eq!(table(&report, "silver.events")["behind"], json!({ "bronze.events": 1 }));
    project.json(&["run", "silver"], 0);
    let report = project.verify(&[], 0);
    all_equal(&report);
    assert!(table(&report, "silver.events")["behind"].is_null());
    let gold = table(&report, "gold.totals");
    assert_eq!(gold["behind"], json!({ "silver.events": 1 }));
    assert_eq!(gold["inputs"], json!([{ "table": "silver.events", "version": 1 }]));
}

#[test]
fn a_table_of_another_definition_is_stale_and_one_of_two_is_mixed() {
    let project = made();
    define(&project, "on_change: forward_only\n");
    all_equal(&project.verify(&[], 0));
    define(&project, DERIVE);
    let report = project.verify(&[], 0);
    only(&report, &["silver.events"], "stale");
    late(&project, "3");
    project.run(0);
    let report = project.verify(&["--deep"], 0);
    only(&report, &["silver.events"], "mixed");
    assert!(note(&report, "silver.events").contains("earlier definition"), "{report:#}");
    project.json(&["rebuild", "silver.events+", "--yes"], 0);
    all_equal(&project.verify(&["--deep"], 0));
}

#[test]
fn a_definition_that_the_table_has_left_is_stale_too() {
    let project = made();
    let before = fs::read_to_string(project.path(SILVER)).unwrap();
    define(&project, DERIVE);
    only(&project.verify(&[], 0), &["silver.events"], "stale");
    project.run(0);
    all_equal(&project.verify(&[], 0));
    project.write(SILVER, before);
    let report = project.verify(&[], 0);
    only(&report, &["silver.events"], "stale");
    assert!(note(&report, "silver.events").contains("lakesmith rebuild"), "{report:#}");
}

#[test]
fn bronze_that_was_replaced_or_is_gone_leaves_silver_unverifiable() {
    let project = made();
    fs::remove_dir_all(project.path("lake/bronze/events")).unwrap();
    let report = project.verify(&["silver", "gold"], 0);
    only(&report, &["silver.events"], "unverifiable");
    assert!(note(&report, "silver.events").contains("no longer in the lake"), "{report:#}");
    project.json(&["run", "bronze"], 0);
    let report = project.verify(&[], 0);
    only(&report, &["silver.events"], "unverifiable");
    assert!(note(&report, "silver.events").contains("another table"), "{report:#}");
    project.json(&["rebuild", "silver", "--yes"], 0);
    project.run(0);
    all_equal(&project.verify(&[], 0));
}

#[test]
fn bronze_that_lost_commits_leaves_silver_unverifiable() {
    let project = made();
    fs::remove_file(project.path("lake/bronze/events/_delta_log/00000000000000000001.json")).unwrap();
    let report = project.verify(&["silver", "gold"], 0);
    only(&report, &["silver.events"], "unverifiable");
    assert!(note(&report, "silver.events").contains("batch 2"), "{report:#}");
    assert!(note(&report, "silver.events").contains("lakesmith repair bronze.events"), "{report:#}");
    // the records come again, in another batch: silver's are those of one that is no more
    project.json(&["repair", "bronze.events", "--yes"], 0);
    project.json(&["run", "bronze"], 0);
    let report = project.verify(&[], 0);
    only(&report, &["silver.events"], "unverifiable");
    assert!(note(&report, "silver.events").contains("between 1 and 3, which were lost"), "{report:#}");
}

/// Where nothing but silver's events could give what gold was made from.
#[tokio::test(flavor = "multi_thread")]
async fn gold_is_unverifiable_where_silvers_version_was_made_of_lost_batches() {
    let project = made();
    let old = project.data("silver/events").await;
    fs::remove_file(project.path("lake/bronze/events/_delta_log/00000000000000000001.json")).unwrap();
    project.json(&["repair", "bronze.events", "--yes"], 0);
    project.json(&["run", "bronze"], 0);
    project.json(&["rebuild", "silver", "--yes"], 0);
    old.iter().for_each(|file| fs::remove_file(file).unwrap());
    let report = project.verify(&[], 0);
    only(&report, &["gold.totals"], "unverifiable");
    assert!(note(&report, "gold.totals").contains("between 1 and 3, which were lost"), "{report:#}");
    project.run(0);
    all_equal(&project.verify(&[], 0));
}

/// Gold has read a version of silver whose files a vacuum has deleted since.
#[tokio::test(flavor = "multi_thread")]
async fn gold_is_proved_from_bronze_where_silvers_version_is_gone() {
    let project = made();
    late(&project, "3");
    let old = project.data("silver/events").await;
    project.json(&["run", "bronze", "silver"], 0);
    project.json(&["rebuild", "silver", "--yes"], 0);
    old.iter().for_each(|file| fs::remove_file(file).unwrap());
    let report = project.verify(&[], 0);
    all_equal(&report);
    assert!(note(&report, "gold.totals").contains("silver.events@1"), "{report:#}");
    rewrite(&project.lake(), "gold/totals", without(col("kind").eq(lit("b")))).await;
    only(&project.verify(&[], 1), &["gold.totals"], "different");
}

#[tokio::test(flavor = "multi_thread")]
async fn gold_is_unverifiable_where_silvers_version_can_be_had_from_nowhere() {
    let project = made();
    let old = project.data("silver/events").await;
    define(&project, DERIVE);
    project.json(&["run", "silver"], 0);
    old.iter().for_each(|file| fs::remove_file(file).unwrap());
    let report = project.verify(&["--deep"], 0);
    only(&report, &["gold.totals"], "unverifiable");
    assert!(note(&report, "gold.totals").contains("silver.events@1"), "{report:#}");
    project.run(0);
    all_equal(&project.verify(&[], 0));
}

#[test]
fn gold_is_unverifiable_where_silvers_log_was_cleaned_up() {
    let project = made();
    for n in 3..15 {
        late(&project, &n.to_string());
        project.json(&["run", "bronze", "silver"], 0);
    }
    for version in 0..9 {
        fs::remove_file(project.path(&format!("lake/silver/events/_delta_log/{version:020}.json"))).unwrap();
    }
    let report = project.verify(&[], 0);
    only(&report, &["gold.totals"], "unverifiable");
    assert!(note(&report, "gold.totals").contains("silver.events@1"), "{report:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_cannot_be_read_fails_and_its_siblings_are_verified() {
    let project = made();
    let file = project.data("silver/events").await.pop().unwrap();
    let whole = fs::read(&file).unwrap();
    fs::remove_file(&file).unwrap();
    let report = project.verify(&["silver"], 1);
    only(&report, &["silver.events"], "failed");
    let error = table(&report, "silver.events")["error"].as_str().unwrap().to_owned();
    assert!(error.contains("not there"), "{error}");
    fs::write(&file, whole).unwrap();
    fs::write(project.path("lake/silver/events/_delta_log/00000000000000000001.json"), "").unwrap();
    let report = project.verify(&["bronze", "silver"], 1);
    only(&report, &["silver.events"], "failed");
}

/// Verifies in this process; `meanwhile` is called when the work on a table begins.
async fn meanwhile(
    project: &Project,
    name: &'static str,
    meanwhile: impl Fn() + Send + Sync + 'static,
) -> VerifyReport {
    let once = AtomicBool::new(false);
    let listener = move |event: Event| match event {
        Event::Started(table) if table.to_string() == name && !once.swap(true, Ordering::SeqCst) => meanwhile(),
        _ => {}
    };
    let loaded = load(project.root());
    let tables: BTreeSet<_> = loaded.order.iter().cloned().collect();
    Run::in_lake(loaded, project.lake(), Arc::new(listener)).verify(&tables, true).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_meanwhile_does_no_harm() {
    let project = Arc::new(made());
    let other = project.clone();
    let report = meanwhile(&project, "bronze.events", move || {
        late(&other, "3");
        other.write("landing/events/4.csv", FIRST);
        other.run(0);
    })
    .await;
    assert_eq!(report.status, Proof::Equal, "{report:#?}");
    assert_eq!(project.value("SELECT count(*) FROM silver.events"), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vacuum_meanwhile_is_a_clear_error() {
    let project = Arc::new(made());
    let old = project.data("gold/totals").await;
    late(&project, "3");
    let other = project.clone();
    let report = meanwhile(&project, "gold.totals", move || {
        other.run(0);
        other.json(&["rebuild", "gold", "--yes"], 0);
        old.iter().for_each(|file| fs::remove_file(file).unwrap());
    })
    .await;
    let gold = report.tables.last().unwrap();
    let error = gold.error.clone().unwrap_or_default();
    assert_eq!((gold.status, error.contains("verify again")), (Proof::Failed, true), "{report:#?}");
    assert!(report.tables[..2].iter().all(|table| table.status == Proof::Equal), "{report:#?}");
}

#[test]
fn a_ledger_that_cannot_be_read_fails_bronze_alone() {
    let project = made();
    fs::write(project.path("lake/_lakesmith/ledger/_delta_log/00000000000000000001.json"), "").unwrap();
    let report = project.verify(&["--deep"], 1);
    only(&report, &["bronze.events"], "failed");
    let ledger = &report["lakesmith"][0];
    assert_eq!((&ledger["folder"], &ledger["version"]), (&json!("_lakesmith/ledger"), &Value::Null));
    assert_eq!(ledger["faults"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn bronze_whose_files_are_gone_fails_what_reads_it_and_says_so() {
    let project = made();
    fs::remove_file(project.data("bronze/events").await.pop().unwrap()).unwrap();
    let report = project.verify(&["silver", "gold"], 1);
    only(&report, &["silver.events"], "failed");
    let error = table(&report, "silver.events")["error"].as_str().unwrap().to_owned();
    assert!(error.contains("`bronze.events`") && error.contains("not there"), "{error}");
}
