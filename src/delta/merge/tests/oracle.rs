//! The MERGE of delta-rs must give the same rows.

use std::sync::Arc;

use deltalake::DeltaTable;
use deltalake::datafusion::prelude::{DataFrame, SessionContext, col};
use proptest::prelude::*;

use super::model::{self, Row, Ways, cuts, keep_all, rows, split};
use super::tables::{block_on, contents, merge_into, schema, spec, written};
use crate::delta::merge::MergeSpec;
use crate::delta::tests::{Disk, now};
use crate::delta::{Change, Table, TableSchema};

async fn create(table: &Table, schema: &TableSchema, lots: &[Vec<Row>]) {
    let adds = written(table, schema, lots).await;
    table.create(schema, Change { adds, ..Change::default() }).await.unwrap();
}

async fn open(disk: &Disk, folder: &str) -> DeltaTable {
    let url = url::Url::from_directory_path(disk.path().join(folder)).unwrap();
    deltalake::open_table(url).await.unwrap()
}

async fn rows_of(table: &DeltaTable) -> DataFrame {
    SessionContext::new().read_table(Arc::clone(&table.table_provider().await.unwrap())).unwrap()
}

/// Updates all rows with a key of the source and inserts the others.
async fn their_merge(target: DeltaTable, source: DataFrame) {
    let keys = "(t.id IS NOT DISTINCT FROM s.id) AND (t.region IS NOT DISTINCT FROM s.region)";
    let columns: Vec<String> = model::columns().into_iter().map(|column| column.name).collect();
    let theirs = |name: &String| col(format!("s.{name}"));
    target
        .merge(source, keys)
        .with_source_alias("s")
        .with_target_alias("t")
        .when_matched_update(|update| {
            columns.iter().fold(update, |update, name| update.update(name.as_str(), theirs(name)))
        })
        .unwrap()
        .when_not_matched_insert(|insert| {
            columns.iter().fold(insert, |insert, name| insert.set(name.as_str(), theirs(name)))
        })
        .unwrap()
        .await
        .unwrap();
}

/// The greatest row of each key.
fn distinct(rows: &[Row]) -> Vec<Row> {
    let mut distinct = Vec::new();
    model::merge(&mut distinct, rows, &Ways { lineage_counts: true, deletes: keep_all() });
    distinct
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    #[test]
    fn our_merge_and_that_of_delta_rs_give_the_same_rows(
        (old, old_cuts) in (rows(15), cuts()),
        (new, new_cuts) in (rows(15), cuts()),
        partitions in prop::sample::select(vec![&[][..], &["region"][..], &["day"][..]]),
    ) {
        block_on(async {
            let disk = Disk::new();
            let schema = schema(partitions);
            let (ours, theirs, source) =
                (disk.lake.table("silver/ours"), disk.lake.table("silver/theirs"), disk.lake.table("silver/source"));
            let old = split(&distinct(&old), &old_cuts);
            create(&ours, &schema, &old).await;
            create(&theirs, &schema, &old).await;
            create(&source, &schema, &[distinct(&new)]).await;

            let source = rows_of(&open(&disk, "silver/source").await).await;
            their_merge(open(&disk, "silver/theirs").await, source).await;
            let spec = MergeSpec { order: None, ..spec() };
            merge_into(&ours, &schema, &split(&distinct(&new), &new_cuts), &spec).await;

            let without = ["_batch"];
            assert_eq!(contents(&now(&ours).await, &without).await, contents(&now(&theirs).await, &without).await);
        });
    }
}
