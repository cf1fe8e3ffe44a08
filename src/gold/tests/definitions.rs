//! Tables to be followed: every kind of step before and after a group_by.

use crate::project::{Derived, OnChange};
use crate::steps::JoinKind;
use crate::steps::testing::{Chain, silver};

pub(super) const TABLES: [(&str, &str); 4] = [
    ("orders", "id:bigint customer:bigint kind:bigint amount:bigint"),
    ("customers", "customer:bigint region:bigint active:bigint"),
    ("regions", "region:bigint country:bigint"),
    ("returns", "amount:bigint kind:bigint customer:bigint id:bigint"),
];

pub(super) fn declared(table: &str) -> &'static str {
    TABLES.iter().find(|(name, _)| *name == table).unwrap().1
}

pub(super) fn from(table: &str) -> Chain {
    TABLES.iter().fold(Chain::over(declared(table)), |chain, (name, declared)| chain.beside(name, declared))
}

pub(super) fn derived(table: &str, chain: Chain, key: &[&str]) -> Derived {
    Derived {
        from: silver(table),
        steps: chain.steps,
        key: key.iter().map(|name| (*name).to_owned()).collect(),
        event_time: None,
        partition_by: vec![],
        on_change: OnChange::Rebuild,
        output: chain.output,
    }
}

pub(super) const SUMS: [(&str, &str); 4] = [
    ("n", "count(*)"),
    ("total", "sum(amount)"),
    ("buyers", "count(distinct customer)"),
    ("first_id", "first(id by amount)"),
];

pub(super) fn inner_join() -> Derived {
    let chain = from("orders")
        .join(JoinKind::Inner, "customers", &[("customer", "customer")], &[("region", "region"), ("active", "active")])
        .filter("active <> 0")
        .group_by(&[("region", "region")], &[("n", "count(*)"), ("total", "sum(amount)")]);
    derived("orders", chain, &["region"])
}

pub(super) fn left_join_and_having() -> Derived {
    let chain = from("orders")
        .join(JoinKind::Left, "customers", &[("customer", "customer")], &[("region", "region")])
        .group_by(&[("region", "region"), ("kind", "kind")], &SUMS)
        .derive(&[("share", "total * 100 / n"), ("n", "n + 1")])
        .having("total > 1");
    derived("orders", chain, &["region", "kind"])
}

pub(super) fn two_joins() -> Derived {
    let chain = from("orders")
        .derive(&[("amount", "coalesce(amount, 0) + 1")])
        .join(JoinKind::Left, "customers", &[("customer", "customer")], &[("region", "region")])
        .join(JoinKind::Left, "regions", &[("region", "region")], &[("country", "country")])
        .group_by(&[("country", "country")], &SUMS);
    derived("orders", chain, &["country"])
}

pub(super) fn semi_join() -> Derived {
    let chain = from("orders")
        .join(JoinKind::Semi, "customers", &[("customer", "customer"), ("kind", "active")], &[])
        .group_by(&[("kind", "cast(kind as string)")], &SUMS);
    derived("orders", chain, &["kind"])
}

pub(super) fn anti_join() -> Derived {
    let chain = from("orders")
        .filter("amount >= 0")
        .join(JoinKind::Anti, "customers", &[("customer", "customer")], &[])
        .group_by(&[("kind", "kind")], &[("n", "count(*)"), ("total", "sum(amount)")])
        .having("n > 1");
    derived("orders", chain, &["kind"])
}

pub(super) fn union_then_join() -> Derived {
    let chain = from("orders")
        .derive(&[("amount", "amount * 2")])
        .union("returns")
        .join(JoinKind::Inner, "customers", &[("customer", "customer")], &[("region", "region")])
        .group_by(&[("kind", "kind"), ("region", "region")], &SUMS);
    derived("orders", chain, &["kind", "region"])
}

pub(super) fn joined_with_itself() -> Derived {
    let chain = from("orders")
        .join(JoinKind::Left, "orders", &[("customer", "id")], &[("kind", "other_kind"), ("amount", "other_amount")])
        .group_by(&[("kind", "other_kind")], &[("n", "count(*)"), ("total", "sum(other_amount - amount)")]);
    derived("orders", chain, &["kind"])
}

pub(super) fn united_with_itself() -> Derived {
    let chain = from("orders")
        .join(JoinKind::Semi, "returns", &[("id", "id")], &[])
        .union("orders")
        .join(JoinKind::Anti, "orders", &[("customer", "kind")], &[])
        .group_by(&[("kind", "kind")], &SUMS);
    derived("orders", chain, &["kind"])
}

pub(super) fn renamed_key() -> Derived {
    let chain = from("orders")
        .join(JoinKind::Left, "customers", &[("customer", "customer")], &[("active", "active")])
        .filter("active is distinct from 0")
        .group_by(&[("a", "cast(kind as decimal(9,2))"), ("b", "amount > 1")], &[("n", "count(*)")])
        .select(&[("big", "b"), ("twice", "n * 2"), ("sort", "a")])
        .derive(&[("b", "twice")]);
    derived("orders", chain, &["sort", "big"])
}

pub(super) fn joins_of_groups() -> Derived {
    let chain = from("orders")
        .group_by(&[("who", "customer"), ("kind", "kind")], &SUMS)
        .join(JoinKind::Left, "customers", &[("who", "customer")], &[("region", "region")])
        .select(&[("sort", "kind"), ("who", "who"), ("n", "n"), ("region", "region")])
        .join(JoinKind::Anti, "regions", &[("sort", "region"), ("who", "country")], &[])
        .join(JoinKind::Semi, "orders", &[("sort", "kind")], &[]);
    derived("orders", chain, &["who", "sort"])
}

pub(super) fn guarded() -> Derived {
    let chain = from("orders")
        .filter("kind <> 0")
        .group_by(&[("per", "amount div kind")], &[("n", "count(*)"), ("best", "max(100 / kind)")]);
    derived("orders", chain, &["per"])
}
