use super::*;

fn object(members: &[(&str, Type)]) -> Type {
    Type::Struct(members.iter().map(|(name, ty)| expr::Column::new(*name, ty.clone())).collect())
}

fn array(item: Type) -> Type {
    Type::Array(Box::new(item))
}

fn decode(properties: &[(&str, Type)], documents: &[&str]) -> (DataFrame, DataFrame) {
    let properties = properties.iter().map(|(name, ty)| property(name, ty.clone(), &[])).collect();
    judge(&events(EventInput::Ndjson, properties), ndjson(documents))
}

#[test]
fn scalars_keep_their_digits() {
    let properties = [("d", decimal(38, 4)), ("i", Type::BigInt), ("s", Type::String), ("b", Type::Boolean)];
    let (good, bad) = decode(
        &properties,
        &[
            r#"{"d": 12345678901234567890.1200, "i": 9223372036854775807, "s": "a\u00e4\"", "b": true, "else": [1]}"#,
            r#"{"d": "0.1", "i": "12", "s": 1.50, "b": "false"}"#,
            r#"{"d": null, "s": ""}"#,
            r#"{"d": 0.00001, "i": 9223372036854775808, "b": 7}"#,
        ],
    );
    assert_eq!(texts(&good, "d"), ["12345678901234567890.1200", "0.1000", "NULL"]);
    assert_eq!(texts(&good, "i"), ["9223372036854775807", "12", "NULL"]);
    assert_eq!(texts(&good, "s"), ["aä\"", "1.50", ""]);
    assert_eq!(texts(&good, "b"), ["true", "false", "NULL"]);
    assert_eq!(reasons(&bad), ["d: type (0.00001); i: type (9223372036854775808); b: type (7)"]);
    assert_eq!(texts(&bad, "_row"), [r#"{"d": 0.00001, "i": 9223372036854775808, "b": 7}"#]);
}

#[test]
fn shapes_that_do_not_fit_are_refused() {
    let properties = [("s", Type::String), ("l", array(Type::Int)), ("o", object(&[("x", Type::Int)]))];
    let (good, bad) = decode(
        &properties,
        &[
            r#"{"s": {"a": 1}}"#,
            r#"{"l": 5}"#,
            r#"{"o": [1]}"#,
            r#"[1]"#,
            r#"{"s": "a""#,
            r#"{"s": "a", "s": "a"}"#,
            r#"{"o": {"x": 1, "x": 1}}"#,
            r#"{"else": 1, "else": 2}"#,
        ],
    );
    assert_eq!(texts(&good, "_source_row"), ["8"]);
    assert_eq!(
        reasons(&bad),
        [
            r#"s: type ({"a": 1})"#,
            "l: type (5)",
            "o: type ([1])",
            "value: type ([1])",
            r#"value: malformed ({"s": "a")"#,
            r#"s: duplicate member ("a")"#,
            "o.x: duplicate member (1)",
        ]
    );
}

#[test]
fn nested_values_are_cast_leaf_by_leaf() {
    let item = object(&[("price", decimal(5, 2)), ("tags", array(Type::String)), ("at", Type::Timestamp)]);
    let properties = [("items", array(item)), ("address", object(&[("zip", Type::Int), ("city", Type::String)]))];
    let (good, bad) = decode(
        &properties,
        &[
            r#"{"items": [{"price": 1.50, "tags": ["a", null]}, null, {}], "address": {"zip": 10115}}"#,
            r#"{"items": [], "address": null}"#,
            r#"{"items": null}"#,
            r#"{"items": [{"price": 1}, {"price": 1.005, "at": "never"}], "address": {"zip": "x"}}"#,
            r#"{"items": [{"at": "2024-01-01T00:00:00Z"}, 7, {"tags": {}}]}"#,
            r#"{"items": [{"at": "2024-01-01T00:00:00Z"}]}"#,
        ],
    );
    let empty = r#"{"price":null,"tags":null,"at":null}"#;
    let first = format!(r#"[{{"price":1.50,"tags":["a",null],"at":null}},null,{empty}]"#);
    let last = r#"[{"price":null,"tags":null,"at":"2024-01-01T00:00:00Z"}]"#;
    assert_eq!(texts(&good, "items"), [first.as_str(), "[]", "NULL", last]);
    // an object that is NULL is told from one whose members are
    assert_eq!(texts(&good, "address"), [r#"{"zip":10115,"city":null}"#, "NULL", "NULL", "NULL"]);
    assert_eq!(
        reasons(&bad),
        [
            "items[1].price: type (1.005); items[1].at: type (never); address.zip: type (x)",
            "items[1]: type (7); items[2].tags: type ({})",
        ]
    );
}

#[test]
fn expressions_read_the_document() {
    let mut events = events(EventInput::Ndjson, vec![property("n", Type::Int, &[]), property("value", Type::Int, &[])]);
    let columns = vec![expr::Column::new("value", Type::String)];
    events.columns[0].expr = Some(expr::scalar("cast(value as int)", &columns, UTC).unwrap());
    let (good, bad) = judge(&events, ndjson(&[r#"{"value": 3}"#]));
    assert_eq!(good.height(), 0);
    assert_eq!(reasons(&bad), [r#"n: type ({"value": 3})"#]);
}

#[test]
fn malformed_lines_are_kept_as_they_are() {
    let frame = bronze(vec![Column::new("value".into(), [None, Some("{}")])], &[Some("{\"a\":"), None]);
    let (good, bad) = judge(&events(EventInput::Ndjson, vec![property("x", Type::Int, &[])]), frame);
    assert_eq!(good.height(), 1);
    assert_eq!(reasons(&bad), ["-: malformed ({\"a\":)"]);
    assert_eq!(texts(&bad, "_row"), ["{\"a\":"]);
}

#[test]
fn rules_hold_for_decoded_values_and_lists() {
    let properties = vec![
        property("l", array(Type::Int), &[Rule::MinLength(1), Rule::MaxLength(2), Rule::Required]),
        property("x", Type::Int, &[Rule::Minimum("0".to_owned())]),
    ];
    let documents = [r#"{"l":[1,2,3],"x":-1}"#, r#"{"l":[],"x":0}"#, r#"{"x":0}"#, r#"{"l":[1]}"#];
    let (good, bad) = judge(&events(EventInput::Ndjson, properties), ndjson(&documents));
    assert_eq!(texts(&good, "l"), ["[1]"]);
    assert_eq!(reasons(&bad), ["l: maxLength ([1,2,3]); x: minimum (-1)", "l: minLength ([])", "l: required (-)"]);
}
