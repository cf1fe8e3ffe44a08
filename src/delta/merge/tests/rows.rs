//! Decisions about rows, on frames in memory.

use std::sync::Arc;

use polars::prelude::*;
use proptest::prelude::*;

use super::model::{self, Row, Ways, cuts, frame, keep_all, rows, rows_of_any_batch, split, texts, touched};
use crate::delta::Error;
use crate::delta::merge::decide::{Decision, decide};
use crate::delta::merge::matching::Matching;
use crate::delta::merge::rules::Rules;
use crate::delta::merge::winners::losers;
use crate::delta::merge::{MergeRows, MergeSpec, Scope};
use crate::delta::rows::{Files, Keep, collect};
use crate::memory::Memory;

/// So little that a few rows make several lots.
const MANY_LOTS: Memory = Memory::of_bytes(600);

/// From room for a row or two to room for all.
fn memories() -> impl Strategy<Value = Memory> {
    prop_oneof![6 => 1_000..4_000u64, 1 => 150..300u64, 1 => Just(Memory::LEAST.bytes())].prop_map(Memory::of_bytes)
}

fn spec() -> MergeSpec {
    MergeSpec {
        key: vec!["id".into(), "region".into()],
        order: Some(vec!["day".into(), "_batch".into()]),
        lineage: vec!["_batch".into()],
        lineage_counts: false,
        scope: Scope::None,
    }
}

fn files(frames: &[DataFrame]) -> Files {
    Files::new(Arc::clone(frame(&[]).schema()), frames.iter().map(|frame| frame.clone().lazy()).collect())
}

fn decided(target: &[DataFrame], source: &[DataFrame], spec: &MergeSpec, memory: Memory) -> Result<Decision, Error> {
    let rules = Rules::new("silver/orders", spec, &model::columns())?;
    decided_by(&files(source), &files(target), &rules, memory)
}

fn decided_by(source: &Files, target: &Files, rules: &Rules, memory: Memory) -> Result<Decision, Error> {
    let (source_rows, target_rows) = (source.counts()?.iter().sum(), target.counts()?.iter().sum());
    let losers = losers(source, source_rows, rules, memory)?;
    Ok(decide(source, source_rows, losers, target, rules, Matching::new(source_rows, target_rows, rules, memory))?)
}

/// The table after the merge: the rows that stay in each file, and one file more.
fn merged(
    target: &[DataFrame],
    source: &[DataFrame],
    spec: &MergeSpec,
    memory: Memory,
) -> Result<(Vec<DataFrame>, MergeRows), Error> {
    let decision = decided(target, source, spec, memory)?;
    let removed = Arc::new(decision.removed);
    let (old, new) = (files(target), files(source));
    let mut after = Vec::new();
    for file in 0..target.len() {
        after.push(collect(old.rows(&[file], Keep::Unmarked(&removed))?)?);
    }
    let all: Vec<usize> = (0..source.len()).collect();
    after.push(collect(new.rows(&all, Keep::Unmarked(&Arc::new(decision.left_out)))?)?);
    Ok((after, decision.rows))
}

fn all(frames: &[DataFrame], without: &[&str]) -> Vec<String> {
    let mut texts: Vec<String> = frames.iter().flat_map(|frame| texts(frame, without)).collect();
    texts.sort();
    texts
}

fn frames(rows: &[Row], cuts: &[usize]) -> Vec<DataFrame> {
    split(rows, cuts).iter().map(|rows| frame(rows)).collect()
}

/// A table with each key once.
fn table(rows: &[Row]) -> Vec<Row> {
    let mut table = Vec::new();
    model::merge(&mut table, rows, &Ways { lineage_counts: true, deletes: keep_all() });
    table
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_merge_does_what_the_naive_one_does(
        old in rows_of_any_batch(20),
        new in rows_of_any_batch(20),
        (old_cuts, new_cuts) in (cuts(), cuts()),
        lineage_counts in any::<bool>(),
        touched in prop::option::of(prop::option::of(touched())),
        memory in memories(),
    ) {
        let mut table = table(&old);
        let before = frames(&table, &old_cuts);
        let deletes = |row: &Row| match &touched {
            None => false,
            Some(None) => true,
            Some(Some(keys)) => keys.contains(&row.key.0),
        };
        let scope = match &touched {
            None => Scope::None,
            Some(None) => Scope::All,
            Some(Some(keys)) => Scope::Keys(df!("id" => keys).unwrap()),
        };
        let expected = model::merge(&mut table, &new, &Ways { lineage_counts, deletes: &deletes });
        let spec = MergeSpec { scope, lineage_counts, ..spec() };
        let (after, counts) = merged(&before, &frames(&new, &new_cuts), &spec, memory).unwrap();
        prop_assert_eq!(counts, expected);
        prop_assert_eq!(all(&after, &[]), all(&[frame(&table)], &[]));
        let total = counts.inserted + counts.updated + counts.unchanged + counts.superseded;
        prop_assert_eq!(total, new.len() as u64);
    }

    #[test]
    fn batches_one_by_one_are_all_at_once(batches in prop::collection::vec(rows(8), 1..4)) {
        let batches: Vec<Vec<Row>> = batches
            .into_iter()
            .zip(0..)
            .map(|(rows, batch)| rows.into_iter().map(|row| Row { batch, ..row }).collect())
            .collect();
        let mut table = vec![frame(&[])];
        for batch in &batches {
            table = merged(&table, &[frame(batch)], &spec(), Memory::LEAST).unwrap().0;
        }
        let (at_once, _) = merged(&[], &[frame(&batches.concat())], &spec(), Memory::LEAST).unwrap();
        prop_assert_eq!(all(&table, &["_batch"]), all(&at_once, &["_batch"]));
    }

    #[test]
    fn batches_out_of_order_are_all_at_once_where_lineage_counts(batches in prop::collection::vec(rows_of_any_batch(8), 1..4)) {
        let spec = MergeSpec { lineage_counts: true, ..spec() };
        // Two rows with one tuple are one event; it has one value.
        let one_value = |row: &Row| Row { value: row.time.map(|time| (time * 5 + row.batch as i32) as u8), ..row.clone() };
        let batches: Vec<Vec<Row>> = batches.iter().map(|rows| rows.iter().map(one_value).collect()).collect();
        let mut table = vec![frame(&[])];
        for batch in &batches {
            table = merged(&table, &[frame(batch)], &spec, Memory::LEAST).unwrap().0;
        }
        let (at_once, _) = merged(&[], &[frame(&batches.concat())], &spec, Memory::LEAST).unwrap();
        prop_assert_eq!(all(&table, &[]), all(&at_once, &[]));
    }
}

fn row(id: i64, time: Option<i32>, batch: i64, value: u8) -> Row {
    Row { key: (Some(id), None), time, batch, value: Some(value) }
}

#[test]
fn a_key_that_comes_twice_is_named_where_there_is_no_order() {
    let spec = MergeSpec { order: None, ..spec() };
    let source = [frame(&[row(1, None, 0, 0), row(7, None, 0, 0)]), frame(&[row(7, None, 0, 1)])];
    let error = decided(&[], &source, &spec, Memory::LEAST).unwrap_err();
    assert_eq!(error.to_string(), "silver/orders: the key id = 7, region = null comes twice");
}

#[test]
fn a_null_in_the_order_is_less_than_every_value() {
    let old = [frame(&[row(1, Some(0), 5, 0), row(2, None, 5, 0)])];
    let (_, counts) =
        merged(&old, &[frame(&[row(1, None, 9, 1), row(2, Some(0), 0, 1)])], &spec(), Memory::LEAST).unwrap();
    assert_eq!(counts, MergeRows { superseded: 1, updated: 1, ..MergeRows::default() });
}

#[test]
fn the_last_digits_of_doubles_are_no_difference_even_in_nested_values() {
    let ratio = |x: f64| {
        let frame = frame(&[row(1, Some(1), 1, 1)]).lazy().with_columns([lit(x).alias("ratio")]);
        let items = concat_list([as_struct(vec![col("ratio").alias("price"), col("note")])]).unwrap();
        frame.with_columns([items.alias("items")]).collect().unwrap()
    };
    let newer = |x: f64| ratio(x).lazy().with_columns([lit(2i64).alias("_batch")]).collect().unwrap();
    let count = |a, b| merged(&[ratio(a)], &[newer(b)], &spec(), Memory::LEAST).unwrap().1;
    let unchanged = MergeRows { unchanged: 1, ..MergeRows::default() };
    let updated = MergeRows { updated: 1, ..MergeRows::default() };
    assert_eq!(count(0.1 + 0.2, 0.3), unchanged);
    assert_eq!(count(f64::NAN, f64::NAN), unchanged);
    assert_eq!(count(f64::INFINITY, f64::INFINITY), unchanged);
    assert_eq!(count(1.0, 1.0 + 1e-7), updated);
    assert_eq!(count(f64::INFINITY, f64::NEG_INFINITY), updated);
    assert_eq!(count(f64::INFINITY, 1.0), updated);
    assert_eq!(count(0.0, f64::NAN), updated);
}

/// Seconds since 1970 as a double: a share of 1e-9 is more than a second.
#[test]
fn the_last_digits_of_doubles_in_the_order_count() {
    let at = |seconds: f64, batch: i64, value| {
        let ratio = lit(seconds).alias("ratio");
        let items = lit(NULL).cast(frame(&[]).column("items").unwrap().dtype().clone()).alias("items");
        frame(&[row(1, None, batch, value)]).lazy().with_columns([ratio, items]).collect().unwrap()
    };
    let spec = MergeSpec { order: Some(vec!["ratio".into(), "_batch".into()]), ..spec() };
    let (table, counts) =
        merged(&[at(1_700_000_000.0, 1, 1)], &[at(1_700_000_001.0, 2, 1)], &spec, Memory::LEAST).unwrap();
    assert_eq!(counts, MergeRows { updated: 1, ..MergeRows::default() });
    let (_, counts) = merged(&table, &[at(1_700_000_000.5, 3, 2)], &spec, Memory::LEAST).unwrap();
    assert_eq!(counts, MergeRows { superseded: 1, ..MergeRows::default() });
}

#[test]
fn a_key_that_another_engine_wrote_twice_is_replaced_as_one() {
    let old = [frame(&[row(1, Some(0), 0, 0)]), frame(&[row(1, Some(2), 0, 0), row(2, None, 0, 0)])];
    let (after, counts) = merged(&old, &[frame(&[row(1, Some(1), 1, 1)])], &spec(), Memory::LEAST).unwrap();
    assert_eq!(counts, MergeRows { superseded: 1, ..MergeRows::default() });
    assert_eq!(all(&after, &[]), all(&old, &[]));
    let (after, counts) = merged(&old, &[frame(&[row(1, Some(3), 1, 1)])], &spec(), Memory::LEAST).unwrap();
    assert_eq!(counts, MergeRows { updated: 1, deleted: 1, ..MergeRows::default() });
    assert_eq!(all(&after, &[]), all(&[frame(&[row(1, Some(3), 1, 1), row(2, None, 0, 0)])], &[]));
}

#[test]
fn a_spec_that_does_not_fit_is_refused() {
    let refused = |spec: &MergeSpec| Rules::new("t", spec, &model::columns()).unwrap_err().to_string();
    let unknown = MergeSpec { key: vec!["nope".into()], ..spec() };
    assert_eq!(refused(&unknown), "t: `nope`, part of the key, is not a column of the table");
    let nested = MergeSpec { key: vec!["items".into()], ..spec() };
    assert!(refused(&nested).contains("`items` cannot be part of a key: it is array<struct<"), "{}", refused(&nested));
    let foreign = MergeSpec { scope: Scope::Keys(df!("day" => [1]).unwrap()), ..spec() };
    assert_eq!(refused(&foreign), "t: the touched keys have a column `day` that the key does not have");
    let other_type = MergeSpec { scope: Scope::Keys(df!("id" => [1i32]).unwrap()), ..spec() };
    assert_eq!(refused(&other_type), "t: `id` is bigint in the key and i32 in the touched keys");
    let keyless = MergeSpec { key: vec![], ..spec() };
    assert_eq!(refused(&keyless), "t: without a key a merge can only replace the whole table");
}

#[test]
fn keys_and_orders_of_every_flat_type_work() {
    use crate::expr::{Column as Named, Type};
    let columns = |ty: &Type| [Named::new("k", ty.clone()), Named::new("o", ty.clone()), Named::new("v", Type::Int)];
    let spec = MergeSpec { key: vec!["k".into()], order: Some(vec!["o".into()]), lineage: vec![], ..spec() };
    let types = [
        (Type::Boolean, ["false", "true"]),
        (Type::TinyInt, ["-3", "4"]),
        (Type::BigInt, ["-3", "4"]),
        (Type::Double, ["-inf", "NaN"]),
        (Type::Float, ["0.5", "inf"]),
        (Type::Decimal { precision: 38, scale: 2 }, ["-99999999999999999999.01", "-99999999999999999999"]),
        (Type::String, ["Z", "é"]),
        (Type::Binary, ["", "b"]),
        (Type::Date, ["2024-02-28", "2024-02-29"]),
        (Type::Timestamp, ["1969-12-31T23:59:59.999999Z", "2024-02-29T00:00:00Z"]),
    ];
    for (ty, texts) in types {
        let value = |text: Option<&str>| match (&ty, text) {
            (_, None) => lit(NULL).cast(ty.to_polars()),
            (Type::Boolean, Some(text)) => lit(text == "true"),
            (Type::Date, Some(text)) => lit(text).str().to_date(StrptimeOptions::default()),
            (Type::Timestamp, Some(text)) => {
                let options = StrptimeOptions { format: Some("%+".into()), ..StrptimeOptions::default() };
                lit(text).str().to_datetime(Some(TimeUnit::Microseconds), Some(TimeZone::UTC), options, lit("raise"))
            }
            (_, Some(text)) => lit(text).strict_cast(ty.to_polars()),
        };
        let frame = |key: Option<&str>, order: Option<&str>, v: i32| {
            let row = df!("v" => [v]).unwrap().lazy();
            row.select([value(key).alias("k"), value(order).alias("o"), col("v")]).collect().unwrap()
        };
        let (small, great) = (Some(texts[0]), Some(texts[1]));
        let rules = Rules::new("t", &spec, &columns(&ty)).unwrap();
        let counts = |old: &[DataFrame], new: &[DataFrame]| {
            let files = |frames: &[DataFrame]| {
                Files::new(Arc::clone(new[0].schema()), frames.iter().map(|frame| frame.clone().lazy()).collect())
            };
            let (source, target) = (files(new), files(old));
            let decision = decided_by(&source, &target, &rules, MANY_LOTS).unwrap();
            decision.check("t", new.len() as u64).unwrap();
            decision.rows
        };
        let old = [frame(small, small, 0), frame(great, small, 0), frame(None, None, 0)];
        let newer = [frame(small, great, 1), frame(great, None, 1), frame(None, small, 1), frame(None, None, 2)];
        let expected = MergeRows { updated: 2, superseded: 2, ..MergeRows::default() };
        assert_eq!(counts(&old, &newer), expected, "{ty}");
        let others = [frame(small, small, 0)];
        assert_eq!(counts(&old[1..], &others), MergeRows { inserted: 1, ..MergeRows::default() }, "{ty}");
    }
}
