//! Rows as a table, as CSV or as JSON.

use std::fmt::Write;
use std::io::IsTerminal;

use polars::prelude::*;

use super::args::Format;
use super::table::{self, records};
use super::{ui, words};

/// Prints rows in a format.
pub fn print(frame: &DataFrame, format: Format) {
    ui::answer(&match format {
        Format::Table => table(frame, ui::width()),
        // A file or another program gets the values as they are.
        Format::Csv if std::io::stdout().is_terminal() => words::clean(&csv(frame).replace("\r\n", "\n")),
        Format::Csv => csv(frame),
        Format::Json => words::plain_json(&json(frame)),
    });
}

fn table(frame: &DataFrame, width: Option<u16>) -> String {
    let columns: Vec<_> = frame
        .columns()
        .iter()
        .map(|c| match c.dtype().is_numeric() {
            true => table::Column::Number(c.name().as_str()),
            false => table::Column::Text(c.name().as_str()),
        })
        .collect();
    let rows: Vec<_> = each_row(frame, |values| values.iter().map(shown).collect());
    records(&columns, &rows, width)
}

fn csv(frame: &DataFrame) -> String {
    let header = frame.columns().iter().map(|c| quoted(c.name())).collect::<Vec<_>>().join(",");
    let rows: Vec<String> = each_row(frame, |values| values.iter().map(csv_field).collect::<Vec<_>>().join(","));
    std::iter::once(header).chain(rows).collect::<Vec<_>>().join("\r\n")
}

/// NULL is an empty field, an empty text is `""`.
fn csv_field(value: &AnyValue<'_>) -> String {
    match value {
        AnyValue::String("") => "\"\"".into(),
        AnyValue::StringOwned(text) if text.is_empty() => "\"\"".into(),
        AnyValue::Null => String::new(),
        value => quoted(&shown(value)),
    }
}

fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.into() }
}

/// An array of objects, a row a line. Decimals keep their digits, timestamps are ISO 8601 in UTC.
pub fn json(frame: &DataFrame) -> String {
    let names: Vec<String> = frame.columns().iter().map(|c| text_json(c.name())).collect();
    let rows: Vec<String> = each_row(frame, |values| {
        let members: Vec<_> = names.iter().zip(values).map(|(n, v)| format!("{n}: {}", value_json(v))).collect();
        format!("  {{{}}}", members.join(", "))
    });
    if rows.is_empty() { "[]".into() } else { format!("[\n{}\n]", rows.join(",\n")) }
}

fn each_row<T>(frame: &DataFrame, row: impl Fn(&[AnyValue<'_>]) -> T) -> Vec<T> {
    (0..frame.height())
        .map(|i| {
            let values: Vec<_> = frame.columns().iter().map(|c| c.get(i).unwrap_or(AnyValue::Null)).collect();
            row(&values)
        })
        .collect()
}

/// A value as people read it.
pub fn shown(value: &AnyValue<'_>) -> String {
    match value {
        AnyValue::Null => "NULL".into(),
        AnyValue::String(text) => (*text).into(),
        AnyValue::StringOwned(text) => text.to_string(),
        nested @ (AnyValue::List(_) | AnyValue::Struct(..) | AnyValue::StructOwned(_)) => value_json(nested),
        value => value_json(value).trim_matches('"').into(),
    }
}

/// A value as JSON has it.
pub fn to_json(value: &AnyValue<'_>) -> serde_json::Value {
    serde_json::from_str(&value_json(value)).unwrap_or_default()
}

fn value_json(value: &AnyValue<'_>) -> String {
    match value {
        AnyValue::Null => "null".into(),
        AnyValue::Boolean(b) => b.to_string(),
        AnyValue::String(text) => text_json(text),
        AnyValue::StringOwned(text) => text_json(text),
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
            let items: Vec<_> = items.iter().map(|v| value_json(&v)).collect();
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
            .map(|(f, v)| format!("{}: {}", text_json(f.name()), value_json(&v)))
            .collect(),
        AnyValue::StructOwned(owned) => {
            owned.1.iter().zip(&owned.0).map(|(f, v)| format!("{}: {}", text_json(f.name()), value_json(v))).collect()
        }
        _ => Vec::new(),
    };
    format!("{{{}}}", members.join(", "))
}

fn text_json(text: &str) -> String {
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
    fn json_is_an_array_of_objects() {
        let frame = df!("a" => [Some(1i64), None], "b" => ["x\"y", ""]).unwrap();
        assert_eq!(json(&frame), "[\n  {\"a\": 1, \"b\": \"x\\\"y\"},\n  {\"a\": null, \"b\": \"\"}\n]");
        assert_eq!(json(&frame.head(Some(0))), "[]");
    }

    #[test]
    fn csv_keeps_null_apart_from_empty() {
        let frame = df!("a" => [Some("x,y"), None, Some("")]).unwrap();
        assert_eq!(csv(&frame), "a\r\n\"x,y\"\r\n\r\n\"\"");
    }
}
