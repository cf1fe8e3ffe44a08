//! Groups of many rows, in both engines, against a naive model.

use std::collections::BTreeMap;

use polars::prelude::{Engine, IntoLazy as _, SortMultipleOptions, df};

use super::{Table, UTC};
use crate::expr::{Column, Type, aggregate, group};

/// A generator of our own, so that a failure can be seen again (Knuth's MMIX constants).
fn random(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *seed >> 33
}

type Row = (Option<i64>, Option<i64>, i64, i64);

/// key, value, order with many ties, tiebreak
fn random_rows(n: i64) -> Vec<Row> {
    let mut seed = 7;
    let mut below = |n: u64| i64::try_from(random(&mut seed) % n).unwrap();
    (0..n)
        .map(|id| {
            let key = Some(below(300)).filter(|k| *k != 0);
            let value = Some(below(1000) - 500).filter(|v| *v % 7 != 0);
            (key, value, below(5), (id * 7919) % n)
        })
        .collect()
}

fn model(rows: &[Row]) -> Vec<String> {
    let mut groups: BTreeMap<i64, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        groups.entry(row.0.unwrap_or(i64::MAX)).or_default().push(row);
    }
    let show = |v: Option<i64>| v.map_or("null".to_owned(), |v| v.to_string());
    groups
        .into_values()
        .map(|mut rows| {
            rows.sort_by_key(|(_, _, order, id)| (*order, *id));
            let values: Vec<i64> = rows.iter().filter_map(|row| row.1).collect();
            let mut distinct = values.clone();
            distinct.sort_unstable();
            let middle = (distinct[(values.len() - 1) / 2] + distinct[values.len() / 2]) as f64 / 2.0;
            distinct.dedup();
            let positive = rows.iter().filter(|row| row.1.is_some_and(|v| v > 0)).count();
            let (first, last) = (rows[0].1, rows[rows.len() - 1].1);
            let sum: i64 = values.iter().sum();
            let cells = [
                show(rows[0].0),
                rows.len().to_string(),
                values.len().to_string(),
                distinct.len().to_string(),
                positive.to_string(),
                sum.to_string(),
                format!("{middle:?}"),
                show(first),
                show(last),
            ];
            cells.join(" ")
        })
        .collect()
}

#[test]
fn many_rows_equal_a_naive_model() {
    let rows = random_rows(30_000);
    let column = |f: &dyn Fn(&Row) -> Option<i64>| rows.iter().map(f).collect::<Vec<_>>();
    let frame = df!("k" => column(&|r| r.0), "v" => column(&|r| r.1), "o" => column(&|r| Some(r.2)), "id" => column(&|r| Some(r.3)));
    let columns = ["k", "v", "o", "id"].map(|name| Column::new(name, Type::BigInt)).to_vec();
    let t = Table { frame: frame.unwrap(), columns };
    let sql = [
        "count(*)",
        "count(v)",
        "count(distinct v)",
        "count(*) FILTER (WHERE v > 0)",
        "sum(v)",
        "median(v)",
        "first(v by o)",
        "last(v by o)",
    ];
    let aggregates: Vec<_> =
        sql.iter().map(|sql| ((*sql).to_owned(), aggregate(sql, &t.columns, UTC).unwrap())).collect();
    for engine in [Engine::InMemory, Engine::Streaming] {
        let lazy = group(t.frame.clone().lazy(), &t.columns, &["k".to_owned()], &aggregates, &["id".to_owned()]);
        let out = lazy.collect_with_engine(engine).unwrap().unwrap_single();
        let out = out.sort(["k"], SortMultipleOptions::default().with_nulls_last(true)).unwrap();
        let text =
            |row: usize| out.columns().iter().map(|c| c.get(row).unwrap().to_string()).collect::<Vec<_>>().join(" ");
        let found: Vec<String> = (0..out.height()).map(text).collect();
        assert_eq!(found, model(&rows), "{engine:?}");
    }
}
