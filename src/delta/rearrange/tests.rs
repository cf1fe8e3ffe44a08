use std::collections::BTreeSet;

use polars::df;
use polars::prelude::*;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::delta::tests::{Disk, appended, collect, foreign, now, numbers, schema, table_of, values};
use crate::delta::{Error, Table, TableSchema};
use crate::expr::Type;

async fn append(table: &Table, values: &[i64]) {
    let change = appended(table, values).await;
    table.commit(&now(table).await, change).await.unwrap();
}

fn note() -> Map<String, Value> {
    Map::from_iter([("run_id".to_owned(), json!("r1"))])
}

#[tokio::test(flavor = "multi_thread")]
async fn small_files_become_one_and_a_second_time_nothing_happens() {
    let disk = Disk::new();
    let table = table_of(&disk, &[1, 2]).await;
    append(&table, &[2, 3]).await;
    append(&table, &[4]).await;
    assert_eq!(compact(&now(&table).await, note()).await.unwrap(), Some(3));
    let after = now(&table).await;
    assert_eq!((after.files().len(), values(&after).await), (1, vec![1, 2, 2, 3, 4]));
    assert_eq!(compact(&after, note()).await.unwrap(), None);
    assert_eq!(now(&table).await.version(), 3);

    let commit = table.history(3).await.unwrap().remove(0);
    assert_eq!((commit.operation.as_str(), commit.data_change), ("OPTIMIZE", false));
    assert_eq!(commit.note.unwrap().get("run_id"), Some(&json!("r1")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_of_one_file_is_left_alone() {
    let disk = Disk::new();
    let table = table_of(&disk, &[1, 2]).await;
    assert_eq!(compact(&now(&table).await, note()).await.unwrap(), None);
}

/// The names of the data files that lie in the table's folder.
fn on_disk(disk: &Disk, folder: &str) -> BTreeSet<String> {
    let entries = std::fs::read_dir(disk.path().join(folder)).unwrap().map(|entry| entry.unwrap().file_name());
    entries.filter_map(|name| name.into_string().ok()).filter(|name| name.ends_with(".parquet")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_commit_meanwhile_stays() {
    let disk = Disk::new();
    let table = table_of(&disk, &[1]).await;
    append(&table, &[2]).await;
    let stale = now(&table).await;
    append(&table, &[3]).await;
    assert_eq!(compact(&stale, note()).await.unwrap(), Some(3));
    let after = now(&table).await;
    assert_eq!((after.files().len(), values(&after).await), (2, vec![1, 2, 3]));

    // of two compactions of the same files one is in vain, and leaves nothing
    compact(&after, note()).await.unwrap();
    let before = on_disk(&disk, "silver/t");
    assert!(matches!(compact(&after, note()).await, Err(Error::Lost { .. })));
    assert_eq!(values(&now(&table).await).await, [1, 2, 3]);
    assert_eq!(on_disk(&disk, "silver/t"), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_partitions_those_are_compacted_that_nobody_has_replaced() {
    let disk = Disk::new();
    let table = disk.lake.table("silver/t");
    let schema = TableSchema { partition_by: vec!["p".to_owned()], ..schema(&[("a", Type::BigInt), ("p", Type::Int)]) };
    let write =
        async |a: i64| table.write(df!("a" => [a, a], "p" => [1i32, 2]).unwrap().lazy(), &schema).await.unwrap();
    table.create(&schema, Change { adds: write(1).await, ..Change::default() }).await.unwrap();
    let base = now(&table).await;
    table.commit(&base, Change { adds: write(2).await, ..Change::default() }).await.unwrap();
    let stale = now(&table).await;
    let gone = stale.files().iter().find(|file| file.partition_values()["p"].as_deref() == Some("1")).unwrap();
    let removes = vec![gone.clone()];
    table.commit(&stale, Change { removes, operation: Operation::Delete, ..Change::default() }).await.unwrap();
    let done = rearrange(&stale, &Layout::default(), note()).await.unwrap().unwrap();
    assert_eq!((done.version, done.removed.len(), done.added.len()), (3, 2, 1));
    let after = now(&table).await;
    assert_eq!((after.files().len(), values(&after).await.len()), (2, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn files_on_two_sides_of_a_value_are_not_mixed() {
    let disk = Disk::new();
    let table = table_of(&disk, &[1]).await;
    for value in 2..=6 {
        append(&table, &[value]).await;
    }
    let layout = Layout { apart: Some(("a".to_owned(), vec![2, 4])), ..Layout::default() };
    rearrange(&now(&table).await, &layout, note()).await.unwrap().unwrap();
    let after = now(&table).await;
    let bounds: BTreeSet<_> = after.files().iter().map(|file| file.min_max_i64("a").unwrap()).collect();
    assert_eq!(bounds, [(1, 2), (3, 4), (5, 6)].into());
    assert!(rearrange(&after, &layout, note()).await.unwrap().is_none());
    let further = Layout { apart: Some(("a".to_owned(), vec![4])), ..layout };
    assert_eq!(untidy(&after, &further), 2, "the first two may come together now");
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_a_deletion_vector_hides_are_gone_for_good() {
    let (_disk, table) = foreign::with_hidden_rows().await;
    let before = values(&now(&table).await).await;
    assert_eq!(before.len(), 34);
    compact(&now(&table).await, note()).await.unwrap();
    let after = now(&table).await;
    assert_eq!(values(&after).await, before);
    assert!(after.files().iter().all(|file| !file.has_deletion_vector()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_only_takes_appends_can_be_compacted() {
    let disk = Disk::new();
    let table = disk.lake.table("bronze/t");
    let properties = [("delta.appendOnly".to_owned(), "true".to_owned())].into();
    table.create(&numbers(), Change { properties, ..appended(&table, &[1]).await }).await.unwrap();
    append(&table, &[2]).await;
    assert_eq!(compact(&now(&table).await, note()).await.unwrap(), Some(2));
    assert_eq!(values(&now(&table).await).await, [1, 2]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4))]

    /// Numbers that do not compress, so that files reach the small size that is aimed at.
    #[test]
    fn rows_stay_the_same_and_files_come_close_to_their_size(lots in prop::collection::vec(1..4000u64, 2..6)) {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let disk = Disk::new();
            let table = disk.lake.table("silver/t");
            let partition_by = vec!["part".to_owned()];
            let schema = TableSchema { partition_by, ..schema(&[("a", Type::BigInt), ("part", Type::Int)]) };
            let mut adds = Vec::new();
            for (lot, rows) in lots.iter().enumerate() {
                let random = |i| i64::from_ne_bytes(blake3::hash(&u64::to_ne_bytes(i + 10_000 * lot as u64)).as_bytes()[..8].try_into().unwrap());
                let parts = (0..*rows).map(|i| (i % 3 == 0).then_some(1)).collect::<Vec<Option<i32>>>();
                let frame = df!("a" => (0..*rows).map(random).collect::<Vec<_>>(), "part" => parts).unwrap();
                adds.extend(table.write(frame.lazy(), &schema).await.unwrap());
            }
            table.create(&schema, Change { adds, ..Change::default() }).await.unwrap();
            let before = now(&table).await;
            let layout = Layout { file_bytes: 16 << 10, ..Layout::default() };
            rearrange(&before, &layout, Map::new()).await.unwrap();
            let after = now(&table).await;
            let sorted = async |snapshot: &Snapshot| {
                collect(snapshot.scan().unwrap()).await.sort(["a", "part"], Default::default()).unwrap()
            };
            assert!(sorted(&before).await.equals_missing(&sorted(&after).await));
            let small = after.files().iter().filter(|file| file.size() < 8 << 10).count();
            assert!(small <= 2, "one in each partition: {small}");
            assert!(rearrange(&after, &layout, Map::new()).await.unwrap().is_none());
            assert_eq!(untidy(&after, &layout), 0);
        });
    }
}
