//! When two rows are the same: exact values go into one hash, floating ones are carried along and compared with a
//! tolerance. So a comparison holds no whole rows.

use std::collections::BTreeSet;

use polars::prelude::{
    AnyValue, BooleanChunked, DataType, Expr, Field, IntoColumn, NewChunkedArray, PolarsResult, col, lit,
};

use crate::delta::rows::{has_floating, hash};
use crate::expr::{Column, Type};

/// Two doubles are the same when they differ by no more than this share of the greater one: the order in which a sum
/// adds its terms is free, so its last digits are.
pub(in crate::delta) const TOLERANCE: f64 = 1e-9;

/// The suffix of the target's columns in a frame that joins both sides.
pub(super) const OF_TARGET: &str = ":target";

const EXACT: &str = "exact";

/// How much of the exact values two rows of a key carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Detail {
    /// one hash of all
    Row,
    /// a hash of each column, so that it is known which ones differ
    Columns,
}

/// Hashes that may be held for the sake of [`Detail::Columns`]; 8 bytes each, on both sides.
const MOST_HASHES: u64 = 1 << 24;

/// How two rows with the same key are compared.
#[derive(Clone, Debug)]
pub(super) struct Comparison {
    compared: Vec<String>,
    exact: Vec<String>,
    floating: Vec<String>,
    nested: Vec<String>,
}

impl Comparison {
    /// Compares all `columns` but those left out; those of the order to the last digit, for a row that only seems to
    /// be the same would stay with a place in the order that is not its own, and later lose or win by it.
    pub(super) fn new(columns: &[Column], left_out: &BTreeSet<&str>, order: &[String]) -> Self {
        let mut comparison =
            Comparison { compared: Vec::new(), exact: Vec::new(), floating: Vec::new(), nested: Vec::new() };
        for column in columns.iter().filter(|column| !left_out.contains(column.name.as_str())) {
            let kind = match &column.ty {
                ty if ty.is_floating() && !order.contains(&column.name) => &mut comparison.floating,
                ty @ (Type::Array(_) | Type::Struct(_)) if has_floating(ty) => &mut comparison.nested,
                _ => &mut comparison.exact,
            };
            kind.push(column.name.clone());
            comparison.compared.push(column.name.clone());
        }
        comparison
    }

    /// The columns that are compared.
    pub(super) fn compared(&self) -> &[String] {
        &self.compared
    }

    /// How much can be known of so many rows.
    pub(super) fn detail(&self, rows: u64) -> Detail {
        let hashes = rows.saturating_mul(self.compared.len() as u64);
        if hashes <= MOST_HASHES { Detail::Columns } else { Detail::Row }
    }

    /// How many columns are carried along to be compared.
    pub(super) fn carried_columns(&self, detail: Detail) -> usize {
        let hashes = if detail == Detail::Columns { self.compared.len() } else { 1 };
        self.floating.len() + self.nested.len() + hashes
    }

    /// What each side carries into the join.
    pub(super) fn carried(&self, detail: Detail) -> Vec<Expr> {
        let floating = self.floating.iter().enumerate().map(|(i, name)| col(name.as_str()).alias(floating(i)));
        let nested = self.nested.iter().enumerate().map(|(i, name)| col(name.as_str()).alias(nested(i)));
        let exact = match detail {
            Detail::Row => vec![hash(&self.exact, 1).alias(EXACT)],
            Detail::Columns => {
                let hashes = self.compared.iter().enumerate();
                hashes.map(|(i, name)| hash(&[name], 1).alias(column(i))).collect()
            }
        };
        exact.into_iter().chain(floating).chain(nested).collect()
    }

    /// Whether the columns of [`Comparison::compared`] differ at all, one by one, in a join with [`Detail::Columns`].
    pub(super) fn differing(&self) -> Vec<Expr> {
        (0..self.compared.len()).map(|i| differ(&column(i)).alias(differs(i))).collect()
    }

    /// Whether both sides of the join are the same; never NULL.
    pub(super) fn same(&self, detail: Detail) -> Expr {
        let exact = match detail {
            Detail::Row => differ(EXACT).not(),
            Detail::Columns => {
                let exact = self.compared.iter().enumerate().filter(|(_, name)| self.exact.contains(name));
                exact.map(|(i, _)| differ(&column(i)).not()).fold(lit(true), Expr::and)
            }
        };
        let floating = (0..self.floating.len()).map(floating).map(|name| both(&name, same_floating));
        let nested = (0..self.nested.len()).map(nested).map(|name| both(&name, same_nested));
        floating.chain(nested).fold(exact, Expr::and)
    }
}

/// Whether two values of a type are the same; never NULL.
pub(in crate::delta) fn same(a: Expr, b: Expr, ty: &Type) -> Expr {
    match ty {
        Type::Array(_) | Type::Struct(_) => same_nested(a, b),
        ty if ty.is_floating() => same_floating(a, b),
        _ => a.eq_missing(b),
    }
}

/// The name under which [`Comparison::differing`] tells of a column.
pub(super) fn differs(i: usize) -> String {
    format!("differs{i}")
}

fn differ(name: &str) -> Expr {
    col(name).neq(col(format!("{name}{OF_TARGET}")))
}

fn column(i: usize) -> String {
    format!("column{i}")
}

fn floating(i: usize) -> String {
    format!("floating{i}")
}

fn nested(i: usize) -> String {
    format!("nested{i}")
}

fn both(name: &str, compare: impl Fn(Expr, Expr) -> Expr) -> Expr {
    compare(col(name), col(format!("{name}{OF_TARGET}")))
}

fn same_floating(a: Expr, b: Expr) -> Expr {
    let (a, b) = (a.cast(DataType::Float64), b.cast(DataType::Float64));
    let difference = (a.clone() - b.clone()).abs();
    // An infinite value lies within any share of itself, so only finite ones are compared by their difference.
    let finite = a.clone().is_finite().and(b.clone().is_finite());
    let close = difference
        .clone()
        .lt_eq(a.clone().abs() * lit(TOLERANCE))
        .or(difference.lt_eq(b.clone().abs() * lit(TOLERANCE)));
    a.eq_missing(b).or(finite.and(close).fill_null(lit(false)))
}

fn same_nested(a: Expr, b: Expr) -> Expr {
    a.map_many(
        |columns| {
            let name = columns[0].name().clone();
            let (a, b) = (columns[0].as_materialized_series().rechunk(), columns[1].as_materialized_series().rechunk());
            let same: Vec<bool> = a.iter().zip(b.iter()).map(|(a, b)| same_value(&a, &b)).collect();
            Ok(BooleanChunked::from_slice(name, &same).into_column())
        },
        &[b],
        |_, fields| -> PolarsResult<Field> { Ok(Field::new(fields[0].name().clone(), DataType::Boolean)) },
    )
}

fn same_value(a: &AnyValue, b: &AnyValue) -> bool {
    match (a, b) {
        (AnyValue::Float64(a), AnyValue::Float64(b)) => close(*a, *b),
        (AnyValue::Float32(a), AnyValue::Float32(b)) => close(f64::from(*a), f64::from(*b)),
        (AnyValue::List(a), AnyValue::List(b)) => {
            a.len() == b.len() && a.rechunk().iter().zip(b.rechunk().iter()).all(|(a, b)| same_value(&a, &b))
        }
        (AnyValue::Struct(..), AnyValue::Struct(..)) => same_value(&a.clone().into_static(), &b.clone().into_static()),
        (AnyValue::StructOwned(a), AnyValue::StructOwned(b)) => {
            a.0.len() == b.0.len() && a.0.iter().zip(&b.0).all(|(a, b)| same_value(a, b))
        }
        (a, b) => a == b,
    }
}

/// Whether two doubles are the same within [`TOLERANCE`]; NaN is the same as NaN.
pub(in crate::delta) fn close(a: f64, b: f64) -> bool {
    let near = || (a - b).abs() <= TOLERANCE * a.abs().max(b.abs());
    a == b || (a.is_nan() && b.is_nan()) || (a.is_finite() && b.is_finite() && near())
}
