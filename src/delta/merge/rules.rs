//! What a merge is asked to do, checked against the columns of its table.

use std::collections::BTreeSet;

use polars::prelude::{DataFrame, Expr, col};

use super::same::{Comparison, OF_TARGET};
use super::{MergeSpec, Scope};
use crate::delta::Error;
use crate::delta::rows::hash;
use crate::expr::{Column, Type};

/// A [`MergeSpec`] that fits its table.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    /// the table's folder, for messages
    pub table: String,
    pub key: Vec<Column>,
    pub order: Option<Vec<String>>,
    /// bytes that the order's columns take
    pub order_width: u64,
    /// `None`: rows are not compared, a greater one replaces
    pub comparison: Option<Comparison>,
    pub lineage: Vec<String>,
    pub scope: Scope,
}

impl Rules {
    pub(super) fn new(table: &str, spec: &MergeSpec, columns: &[Column]) -> Result<Self, Error> {
        let find = |name: &String, role: &str| {
            let column = columns.iter().find(|column| &column.name == name);
            column.ok_or_else(|| Error::invalid(table, format!("`{name}`, {role}, is not a column of the table")))
        };
        let flat = |column: &Column, role: &str| match &column.ty {
            ty @ (Type::Array(_) | Type::Struct(_)) => {
                Err(Error::invalid(table, format!("`{}` cannot be {role}: it is {ty}", column.name)))
            }
            _ => Ok(()),
        };
        if spec.key.is_empty() && !matches!(spec.scope, Scope::All) {
            return Err(Error::invalid(table, "without a key a merge can only replace the whole table"));
        }
        let mut key = Vec::new();
        for name in &spec.key {
            let column = find(name, "part of the key")?;
            flat(column, "part of a key")?;
            key.push(column.clone());
        }
        let mut order_width = 0;
        for name in spec.order.iter().flatten() {
            let column = find(name, "part of the order")?;
            flat(column, "part of an order")?;
            order_width += column.ty.width();
        }
        if let Scope::Keys(keys) = &spec.scope {
            scope_fits(table, keys, &key)?;
        }
        let left_out: BTreeSet<&str> = spec.key.iter().chain(&spec.lineage).map(String::as_str).collect();
        let compares = spec.order.is_none() || !spec.lineage_counts;
        Ok(Rules {
            table: table.into(),
            comparison: compares
                .then(|| Comparison::new(columns, &left_out, spec.order.as_deref().unwrap_or_default())),
            key,
            order: spec.order.clone(),
            order_width,
            lineage: spec.lineage.clone(),
            scope: spec.scope.clone(),
        })
    }

    /// The key's columns under narrow names: a table's own names could clash with ours.
    pub(super) fn keys(&self) -> Vec<Expr> {
        self.key.iter().enumerate().map(|(i, column)| col(column.name.as_str()).alias(key_name(i))).collect()
    }

    /// The names of [`Rules::keys`].
    pub(super) fn key_names(&self) -> Vec<String> {
        (0..self.key.len()).map(key_name).collect()
    }

    /// The order's columns under narrow names.
    pub(super) fn orders(&self) -> Vec<Expr> {
        let order = self.order.iter().flatten().enumerate();
        order.map(|(i, name)| col(name.as_str()).alias(order_name(i))).collect()
    }

    /// The names of [`Rules::orders`].
    pub(super) fn order_names(&self) -> Vec<String> {
        (0..self.order.iter().flatten().count()).map(order_name).collect()
    }

    /// Bytes that a key takes while it waits for its like: the values, its place in a hash table, the positions of what
    /// was found.
    pub(super) fn key_width(&self) -> u64 {
        self.key.iter().map(|column| 2 * column.ty.width()).sum::<u64>() + 64
    }

    /// Bytes that a key and its order take while they are sorted: the frame stands there about three times.
    pub(super) fn tuple_width(&self) -> u64 {
        let order = self.order.as_ref().map_or(0, Vec::len) as u64;
        3 * (self.key.iter().map(|column| column.ty.width()).sum::<u64>() + 16 * order + 16)
    }

    /// A hash of the key.
    pub(super) fn key_hash(&self) -> Expr {
        hash(&self.key.iter().map(|column| column.name.as_str()).collect::<Vec<_>>(), 7)
    }

    /// Whether the source's tuple is greater than the target's, in a frame that joins both; NULL is less than every
    /// value. Without an order every source row is.
    pub(super) fn greater(&self) -> Option<Expr> {
        self.order.as_ref()?;
        self.order_names().iter().rev().fold(None, |rest: Option<Expr>, name| {
            let (ours, theirs) = (col(name.as_str()), col(format!("{name}{OF_TARGET}")));
            let first = ours.clone().is_not_null().and(theirs.clone().is_null());
            let greater = ours.clone().gt(theirs.clone()).fill_null(first);
            Some(match rest {
                Some(rest) => greater.or(ours.eq_missing(theirs).and(rest)),
                None => greater,
            })
        })
    }
}

fn key_name(i: usize) -> String {
    format!("key{i}")
}

fn order_name(i: usize) -> String {
    format!("order{i}")
}

fn scope_fits(table: &str, keys: &DataFrame, key: &[Column]) -> Result<(), Error> {
    for column in keys.columns() {
        let (name, dtype) = (column.name(), column.dtype());
        let what = match key.iter().find(|part| part.name == name.as_str()) {
            Some(part) if &part.ty.to_polars() == dtype => continue,
            Some(part) => format!("`{name}` is {} in the key and {dtype} in the touched keys", part.ty),
            None => format!("the touched keys have a column `{name}` that the key does not have"),
        };
        return Err(Error::invalid(table, what));
    }
    if keys.width() == 0 {
        return Err(Error::invalid(table, "the touched keys have no column"));
    }
    Ok(())
}
