use super::*;

fn two_ints(rules: &[Rule]) -> Events {
    events(EventInput::Csv, vec![property("a", Type::Int, rules), property("b", Type::Int, &[])])
}

fn rows(a: &[&str], b: &[&str]) -> DataFrame {
    let some = |texts: &[&str]| texts.iter().map(|t| (*t).to_owned()).collect::<Vec<String>>();
    bronze(vec![Column::new("a".into(), some(a)), Column::new("b".into(), some(b))], &[])
}

#[test]
fn where_keeps_what_is_true() {
    let events = with_steps(two_ints(&[]), &[("where", &[("", "a > 1")])]);
    let (good, bad) = judge(&events, rows(&["1", "2", "", "x"], &["1", "1", "1", "1"]));
    assert_eq!(texts(&good, "a"), ["2"]);
    // read 4 = 1 good + 1 bad + 2 filtered
    assert_eq!(reasons(&bad), ["a: type (x)"]);
}

#[test]
fn a_fault_in_a_step_refuses_the_row() {
    let steps: &[(&str, &[(&str, &str)])] =
        &[("derive", &[("q", "a / b"), ("one", "1")]), ("where", &[("", "10 div (a - 4) > 0 or a < 4")])];
    let events = with_steps(two_ints(&[]), steps);
    let (good, bad) = judge(&events, rows(&["1", "1", "4"], &["2", "0", "1"]));
    assert_eq!(texts(&good, "a"), ["1"]);
    assert_eq!(texts(&good, "one"), ["1"]);
    assert_eq!(reasons(&bad), ["q: division by zero (a = 1, b = 0)", "-: division by zero (4)"]);
}

#[test]
fn a_row_filtered_out_has_no_faults_and_breaks_no_rules_later() {
    let steps: &[(&str, &[(&str, &str)])] = &[("where", &[("", "b <> 0")]), ("derive", &[("q", "a / b")])];
    let events = with_steps(two_ints(&[Rule::Minimum("5".to_owned())]), steps);
    let (good, bad) = judge(&events, rows(&["1", "1"], &["0", "2"]));
    assert_eq!(good.height(), 0);
    assert_eq!(reasons(&bad), ["a: minimum (1)"]);
    assert_eq!(texts(&bad, "_source_row"), ["2"]);
}

#[test]
fn a_reason_shows_the_values_that_the_step_read() {
    let steps: &[(&str, &[(&str, &str)])] =
        &[("derive", &[("a", "a div b")]), ("derive", &[("a", "10 div a"), ("b", "7")])];
    let (_, bad) = judge(&with_steps(two_ints(&[]), steps), rows(&["1"], &["2"]));
    assert_eq!(reasons(&bad), ["a: division by zero (0)"]);
}

#[test]
fn rules_see_the_columns_after_the_steps() {
    let steps: &[(&str, &[(&str, &str)])] = &[("derive", &[("a", "cast(a + 10 as int)")])];
    let events = with_steps(two_ints(&[Rule::Minimum("11".to_owned())]), steps);
    let (good, bad) = judge(&events, rows(&["1", "0"], &["1", "1"]));
    assert_eq!(texts(&good, "a"), ["11"]);
    assert_eq!(reasons(&bad), ["a: minimum (10)"]);
}

#[test]
fn a_property_that_a_select_drops_is_judged_before_it() {
    let steps: &[(&str, &[(&str, &str)])] = &[("select", &[("b", "b + a")]), ("where", &[("", "b > 3")])];
    let events = with_steps(two_ints(&[Rule::Maximum("5".to_owned())]), steps);
    let (good, bad) = judge(&events, rows(&["1", "6", "9"], &["3", "0", "-9"]));
    assert_eq!(texts(&good, "b"), ["4"]);
    // the third row breaks the rule too, but is filtered out
    assert_eq!(reasons(&bad), ["a: maximum (6)"]);
}

#[test]
fn a_key_that_a_step_makes_is_not_null() {
    let mut events = with_steps(two_ints(&[]), &[("derive", &[("k", "a + b")])]);
    events.key = vec!["k".to_owned()];
    let (good, bad) = judge(&events, rows(&["1", ""], &["1", "1"]));
    assert_eq!(texts(&good, "k"), ["2"]);
    assert_eq!(reasons(&bad), ["k: key (-)"]);
}

#[test]
fn what_is_derived_has_one_zero() {
    let double = events(EventInput::Csv, vec![property("x", Type::Double, &[])]);
    let events = with_steps(double, &[("derive", &[("y", "x * -1.0e0")])]);
    let (good, _) = judge(&events, csv(&[("x", &[Some("0")])]));
    let y = good.column("y").unwrap().f64().unwrap().get(0).unwrap();
    assert!(y == 0.0 && y.is_sign_positive());
}

#[test]
fn other_steps_are_refused() {
    let mut events = two_ints(&[]);
    events.steps = vec![Step::Union(TableName { layer: Layer::Silver, name: "u".to_owned() })];
    assert!(prepare(&events, 0, rows(&["1"], &["1"]).lazy()).is_err());
}

#[test]
fn batches_are_split_and_signed() {
    let (_, bad) = judge(&two_ints(&[]), rows(&["x", "1"], &["1", "1"]));
    let at = chrono::DateTime::from_timestamp_micros(1_700_000_000_123_456).unwrap();
    let bad = super::super::with_run(bad, "run-1", at).unwrap();
    let names: Vec<String> = quarantine_columns().into_iter().map(|c| c.name).collect();
    assert_eq!(bad.get_column_names(), names.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(texts(&bad, "_quarantined_at"), ["2023-11-14T22:13:20.123456Z"]);
    assert_eq!(texts(&bad, "_run_id"), ["run-1"]);
}
