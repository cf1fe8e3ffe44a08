//! Rows as plain structs, and a naive merge over them.

use std::cmp::Ordering;

use polars::prelude::*;
use proptest::prelude::{Just, Strategy, any, prop};

use crate::delta::merge::MergeRows;
use crate::expr;

/// What a test row holds: key (two columns), the order (time, then batch, which is lineage), values.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    pub key: (Option<i64>, Option<String>),
    pub time: Option<i32>,
    pub batch: i64,
    pub value: Option<u8>,
}

pub(super) fn columns() -> Vec<expr::Column> {
    let item = expr::Type::Struct(vec![
        expr::Column::new("price", expr::Type::Double),
        expr::Column::new("note", expr::Type::String),
    ]);
    let columns = [
        ("_batch", expr::Type::BigInt),
        ("id", expr::Type::BigInt),
        ("region", expr::Type::String),
        ("day", expr::Type::Date),
        ("amount", expr::Type::Decimal { precision: 20, scale: 2 }),
        ("ratio", expr::Type::Double),
        ("note", expr::Type::String),
        ("items", expr::Type::Array(Box::new(item))),
    ];
    columns.into_iter().map(|(name, ty)| expr::Column::new(name, ty)).collect()
}

/// The rows as a frame of [`columns`].
pub(super) fn frame(rows: &[Row]) -> DataFrame {
    let ratios = [f64::NAN, 0.1 + 0.2, f64::INFINITY, -0.0, 1e300];
    let value = |f: &dyn Fn(u8) -> f64| rows.iter().map(|row| row.value.map(f)).collect::<Vec<_>>();
    let flat = df!(
        "_batch" => rows.iter().map(|row| row.batch).collect::<Vec<_>>(),
        "id" => rows.iter().map(|row| row.key.0).collect::<Vec<_>>(),
        "region" => rows.iter().map(|row| row.key.1.clone()).collect::<Vec<_>>(),
        "day" => rows.iter().map(|row| row.time).collect::<Vec<_>>(),
        "amount" => rows.iter().map(|row| row.value.map(i64::from)).collect::<Vec<_>>(),
        "ratio" => value(&|v| ratios[usize::from(v) % ratios.len()]),
        "note" => rows.iter().map(|row| row.value.map(|v| "ü".repeat(v.into()))).collect::<Vec<_>>(),
    );
    let item = as_struct(vec![col("ratio").alias("price"), col("note")]);
    let items = if rows.is_empty() { lit(NULL) } else { concat_list([item]).unwrap() };
    let cast = |name: &str, ty: DataType| col(name).strict_cast(ty);
    let types = columns().into_iter().map(|column| cast(&column.name, column.ty.to_polars()));
    flat.unwrap().lazy().with_columns([items.alias("items")]).select(types.collect::<Vec<_>>()).collect().unwrap()
}

/// A row's text without the columns left out; two equal texts are two equal rows.
pub(super) fn texts(frame: &DataFrame, without: &[&str]) -> Vec<String> {
    let frame = frame.drop_many(without.iter().copied());
    let text = |i| format!("{:?}", frame.get(i).unwrap().into_iter().map(AnyValue::into_static).collect::<Vec<_>>());
    let mut texts: Vec<String> = (0..frame.height()).map(text).collect();
    texts.sort();
    texts
}

/// Rows that meet often: few keys, few times, few values.
pub(super) fn rows(at_most: usize) -> impl Strategy<Value = Vec<Row>> {
    let key = (
        prop::option::weighted(0.9, 0..6i64),
        prop::option::of(prop::sample::select(vec!["n".to_string(), "s".into()])),
    );
    let row = (key, prop::option::of(0..4), Just(0), prop::option::of(0..3u8))
        .prop_map(|(key, time, batch, value)| Row { key, time, batch, value });
    prop::collection::vec(row, 0..at_most)
}

/// Any batch, not only rising ones.
pub(super) fn rows_of_any_batch(at_most: usize) -> impl Strategy<Value = Vec<Row>> {
    rows(at_most).prop_flat_map(|rows| {
        let batches = prop::collection::vec(0..5i64, rows.len());
        (Just(rows), batches).prop_map(|(mut rows, batches)| {
            rows.iter_mut().zip(batches).for_each(|(row, batch)| row.batch = batch);
            rows
        })
    })
}

/// How the naive merge is to go about it.
pub(super) struct Ways<'a> {
    pub lineage_counts: bool,
    /// the keys whose rows go if no source row has them
    pub deletes: &'a dyn Fn(&Row) -> bool,
}

fn order(a: &Row, b: &Row) -> Ordering {
    (a.time, a.batch).cmp(&(b.time, b.batch))
}

/// Merges row by row.
pub(super) fn merge(target: &mut Vec<Row>, source: &[Row], ways: &Ways) -> MergeRows {
    let mut counts = MergeRows::default();
    let mut winners: Vec<&Row> = Vec::new();
    for row in source {
        match winners.iter_mut().find(|winner| winner.key == row.key) {
            // Of equal ones the last stays.
            Some(winner) => {
                counts.superseded += 1;
                if order(winner, row) != Ordering::Greater {
                    *winner = row;
                }
            }
            None => winners.push(row),
        }
    }
    let before = target.len();
    target.retain(|row| !(ways.deletes)(row) || winners.iter().any(|winner| winner.key == row.key));
    counts.deleted = (before - target.len()) as u64;
    for row in winners {
        match target.iter_mut().find(|other| other.key == row.key) {
            None => {
                counts.inserted += 1;
                target.push(row.clone());
            }
            Some(other) if order(row, other) != Ordering::Greater => counts.superseded += 1,
            Some(other) if !ways.lineage_counts && (other.time, other.value) == (row.time, row.value) => {
                counts.unchanged += 1;
            }
            Some(other) => {
                counts.updated += 1;
                *other = row.clone();
            }
        }
    }
    counts
}

pub(super) fn keep_all() -> &'static dyn Fn(&Row) -> bool {
    &|_| false
}

/// Some of the keys.
pub(super) fn touched() -> impl Strategy<Value = Vec<Option<i64>>> {
    prop::collection::btree_set(prop::option::of(0..6i64), 1..4).prop_map(|keys| keys.into_iter().collect())
}

/// Splits rows at random.
pub(super) fn split<T: Clone>(rows: &[T], cuts: &[usize]) -> Vec<Vec<T>> {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (rows.len() + 1)).chain([0, rows.len()]).collect();
    cuts.sort_unstable();
    cuts.windows(2).map(|cut| rows[cut[0]..cut[1]].to_vec()).collect()
}

/// Any cuts for [`split`].
pub(super) fn cuts() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(any::<usize>(), 0..4)
}
