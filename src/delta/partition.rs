//! Values of partition columns as the log spells them
//! (<https://github.com/delta-io/delta/blob/master/PROTOCOL.md#partition-value-serialization>).

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, Utc};
use polars::prelude::{AnyValue, Expr, LiteralValue, Scalar, TimeUnit, TimeZone};

use crate::expr::Type;

/// The literal that a value of the log stands for. The protocol reads an empty text as NULL, whatever the type.
///
/// # Errors
/// The text is no value of the type.
pub(super) fn literal(text: Option<&str>, ty: &Type) -> Result<Expr, String> {
    let value = match text.filter(|text| !text.is_empty()) {
        None => AnyValue::Null,
        Some(text) => parse(text, ty).ok_or_else(|| format!("the partition value {text:?} is no {ty}"))?,
    };
    Ok(Expr::Literal(LiteralValue::Scalar(Scalar::new(ty.to_polars(), value))))
}

fn parse(text: &str, ty: &Type) -> Option<AnyValue<'static>> {
    Some(match ty {
        Type::Boolean => AnyValue::Boolean(text.parse().ok()?),
        Type::TinyInt => AnyValue::Int8(text.parse().ok()?),
        Type::SmallInt => AnyValue::Int16(text.parse().ok()?),
        Type::Int => AnyValue::Int32(text.parse().ok()?),
        Type::BigInt => AnyValue::Int64(text.parse().ok()?),
        Type::Float => AnyValue::Float32(text.parse().ok()?),
        Type::Double => AnyValue::Float64(text.parse().ok()?),
        Type::Decimal { precision, scale } => {
            AnyValue::Decimal(parse_decimal(text, *scale)?, usize::from(*precision), usize::from(*scale))
        }
        Type::String => AnyValue::StringOwned(text.into()),
        Type::Date => {
            let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
            AnyValue::Date(i32::try_from(date.signed_duration_since(NaiveDate::default()).num_days()).ok()?)
        }
        Type::Timestamp => {
            let zone = Some(Arc::new(TimeZone::UTC));
            AnyValue::DatetimeOwned(parse_timestamp(text)?.timestamp_micros(), TimeUnit::Microseconds, zone)
        }
        Type::Binary | Type::Array(_) | Type::Struct(_) | Type::Null => return None,
    })
}

/// `2024-01-31T10:00:00.123456Z`, or the older form with a space and no zone, which is UTC here as in delta-rs.
fn parse_timestamp(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.to_utc());
    }
    NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f").ok().map(|time| time.and_utc())
}

/// The digits of an exact decimal, times 10^scale; `None` if it has more digits after the point.
fn parse_decimal(text: &str, scale: u8) -> Option<i128> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let fraction = fraction.trim_end_matches('0');
    let missing = usize::from(scale).checked_sub(fraction.len())?;
    let value: i128 = format!("{whole}{fraction}{}", "0".repeat(missing)).parse().ok()?;
    Some(if negative { -value } else { value })
}

/// How the log spells a value; `None` for NULL.
///
/// # Errors
/// A value that the log cannot hold: an empty text, which would come back as NULL, or a time beyond year 9999.
pub(super) fn to_text(value: &AnyValue<'_>, ty: &Type) -> Result<Option<String>, String> {
    let text = match (value, ty) {
        (AnyValue::Null, _) => return Ok(None),
        (AnyValue::String(text), _) => (*text).to_owned(),
        (AnyValue::StringOwned(text), _) => text.to_string(),
        (AnyValue::Boolean(value), _) => value.to_string(),
        (AnyValue::Date(days), _) => {
            let date = NaiveDate::default().checked_add_signed(TimeDelta::days(i64::from(*days)));
            date.ok_or("a date out of range cannot be a partition value")?.format("%Y-%m-%d").to_string()
        }
        (AnyValue::Datetime(micros, ..) | AnyValue::DatetimeOwned(micros, ..), _) => {
            let time = DateTime::from_timestamp_micros(*micros);
            time.ok_or("a timestamp out of range cannot be a partition value")?
                .format("%Y-%m-%dT%H:%M:%S%.6fZ")
                .to_string()
        }
        (AnyValue::Decimal(digits, _, _), Type::Decimal { scale, .. }) => decimal_text(*digits, *scale),
        // Debug writes 1e300 where Display writes 300 digits
        (AnyValue::Float32(value), _) if value.is_finite() => format!("{value:?}"),
        (AnyValue::Float64(value), _) if value.is_finite() => format!("{value:?}"),
        (value, _) if value.dtype().is_integer() => {
            value.extract::<i64>().ok_or("an integer beyond 64 bits cannot be a partition value")?.to_string()
        }
        (value, _) => return Err(format!("a {} cannot be a partition value", value.dtype())),
    };
    if text.is_empty() {
        return Err("an empty text cannot be a partition value: Delta reads it as NULL".to_owned());
    }
    Ok(Some(text))
}

/// The folder of a partition, e.g. `day=2024-01-31/region=north%20west/`, as Hive and all after it name them: the log
/// is the truth, but Polars' own Delta reader looks at the path alone.
///
/// # Errors
/// A value whose folder would have a name that file systems do not take.
pub(super) fn folder<'a>(values: impl Iterator<Item = (&'a String, &'a Option<String>)>) -> Result<String, String> {
    let mut path = String::new();
    for (column, value) in values {
        let name = match value {
            Some(text) => format!("{column}={}", escaped(text)),
            None => format!("{column}={NULL_FOLDER}"),
        };
        if name.len() > LONGEST_NAME {
            return Err(format!("a value of `{column}` is too long for a partition: {value:?}"));
        }
        path = format!("{path}{name}/");
    }
    Ok(path)
}

const NULL_FOLDER: &str = "__HIVE_DEFAULT_PARTITION__";
const LONGEST_NAME: usize = 255;

/// Whether a column's name can stand in a folder's without being escaped, which readers do not agree about.
pub(super) fn is_plain(column: &str) -> bool {
    !column.is_empty() && column.bytes().all(is_unreserved)
}

fn escaped(text: &str) -> String {
    let escape = |byte: u8| if is_unreserved(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(escape).collect()
}

/// RFC 3986, 2.3
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

/// The exact text of digits / 10^scale.
pub(super) fn decimal_text(digits: i128, scale: u8) -> String {
    let sign = if digits < 0 { "-" } else { "" };
    let width = usize::from(scale) + 1;
    let text = format!("{:0width$}", digits.unsigned_abs());
    let (whole, fraction) = text.split_at(text.len() - usize::from(scale));
    if scale == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}
