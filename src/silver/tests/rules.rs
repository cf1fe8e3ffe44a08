use super::*;

/// The rules that texts of one type break.
fn broken(ty: Type, rules: &[Rule], given: &[&str]) -> Vec<String> {
    let texts: Vec<Option<&str>> = given.iter().copied().map(Some).collect();
    let (good, bad) = judge(&events(EventInput::Csv, vec![property("x", ty, rules)]), csv(&[("x", &texts)]));
    assert_eq!(good.height() + bad.height(), given.len());
    reasons(&bad)
}

#[test]
fn null_breaks_required_alone() {
    let all = [
        Rule::Minimum("1".to_owned()),
        Rule::ExclusiveMaximum("5".to_owned()),
        Rule::ValidValues(vec!["1".to_owned()]),
    ];
    assert_eq!(broken(Type::Int, &all, &[""]), Vec::<String>::new());
    assert_eq!(broken(Type::Int, &[Rule::Required], &["", "1"]), ["x: required (-)"]);
    let of_text = [Rule::MinLength(3), Rule::Pattern("a".to_owned()), Rule::ValidValues(vec!["b".to_owned()])];
    assert_eq!(broken(Type::String, &of_text, &[""]), Vec::<String>::new());
}

#[test]
fn limits_compare_in_the_type_of_the_property() {
    let limits = [Rule::Minimum("0.10".to_owned()), Rule::Maximum("9".to_owned())];
    let given = ["0.09", "0.1", "9.00", "9.01", "10"];
    assert_eq!(
        broken(decimal(10, 2), &limits, &given),
        ["x: minimum (0.09)", "x: maximum (9.01)", "x: maximum (10.00)"]
    );
    let limits = [Rule::ExclusiveMinimum("2024-01-01".to_owned()), Rule::ExclusiveMaximum("2024-01-03".to_owned())];
    assert_eq!(
        broken(Type::Date, &limits, &["2024-01-01", "2024-01-02", "2024-01-03"]),
        ["x: exclusiveMinimum (2024-01-01)", "x: exclusiveMaximum (2024-01-03)"]
    );
    let limits = [Rule::Minimum("2024-01-01T00:00:00Z".to_owned())];
    assert_eq!(broken(Type::Timestamp, &limits, &["2023-12-31T23:59:59.999999Z", "2024-01-01T00:00:00Z"]).len(), 1);
    for ty in [Type::SmallInt, Type::BigInt, Type::Float, Type::Double] {
        assert_eq!(broken(ty, &[Rule::Minimum("10".to_owned())], &["9", "10"]).len(), 1);
    }
}

#[test]
fn lengths_count_characters() {
    let limits = [Rule::MinLength(2), Rule::MaxLength(3)];
    assert_eq!(broken(Type::String, &limits, &["ä", "äö", "äöü", "äöüß"]), ["x: minLength (ä)", "x: maxLength (äöüß)"]);
}

#[test]
fn a_pattern_may_stand_anywhere() {
    let pattern = [Rule::Pattern("[0-9]{2}".to_owned())];
    assert_eq!(broken(Type::String, &pattern, &["a12b", "a1b2"]), ["x: pattern (a1b2)"]);
}

#[test]
fn valid_values_are_values_of_the_type() {
    let values = |texts: &[&str]| [Rule::ValidValues(texts.iter().map(|t| (*t).to_owned()).collect())];
    assert_eq!(broken(Type::String, &values(&["a", "b"]), &["a", "A"]), ["x: validValues (A)"]);
    assert_eq!(broken(decimal(5, 2), &values(&["1", "2.5"]), &["1.00", "2.50", "2.51"]), ["x: validValues (2.51)"]);
    assert_eq!(broken(Type::Int, &values(&[]), &["1"]), ["x: validValues (1)"]);
    assert_eq!(broken(Type::Int, &values(&["1", "2"]), &["2", "3", ""]), ["x: validValues (3)"]);
    assert_eq!(broken(Type::Date, &values(&["2024-01-01"]), &["2024-01-01", "2024-01-02"]).len(), 1);
    assert_eq!(broken(Type::Timestamp, &values(&["2024-01-01"]), &["2024-01-01", "2024-01-02"]).len(), 1);
    assert_eq!(broken(Type::Boolean, &values(&["true"]), &["true", "false"]), ["x: validValues (false)"]);
    assert_eq!(broken(Type::Double, &values(&["0.5"]), &["0.50", "0.6"]), ["x: validValues (0.6)"]);
}

#[test]
fn nan_only_where_it_is_allowed() {
    assert_eq!(broken(Type::Float, &[], &["nan"]), ["x: nan (NaN)"]);
    assert_eq!(broken(Type::Float, &[Rule::AllowNan], &["nan"]), Vec::<String>::new());
}

#[test]
fn all_broken_rules_are_listed_in_the_order_of_the_contract() {
    let properties = vec![
        property("b", Type::Int, &[Rule::Maximum("1".to_owned()), Rule::ValidValues(vec!["1".to_owned()])]),
        property("a", Type::String, &[Rule::Required]),
    ];
    let mut events = events(EventInput::Csv, properties);
    events.key = vec!["a".to_owned()];
    let (_, bad) = judge(&events, csv(&[("a", &[Some("")]), ("b", &[Some("5")])]));
    assert_eq!(reasons(&bad), ["b: maximum (5); b: validValues (5); a: required (-); a: key (-)"]);
    assert_eq!(texts(&bad, "_row"), [r#"{"a":"","b":"5"}"#]);
}

#[test]
fn a_rule_that_does_not_fit_its_property_is_an_error() {
    let wrong = events(EventInput::Csv, vec![property("x", Type::Int, &[Rule::Minimum("a".to_owned())])]);
    let error = prepare(&wrong, 0, csv(&[("x", &[Some("1")])]).lazy()).err().unwrap();
    assert!(error.to_string().contains("`x`: \"a\" is no int"), "{error}");
}
