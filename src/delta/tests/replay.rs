//! Our reading of the log tells what delta-rs' tells.

use serde_json::{Value, json};

use super::foreign::{Foreign, add, field, metadata, protocol, with_hidden_rows};
use super::*;

/// Everything that the log says of each file, as text.
fn told(files: &[DataFile]) -> Vec<String> {
    let mut told: Vec<String> = files
        .iter()
        .map(|file| {
            let tags = file.tag("blake3").map(str::to_owned);
            format!(
                "{:?}",
                (
                    file.own_id(),
                    file.size(),
                    file.modification_time(),
                    file.partition_values(),
                    file.statistics(),
                    tags
                )
            )
        })
        .collect();
    told.sort();
    told
}

async fn agrees(table: &Table) {
    let newest = now(table).await;
    assert_eq!(table.head().await.unwrap().unwrap(), *newest.head());
    for version in 0..=newest.version() {
        let ours = table.snapshot_at(&At::Version(version)).await.unwrap();
        let theirs = ours.files_by_delta_rs().await.unwrap();
        assert_eq!(told(ours.files()), told(&theirs), "version {version}");
        let replay = ours.replay().await.unwrap();
        assert_eq!(*ours.metadata(), serde_json::to_value(replay.metadata()).unwrap());
        assert_eq!(*ours.schema_json(), serde_json::to_value(replay.schema().as_ref()).unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_table_of_ours_over_several_checkpoints() {
    let disk = Disk::new();
    let table = disk.lake.table("silver/t");
    let mut schema = schema(&[("a", Type::BigInt), ("p", Type::String)]);
    schema.partition_by = vec!["p".to_owned()];
    let write = async |n: i64| {
        let frame =
            df!("a" => [n, n + 1, n + 2], "p" => [None, Some(format!("x y%{n}")), Some("é".to_owned())]).unwrap();
        table.write(frame.lazy(), &schema).await.unwrap()
    };
    table.create(&schema, Change { adds: write(0).await, ..Change::default() }).await.unwrap();
    for n in 1..24 {
        let base = now(&table).await;
        let removes: Vec<_> = base.files().iter().skip(n % 3).step_by(3).take(2).cloned().collect();
        let change = Change {
            adds: write(n as i64).await,
            removes,
            txns: vec![(format!("app{}", n % 3), n as i64)],
            properties: [(format!("lakesmith.{}", n % 4), n.to_string())].into(),
            ..Change::default()
        };
        table.commit(&base, change).await.unwrap();
    }
    assert!(disk.path().join("silver/t/_delta_log/_last_checkpoint").exists());
    agrees(&table).await;
    let back = Change { adds: table.snapshot_at(&At::Version(3)).await.unwrap().files().to_vec(), ..Change::default() };
    let base = now(&table).await;
    let present: Vec<_> = base.files().iter().map(|file| file.path().to_owned()).collect();
    let adds = back.adds.into_iter().filter(|file| !present.contains(&file.path().to_owned())).collect();
    table.commit(&base, Change { adds, ..Change::default() }).await.unwrap();
    agrees(&table).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_tables_that_others_wrote() {
    let (_disk, hidden) = with_hidden_rows().await;
    agrees(&hidden).await;
    let foreign = Foreign::new();
    let fields = json!([field("a", &json!("long")), field("p", &json!("integer"))]);
    let mut one = add("p=1/a%20b.parquet", 1, &json!({ "p": "1" }));
    one["add"]["tags"] = json!({ "blake3": "x", "none": null });
    one["add"]["stats"] = json!(json!({ "numRecords": 1, "minValues": { "a": 1 } }).to_string());
    let two = add("c.parquet", 2, &json!({ "p": null }));
    let described = |configuration: &Value| {
        let mut described = metadata(&fields, &["p"], configuration);
        described["metaData"]["name"] = json!("t");
        described["metaData"]["description"] = json!("about");
        described
    };
    foreign.commit(0, &[protocol(&[]), described(&json!({})), one.clone(), two.clone()]);
    let remove = json!({ "remove": { "path": "p=1/a%20b.parquet", "dataChange": true, "deletionTimestamp": 1 } });
    foreign.commit(1, &[remove, described(&json!({ "k": "v" })), add("d.parquet", 3, &json!({ "p": "" }))]);
    foreign.commit(2, &[one, json!({ "txn": { "appId": "spark", "version": 7 } })]);
    agrees(&foreign.table).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_without_its_first_actions_is_no_table() {
    let foreign = Foreign::new();
    foreign.commit(0, &[protocol(&[]), add("a.parquet", 1, &json!({}))]);
    for error in [foreign.table.snapshot().await.err(), foreign.table.head().await.err()] {
        assert!(error.unwrap().to_string().contains("no metaData action"));
    }
    let plain = json!([field("a", &json!("long"))]);
    let newer = json!({ "protocol": { "minReaderVersion": 4, "minWriterVersion": 7 } });
    foreign.commit(0, &[newer, metadata(&plain, &[], &json!({}))]);
    assert!(foreign.table.head().await.err().unwrap().to_string().contains("readers of version 4"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_delta_rs_can_read_is_read_by_it() {
    let foreign = Foreign::new();
    let plain = json!([field("a", &json!("long"))]);
    let head = [protocol(&["v2Checkpoint"]), metadata(&plain, &[], &json!({}))];
    let txn = json!({ "txn": { "appId": "spark", "version": 7 } });
    foreign.commit(0, &[&head[..], &[add("a.parquet", 1, &json!({})), txn.clone()]].concat());
    foreign.commit(1, &[add("b.parquet", 2, &json!({}))]);
    let checkpoint = json!({ "checkpointMetadata": { "version": 1 } });
    let adds = [add("a.parquet", 1, &json!({})), add("b.parquet", 2, &json!({}))];
    let lines: Vec<String> = [&[checkpoint], &head[..], &adds, &[txn]].concat().iter().map(Value::to_string).collect();
    let name = "00000000000000000001.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.json";
    std::fs::write(foreign.log(1).with_file_name(name), lines.join("\n")).unwrap();
    foreign.commit(2, &[add("c.parquet", 3, &json!({}))]);
    for version in [0, 1] {
        std::fs::remove_file(foreign.log(version)).unwrap();
    }
    let snapshot = now(&foreign.table).await;
    let paths: Vec<&str> = snapshot.files().iter().map(DataFile::path).collect();
    assert_eq!(paths, ["a.parquet", "b.parquet", "c.parquet"]);
    assert_eq!((snapshot.version(), snapshot.txn("spark")), (2, Some(7)));
    assert_eq!(foreign.table.head().await.unwrap().unwrap(), *snapshot.head());
}
