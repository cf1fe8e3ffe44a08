//! Values in rules: checked against the column's type and brought to one form.

use chrono::{DateTime, NaiveDate, NaiveDateTime, SecondsFormat, TimeZone, Utc};

use crate::expr::Type;
use crate::project::reader::{File, Text};

/// The value as text of the column's type: plain digits, `2026-01-31`, or `2026-01-31T00:00:00.000000Z`; or a fault.
pub(super) fn check(file: &File, text: &Text, key: &str, ty: &Type, timezone: chrono_tz::Tz) -> Option<String> {
    let found = normal(text.value.trim(), ty, timezone);
    if found.is_none() {
        file.fault(text.mark, format!("`{key}: {}` is no value of type {ty}", text.value));
    }
    if *ty == Type::String { Some(text.value.clone()) } else { found }
}

fn normal(text: &str, ty: &Type, timezone: chrono_tz::Tz) -> Option<String> {
    match ty {
        Type::TinyInt => text.parse::<i8>().ok().map(|value| value.to_string()),
        Type::SmallInt => text.parse::<i16>().ok().map(|value| value.to_string()),
        Type::Int => text.parse::<i32>().ok().map(|value| value.to_string()),
        Type::BigInt => text.parse::<i64>().ok().map(|value| value.to_string()),
        Type::Float | Type::Double => text.parse::<f64>().ok().filter(|value| value.is_finite()).map(|_| text.into()),
        Type::Decimal { precision, scale } => decimal(text, *precision, *scale),
        Type::Boolean => text.to_lowercase().parse::<bool>().ok().map(|value| value.to_string()),
        Type::Date => NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().map(|day| day.to_string()),
        Type::Timestamp => instant(text, timezone).map(|at| at.to_rfc3339_opts(SecondsFormat::Micros, true)),
        Type::String => Some(text.to_owned()),
        Type::Binary | Type::Array(_) | Type::Struct(_) | Type::Null => None,
    }
}

/// Plain digits that the type holds without loss.
fn decimal(text: &str, precision: u8, scale: u8) -> Option<String> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let numeric = whole.chars().chain(fraction.chars()).all(|c| c.is_ascii_digit());
    let fraction = fraction.trim_end_matches('0');
    let room = usize::from(precision - scale);
    let fits = whole.trim_start_matches('0').len() <= room && fraction.len() <= usize::from(scale);
    if !(numeric && fits && !whole.is_empty()) {
        return None;
    }
    let sign = if text.starts_with('-') { "-" } else { "" };
    let point = if fraction.is_empty() { "" } else { "." };
    Some(format!("{sign}{whole}{point}{fraction}"))
}

/// An instant; without a zone it is one of the project's time zone.
fn instant(text: &str, timezone: chrono_tz::Tz) -> Option<DateTime<Utc>> {
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Some(at.to_utc());
    }
    let local = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"]
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
        .or_else(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0))?;
    timezone.from_local_datetime(&local).earliest().map(|at| at.to_utc())
}
