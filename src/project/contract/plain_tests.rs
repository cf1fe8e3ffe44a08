use odcs::DocumentFormat;
use proptest::prelude::*;

use super::diagnostics::{is_follow_up, is_nameless_item};
use super::plain::is_plain;
use crate::project::yaml;

fn judged_plain(text: &str) -> bool {
    let (node, errors) = yaml::parse(text);
    errors.is_empty() && node.is_some_and(|node| is_plain(text, &node))
}

fn findings(text: &str) -> Vec<String> {
    let found = odcs::parse_and_validate(text.as_bytes(), DocumentFormat::Yaml).diagnostics.into_iter();
    // as for any contract
    let kept = found.filter(|found| !is_follow_up(found) && !is_nameless_item(found));
    kept.map(|found| format!("{:?}: {}", found.object_ref, found.message)).collect()
}

/// Values that stand where they should and where they should not.
const VALUES: [&str; 32] = [
    "orders",
    "\"text\"",
    "'1'",
    "1",
    "-1",
    "0.5",
    "1.0.0",
    "v3.1.0",
    "v3.0.2",
    "DataContract",
    "active",
    "true",
    "no",
    "~",
    "\"\"",
    "string",
    "integer",
    "number",
    "object",
    "array",
    "time",
    "2026-01-01",
    "[a, b]",
    "[]",
    "{}",
    "{ a: b }",
    "library",
    "\"^[a-z]+$\"",
    "1e3",
    "0x1F",
    "007",
    "bigint",
];
const KEYS: [&str; 34] = [
    "id",
    "name",
    "version",
    "kind",
    "status",
    "apiVersion",
    "tenant",
    "domain",
    "tags",
    "team",
    "description",
    "schema",
    "logicalType",
    "physicalType",
    "physicalName",
    "businessName",
    "required",
    "unique",
    "primaryKey",
    "primaryKeyPosition",
    "classification",
    "logicalTypeOptions",
    "quality",
    "items",
    "properties",
    "minLength",
    "minimum",
    "pattern",
    "format",
    "metric",
    "mustBe",
    "type",
    "arguments",
    "examples",
];

fn property() -> impl Strategy<Value = Vec<String>> {
    let parts = prop_oneof![
        Just("logicalType: string".to_owned()),
        Just("logicalType: integer".to_owned()),
        Just("logicalType: number\nphysicalType: decimal(12,2)".to_owned()),
        Just("logicalType: array\nitems: { logicalType: string }".to_owned()),
        Just("logicalType: array\nitems: { logicalType: object, properties: [{ name: a, logicalType: date }] }".to_owned()),
        Just("logicalType: object\nproperties: [{ name: a, logicalType: boolean }]".to_owned()),
        Just("logicalType: timestamp\nlogicalTypeOptions: { format: \"yyyy-MM-dd\" }".to_owned()),
        Just("logicalType: string\nlogicalTypeOptions: { minLength: 1, maxLength: 9, pattern: \"^a\" }".to_owned()),
        Just("logicalType: integer\nlogicalTypeOptions: { minimum: 1, exclusiveMaximum: 9.5 }".to_owned()),
        Just("logicalType: string\nquality: [{ type: library, metric: invalidValues, arguments: { validValues: [a, 1] }, mustBe: 0 }]".to_owned()),
    ];
    let more = prop_oneof![
        Just("required: true".to_owned()),
        Just("primaryKey: true\nprimaryKeyPosition: 1".to_owned()),
        Just("description: some words".to_owned()),
        (0..KEYS.len(), 0..VALUES.len()).prop_map(|(key, value)| format!("{}: {}", KEYS[key], VALUES[value])),
        (0..KEYS.len(), 0..VALUES.len())
            .prop_map(|(key, value)| format!("logicalTypeOptions: {{ {}: {} }}", KEYS[key], VALUES[value])),
        (0..KEYS.len(), 0..VALUES.len()).prop_map(|(key, value)| {
            format!("quality: [{{ metric: nullValues, type: library, mustBe: 0, {}: {} }}]", KEYS[key], VALUES[value])
        }),
    ];
    (parts, prop::collection::vec(more, 0..3)).prop_map(|(first, more)| [vec![first], more].concat())
}

fn contract() -> impl Strategy<Value = String> {
    let odd = prop::collection::vec((0..KEYS.len(), 0..VALUES.len()), 0..2);
    let drop = prop::option::weighted(0.1, 0..5usize);
    (prop::collection::vec(property(), 1..4), odd.clone(), odd, drop).prop_map(|(properties, top, object, drop)| {
        let head = ["version: 1.0.0", "apiVersion: v3.1.0", "kind: DataContract", "id: some-id", "status: active"];
        let kept = head.iter().enumerate().filter(|(at, _)| Some(*at) != drop);
        let mut text: String = kept.map(|(_, line)| format!("{line}\n")).collect();
        let lines = |odd: &[(usize, usize)], indent: &str| -> String {
            odd.iter().map(|(key, value)| format!("{indent}{}: {}\n", KEYS[*key], VALUES[*value])).collect()
        };
        text += &lines(&top, "");
        text += "schema:\n  - name: orders\n";
        text += &lines(&object, "    ");
        text += "    properties:\n";
        for (at, property) in properties.iter().enumerate() {
            text += &format!("      - name: p{at}\n");
            for line in property.iter().flat_map(|part| part.lines()) {
                text += &format!("        {line}\n");
            }
        }
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn nothing_is_found_in_a_plain_contract(text in contract()) {
        if judged_plain(&text) {
            prop_assert_eq!(findings(&text), Vec::<String>::new(), "{}", text);
        }
    }
}

#[test]
fn each_value_in_each_place() {
    let good = "version: 1.0.0\napiVersion: v3.1.0\nkind: DataContract\nid: a\nstatus: active\nschema:\n  - name: t\n    \
                properties:\n      - name: p\n        logicalType: string\n";
    assert!(judged_plain(good));
    let mut plain = 0;
    for value in VALUES {
        for key in KEYS {
            for indent in ["", "    ", "        "] {
                let line = format!("{indent}{key}: {value}\n");
                let text = match indent {
                    "" => format!("{line}{good}"),
                    "    " => good.replace("    properties", &format!("{line}    properties")),
                    _ => format!("{good}{line}"),
                };
                if judged_plain(&text) {
                    plain += 1;
                    assert_eq!(findings(&text), Vec::<String>::new(), "{text}");
                }
            }
        }
    }
    assert!(plain > 50, "{plain}");
}

#[test]
fn the_contracts_of_the_sample_are_plain() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas");
    for contract in std::fs::read_dir(folder).unwrap() {
        let path = contract.unwrap().path();
        assert!(judged_plain(&std::fs::read_to_string(&path).unwrap()), "{}", path.display());
    }
    for odd in ["version: !!int '1'", "team: { name: &a b }", "tags: [a]", "servers: []"] {
        assert!(!judged_plain(&format!(
            "{odd}\napiVersion: v3.1.0\nkind: DataContract\nid: a\nstatus: active\nschema: []\n"
        )));
    }
}
