use std::ops::Range;

use polars::prelude::*;

use super::*;
use crate::delta::tests::{Disk, appended, collect, foreign, now, numbers, rows, schema, table_of};
use crate::delta::{Change, Operation, Table};
use crate::expr::Type;

pub(super) async fn sorted(frame: &LazyFrame) -> Vec<i64> {
    let frame = collect(frame.clone()).await;
    let mut values: Vec<i64> = frame.column("a").unwrap().i64().unwrap().iter().flatten().collect();
    values.sort_unstable();
    values
}

pub(super) async fn differences(p: &Snapshot, q: &Snapshot) -> (Vec<i64>, Vec<i64>) {
    let diff = row_diff(p, q, None).await.unwrap();
    let found = (sorted(&diff.removed).await, sorted(&diff.added).await);
    assert_eq!(diff.rows, (found.0.len() as u64, found.1.len() as u64));
    found
}

/// All files of the table replaced by some that hold these rows.
pub(super) async fn overwrite(table: &Table, values: &[i64]) {
    let base = now(table).await;
    let change =
        Change { removes: base.files().to_vec(), operation: Operation::Overwrite, ..appended(table, values).await };
    table.commit(&base, change).await.unwrap();
}

pub(super) async fn append(table: &Table, values: &[i64]) {
    let change = appended(table, values).await;
    table.commit(&now(table).await, change).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn files_without_a_commit_can_be_compared_with_a_table() {
    let disk = Disk::new();
    let table = table_of(&disk, &[1, 2, 2]).await;
    let files = table.write(rows(&[2, 3]), &numbers()).await.unwrap();
    let diff = replacement_diff(&now(&table).await, &numbers(), &files, None).await.unwrap();
    assert_eq!((sorted(&diff.removed).await, sorted(&diff.added).await), (vec![1, 2], vec![3]));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_files_that_differ_are_read() {
    let disk = Disk::new();
    let table = table_of(&disk, &[1, 2, 3]).await;
    let before = now(&table).await;
    append(&table, &[4]).await;
    let after = now(&table).await;
    let files = file_diff(&before, &after).await.unwrap();
    assert_eq!((files.removed.len(), files.added.len()), (0, 1));
    assert_eq!(row_diff(&before, &after, None).await.unwrap().bytes_read, files.added[0].size());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_vector_makes_another_file_of_the_same_path() {
    let (disk, table) = foreign::with_hidden_rows().await;
    let hidden = now(&table).await;
    let log = disk.path().join("silver/t/_delta_log");
    let first: Vec<String> =
        std::fs::read_to_string(log.join("00000000000000000000.json")).unwrap().lines().map(str::to_owned).collect();
    let mut add: serde_json::Value = serde_json::from_str(&first[2]).unwrap();
    let mut remove = add["add"].clone();
    add["add"].as_object_mut().unwrap().remove("deletionVector");
    remove["deletionTimestamp"] = serde_json::json!(2);
    let second = format!("{}\n{}", serde_json::json!({ "remove": remove }), add);
    std::fs::write(log.join("00000000000000000001.json"), second).unwrap();
    let whole = now(&table).await;
    assert_eq!(differences(&hidden, &whole).await, (vec![], vec![3, 4, 7, 11, 18, 29]));
    assert_eq!(differences(&whole, &hidden).await, (vec![3, 4, 7, 11, 18, 29], vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_may_be_chosen_added_and_widened() {
    let disk = Disk::new();
    let table = disk.lake.table("silver/t");
    let narrow = schema(&[("a", Type::Int), ("b", Type::String)]);
    let frame = |range: Range<i32>| df!("a" => range.collect::<Vec<_>>(), "b" => ["x", "y"]).unwrap();
    let adds = table.write(frame(0..2).lazy(), &narrow).await.unwrap();
    table.create(&narrow, Change { adds, ..Change::default() }).await.unwrap();
    let before = now(&table).await;
    let wide = schema(&[("a", Type::BigInt), ("b", Type::String), ("c", Type::Date)]);
    let adds = table.write(frame(0..2).lazy(), &wide).await.unwrap();
    let removes = before.files().to_vec();
    let change = Change { adds, removes, schema: Some(wide), ..Change::default() };
    table.commit(&before, change).await.unwrap();
    let after = now(&table).await;
    assert_eq!(row_diff(&before, &after, None).await.unwrap().rows, (0, 0));

    let text = schema(&[("a", Type::String), ("b", Type::String)]);
    let adds = table.write(df!("a" => ["7"], "b" => ["x"]).unwrap().lazy(), &text).await.unwrap();
    let change = Change { adds, removes: after.files().to_vec(), schema: Some(text), ..Change::default() };
    table.commit(&after, change).await.unwrap();
    let last = now(&table).await;
    let error = row_diff(&after, &last, None).await.map(|diff| diff.rows).unwrap_err().to_string();
    assert!(error.contains("`a` was bigint in version 1 and is string now"), "{error}");
    let chosen = row_diff(&after, &last, Some(&["b".to_owned()])).await.unwrap();
    assert_eq!(chosen.rows, (1, 0), "x stands on both sides, y does not");
    let unknown = row_diff(&after, &last, Some(&["z".to_owned()])).await.map(|diff| diff.rows);
    assert_eq!(unknown.unwrap_err().to_string(), "silver/t: there is no column `z`");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_made_anew_shares_no_file_with_the_old_one() {
    let disk = Disk::new();
    let table = table_of(&disk, &[1, 2]).await;
    let old = now(&table).await;
    let other = disk.lake.table("silver/other");
    let adds = other.write(rows(&[2, 3]), &numbers()).await.unwrap();
    other.create(&numbers(), Change { adds, ..Change::default() }).await.unwrap();
    assert_eq!(differences(&old, &now(&other).await).await, (vec![1], vec![3]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_vacuumed_is_gone() {
    let disk = Disk::new();
    let table = table_of(&disk, &[1]).await;
    let before = now(&table).await;
    overwrite(&table, &[2]).await;
    std::fs::remove_file(disk.path().join("silver/t").join(before.files()[0].path())).unwrap();
    let diff = row_diff(&before, &now(&table).await, None).await.map(|diff| diff.rows);
    assert!(matches!(diff, Err(Error::Gone { .. })), "{diff:?}");
}
