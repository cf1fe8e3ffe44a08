//! What is known of bronze's columns once landing files have been archived away.

use std::process::Command;

use polars::prelude::{DataFrame, ParquetWriter, df};
use serde_json::json;

use crate::support::{Project, table};

const SILVER: &str = "from: bronze.events
contract: schemas/events.odcs.yaml
columns: { kind: cast(code + 1 as string) }
key: [id]
latest_by: [at]
";

/// The smallest project, over Parquet, with an expression whose definition holds a column's type.
fn over_parquet() -> Project {
    let project = Project::small();
    project.write("layers/bronze/events.yaml", "source:\n  path: events/*.parquet\n  format: parquet\n");
    project.write("layers/silver/events.yaml", SILVER);
    project
}

fn parquet(project: &Project, name: &str, mut frame: DataFrame) {
    let mut bytes = Vec::new();
    ParquetWriter::new(&mut bytes).finish(&mut frame).unwrap();
    project.write(&format!("landing/events/{name}"), bytes);
}

fn archive(project: &Project) {
    std::fs::remove_dir_all(project.path("landing/events")).unwrap();
}

#[test]
fn a_project_over_parquet_runs_on_without_its_files() {
    let project = over_parquet();
    let at = "2026-01-01T00:00:00Z";
    parquet(&project, "1.parquet", df!["id" => [1i64], "code" => [6i32], "amount" => ["1.10"], "at" => [at]].unwrap());
    project.run(0);
    let before = project.lake_files();
    archive(&project);
    assert_eq!(project.run(0)["status"], "unchanged");
    assert_eq!(project.lake_files(), before);
    assert_eq!(project.json(&["status", "silver"], 0)["tables"][0]["stale"], json!(null));

    let said = project.lakesmith(&["check"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.stderr.contains("this expression was not checked"), "{said:?}");

    // A file of its own would give the expression another type, and the table another definition.
    parquet(&project, "2.parquet", df!["id" => [2i64], "code" => [7i8], "amount" => ["2.20"], "at" => [at]].unwrap());
    let report = project.run(0);
    assert_eq!(table(&report, "silver.events")["action"], "merge");
    assert_eq!(project.value("SELECT string_agg(kind, ',' ORDER BY id) FROM silver.events"), "7,8");
}

#[test]
fn a_new_file_may_bring_the_column_that_a_new_expression_reads() {
    let project = over_parquet();
    let at = "2026-01-01T00:00:00Z";
    parquet(&project, "1.parquet", df!["id" => [1i64], "code" => [6i32], "amount" => ["1.10"], "at" => [at]].unwrap());
    project.run(0);
    archive(&project);
    project.write("layers/silver/events.yaml", SILVER.replace("code + 1", "extra"));
    let said = project.lakesmith(&["run"]);
    assert_eq!(said.code, 2, "{said:?}");
    assert!(said.stderr.contains("layers/silver/events.yaml:3:"), "{said:?}");
    parquet(&project, "2.parquet", df!["id" => [2i64], "extra" => [true], "at" => [at]].unwrap());
    let report = project.run(0);
    assert_eq!(table(&report, "silver.events")["action"], "rebuild");
    assert_eq!(project.value("SELECT string_agg(kind, ',') FROM silver.events"), "true");
}

#[test]
fn a_project_over_csv_runs_on_without_its_files() {
    let project = Project::small();
    project.write("landing/events/1.csv", "id,type,amount,at\n1,a,1.10,2026-01-01T00:00:00Z\n");
    let silver = SILVER.replace("cast(code + 1 as string)", "upper(type)");
    project.write("layers/silver/events.yaml", silver);
    project.run(0);
    let before = project.lake_files();
    archive(&project);
    assert_eq!(project.run(0)["status"], "unchanged");
    assert_eq!(project.lake_files(), before);
    let said = project.lakesmith(&["plan"]);
    assert!(said.code == 0 && !said.stderr.contains("warning"), "{said:?}");

    // `type` is a column still, though the only file that is there has none.
    project.write("landing/events/2.csv", "id,amount,at\n2,2.20,2026-01-01T00:00:00Z\n");
    let report = project.run(0);
    assert_eq!(table(&report, "silver.events")["action"], "merge");
    assert_eq!(project.value("SELECT count(*) FROM silver.events WHERE kind IS NULL"), 1);
}

#[test]
fn without_file_and_table_the_types_of_an_expression_cannot_be_known() {
    let project = over_parquet();
    let said = project.lakesmith(&["run"]);
    assert_eq!(said.code, 2, "{said:?}");
    assert!(said.stderr.contains("put one file into the landing folder"), "{said:?}");
    let checked = project.json(&["check"], 0);
    assert_eq!(checked["warnings"].as_array().unwrap().len(), 2, "{checked}");
    assert!(!project.path("lake").exists());
}

#[test]
fn check_knows_the_columns_of_the_sample_by_its_files() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lakesmith"));
    let output = command.args(["-C", env!("CARGO_MANIFEST_DIR"), "check", "--json"]).output().unwrap();
    let checked: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &checked["warnings"]), (Some(0), &json!([])));
}
