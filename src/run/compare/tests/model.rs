//! Random tables, and a comparison that knows nothing of files, hashes or joins.

use super::*;

/// A row of every kind of column.
#[derive(Clone, Debug)]
pub struct Event {
    k: Option<i64>,
    s: Option<&'static str>,
    d: Option<f64>,
    x: Option<f64>,
    list: Option<Vec<i64>>,
    p: Option<&'static str>,
}

pub fn schema() -> TableSchema {
    let point = Type::Struct(vec![Named::new("x", Type::Double)]);
    let list = Type::Array(Box::new(Type::BigInt));
    let columns = [
        ("p", Type::String),
        ("k", Type::BigInt),
        ("s", Type::String),
        ("d", Type::Double),
        ("point", point),
        ("list", list),
    ];
    TableSchema { partition_by: vec!["p".into()], ..super::schema(&columns) }
}

/// Few values, so that keys meet and rows are equal now and then.
pub fn events(most: usize) -> impl Strategy<Value = Vec<Event>> {
    let doubles = [None, Some(f64::NAN), Some(0.0), Some(-0.0), Some(1.0), Some(1.0 + 1e-12), Some(2.0)];
    let event = (
        prop::sample::select(vec![None, Some(1), Some(2), Some(3), Some(4)]),
        prop::sample::select(vec![None, Some("a"), Some("")]),
        prop::sample::select(doubles.to_vec()),
        prop::sample::select(vec![None, Some(f64::NAN), Some(3.0)]),
        prop::sample::select(vec![None, Some(vec![]), Some(vec![1]), Some(vec![1, 2])]),
        prop::sample::select(vec![None, Some("north"), Some("south west")]),
    );
    prop::collection::vec(event.prop_map(|(k, s, d, x, list, p)| Event { k, s, d, x, list, p }), 0..most)
}

pub fn frame(events: &[Event]) -> DataFrame {
    let of = |value: &dyn Fn(&Event) -> Option<f64>| events.iter().map(value).collect::<Vec<_>>();
    let x = Series::new("x".into(), of(&|event| event.x));
    let lists: Vec<Option<Series>> =
        events.iter().map(|event| event.list.as_ref().map(|list| Series::new("".into(), list.clone()))).collect();
    let list = Series::new("list".into(), lists).cast(&DataType::List(Box::new(DataType::Int64))).unwrap();
    let columns = vec![
        Column::new("p".into(), events.iter().map(|event| event.p).collect::<Vec<_>>()),
        Column::new("k".into(), events.iter().map(|event| event.k).collect::<Vec<_>>()),
        Column::new("s".into(), events.iter().map(|event| event.s).collect::<Vec<_>>()),
        Column::new("d".into(), of(&|event| event.d)),
        StructChunked::from_series("point".into(), events.len(), [x].iter()).unwrap().into_column(),
        list.into_column(),
    ];
    DataFrame::new(events.len(), columns).unwrap()
}

/// Column by column, in the order of the schema.
fn same(a: &Event, b: &Event) -> [bool; 6] {
    let close = |a: Option<f64>, b: Option<f64>| match (a, b) {
        (Some(a), Some(b)) => a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= 1e-9 * a.abs().max(b.abs()),
        (a, b) => a.is_none() && b.is_none(),
    };
    [a.p == b.p, a.k == b.k, a.s == b.s, close(a.d, b.d), close(a.x, b.x), a.list == b.list]
}

fn same_key(a: &Event, b: &Event, key: &[&str]) -> bool {
    key.iter().all(|name| if *name == "k" { a.k == b.k } else { a.s == b.s })
}

pub fn check(diff: &TableDiff, old: &[Event], new: &[Event], key: &[&str]) {
    assert_eq!((diff.rows.before, diff.rows.after), (old.len() as u64, new.len() as u64));
    let (mut removed, mut added) = (old.to_vec(), new.to_vec());
    removed.retain(|row| match added.iter().position(|other| same(row, other) == [true; 6]) {
        Some(i) => {
            added.remove(i);
            false
        }
        None => true,
    });
    let (mut pairs, mut alone) = (Vec::new(), Vec::new());
    let mut ambiguous = false;
    for row in removed {
        let mates: Vec<usize> =
            (0..added.len()).filter(|&i| !key.is_empty() && same_key(&row, &added[i], key)).collect();
        ambiguous |= mates.len() > 1 || pairs.iter().any(|(other, _)| same_key(&row, other, key));
        match mates.first() {
            Some(&i) => pairs.push((row, added.remove(i))),
            None => alone.push(row),
        }
    }
    let expected = (added.len() as u64, alone.len() as u64, pairs.len() as u64);
    assert_eq!(counts(diff), expected, "{key:?}\n{old:?}\n{new:?}");
    let total: u64 = diff.columns.iter().map(|column| column.changed).sum();
    assert!(total >= diff.rows.changed, "a changed row differs somewhere");
    if !ambiguous {
        let of = |i: usize| pairs.iter().filter(|(a, b)| !same(a, b)[i]).count() as u64;
        let found: Vec<u64> = diff.columns.iter().map(|column| column.changed).collect();
        assert_eq!(found, (0..6).map(of).collect::<Vec<_>>(), "{key:?}\n{old:?}\n{new:?}");
    }
}
