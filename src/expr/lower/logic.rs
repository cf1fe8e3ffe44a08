//! Comparisons, three-valued logic, CASE and its kin. A fault counts only if the result rests on it: the other side of
//! AND or OR may decide, and of CASE and COALESCE only the branch taken is looked at.

use std::cmp::Ordering;

use polars::prelude as pl;
use polars::prelude::{ChunkCompareIneq as _, DataType, Series};

use super::{Lowered, first_fault, null};
use crate::expr::decimal;
use crate::expr::kernel::{Exact, columns, map2};
use crate::expr::tree::{Comparison, Expr};
use crate::expr::types::Type;

pub(super) fn compare(comparison: Comparison, a: &Expr, b: &Expr) -> Lowered {
    let (left, right) = (a.lower(), b.lower());
    if matches!(comparison, Comparison::DistinctFrom | Comparison::NotDistinctFrom) {
        let (x, y) = (left.value, right.value);
        let value = if comparison == Comparison::DistinctFrom { x.neq_missing(y) } else { x.eq_missing(y) };
        let fault = first_fault([left.fault, right.fault]);
        let value = Lowered { value, fault: fault.clone() }.masked();
        return Lowered { value, fault };
    }
    let value = match (&a.ty, &b.ty) {
        (Type::Decimal { scale: s1, .. }, Type::Decimal { scale: s2, .. }) if a.ty != b.ty => {
            exact(comparison, (left.value, right.value), *s1, *s2)
        }
        _ => native(comparison, left.value, right.value),
    };
    Lowered { value, fault: first_fault([left.fault, right.fault]) }
}

fn native(comparison: Comparison, a: pl::Expr, b: pl::Expr) -> pl::Expr {
    match comparison {
        Comparison::Equal => a.eq(b),
        Comparison::Less => a.lt(b),
        Comparison::LessOrEqual => a.lt_eq(b),
        Comparison::Greater => a.gt(b),
        Comparison::GreaterOrEqual => a.gt_eq(b),
        Comparison::NotEqual => a.neq(b),
        Comparison::DistinctFrom => a.neq_missing(b),
        Comparison::NotDistinctFrom => a.eq_missing(b),
    }
}

/// Decimals of different scales, none of which need hold the digits of both.
fn exact(comparison: Comparison, operands: (pl::Expr, pl::Expr), s1: u8, s2: u8) -> pl::Expr {
    let holds: fn(Ordering) -> bool = match comparison {
        Comparison::Equal | Comparison::NotDistinctFrom => Ordering::is_eq,
        Comparison::NotEqual | Comparison::DistinctFrom => Ordering::is_ne,
        Comparison::Less => Ordering::is_lt,
        Comparison::LessOrEqual => Ordering::is_le,
        Comparison::Greater => Ordering::is_gt,
        Comparison::GreaterOrEqual => Ordering::is_ge,
    };
    map2::<Exact, Exact, bool>(operands, DataType::Boolean, move |a, b| Some(holds(decimal::compare(a, s1, b, s2))))
}

pub(super) fn and(a: &Expr, b: &Expr) -> Lowered {
    let (a, b) = (a.lower(), b.lower());
    undecided(a.value.and(b.value), first_fault([a.fault, b.fault]))
}

pub(super) fn or(a: &Expr, b: &Expr) -> Lowered {
    let (a, b) = (a.lower(), b.lower());
    undecided(a.value.or(b.value), first_fault([a.fault, b.fault]))
}

/// The fault, where the value is not decided without it.
fn undecided(value: pl::Expr, fault: Option<pl::Expr>) -> Lowered {
    let fault = fault.map(|f| pl::when(value.clone().is_null()).then(f).otherwise(null(DataType::String)));
    Lowered { value, fault }
}

pub(super) fn is_null(a: &Expr) -> Lowered {
    let a = a.lower();
    let value = Lowered { value: a.value.is_null(), fault: a.fault.clone() }.masked();
    Lowered { value, fault: a.fault }
}

pub(super) fn is_in(e: &Expr, list: &[Expr]) -> Lowered {
    let equals = |item: &&Expr| compare(Comparison::Equal, e, item);
    let (constants, others): (Vec<&Expr>, Vec<&Expr>) = list.iter().partition(|item| constant(item).is_some());
    let mut tests: Vec<Lowered> = others.iter().map(equals).collect();
    match column_of(&constants) {
        Some(values) => {
            let e = e.lower();
            tests.push(Lowered { value: e.value.is_in(pl::lit(values).implode(false), false), fault: e.fault });
        }
        None => tests.extend(constants.iter().map(equals)),
    }
    let (values, faults): (Vec<_>, Vec<_>) = tests.into_iter().map(|test| (test.value, test.fault)).unzip();
    let any = any_of(values);
    undecided(any, first_fault(faults))
}

/// In halves, so that a long list makes no deep expression.
fn any_of(mut values: Vec<pl::Expr>) -> pl::Expr {
    let second = values.split_off(values.len() / 2);
    match (values.is_empty(), second.len()) {
        (true, 0) => null(DataType::Boolean),
        (true, 1) => second.into_iter().next().unwrap_or_else(|| null(DataType::Boolean)),
        _ => any_of(values).or(any_of(second)),
    }
}

/// The value of a literal that is not NULL.
fn constant(e: &Expr) -> Option<pl::Scalar> {
    e.literal()?;
    match e.lower().value {
        pl::Expr::Literal(pl::LiteralValue::Scalar(scalar)) if !scalar.is_null() => Some(scalar),
        _ => None,
    }
}

fn column_of(constants: &[&Expr]) -> Option<Series> {
    let scalars: Vec<pl::Scalar> = constants.iter().filter_map(|e| constant(e)).collect();
    let values: Vec<pl::AnyValue<'_>> = scalars.iter().map(pl::Scalar::as_any_value).collect();
    Series::from_any_values_and_dtype("".into(), &values, scalars.first()?.dtype(), true).ok()
}

pub(super) fn case(branches: &[(Expr, Expr)], otherwise: Option<&Expr>, ty: &Type) -> Lowered {
    let otherwise = otherwise.map_or_else(|| Lowered::sure(null(ty.to_polars())), Expr::lower);
    branches.iter().rev().fold(otherwise, |rest, (condition, value)| {
        let (condition, value) = (condition.lower(), value.lower());
        choose(condition, value, rest, ty)
    })
}

/// `value` where `condition` is true, else `rest`; a fault of the condition is the result's.
fn choose(condition: Lowered, value: Lowered, rest: Lowered, ty: &Type) -> Lowered {
    let chosen = pl::when(condition.value.clone()).then(value.value).otherwise(rest.value);
    let fault = match (value.fault, rest.fault) {
        (None, None) => None,
        (value, rest) => {
            let no_fault = || null(DataType::String);
            let value = value.unwrap_or_else(no_fault);
            Some(pl::when(condition.value).then(value).otherwise(rest.unwrap_or_else(no_fault)))
        }
    };
    match condition.fault {
        None => Lowered { value: chosen, fault },
        Some(broken) => Lowered {
            value: pl::when(broken.clone().is_null()).then(chosen).otherwise(null(ty.to_polars())),
            fault: first_fault([Some(broken), fault]),
        },
    }
}

pub(super) fn coalesce(list: &[Expr], ty: &Type) -> Lowered {
    let lowered: Vec<Lowered> = list.iter().map(Expr::lower).collect();
    if lowered.iter().all(|l| l.fault.is_none()) {
        let values: Vec<pl::Expr> = lowered.into_iter().map(|l| l.value).collect();
        return Lowered::sure(pl::coalesce(&values));
    }
    let none = Lowered::sure(null(ty.to_polars()));
    lowered.into_iter().rev().fold(none, |rest, first| {
        let condition = Lowered { value: first.value.clone().is_not_null(), fault: first.fault };
        choose(condition, Lowered::sure(first.value), rest, ty)
    })
}

/// The greatest or least of the values that are not NULL. NaN is greater than any other.
pub(super) fn extreme(list: &[Expr], greatest: bool, ty: &Type) -> Lowered {
    let lowered: Vec<Lowered> = list.iter().map(Expr::lower).collect();
    let inputs = lowered.iter().map(|l| l.value.clone()).collect();
    let value = columns(inputs, ty.to_polars(), move |columns| {
        let mut columns = columns.iter().map(|c| c.as_materialized_series());
        let Some(mut best) = columns.next().cloned() else { return Ok(Series::default()) };
        for next in columns {
            let better = if greatest { next.gt(&best)? } else { next.lt(&best)? };
            best = next.zip_with(&(better | best.is_null()), &best)?;
        }
        Ok(best)
    });
    let fault = first_fault(lowered.into_iter().map(|l| l.fault));
    let value = Lowered { value, fault: fault.clone() }.masked();
    Lowered { value, fault }
}
