//! `quality` of a property: the library rules that say something of each single value.
//! <https://bitol-io.github.io/open-data-contract-standard/latest/data-quality>

use super::{Reading, literal, rules};
use crate::expr::Type;
use crate::project::model::Rule;
use crate::project::reader::{Map, Text};
use crate::project::yaml::{Mark, Value};

/// What a rule comes to.
pub(super) enum Judged {
    Rule(Rule),
    /// each value comes once; the table's key may see to it
    Unique(Mark),
}

/// The enforceable rules; the others are warnings.
pub(super) fn read(reading: &Reading, property: &Map, ty: &Type) -> Vec<Judged> {
    let Some(node) = property.get("quality") else { return Vec::new() };
    let Value::Sequence(items) = &node.value else {
        property.file.wrong_kind(node, "`quality`", "a list");
        return Vec::new();
    };
    let maps = items.iter().filter_map(|item| property.file.open_map(item, "a quality rule"));
    maps.flat_map(|map| one(reading, &map, ty)).collect()
}

fn one(reading: &Reading, map: &Map, ty: &Type) -> Vec<Judged> {
    let metric = map.text("metric").map(|text| text.value);
    if let Some(reason) = unenforceable(map) {
        return warn(map, metric.as_deref(), reason);
    }
    match metric.as_deref() {
        Some("nullValues") => vec![Judged::Rule(Rule::Required)],
        Some("duplicateValues") if map.get("arguments").is_none() => vec![Judged::Unique(map.mark)],
        Some("invalidValues") => invalid_values(reading, map, ty),
        _ => warn(map, metric.as_deref(), "it says nothing of a single value"),
    }
}

/// Why a rule cannot be held against each value.
fn unenforceable(map: &Map) -> Option<&'static str> {
    let kind = map.text("type").map(|text| text.value.to_lowercase());
    if kind.is_some_and(|kind| kind != "library") || map.get("metric").is_none() {
        return Some("only library metrics are");
    }
    let severity = map.text("severity").map(|text| text.value.to_lowercase());
    if severity.is_some_and(|severity| severity == "info" || severity == "warning") {
        return Some("its severity asks for less than quarantine");
    }
    let zero = ["mustBe", "mustBeLessOrEqualTo"]
        .iter()
        .any(|key| map.get(key).is_some() && map.text(key).is_some_and(|text| text.value.parse() == Ok(0.0)));
    (!zero).then_some("only `mustBe: 0` can be held against each row")
}

fn invalid_values(reading: &Reading, map: &Map, ty: &Type) -> Vec<Judged> {
    let arguments = map.get("arguments").and_then(|node| map.file.open_map(node, "`arguments`"));
    let Some(arguments) = arguments else { return warn(map, Some("invalidValues"), "it has no `arguments`") };
    let mut judged = Vec::new();
    for (key, node) in arguments.entries {
        match key.text.as_str() {
            "validValues" => judged.extend(valid_values(reading, &arguments, ty).map(Judged::Rule)),
            "pattern" if *ty == Type::String => {
                let pattern = arguments.text("pattern").and_then(|text| rules::pattern(&arguments, &text));
                judged.extend(pattern.map(Rule::Pattern).map(Judged::Rule));
            }
            other => {
                map.file.warn(node.mark, format!("the argument `{other}` of invalidValues is not enforced"), None);
            }
        }
    }
    judged
}

fn valid_values(reading: &Reading, arguments: &Map, ty: &Type) -> Option<Rule> {
    let texts = arguments.texts("validValues")?;
    if matches!(ty, Type::Array(_) | Type::Struct(_) | Type::Binary) {
        let (key, _) = arguments.entry("validValues")?;
        arguments.file.fault(key.mark, format!("`validValues` does not fit a column of type {ty}"));
        return None;
    }
    let check = |text: &Text| literal::check(arguments.file, text, "validValues", ty, reading.timezone);
    let values: Vec<Option<String>> = texts.iter().map(check).collect();
    values.into_iter().collect::<Option<Vec<_>>>().map(Rule::ValidValues)
}

fn warn(map: &Map, metric: Option<&str>, reason: &str) -> Vec<Judged> {
    let name = map.text("name").map(|text| text.value).or(metric.map(str::to_owned));
    let what = name.map_or("a quality rule".to_owned(), |name| format!("the quality rule `{name}`"));
    map.file.warn(map.mark, format!("{what} is not enforced: {reason}"), None);
    Vec::new()
}
