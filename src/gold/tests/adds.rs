//! What follows by addition is what all rows give.

use std::collections::BTreeSet;

use proptest::prelude::{ProptestConfig, prop_assert_eq, proptest};

use super::definitions::{SUMS, derived, from, inner_join, joined_with_itself};
use super::world::{World, collected, inputs, worlds};
use crate::gold::{Added, Addition, recompute};
use crate::project::Derived;
use crate::steps::JoinKind;
use crate::steps::testing::{lines, silver};

const EXACT: [(&str, &str); 6] = [
    ("n", "count(*)"),
    ("total", "sum(amount)"),
    ("ids", "sum(id)"),
    ("with_id", "count(id)"),
    ("large", "count(*) filter (where amount > 1)"),
    ("part", "sum(cast(amount as decimal(9,2)) / 4) filter (where id > 0)"),
];

fn by_kind() -> Derived {
    let chain = from("orders").filter("amount is distinct from 3").group_by(&[("kind", "kind")], &EXACT);
    derived("orders", chain, &["kind"])
}

fn by_region() -> Derived {
    let chain = from("orders")
        .join(JoinKind::Left, "customers", &[("customer", "customer")], &[("region", "region")])
        .derive(&[("kind", "coalesce(kind, 9)")])
        .select(&[("kind", "kind"), ("region", "region"), ("amount", "amount"), ("id", "id")])
        .group_by(&[("region", "region"), ("kind", "kind")], &EXACT);
    derived("orders", chain, &["region", "kind"])
}

fn united() -> Derived {
    let chain = from("orders").derive(&[("id", "id * 2")]).union("returns").group_by(&[("kind", "kind")], &EXACT);
    derived("orders", chain, &["kind"])
}

/// What the table would be, and how many groups followed by addition and how many did not.
fn followed(derived: &Derived, old: &World, new: &World) -> (Vec<String>, usize, usize) {
    let orders = silver("orders");
    let addition = Addition::of(derived, &[&orders]).unwrap();
    let (before, after) = (inputs(old, old), inputs(old, new));
    let table = recompute(derived, &before, None).unwrap();
    let sides = addition.sides(&after).unwrap().map(collected);
    let touched = addition.touched(&sides).unwrap();
    let was = collected(addition.of_groups(table.clone(), &touched));
    let Added { touched, rows, anew } = addition.add(touched, &was, &sides).unwrap();
    let counts = (rows.height(), anew.height());
    let gone: BTreeSet<String> = lines(&addition.of_groups(table.clone(), &touched)).into_iter().collect();
    let mut is: Vec<String> = lines(&table).into_iter().filter(|line| !gone.contains(line)).collect();
    is.extend(lines(&polars::prelude::IntoLazy::lazy(rows)));
    is.extend(lines(&recompute(derived, &after, Some(anew)).unwrap()));
    is.sort();
    (is, counts.0, counts.1)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn sums_by_addition_are_those_of_all_rows((old, new) in worlds()) {
        let mut changed = old.clone();
        changed.insert("orders", new["orders"].clone());
        if changed != old {
            for derived in [by_kind(), by_region(), united()] {
                let (is, ..) = followed(&derived, &old, &changed);
                prop_assert_eq!(is, lines(&recompute(&derived, &inputs(&changed, &changed), None).unwrap()));
            }
        }
    }
}

fn world(orders: &[[Option<i64>; 4]]) -> World {
    let rows = orders.iter().map(|row| row.to_vec()).collect();
    World::from([("orders", rows), ("customers", vec![]), ("regions", vec![]), ("returns", vec![])])
}

#[test]
fn only_what_nulls_leave_open_is_computed_anew() {
    let row = |id: i64, kind: i64, amount: Option<i64>| [Some(id), Some(1), Some(kind), amount];
    let old = world(&[row(1, 1, Some(5)), row(2, 1, None), row(3, 2, Some(5)), row(4, 3, None), row(5, 4, Some(7))]);
    // of 1 the only amount goes, 2 is gone, 3 gets its first, 4 another one, 5 is new
    let new = world(&[row(2, 1, None), row(4, 3, Some(2)), row(5, 4, Some(8)), row(6, 5, None)]);
    let (is, added, anew) = followed(&by_kind(), &old, &new);
    assert_eq!((added, anew), (3, 1));
    assert_eq!(is, lines(&recompute(&by_kind(), &inputs(&new, &new), None).unwrap()));
    let counted = from("orders")
        .group_by(&[("kind", "kind")], &[("n", "count(*)"), ("amounts", "count(amount)"), ("total", "sum(amount)")]);
    let (is, added, anew) = followed(&derived("orders", counted, &["kind"]), &old, &new);
    assert_eq!((added, anew), (4, 0), "the number of amounts tells that there is none");
    assert_eq!(is, ["1 1 0 -", "3 1 1 2", "4 1 1 8", "5 1 0 -"]);
}

#[test]
fn what_has_no_room_is_left_to_all_rows() {
    let row = |id: i64, amount: i64| [Some(id), Some(1), Some(1), Some(amount)];
    let (old, new) = (world(&[row(1, i64::MAX)]), world(&[row(1, i64::MAX), row(2, 7)]));
    let sum = derived(
        "orders",
        from("orders").group_by(&[("kind", "kind")], &[("n", "count(*)"), ("x", "sum(amount)")]),
        &["kind"],
    );
    let orders = silver("orders");
    let addition = Addition::of(&sum, &[&orders]).unwrap();
    let after = inputs(&old, &new);
    let sides = addition.sides(&after).unwrap().map(collected);
    let touched = addition.touched(&sides).unwrap();
    let was = collected(recompute(&sum, &inputs(&old, &old), None).unwrap());
    assert_eq!(addition.add(touched.clone(), &was, &sides).unwrap().anew.height(), 1);
    // a table that does not hold what it was made from, as another writer may leave it
    assert_eq!(addition.add(touched, &was.clear(), &sides).unwrap().anew.height(), 0);
    let back = inputs(&new, &old);
    let sides = addition.sides(&back).unwrap().map(collected);
    let touched = addition.touched(&sides).unwrap();
    assert_eq!(addition.add(touched, &was.clear(), &sides).unwrap().anew.height(), 1);
}

#[test]
fn not_all_can_be_added() {
    let (orders, customers) = (silver("orders"), silver("customers"));
    let with = |aggregate: &[(&str, &str)]| {
        let chain = from("orders").group_by(&[("kind", "kind")], aggregate);
        Addition::of(&derived("orders", chain, &["kind"]), &[&orders]).is_some()
    };
    assert!(with(&[("n", "count(*)")]));
    assert!(with(&EXACT));
    assert!(!with(&[("total", "sum(amount)")]), "nothing tells when a group is gone");
    assert!(!with(&[("n", "count(*) filter (where amount > 1)")]));
    assert!(!with(&SUMS));
    for other in ["sum(cast(amount as double))", "max(amount)", "count(*) + 1", "avg(amount)", "count(distinct id)"] {
        assert!(!with(&[("n", "count(*)"), ("x", other)]), "{other}");
    }
    assert!(Addition::of(&inner_join(), &[&orders]).is_some());
    assert!(Addition::of(&inner_join(), &[&customers]).is_none());
    assert!(Addition::of(&inner_join(), &[&customers, &orders]).is_none());
    assert!(Addition::of(&joined_with_itself(), &[&orders]).is_none());
    let having = from("orders").group_by(&[("kind", "kind")], &EXACT).having("n > 1");
    assert!(Addition::of(&derived("orders", having, &["kind"]), &[&orders]).is_none());
}
