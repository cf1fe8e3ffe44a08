//! Rows as a table, as CSV or as JSON.

use std::io::IsTerminal;

use polars::prelude::*;

use super::args::Format;
use super::table::{self, records};
use super::{ui, words};
use crate::report::value::{json_text as value_json, quoted as text_json};
pub use crate::report::value::{shown, to_json};

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

#[cfg(test)]
mod tests {
    use super::*;

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
