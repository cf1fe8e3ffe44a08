use super::*;
use crate::project::reader::Text;
use crate::project::yaml::{Kind, Mark, Value, parse};

fn scalars(text: &str) -> Vec<(String, Kind, Option<Mark>)> {
    let (node, errors) = parse(text);
    assert_eq!(errors, []);
    let Value::Sequence(items) = node.unwrap().value else { panic!("{text:?} is no list") };
    let scalar = |value| match value {
        Value::Scalar(scalar) => (scalar.text, scalar.kind, scalar.verbatim),
        other => panic!("{other:?} is no scalar"),
    };
    items.into_iter().map(|item| scalar(item.value)).collect()
}

#[test]
fn scalars_keep_their_text_and_know_what_they_are() {
    let found = scalars("[00123, 1.10, -3e5, true, 'true', ~, '', 12px, .inf, 2026-01-31]");
    let kinds: Vec<(&str, Kind)> = found.iter().map(|(text, kind, _)| (text.as_str(), *kind)).collect();
    use Kind::{Boolean, Null, Number, Text};
    assert_eq!(
        kinds,
        [
            ("00123", Number),
            ("1.10", Number),
            ("-3e5", Number),
            ("true", Boolean),
            ("true", Text),
            ("~", Null),
            ("", Text),
            ("12px", Text),
            (".inf", Text),
            ("2026-01-31", Text),
        ]
    );
}

#[test]
fn an_offset_in_a_text_is_a_place_in_the_file() {
    let places = |text: &str, offset: usize| -> Vec<(usize, usize)> {
        let (node, _) = parse(text);
        let Value::Mapping(entries) = node.unwrap().value else { panic!() };
        let at = |node: &crate::project::yaml::Node| {
            let Value::Scalar(scalar) = &node.value else { panic!() };
            let text = Text { value: scalar.text.clone(), mark: node.mark, verbatim: scalar.verbatim };
            (text.at(offset).line, text.at(offset).column)
        };
        entries.iter().map(|(_, node)| at(node)).collect()
    };
    assert_eq!(places("a: b + c\nü: 'b + c'\nd: \"b + c\"", 4), [(1, 8), (2, 9), (3, 9)]);
    // Not character by character as in the file: the beginning of the value.
    assert_eq!(places("a: 'b''s + c'\nd: \"b\\u0041 + c\"\ne: b +\n  c", 4), [(1, 4), (2, 4), (3, 4)]);
}

#[test]
fn block_scalars_point_at_their_beginning() {
    let changed = edited("layers/silver/big.yaml", "where: quantity > 10", "where: |\n      quantity >\n      ten");
    let found = faults(&[("layers/silver/big.yaml", &changed)]);
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("layers/silver/big.yaml:5:7 "), "{found:?}");
}

#[test]
fn broken_yaml_is_a_fault_of_its_file_and_the_others_are_still_read() {
    let found = faults(&[
        ("layers/silver/big.yaml", "from: [silver.orders\nkey: order_id\n"),
        ("layers/gold/sums.yaml", "from: silver.orders\nfrom: silver.orders\nstep: []\nfrom: x\n"),
    ]);
    assert_eq!(
        found[..3],
        [
            "layers/gold/sums.yaml:2:1 not valid YAML: the key `from` stands here twice",
            "layers/gold/sums.yaml:3:1 `gold.sums` has no key `step` | did you mean `steps`?",
            "layers/gold/sums.yaml:4:1 not valid YAML: the key `from` stands here twice",
        ]
    );
    assert_eq!(found.len(), 4);
    assert!(found[3].starts_with("layers/silver/big.yaml:2:"), "{found:?}");
}

#[test]
fn what_is_no_tree_of_text_is_refused() {
    let error = |text: &str| parse(text).1.first().map(|e| e.message.clone()).unwrap_or_default();
    assert_eq!(error("a: 1\n---\nb: 2\n"), "a second YAML document begins here; a file holds one");
    assert_eq!(error("? [a]\n: 1\n"), "a key must be text");
    assert_eq!(error(&"[".repeat(100)), "nested more than 64 levels deep");
    let mut bombs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..8 {
        let alias = format!("*a{}, ", level - 1).repeat(10);
        bombs.push_str(&format!("a{level}: &a{level} [{alias}]\n"));
    }
    assert_eq!(error(&bombs), "more than 100000 values");
    assert_eq!(error("a: &x 1\nb: *x\n"), "");
}

#[test]
fn a_file_that_is_no_text_is_a_fault() {
    let dir = shop(&[]);
    fs::write(dir.path().join("layers/gold/sums.yaml"), b"from: \xff\n").unwrap();
    let found = shown(&loaded(dir.path()).map(|p| p.order).unwrap_err());
    assert_eq!(found, ["layers/gold/sums.yaml:1:1 the file is not UTF-8 text"]);
}

#[test]
fn an_empty_file_is_a_fault() {
    assert_eq!(
        faults(&[("layers/gold/sums.yaml", "# nothing yet\n")]),
        ["layers/gold/sums.yaml:1:1 `gold.sums` must be a mapping of keys to values, but here is nothing"]
    );
}
