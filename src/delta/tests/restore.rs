//! An earlier version comes back: the same files, the same columns, the same rules, by one commit.

use serde_json::json;

use super::foreign::{Foreign, add, field, metadata, protocol, with_hidden_rows};
use super::*;
use crate::delta::{Error, Operation, Restoration, way_back};

fn like(target: &Snapshot) -> Restoration {
    Restoration { properties: target.properties().clone(), ..Restoration::default() }
}

async fn at(table: &Table, version: i64) -> Snapshot {
    table.snapshot_at(&At::Version(version)).await.unwrap()
}

/// What the log says of each file: path, statistics, hash, partition values, vector.
fn told(snapshot: &Snapshot) -> Vec<String> {
    let one = |file: &DataFile| {
        let (stats, values) = (file.statistics(), file.partition_values());
        format!("{:?} {stats:?} {:?} {values:?} {}", file.id(), file.blake3(), file.modification_time())
    };
    snapshot.files().iter().map(one).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn files_come_back_as_they_were_and_only_those_that_differ() {
    let disk = Disk::new();
    let table = table_of(&disk, &[1, 2]).await;
    table.commit(&now(&table).await, appended(&table, &[3]).await).await.unwrap();
    let base = now(&table).await;
    let first = at(&table, 0).await.files().to_vec();
    let change = Change { removes: first, operation: Operation::Merge, ..appended(&table, &[1, 20]).await };
    table.commit(&base, change).await.unwrap();

    let (base, target) = (now(&table).await, at(&table, 1).await);
    let files = way_back(&base, &target);
    assert_eq!((files.removed.len(), files.added.len()), (1, 1), "the file of row 3 stays");
    assert_eq!(table.restore(&base, &target, like(&target)).await.unwrap(), 3);
    let back = now(&table).await;
    assert_eq!(values(&back).await, [1, 2, 3]);
    assert_eq!(told(&back), told(&target));
    assert_eq!(values(&at(&table, 2).await).await, [1, 3, 20], "what it was before stays readable");
    let history = table.history(3).await.unwrap();
    assert_eq!((history[0].operation.as_str(), history[0].files_added, history[0].files_removed), ("RESTORE", 1, 1));
    assert!(history[0].data_change);

    let stale = table.restore(&base, &target, like(&target)).await;
    assert!(matches!(stale, Err(Error::Lost { version: 3, .. })), "{stale:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_properties_and_txns_go_back_across_checkpoints() {
    let disk = Disk::new();
    let table = disk.lake.table("silver/t");
    let set = |key: &str, value: &str| BTreeMap::from([(key.to_owned(), value.to_owned())]);
    let change = Change { properties: set("x.first", "1"), txns: vec![("app".into(), 1)], ..Change::default() };
    let change = Change { adds: appended(&table, &[1]).await.adds, ..change };
    table.create(&numbers(), change).await.unwrap();
    let id = now(&table).await.table_id().to_owned();
    for version in 1..=12 {
        let base = now(&table).await;
        let wider = schema(&[("a", Type::BigInt), ("b", Type::String)]);
        let change = Change { schema: Some(wider), properties: set("x.later", "1"), ..Change::default() };
        let change = Change { adds: appended(&table, &[version]).await.adds, ..change };
        table.commit(&base, Change { txns: vec![("app".into(), version + 1)], ..change }).await.unwrap();
    }
    assert_eq!(now(&table).await.txn("app"), Some(13));
    let (base, target) = (now(&table).await, at(&table, 0).await);
    let to = Restoration { txns: vec![("app".into(), 1)], ..like(&target) };
    table.restore(&base, &target, to).await.unwrap();
    for round in 0..12 {
        let back = now(&table).await;
        assert_eq!((back.txn("app"), back.table_id()), (Some(1), id.as_str()), "round {round}");
        assert_eq!((back.property("x.first"), back.property("x.later")), (Some("1"), None));
        assert_eq!(back.schema().columns, numbers().columns);
        assert_eq!(values(&back).await, [1]);
        let nothing = Change { operation: Operation::SetProperties, ..Change::default() };
        table.commit(&back, nothing).await.unwrap();
    }
    assert_eq!(values(&at(&table, 12).await).await.len(), 13);
}

#[tokio::test(flavor = "multi_thread")]
async fn deletion_vectors_come_and_go_with_their_version() {
    let (disk, table) = with_hidden_rows().await;
    let hidden = now(&table).await;
    // another engine brings the hidden rows back: the same file without its vector
    let log = disk.path().join("silver/t/_delta_log");
    let first = std::fs::read_to_string(log.join(format!("{:020}.json", 0))).unwrap();
    let mut file: serde_json::Value = serde_json::from_str(first.lines().last().unwrap()).unwrap();
    let vector = file["add"].as_object_mut().unwrap().remove("deletionVector").unwrap();
    let gone = json!({ "remove": { "path": "f.parquet", "deletionTimestamp": 1, "dataChange": true,
        "extendedFileMetadata": true, "partitionValues": {}, "size": file["add"]["size"], "deletionVector": vector }});
    std::fs::write(log.join(format!("{:020}.json", 1)), format!("{gone}\n{file}\n")).unwrap();
    let whole = now(&table).await;
    assert_eq!((values(&hidden).await.len(), values(&whole).await.len()), (34, 40));

    table.restore(&whole, &hidden, like(&hidden)).await.unwrap();
    let back = now(&table).await;
    assert_eq!(values(&back).await, values(&hidden).await);
    table.restore(&back, &whole, like(&whole)).await.unwrap();
    assert_eq!(values(&now(&table).await).await.len(), 40);
    for version in 2..14 {
        assert_eq!(values(&at(&table, 2).await).await.len(), 34, "{version}");
        table.commit(&now(&table).await, Change::default()).await.unwrap();
    }
    assert_eq!(values(&now(&table).await).await.len(), 40, "also from a checkpoint");
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_of_other_engines_go_and_come_with_the_rows_that_obeyed_them() {
    let foreign = Foreign::new();
    let plain = json!([field("a", &json!("long"))]);
    let not_null = json!([{ "name": "a", "type": "long", "nullable": false, "metadata": {} }]);
    let constraint = json!({ "delta.constraints.positive": "a > 0" });
    let size = foreign.file(rows(&[1]), &numbers(), "a b.parquet").await;
    let file = add("a%20b.parquet", size, &json!({}));
    foreign.commit(0, &[protocol(&[]), metadata(&not_null, &[], &constraint), file]);
    foreign.commit(
        1,
        &[
            metadata(&plain, &[], &json!({})),
            json!({ "remove": { "path": "a%20b.parquet",
        "deletionTimestamp": 1, "dataChange": true } }),
        ],
    );
    let (base, target) = (now(&foreign.table).await, at(&foreign.table, 0).await);
    assert_eq!(foreign.table.missing(&way_back(&base, &target).added).await.unwrap().len(), 0);
    foreign.table.restore(&base, &target, like(&target)).await.unwrap();
    let back = now(&foreign.table).await;
    assert_eq!(values(&back).await, [1]);
    assert_eq!(back.property("delta.constraints.positive"), Some("a > 0"));
    let refused = foreign.table.commit(&back, appended(&foreign.table, &[2]).await).await;
    assert!(matches!(refused, Err(Error::Invalid { .. })), "{refused:?}");
    std::fs::remove_file(foreign.disk.path().join("silver/t/a b.parquet")).unwrap();
    let missing = foreign.table.missing(target.files()).await.unwrap();
    assert_eq!(missing.iter().map(DataFile::path).collect::<Vec<_>>(), ["a b.parquet"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_property_is_taken_off() {
    let disk = Disk::new();
    let table = table_of(&disk, &[1]).await;
    let properties = BTreeMap::from([("x.y".to_owned(), "1".to_owned())]);
    table.commit(&now(&table).await, Change { properties, ..Change::default() }).await.unwrap();
    assert_eq!(now(&table).await.property("x.y"), Some("1"));
    let unset = ["x.y".to_owned(), "x.never".to_owned()].into();
    table.commit(&now(&table).await, Change { unset, ..Change::default() }).await.unwrap();
    assert_eq!(now(&table).await.property("x.y"), None);
    assert_eq!(values(&now(&table).await).await, [1]);
}
