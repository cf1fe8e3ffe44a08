//! Logs made to lead readers astray: refused by name, and nothing is waited for.

use std::os::unix::fs::symlink;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use super::foreign::{Foreign, add, field, metadata, protocol};
use super::*;
use crate::delta::Error;

fn begin() -> [Value; 2] {
    [protocol(&[]), metadata(&json!([field("a", &json!("long"))]), &[], &json!({}))]
}

async fn refused(foreign: &Foreign) -> String {
    let found = tokio::time::timeout(Duration::from_secs(20), foreign.table.snapshot()).await;
    match found.expect("it waits for ever") {
        Err(error @ (Error::Unreadable { .. } | Error::Storage { .. })) => error.to_string(),
        other => panic!("{:?}", other.map(|s| s.map(|s| s.version()))),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn links_out_of_the_table_are_not_followed() {
    let foreign = Foreign::new();
    let size = foreign.file(rows(&[1]), &numbers(), "f.parquet").await;
    let folder = foreign.disk.path().join("silver/t");
    let elsewhere = foreign.disk.path().join("secret");
    std::fs::create_dir(&elsewhere).unwrap();
    std::fs::rename(folder.join("f.parquet"), elsewhere.join("f.parquet")).unwrap();
    symlink(elsewhere.join("f.parquet"), folder.join("f.parquet")).unwrap();
    symlink(&elsewhere, folder.join("p=1")).unwrap();
    assert!(Command::new("mkfifo").arg(folder.join("pipe.parquet")).status().unwrap().success());
    for path in ["f.parquet", "p=1/f.parquet", "p%3D1/f.parquet", "pipe.parquet"] {
        foreign.commit(0, &[&begin()[..], &[add(path, size, &json!({}))]].concat());
        let refused = refused(&foreign).await;
        assert!(refused.contains("a link or no file"), "{path}: {refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_vector_lies_within_the_table() {
    let foreign = Foreign::new();
    let size = foreign.file(rows(&[1]), &numbers(), "f.parquet").await;
    for (kind, path) in [("u", "../../secret/^Bg9^0rr910000000000iXQKl"), ("p", "file:///etc/passwd")] {
        let mut file = add("f.parquet", size, &json!({}));
        file["add"]["deletionVector"] =
            json!({ "storageType": kind, "pathOrInlineDv": path, "offset": 1, "sizeInBytes": 34, "cardinality": 1 });
        let [_, metadata] = begin();
        foreign.commit(0, &[protocol(&["deletionVectors"]), metadata, file]);
        let refused = refused(&foreign).await;
        assert!(refused.contains("outside the table's folder"), "{path}: {refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_names_no_file_elsewhere() {
    for path in ["../../../secret.parquet", "/etc/passwd", "file:///etc/passwd", "%2e%2e%2fsecret.parquet"] {
        let foreign = Foreign::new();
        foreign.commit(0, &begin());
        let sidecar = json!({ "sidecar": { "path": path, "sizeInBytes": 1, "modificationTime": 1, "tags": {} } });
        let lines: Vec<String> = begin().iter().chain([&sidecar]).map(Value::to_string).collect();
        let name = "00000000000000000000.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.json";
        std::fs::write(foreign.log(0).with_file_name(name), lines.join("\n")).unwrap();
        assert!(now(&foreign.table).await.files().is_empty(), "{path}: the commits are read instead");
        std::fs::remove_file(foreign.log(0)).unwrap();
        let refused = refused(&foreign).await;
        assert!(refused.contains("outside the table's folder"), "{path}: {refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_file_may_bear_any_number_and_be_anything() {
    let foreign = Foreign::new();
    foreign.commit(0, &begin());
    std::fs::copy(foreign.log(0), foreign.log(1 << 59)).unwrap();
    assert!(refused(&foreign).await.contains("00000000000000000001.json is missing"));
    std::fs::remove_file(foreign.log(1 << 59)).unwrap();
    std::fs::copy(foreign.log(0), foreign.log(i64::MAX)).unwrap();
    assert_eq!(now(&foreign.table).await.version(), 0, "no table gets so far");

    assert!(Command::new("mkfifo").arg(foreign.log(1)).status().unwrap().success());
    let told = refused(&foreign).await;
    assert!(told.contains("00000000000000000001.json") && told.contains("not a regular file"), "{told}");
    std::fs::remove_file(foreign.log(1)).unwrap();
    symlink("/dev/zero", foreign.log(1)).unwrap();
    assert!(refused(&foreign).await.contains("not a regular file"));
    std::fs::remove_file(foreign.log(1)).unwrap();
    std::fs::write(foreign.log(1), "{\"add\":".repeat(100_000)).unwrap();
    let told = refused(&foreign).await;
    assert!(told.contains("00000000000000000001.json"), "deep nesting does not exhaust the stack: {told}");
}
