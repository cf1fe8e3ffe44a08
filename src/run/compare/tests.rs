use std::collections::BTreeMap;

use polars::prelude::*;
use proptest::prelude::*;

use super::*;
use crate::delta::{Change as Commit, DataFile, Lake, Operation, Snapshot, Table, TableSchema};
use crate::expr::{Column as Named, Type};
use crate::report::value::Cell;
use crate::report::{Change, ColumnDiff};

mod files;
mod model;

/// A lake that goes away with the test.
struct Disk {
    folder: tempfile::TempDir,
    lake: Lake,
}

impl Disk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let lake = Lake::open(folder.path().to_str().unwrap(), &BTreeMap::new()).unwrap();
        Disk { folder, lake }
    }

    fn table(&self) -> Table {
        self.lake.table("silver/t")
    }
}

fn schema(columns: &[(&str, Type)]) -> TableSchema {
    TableSchema::new(columns.iter().map(|(name, ty)| Named::new(*name, ty.clone())).collect())
}

/// Commits a version in which `removes` give way to a file of these rows, which may widen the table.
async fn commit(table: &Table, frame: DataFrame, schema: &TableSchema, removes: Vec<DataFile>) -> Snapshot {
    let adds = table.write(frame.lazy(), schema).await.unwrap();
    let change = Commit { adds, removes, operation: Operation::Merge, ..Commit::default() };
    match table.snapshot().await.unwrap() {
        None => table.create(schema, change).await.unwrap(),
        Some(base) => table.commit(&base, Commit { schema: Some(schema.clone()), ..change }).await.unwrap(),
    };
    table.snapshot().await.unwrap().unwrap()
}

/// All rows of the table replaced.
async fn overwrite(table: &Table, frame: DataFrame, schema: &TableSchema) -> Snapshot {
    let removes = table.snapshot().await.unwrap().map(|base| base.files().to_vec()).unwrap_or_default();
    commit(table, frame, schema, removes).await
}

fn by(key: &[&str]) -> Comparison {
    let key = key.iter().map(ToString::to_string).collect();
    Comparison { table: "silver.t".into(), key, left_out: Vec::new(), sample: 20, totals: false }
}

async fn between(p: &Snapshot, q: &Snapshot, how: &Comparison) -> TableDiff {
    compare(&p.into(), &q.into(), how).await.unwrap()
}

/// added, removed, changed
fn counts(diff: &TableDiff) -> (u64, u64, u64) {
    (diff.rows.added, diff.rows.removed, diff.rows.changed)
}

fn changed<'a>(diff: &'a TableDiff, column: &str) -> &'a ColumnDiff {
    diff.columns.iter().find(|found| found.name == column).unwrap()
}

fn keys(diff: &TableDiff, change: Change) -> Vec<String> {
    let rows = diff.sample.iter().filter(|row| row.change == change);
    rows.map(|row| row.before.as_ref().or(row.after.as_ref()).unwrap().get("k").unwrap().to_string()).collect()
}

fn pairs() -> TableSchema {
    schema(&[("k", Type::BigInt), ("v", Type::Double)])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5))]

    #[test]
    fn it_is_what_a_naive_comparison_finds(
        first in model::events(12),
        steps in prop::collection::vec((any::<bool>(), model::events(12)), 1..3),
        other in model::events(12),
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (disk, elsewhere) = (Disk::new(), Disk::new());
            let table = disk.table();
            let mut rows = first;
            let mut versions = vec![(commit(&table, model::frame(&rows), &model::schema(), vec![]).await, rows.clone())];
            for (append, more) in steps {
                let made = if append {
                    rows.extend(more.clone());
                    commit(&table, model::frame(&more), &model::schema(), vec![]).await
                } else {
                    rows = more;
                    overwrite(&table, model::frame(&rows), &model::schema()).await
                };
                versions.push((made, rows.clone()));
            }
            let foreign = commit(&elsewhere.table(), model::frame(&other), &model::schema(), vec![]).await;
            versions.push((foreign, other));
            for (p, old) in &versions {
                let (q, new) = &versions[versions.len() / 2];
                for key in [&[][..], &["k"], &["k", "s"]] {
                    let diff = between(p, q, &by(key)).await;
                    model::check(&diff, old, new, key);
                }
            }
        });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_a_key_are_compared_column_by_column() {
    let disk = Disk::new();
    let table = disk.table();
    let schema = schema(&[("k", Type::BigInt), ("v", Type::Double), ("s", Type::String)]);
    let frame =
        df!("k" => [Some(1i64), Some(2), Some(3), None], "v" => [1.0, f64::NAN, 0.0, 4.0], "s" => ["a", "b", "c", "d"]);
    let before = overwrite(&table, frame.unwrap(), &schema).await;
    let frame = df!("k" => [None, Some(3i64), Some(2), Some(5)], "v" => [4.5, -0.0, f64::NAN, 5.0], "s" => ["D", "c", "B", "e"]);
    let after = overwrite(&table, frame.unwrap(), &schema).await;
    let diff = between(&before, &after, &by(&["k"])).await;
    assert_eq!((diff.rows.before, diff.rows.after), (4, 4));
    assert_eq!(counts(&diff), (1, 1, 2));
    assert_eq!((changed(&diff, "k").changed, changed(&diff, "v").changed, changed(&diff, "s").changed), (0, 1, 2));
    assert_eq!(keys(&diff, Change::Changed), ["2", "NULL"], "the least first, NULL last");
    assert_eq!((keys(&diff, Change::Added), keys(&diff, Change::Removed)), (vec!["5".into()], vec!["1".into()]));
    let null = diff.sample.iter().find(|row| row.columns == ["v", "s"]).unwrap();
    let values = |row: &Option<crate::report::value::Row>| row.as_ref().unwrap().get("v").unwrap().to_string();
    assert_eq!((values(&null.before), values(&null.after)), ("4.0".into(), "4.5".into()));
    assert!(diff.differs());
}

#[tokio::test(flavor = "multi_thread")]
async fn doubles_within_the_tolerance_are_the_same_nested_ones_too() {
    let disk = Disk::new();
    let table = disk.table();
    let point = Type::Struct(vec![Named::new("x", Type::Double), Named::new("n", Type::BigInt)]);
    let schema = schema(&[("k", Type::BigInt), ("v", Type::Double), ("p", point)]);
    let frame = |nudge: f64, n: i64| {
        let fields = [Series::new("x".into(), [2.0 + nudge, 3.0]), Series::new("n".into(), [1i64, n])];
        let point = StructChunked::from_series("p".into(), 2, fields.iter()).unwrap().into_column();
        DataFrame::new(2, vec![Column::new("k".into(), [1i64, 2]), Column::new("v".into(), [1.0 + nudge, 7.0]), point])
    };
    let before = overwrite(&table, frame(0.0, 1).unwrap(), &schema).await;
    let same = overwrite(&table, frame(1e-12, 1).unwrap(), &schema).await;
    let diff = between(&before, &same, &by(&["k"])).await;
    assert_eq!((counts(&diff), diff.differs(), diff.sample.len()), ((0, 0, 0), false, 0));
    let other = overwrite(&table, frame(1e-12, 2).unwrap(), &schema).await;
    let diff = between(&before, &other, &by(&["k"])).await;
    assert_eq!((counts(&diff), changed(&diff, "p").changed, changed(&diff, "v").changed), ((0, 0, 1), 1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn sums_are_exact() {
    let disk = Disk::new();
    let table = disk.table();
    let decimal = Type::Decimal { precision: 38, scale: 2 };
    let schema = schema(&[("k", Type::BigInt), ("i", Type::BigInt), ("d", decimal.clone()), ("x", Type::Double)]);
    let frame = |i: i64, d: &str, x: f64| {
        let d = Column::new("d".into(), [d, "0.01"]).cast(&decimal.to_polars()).unwrap();
        let columns =
            [Column::new("k".into(), [1i64, 2]), Column::new("i".into(), [i, i]), d, Column::new("x".into(), [x, 0.1])];
        DataFrame::new(2, columns.to_vec()).unwrap()
    };
    let before = overwrite(&table, frame(i64::MAX, "99999999999999999999.99", 0.2), &schema).await;
    let after = overwrite(&table, frame(i64::MIN, "0.00", 0.2), &schema).await;
    let diff = between(&before, &after, &Comparison { totals: true, ..by(&["k"]) }).await;
    let shown = |name: &str| {
        let total = diff.totals.iter().find(|total| total.name == name).unwrap();
        [&total.before, &total.after, &total.difference].map(|cell| cell.as_ref().unwrap().to_string())
    };
    assert_eq!(shown("i"), ["18446744073709551614", "-18446744073709551616", "-36893488147419103230"]);
    assert_eq!(shown("d"), ["100000000000000000000.00", "0.01", "-99999999999999999999.99"]);
    assert_eq!(shown("x"), ["0.30000000000000004", "0.30000000000000004", "0.0"]);
    assert_eq!(diff.totals.iter().map(|total| total.same).collect::<Vec<_>>(), [false, false, true]);
}

/// A mended rule gives a decimal of more digits as a rule.
#[tokio::test(flavor = "multi_thread")]
async fn decimals_of_other_digits_are_compared_by_their_values() {
    let disk = Disk::new();
    let table = disk.table();
    let decimal = |precision, scale| Type::Decimal { precision, scale };
    let of = |columns: &[(&str, Type, [i64; 2])]| {
        let of = schema(&columns.iter().map(|(name, ty, _)| (*name, ty.clone())).collect::<Vec<_>>());
        let cents = |name: &str, values: [i64; 2]| Column::new(name.into(), values);
        let frame = DataFrame::new(2, columns.iter().map(|(name, _, values)| cents(name, *values)).collect()).unwrap();
        let casts = columns.iter().map(|(name, ty, _)| match ty {
            Type::Decimal { scale, .. } => (col(*name).cast(DataType::Decimal(38, usize::from(*scale)))
                / lit(10i64.pow(u32::from(*scale))))
            .cast(ty.to_polars()),
            ty => col(*name).cast(ty.to_polars()),
        });
        let frame = frame.lazy().select(casts.collect::<Vec<_>>()).collect().unwrap();
        (frame, of)
    };
    let (rows, old) = of(&[
        ("k", Type::Int, [1, 2]),
        ("d", decimal(21, 2), [110, 220]),
        ("n", Type::Int, [3, 4]),
        ("w", decimal(38, 0), [1, 2]),
    ]);
    let before = overwrite(&table, rows, &old).await;
    let (rows, new) = of(&[
        ("k", decimal(10, 0), [1, 2]),
        ("d", decimal(32, 3), [1100, 9999]),
        ("n", decimal(12, 1), [30, 41]),
        ("w", decimal(38, 1), [10, 20]),
    ]);
    let after = overwrite(&table, rows, &new).await;
    for (p, q, difference) in [(&before, &after, "7.799"), (&after, &before, "-7.799")] {
        let diff = between(p, q, &by(&["k"])).await;
        assert_eq!((counts(&diff), &diff.note), ((0, 0, 1), &None));
        let found = ["d", "n", "w"].map(|name| (changed(&diff, name).changed, changed(&diff, name).compared));
        assert_eq!(found, [(1, true), (1, true), (0, false)]);
        let total = diff.totals.iter().find(|total| total.name == "d").unwrap();
        assert_eq!(total.difference.as_ref().unwrap().to_string(), difference);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_come_go_widen_and_become_something_else() {
    let disk = Disk::new();
    let table = disk.table();
    let old = schema(&[("k", Type::Int), ("gone", Type::String), ("odd", Type::String)]);
    let before =
        overwrite(&table, df!("k" => [1i32, 2], "gone" => [Some("x"), None], "odd" => ["1", "2"]).unwrap(), &old).await;
    let new = schema(&[("k", Type::BigInt), ("odd", Type::BigInt), ("new", Type::Double)]);
    let after =
        overwrite(&table, df!("k" => [1i64, 2], "odd" => [1i64, 7], "new" => [None, Some(1.0)]).unwrap(), &new).await;
    for (p, q) in [(&before, &after), (&after, &before)] {
        let diff = between(p, q, &by(&["k"])).await;
        assert_eq!(counts(&diff), (0, 0, 2));
        let found =
            ["k", "odd", "new", "gone"].map(|name| (changed(&diff, name).changed, changed(&diff, name).compared));
        assert_eq!(found, [(0, true), (0, false), (1, true), (1, true)]);
    }
    let diff = between(&before, &after, &by(&["k"])).await;
    assert_eq!((changed(&diff, "k").was.as_deref(), changed(&diff, "k").is.as_deref()), (Some("int"), Some("bigint")));
    assert_eq!((changed(&diff, "gone").is.as_deref(), changed(&diff, "new").was.as_deref()), (None, None));
    assert!(diff.sample[0].before.as_ref().unwrap().get("new").is_none());

    let diff = between(&before, &after, &by(&["new"])).await;
    assert_eq!((diff.key.len(), counts(&diff)), (0, (2, 2, 0)));
    assert!(
        diff.note.as_deref().unwrap().starts_with("`new` of the key is not on the earlier side"),
        "{:?}",
        diff.note
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_out_does_not_count() {
    let disk = Disk::new();
    let table = disk.table();
    let before = overwrite(&table, df!("k" => [1i64, 2], "v" => [1.0, 2.0]).unwrap(), &pairs()).await;
    let after = overwrite(&table, df!("k" => [1i64, 2], "v" => [3.0, 4.0]).unwrap(), &pairs()).await;
    let how = Comparison { left_out: vec!["v".into(), "w".into()], ..by(&["k"]) };
    let diff = between(&before, &after, &how).await;
    assert_eq!(
        (counts(&diff), diff.differs(), diff.totals.len(), diff.left_out),
        ((0, 0, 0), false, 0, vec!["v".to_string()])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sample_holds_the_least_rows_of_each_kind() {
    let disk = Disk::new();
    let table = disk.table();
    let frame = |keys: Vec<i64>, v: f64| df!("v" => vec![v; keys.len()], "k" => keys).unwrap();
    commit(&table, frame((0..100).rev().collect(), 1.0), &pairs(), vec![]).await;
    let before = commit(&table, frame((100..200).collect(), 1.0), &pairs(), vec![]).await;
    let after = overwrite(&table, frame((50..250).rev().collect(), 2.0), &pairs()).await;
    let diff = between(&before, &after, &Comparison { sample: 2, ..by(&["k"]) }).await;
    assert_eq!(counts(&diff), (50, 50, 150));
    let found = [Change::Changed, Change::Added, Change::Removed].map(|change| keys(&diff, change));
    assert_eq!(found, [["50", "51"], ["200", "201"], ["0", "1"]]);
    let diff = between(&before, &after, &Comparison { sample: 2, ..by(&[]) }).await;
    assert_eq!((counts(&diff), keys(&diff, Change::Added)), ((200, 200, 0), vec!["50".into(), "51".into()]));
    let none = between(&before, &after, &Comparison { sample: 0, ..by(&["k"]) }).await;
    assert_eq!(
        (none.sample.len(), none.rows),
        (0, DiffRows { added: 50, removed: 50, changed: 150, before: 200, after: 200 })
    );
}

/// Rows 1 to 4 on one side, 3 to 6 on the other, under a key of each type; one of the rows that both have differs.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_may_be_of_any_plain_type() {
    let decimal = Type::Decimal { precision: 20, scale: 2 };
    let text = |numbers: &[i64]| Column::new("k".into(), numbers.iter().map(|n| format!("k{n}")).collect::<Vec<_>>());
    let cast = |ty: &Type, numbers: &[i64]| Column::new("k".into(), numbers).cast(&ty.to_polars()).unwrap();
    let tables =
        [Type::TinyInt, Type::Float, Type::Double, decimal, Type::String, Type::Binary, Type::Date, Type::Timestamp];
    let disk = Disk::new();
    for (i, ty) in tables.into_iter().enumerate() {
        let table = disk.lake.table(&format!("silver/t{i}"));
        let schema = schema(&[("k", ty.clone()), ("v", Type::BigInt)]);
        let frame = |numbers: &[i64], values: &[i64]| {
            let key = match ty {
                Type::String | Type::Binary => text(numbers).cast(&ty.to_polars()).unwrap(),
                _ => cast(&ty, numbers),
            };
            DataFrame::new(numbers.len(), vec![key, Column::new("v".into(), values)]).unwrap()
        };
        let before = overwrite(&table, frame(&[1, 2, 3, 4], &[1, 2, 3, 4]), &schema).await;
        let after = overwrite(&table, frame(&[6, 5, 4, 3], &[6, 5, 4, 33]), &schema).await;
        let diff = between(&before, &after, &by(&["k"])).await;
        assert_eq!((counts(&diff), changed(&diff, "v").changed), ((2, 2, 1), 1), "{ty}");
        assert_eq!(diff.sample.len(), 5, "{ty}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nan_is_a_key_like_any_other() {
    let disk = Disk::new();
    let table = disk.table();
    let schema = schema(&[("k", Type::Double), ("v", Type::BigInt)]);
    let before = overwrite(&table, df!("k" => [f64::NAN, -0.0], "v" => [1i64, 2]).unwrap(), &schema).await;
    let after = overwrite(&table, df!("k" => [0.0, f64::NAN], "v" => [3i64, 4]).unwrap(), &schema).await;
    assert_eq!(counts(&between(&before, &after, &by(&["k"])).await), (0, 0, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_but_partitions_can_be_compared_rows_still_count() {
    let disk = Disk::new();
    let table = disk.table();
    let of = |ty| TableSchema { partition_by: vec!["p".into()], ..schema(&[("p", Type::String), ("v", ty)]) };
    let frame = df!("p" => ["a", "a", "b"], "v" => ["x", "y", "z"]).unwrap();
    let before = overwrite(&table, frame, &of(Type::String)).await;
    let after = overwrite(&table, df!("p" => ["a", "b"], "v" => [1i64, 2]).unwrap(), &of(Type::BigInt)).await;
    assert_eq!(counts(&between(&before, &after, &by(&[])).await), (0, 1, 0));
    let unpartitioned =
        overwrite(&disk.lake.table("silver/u"), df!("p" => ["a"]).unwrap(), &schema(&[("p", Type::String)])).await;
    let diff = between(&before, &unpartitioned, &by(&["p"])).await;
    assert_eq!((counts(&diff), changed(&diff, "v").changed), ((0, 2, 1), 1));
}
