use polars::df;
use polars::prelude::*;
use serde_json::Map;

use crate::delta::rearrange::{Layout, rearrange, untidy};
use crate::delta::tests::{Disk, collect, now, schema};
use crate::delta::{Change, Snapshot, Table, TableSchema};
use crate::expr::Type;

const ROWS: u64 = 20_000;

/// A number below `below`, of no visible order.
fn random(seed: u64, i: u64, below: i64) -> i64 {
    let hash = blake3::hash(&[seed.to_ne_bytes(), i.to_ne_bytes()].concat());
    i64::from_ne_bytes(hash.as_bytes()[..8].try_into().unwrap()).rem_euclid(below)
}

fn two_keys() -> TableSchema {
    schema(&[("x", Type::BigInt), ("y", Type::String), ("n", Type::BigInt)])
}

fn rows(range: std::ops::Range<u64>) -> LazyFrame {
    let x: Vec<Option<i64>> = range.clone().map(|i| (i % 100 > 0).then(|| random(1, i, 1000))).collect();
    let y: Vec<String> = range.clone().map(|i| format!("y{:03}", random(2, i, 1000))).collect();
    df!("x" => x, "y" => y, "n" => range.map(|i| i as i64).collect::<Vec<_>>()).unwrap().lazy()
}

async fn table(disk: &Disk, schema: &TableSchema) -> Table {
    let table = disk.lake.table("silver/t");
    let adds = table.write(rows(0..ROWS), schema).await.unwrap();
    table.create(schema, Change { adds, ..Change::default() }).await.unwrap();
    table
}

fn layout() -> Layout {
    Layout { file_bytes: 4 << 10, z_order: vec!["x".to_owned(), "y".to_owned()], ..Layout::default() }
}

/// How many files a reader must open who asks for one value.
fn files_with(snapshot: &Snapshot, column: &str, value: &serde_json::Value) -> usize {
    let text = |bound: &serde_json::Value| bound.as_str().map(str::to_owned);
    let within = |file: &&crate::delta::DataFile| {
        let bound = |side: &str| file.statistics()[side][column].clone();
        match value.as_i64() {
            Some(value) => (bound("minValues").as_i64()..=bound("maxValues").as_i64()).contains(&Some(value)),
            None => (text(&bound("minValues"))..=text(&bound("maxValues"))).contains(&text(value)),
        }
    };
    snapshot.files().iter().filter(within).count()
}

async fn sorted(snapshot: &Snapshot) -> DataFrame {
    collect(snapshot.scan().unwrap()).await.sort(["n"], SortMultipleOptions::default()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_of_either_column_stands_in_few_files() {
    let disk = Disk::new();
    let table = table(&disk, &two_keys()).await;
    let before = now(&table).await;
    let plain = Layout { z_order: Vec::new(), ..layout() };
    assert_eq!(untidy(&before, &plain), 0);
    let done = rearrange(&before, &layout(), Map::new()).await.unwrap().unwrap();
    let after = now(&table).await;
    let files = after.files().len();
    assert_eq!(done.added.len(), files);
    assert!((8..=30).contains(&files), "{files} files");
    let (mut of_x, mut of_y) = (0, 0);
    for value in (0..1000).step_by(50) {
        of_x += files_with(&after, "x", &value.into());
        of_y += files_with(&after, "y", &format!("y{value:03}").into());
    }
    let half = 20 * files / 2;
    assert!(of_x < half && of_y < half, "{of_x} and {of_y} of {} looks into {files} files", 20 * files);
    assert!(sorted(&before).await.equals_missing(&sorted(&after).await));
    assert!(after.files().iter().all(|file| file.blake3().is_some() && file.rows().is_some()));
    let commit = table.history(after.version()).await.unwrap().remove(0);
    assert!(!commit.data_change);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_lies_in_order_is_left_alone_until_files_come() {
    let disk = Disk::new();
    let table = table(&disk, &two_keys()).await;
    rearrange(&now(&table).await, &layout(), Map::new()).await.unwrap().unwrap();
    let ordered = now(&table).await;
    assert!(rearrange(&ordered, &layout(), Map::new()).await.unwrap().is_none());
    assert_eq!(untidy(&ordered, &Layout { z_order: Vec::new(), ..layout() }), 0, "nor are they brought to size");
    let other = Layout { z_order: vec!["n".to_owned()], ..layout() };
    assert_eq!(untidy(&ordered, &other), ordered.files().len(), "another order");

    let adds = table.write(rows(ROWS..ROWS + 10), &two_keys()).await.unwrap();
    table.commit(&ordered, Change { adds, ..Change::default() }).await.unwrap();
    rearrange(&now(&table).await, &layout(), Map::new()).await.unwrap().unwrap();
    let again = now(&table).await;
    assert_eq!(again.rows(), Some(ROWS + 10));
    assert!(rearrange(&again, &layout(), Map::new()).await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn partitions_are_ordered_each_by_itself_and_one_of_a_single_file_not_at_all() {
    let disk = Disk::new();
    let partitioned =
        TableSchema { partition_by: vec!["p".to_owned()], ..schema(&[("x", Type::Double), ("p", Type::Int)]) };
    let table = disk.lake.table("silver/t");
    let x: Vec<Option<f64>> = (0..ROWS).map(|i| (i % 7 > 0).then(|| random(3, i, 1 << 40) as f64 / 8.0)).collect();
    let p: Vec<Option<i32>> = (0..ROWS).map(|i| if i < 100 { Some(3) } else { (i % 2 == 0).then_some(1) }).collect();
    let adds = table.write(df!("x" => x, "p" => p).unwrap().lazy(), &partitioned).await.unwrap();
    table.create(&partitioned, Change { adds, ..Change::default() }).await.unwrap();
    let layout = Layout { z_order: vec!["x".to_owned()], ..layout() };
    rearrange(&now(&table).await, &layout, Map::new()).await.unwrap().unwrap();
    let after = now(&table).await;
    assert_eq!(after.rows(), Some(ROWS));
    let of =
        |value: Option<&str>| after.files().iter().filter(|f| f.partition_values()["p"].as_deref() == value).count();
    assert!(
        of(Some("1")) > 2 && of(None) > 2 && of(Some("3")) == 1,
        "{} {} {}",
        of(Some("1")),
        of(None),
        of(Some("3"))
    );
    assert!(rearrange(&after, &layout, Map::new()).await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_without_an_order_are_refused() {
    let disk = Disk::new();
    let nested = schema(&[("x", Type::BigInt), ("l", Type::Array(Box::new(Type::BigInt))), ("p", Type::Int)]);
    let nested = TableSchema { partition_by: vec!["p".to_owned()], ..nested };
    let table = disk.lake.table("silver/t");
    table.create(&nested, Change::default()).await.unwrap();
    let snapshot = now(&table).await;
    let refused = async |columns: &[&str]| {
        let z_order = columns.iter().map(|name| (*name).to_owned()).collect();
        rearrange(&snapshot, &Layout { z_order, ..layout() }, Map::new()).await.unwrap_err().to_string()
    };
    assert_eq!(refused(&["z"]).await, "silver/t: there is no column `z` to order by");
    assert_eq!(refused(&["x", "p"]).await, "silver/t: `p` partitions the table: its values lie apart already");
    assert_eq!(refused(&["x", "x"]).await, "silver/t: `x` is named twice");
    assert!(refused(&["l"]).await.contains("such values have no order"));
}
