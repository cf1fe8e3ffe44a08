//! Nothing is lost or doubled when writers meet. The first three are what delta-rs lets pass with its own retries.

use serde_json::Value;

use super::*;
use crate::delta::{Error, Operation};

async fn overwritten(table: &Table, base: &Snapshot, values: &[i64]) -> Change {
    Change { removes: base.files().to_vec(), operation: Operation::Overwrite, ..appended(table, values).await }
}

/// The same rows in one file.
async fn compacted(table: &Table, base: &Snapshot) -> Change {
    let adds = table.write(base.scan().unwrap(), base.schema()).await.unwrap();
    let removes = base.files().to_vec();
    Change { adds, removes, rearranges: true, operation: Operation::Optimize, ..Change::default() }
}

async fn lost(table: &Table, base: &Snapshot, change: Change) {
    let version = base.version() + 1;
    let result = table.commit(base, change).await;
    assert!(matches!(&result, Err(Error::Lost { version: v, .. }) if *v == version), "{result:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_overwrite_that_does_not_know_of_an_append_is_refused() {
    let disk = Disk::new();
    let table = table_of(&disk, &[1, 2]).await;
    let base = now(&table).await;
    table.commit(&base, appended(&table, &[3]).await).await.unwrap();
    lost(&table, &base, overwritten(&table, &base, &[1, 2, 3]).await).await;
    lost(&table, &base, appended(&table, &[4]).await).await;
    assert_eq!(values(&now(&table).await).await, [1, 2, 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_overwrite_that_does_not_know_of_a_compaction_is_refused() {
    let disk = Disk::new();
    let table = table_of(&disk, &[1, 2, 3, 4, 5, 6]).await;
    let base = now(&table).await;
    table.commit(&base, compacted(&table, &base).await).await.unwrap();
    let mut change = overwritten(&table, &base, &[1, 2, 3, 4, 5, 6]).await;
    change.txns.push(("lakesmith/from/x".into(), 7));
    lost(&table, &base, change).await;
    let after = now(&table).await;
    assert_eq!(values(&after).await, [1, 2, 3, 4, 5, 6]);
    assert_eq!(after.txn("lakesmith/from/x"), None, "the watermark stands and falls with the rows");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_compaction_that_does_not_know_of_another_is_refused() {
    let disk = Disk::new();
    let table = table_of(&disk, &[1, 2, 3]).await;
    table.commit(&now(&table).await, appended(&table, &[4, 5, 6]).await).await.unwrap();
    let base = now(&table).await;
    let (one, other) = (compacted(&table, &base).await, compacted(&table, &base).await);
    table.commit(&base, one).await.unwrap();
    lost(&table, &base, other).await;
    assert_eq!(values(&now(&table).await).await, [1, 2, 3, 4, 5, 6]);
    let last = table.history(2).await.unwrap().pop().unwrap();
    assert_eq!((last.data_change, last.files_added, last.files_removed), (false, 1, 2));
    assert_eq!((last.rows_added, last.rows_removed), (Some(6), Some(6)));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_creates_at_once_one_makes_the_table() {
    for _ in 0..5 {
        let disk = Disk::new();
        let table = disk.lake.table("silver/t");
        let (a, b) = (appended(&table, &[1]).await, appended(&table, &[2]).await);
        let schema = numbers();
        let (a, b) = tokio::join!(table.create(&schema, a), table.create(&schema, b));
        let winner = match (a, b) {
            (Ok(0), Err(Error::Lost { .. })) => 1,
            (Err(Error::Lost { .. }), Ok(0)) => 2,
            other => panic!("{other:?}"),
        };
        let snapshot = now(&table).await;
        assert_eq!((snapshot.version(), values(&snapshot).await), (0, vec![winner]));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn appends_that_race_all_arrive_once() {
    let disk = Disk::new();
    let table = table_of(&disk, &[]).await;
    let writers: Vec<_> = (0..4i64)
        .map(|writer| {
            let table = table.clone();
            tokio::spawn(async move {
                let mut change = appended(&table, &[writer]).await;
                loop {
                    match table.commit(&now(&table).await, change.clone()).await {
                        Ok(version) => return version,
                        Err(Error::Lost { .. }) => change.note.clear(),
                        Err(error) => panic!("{error}"),
                    }
                }
            })
        })
        .collect();
    let mut versions = Vec::new();
    for writer in writers {
        versions.push(writer.await.unwrap());
    }
    versions.sort_unstable();
    assert_eq!(versions, [1, 2, 3, 4]);
    assert_eq!(values(&now(&table).await).await, [0, 1, 2, 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn txns_and_tags_outlast_checkpoints_and_the_log_behind_them() {
    let disk = Disk::new();
    let table = table_of(&disk, &[0]).await;
    for batch in 1..=12 {
        let mut change = appended(&table, &[batch]).await;
        change.txns.push(("lakesmith/batch".into(), batch));
        if batch == 3 {
            change.txns.push(("lakesmith/once".into(), 33));
        }
        // a table that expires its log at once, as another engine may have set it
        change.properties.insert("delta.logRetentionDuration".into(), "interval 0 seconds".into());
        change.properties.insert("delta.enableExpiredLogCleanup".into(), "true".into());
        table.commit(&now(&table).await, change).await.unwrap();
    }
    let log = disk.path().join("silver/t/_delta_log");
    assert!(log.join("00000000000000000009.checkpoint.parquet").exists());
    assert!((0..=12).all(|v| log.join(format!("{v:020}.json")).exists()), "commits never clean up the log");

    for version in 0..=9 {
        std::fs::remove_file(log.join(format!("{version:020}.json"))).unwrap();
    }
    let snapshot = now(&table).await;
    assert_eq!((snapshot.txn("lakesmith/batch"), snapshot.txn("lakesmith/once")), (Some(12), Some(33)));
    assert_eq!(values(&snapshot).await, (0..=12).collect::<Vec<_>>());
    assert!(snapshot.files().iter().all(|file| file.blake3().is_some()));
    assert!(matches!(table.snapshot_at(&At::Version(5)).await, Err(Error::Gone { .. })));
    assert_eq!(table.snapshot_at(&At::Version(9)).await.unwrap().txn("lakesmith/batch"), Some(9));
    assert_eq!(table.history(0).await.unwrap().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn history_tells_what_was_noted() {
    let disk = Disk::new();
    let table = table_of(&disk, &[1]).await;
    let mut change = appended(&table, &[2, 3]).await;
    change.txns.push(("app".into(), 4));
    change.operation = Operation::Merge;
    change.note.insert("run".into(), Value::from("r1"));
    let base = now(&table).await;
    let before = chrono::Utc::now();
    table.commit(&base, change).await.unwrap();
    let history = table.history(1).await.unwrap();
    let [record] = history.as_slice() else { panic!("{history:?}") };
    assert_eq!((record.version, record.operation.as_str(), record.data_change), (1, "MERGE", true));
    assert_eq!(record.note.as_ref().unwrap()["run"], "r1");
    assert!(record.note.as_ref().unwrap()["commit"].is_string());
    assert_eq!((record.rows_added, record.rows_removed), (Some(2), Some(0)));
    assert_eq!(record.txns["app"], 4);
    assert!(record.engine.as_ref().unwrap().starts_with("lakesmith/"));
    assert!((record.timestamp - before).num_seconds().abs() < 60);
    assert_eq!(now(&table).await.timestamp(), record.timestamp);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_does_not_fit_its_snapshot_is_refused() {
    let disk = Disk::new();
    let table = table_of(&disk, &[1]).await;
    let base = now(&table).await;
    let twice = Change { removes: [base.files(), base.files()].concat(), ..Change::default() };
    let unknown = Change { removes: appended(&table, &[5]).await.adds, ..Change::default() };
    let known = Change { adds: base.files().to_vec(), ..Change::default() };
    for change in [twice, unknown, known] {
        assert!(matches!(table.commit(&base, change).await, Err(Error::Invalid { .. })));
    }
    let other = disk.lake.table("silver/other");
    assert!(matches!(other.commit(&base, Change::default()).await, Err(Error::Invalid { .. })));
    assert_eq!(now(&table).await.version(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_append_only_table_keeps_its_rows() {
    let disk = Disk::new();
    let table = disk.lake.table("bronze/t");
    let mut change = appended(&table, &[1]).await;
    change.properties.insert("delta.appendOnly".into(), "true".into());
    table.create(&numbers(), change).await.unwrap();
    let base = now(&table).await;
    let result = table.commit(&base, overwritten(&table, &base, &[2]).await).await;
    assert!(matches!(result, Err(Error::Invalid { .. })), "{result:?}");
    table.commit(&base, compacted(&table, &base).await).await.unwrap();
    assert_eq!(values(&now(&table).await).await, [1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_column_more_leaves_id_properties_and_old_rows() {
    let disk = Disk::new();
    let table = table_of(&disk, &[1]).await;
    let base = now(&table).await;
    let mut wider = schema(&[("a", Type::BigInt), ("b", Type::String)]);
    wider.metadata.insert("b".into(), BTreeMap::from([("header".into(), "B b".into())]));
    wider.stats_columns = vec!["b".into()];
    let frame = df!("b" => ["x"], "a" => [2i64]).unwrap().lazy();
    let adds = table.write(frame, &wider).await.unwrap();
    let change = Change { adds, schema: Some(wider.clone()), ..Change::default() };
    table.commit(&base, change).await.unwrap();
    let after = now(&table).await;
    assert_eq!(after.schema(), &wider);
    assert_eq!((after.table_id(), after.rows()), (base.table_id(), Some(2)));
    assert_eq!(after.property("delta.checkpointInterval"), Some("10"));
    let frame = collect(after.scan().unwrap().sort(["a"], SortMultipleOptions::default())).await;
    assert!(frame.equals_missing(&df!("a" => [1i64, 2], "b" => [None, Some("x")]).unwrap()), "{frame}");
    // set again, nothing is different: no metadata action
    table.commit(&after, Change { schema: Some(wider), ..Change::default() }).await.unwrap();
    let text = std::fs::read_to_string(disk.path().join("silver/t/_delta_log/00000000000000000002.json")).unwrap();
    assert!(!text.contains("metaData"), "{text}");
}
