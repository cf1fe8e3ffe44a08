//! Merges into Delta tables: what is read, written, kept.

use proptest::prelude::*;

use super::model::{self, Row, Ways, cuts, frame, keep_all, rows, split, texts};
use crate::delta::merge::{MergeRows, MergeSpec, Merged, Scope, merge};
use crate::delta::tests::{Disk, collect, now};
use crate::delta::{Change, DataFile, Operation, Snapshot, Table, TableSchema};

pub(super) fn spec() -> MergeSpec {
    MergeSpec {
        key: vec!["id".into(), "region".into()],
        order: Some(vec!["day".into(), "_batch".into()]),
        lineage: vec!["_batch".into()],
        lineage_counts: false,
        scope: Scope::None,
    }
}

pub(super) fn schema(partition_by: &[&str]) -> TableSchema {
    let partition_by = partition_by.iter().map(|&name| name.to_owned()).collect();
    TableSchema { partition_by, ..TableSchema::new(model::columns()) }
}

/// One data file or more for each lot of rows.
pub(super) async fn written(table: &Table, schema: &TableSchema, lots: &[Vec<Row>]) -> Vec<DataFile> {
    let mut files = Vec::new();
    for rows in lots {
        files.extend(table.write(polars::prelude::IntoLazy::lazy(frame(rows)), schema).await.unwrap());
    }
    files
}

pub(super) async fn merge_into(table: &Table, schema: &TableSchema, lots: &[Vec<Row>], spec: &MergeSpec) -> Merged {
    let target = table.snapshot().await.unwrap();
    let source = written(table, schema, lots).await;
    let merged = merge(target.as_ref(), table, schema, source, spec).await.unwrap();
    let (adds, removes) = (merged.adds.clone(), merged.removes.clone());
    let change = Change { adds, removes, operation: Operation::Merge, ..Change::default() };
    match target {
        None => table.create(schema, change).await.unwrap(),
        Some(target) => table.commit(&target, change).await.unwrap(),
    };
    merged
}

pub(super) async fn contents(snapshot: &Snapshot, without: &[&str]) -> Vec<String> {
    texts(&collect(snapshot.scan().unwrap()).await, without)
}

fn paths(files: &[DataFile]) -> Vec<&str> {
    files.iter().map(DataFile::path).collect()
}

/// All Parquet files below the table.
fn on_disk(disk: &Disk) -> usize {
    let files = walkdir::WalkDir::new(disk.path().join("silver/t")).into_iter().map(Result::unwrap);
    files.filter(|file| file.path().extension().is_some_and(|e| e == "parquet")).count()
}

fn row(id: i64, region: &str, time: i32, value: u8) -> Row {
    Row { key: (Some(id), Some(region.into())), time: Some(time), batch: 0, value: Some(value) }
}

pub(super) fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(future)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    #[test]
    fn merges_one_after_the_other_do_what_the_naive_ones_do(
        batches in prop::collection::vec((rows(12), cuts()), 1..5),
        partitions in prop::sample::select(vec![&[][..], &["region"][..], &["day"][..]]),
    ) {
        block_on(async {
            let disk = Disk::new();
            let (table, schema) = (disk.lake.table("silver/t"), schema(partitions));
            let mut naive = Vec::new();
            for ((rows, cuts), batch) in batches.into_iter().zip(0..) {
                let rows: Vec<Row> = rows.into_iter().map(|row| Row { batch, ..row }).collect();
                let expected = model::merge(&mut naive, &rows, &Ways { lineage_counts: false, deletes: keep_all() });
                let merged = merge_into(&table, &schema, &split(&rows, &cuts), &spec()).await;
                assert_eq!(merged.rows, expected);
            }
            let snapshot = now(&table).await;
            assert_eq!(contents(&snapshot, &[]).await, texts(&frame(&naive), &[]));
            assert_eq!(snapshot.rows(), Some(naive.len() as u64));
        });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_of_rows_that_are_there_changes_nothing() {
    let disk = Disk::new();
    let (table, schema) = (disk.lake.table("silver/t"), schema(&[]));
    let rows = vec![row(1, "n", 0, 1), row(2, "n", 0, 2)];
    let first = merge_into(&table, &schema, std::slice::from_ref(&rows), &spec()).await;
    assert_eq!(first.rows, MergeRows { inserted: 2, ..MergeRows::default() });
    let again: Vec<Row> = rows.into_iter().map(|row| Row { batch: 1, ..row }).collect();
    let second = merge_into(&table, &schema, &[again], &spec()).await;
    assert_eq!(second.rows, MergeRows { unchanged: 2, ..MergeRows::default() });
    assert!(second.adds.is_empty() && second.removes.is_empty());
    assert_eq!(on_disk(&disk), 1, "the source's file is gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_files_with_a_replaced_row_are_written_anew() {
    let disk = Disk::new();
    let (table, schema) = (disk.lake.table("silver/t"), schema(&[]));
    let lots = [
        vec![row(1, "n", 0, 1), row(2, "n", 0, 2)],
        vec![row(3, "n", 0, 0), row(4, "n", 0, 0)],
        vec![row(9, "n", 0, 0)],
    ];
    merge_into(&table, &schema, &lots, &spec()).await;
    let before = now(&table).await;
    let old = paths(before.files());

    // of the first one row goes to its place, of the second one is superseded, the third goes in as it is
    let lots = [
        vec![row(3, "n", 1, 1), row(5, "n", 1, 1)],
        vec![row(2, "n", -1, 9), row(9, "n", 1, 1)],
        vec![row(7, "n", 1, 1)],
    ];
    let source = written(&table, &schema, &lots).await;
    let as_it_is = source[2].path().to_owned();
    let merged = merge(Some(&before), &table, &schema, source.clone(), &spec()).await.unwrap();

    assert_eq!(merged.rows, MergeRows { inserted: 2, updated: 2, superseded: 1, ..MergeRows::default() });
    let removed: Vec<Option<usize>> =
        merged.removes.iter().map(|file| old.iter().position(|path| *path == file.path())).collect();
    assert_eq!(removed.len(), 2);
    let of_rows = |ids: &[i64]| before.files().iter().position(|f| f.min_max_i64("id") == Some((ids[0], ids[1])));
    assert!(removed.contains(&of_rows(&[3, 4])) && removed.contains(&of_rows(&[9, 9])), "{removed:?}");
    assert!(merged.adds.iter().any(|file| file.path() == as_it_is));
    assert!(source[..2].iter().all(|source| merged.adds.iter().all(|file| file.path() != source.path())));
    assert_eq!(merged.adds.iter().filter_map(DataFile::rows).sum::<u64>(), 5, "3, 5, 7, 9 and what is left: 4");
    assert!(merged.adds.iter().any(|file| file.min_max_i64("id") == Some((3, 4))), "3 has stayed with 4");
}

#[tokio::test(flavor = "multi_thread")]
async fn updated_rows_keep_their_place_unless_most_of_a_file_changes() {
    let disk = Disk::new();
    let (table, schema) = (disk.lake.table("silver/t"), schema(&["region"]));
    let old: Vec<Row> = (0..6).map(|id| row(id, "n", 0, 1)).collect();
    merge_into(&table, &schema, &[old], &spec()).await;
    let ids = async || {
        let rows = collect(now(&table).await.scan().unwrap()).await;
        rows.column("id").unwrap().i64().unwrap().to_vec()
    };

    let few = [row(1, "n", 1, 7), row(4, "n", 1, 7)];
    let merged = merge_into(&table, &schema, &[few.to_vec()], &spec()).await;
    assert_eq!((merged.adds.len(), merged.removes.len()), (1, 1));
    assert_eq!(ids().await, (0..6).map(Some).collect::<Vec<_>>());
    let folder = merged.adds[0].path().rsplit_once('/').unwrap().0;
    assert_eq!(merged.removes[0].path().rsplit_once('/').unwrap().0, folder);

    // where rows are not compared, any column may differ
    let blind = MergeSpec { lineage_counts: true, ..spec() };
    let merged = merge_into(&table, &schema, &[vec![row(2, "n", 2, 8)]], &blind).await;
    assert_eq!((merged.adds.len(), merged.removes.len()), (1, 1));
    assert_eq!(ids().await, (0..6).map(Some).collect::<Vec<_>>());
    let expected: Vec<Row> = [(0, 0, 1), (1, 1, 7), (2, 2, 8), (3, 0, 1), (4, 1, 7), (5, 0, 1)]
        .map(|(id, time, value)| row(id, "n", time, value))
        .into();
    assert_eq!(contents(&now(&table).await, &[]).await, texts(&frame(&expected), &[]));

    // one of the rows changes its partition, so it cannot stay
    let key = MergeSpec { key: vec!["id".into()], ..spec() };
    let moving = [row(1, "s", 2, 7), row(4, "n", 2, 8)];
    let merged = merge_into(&table, &schema, &[moving.to_vec()], &key).await;
    assert_eq!(merged.rows, MergeRows { updated: 2, ..MergeRows::default() });
    assert_eq!(merged.adds.iter().filter_map(DataFile::rows).sum::<u64>(), 6);

    let most: Vec<Row> = [0, 2, 3, 4].map(|id| row(id, "n", 3, 9)).into();
    let merged = merge_into(&table, &schema, &[most], &spec()).await;
    assert_eq!(merged.rows, MergeRows { updated: 4, ..MergeRows::default() });
    assert!(merged.adds.iter().any(|file| file.rows() == Some(4)), "the source's file goes in as it is");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_fails_leaves_target_and_source_as_they_are() {
    let disk = Disk::new();
    let (table, schema) = (disk.lake.table("silver/t"), schema(&["region"]));
    merge_into(&table, &schema, &[vec![row(1, "n", 0, 1), row(2, "n", 0, 1)]], &spec()).await;
    let target = now(&table).await;
    let source = written(&table, &schema, &[vec![row(1, "n", 1, 2)]]).await;
    let files = on_disk(&disk);
    // the row that stays cannot be read
    let file = disk.path().join("silver/t").join(target.files()[0].path());
    let bytes = std::fs::metadata(&file).unwrap().len();
    std::fs::write(file, vec![b'x'; usize::try_from(bytes).unwrap()]).unwrap();
    let error = merge(Some(&target), &table, &schema, source, &spec()).await.unwrap_err();
    assert!(matches!(error, crate::delta::Error::Query(_)), "{error}");
    assert_eq!((on_disk(&disk), now(&table).await.version()), (files, 0));
}

/// More files than one query opens, of either side.
#[tokio::test(flavor = "multi_thread")]
async fn many_small_files_are_merged_as_few_large_ones_are() {
    let disk = Disk::new();
    let (table, schema) = (disk.lake.table("silver/t"), schema(&[]));
    let lots = |value, ids: std::ops::Range<i64>| ids.map(|id| vec![row(id, "n", 0, value)]).collect::<Vec<_>>();
    merge_into(&table, &schema, &lots(1, 0..70), &spec()).await;
    let newer =
        |lots: Vec<Vec<Row>>| lots.into_iter().map(|lot| lot.into_iter().map(|row| Row { batch: 1, ..row }).collect());
    let news: Vec<Vec<Row>> = newer([lots(1, 0..3), lots(2, 3..71)].concat()).collect();
    let merged = merge_into(&table, &schema, &news, &spec()).await;
    assert_eq!(merged.rows, MergeRows { unchanged: 3, updated: 67, inserted: 1, ..MergeRows::default() });
    let one: Vec<Row> = newer(vec![lots(3, 0..80).concat()]).flatten().collect();
    let merged = merge_into(&table, &schema, &[one], &spec()).await;
    assert_eq!(merged.rows, MergeRows { updated: 3, superseded: 68, inserted: 9, ..MergeRows::default() });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_can_move_to_another_partition() {
    let disk = Disk::new();
    let (table, schema) = (disk.lake.table("silver/t"), schema(&["region"]));
    let spec = MergeSpec { key: vec!["id".into()], ..spec() };
    merge_into(&table, &schema, &[vec![row(1, "n", 0, 1), row(2, "n", 0, 2), row(3, "s", 0, 2)]], &spec).await;
    let merged = merge_into(&table, &schema, &[vec![row(1, "s", 1, 1)]], &spec).await;
    assert_eq!(merged.rows, MergeRows { updated: 1, ..MergeRows::default() });
    let expected = texts(&frame(&[row(1, "s", 1, 1), row(2, "n", 0, 2), row(3, "s", 0, 2)]), &[]);
    assert_eq!(contents(&now(&table).await, &[]).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_key_the_table_becomes_the_source() {
    let disk = Disk::new();
    let (table, schema) = (disk.lake.table("silver/t"), schema(&[]));
    let spec = MergeSpec { key: vec![], order: None, scope: Scope::All, ..spec() };
    merge_into(&table, &schema, &[vec![row(1, "n", 0, 1), row(1, "n", 0, 1)], vec![row(2, "n", 0, 2)]], &spec).await;
    let same =
        merge_into(&table, &schema, &[vec![row(2, "n", 0, 2), row(1, "n", 0, 1), row(1, "n", 0, 1)]], &spec).await;
    assert_eq!(same.rows, MergeRows { unchanged: 3, ..MergeRows::default() });
    assert!(same.adds.is_empty() && same.removes.is_empty());
    let fewer =
        merge_into(&table, &schema, &[vec![row(2, "n", 0, 2), row(1, "n", 0, 1), row(7, "n", 0, 1)]], &spec).await;
    assert_eq!(fewer.rows, MergeRows { unchanged: 2, inserted: 1, deleted: 1, ..MergeRows::default() });
    let expected = texts(&frame(&[row(1, "n", 0, 1), row(2, "n", 0, 2), row(7, "n", 0, 1)]), &[]);
    assert_eq!(contents(&now(&table).await, &[]).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_source_deletes_what_the_scope_names() {
    let disk = Disk::new();
    let (table, schema) = (disk.lake.table("silver/t"), schema(&["region"]));
    merge_into(&table, &schema, &[vec![row(1, "n", 0, 1), row(2, "n", 0, 1)], vec![row(3, "s", 0, 1)]], &spec()).await;
    let touched = polars::df!("id" => [2i64, 8]).unwrap();
    let some = merge_into(&table, &schema, &[], &MergeSpec { scope: Scope::Keys(touched), ..spec() }).await;
    assert_eq!((some.rows.deleted, some.removes.len()), (1, 1));
    let all = merge_into(&table, &schema, &[], &MergeSpec { scope: Scope::All, ..spec() }).await;
    assert_eq!((all.rows.deleted, all.removes.len(), all.adds.len()), (2, 2, 0));
    assert_eq!(now(&table).await.rows(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_without_a_column_of_the_table_is_refused() {
    let disk = Disk::new();
    let (table, schema) = (disk.lake.table("silver/t"), schema(&[]));
    merge_into(&table, &schema, &[vec![row(1, "n", 0, 1)]], &spec()).await;
    let mut narrower = schema.clone();
    narrower.columns.retain(|column| column.name != "note");
    let target = now(&table).await;
    let error = merge(Some(&target), &table, &narrower, vec![], &spec()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "silver/t: the column `note` would be dropped while rows stay; rebuild the table to drop it"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_from_before_a_column_was_added_have_null_in_it() {
    let disk = Disk::new();
    let table = disk.lake.table("silver/t");
    let mut narrower = schema(&[]);
    narrower.columns.retain(|column| column.name != "note");
    let lot = vec![row(1, "n", 0, 1), row(2, "n", 0, 1)];
    let file =
        table.write(polars::prelude::IntoLazy::lazy(frame(&lot).drop("note").unwrap()), &narrower).await.unwrap();
    table.create(&narrower, Change { adds: file, ..Change::default() }).await.unwrap();
    let target = now(&table).await;
    let wider = schema(&[]);
    let source = written(&table, &wider, &[vec![row(2, "n", 1, 1)]]).await;
    let merged = merge(Some(&target), &table, &wider, source, &spec()).await.unwrap();
    let Merged { adds, removes, .. } = merged;
    let change = Change { adds, removes, schema: Some(wider), ..Change::default() };
    table.commit(&target, change).await.unwrap();
    let after = collect(now(&table).await.scan().unwrap()).await.sort(["id"], Default::default()).unwrap();
    let notes: Vec<Option<&str>> = after.column("note").unwrap().str().unwrap().iter().collect();
    assert_eq!(notes, [None, Some("ü")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_a_deletion_vector_hides_stay_hidden() {
    use crate::delta::tests::{foreign, numbers, rows, values};
    let (_disk, table) = foreign::with_hidden_rows().await;
    let target = now(&table).await;
    let source = table.write(rows(&[4, 5, 99]), &numbers()).await.unwrap();
    let spec = MergeSpec {
        key: vec!["a".into()],
        order: None,
        lineage: vec![],
        lineage_counts: false,
        scope: Scope::Keys(polars::df!("a" => [7i64, 8]).unwrap()),
    };
    let merged = merge(Some(&target), &table, &numbers(), source, &spec).await.unwrap();
    // 4 and 7 are hidden: one comes anew, the other cannot be deleted
    assert_eq!(merged.rows, MergeRows { inserted: 2, unchanged: 1, deleted: 1, ..MergeRows::default() });
    let Merged { adds, removes, .. } = merged;
    table.commit(&target, Change { adds, removes, ..Change::default() }).await.unwrap();
    let mut expected: Vec<i64> = (0..40).filter(|a| ![3, 7, 8, 11, 18, 29].contains(a)).collect();
    expected.push(99);
    assert_eq!(values(&now(&table).await).await, expected);
}
