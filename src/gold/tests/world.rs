//! Small tables before and after a random change.

use std::collections::BTreeMap;

use polars::prelude::{DataFrame, Engine, LazyFrame};
use proptest::prelude::*;

use super::definitions::{TABLES, declared};
use crate::gold::{Change, Input};
use crate::steps::testing::{rows, silver};

pub(super) type Row = Vec<Option<i64>>;
pub(super) type World = BTreeMap<&'static str, Vec<Row>>;

pub(super) fn written(rows: &[Row]) -> Vec<String> {
    let word = |v: &Option<i64>| v.map_or("-".to_owned(), |v| v.to_string());
    rows.iter().map(|row| row.iter().map(word).collect::<Vec<_>>().join(" ")).collect()
}

pub(super) fn frame(table: &str, these: &[Row]) -> LazyFrame {
    let written = written(these);
    rows(declared(table), &written.iter().map(String::as_str).collect::<Vec<_>>()).frame
}

/// The rows of `a` without those of `b`, as multisets.
pub(super) fn without(a: &[Row], b: &[Row]) -> Vec<Row> {
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

pub(super) fn inputs(old: &World, new: &World) -> Vec<Input> {
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

pub(super) fn collected(frame: LazyFrame) -> DataFrame {
    frame.collect_with_engine(Engine::Streaming).unwrap().unwrap_single()
}

/// What happens to a row: most stay.
#[derive(Clone, Debug)]
pub(super) enum Edit {
    Stay,
    Go,
    Twice,
    Set(usize, Option<i64>),
}

pub(super) fn cell() -> impl Strategy<Value = Option<i64>> {
    prop_oneof![1 => Just(None), 5 => (0i64..4).prop_map(Some)]
}

pub(super) fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        5 => Just(Edit::Stay),
        1 => Just(Edit::Go),
        1 => Just(Edit::Twice),
        2 => (0usize..4, cell()).prop_map(|(i, v)| Edit::Set(i, v)),
    ]
}

pub(super) fn edited(rows: &[(Row, Edit)]) -> Vec<Row> {
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

pub(super) fn table(width: usize) -> impl Strategy<Value = (Vec<Row>, Vec<Row>)> {
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

pub(super) fn worlds() -> impl Strategy<Value = (World, World)> {
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
