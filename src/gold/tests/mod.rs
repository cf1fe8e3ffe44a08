mod adds;
mod definitions;
mod follows;
mod prune;
mod world;

use std::collections::BTreeMap;

use polars::prelude::{DataType, col};

use self::definitions::{
    derived, from, inner_join, joined_with_itself, left_join_and_having, renamed_key, two_joins, union_then_join,
};
use self::world::{Row, World, collected, inputs};
use super::{Input, Strategy, columns_needed, columns_read, recompute, strategy, touched_keys};
use crate::project::Derived;
use crate::steps::JoinKind;
use crate::steps::testing::{failure, lines, rank, silver};

fn world(orders: &[[i64; 4]], customers: &[[i64; 3]]) -> World {
    fn some<const N: usize>(rows: &[[i64; N]]) -> Vec<Row> {
        rows.iter().map(|row| row.iter().copied().map(Some).collect()).collect()
    }
    BTreeMap::from([("orders", some(orders)), ("customers", some(customers)), ("regions", vec![]), ("returns", vec![])])
}

#[test]
fn a_changed_dimension_touches_the_groups_that_it_leaves_and_enters() {
    let orders = [[1, 1, 0, 10], [2, 2, 0, 20], [3, 3, 0, 30]];
    let old = world(&orders, &[[1, 7, 1], [2, 8, 1], [3, 9, 1]]);
    let new = world(&orders, &[[1, 7, 1], [2, 7, 1], [3, 9, 1]]);
    let inputs = inputs(&old, &new);
    let touched = touched_keys(&inner_join(), &inputs).unwrap();
    assert_eq!(lines(&touched), ["7", "8"]);
    let now = recompute(&inner_join(), &inputs, Some(collected(touched))).unwrap();
    assert_eq!(lines(&now), ["7 2 30"], "group 8 is gone");
}

#[test]
fn without_a_change_nothing_is_touched() {
    let world = world(&[[1, 1, 0, 10]], &[[1, 7, 1]]);
    let touched = touched_keys(&renamed_key(), &inputs(&world, &world)).unwrap();
    let touched = collected(touched);
    assert_eq!(touched.height(), 0);
    assert_eq!(touched.schema().iter_names().map(|n| n.as_str()).collect::<Vec<_>>(), ["sort", "big"]);
    assert_eq!(touched.dtypes(), [DataType::Decimal(9, 2), DataType::Boolean]);
}

#[test]
fn a_fault_counts_in_a_new_row_and_not_in_an_old_one() {
    let chain = from("orders").group_by(&[("per", "amount div kind")], &[("n", "count(*)")]);
    let ratio = derived("orders", chain, &["per"]);
    let (bad, good) = (world(&[[1, 1, 0, 9], [2, 1, 3, 9]], &[]), world(&[[1, 1, 1, 9], [2, 1, 3, 9]], &[]));
    let corrected = inputs(&bad, &good);
    let touched = touched_keys(&ratio, &corrected).unwrap();
    assert_eq!(lines(&touched), ["-", "9"]);
    let now = recompute(&ratio, &corrected, Some(collected(touched))).unwrap();
    assert_eq!(lines(&now), ["9 1"]);
    let message = failure(&touched_keys(&ratio, &inputs(&good, &bad)).unwrap());
    assert!(message.contains("division by zero"), "{message}");
}

#[test]
fn strategy_says_why_not() {
    let why = |derived: Derived| match strategy(&derived) {
        Strategy::Full { why } => why,
        Strategy::Groups { keys } => panic!("{keys:?}"),
    };
    let counted = || from("orders").group_by(&[("kind", "kind")], &[("n", "count(*)")]);
    let kind = |chain| derived("orders", chain, &["kind"]);
    assert_eq!(why(kind(from("orders").filter("id > 1"))), "it has no group_by");
    assert_eq!(why(kind(counted().push(rank("n:desc", "", "r")))), "a rank depends on all rows");
    assert_eq!(why(kind(counted().group_by(&[("kind", "n")], &[]))), "it groups more than once");
    let one = from("orders").group_by(&[], &[("n", "count(*)")]);
    assert_eq!(why(derived("orders", one, &[])), "its group_by has no key, so all rows are one group");
    let joined = counted().join(JoinKind::Left, "regions", &[("n", "region")], &[("country", "country")]);
    let on_n = "it joins `silver.regions` after its group_by on `n`, which is no key of the group_by";
    assert_eq!(why(kind(joined)), on_n);
    let united = counted().beside("counts", "kind:bigint n:bigint").union("counts");
    assert_eq!(why(kind(united)), "it has a union with `silver.counts` after its group_by");
    let lost = "`kind` of its group_by does not reach the output";
    assert_eq!(why(kind(counted().derive(&[("kind", "kind + 0")]))), lost);
    assert_eq!(why(kind(counted().select(&[("n", "n"), ("kind", "n")]))), lost);
    let swapped = counted().select(&[("kind", "n"), ("n", "kind")]);
    assert_eq!(why(kind(swapped)), "its key is not the key of its group_by");
    assert_eq!(why(derived("orders", counted(), &["n"])), "its key is not the key of its group_by");
    assert!(touched_keys(&derived("orders", counted(), &["n"]), &[]).is_err());
}

#[test]
fn strategy_follows_a_key_through_renames() {
    assert_eq!(strategy(&renamed_key()), Strategy::Groups { keys: vec!["sort".into(), "big".into()] });
    let copied = from("orders")
        .group_by(&[("kind", "kind")], &[("n", "count(*)")])
        .derive(&[("copy", "kind")])
        .derive(&[("kind", "n")]);
    assert_eq!(strategy(&derived("orders", copied, &["copy"])), Strategy::Groups { keys: vec!["copy".into()] });
}

#[test]
fn a_missing_input_is_named() {
    let message = touched_keys(&inner_join(), &[]).err().unwrap().to_string();
    assert!(message.contains("the input `silver.orders` is missing"), "{message}");
    let only_orders: Vec<Input> = inputs(&world(&[], &[]), &world(&[], &[])).into_iter().take(1).collect();
    let message = recompute(&inner_join(), &only_orders, None).err().unwrap().to_string();
    assert!(message.contains("there is no table `silver.customers`"), "{message}");
}

#[test]
fn only_what_a_join_reads_counts_as_a_change() {
    let read =
        |derived: &Derived, table| columns_read(derived, &silver(table)).map(|names| names.into_iter().collect());
    assert_eq!(read(&two_joins(), "orders"), None::<Vec<String>>);
    assert_eq!(read(&two_joins(), "customers"), Some(vec!["customer".into(), "region".into()]));
    assert_eq!(read(&joined_with_itself(), "orders"), None);
    assert_eq!(read(&union_then_join(), "returns"), None);

    // the column `active` is not read, so an input may come without it
    let world = world(&[[1, 1, 0, 10]], &[[1, 7, 1]]);
    let mut inputs = inputs(&world, &world);
    for input in inputs.iter_mut().filter(|input| input.table == silver("customers")) {
        input.columns.retain(|column| column.name != "active");
        input.new = input.new.clone().select([col("customer"), col("region")]);
    }
    assert_eq!(lines(&recompute(&left_join_and_having(), &inputs, None).unwrap()), ["7 0 2 10 1 1 1000.0"]);
}

#[test]
fn a_table_can_be_made_without_the_columns_that_make_no_difference() {
    let needed = |derived: &Derived, table| columns_needed(derived, &silver(table)).map(|c| c.into_iter().collect());
    let names = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
    assert_eq!(needed(&inner_join(), "orders"), names(&["active", "amount", "customer", "region"]));
    assert_eq!(needed(&inner_join(), "customers"), names(&["active", "customer", "region"]));
    assert_eq!(needed(&two_joins(), "orders"), None, "`first` breaks ties by all columns");
    assert_eq!(needed(&union_then_join(), "orders"), None);
    let passed_on = derived("orders", from("orders").filter("amount > 0"), &["id"]);
    assert_eq!(needed(&passed_on, "orders"), None, "all columns reach the output");

    let world = world(&[[1, 1, 0, 10]], &[[1, 7, 1]]);
    let mut inputs = inputs(&world, &world);
    for input in inputs.iter_mut().filter(|input| input.table == silver("orders")) {
        input.columns.retain(|column| ["amount", "customer"].contains(&column.name.as_str()));
        input.new = input.new.clone().select([col("amount"), col("customer")]);
    }
    assert_eq!(lines(&recompute(&inner_join(), &inputs, None).unwrap()), ["7 1 10"]);
}
