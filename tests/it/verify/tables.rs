//! Silver and gold against what their inputs give.

use polars::prelude::{Expr, NULL, col, lit, when};
use serde_json::json;

use super::*;

/// The difference of one table, after the others have been seen to have none.
fn found(project: &Project, name: &str) -> Value {
    let report = project.verify(&[], 1);
    only(&report, &[name], "different");
    table(&report, name)["diff"].clone()
}

fn counts(diff: &Value) -> [u64; 3] {
    ["added", "removed", "changed"].map(|word| diff["rows"][word].as_u64().unwrap_or_else(|| panic!("{diff:#}")))
}

/// Where `condition` holds, `column` becomes `value`.
fn set(column: &'static str, condition: Expr, value: Expr) -> impl FnOnce(LazyFrame) -> LazyFrame {
    move |rows| rows.with_columns([when(condition).then(value).otherwise(col(column)).alias(column)])
}

fn id(id: i64) -> Expr {
    col("id").eq(lit(id))
}

#[test]
fn rows_that_were_refused_before_bronze_had_a_column_more_are_still_what_their_events_give() {
    let project = Project::small();
    project.write("landing/events/1.csv", "id,kind,amount,at\nx,k,1.00,2026-01-01T00:00:00Z\n");
    project.run(0);
    project.write("landing/events/2.csv", "id,kind,amount,at,note\ny,k,1.00,2026-01-01T00:00:00Z,late\n");
    project.run(0);
    all_equal(&project.verify(&[], 0));
}

#[test]
fn what_runs_have_made_is_equal_and_every_event_is_accounted_for() {
    let project = made();
    let report = project.verify(&[], 0);
    all_equal(&report);
    let silver = table(&report, "silver.events");
    let fates = json!({ "read": 8, "kept": 3, "superseded": 2, "filtered": 0, "quarantined": 3 });
    assert_eq!(silver["events"], fates);
    assert_eq!(silver["inputs"], json!([{ "table": "bronze.events", "version": 1, "batch": 2 }]));
    assert_eq!(silver["quarantine"], json!({ "status": "equal", "version": 1, "rows": 3 }));
    let gold = table(&report, "gold.totals");
    assert_eq!(gold["inputs"], json!([{ "table": "silver.events", "version": 1 }]));
    assert_eq!([&gold["version"], &gold["rows"]], [&json!(1), &json!(3)]);
}

#[test]
fn a_selection_is_verified_alone() {
    let report = made().verify(&["gold.totals"], 0);
    assert_eq!(statuses(&report), [("gold.totals", "equal")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_value_of_silver_is_found_with_its_old_one_and_gold_stays_equal() {
    let project = made();
    rewrite(&project.lake(), "silver/events", set("kind", id(1), lit("z"))).await;
    let diff = found(&project, "silver.events");
    assert_eq!(counts(&diff), [0, 0, 1]);
    let sample = &diff["sample"][0];
    assert_eq!((&sample["before"]["kind"], &sample["after"]["kind"]), (&json!("z"), &json!("a")));
    assert_eq!(sample["columns"], json!(["kind"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_silver_lost_or_got_are_found() {
    let project = made();
    rewrite(&project.lake(), "silver/events", without(id(3))).await;
    append(&project.lake(), "silver/events", |rows| rows.filter(id(1)).with_columns([lit(9i64).alias("id")])).await;
    let diff = found(&project, "silver.events");
    assert_eq!(counts(&diff), [1, 1, 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_a_row_came_from_does_not_count() {
    let project = made();
    rewrite(&project.lake(), "silver/events", set("_source_row", id(1), lit(77i64))).await;
    all_equal(&project.verify(&[], 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_silver_holds_twice_is_found() {
    let project = made();
    append(&project.lake(), "silver/events", |rows| rows.filter(id(1))).await;
    assert_eq!(counts(&found(&project, "silver.events")), [0, 1, 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn gold_that_was_written_to_is_found() {
    let project = made();
    rewrite(&project.lake(), "gold/totals", set("events", col("kind").eq(lit("b")), lit(8i64))).await;
    let diff = found(&project, "gold.totals");
    assert_eq!(counts(&diff), [0, 0, 1]);
    rewrite(&project.lake(), "gold/totals", without(col("kind").eq(lit("b")))).await;
    assert_eq!(counts(&found(&project, "gold.totals")), [1, 0, 0]);
    // NULL is a value like any other
    rewrite(&project.lake(), "gold/totals", set("amount", col("kind").eq(lit("a")), lit(NULL))).await;
    assert_eq!(counts(&found(&project, "gold.totals")), [1, 0, 1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn doubles_are_equal_within_the_tolerance_of_a_merge() {
    let project = Project::small();
    let gold = "from: silver.events\nsteps:\n  - group_by: { kind: kind }\n    aggregate: { mean: avg(cast(amount as double)) }\n";
    project.write("layers/gold/totals.yaml", gold);
    project.write("landing/events/1.csv", FIRST);
    project.run(0);
    let scaled = |by: f64| move |rows: LazyFrame| rows.with_columns([(col("mean") * lit(by)).alias("mean")]);
    rewrite(&project.lake(), "gold/totals", scaled(1.0 + 1e-12)).await;
    all_equal(&project.verify(&[], 0));
    rewrite(&project.lake(), "gold/totals", scaled(1.0 + 1e-6)).await;
    assert_eq!(counts(&found(&project, "gold.totals")), [0, 0, 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_refused_belongs_to_silver() {
    let project = made();
    let run = when(lit(true)).then(lit("another run")).otherwise(col("_run_id")).alias("_run_id");
    rewrite(&project.lake(), "quarantine/events", |rows| rows.with_columns([run])).await;
    all_equal(&project.verify(&[], 0));
    rewrite(&project.lake(), "quarantine/events", without(col("_source_row").eq(lit(4)))).await;
    let report = project.verify(&[], 1);
    only(&report, &["silver.events"], "different");
    let silver = table(&report, "silver.events");
    assert!(silver["diff"].is_null(), "{silver:#}");
    let quarantine = &silver["quarantine"];
    assert_eq!((&quarantine["status"], quarantine["rows"].as_u64()), (&json!("different"), Some(1)));
    assert_eq!(counts(&quarantine["diff"]), [2, 0, 0]);
    std::fs::remove_dir_all(project.path("lake/quarantine")).unwrap();
    let report = project.verify(&[], 1);
    let silver = table(&report, "silver.events");
    assert_eq!(counts(&silver["quarantine"]["diff"]), [3, 0, 0]);
    assert!(silver["note"].as_str().unwrap().contains("lakesmith rebuild silver.events"), "{silver:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_key_rows_are_counted() {
    let project = Project::small();
    project.write(
        "layers/silver/events.yaml",
        "from: bronze.events\ncontract: schemas/events.odcs.yaml\npartition_by: [kind]\n",
    );
    project.write("layers/gold/totals.yaml", "from: silver.events\nsteps:\n  - select: [kind, amount]\n");
    for file in ["1", "2"] {
        project.write(&format!("landing/events/{file}.csv"), FIRST);
        project.run(0);
    }
    all_equal(&project.verify(&["--deep"], 0));
    append(&project.lake(), "gold/totals", |rows| rows.filter(col("kind").eq(lit("a"))).limit(1)).await;
    assert_eq!(counts(&found(&project, "gold.totals")), [0, 1, 0]);
    project.json(&["rebuild", "gold", "--yes"], 0);
    let rows = |rows: LazyFrame| rows.filter(col("_source_file").eq(lit("events/1.csv")).or(id(2)));
    rewrite(&project.lake(), "silver/events", rows).await;
    assert_eq!(counts(&found(&project, "silver.events")), [1, 0, 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_sources_are_verified_each_up_to_its_own_batch() {
    let project = Project::small();
    project.write("layers/bronze/more.yaml", "source:\n  path: more/*.csv\n  format: csv\n");
    let silver = std::fs::read_to_string(project.path("layers/silver/events.yaml")).unwrap();
    project.write(
        "layers/silver/events.yaml",
        silver.replace("from: bronze.events", "from: [bronze.events, bronze.more]"),
    );
    project.write("landing/events/1.csv", FIRST);
    project.run(0);
    let report = project.verify(&[], 0);
    assert_eq!(table(&report, "bronze.more")["status"], "missing");
    assert_eq!(table(&report, "silver.events")["status"], "equal");

    project.write("landing/more/1.csv", SECOND);
    project.run(0);
    for file in ["2", "3"] {
        project.write(&format!("landing/more/{file}.csv"), "id,kind,amount,at\n1,late,1.00,2027-01-01T00:00:00Z\n");
        project.json(&["run", "bronze.more"], 0);
    }
    let report = project.verify(&["--deep"], 0);
    all_equal(&report);
    let silver = table(&report, "silver.events");
    assert_eq!(silver["behind"], json!({ "bronze.more": 2 }));
    assert_eq!(silver["events"]["read"], 8);
    rewrite(&project.lake(), "silver/events", set("kind", id(1), lit("late"))).await;
    assert_eq!(counts(&found(&project, "silver.events")), [0, 0, 1]);
}

#[test]
fn the_sample_project_is_equal_in_depth() {
    let (project, repository) = (Project::empty(), std::path::Path::new(env!("CARGO_MANIFEST_DIR")));
    for part in ["lakesmith.yaml", "layers", "schemas", "landing"] {
        let copied = std::process::Command::new("cp").arg("-r").arg(repository.join(part)).arg(project.root()).status();
        assert!(copied.unwrap().success(), "{part}");
    }
    project.lakesmith(&["run", "-q"]);
    let report = project.verify(&["--deep"], 0);
    all_equal(&report);
    assert_eq!(statuses(&report).len(), 11);
    assert!(table(&report, "silver.orders")["events"]["quarantined"].as_u64().unwrap() > 0);
}
