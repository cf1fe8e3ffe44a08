//! Bronze against its ledger.

use polars::prelude::{NULL, col, lit, when};

use super::*;

/// The faults of bronze, after the others have been seen to be none.
fn found(project: &Project) -> Vec<String> {
    let report = project.verify(&["bronze"], 1);
    only(&report, &["bronze.events"], "different");
    faults(&table(&report, "bronze.events")["ledger"]["faults"])
}

#[test]
fn bronze_and_ledger_agree_whatever_the_files() {
    let project = made();
    project.write("landing/events/0.csv", "id,kind,amount,at\n");
    project.write("landing/events/3.csv", "");
    project.write("landing/events/broken.csv", b"\x00\xff\xfePNG");
    project.run(1);
    let report = project.verify(&["--deep", "bronze"], 0);
    all_equal(&report);
    let bronze = table(&report, "bronze.events");
    assert_eq!((&bronze["ledger"]["files"], &bronze["rows"]), (&4.into(), &8.into()));
    assert_eq!(bronze["deep"]["landing"]["records"], 8, "{bronze:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_the_ledger_does_not_list_is_found() {
    let project = made();
    rewrite(&project.lake(), "_lakesmith/ledger", without(col("path").eq(lit("events/1.csv")))).await;
    assert_eq!(found(&project), ["events/1.csv: 4 records in batch 1 that the ledger does not list"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_bronze_has_lost_is_found() {
    let project = made();
    rewrite(&project.lake(), "bronze/events", without(col("_batch").eq(lit(2)))).await;
    assert_eq!(found(&project), ["events/2.csv: records in batch 2: 4 by the ledger, 0 in bronze"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_is_there_twice_is_found() {
    let project = made();
    append(&project.lake(), "bronze/events", |rows| rows.filter(col("_batch").eq(lit(2)))).await;
    let found = found(&project);
    assert_eq!(
        found,
        ["events/2.csv: 4 too many, the first being record 1, which is there twice; \
          records in batch 2: 4 by the ledger, 8 in bronze"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_takes_the_place_of_another_is_found() {
    let project = made();
    let second = col("_source_row").eq(lit(2)).and(col("_batch").eq(lit(1)));
    let cheat = when(second).then(lit(3i64)).otherwise(col("_source_row")).alias("_source_row");
    rewrite(&project.lake(), "bronze/events", |rows| rows.with_columns([cheat])).await;
    let found = found(&project);
    assert_eq!(
        found,
        ["events/1.csv: 1 too many, the first being record 3, which is there twice; \
          1 missing, the first being record 2 of 4"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_that_was_no_malformed_record_is_found() {
    let project = made();
    rewrite(&project.lake(), "bronze/events", |rows| {
        rows.with_columns([lit(NULL).cast(polars::prelude::DataType::String).alias("_malformed")])
    })
    .await;
    assert_eq!(found(&project), ["events/1.csv: malformed in batch 1: 1 by the ledger, 0 in bronze"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_another_program_are_found() {
    let project = made();
    append(&project.lake(), "bronze/events", |rows| {
        rows.limit(2).with_columns([lit(NULL).cast(polars::prelude::DataType::Int64).alias("_batch")])
    })
    .await;
    append(&project.lake(), "bronze/events", |rows| {
        rows.filter(col("_batch").eq(lit(2))).with_columns([lit(7i64).alias("_batch")])
    })
    .await;
    let found = found(&project);
    assert_eq!(
        found,
        [
            ": 2 rows without batch or file, which another program added",
            "events/2.csv: 4 records of batch 7, but batch 2 is the last"
        ]
    );
}

#[test]
fn commits_of_bronze_that_were_lost_are_found() {
    let project = made();
    std::fs::remove_file(project.path("lake/bronze/events/_delta_log/00000000000000000001.json")).unwrap();
    let report = project.verify(&[], 1);
    let bronze = table(&report, "bronze.events");
    assert_eq!(bronze["status"], "different");
    let expected = "events/2.csv: the ledger lists it in batch 2, but bronze ends at batch 1: commits of bronze were lost, which `lakesmith repair bronze.events` takes note of";
    assert_eq!(faults(&bronze["ledger"]["faults"]), [expected]);
}

/// A death between bronze and its ledger is no fault: the next run completes it.
#[test]
fn a_ledger_that_is_behind_is_no_fault() {
    let project = made();
    std::fs::remove_dir_all(project.path("lake/_lakesmith/ledger")).unwrap();
    let report = project.verify(&["bronze"], 0);
    all_equal(&report);
    let bronze = table(&report, "bronze.events");
    assert_eq!(bronze["ledger"]["unlisted_after"], 0);
    assert!(bronze["note"].as_str().unwrap().contains("the next completes it"), "{bronze:#}");
}

/// A file that was changed and taken in again stands in two batches.
#[test]
fn a_file_that_was_taken_in_twice_is_right_in_both_batches() {
    let project = Project::small();
    project.write(
        "layers/bronze/events.yaml",
        "source: { path: 'events/*.csv', format: csv, changed_files: new_version }\n",
    );
    for rows in [FIRST, SECOND] {
        project.write("landing/events/1.csv", rows);
        project.run(0);
    }
    let report = project.verify(&["--deep"], 0);
    all_equal(&report);
    let bronze = table(&report, "bronze.events");
    assert_eq!((&bronze["ledger"]["files"], &bronze["deep"]["landing"]["records"]), (&2.into(), &4.into()));
}
