//! Incremental equals full, and full equals a naive model.

use std::collections::{BTreeMap, BTreeSet};

use polars::prelude::DataFrame;
use proptest::prelude::{ProptestConfig, prop_assert_eq, proptest};

use super::definitions;
use super::world::{Row, World, collected, inputs, worlds, written};
use crate::gold::{Lot, Strategy, count_groups, recompute, recompute_lot, strategy, touched_keys};
use crate::project::Derived;
use crate::steps::testing::{both, lines};

/// Each row's key and all of it.
fn keyed(frame: &DataFrame, keys: &[String]) -> Vec<(String, String)> {
    let only_keys = frame.select(keys).unwrap();
    let words = |frame: &DataFrame, i| format!("{:?}", frame.get(i).unwrap());
    (0..frame.height()).map(|i| (words(&only_keys, i), words(frame, i))).collect()
}

fn sorted(rows: impl IntoIterator<Item = (String, String)>) -> Vec<String> {
    let mut rows: Vec<String> = rows.into_iter().map(|(_, row)| row).collect();
    rows.sort();
    rows
}

/// The touched groups of the old result replaced by what they are now must be the new result.
fn assert_follows(derived: &Derived, old: &World, new: &World) {
    let Strategy::Groups { keys } = strategy(derived) else { panic!("{:?}", strategy(derived)) };
    let (before, after) = (inputs(old, old), inputs(old, new));
    let touched = both(&touched_keys(derived, &after).unwrap());
    let touched_words: BTreeSet<String> = keyed(&touched, &keys).into_iter().map(|(key, _)| key).collect();
    assert_eq!(touched_words.len(), touched.height(), "each key comes once");

    let was = keyed(&collected(recompute(derived, &before, None).unwrap()), &keys);
    let is = keyed(&collected(recompute(derived, &after, None).unwrap()), &keys);
    let part = keyed(&both(&recompute(derived, &after, Some(touched)).unwrap()), &keys);

    assert!(part.iter().all(|(key, _)| touched_words.contains(key)), "only touched groups are computed");
    let kept = was.into_iter().filter(|(key, _)| !touched_words.contains(key));
    assert_eq!(sorted(kept.chain(part)), sorted(is));
}

/// The groups of all lots are all groups, and each is in one of them.
fn assert_divides(derived: &Derived, world: &World) {
    let inputs = inputs(world, world);
    let Strategy::Groups { keys } = strategy(derived) else { panic!("{:?}", strategy(derived)) };
    let whole = sorted(keyed(&collected(recompute(derived, &inputs, None).unwrap()), &keys));
    for of in [1, 3] {
        let lots = (0..of).map(|number| Lot { number, of });
        let parts: Vec<_> = lots.clone().map(|lot| collected(recompute_lot(derived, &inputs, lot).unwrap())).collect();
        assert_eq!(sorted(parts.iter().flat_map(|part| keyed(part, &keys))), whole, "{of} lots");
        for (lot, part) in lots.zip(&parts) {
            let counted = collected(count_groups(derived, &inputs, lot).unwrap());
            let counted = counted.columns()[0].u64().unwrap().get(0).unwrap();
            let found: BTreeSet<String> = keyed(part, &keys).into_iter().map(|(key, _)| key).collect();
            assert!(counted >= found.len() as u64, "{counted} groups counted, {found:?} found");
        }
    }
}

macro_rules! divides {
    ($($name:ident),*) => { mod divided {
        use super::*;
        proptest! {
            #![proptest_config(ProptestConfig::with_cases(6))]
            $(#[test] fn $name((_, world) in worlds()) { assert_divides(&definitions::$name(), &world); })*
        }
    } };
}

divides!(left_join_and_having, union_then_join, renamed_key, joins_of_groups, guarded);

macro_rules! follows {
    ($($name:ident),*) => { proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        $(#[test] fn $name((old, new) in worlds()) { assert_follows(&definitions::$name(), &old, &new); })*
    } };
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
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn an_inner_join_is_what_two_loops_say((_, world) in worlds()) {
        let matches = world["orders"].iter().flat_map(|o| {
            let same = move |c: &&Row| c[0].is_some() && c[0] == o[1] && c[2].is_some_and(|active| active != 0);
            world["customers"].iter().filter(same).map(|c| (c[1], o[3]))
        });
        prop_assert_eq!(full(&definitions::inner_join(), &world), in_words(grouped(matches)));
    }

    #[test]
    fn an_anti_join_is_what_two_loops_say((_, world) in worlds()) {
        let known = |o: &Row| world["customers"].iter().any(|c| c[0].is_some() && c[0] == o[1]);
        let rows = world["orders"].iter().filter(|o| o[3].is_some_and(|a| a >= 0) && !known(o)).map(|o| (o[2], o[3]));
        let mut groups = grouped(rows);
        groups.retain(|_, (n, _)| *n > 1);
        prop_assert_eq!(full(&definitions::anti_join(), &world), in_words(groups));
    }
}
