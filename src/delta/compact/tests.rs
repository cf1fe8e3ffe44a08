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

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_that_the_table_has_left_is_refused() {
    let disk = Disk::new();
    let table = table_of(&disk, &[1]).await;
    append(&table, &[2]).await;
    let stale = now(&table).await;
    append(&table, &[3]).await;
    assert!(matches!(compact(&stale, note()).await, Err(Error::Lost { version: 2, .. })));
    assert_eq!(values(&now(&table).await).await, [1, 2, 3]);

    let both = now(&table).await;
    compact(&both, note()).await.unwrap();
    assert!(matches!(compact(&both, note()).await, Err(Error::Lost { version: 3, .. })));
    assert_eq!(values(&now(&table).await).await, [1, 2, 3]);
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
            compact_to(&before, Map::new(), 16 << 10).await.unwrap();
            let after = now(&table).await;
            let sorted = async |snapshot: &Snapshot| {
                collect(snapshot.scan().unwrap()).await.sort(["a", "part"], Default::default()).unwrap()
            };
            assert!(sorted(&before).await.equals_missing(&sorted(&after).await));
            let small = after.files().iter().filter(|file| file.size() < 8 << 10).count();
            assert!(small <= 2, "one in each partition: {small}");
            assert_eq!(compact_to(&after, Map::new(), 16 << 10).await.unwrap(), None);
        });
    }
}
