//! Functions of numbers. Doubles that would be infinite or no number are faults.

use polars::prelude as pl;
use polars::prelude::DataType;

use super::Parameter::{Double as DoubleArgument, Number, Places};
use super::{Call, Definition, double, int};
use crate::expr::decimal;
use crate::expr::kernel::{Double, Exact, Long, map1, map2};
use crate::expr::lower::finite;
use crate::expr::tree::{Expr, Literal};
use crate::expr::types::Type;

pub(super) static FUNCTIONS: &[Definition] = &[
    Definition {
        name: "abs",
        usage: "abs(x)",
        parameters: &[Number],
        required: 1,
        result: |arguments| Ok(arguments.first().map_or(Type::Null, |x| unrounded(&x.ty))),
        lower: |call| each(&call, i64::checked_abs, i128::checked_abs, |x| finite(x.abs())),
        fault: Some("overflow"),
    },
    Definition {
        name: "sign",
        usage: "sign(x)",
        parameters: &[Number],
        required: 1,
        result: int,
        lower: sign,
        fault: Some("not a number"),
    },
    Definition {
        name: "round",
        usage: "round(x[, places])",
        parameters: &[Number, Places],
        required: 1,
        result: |arguments| Ok(rounded(arguments)),
        lower: round,
        fault: Some("overflow"),
    },
    Definition {
        name: "floor",
        usage: "floor(x)",
        parameters: &[Number],
        required: 1,
        result: |arguments| Ok(rounded(arguments)),
        lower: |call| {
            let scale = scale(&call);
            each(&call, Some, move |v| Some(decimal::floor(v, scale)), |x| finite(x.floor()))
        },
        fault: Some("overflow"),
    },
    Definition {
        name: "ceil",
        usage: "ceil(x)",
        parameters: &[Number],
        required: 1,
        result: |arguments| Ok(rounded(arguments)),
        lower: |call| {
            let scale = scale(&call);
            each(&call, Some, move |v| Some(-decimal::floor(-v, scale)), |x| finite(x.ceil()))
        },
        fault: Some("overflow"),
    },
    Definition {
        name: "power",
        usage: "power(x, exponent)",
        parameters: &[DoubleArgument, DoubleArgument],
        required: 2,
        result: double,
        lower: |call| map2::<Double, Double, f64>(call.two(), DataType::Float64, |x, y| finite(x.powf(y))),
        fault: Some("overflow, or not a number"),
    },
    Definition {
        name: "sqrt",
        usage: "sqrt(x)",
        parameters: &[DoubleArgument],
        required: 1,
        result: double,
        lower: |call| map1::<Double, f64>(call.first(), DataType::Float64, |x| finite(x.sqrt())),
        fault: Some("square root of a number below 0"),
    },
    Definition {
        name: "ln",
        usage: "ln(x)",
        parameters: &[DoubleArgument],
        required: 1,
        result: double,
        lower: |call| map1::<Double, f64>(call.first(), DataType::Float64, |x| finite(x.ln())),
        fault: Some("logarithm of a number that is not above 0"),
    },
    Definition {
        name: "exp",
        usage: "exp(x)",
        parameters: &[DoubleArgument],
        required: 1,
        result: double,
        lower: |call| map1::<Double, f64>(call.first(), DataType::Float64, |x| finite(x.exp())),
        fault: Some("overflow"),
    },
];

/// A float is reckoned with as a double.
fn unrounded(ty: &Type) -> Type {
    if *ty == Type::Float { Type::Double } else { ty.clone() }
}

/// By the kind of number: integers, decimals without their scale, doubles.
fn each(
    call: &Call,
    integer: impl Fn(i64) -> Option<i64> + Send + Sync + 'static,
    exact: impl Fn(i128) -> Option<i128> + Send + Sync + 'static,
    double: impl Fn(f64) -> Option<f64> + Send + Sync + 'static,
) -> pl::Expr {
    let dtype = call.ty.to_polars();
    match call.ty {
        Type::Decimal { precision, .. } => {
            let precision = *precision;
            let fits = move |v: &i128| decimal::fits(*v, precision);
            map1::<Exact, i128>(call.first(), dtype, move |v| exact(v).filter(fits))
        }
        ty if ty.is_integer() => map1::<Long, i64>(call.first(), dtype, integer),
        _ => map1::<Double, f64>(call.first(), dtype, double),
    }
}

fn scale(call: &Call) -> u32 {
    match call.arguments.first().map(|x| &x.ty) {
        Some(Type::Decimal { scale, .. }) => u32::from(*scale),
        _ => 0,
    }
}

fn sign(call: Call) -> pl::Expr {
    match call.arguments.first().map(|x| &x.ty) {
        Some(Type::Decimal { .. }) => {
            map1::<Exact, i64>(call.first(), DataType::Int32, |v| i64::try_from(v.signum()).ok())
        }
        Some(ty) if ty.is_floating() => map1::<Double, i64>(call.first(), DataType::Int32, |x| match x {
            x if x > 0.0 => Some(1),
            x if x < 0.0 => Some(-1),
            0.0 => Some(0),
            _ => None,
        }),
        _ => map1::<Long, i64>(call.first(), DataType::Int32, |i| Some(i.signum())),
    }
}

/// The places that are asked for, 0 if none are.
fn places(arguments: &[Expr]) -> i64 {
    match arguments.get(1).and_then(Expr::literal) {
        Some(Literal::Integer(places)) => *places,
        _ => 0,
    }
}

/// A decimal keeps the places that are left, and one digit more before the point.
fn rounded(arguments: &[Expr]) -> Type {
    let Some(x) = arguments.first() else { return Type::Null };
    let Type::Decimal { precision, scale } = x.ty else { return unrounded(&x.ty) };
    let kept = u8::try_from(places(arguments).clamp(0, i64::from(scale))).unwrap_or(scale);
    if places(arguments) >= i64::from(scale) {
        return x.ty.clone();
    }
    Type::Decimal { precision: (precision - scale + kept + 1).min(decimal::MAX_PRECISION), scale: kept }
}

fn round(call: Call) -> pl::Expr {
    let places = places(call.arguments);
    let scale = scale(&call);
    let drop = u32::try_from(i64::from(scale) - places).unwrap_or(0);
    // below the point of the result's scale: digits before the point that become 0
    let zeros = u32::try_from(-places).unwrap_or(0);
    let exact = move |v: i128| decimal::round(v, drop).checked_mul(decimal::power_of_ten(zeros)?);
    let integer = move |i: i64| {
        let rounded = decimal::round(i128::from(i), zeros).checked_mul(decimal::power_of_ten(zeros)?)?;
        i64::try_from(rounded).ok()
    };
    each(&call, integer, exact, move |x| round_double(x, places))
}

/// Rounds the shortest decimal that is this double, so that 2.675 to two places is 2.68 as it reads, though the double
/// lies a little below it.
fn round_double(x: f64, places: i64) -> Option<f64> {
    let number = decimal::Number::read(&format!("{:e}", finite(x)?))?;
    let Ok(drop @ 1..) = usize::try_from(-number.exponent - places) else { return finite(x) };
    let Some(kept) = number.digits.len().checked_sub(drop) else { return Some(0.0) };
    let mut value = number.digits[..kept].iter().fold(0u128, |value, digit| value * 10 + u128::from(*digit));
    if number.digits.get(kept).is_some_and(|digit| *digit >= 5) {
        value += 1;
    }
    let sign = if number.negative { "-" } else { "" };
    finite(format!("{sign}{value}e{}", -places).parse().ok()?)
}
