//! Values as people read them, and whole rows as JSON text.

use std::fmt::Write;

use chrono::{DateTime, NaiveDate, TimeDelta};
use polars::prelude::{AnyValue, Column, TimeUnit};

/// A value as text; `None` for NULL. Arrays and objects are JSON.
pub(super) fn text(value: &AnyValue) -> Option<String> {
    match value {
        AnyValue::Null => None,
        AnyValue::String(text) => Some((*text).to_owned()),
        AnyValue::StringOwned(text) => Some(text.to_string()),
        _ => scalar(value).or_else(|| {
            let mut out = String::new();
            write_json(value, &mut out);
            Some(out)
        }),
    }
}

/// Row `row` of `columns` as a JSON object, each column under the name beside it. Numbers keep all their digits. Without
/// what is NULL: a column that the row's file did not have, and that came to bronze later, must not change the text.
pub(super) fn json_row<'a>(columns: impl Iterator<Item = (&'a str, &'a Column)>, row: usize) -> String {
    let values = columns.map(|(name, column)| (name, column.get(row).unwrap_or(AnyValue::Null)));
    let mut out = String::from("{");
    for (i, (name, value)) in values.filter(|(_, value)| !matches!(value, AnyValue::Null)).enumerate() {
        write_comma(i, &mut out);
        write_string(name, &mut out);
        out.push(':');
        write_json(&value, &mut out);
    }
    out.push('}');
    out
}

/// A value that is neither text nor nested.
fn scalar(value: &AnyValue) -> Option<String> {
    Some(match value {
        AnyValue::Boolean(v) => v.to_string(),
        AnyValue::Int8(v) => v.to_string(),
        AnyValue::Int16(v) => v.to_string(),
        AnyValue::Int32(v) => v.to_string(),
        AnyValue::Int64(v) => v.to_string(),
        AnyValue::Float32(v) => format!("{v:?}"),
        AnyValue::Float64(v) => format!("{v:?}"),
        AnyValue::Decimal(unscaled, _, scale) => decimal(*unscaled, *scale),
        AnyValue::Date(days) => date(*days)?,
        AnyValue::Datetime(v, unit, _) => instant(*v, *unit)?,
        AnyValue::DatetimeOwned(v, unit, _) => instant(*v, *unit)?,
        _ => return None,
    })
}

fn decimal(unscaled: i128, scale: usize) -> String {
    let sign = if unscaled < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", unscaled.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    let point = if scale == 0 { "" } else { "." };
    format!("{sign}{whole}{point}{fraction}")
}

fn date(days: i32) -> Option<String> {
    let epoch = NaiveDate::from_ymd_opt(1970, 1, 1)?;
    Some(epoch.checked_add_signed(TimeDelta::days(i64::from(days)))?.to_string())
}

fn instant(value: i64, unit: TimeUnit) -> Option<String> {
    let instant = match unit {
        TimeUnit::Nanoseconds => DateTime::from_timestamp_nanos(value),
        TimeUnit::Microseconds => DateTime::from_timestamp_micros(value)?,
        TimeUnit::Milliseconds => DateTime::from_timestamp_millis(value)?,
    };
    let text = instant.format("%Y-%m-%dT%H:%M:%S%.9f").to_string();
    Some(format!("{}Z", text.trim_end_matches('0').trim_end_matches('.')))
}

fn write_json(value: &AnyValue, out: &mut String) {
    match value {
        AnyValue::Null => out.push_str("null"),
        AnyValue::String(text) => write_string(text, out),
        AnyValue::StringOwned(text) => write_string(text, out),
        AnyValue::Binary(bytes) => write_hex(bytes, out),
        AnyValue::BinaryOwned(bytes) => write_hex(bytes, out),
        AnyValue::List(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                write_comma(i, out);
                write_json(&item, out);
            }
            out.push(']');
        }
        AnyValue::Struct(_, _, fields) => {
            write_object(fields.iter().map(|f| f.name().as_str()), value._iter_struct_av(), out)
        }
        AnyValue::StructOwned(parts) => {
            write_object(parts.1.iter().map(|f| f.name().as_str()), parts.0.iter().cloned(), out);
        }
        AnyValue::Boolean(_) | AnyValue::Decimal(..) => out.push_str(&scalar(value).unwrap_or_default()),
        // JSON has no NaN and no infinity
        AnyValue::Float32(v) if !v.is_finite() => write_string(&v.to_string(), out),
        AnyValue::Float64(v) if !v.is_finite() => write_string(&v.to_string(), out),
        _ if value.is_primitive_numeric() => out.push_str(&scalar(value).unwrap_or_default()),
        _ => write_string(&scalar(value).unwrap_or_else(|| value.to_string()), out),
    }
}

fn write_object<'a, 'v>(
    names: impl Iterator<Item = &'a str>,
    values: impl Iterator<Item = AnyValue<'v>>,
    out: &mut String,
) {
    out.push('{');
    for (i, (name, value)) in names.zip(values).enumerate() {
        write_comma(i, out);
        write_string(name, out);
        out.push(':');
        write_json(&value, out);
    }
    out.push('}');
}

fn write_comma(position: usize, out: &mut String) {
    if position > 0 {
        out.push(',');
    }
}

fn write_string(text: &str, out: &mut String) {
    out.push_str(&serde_json::Value::from(text).to_string());
}

fn write_hex(bytes: &[u8], out: &mut String) {
    out.push('"');
    for byte in bytes {
        // writing to a String cannot fail
        let _ = write!(out, "{byte:02x}");
    }
    out.push('"');
}
