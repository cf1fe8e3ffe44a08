//! Which files are looked into.

use std::collections::BTreeMap;

use polars::df;
use polars::prelude::{DataFrame, IntoLazy};
use serde_json::{Value, json};

use crate::delta::merge::bounds::{Bounds, Described};
use crate::delta::merge::rules::Rules;
use crate::delta::merge::{MergeSpec, Scope};
use crate::delta::rows::Files;
use crate::expr::{Column, Type};

fn bounds(keys: &DataFrame, columns: &[(&str, Type)]) -> Bounds {
    let columns: Vec<Column> = columns.iter().map(|(name, ty)| Column::new(*name, ty.clone())).collect();
    let key = columns.iter().map(|column| column.name.clone()).collect();
    let spec = MergeSpec { key, order: None, lineage: vec![], lineage_counts: false, scope: Scope::None };
    let source = Files::new(keys.schema().clone(), vec![keys.clone().lazy()]);
    Bounds::of_source(&source, &Rules::new("t", &spec, &columns).unwrap()).unwrap()
}

/// Whether a file with these statistics may hold a key.
fn may_hold(bounds: &Bounds, statistics: &Value) -> bool {
    let (statistics, partition_values) = (statistics.as_object().unwrap(), &BTreeMap::new());
    bounds.may_hold(Described { statistics, partition_values })
}

fn stats(least: &Value, greatest: &Value, nulls: u64) -> Value {
    json!({ "numRecords": 9, "minValues": { "k": least }, "maxValues": { "k": greatest }, "nullCount": { "k": nulls } })
}

#[test]
fn integers_that_lie_apart_rule_a_file_out() {
    let keys = bounds(&df!("k" => [5i64, 8]).unwrap(), &[("k", Type::BigInt)]);
    assert!(may_hold(&keys, &stats(&json!(8), &json!(9), 0)));
    assert!(may_hold(&keys, &stats(&json!(1), &json!(5), 0)));
    assert!(!may_hold(&keys, &stats(&json!(9), &json!(12), 0)));
    assert!(!may_hold(&keys, &stats(&json!(-3), &json!(4), 2)));
    assert!(may_hold(&keys, &json!({ "numRecords": 9 })), "what is not known may be");
}

#[test]
fn a_null_is_looked_for_where_nulls_may_be() {
    let keys = bounds(&df!("k" => [Some(5i64), None]).unwrap(), &[("k", Type::BigInt)]);
    assert!(may_hold(&keys, &stats(&json!(9), &json!(12), 1)));
    assert!(!may_hold(&keys, &stats(&json!(9), &json!(12), 0)));
    assert!(may_hold(&keys, &json!({ "minValues": { "k": 9 }, "maxValues": { "k": 12 } })));
    let null = bounds(&df!("k" => [None::<i64>]).unwrap(), &[("k", Type::BigInt)]);
    assert!(!may_hold(&null, &stats(&json!(1), &json!(12), 0)));
    let five = bounds(&df!("k" => [5i64]).unwrap(), &[("k", Type::BigInt)]);
    assert!(!may_hold(&five, &json!({ "numRecords": 9, "nullCount": { "k": 9 } })), "all NULL");
}

#[test]
fn a_text_that_may_be_cut_is_no_upper_bound() {
    let keys = bounds(&df!("k" => ["m"]).unwrap(), &[("k", Type::String)]);
    assert!(!may_hold(&keys, &stats(&json!("a"), &json!("lz"), 0)));
    assert!(!may_hold(&keys, &stats(&json!("n"), &json!("z"), 0)));
    let (long, cut) = ("y".repeat(40), "y".repeat(32));
    let keys = bounds(&df!("k" => [long]).unwrap(), &[("k", Type::String)]);
    assert!(may_hold(&keys, &stats(&json!("a"), &json!(cut), 0)));
}

#[test]
fn dates_are_bounds_and_timestamps_are_not() {
    let day = df!("k" => [20_000]).unwrap().lazy().select([polars::prelude::col("k").cast(Type::Date.to_polars())]);
    let keys = bounds(&day.collect().unwrap(), &[("k", Type::Date)]);
    assert!(may_hold(&keys, &stats(&json!("2024-10-04"), &json!("2024-10-04"), 0)));
    assert!(!may_hold(&keys, &stats(&json!("2024-10-05"), &json!("2024-12-01"), 0)));
    let time =
        df!("k" => [1_500i64]).unwrap().lazy().select([polars::prelude::col("k").cast(Type::Timestamp.to_polars())]);
    let keys = bounds(&time.collect().unwrap(), &[("k", Type::Timestamp)]);
    let cut = "1970-01-01T00:00:00.001Z";
    assert!(may_hold(&keys, &stats(&json!(cut), &json!(cut), 0)), "statistics are cut to milliseconds");
}

#[test]
fn a_partition_rules_a_file_out_by_its_value() {
    let keys = bounds(&df!("k" => ["n", "p"], "i" => [1, 2]).unwrap(), &[("k", Type::String), ("i", Type::Int)]);
    let holds = |value: Option<&str>, i: &str| {
        let values = [("k", value), ("i", Some(i))].map(|(name, value)| (name.to_owned(), value.map(str::to_owned)));
        let (statistics, partition_values) = (&serde_json::Map::new(), &values.into());
        keys.may_hold(Described { statistics, partition_values })
    };
    assert!(holds(Some("o"), "2"));
    assert!(!holds(Some("s"), "2") && !holds(None, "2") && !holds(Some("n"), "3"));
}
