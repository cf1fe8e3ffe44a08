use super::*;

fn typed(columns: Vec<Column>) -> DataFrame {
    bronze(columns, &[])
}

fn object(fields: &[Column]) -> Column {
    let height = fields[0].len();
    StructChunked::from_columns("o".into(), height, fields).unwrap().into_series().into_column()
}

#[test]
fn typed_columns_are_cast_with_a_check() {
    let properties = vec![property("i", Type::TinyInt, &[]), property("d", decimal(6, 2), &[])];
    let frame = typed(vec![
        Column::new("i".into(), [1i64, 300, 3]),
        Column::new("d".into(), [Some(1.25f64), Some(1.0), None]),
        Column::new("bytes".into(), [&b"\x00\xff"[..]; 3]),
    ]);
    let (good, bad) = judge(&events(EventInput::Parquet, properties), frame);
    assert_eq!(texts(&good, "i"), ["1", "3"]);
    assert_eq!(texts(&good, "d"), ["1.25", "NULL"]);
    assert_eq!(reasons(&bad), ["i: type (300)"]);
    assert_eq!(texts(&bad, "_row"), [r#"{"i":300,"d":1.0,"bytes":"00ff"}"#]);
}

#[test]
fn empty_text_is_a_text() {
    let frame = typed(vec![Column::new("s".into(), [""])]);
    let (good, _) = judge(&events(EventInput::Parquet, vec![property("s", Type::String, &[Rule::Required])]), frame);
    assert_eq!(texts(&good, "s"), [""]);
}

#[test]
fn members_of_objects_are_taken_by_name() {
    let o = object(&[Column::new("z".into(), [1i32, 2]), Column::new("a".into(), ["x", "y"])]);
    let members = vec![expr::Column::new("a", Type::String), expr::Column::new("new", Type::Date)];
    let (good, _) =
        judge(&events(EventInput::Parquet, vec![property("o", Type::Struct(members), &[])]), typed(vec![o]));
    assert_eq!(texts(&good, "o"), [r#"{"a":"x","new":null}"#, r#"{"a":"y","new":null}"#]);
}

#[test]
fn leaves_are_cast_with_a_check_and_have_one_zero() {
    let prices = Series::new("p".into(), [1.0f64, -0.0, f64::NAN]);
    let more = Series::new("p".into(), [2.0f64]);
    let lists = Series::new("l".into(), [Some(more.clone()), None, Some(prices), Some(more)]);
    let o = object(&[lists.into_column(), Column::new("n".into(), [1i64, 2, 3, 4000])]);
    let ty = Type::Struct(vec![
        expr::Column::new("l", Type::Array(Box::new(Type::Double))),
        expr::Column::new("n", Type::TinyInt),
    ]);
    let (good, bad) = judge(&events(EventInput::Parquet, vec![property("o", ty, &[])]), typed(vec![o.slice(1, 3)]));
    assert_eq!(texts(&good, "o"), [r#"{"l":null,"n":2}"#]);
    assert_eq!(reasons(&bad), ["o.l[2]: nan (NaN)", "o.n: type (4000)"]);
}

#[test]
fn a_list_is_no_number() {
    let lists = Series::new("l".into(), [Series::new("".into(), [1i64])]);
    let wrong = events(EventInput::Parquet, vec![property("l", Type::Int, &[])]);
    let error = prepare(&wrong, 0, typed(vec![lists.into_column()]).lazy()).err().unwrap();
    assert!(error.to_string().contains("`l` is array<bigint> in bronze, the contract says int"), "{error}");
}

#[test]
fn an_expression_reads_a_wider_column_rightly() {
    let mut events =
        events(EventInput::Parquet, vec![property("a", decimal(9, 4), &[]), property("b", decimal(9, 2), &[])]);
    let columns = vec![expr::Column::new("a", decimal(5, 2)), expr::Column::new("gone", Type::Boolean)];
    events.columns[1].expr = Some(expr::scalar("case when gone then a else a + a end", &columns, UTC).unwrap());
    let a = Column::new("a".into(), ["1.2500", "1.2345"]).cast(&decimal(7, 4).to_polars()).unwrap();
    let (good, bad) = judge(&events, typed(vec![a]));
    assert_eq!(texts(&good, "a"), ["1.2500"]);
    assert_eq!(texts(&good, "b"), ["2.50"]);
    assert_eq!(reasons(&bad), ["a: type (1.2345)"]);
}
