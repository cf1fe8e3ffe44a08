//! Rows that are told to stand in the table before they are written: the merge of the others comes to the same.

use polars::prelude::{DataFrame, IntoLazy, col, df, lit};
use proptest::prelude::*;

use super::model::{self, Row, Ways, cuts, frame, keep_all, rows, split, texts};
use super::tables::{block_on, contents, merge_into, schema, spec, written};
use crate::delta::merge::{MergeRows, MergeSpec, Scope, Standing, merge};
use crate::delta::tests::{Disk, foreign, now, numbers};
use crate::delta::{Change, DataFile, Error, Table, TableSchema};
use crate::expr::{Column, Type};
use crate::memory::Memory;

type Take = fn(&Standing, &DataFrame) -> Result<DataFrame, Error>;

type To<'a> = (&'a Table, &'a TableSchema);

async fn taken(standing: &Standing, take: Take, (table, schema): To<'_>, lots: &[Vec<Row>]) -> Vec<DataFile> {
    let mut files = Vec::new();
    for rows in lots {
        let rows = take(standing, &frame(rows)).unwrap();
        files.extend(table.write(rows.lazy(), schema).await.unwrap());
    }
    files
}

/// It tells nothing, so that the table is read.
fn no_sample() -> DataFrame {
    DataFrame::empty()
}

/// Merges as a run does; gives what became of the rows and how many of them were written.
async fn merge_news(table: &Table, schema: &TableSchema, lots: &[Vec<Row>]) -> (MergeRows, u64) {
    let target = now(table).await;
    let standing = Standing::read(&target, schema, &spec(), no_sample()).await.unwrap().unwrap();
    let mut source = taken(&standing, Standing::news, (table, schema), lots).await;
    if standing.is_contested() {
        source.extend(taken(&standing, Standing::contested, (table, schema), lots).await);
    }
    let written = source.iter().filter_map(DataFile::rows).sum();
    let merged = merge(Some(&target), table, schema, source, &spec()).await.unwrap();
    let change = Change { adds: merged.adds, removes: merged.removes, ..Change::default() };
    table.commit(&target, change).await.unwrap();
    let MergeRows { unchanged, superseded, .. } = standing.counts();
    let (unchanged, superseded) = (unchanged + merged.rows.unchanged, superseded + merged.rows.superseded);
    (MergeRows { unchanged, superseded, ..merged.rows }, written)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_merge_of_the_news_does_what_the_naive_one_of_all_does(
        (old, new) in (rows(16), rows(24)),
        (old_cuts, new_cuts) in (cuts(), cuts()),
        again in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        partitions in prop::sample::select(vec![&[][..], &["region"][..], &["day"][..]]),
    ) {
        block_on(async {
            let disk = Disk::new();
            let (table, schema) = (disk.lake.table("silver/t"), schema(partitions));
            let mut naive = Vec::new();
            model::merge(&mut naive, &old, &Ways { lineage_counts: false, deletes: keep_all() });
            merge_into(&table, &schema, &split(&old, &old_cuts), &spec()).await;
            // of these some stand there; the order tells any two rows apart, and is not the one in which they come
            let again = again.iter().filter(|_| !naive.is_empty()).map(|row| row.get(&naive).clone());
            let new: Vec<Row> =
                again.chain(new).enumerate().map(|(i, row)| Row { batch: 1 + (i as i64 ^ 5), ..row }).collect();
            let expected = model::merge(&mut naive, &new, &Ways { lineage_counts: false, deletes: keep_all() });
            let (counts, _) = merge_news(&table, &schema, &split(&new, &new_cuts)).await;
            assert_eq!(counts, expected);
            assert_eq!(contents(&now(&table).await, &[]).await, texts(&frame(&naive), &[]));
        });
    }
}

fn row(id: i64, value: u8, batch: i64) -> Row {
    Row { key: (Some(id), None), time: None, batch, value: Some(value) }
}

fn lot(ids: std::ops::Range<i64>, batch: i64) -> Vec<Row> {
    ids.map(|id| row(id, 1, batch)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn only_news_and_rows_of_contested_keys_are_written() {
    let disk = Disk::new();
    let (table, schema) = (disk.lake.table("silver/t"), schema(&[]));
    merge_into(&table, &schema, &[lot(0..20, 0), lot(20..40, 0)], &spec()).await;
    let export = [lot(0..39, 1), vec![row(39, 2, 1), row(40, 2, 1)]];
    let (counts, written) = merge_news(&table, &schema, &export).await;
    assert_eq!(counts, MergeRows { unchanged: 39, updated: 1, inserted: 1, ..MergeRows::default() });
    assert_eq!(written, 2);

    // 7 comes as it is and then otherwise; 8 the other way round, so that it stays; 9 twice as it is
    let twice = [lot(0..10, 2), vec![row(7, 3, 3), row(8, 3, 2), row(8, 1, 3), row(9, 1, 3)]];
    let (counts, written) = merge_news(&table, &schema, &twice).await;
    assert_eq!(counts, MergeRows { unchanged: 9, updated: 1, superseded: 4, ..MergeRows::default() });
    assert_eq!(written, 5, "7 and 8 with all their rows");
    let (counts, written) = merge_news(&table, &schema, &[lot(0..7, 4), lot(8..39, 4)]).await;
    assert_eq!((counts.unchanged, written), (38, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_another_engine_wrote_twice_is_left_to_the_merge() {
    let disk = Disk::new();
    let (table, schema) = (disk.lake.table("silver/t"), schema(&[]));
    let adds = written(&table, &schema, &[lot(0..5, 0), lot(4..5, 0), lot(4..6, 0)]).await;
    table.create(&schema, Change { adds, ..Change::default() }).await.unwrap();
    let (counts, written) = merge_news(&table, &schema, &[lot(0..6, 1)]).await;
    assert_eq!(counts, MergeRows { unchanged: 5, updated: 1, deleted: 2, ..MergeRows::default() });
    assert_eq!(written, 1);
    assert_eq!(now(&table).await.rows(), Some(6));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_need_not_have_more_columns_than_its_key() {
    let disk = Disk::new();
    let key = || Column::new("k", Type::BigInt);
    let (table, schema) = (disk.lake.table("silver/t"), TableSchema::new(vec![key(), Column::new("at", Type::BigInt)]));
    let adds = table.write(df!("k" => [1i64, 2], "at" => [0i64, 0]).unwrap().lazy(), &schema).await.unwrap();
    table.create(&schema, Change { adds, ..Change::default() }).await.unwrap();
    let spec = MergeSpec {
        key: vec!["k".into()],
        order: Some(vec!["at".into()]),
        lineage: vec!["at".into()],
        lineage_counts: false,
        scope: Scope::None,
    };
    let standing = Standing::read(&now(&table).await, &schema, &spec, no_sample()).await.unwrap().unwrap();
    let news = |keys: &[i64]| standing.news(&df!("k" => keys, "at" => vec![1i64; keys.len()]).unwrap()).unwrap();
    assert_eq!(news(&[3, 2, 1]).column("k").unwrap().i64().unwrap().to_vec(), [Some(3)]);
    assert_eq!(news(&[]).height(), 0);
    assert_eq!(standing.counts(), MergeRows { unchanged: 2, ..MergeRows::default() });
}

#[tokio::test(flavor = "multi_thread")]
async fn doubles_that_differ_in_their_last_digits_are_left_to_the_merge() {
    let disk = Disk::new();
    let (table, schema) = (disk.lake.table("silver/t"), schema(&[]));
    merge_into(&table, &schema, &[lot(0..3, 0)], &spec()).await;
    let standing = Standing::read(&now(&table).await, &schema, &spec(), no_sample()).await.unwrap().unwrap();
    let near = frame(&lot(0..3, 1)).lazy().with_columns([col("ratio") * lit(1.0 + 1e-15)]).collect().unwrap();
    assert_eq!(standing.news(&near).unwrap().height(), 3);
    assert_eq!(standing.news(&frame(&lot(0..3, 1))).unwrap().height(), 0);
    assert!(standing.is_contested());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_of_which_the_log_tells_no_row_counts_is_not_read() {
    let (_disk, table) = foreign::with_hidden_rows().await;
    let spec = MergeSpec { key: vec!["a".into()], order: Some(vec!["a".into()]), lineage: vec![], ..spec() };
    assert!(Standing::read(&now(&table).await, &numbers(), &spec, no_sample()).await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_replace_though_they_are_the_same_are_not_told() {
    let disk = Disk::new();
    let (table, schema) = (disk.lake.table("silver/t"), schema(&[]));
    merge_into(&table, &schema, &[lot(0..9, 0)], &spec()).await;
    let read = async |table: &Table, spec: &MergeSpec| {
        Standing::read(&now(table).await, &schema, spec, no_sample()).await.unwrap().is_some()
    };
    assert!(read(&table, &spec()).await);
    assert!(!read(&table, &MergeSpec { lineage_counts: true, ..spec() }).await);
    // a row that is left out must not look like one that is gone, nor like a key that came once
    assert!(!read(&table, &MergeSpec { scope: Scope::All, ..spec() }).await);
    assert!(!read(&table, &MergeSpec { order: None, ..spec() }).await);
    let poor = disk.lake.clone().with_memory(Memory::of_bytes(16 * 2 * 9)).table("silver/t");
    assert!(!read(&poor, &spec()).await, "hashes of nine rows take more");
    let file = disk.path().join("silver/t").join(now(&table).await.files()[0].path());
    let bytes = std::fs::metadata(&file).unwrap().len();
    std::fs::write(file, vec![b'x'; usize::try_from(bytes).unwrap()]).unwrap();
    assert!(!read(&table, &spec()).await, "of damage the merge tells, if it needs the file at all");
}
