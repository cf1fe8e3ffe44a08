use super::*;

#[test]
fn money_is_exact_and_a_lost_digit_is_caught() {
    let (good, bad) =
        cast_texts(decimal(10, 2), &["1.005", "12.30", "-0.10", "12345678.90", "123456789.00", "1e2", "x"]);
    assert_eq!(good, ["12.30", "-0.10", "12345678.90", "100.00"]);
    assert_eq!(bad, ["x: type (1.005)", "x: type (123456789.00)", "x: type (x)"]);
}

#[test]
fn integers_do_not_wrap() {
    let (good, bad) = cast_texts(Type::TinyInt, &["127", "128", "-128", "-129", "1.0", "1.5", "99999999999999999999"]);
    assert_eq!(good, ["127", "-128", "1"]);
    assert_eq!(bad, ["x: type (128)", "x: type (-129)", "x: type (1.5)", "x: type (99999999999999999999)"]);
}

#[test]
fn doubles_are_finite_and_have_one_zero() {
    let (good, bad) = cast_texts(Type::Double, &["1e400", "-0.0", "0.1", "NaN", "inf"]);
    assert_eq!(good, ["0.0", "0.1"]);
    assert_eq!(bad, ["x: type (1e400)", "x: nan (NaN)", "x: type (inf)"]);
}

#[test]
fn timestamps_are_utc_microseconds() {
    let x = property("x", Type::Timestamp, &[]);
    let mut in_berlin = events(EventInput::Csv, vec![x]);
    in_berlin.timezone = "Europe/Berlin".to_owned();
    let given = [
        "2024-01-01T12:00:00.123456Z",
        "2024-01-01T12:00:00.1Z",
        "2024-01-01 12:00:00",
        "9999-12-31T00:00:00Z",
        "2024-02-30T00:00:00Z",
    ];
    let (good, bad) = judge(&in_berlin, csv(&[("x", &given.map(Some))]));
    assert_eq!(
        texts(&good, "x"),
        ["2024-01-01T12:00:00.123456Z", "2024-01-01T12:00:00.1Z", "2024-01-01T11:00:00Z", "9999-12-31T00:00:00Z"]
    );
    assert_eq!(reasons(&bad), ["x: type (2024-02-30T00:00:00Z)"]);
}

#[test]
fn dates_and_booleans() {
    assert_eq!(cast_texts(Type::Date, &["2024-02-29", "2023-02-29"]).0, ["2024-02-29"]);
    let (good, bad) = cast_texts(Type::Boolean, &["true", "FALSE", "maybe"]);
    assert_eq!((good, bad), (vec!["true".to_owned(), "false".to_owned()], vec!["x: type (maybe)".to_owned()]));
}

#[test]
fn empty_text_and_null_values_are_null_for_casts_and_expressions() {
    let mut events = events(
        EventInput::Csv,
        vec![property("x", Type::Int, &[]), property("s", Type::String, &[]), property("y", Type::Boolean, &[])],
    );
    events.null_values = vec![vec!["n/a".to_owned(), "-".to_owned()]];
    let columns = vec![expr::Column::new("s", Type::String)];
    events.columns[2].expr = Some(expr::scalar("s is null", &columns, UTC).unwrap());
    let x = [Some("1"), Some("n/a"), Some(""), None];
    let (good, bad) = judge(&events, csv(&[("x", &x), ("s", &[Some("-"), Some("N/A"), Some(""), Some(" ")])]));
    assert_eq!(texts(&good, "x"), ["1", "NULL", "NULL", "NULL"]);
    assert_eq!(texts(&good, "s"), ["NULL", "N/A", "NULL", " "]);
    assert_eq!(texts(&good, "y"), ["true", "false", "true", "false"]);
    assert_eq!(bad.height(), 0);
}

#[test]
fn all_faults_of_a_row_are_listed_and_the_row_is_kept_as_it_was() {
    let properties = vec![property("b", Type::Int, &[]), property("a", Type::Date, &[]), property("c", Type::Int, &[])];
    let bronze = csv(&[("a", &[Some("x\"y")]), ("b", &[Some("z")]), ("c", &[Some("")]), ("other", &[None])]);
    let (good, bad) = judge(&events(EventInput::Csv, properties), bronze);
    assert_eq!(good.height(), 0);
    assert_eq!(reasons(&bad), ["b: type (z); a: type (x\"y)"]);
    assert_eq!(texts(&bad, "_row"), [r#"{"a":"x\"y","b":"z","c":""}"#]);
    assert_eq!(texts(&bad, "_source_table"), ["bronze.t"]);
    assert_eq!(texts(&bad, "_source_row"), ["1"]);
}

#[test]
fn malformed_records_go_to_quarantine_as_raw_text() {
    let bronze = bronze(vec![Column::new("x".into(), [None, Some("1")])], &[Some("1,2,3"), None]);
    let (good, bad) = judge(&events(EventInput::Csv, vec![property("x", Type::Int, &[Rule::Required])]), bronze);
    assert_eq!(texts(&good, "x"), ["1"]);
    assert_eq!(reasons(&bad), ["-: malformed (1,2,3)"]);
    assert_eq!(texts(&bad, "_row"), ["1,2,3"]);
}

#[test]
fn a_column_that_no_file_had_is_null() {
    let properties = vec![property("x", Type::Int, &[]), property("y", decimal(5, 2), &[])];
    let (good, _) = judge(&events(EventInput::Csv, properties), csv(&[("x", &[Some("1")])]));
    assert_eq!(texts(&good, "y"), ["NULL"]);
}

#[test]
fn an_expression_stands_for_a_column() {
    let mut events = events(EventInput::Csv, vec![property("total", decimal(10, 2), &[])]);
    let columns = ["a", "b"].map(|name| expr::Column::new(name, Type::String)).to_vec();
    let sql = "cast(a as decimal(10,2)) * cast(b as int)";
    events.columns[0].expr = Some(expr::scalar(sql, &columns, UTC).unwrap());
    let bronze = csv(&[("a", &[Some("1.50"), Some("1.50")]), ("b", &[Some("3"), Some("x")])]);
    let (good, bad) = judge(&events, bronze);
    assert_eq!(texts(&good, "total"), ["4.50"]);
    assert_eq!(reasons(&bad), ["total: type (a = 1.50, b = x)"]);
}

#[test]
fn a_long_value_is_cut_in_the_reason_and_whole_in_the_row() {
    let long = "ä".repeat(300);
    let (_, bad) = judge(&events(EventInput::Csv, vec![property("x", Type::Int, &[])]), csv(&[("x", &[Some(&long)])]));
    assert_eq!(reasons(&bad), [format!("x: type ({}…)", "ä".repeat(200))]);
    assert_eq!(texts(&bad, "_row"), [format!(r#"{{"x":"{long}"}}"#)]);
}

#[test]
fn names_that_polars_takes_for_patterns_are_names() {
    let properties = vec![property("^x.*$", Type::Int, &[Rule::Required]), property("*", Type::String, &[])];
    let (good, _) = judge(&events(EventInput::Csv, properties), csv(&[("^x.*$", &[Some("1")]), ("*", &[Some("a")])]));
    assert_eq!(texts(&good, "^x.*$"), ["1"]);
    assert_eq!(texts(&good, "*"), ["a"]);
}

#[test]
fn several_sources_are_told_apart() {
    let mut events = events(EventInput::Csv, vec![property("x", Type::Int, &[])]);
    events.from.push(TableName { layer: Layer::Bronze, name: "u".to_owned() });
    events.null_values.push(vec!["0".to_owned()]);
    let frame = csv(&[("x", &[Some("0"), Some("q")])]);
    let judged = prepare(&events, 1, frame.lazy()).unwrap().frame.collect().unwrap();
    let (good, bad) = split(judged).unwrap();
    assert_eq!(texts(&good, "_source_table"), ["bronze.u"]);
    assert_eq!(texts(&bad, "_source_table"), ["bronze.u"]);
    assert_eq!(texts(&good, "x"), ["NULL"]);
    let order = ["_batch", "_source_table", "_source_file", "_source_row"];
    assert_eq!(super::super::order_columns(&events), order);
}
