//! `logicalTypeOptions` as rules on a value.

use super::{Reading, literal};
use crate::expr::Type;
use crate::project::model::Rule;
use crate::project::reader::{Map, Text};

const KNOWN: [&str; 17] = [
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "pattern",
    "format",
    "timezone",
    "defaultTimezone",
    "multipleOf",
    "uniqueItems",
    "minProperties",
    "maxProperties",
    "required",
];

/// The rules of a property's options. What cannot be enforced is a warning.
pub(super) fn read(reading: &Reading, property: &Map, ty: &Type) -> Vec<Rule> {
    let Some(node) = property.get("logicalTypeOptions") else { return Vec::new() };
    let Some(map) = property.file.map(node, "`logicalTypeOptions`", &KNOWN) else { return Vec::new() };
    map.entries.iter().filter_map(|(key, _)| rule(reading, &map, &key.text, ty)).collect()
}

fn rule(reading: &Reading, map: &Map, key: &str, ty: &Type) -> Option<Rule> {
    let bound = |make: fn(String) -> Rule| {
        let text = map.text(key)?;
        literal::check(map.file, &text, key, ty, reading.timezone).map(make)
    };
    let length = |make: fn(u64) -> Rule| whole_number(map, key).map(make);
    match (key, ty) {
        ("minimum", _) if is_ordered(ty) => bound(Rule::Minimum),
        ("maximum", _) if is_ordered(ty) => bound(Rule::Maximum),
        ("exclusiveMinimum", _) if is_ordered(ty) => bound(Rule::ExclusiveMinimum),
        ("exclusiveMaximum", _) if is_ordered(ty) => bound(Rule::ExclusiveMaximum),
        ("minLength", Type::String) | ("minItems", Type::Array(_)) => length(Rule::MinLength),
        ("maxLength", Type::String) | ("maxItems", Type::Array(_)) => length(Rule::MaxLength),
        ("pattern", Type::String) => pattern(map, &map.text(key)?).map(Rule::Pattern),
        ("timezone", Type::Timestamp) => None,
        ("defaultTimezone", Type::Timestamp) => default_timezone(reading, map),
        ("format", _) => format(map, ty),
        (
            "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" | "minLength" | "maxLength" | "minItems"
            | "maxItems" | "pattern",
            _,
        ) => {
            let (found, _) = map.entry(key)?;
            map.file.fault(found.mark, format!("`{key}` does not fit a column of type {ty}"));
            None
        }
        _ if KNOWN.contains(&key) => not_enforced(map, key),
        _ => None,
    }
}

fn is_ordered(ty: &Type) -> bool {
    ty.is_numeric() || matches!(ty, Type::Date | Type::Timestamp)
}

fn whole_number(map: &Map, key: &str) -> Option<u64> {
    let text = map.text(key)?;
    let found = text.value.parse().ok();
    if found.is_none() {
        map.file.fault(text.mark, format!("`{key}` must be a whole number"));
    }
    found
}

/// Checks a pattern. The standard speaks of ECMA-262; what the crate regex lacks of it is a fault, never ignored.
pub(super) fn pattern(map: &Map, text: &Text) -> Option<String> {
    match regex::Regex::new(&text.value) {
        Ok(_) => Some(text.value.clone()),
        Err(error) => {
            let reason = error.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            let hint = "the syntax is that of RE2: no look-around, no back-references".to_owned();
            map.file.hinted(text.mark, format!("`{}` is no regular expression: {reason}", text.value), Some(hint));
            None
        }
    }
}

fn default_timezone(reading: &Reading, map: &Map) -> Option<Rule> {
    let text = map.text("defaultTimezone")?;
    let zone = text.value.parse::<chrono_tz::Tz>().ok();
    let same = zone == Some(reading.timezone) || zone.is_some_and(is_utc) && is_utc(reading.timezone);
    if !same {
        let hint = format!("texts without a zone are read in the project's `timezone: {}`", reading.timezone);
        map.file.warn(text.mark, format!("`defaultTimezone: {}` is not used", text.value), Some(hint));
    }
    None
}

fn is_utc(zone: chrono_tz::Tz) -> bool {
    matches!(zone, chrono_tz::UTC | chrono_tz::Etc::UTC)
}

/// The form of a text in the source; ISO 8601 needs no word.
fn format(map: &Map, ty: &Type) -> Option<Rule> {
    let text = map.text("format")?;
    let iso = match ty {
        Type::Date => text.value == "yyyy-MM-dd",
        Type::Timestamp => {
            let plain = text.value.replace('\'', "");
            ["yyyy-MM-ddTHH:mm:ss", "yyyy-MM-dd HH:mm:ss"].iter().any(|iso| plain.starts_with(iso))
        }
        _ => false,
    };
    if !iso {
        let hint = match ty {
            Type::Date => "say how to read it, e.g. `columns: { day: \"to_date(day, '%d.%m.%Y')\" }`",
            Type::Timestamp => "say how to read it, e.g. `columns: { at: \"to_timestamp(at, '%d.%m.%Y %H:%M')\" }`",
            _ => "use `pattern` to have it checked",
        };
        map.file.warn(text.mark, format!("`format: {}` is not enforced", text.value), Some(hint.to_owned()));
    }
    None
}

fn not_enforced(map: &Map, key: &str) -> Option<Rule> {
    let (found, _) = map.entry(key)?;
    map.file.warn(found.mark, format!("`{key}` is not enforced"), None);
    None
}
