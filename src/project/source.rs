//! Bronze tables: `source:` and what stands in it.

use std::time::Duration;

use globset::GlobBuilder;

use super::limits;
use super::model::{ChangedFiles, CsvOptions, Format, Limits, SameContent, Source};
use super::reader::{File, Map, Text};
use super::yaml::{Kind, Node, Scalar, Value};

const KEYS: [&str; 7] = ["path", "format", "csv", "changed_files", "same_content", "settle", "limits"];
const CSV_KEYS: [&str; 5] = ["delimiter", "quote", "header", "encoding", "null_values"];

/// The word in `format:`.
#[derive(Clone, Copy, PartialEq)]
enum FormatName {
    Csv,
    Ndjson,
    Parquet,
}

/// Reads `source:`.
pub(super) fn read(file: &File, node: &Node) -> Option<Source> {
    let map = file.map(node, "`source`", &KEYS)?;
    let path = path(&map);
    let format = format(&map);
    let changed_files = choice_or(
        &map,
        "changed_files",
        &[("reject", ChangedFiles::Reject), ("new_version", ChangedFiles::NewVersion)],
        ChangedFiles::Reject,
    );
    let same_content =
        choice_or(&map, "same_content", &[("take", SameContent::Take), ("skip", SameContent::Skip)], SameContent::Take);
    let settle = match map.get("settle") {
        None => Some(Duration::ZERO),
        Some(_) => map.text("settle").and_then(|text| duration(file, &text)),
    };
    let limits = map.get("limits").map_or(Some(Limits::default()), |node| limits::read(file, node));
    Some(Source {
        path: path?,
        format: format?,
        changed_files: changed_files?,
        same_content: same_content?,
        settle: settle?,
        limits: limits?,
    })
}

fn choice_or<T: Copy>(map: &Map, key: &str, choices: &[(&str, T)], default: T) -> Option<T> {
    match map.get(key) {
        None => Some(default),
        Some(_) => map.choice(key, choices),
    }
}

fn path(map: &Map) -> Option<String> {
    map.required("path", "a pattern within the landing folder, e.g. `path: orders/*.csv`")?;
    let text = map.text("path")?;
    let outside = text.value.starts_with('/') || text.value.contains("://") || text.value.split('/').any(|p| p == "..");
    if outside {
        let hint = "write it relative to `landing` of the environment".to_owned();
        map.file.hinted(text.mark, format!("`{}` leads out of the landing folder", text.value), Some(hint));
        return None;
    }
    if let Err(error) = GlobBuilder::new(&text.value).literal_separator(true).build() {
        map.file.fault(text.mark, format!("`{}` is no pattern: {}", text.value, error.kind()));
        return None;
    }
    Some(text.value)
}

fn format(map: &Map) -> Option<Format> {
    let choices = [("csv", FormatName::Csv), ("ndjson", FormatName::Ndjson), ("parquet", FormatName::Parquet)];
    map.required("format", "one of: csv, ndjson, parquet")?;
    let name = map.choice("format", &choices);
    let options = match map.get("csv") {
        None => Some(CsvOptions::default()),
        Some(node) => csv(map.file, node),
    };
    match name? {
        FormatName::Csv => options.map(Format::Csv),
        other => {
            if let Some((key, _)) = map.entry("csv") {
                map.file.fault(key.mark, "`csv` describes files of `format: csv` only");
                return None;
            }
            Some(if other == FormatName::Ndjson { Format::Ndjson } else { Format::Parquet })
        }
    }
}

fn csv(file: &File, node: &Node) -> Option<CsvOptions> {
    let map = file.map(node, "`csv`", &CSV_KEYS)?;
    let default = CsvOptions::default();
    let delimiter = map.get("delimiter").map_or(Some(default.delimiter), |_| delimiter(&map));
    let quote = map.get("quote").map_or(Some(default.quote), |node| quote(&map, node));
    let header = map.get("header").map_or(Some(default.header), |_| map.boolean("header"));
    let encoding = map.get("encoding").map_or(Some(default.encoding), |_| encoding(&map));
    let null_values = map.get("null_values").map_or(Some(Vec::new()), |_| {
        map.texts("null_values").map(|texts| texts.into_iter().map(|text| text.value).collect())
    });
    let options = CsvOptions {
        delimiter: delimiter?,
        quote: quote?,
        header: header?,
        encoding: encoding?,
        null_values: null_values?,
    };
    if options.quote == Some(options.delimiter) {
        file.fault(map.mark, "`delimiter` and `quote` must differ");
        return None;
    }
    Some(options)
}

fn delimiter(map: &Map) -> Option<u8> {
    let text = map.text("delimiter")?;
    let found = one_byte(&text.value);
    if found.is_none() {
        let hint = "one ASCII character, e.g. `\";\"`, or `\"\\t\"` for a tab".to_owned();
        map.file.hinted(text.mark, format!("`{}` cannot be the delimiter", text.value), Some(hint));
    }
    found
}

/// Null or the empty text: there are no quotes.
fn quote(map: &Map, node: &Node) -> Option<Option<u8>> {
    match &node.value {
        Value::Scalar(Scalar { kind: Kind::Null, .. }) => return Some(None),
        Value::Scalar(Scalar { text, .. }) if text.is_empty() => return Some(None),
        _ => {}
    }
    let text = map.text("quote")?;
    let found = one_byte(&text.value);
    if found.is_none() {
        let hint = "one ASCII character, or null for files without quotes".to_owned();
        map.file.hinted(text.mark, format!("`{}` cannot be the quote", text.value), Some(hint));
    }
    found.map(Some)
}

fn one_byte(text: &str) -> Option<u8> {
    match text.as_bytes() {
        [byte] if byte.is_ascii() && !matches!(byte, b'\n' | b'\r' | 0) => Some(*byte),
        _ => None,
    }
}

fn encoding(map: &Map) -> Option<String> {
    let text = map.text("encoding")?;
    if encoding_rs::Encoding::for_label(text.value.as_bytes()).is_some() {
        return Some(text.value);
    }
    let hint = "a WHATWG label such as `utf-8`, `windows-1252` or `utf-16le`".to_owned();
    map.file.hinted(text.mark, format!("`{}` is no known encoding", text.value), Some(hint));
    None
}

fn duration(file: &File, text: &Text) -> Option<Duration> {
    let span = span(&text.value);
    if span.is_none() {
        let hint = "a whole number and s, m, h, d or w, e.g. `30s`".to_owned();
        file.hinted(text.mark, format!("`{}` is no span of time", text.value), Some(hint));
    }
    span
}

/// Reads a span of time: `90s`, `5m`, `2h`, `30d`, `1w`.
pub fn span(text: &str) -> Option<Duration> {
    let digits = text.chars().take_while(char::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let seconds: u64 = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        "w" => 604_800,
        _ => return None,
    };
    Some(Duration::from_secs(number.parse::<u64>().ok()?.checked_mul(seconds)?))
}

impl Default for CsvOptions {
    fn default() -> Self {
        CsvOptions {
            delimiter: b',',
            quote: Some(b'"'),
            header: true,
            encoding: "utf-8".to_owned(),
            null_values: Vec::new(),
        }
    }
}
