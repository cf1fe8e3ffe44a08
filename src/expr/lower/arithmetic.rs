//! `+ - * / div %`: exact or a fault.

use polars::prelude as pl;

use super::{Lowered, first_fault, own_fault, text};
use crate::expr::decimal;
use crate::expr::kernel::{Double, Exact, Long, map1, map2};
use crate::expr::tree::{Expr, Operator};
use crate::expr::types::Type;

pub(super) fn lower(operator: Operator, a: &Expr, b: &Expr, ty: &Type) -> Lowered {
    let (left, right) = (a.lower(), b.lower());
    let operands = (left.value.clone(), right.value.clone());
    let value = match (&a.ty, &b.ty) {
        (Type::Decimal { scale: s1, .. }, Type::Decimal { scale: s2, .. }) => {
            decimals(operator, operands, (*s1, *s2), ty)
        }
        (Type::Double, _) => doubles(operator, operands),
        _ => integers(operator, operands, ty),
    };
    let own = can_fail(operator, &a.ty, &b.ty, ty).then(|| {
        let inputs = [left.value, right.value.clone()];
        own_fault(&value, &inputs, reason(operator, &right.value, &b.ty))
    });
    Lowered { value, fault: first_fault([left.fault, right.fault, own]) }
}

fn reason(operator: Operator, divisor: &pl::Expr, ty: &Type) -> pl::Expr {
    if !matches!(operator, Operator::Divide | Operator::Quotient | Operator::Remainder) {
        return text("overflow");
    }
    let zero = super::literal(&super::Literal::Integer(0), &Type::Int).cast(ty.to_polars());
    pl::when(divisor.clone().eq(zero)).then(text("division by zero")).otherwise(text("overflow"))
}

/// A sum or product of decimals whose type has room for every digit cannot overflow.
fn can_fail(operator: Operator, a: &Type, b: &Type, ty: &Type) -> bool {
    match (operator, a, b, ty) {
        (
            Operator::Add | Operator::Subtract,
            Type::Decimal { precision: p1, scale: s1 },
            Type::Decimal { precision: p2, scale: s2 },
            Type::Decimal { precision, scale },
        ) => (p1 - s1).max(p2 - s2) + 1 + scale > *precision,
        (
            Operator::Multiply,
            Type::Decimal { precision: p1, .. },
            Type::Decimal { precision: p2, .. },
            Type::Decimal { precision, .. },
        ) => p1 + p2 > *precision,
        _ => true,
    }
}

fn integers(operator: Operator, (a, b): (pl::Expr, pl::Expr), ty: &Type) -> pl::Expr {
    let dtype = ty.to_polars();
    let wide = |e: pl::Expr| e.cast(pl::DataType::Int64);
    // 64 bits have room for any sum or product of 32 bits, and the cast back makes null of what is too large
    if *ty != Type::BigInt {
        match operator {
            Operator::Add => return (wide(a) + wide(b)).cast(dtype),
            Operator::Subtract => return (wide(a) - wide(b)).cast(dtype),
            Operator::Multiply => return (wide(a) * wide(b)).cast(dtype),
            _ => {}
        }
    }
    let f: fn(i64, i64) -> Option<i64> = match operator {
        Operator::Add => i64::checked_add,
        Operator::Subtract => i64::checked_sub,
        Operator::Multiply => i64::checked_mul,
        Operator::Divide | Operator::Quotient => i64::checked_div,
        Operator::Remainder => |a, b| (b != 0).then(|| a.wrapping_rem(b)),
    };
    map2::<Long, Long, i64>((a, b), dtype, f)
}

/// A finite double, with 0.0 for -0.0.
pub(in crate::expr) fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value + 0.0)
}

fn doubles(operator: Operator, (a, b): (pl::Expr, pl::Expr)) -> pl::Expr {
    let raw = match operator {
        Operator::Add => a + b,
        Operator::Subtract => a - b,
        Operator::Multiply => a * b,
        Operator::Divide => a / b,
        Operator::Quotient | Operator::Remainder => {
            let f = |a: f64, b: f64| finite(a % b);
            return map2::<Double, Double, f64>((a, b), pl::DataType::Float64, f);
        }
    };
    map1::<Double, f64>(raw, pl::DataType::Float64, finite)
}

fn decimals(operator: Operator, operands: (pl::Expr, pl::Expr), (s1, s2): (u8, u8), ty: &Type) -> pl::Expr {
    let Type::Decimal { precision, scale } = *ty else {
        return map2::<Exact, Exact, i64>(operands, ty.to_polars(), move |a, b| {
            let common = s1.max(s2);
            let quotient = decimal::rescale(a, s1, common)?.checked_div(decimal::rescale(b, s2, common)?)?;
            i64::try_from(quotient).ok()
        });
    };
    let fits = move |value: i128| decimal::fits(value, precision).then_some(value);
    let dtype = ty.to_polars();
    let common = move |a, b| Some((decimal::rescale(a, s1, scale)?, decimal::rescale(b, s2, scale)?));
    match operator {
        Operator::Add => map2::<Exact, Exact, i128>(operands, dtype, move |a, b| {
            let (a, b) = common(a, b)?;
            fits(a.checked_add(b)?)
        }),
        Operator::Subtract => map2::<Exact, Exact, i128>(operands, dtype, move |a, b| {
            let (a, b) = common(a, b)?;
            fits(a.checked_sub(b)?)
        }),
        Operator::Multiply => map2::<Exact, Exact, i128>(operands, dtype, move |a, b| fits(a.checked_mul(b)?)),
        Operator::Divide | Operator::Quotient => {
            let shift = u32::from((scale + s2).saturating_sub(s1));
            map2::<Exact, Exact, i128>(operands, dtype, move |a, b| fits(decimal::divide(a, b, shift)?))
        }
        Operator::Remainder => map2::<Exact, Exact, i128>(operands, dtype, move |a, b| {
            let (a, b) = common(a, b)?;
            if b == 0 { None } else { fits(a % b) }
        }),
    }
}
