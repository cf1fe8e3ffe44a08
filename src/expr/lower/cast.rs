//! Casts: what does not fit, or would lose digits, is a fault.

use polars::prelude as pl;
use polars::prelude::{AnyValue, DataType, PolarsResult, Series};

use super::{Lowered, first_fault, null};
use crate::expr::calendar;
use crate::expr::decimal;
use crate::expr::kernel::{Bool, Double, Exact, Long, Output as _, Single, Text, columns, map1};
use crate::expr::tree::Cast;
use crate::expr::types::Type;

/// The most characters of a value that a message shows.
const SHOWN: usize = 40;

pub(super) fn lower(cast: &Cast, to: &Type) -> Lowered {
    let input = cast.input.lower();
    let from = &cast.input.ty;
    let value = value(input.value.clone(), from, to, cast.timezone.map_or(chrono_tz::Tz::UTC, |zone| zone.0));
    if cast.null_on_failure {
        return Lowered { value, fault: input.fault };
    }
    let own = can_fail(from, to).then(|| reason(input.value, value.clone(), to));
    Lowered { value, fault: first_fault([input.fault, own]) }
}

fn can_fail(from: &Type, to: &Type) -> bool {
    let bytes = |ty: &Type| match ty {
        Type::TinyInt => 1,
        Type::SmallInt => 2,
        Type::Int => 4,
        _ => 8,
    };
    match (from, to) {
        (Type::Null | Type::Boolean, _) => false,
        // other writers' tables may hold years that ours cannot
        (Type::Date | Type::Timestamp, _) => true,
        (_, Type::String) => false,
        (from, to) if from.is_integer() && to.is_integer() => bytes(from) > bytes(to),
        (from, Type::Double) if from.is_numeric() => false,
        (from, Type::Float) if from.is_integer() || *from == Type::Float => false,
        (Type::Decimal { precision: p1, scale: s1 }, Type::Decimal { precision: p2, scale: s2 }) => {
            s2 < s1 || p2 - s2 < p1 - s1
        }
        _ => true,
    }
}

fn value(e: pl::Expr, from: &Type, to: &Type, zone: chrono_tz::Tz) -> pl::Expr {
    let dtype = to.to_polars();
    match (from, to) {
        (Type::Null, _) => null(dtype),
        (Type::String, to) => of_text(e, to, zone),
        (from, Type::String) => to_text(e, from),
        (from, Type::Decimal { precision, scale }) => to_decimal(e, from, *precision, *scale),
        (Type::Decimal { scale, .. }, to) => of_decimal(e, *scale, to),
        (Type::Date, _) => map1::<Long, i64>(e, dtype, calendar::midnight),
        (Type::Timestamp, _) => map1::<Long, i64>(e, dtype, |micros| Some(calendar::day_of(micros))),
        (from, Type::Boolean) if from.is_integer() => map1::<Long, bool>(e, dtype, |i| match i {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }),
        (from, to) if from.is_floating() && to.is_integer() => map1::<Double, i64>(e, dtype, whole),
        (Type::Double, Type::Float) => map1::<Double, f64>(e, dtype, narrow),
        // -0.0 + 0.0 is 0.0
        (from, to) if from.is_floating() && to.is_floating() => map1::<Double, f64>(e, dtype, |d| Some(d + 0.0)),
        // integers and booleans: Polars' cast gives null where the value does not fit
        _ => e.cast(dtype),
    }
}

/// A double that is a whole number of 64 bits.
fn whole(value: f64) -> Option<i64> {
    // both bounds are exact doubles; the upper one is the first that does not fit
    let in_range = (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&value);
    #[allow(clippy::cast_possible_truncation)]
    (in_range && value.fract() == 0.0).then_some(value as i64)
}

/// The double, unless a float would be infinite.
#[allow(clippy::cast_possible_truncation)]
fn narrow(value: f64) -> Option<f64> {
    ((value as f32).is_finite() || !value.is_finite()).then_some(value + 0.0)
}

fn of_text(e: pl::Expr, to: &Type, zone: chrono_tz::Tz) -> pl::Expr {
    let dtype = to.to_polars();
    match *to {
        Type::Boolean => map1::<Text, bool>(e, dtype, boolean),
        Type::Decimal { precision, scale } => map1::<Text, i128>(e, dtype, move |text| {
            decimal::parse(text, scale).filter(|value| decimal::fits(*value, precision))
        }),
        Type::Double => map1::<Text, f64>(e, dtype, double),
        Type::Float => map1::<Text, f64>(e, dtype, single),
        Type::Date => map1::<Text, i64>(e, dtype, calendar::parse_date),
        Type::Timestamp => map1::<Text, i64>(e, dtype, move |text| calendar::parse_timestamp(text, zone)),
        _ => map1::<Text, i64>(e, dtype, |text| i64::try_from(decimal::parse(text, 0)?).ok()),
    }
}

fn boolean(text: &str) -> Option<bool> {
    let is = |words: &[&str]| words.iter().any(|word| text.trim_ascii().eq_ignore_ascii_case(word));
    if is(&["true", "t", "yes", "y", "1"]) {
        return Some(true);
    }
    is(&["false", "f", "no", "n", "0"]).then_some(false)
}

/// The nearest double; `NaN`, which a contract may allow; no infinity.
fn double(text: &str) -> Option<f64> {
    if text.trim_ascii().eq_ignore_ascii_case("nan") {
        return Some(f64::NAN);
    }
    super::arithmetic::finite(numeral(text)?.parse().ok()?)
}

fn single(text: &str) -> Option<f64> {
    if text.trim_ascii().eq_ignore_ascii_case("nan") {
        return Some(f64::NAN);
    }
    // straight from the text: by way of a double it would be rounded twice
    let value: f32 = numeral(text)?.parse().ok()?;
    super::arithmetic::finite(f64::from(value))
}

/// Without blanks, and no word such as `inf`, which Rust reads too.
fn numeral(text: &str) -> Option<&str> {
    let text = text.trim_ascii();
    text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E')).then_some(text)
}

fn to_text(e: pl::Expr, from: &Type) -> pl::Expr {
    let dtype = DataType::String;
    match *from {
        Type::Boolean => map1::<Bool, String>(e, dtype, |b| Some(b.to_string())),
        Type::Double => map1::<Double, String>(e, dtype, |d| Some(format!("{:?}", d + 0.0))),
        Type::Float => map1::<Single, String>(e, dtype, |f| Some(format!("{:?}", f + 0.0))),
        Type::Decimal { scale, .. } => map1::<Exact, String>(e, dtype, move |v| Some(decimal::format(v, scale))),
        Type::Date => map1::<Long, String>(e, dtype, calendar::format_date),
        Type::Timestamp => map1::<Long, String>(e, dtype, calendar::format_timestamp),
        _ => map1::<Long, String>(e, dtype, |i| Some(i.to_string())),
    }
}

fn to_decimal(e: pl::Expr, from: &Type, precision: u8, scale: u8) -> pl::Expr {
    let dtype = DataType::Decimal(usize::from(precision), usize::from(scale));
    let fits = move |value: i128| decimal::fits(value, precision).then_some(value);
    match *from {
        Type::Decimal { scale: s, .. } => map1::<Exact, i128>(e, dtype, move |v| fits(decimal::rescale(v, s, scale)?)),
        // the shortest decimal that is this double, which is the one that it was written as
        Type::Double => map1::<Double, i128>(e, dtype, move |d| fits(decimal::parse(&format!("{d:e}"), scale)?)),
        Type::Float => map1::<Single, i128>(e, dtype, move |f| fits(decimal::parse(&format!("{f:e}"), scale)?)),
        _ => map1::<Long, i128>(e, dtype, move |i| fits(decimal::rescale(i128::from(i), 0, scale)?)),
    }
}

fn of_decimal(e: pl::Expr, scale: u8, to: &Type) -> pl::Expr {
    let dtype = to.to_polars();
    match to {
        Type::Double => map1::<Exact, f64>(e, dtype, move |v| Some(decimal::to_double(v, scale))),
        Type::Float => map1::<Exact, f64>(e, dtype, move |v| narrow(decimal::to_double(v, scale))),
        _ => map1::<Exact, i64>(e, dtype, move |v| i64::try_from(decimal::rescale(v, scale, 0)?).ok()),
    }
}

/// `cannot cast 'abc' to int`, where the value is null and the input is not.
fn reason(input: pl::Expr, value: pl::Expr, to: &Type) -> pl::Expr {
    let to = to.to_string();
    columns(vec![input, value], DataType::String, move |columns| {
        let (input, value) = (columns[0].as_materialized_series(), columns[1].as_materialized_series());
        let failed = input.is_not_null() & value.is_null();
        if !failed.any() {
            return Ok(Series::full_null(input.name().clone(), input.len(), &DataType::String));
        }
        let reasons: PolarsResult<Vec<Option<String>>> = failed
            .iter()
            .enumerate()
            .map(|(row, failed)| {
                if failed != Some(true) {
                    return Ok(None);
                }
                let shown = shown(&input.get(row)?);
                Ok(Some(format!("cannot cast {shown} to {to}")))
            })
            .collect();
        String::column(reasons?.into_iter(), &DataType::String)
    })
}

fn shown(value: &AnyValue<'_>) -> String {
    match value {
        AnyValue::Float64(d) => format!("{d:?}"),
        AnyValue::Float32(f) => format!("{f:?}"),
        // only such a one has no cast, and Polars panics when it shows one
        AnyValue::Date(_) | AnyValue::Datetime(..) | AnyValue::DatetimeOwned(..) => {
            "a time outside of the years 0001 to 9999".to_owned()
        }
        value => value.get_str().map_or_else(|| value.to_string(), |text| format!("'{}'", clip(text))),
    }
}

/// The beginning of a long text.
fn clip(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
