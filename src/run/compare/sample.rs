//! The rows of a difference that people are shown: the least, so that the same difference gives the same rows.

use std::collections::BTreeMap;

use polars::prelude::{
    AnyValue, BooleanChunked, DataFrame, Expr, IntoLazy, PolarsResult, SortMultipleOptions, col, lit,
};

use super::columns::Compared;
use crate::delta::{NUMBER, after, before, differs};
use crate::expr::{Column, Type};
use crate::report::value::{Cell, Row};
use crate::report::{Change, RowChange};

/// The least rows of each kind, in the shape of pairs.
pub struct Sample {
    limit: usize,
    rows: BTreeMap<Change, DataFrame>,
    order: BTreeMap<Change, Vec<Expr>>,
}

impl Sample {
    /// A sample of at most `limit` rows of each kind.
    pub fn new(limit: usize, compared: &Compared) -> Self {
        let kinds = [Change::Changed, Change::Added, Change::Removed];
        let order = kinds.map(|change| (change, order(change, compared)));
        Sample { limit, rows: BTreeMap::new(), order: order.into() }
    }

    /// Keeps the least of what is kept and some rows of `batch`.
    pub fn add(&mut self, change: Change, batch: &DataFrame, rows: &BooleanChunked) -> PolarsResult<()> {
        if self.limit == 0 || !rows.any() {
            return Ok(());
        }
        let rows = batch.filter(rows)?;
        let rows = match self.rows.remove(&change) {
            Some(kept) => kept.vstack(&rows)?,
            None => rows,
        };
        let order = self.order.get(&change).cloned().unwrap_or_default();
        let options = SortMultipleOptions::default().with_nulls_last(true);
        let limit = u32::try_from(self.limit).unwrap_or(u32::MAX);
        let mut kept = rows.lazy().sort_by_exprs(order, options).limit(limit).collect()?;
        kept.rechunk_mut();
        self.rows.insert(change, kept);
        Ok(())
    }

    /// The rows as they are told: changed ones first, then added, then removed ones.
    pub fn done(&self, compared: &Compared) -> Vec<RowChange> {
        let rows = self.rows.iter();
        rows.flat_map(|(change, rows)| (0..rows.height()).map(|i| row(*change, rows, i, compared))).collect()
    }
}

/// By key; without a key by all columns. Changed rows that differ in a column that both sides have come first: a column
/// that is new differs in every row.
fn order(change: Change, compared: &Compared) -> Vec<Expr> {
    let name = |column: &str| if change == Change::Added { after(column) } else { before(column) };
    let in_key = |column: &&Column| compared.key.is_empty() || compared.key.contains(&column.name);
    let on_both = |column: &&Column| compared.was(&column.name) && compared.is(&column.name);
    let substance = compared.columns.iter().filter(on_both).map(|column| named(&differs(&column.name)));
    let by_key = compared.columns.iter().filter(in_key).map(|Column { name: column, ty }| match ty {
        // They have no order of their own.
        Type::Array(_) | Type::Struct(_) => named(&name(column)).hash(31, 1, 2, 3),
        _ => named(&name(column)),
    });
    let mut order: Vec<Expr> = by_key.chain([col(NUMBER)]).collect();
    if change == Change::Changed {
        order.insert(0, substance.fold(lit(false), Expr::or).not());
    }
    order
}

fn row(change: Change, rows: &DataFrame, i: usize, compared: &Compared) -> RowChange {
    let value = |name: &str| rows.column(name).and_then(|column| column.get(i)).unwrap_or(AnyValue::Null);
    let side = |name: &dyn Fn(&str) -> String, has: &dyn Fn(&str) -> bool| {
        let columns = compared.columns.iter().filter(|column| has(&column.name));
        Row(columns.map(|column| (column.name.clone(), Cell::from(&value(&name(&column.name))))).collect())
    };
    let differing = |column: &&Column| value(&differs(&column.name)) == AnyValue::Boolean(true);
    RowChange {
        change,
        columns: compared.columns.iter().filter(differing).map(|column| column.name.clone()).collect(),
        before: (change != Change::Added).then(|| side(&before, &|name| compared.was(name))),
        after: (change != Change::Removed).then(|| side(&after, &|name| compared.is(name))),
    }
}

/// A column by its very name: `col` would take `*` and `^…$` for patterns.
fn named(name: &str) -> Expr {
    Expr::Column(name.into())
}
