//! Values of rows, as people and JSON have them.

use std::fmt::{self, Write};

use polars::prelude::{AnyValue, TimeUnit};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::Value;

/// As many digits of a decimal as every reader of JSON keeps, who takes numbers for doubles.
const EXACT_DIGITS: usize = 15;

/// A value of a row, whose kind is known without its column.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// as JSON has it
    Plain(Value),
    /// a decimal with all its digits; in JSON a number, or a text where that would lose some
    Decimal(String),
}

/// Values by column, in the order of the columns.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row(pub Vec<(String, Cell)>);

impl Row {
    /// A column's value.
    pub fn get(&self, column: &str) -> Option<&Cell> {
        self.0.iter().find(|(name, _)| name == column).map(|(_, cell)| cell)
    }
}

impl Serialize for Row {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        self.0.iter().try_for_each(|(name, cell)| map.serialize_entry(name, cell))?;
        map.end()
    }
}

impl Cell {
    /// A decimal of so many digits after the point.
    pub fn decimal(unscaled: i128, scale: usize) -> Self {
        Cell::Decimal(decimal(unscaled, scale))
    }

    fn to_json(&self) -> Value {
        match self {
            Cell::Plain(value) => value.clone(),
            Cell::Decimal(text) => number(text),
        }
    }
}

impl From<&AnyValue<'_>> for Cell {
    fn from(value: &AnyValue<'_>) -> Self {
        match value {
            AnyValue::Decimal(unscaled, _, scale) => Cell::decimal(*unscaled, *scale),
            other => Cell::Plain(to_json(other)),
        }
    }
}

impl Serialize for Cell {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_json().serialize(serializer)
    }
}

impl fmt::Display for Cell {
    /// As people read it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cell::Plain(Value::Null) => f.write_str("NULL"),
            Cell::Plain(Value::String(text)) | Cell::Decimal(text) => f.write_str(text),
            Cell::Plain(other) => write!(f, "{other}"),
        }
    }
}

/// A value as JSON has it; a decimal of too many digits is a text.
pub fn to_json(value: &AnyValue<'_>) -> Value {
    match value {
        AnyValue::Decimal(unscaled, _, scale) => number(&decimal(*unscaled, *scale)),
        AnyValue::List(items) => items.iter().map(|item| to_json(&item)).collect(),
        AnyValue::Struct(_, _, fields) => {
            let values = value._iter_struct_av();
            Value::Object(fields.iter().zip(values).map(|(f, v)| (f.name().to_string(), to_json(&v))).collect())
        }
        AnyValue::StructOwned(owned) => {
            Value::Object(owned.1.iter().zip(&owned.0).map(|(f, v)| (f.name().to_string(), to_json(v))).collect())
        }
        other => serde_json::from_str(&json_text(other)).unwrap_or_default(),
    }
}

fn number(text: &str) -> Value {
    let digits = text.chars().filter(char::is_ascii_digit).skip_while(|c| *c == '0').count();
    let number = (digits <= EXACT_DIGITS).then(|| serde_json::from_str(text).ok()).flatten();
    number.unwrap_or_else(|| Value::String(text.to_owned()))
}

/// A value as people read it.
pub fn shown(value: &AnyValue<'_>) -> String {
    match value {
        AnyValue::Null => "NULL".into(),
        AnyValue::String(text) => (*text).into(),
        AnyValue::StringOwned(text) => text.to_string(),
        nested @ (AnyValue::List(_) | AnyValue::Struct(..) | AnyValue::StructOwned(_)) => json_text(nested),
        value => json_text(value).trim_matches('"').into(),
    }
}

/// The JSON of a value. Decimals keep their digits, timestamps are ISO 8601 in UTC, bytes are hexadecimal.
pub fn json_text(value: &AnyValue<'_>) -> String {
    match value {
        AnyValue::Null => "null".into(),
        AnyValue::Boolean(b) => b.to_string(),
        AnyValue::String(text) => quoted(text),
        AnyValue::StringOwned(text) => quoted(text),
        AnyValue::Float32(x) if !x.is_finite() => format!("\"{x}\""),
        AnyValue::Float64(x) if !x.is_finite() => format!("\"{x}\""),
        AnyValue::Float32(x) => serde_json::to_string(x).unwrap_or_default(),
        AnyValue::Float64(x) => serde_json::to_string(x).unwrap_or_default(),
        AnyValue::Decimal(unscaled, _, scale) => decimal(*unscaled, *scale),
        AnyValue::Date(days) => format!("\"{}\"", date(*days)),
        AnyValue::Datetime(at, unit, _) => format!("\"{}\"", instant(*at, *unit)),
        AnyValue::DatetimeOwned(at, unit, _) => format!("\"{}\"", instant(*at, *unit)),
        AnyValue::Binary(bytes) => format!("\"{}\"", hex(bytes)),
        AnyValue::BinaryOwned(bytes) => format!("\"{}\"", hex(bytes)),
        AnyValue::List(items) => {
            let items: Vec<_> = items.iter().map(|v| json_text(&v)).collect();
            format!("[{}]", items.join(", "))
        }
        AnyValue::Struct(..) | AnyValue::StructOwned(_) => struct_json(value),
        number => number.to_string(),
    }
}

fn struct_json(value: &AnyValue<'_>) -> String {
    let members: Vec<String> = match value {
        AnyValue::Struct(_, _, fields) => fields
            .iter()
            .zip(value._iter_struct_av())
            .map(|(f, v)| format!("{}: {}", quoted(f.name()), json_text(&v)))
            .collect(),
        AnyValue::StructOwned(owned) => {
            owned.1.iter().zip(&owned.0).map(|(f, v)| format!("{}: {}", quoted(f.name()), json_text(v))).collect()
        }
        _ => Vec::new(),
    };
    format!("{{{}}}", members.join(", "))
}

/// The JSON of a text.
pub fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

fn decimal(unscaled: i128, scale: usize) -> String {
    let sign = if unscaled < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", unscaled.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

fn date(days: i32) -> String {
    chrono::NaiveDate::from_epoch_days(days).map_or_else(|| format!("{days} days"), |d| d.to_string())
}

fn instant(at: i64, unit: TimeUnit) -> String {
    let micros = match unit {
        TimeUnit::Nanoseconds => at / 1000,
        TimeUnit::Microseconds => at,
        TimeUnit::Milliseconds => at.saturating_mul(1000),
    };
    match chrono::DateTime::from_timestamp_micros(micros) {
        Some(time) if micros % 1_000_000 == 0 => time.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
        Some(time) => time.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string(),
        None => format!("{micros} µs"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_keep_their_digits() {
        assert_eq!(decimal(-5, 2), "-0.05");
        assert_eq!(decimal(123_456, 2), "1234.56");
        assert_eq!(decimal(7, 0), "7");
    }

    #[test]
    fn json_keeps_the_digits_of_a_decimal() {
        let json = |unscaled| serde_json::to_string(&Cell::decimal(unscaled, 2)).unwrap();
        assert_eq!((json(-110), json(5)), ("-1.1".into(), "0.05".into()));
        assert_eq!(json(123_456_789_012_345_678), "\"1234567890123456.78\"");
        assert_eq!(Cell::decimal(-110, 2).to_string(), "-1.10");
    }
}
