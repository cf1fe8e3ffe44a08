use std::collections::{BTreeMap, BTreeSet};

use polars::prelude::*;
use proptest::prelude::*;

use super::{Change, Input, Strategy as Follows, columns_read, recompute, strategy, touched_keys};
use crate::project::{Derived, OnChange};
use crate::steps::JoinKind;
use crate::steps::testing::{Chain, failure, lines, rank, rows, silver};

const TABLES: [(&str, &str); 4] = [
    ("orders", "id:bigint customer:bigint kind:bigint amount:bigint"),
    ("customers", "customer:bigint region:bigint active:bigint"),
    ("regions", "region:bigint country:bigint"),
    ("returns", "amount:bigint kind:bigint customer:bigint id:bigint"),
];

fn declared(table: &str) -> &'static str {
    TABLES.iter().find(|(name, _)| *name == table).unwrap().1
}

fn from(table: &str) -> Chain {
    TABLES.iter().fold(Chain::over(declared(table)), |chain, (name, declared)| chain.beside(name, declared))
}

fn derived(table: &str, chain: Chain, key: &[&str]) -> Derived {
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

const SUMS: [(&str, &str); 4] = [
    ("n", "count(*)"),
    ("total", "sum(amount)"),
    ("buyers", "count(distinct customer)"),
    ("first_id", "first(id by amount)"),
];

fn inner_join() -> Derived {
    let chain = from("orders")
        .join(JoinKind::Inner, "customers", &[("customer", "customer")], &[("region", "region"), ("active", "active")])
        .filter("active <> 0")
        .group_by(&[("region", "region")], &[("n", "count(*)"), ("total", "sum(amount)")]);
    derived("orders", chain, &["region"])
}

fn left_join_and_having() -> Derived {
    let chain = from("orders")
        .join(JoinKind::Left, "customers", &[("customer", "customer")], &[("region", "region")])
        .group_by(&[("region", "region"), ("kind", "kind")], &SUMS)
        .derive(&[("share", "total * 100 / n"), ("n", "n + 1")])
        .having("total > 1");
    derived("orders", chain, &["region", "kind"])
}

fn two_joins() -> Derived {
    let chain = from("orders")
        .derive(&[("amount", "coalesce(amount, 0) + 1")])
        .join(JoinKind::Left, "customers", &[("customer", "customer")], &[("region", "region")])
        .join(JoinKind::Left, "regions", &[("region", "region")], &[("country", "country")])
        .group_by(&[("country", "country")], &SUMS);
    derived("orders", chain, &["country"])
}

fn semi_join() -> Derived {
    let chain = from("orders")
        .join(JoinKind::Semi, "customers", &[("customer", "customer"), ("kind", "active")], &[])
        .group_by(&[("kind", "cast(kind as string)")], &SUMS);
    derived("orders", chain, &["kind"])
}

fn anti_join() -> Derived {
    let chain = from("orders")
        .filter("amount >= 0")
        .join(JoinKind::Anti, "customers", &[("customer", "customer")], &[])
        .group_by(&[("kind", "kind")], &[("n", "count(*)"), ("total", "sum(amount)")])
        .having("n > 1");
    derived("orders", chain, &["kind"])
}

fn union_then_join() -> Derived {
    let chain = from("orders")
        .derive(&[("amount", "amount * 2")])
        .union("returns")
        .join(JoinKind::Inner, "customers", &[("customer", "customer")], &[("region", "region")])
        .group_by(&[("kind", "kind"), ("region", "region")], &SUMS);
    derived("orders", chain, &["kind", "region"])
}

fn joined_with_itself() -> Derived {
    let chain = from("orders")
        .join(JoinKind::Left, "orders", &[("customer", "id")], &[("kind", "other_kind"), ("amount", "other_amount")])
        .group_by(&[("kind", "other_kind")], &[("n", "count(*)"), ("total", "sum(other_amount - amount)")]);
    derived("orders", chain, &["kind"])
}

fn united_with_itself() -> Derived {
    let chain = from("orders")
        .join(JoinKind::Semi, "returns", &[("id", "id")], &[])
        .union("orders")
        .join(JoinKind::Anti, "orders", &[("customer", "kind")], &[])
        .group_by(&[("kind", "kind")], &SUMS);
    derived("orders", chain, &["kind"])
}

fn renamed_key() -> Derived {
    let chain = from("orders")
        .join(JoinKind::Left, "customers", &[("customer", "customer")], &[("active", "active")])
        .filter("active is distinct from 0")
        .group_by(&[("a", "cast(kind as decimal(9,2))"), ("b", "amount > 1")], &[("n", "count(*)")])
        .select(&[("big", "b"), ("twice", "n * 2"), ("sort", "a")])
        .derive(&[("b", "twice")]);
    derived("orders", chain, &["sort", "big"])
}

fn joins_of_groups() -> Derived {
    let chain = from("orders")
        .group_by(&[("who", "customer"), ("kind", "kind")], &SUMS)
        .join(JoinKind::Left, "customers", &[("who", "customer")], &[("region", "region")])
        .select(&[("sort", "kind"), ("who", "who"), ("n", "n"), ("region", "region")])
        .join(JoinKind::Anti, "regions", &[("sort", "region"), ("who", "country")], &[])
        .join(JoinKind::Semi, "orders", &[("sort", "kind")], &[]);
    derived("orders", chain, &["who", "sort"])
}

fn guarded() -> Derived {
    let chain = from("orders")
        .filter("kind <> 0")
        .group_by(&[("per", "amount div kind")], &[("n", "count(*)"), ("best", "max(100 / kind)")]);
    derived("orders", chain, &["per"])
}

type Row = Vec<Option<i64>>;
type World = BTreeMap<&'static str, Vec<Row>>;

fn written(rows: &[Row]) -> Vec<String> {
    let word = |v: &Option<i64>| v.map_or("-".to_owned(), |v| v.to_string());
    rows.iter().map(|row| row.iter().map(word).collect::<Vec<_>>().join(" ")).collect()
}

fn frame(table: &str, these: &[Row]) -> LazyFrame {
    let written = written(these);
    rows(declared(table), &written.iter().map(String::as_str).collect::<Vec<_>>()).frame
}

/// The rows of `a` without those of `b`, as multisets.
fn without(a: &[Row], b: &[Row]) -> Vec<Row> {
    let mut rest = b.to_vec();
    let stays = |row: &&Row| match rest.iter().position(|other| other == *row) {
        Some(at) => {
            rest.swap_remove(at);
            false
        }
        None => true,
    };
    a.iter().filter(stays).cloned().collect()
}

fn inputs(old: &World, new: &World) -> Vec<Input> {
    let input = |(table, declared): &(&'static str, &str)| {
        let (before, after) = (&old[table], &new[table]);
        let change = (before != after).then(|| Change {
            old: frame(table, before),
            removed: frame(table, &without(before, after)),
            added: frame(table, &without(after, before)),
        });
        let columns = rows(declared, &[]).columns;
        Input { table: silver(table), columns, new: frame(table, after), change }
    };
    TABLES.iter().map(input).collect()
}

fn collected(frame: LazyFrame) -> DataFrame {
    frame.collect_with_engine(Engine::Streaming).unwrap().unwrap_single()
}

/// Each row's key and all of it.
fn keyed(frame: &LazyFrame, keys: &[String]) -> Vec<(String, String)> {
    let keys: Vec<Expr> = keys.iter().map(|key| col(key.as_str())).collect();
    let line = |exprs: Vec<Expr>| frame.clone().with_columns([as_struct(exprs).alias("__line")]);
    let all =
        collected(line(keys).with_columns([as_struct(vec![all().exclude_cols(["__line"]).as_expr()]).alias("__all")]));
    let words = |name: &str| {
        (0..all.height()).map(|i| all.column(name).unwrap().get(i).unwrap().to_string()).collect::<Vec<_>>()
    };
    words("__line").into_iter().zip(words("__all")).collect()
}

fn sorted(rows: impl IntoIterator<Item = (String, String)>) -> Vec<String> {
    let mut rows: Vec<String> = rows.into_iter().map(|(_, row)| row).collect();
    rows.sort();
    rows
}

/// The touched groups of the old result replaced by what they are now must be the new result.
fn assert_follows(derived: &Derived, old: &World, new: &World) {
    let Follows::Groups { keys } = strategy(derived) else { panic!("{:?}", strategy(derived)) };
    let inputs = inputs(old, new);
    let touched_frame = touched_keys(derived, &inputs).unwrap();
    let touched = collected(touched_frame.clone());
    assert_eq!(lines(&touched_frame).len(), touched.height());
    let touched_words: BTreeSet<String> =
        keyed(&touched.clone().lazy(), &keys).into_iter().map(|(key, _)| key).collect();
    assert_eq!(touched_words.len(), touched.height(), "each key comes once");

    let before: Vec<Input> = self::inputs(old, old);
    let was = keyed(&recompute(derived, &before, None).unwrap(), &keys);
    let is = keyed(&recompute(derived, &inputs, None).unwrap(), &keys);
    let part_frame = recompute(derived, &inputs, Some(touched)).unwrap();
    let part = keyed(&part_frame, &keys);
    assert_eq!(lines(&part_frame).len(), part.len());

    assert!(part.iter().all(|(key, _)| touched_words.contains(key)), "only touched groups are computed");
    let kept = was.into_iter().filter(|(key, _)| !touched_words.contains(key));
    assert_eq!(sorted(kept.chain(part)), sorted(is));
}

/// What happens to a row: most stay.
#[derive(Clone, Debug)]
enum Edit {
    Stay,
    Go,
    Twice,
    Set(usize, Option<i64>),
}

fn cell() -> impl Strategy<Value = Option<i64>> {
    prop_oneof![1 => Just(None), 5 => (0i64..4).prop_map(Some)]
}

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        5 => Just(Edit::Stay),
        1 => Just(Edit::Go),
        1 => Just(Edit::Twice),
        2 => (0usize..4, cell()).prop_map(|(i, v)| Edit::Set(i, v)),
    ]
}

fn edited(rows: &[(Row, Edit)]) -> Vec<Row> {
    let after = |(row, edit): &(Row, Edit)| match edit {
        Edit::Stay => vec![row.clone()],
        Edit::Go => vec![],
        Edit::Twice => vec![row.clone(), row.clone()],
        Edit::Set(at, value) => {
            let mut row = row.clone();
            let at = at % row.len();
            row[at] = *value;
            vec![row]
        }
    };
    rows.iter().flat_map(after).collect()
}

fn table(width: usize) -> impl Strategy<Value = (Vec<Row>, Vec<Row>)> {
    let row = move || prop::collection::vec(cell(), width);
    let edits = prop::collection::vec((row(), edit()), 0..9);
    (edits, prop::collection::vec(row(), 0..3), any::<bool>()).prop_map(|(rows, new, changes)| {
        let old: Vec<Row> = rows.iter().map(|(row, _)| row.clone()).collect();
        if !changes {
            return (old.clone(), old);
        }
        let mut after = edited(&rows);
        after.extend(new);
        (old, after)
    })
}

fn worlds() -> impl Strategy<Value = (World, World)> {
    (table(4), table(3), table(2), table(4)).prop_map(|(orders, customers, regions, returns)| {
        let all = [("orders", orders), ("customers", customers), ("regions", regions), ("returns", returns)];
        let (mut old, mut new) = (World::new(), World::new());
        for (name, (before, after)) in all {
            old.insert(name, before);
            new.insert(name, after);
        }
        (old, new)
    })
}

macro_rules! follows {
    ($($name:ident),*) => { mod follows { use super::*; proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        $(#[test] fn $name((old, new) in worlds()) { assert_follows(&super::$name(), &old, &new); })*
    } } };
}

follows!(
    inner_join,
    left_join_and_having,
    two_joins,
    semi_join,
    anti_join,
    union_then_join,
    joined_with_itself,
    united_with_itself,
    renamed_key,
    joins_of_groups,
    guarded
);

fn full(derived: &Derived, world: &World) -> Vec<String> {
    lines(&recompute(derived, &inputs(world, world), None).unwrap())
}

fn grouped(rows: impl Iterator<Item = (Option<i64>, Option<i64>)>) -> BTreeMap<Option<i64>, (i64, Option<i64>)> {
    let mut groups = BTreeMap::new();
    for (key, amount) in rows {
        let (n, total) = groups.entry(key).or_insert((0, None));
        *n += 1;
        *total = match (*total, amount) {
            (Some(a), Some(b)) => Some(a + b),
            (a, b) => a.or(b),
        };
    }
    groups
}

fn in_words(groups: BTreeMap<Option<i64>, (i64, Option<i64>)>) -> Vec<String> {
    let rows: Vec<Row> = groups.into_iter().map(|(key, (n, total))| vec![key, Some(n), total]).collect();
    let mut lines = written(&rows);
    lines.sort();
    lines
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn an_inner_join_is_what_two_loops_say((_, world) in worlds()) {
        let matches = world["orders"].iter().flat_map(|o| {
            let same = move |c: &&Row| c[0].is_some() && c[0] == o[1] && c[2].is_some_and(|active| active != 0);
            world["customers"].iter().filter(same).map(|c| (c[1], o[3]))
        });
        prop_assert_eq!(full(&inner_join(), &world), in_words(grouped(matches)));
    }

    #[test]
    fn an_anti_join_is_what_two_loops_say((_, world) in worlds()) {
        let known = |o: &Row| world["customers"].iter().any(|c| c[0].is_some() && c[0] == o[1]);
        let rows = world["orders"].iter().filter(|o| o[3].is_some_and(|a| a >= 0) && !known(o)).map(|o| (o[2], o[3]));
        let mut groups = grouped(rows);
        groups.retain(|_, (n, _)| *n > 1);
        prop_assert_eq!(full(&anti_join(), &world), in_words(groups));
    }
}

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
        Follows::Full { why } => why,
        Follows::Groups { keys } => panic!("{keys:?}"),
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
    assert_eq!(strategy(&renamed_key()), Follows::Groups { keys: vec!["sort".into(), "big".into()] });
    let copied = from("orders")
        .group_by(&[("kind", "kind")], &[("n", "count(*)")])
        .derive(&[("copy", "kind")])
        .derive(&[("kind", "n")]);
    assert_eq!(strategy(&derived("orders", copied, &["copy"])), Follows::Groups { keys: vec!["copy".into()] });
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
    assert_eq!(lines(&recompute(&left_join_and_having(), &inputs, None).unwrap()), ["7 0 2 10 1 1 1000"]);
}
