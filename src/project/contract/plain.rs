//! Contracts of plain words, which the crate odcs finds nothing in.
//!
//! odcs compiles the JSON Schema of the standard before it looks at the first contract, which takes longer than a whole
//! run with nothing to do. Most contracts hold a handful of keys with plain values; of these it is known what the
//! standard says. Whatever else a contract holds, odcs judges. A test compares the two on contracts made by chance.

use crate::project::yaml::{Key, Kind, Node, Scalar, Value};

type Entries = [(Key, Node)];

/// Whether odcs would find nothing in the contract `text`, which is `node`. `false` if that cannot be told at a glance.
pub(super) fn is_plain(text: &str, node: &Node) -> bool {
    // tags, anchors and directives do not stand in the tree
    let readable_alike = text.len() < 1 << 20 && !text.contains(['!', '&', '%', '\u{feff}', '\t']);
    readable_alike && entries(node).is_some_and(is_contract)
}

fn is_contract(entries: &Entries) -> bool {
    let required = ["version", "apiVersion", "kind", "id", "status"];
    required.iter().all(|key| has(entries, key))
        && entries.iter().all(|(key, node)| match key.text.as_str() {
            "version" => is_text(node) || is_version(node),
            "apiVersion" => is_one_of(node, &["v3.1.0"]),
            "kind" => is_one_of(node, &["DataContract"]),
            "id" | "status" | "name" | "tenant" | "domain" => is_text(node),
            "description" => all(node, |key, node| ["usage", "purpose", "limitations"].contains(&key) && is_text(node)),
            "team" => all(node, |key, node| key == "name" && is_text(node)),
            "schema" => items(node).is_some_and(|objects| objects.len() == 1 && objects.iter().all(is_object)),
            _ => false,
        })
}

fn is_object(node: &Node) -> bool {
    entries(node).is_some_and(|entries| has(entries, "name"))
        && all(node, |key, node| match key {
            "name"
            | "physicalName"
            | "physicalType"
            | "description"
            | "businessName"
            | "dataGranularityDescription" => is_text(node),
            "logicalType" => is_one_of(node, &["object"]),
            "properties" => are_properties(node),
            _ => false,
        })
}

fn are_properties(node: &Node) -> bool {
    items(node).is_some_and(|properties| {
        !properties.is_empty()
            && properties.iter().all(|property| {
                let named = entries(property).is_some_and(|entries| has(entries, "name"));
                named && is_property(property)
            })
    })
}

fn is_property(node: &Node) -> bool {
    let Some(found) = entries(node) else { return false };
    let logical = found.iter().find(|(key, _)| key.text == "logicalType").and_then(|(_, node)| text(node));
    let logical = logical.unwrap_or_default();
    let known = ["string", "integer", "number", "boolean", "date", "timestamp", "array", "object"];
    let complete = match logical {
        "array" => has(found, "items"),
        "object" => has(found, "properties"),
        _ => known.contains(&logical),
    };
    complete
        && all(node, |key, node| match key {
            "logicalType" => true,
            "name" | "physicalName" | "physicalType" | "description" | "businessName" | "classification" => {
                is_text(node)
            }
            "required" | "unique" | "primaryKey" | "partitioned" | "criticalDataElement" => is_boolean(node),
            "primaryKeyPosition" | "partitionKeyPosition" => is_whole(node),
            "logicalTypeOptions" => all(node, |key, node| is_option(logical, key, node)),
            "quality" => items(node).is_some_and(|rules| rules.iter().all(is_rule)),
            "items" => logical == "array" && is_property(node),
            "properties" => logical == "object" && are_properties(node),
            _ => false,
        })
}

fn is_option(logical: &str, key: &str, node: &Node) -> bool {
    match (logical, key) {
        ("string", "minLength" | "maxLength") | ("array", "minItems" | "maxItems") => is_whole(node),
        ("string", "pattern" | "format") | ("date" | "timestamp", "format") => is_text(node),
        ("integer" | "number", "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum") => is_number(node),
        _ => false,
    }
}

/// A rule that values are of a list, or present, or of different content.
fn is_rule(node: &Node) -> bool {
    entries(node).is_some_and(|entries| ["type", "metric", "mustBe"].iter().all(|key| has(entries, key)))
        && all(node, |key, node| match key {
            "type" => is_one_of(node, &["library"]),
            "metric" => is_one_of(node, &["nullValues", "missingValues", "invalidValues", "duplicateValues"]),
            "mustBe" => is_whole(node),
            "name" | "description" => is_text(node),
            "arguments" => all(node, |key, node| {
                key == "validValues"
                    && items(node).is_some_and(|values| values.iter().all(|v| is_text(v) || is_number(v)))
            }),
            _ => false,
        })
}

fn entries(node: &Node) -> Option<&Entries> {
    match &node.value {
        Value::Mapping(entries) => Some(entries),
        _ => None,
    }
}

fn items(node: &Node) -> Option<&[Node]> {
    match &node.value {
        Value::Sequence(items) => Some(items),
        _ => None,
    }
}

fn has(entries: &Entries, wanted: &str) -> bool {
    entries.iter().any(|(key, _)| key.text == wanted)
}

fn all(node: &Node, holds: impl Fn(&str, &Node) -> bool) -> bool {
    entries(node).is_some_and(|entries| entries.iter().all(|(key, node)| holds(&key.text, node)))
}

fn scalar(node: &Node, kind: Kind) -> Option<&str> {
    match &node.value {
        Value::Scalar(Scalar { text, kind: found, .. }) if *found == kind => Some(text),
        _ => None,
    }
}

/// A text that no reader of YAML takes for anything else, be it quoted or not.
fn text(node: &Node) -> Option<&str> {
    let words = ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf", "infinity"];
    let is_word = |text: &str| words.contains(&text.to_ascii_lowercase().as_str());
    let begins = |text: &str| text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '^');
    scalar(node, Kind::Text).filter(|text| begins(text) && !is_word(text))
}

fn is_text(node: &Node) -> bool {
    text(node).is_some()
}

fn is_one_of(node: &Node, known: &[&str]) -> bool {
    text(node).is_some_and(|text| known.contains(&text))
}

/// `1.0.0`: three numbers, so that it is none.
fn is_version(node: &Node) -> bool {
    let is_part = |part: &str| !part.is_empty() && part.len() < 9 && part.bytes().all(|b| b.is_ascii_digit());
    scalar(node, Kind::Text).is_some_and(|text| text.split('.').count() == 3 && text.split('.').all(is_part))
}

fn is_boolean(node: &Node) -> bool {
    scalar(node, Kind::Boolean).is_some_and(|text| ["true", "false"].contains(&text))
}

/// A whole number that is not negative, in the shortest spelling.
fn is_whole(node: &Node) -> bool {
    scalar(node, Kind::Number).is_some_and(is_digits)
}

fn is_digits(text: &str) -> bool {
    let short = text == "0" || !text.starts_with('0');
    (1..=15).contains(&text.len()) && short && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_number(node: &Node) -> bool {
    scalar(node, Kind::Number).is_some_and(|text| {
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let (whole, digits) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
        is_digits(whole) && (1..=9).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}
