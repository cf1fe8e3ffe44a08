//! A damaged log is an error, never fewer rows; a time means commitInfo's.

use chrono::DateTime;
use serde_json::json;

use super::foreign::{Foreign, field, metadata, protocol};
use super::*;
use crate::delta::Error;

async fn table_with(disk: &Disk, commits: i64) -> Table {
    let table = table_of(disk, &[0]).await;
    for value in 1..commits {
        table.commit(&now(&table).await, appended(&table, &[value]).await).await.unwrap();
    }
    table
}

fn log(disk: &Disk, version: i64) -> PathBuf {
    disk.path().join(format!("silver/t/_delta_log/{version:020}.json"))
}

async fn unreadable(table: &Table, word: &str) {
    match table.snapshot().await {
        Err(Error::Unreadable { what, .. }) => assert!(what.contains(word), "{what}"),
        other => panic!("{:?}", other.map(|s| s.map(|s| s.version()))),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_file_that_is_missing_in_the_middle_is_an_error() {
    let disk = Disk::new();
    let table = table_with(&disk, 4).await;
    std::fs::remove_file(log(&disk, 2)).unwrap();
    unreadable(&table, "_delta_log/00000000000000000002.json is missing").await;
    unreadable(&table, "`lakesmith repair silver.t`").await;
    assert!(matches!(table.snapshot_at(&At::Version(3)).await, Err(Error::Unreadable { .. })));
    assert_eq!(values(&table.snapshot_at(&At::Version(1)).await.unwrap()).await, [0, 1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_file_that_a_power_cut_left_empty_is_an_error() {
    let disk = Disk::new();
    let table = table_with(&disk, 3).await;
    let whole = std::fs::read_to_string(log(&disk, 2)).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    assert!(lines.len() > 1, "{whole}");
    let cuts = [
        (String::new(), "00000000000000000002.json is empty"),
        ("\0".repeat(100), "00000000000000000002.json holds nothing but zeros"),
        (whole[..whole.len() - 10].to_owned(), "00000000000000000002.json is cut off"),
        // between two lines, with and without the end of the first
        (lines[..lines.len() - 1].join("\n"), "00000000000000000002.json is cut off"),
        (format!("{}\n", lines[0]), "00000000000000000002.json is cut off: it has 1 of its"),
        (format!("{}\n{{\"add\":{{\"path\":", lines[0]), "00000000000000000002.json is cut off"),
        (whole.replacen("\"add\":", "\"add\";", 1), "00000000000000000002.json is damaged: line"),
    ];
    for (text, what) in cuts {
        std::fs::write(log(&disk, 2), &text).unwrap();
        unreadable(&table, what).await;
        unreadable(&table, "`lakesmith repair silver.t`").await;
        assert!(matches!(table.head().await, Err(Error::Unreadable { .. })), "{text}");
        assert!(matches!(table.named_files().await, Err(Error::Unreadable { .. })), "{text}");
    }
    std::fs::write(log(&disk, 2), whole).unwrap();
    assert_eq!(values(&now(&table).await).await, [0, 1, 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_without_its_first_commit_is_damaged_unless_a_checkpoint_stands_for_it() {
    let disk = Disk::new();
    let table = table_with(&disk, 12).await;
    std::fs::remove_file(log(&disk, 0)).unwrap();
    assert_eq!(values(&now(&table).await).await, (0..12).collect::<Vec<_>>());
    assert!(matches!(table.snapshot_at(&At::Version(3)).await, Err(Error::Gone { .. })));
    let folder = disk.path().join("silver/t/_delta_log");
    std::fs::remove_file(folder.join("00000000000000000009.checkpoint.parquet")).unwrap();
    unreadable(&table, "00000000000000000000.json is missing").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_log_behind_a_checkpoint_is_an_error_too() {
    let disk = Disk::new();
    let table = table_with(&disk, 12).await;
    assert_eq!(values(&now(&table).await).await, (0..12).collect::<Vec<_>>());
    let checkpoint = disk.path().join("silver/t/_delta_log/00000000000000000009.checkpoint.parquet");
    let sound = std::fs::read(&checkpoint).unwrap();
    std::fs::write(&checkpoint, &sound[..sound.len() / 2]).unwrap();
    assert_eq!(values(&now(&table).await).await, (0..12).collect::<Vec<_>>(), "the commits say it too");
    std::fs::write(&checkpoint, sound).unwrap();
    std::fs::remove_file(log(&disk, 10)).unwrap();
    unreadable(&table, "00000000000000000010.json is missing").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hint_at_a_checkpoint_that_is_not_there_does_not_hide_the_table() {
    let disk = Disk::new();
    let table = table_with(&disk, 12).await;
    let folder = disk.path().join("silver/t/_delta_log");
    std::fs::remove_file(folder.join("00000000000000000009.checkpoint.parquet")).unwrap();
    for hint in ["{\"version\":500,\"size\":1}", "no JSON"] {
        std::fs::write(folder.join("_last_checkpoint"), hint).unwrap();
        assert_eq!(values(&now(&table).await).await, (0..12).collect::<Vec<_>>(), "{hint}");
    }
    // deltalake, which commits, would refuse this one
    std::fs::write(folder.join("_last_checkpoint"), "{\"version\":9,\"size\":1}").unwrap();
    let base = now(&table).await;
    assert_eq!(values(&base).await, (0..12).collect::<Vec<_>>());
    assert_eq!(table.commit(&base, appended(&table, &[12]).await).await.unwrap(), 12);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_is_compared_with_commit_info_and_not_with_file_times() {
    let foreign = Foreign::new();
    let fields = json!([field("a", &json!("long"))]);
    // written newest first, as a copy may do
    for version in [2, 1, 0] {
        let info = json!({ "commitInfo": { "timestamp": 1_000 * (version + 1), "operation": "WRITE" } });
        let mut actions = vec![info];
        if version == 0 {
            actions.extend([protocol(&[]), metadata(&fields, &[], &json!({}))]);
        }
        foreign.commit(version, &actions);
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let at = |millis| At::Time(DateTime::from_timestamp_millis(millis).unwrap());
    for (millis, version) in [(1_000, 0), (1_999, 0), (2_000, 1), (2_500, 1), (3_000, 2), (9_000, 2)] {
        assert_eq!(foreign.table.snapshot_at(&at(millis)).await.unwrap().version(), version, "{millis}");
    }
    assert!(matches!(foreign.table.snapshot_at(&at(999)).await, Err(Error::Gone { .. })));
    assert_eq!(now(&foreign.table).await.timestamp().timestamp_millis(), 3_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_never_was_is_gone() {
    let disk = Disk::new();
    let table = table_with(&disk, 2).await;
    for version in [-1, 2, i64::MAX] {
        assert!(matches!(table.snapshot_at(&At::Version(version)).await, Err(Error::Gone { .. })));
    }
    assert!(matches!(disk.lake.table("silver/none").snapshot_at(&At::Version(0)).await, Err(Error::Gone { .. })));
}
