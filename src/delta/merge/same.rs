//! When two rows are the same, column by column: of exact values hashes are compared, floating ones are carried along and
//! compared with a tolerance. So a comparison holds no whole rows.

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

/// Whether two rows are the same; of each [`Aspect`] with a number after it.
pub(super) const SAME: &str = "same";

/// How two rows with the same key are compared.
#[derive(Clone, Debug)]
pub(super) struct Comparison {
    compared: Vec<String>,
    /// beside each column
    kinds: Vec<Kind>,
}

/// How the values of a column are compared.
#[derive(Clone, Copy, Debug)]
enum Kind {
    /// by their hashes
    Exact,
    /// with a tolerance
    Floating,
    /// part by part, the floating ones with a tolerance
    Nested { width: u64 },
}

/// Something in which two rows are compared.
pub(super) struct Aspect {
    /// what is read of each side
    pub carried: Vec<Expr>,
    /// bytes that it takes
    pub width: u64,
    /// what is told of both, side by side
    pub told: Vec<Expr>,
}

impl Comparison {
    /// Compares all `columns` but those left out; those of the order to the last digit, for a row that only seems to
    /// be the same would stay with a place in the order that is not its own, and later lose or win by it.
    pub(super) fn new(columns: &[Column], left_out: &BTreeSet<&str>, order: &[String]) -> Self {
        let kind = |column: &Column| match &column.ty {
            ty if ty.is_floating() && !order.contains(&column.name) => Kind::Floating,
            ty @ (Type::Array(_) | Type::Struct(_)) if has_floating(ty) => Kind::Nested { width: ty.width() },
            _ => Kind::Exact,
        };
        let compared = columns.iter().filter(|column| !left_out.contains(column.name.as_str()));
        let (compared, kinds) = compared.map(|column| (column.name.clone(), kind(column))).unzip();
        Comparison { compared, kinds }
    }

    /// The columns that are compared.
    pub(super) fn compared(&self) -> &[String] {
        &self.compared
    }

    /// These columns: each tells of [`SAME`], and as [`differs`] whether it differs at all.
    pub(super) fn aspects(&self) -> impl Iterator<Item = Aspect> {
        self.compared.iter().zip(&self.kinds).enumerate().map(|(i, (name, kind))| Aspect::new(i, name, *kind))
    }
}

impl Aspect {
    fn new(number: usize, column: &str, kind: Kind) -> Self {
        let (value, hashed) = (format!("value{number}"), format!("hash{number}"));
        let (of_value, of_hash) = (col(column).alias(value.as_str()), hash(&[column], 1).alias(hashed.as_str()));
        let differs = differ(&hashed).alias(differs(number));
        let (carried, width, same) = match kind {
            Kind::Exact => (vec![of_hash], 8, differ(&hashed).not()),
            Kind::Floating => (vec![of_hash, of_value], 16, both(&value, same_floating)),
            Kind::Nested { width } => (vec![of_hash, of_value], 8 + width, both(&value, same_nested)),
        };
        Aspect { carried, width, told: vec![same.alias(format!("{SAME}{number}")), differs] }
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

/// The name under which it is told whether a column differs at all.
pub(super) fn differs(i: usize) -> String {
    format!("differs{i}")
}

fn differ(name: &str) -> Expr {
    col(name).neq(col(format!("{name}{OF_TARGET}")))
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
