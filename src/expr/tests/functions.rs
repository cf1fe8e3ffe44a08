use super::{all, error, type_of, value};
use crate::expr::{Column, Type, functions};

#[test]
fn text() {
    all(&[
        ("'a' || 'b'", "ab"),
        ("lower('ÄBC')", "äbc"),
        ("upper('straße')", "STRASSE"),
        ("trim(' \t x \n')", "x"),
        ("trim('xxaxx', 'x')", "a"),
        ("TRIM(BOTH 'xy' FROM 'xyaxy')", "a"),
        ("TRIM(LEADING 'x' FROM 'xax')", "ax"),
        ("ltrim('  a ')", "a "),
        ("rtrim(' a  ')", " a"),
        ("length('äb€')", "3"),
        ("length('')", "0"),
        ("substring('hello', 2)", "ello"),
        ("substring('hello', 2, 3)", "ell"),
        ("substring('hello' FROM 2 FOR 1)", "e"),
        ("substr('hello', 0, 2)", "he"),
        ("substring('hello', -3, 2)", "ll"),
        ("substring('hello', -7, 3)", "h"),
        ("substring('hello', 9)", ""),
        ("substring('hello', 1, -1)", "fault: the length is negative"),
        ("replace('banana', 'an', 'x')", "bxxa"),
        ("replace('abc', '', 'x')", "abc"),
        ("split_part('a-b-c', '-', 2)", "b"),
        ("split_part('a-b-c', '-', -1)", "c"),
        ("split_part('a-b-c', '-', 4)", ""),
        ("split_part('a-b-c', '', 1)", "a-b-c"),
        ("split_part('a', '-', 0)", "fault: parts count from 1, or from the end as -1"),
        ("lpad('7', 3, '0')", "007"),
        ("lpad('abcd', 2)", "ab"),
        ("lpad('a', 4, 'xy')", "xyxa"),
        ("lpad('a', 3, '')", "a"),
        ("lpad('a', 1000001)", "fault: the length is over 1000000"),
        ("rpad('7', 3)", "7  "),
        ("rpad('a', -1, 'x')", ""),
        ("rpad('a', 1000001)", "fault: the length is over 1000000"),
        ("starts_with('hello', 'he')", "true"),
        ("ends_with('hello', 'he')", "false"),
        ("sha256('abc')", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    ]);
}

#[test]
fn patterns() {
    all(&[
        ("'hello' LIKE 'h%o'", "true"),
        ("'hello' LIKE 'h_llo'", "true"),
        ("'hello' LIKE 'hell'", "false"),
        ("'a\nb' LIKE 'a%b'", "true"),
        ("'abab' LIKE '%ab'", "true"),
        ("'aab' LIKE '%a_b'", "true"),
        ("'ab' LIKE '%a_b'", "false"),
        ("'10%' LIKE '10\\%'", "true"),
        ("'10x' LIKE '10\\%'", "false"),
        ("'10%' LIKE '10!%' ESCAPE '!'", "true"),
        ("'x' LIKE 'x\\'", "fault: the pattern ends with its escape"),
        ("'HELLO' LIKE 'hello'", "false"),
        ("'HELLO' ILIKE 'h%O'", "true"),
        ("'ÄRGER' ILIKE 'ärger'", "true"),
        ("'x' ILIKE 'x\\'", "fault: the pattern ends with its escape"),
        ("'a' NOT LIKE 'b'", "true"),
        ("'a' NOT ILIKE 'A'", "false"),
        ("'' LIKE '%'", "true"),
        ("regexp_like('order 66', '[0-9]+')", "true"),
        ("regexp_like('order', '^[0-9]+$')", "false"),
        ("regexp_replace('a1b22', '[0-9]+', '#')", "a#b#"),
        ("regexp_replace('john smith', '(\\w+) (\\w+)', '$2 $1')", "smith john"),
        ("regexp_extract('order 66 done', '([0-9]+)')", "66"),
        ("regexp_extract('order 66', '[a-z]+')", "order"),
        ("regexp_extract('2024-07', '(\\d+)-(\\d+)', 2)", "07"),
        ("regexp_extract('x', '(\\d+)')", "NULL"),
        ("regexp_extract('x', 'x', 7)", "NULL"),
    ]);
    assert!(error("regexp_like('a', '(')", &Vec::new()).message.contains("is no regular expression: unclosed group"));
    assert!(error("'a' LIKE 'a' ESCAPE 'xx'", &Vec::new()).message.contains("must be one character"));
}

#[test]
fn json() {
    let document = r#"'{"a": {"b": [1.10, "x\n", null, {"c d": true}]}, "n": 123456789012345678901234567890, "k": 1, "k": 2, "": 3}'"#;
    for (path, wanted) in [
        ("$.a.b[0]", "1.10"),
        ("$.a.b[1]", "x\n"),
        ("$.a.b[2]", "NULL"),
        ("$.a.b[3][\"c d\"]", "true"),
        ("$.a.b[4]", "NULL"),
        ("$.a.x", "NULL"),
        ("$.a[0]", "NULL"),
        ("$.n", "123456789012345678901234567890"),
        ("$.k", "2"),
        ("$.a.b[3]", r#"{"c d": true}"#),
    ] {
        assert_eq!(value(&format!("get_json({document}, '{path}')")), wanted, "{path}");
    }
    all(&[
        ("get_json('[1, 2]', '$[1]')", "2"),
        ("get_json('{', '$.a')", "NULL"),
        ("get_json(' \"x\" ', '$')", "x"),
        ("get_json('{} x', '$')", "NULL"),
    ]);
    for path in ["a", "$.", "$[x]", "$.a[", "$..a", "$['a]"] {
        assert!(
            error(&format!("get_json('1', '{}')", path.replace('\'', "''")), &Vec::new())
                .message
                .contains("is no path"),
            "{path}"
        );
    }
}

#[test]
fn numbers() {
    all(&[
        ("abs(-5)", "5"),
        ("abs(-1.50)", "1.50"),
        ("abs(-1e0)", "1.0"),
        ("abs(-9223372036854775808)", "fault: overflow"),
        ("abs(CAST(-128 AS tinyint))", "fault: overflow"),
        ("sign(-2.5)", "-1"),
        ("sign(0e0)", "0"),
        ("sign(7)", "1"),
        ("sign(CAST('NaN' AS double))", "fault: not a number"),
        ("floor(-1.5)", "-2"),
        ("floor(1.5e0)", "1.0"),
        ("floor(3)", "3"),
        ("ceil(1.01)", "2"),
        ("ceiling(-1.5)", "-1"),
        ("ceil(CAST('NaN' AS double))", "fault: overflow"),
        ("power(2, 10)", "1024.0"),
        ("pow(10, 400)", "fault: overflow, or not a number"),
        ("power(-1, 0.5)", "fault: overflow, or not a number"),
        ("sqrt(16)", "4.0"),
        ("sqrt(-1)", "fault: square root of a number below 0"),
        ("ln(1)", "0.0"),
        ("ln(0)", "fault: logarithm of a number that is not above 0"),
        ("exp(0)", "1.0"),
        ("exp(1000)", "fault: overflow"),
        ("greatest(1, 3, NULL, 2)", "3"),
        ("greatest('a', 'b')", "b"),
        ("greatest(NULL, NULL)", "NULL"),
        ("greatest(1, 1.5)", "1.5"),
        ("greatest(true, false)", "true"),
        ("least(TIMESTAMP '2024-01-02', DATE '2024-01-01') = DATE '2024-01-01'", "true"),
        ("greatest(1e0, CAST('NaN' AS double))", "NaN"),
        ("least(1e0, CAST('NaN' AS double))", "1.0"),
        ("least(2, 1 / 0)", "fault: division by zero"),
        ("least(DATE '2024-01-02', DATE '2024-01-01')", "2024-01-01"),
    ]);
}

#[test]
fn dates_and_times() {
    all(&[
        ("CAST(to_timestamp('31.01.2024 12:30', '%d.%m.%Y %H:%M') AS string)", "2024-01-31T12:30:00Z"),
        ("CAST(to_timestamp('31.01.2024 12:30', '%d.%m.%Y %H:%M', 'Europe/Berlin') AS string)", "2024-01-31T11:30:00Z"),
        ("CAST(to_timestamp('2024-01-31 12 +0200', '%Y-%m-%d %H %z') AS string)", "2024-01-31T10:00:00Z"),
        ("CAST(to_timestamp('2024-01-31', '%Y-%m-%d') AS string)", "2024-01-31T00:00:00Z"),
        ("CAST(to_timestamp('1706700600', '%s') AS string)", "2024-01-31T11:30:00Z"),
        ("CAST(to_timestamp('01/31/24 01:05:09 PM', '%m/%d/%y %I:%M:%S %p') AS string)", "2024-01-31T13:05:09Z"),
        (
            "to_timestamp('2024-01-31 12:00:00.1234567', '%Y-%m-%d %H:%M:%S%.f')",
            "fault: the text is no timestamp of that format",
        ),
        ("to_timestamp('2024-01-31', '%d.%m.%Y')", "fault: the text is no timestamp of that format"),
        ("to_timestamp('2024-01-31 23:59:60', '%Y-%m-%d %H:%M:%S')", "fault: the text is no timestamp of that format"),
        ("to_date('31.01.2024', '%d.%m.%Y')", "2024-01-31"),
        ("to_date('31.02.2024', '%d.%m.%Y')", "fault: the text is no date of that format"),
        ("to_date('01.01.12024', '%d.%m.%Y')", "fault: the text is no date of that format"),
        ("date(TIMESTAMP '2024-01-31 23:59:59')", "2024-01-31"),
        ("format_timestamp(TIMESTAMP '2024-07-01 22:30:00', '%d.%m.%Y %H:%M', 'Europe/Berlin')", "02.07.2024 00:30"),
        ("format_timestamp(DATE '2024-07-01', '%Y/%m')", "2024/07"),
        ("CAST(date_trunc('month', TIMESTAMP '2024-07-31 22:30:00') AS string)", "2024-07-01T00:00:00Z"),
        (
            "CAST(date_trunc('month', TIMESTAMP '2024-07-31 22:30:00', 'Europe/Berlin') AS string)",
            "2024-07-31T22:00:00Z",
        ),
        (
            "CAST(date_trunc('hour', TIMESTAMP '2024-10-27 01:30:00', 'Europe/Berlin') AS string)",
            "2024-10-27T01:00:00Z",
        ),
        ("CAST(date_trunc('hour', TIMESTAMP '1969-12-31 23:30:00') AS string)", "1969-12-31T23:00:00Z"),
        // summer time begins at midnight there
        (
            "CAST(date_trunc('day', TIMESTAMP '2018-11-04 12:00:00', 'America/Sao_Paulo') AS string)",
            "2018-11-04T03:00:00Z",
        ),
        ("date_trunc('quarter', DATE '2024-05-20')", "2024-04-01"),
        ("date_trunc('week', DATE '2024-01-03')", "2024-01-01"),
        ("date_trunc('year', DATE '2024-05-20')", "2024-01-01"),
        ("date_trunc('week', DATE '0001-01-01')", "0001-01-01"),
        ("date_part('year', DATE '2024-05-20')", "2024"),
        ("EXTRACT(month FROM DATE '2024-05-20')", "5"),
        ("date_part('quarter', DATE '2024-05-20')", "2"),
        ("date_part('week', DATE '2021-01-03')", "53"),
        ("date_part('dayofweek', DATE '2024-01-07')", "7"),
        ("date_part('dayofyear', DATE '2024-12-31')", "366"),
        ("date_part('hour', TIMESTAMP '2024-07-01 22:30:45', 'Europe/Berlin')", "0"),
        ("date_part('minute', TIMESTAMP '2024-07-01 22:30:45')", "30"),
        ("date_part('second', TIMESTAMP '2024-07-01 22:30:45.9')", "45"),
        ("date_part('day', TIMESTAMP '2024-07-01 22:30:45')", "1"),
        ("date_add('day', 1, DATE '2024-02-28')", "2024-02-29"),
        ("date_add('month', 1, DATE '2024-01-31')", "2024-02-29"),
        ("date_add('year', -1, DATE '2024-02-29')", "2023-02-28"),
        ("CAST(date_add('hour', 25, TIMESTAMP '2024-01-01 00:00:00') AS string)", "2024-01-02T01:00:00Z"),
        ("date_add('year', 8000, DATE '2024-02-29')", "fault: outside of the years 0001 to 9999"),
        ("date_add('day', 9223372036854775807, DATE '2024-02-29')", "fault: outside of the years 0001 to 9999"),
        ("date_diff('day', DATE '2024-02-28', DATE '2024-03-01')", "2"),
        ("date_diff('month', DATE '2024-01-31', DATE '2024-02-29')", "0"),
        ("date_diff('month', DATE '2024-03-31', DATE '2024-02-29')", "-1"),
        ("date_diff('quarter', DATE '2024-01-01', DATE '2024-12-31')", "3"),
        ("date_diff('year', DATE '2020-02-29', DATE '2024-02-28')", "3"),
        ("date_diff('hour', TIMESTAMP '2024-01-01 02:00:00', TIMESTAMP '2024-01-01 00:30:00')", "-1"),
    ]);
    for (sql, message) in [
        ("date_trunc('hour', DATE '2024-01-01')", "a date has no hours"),
        ("date_trunc('decade', DATE '2024-01-01')", "must be one of year, quarter"),
        ("date_part('epoch', DATE '2024-01-01')", "must be one of year, quarter"),
        ("date_part('day', DATE '2024-01-01', 'Mars')", "is no time zone"),
        ("to_date('x', '%Q')", "is no format"),
        ("date_add('day', 1.5, DATE '2024-01-01')", "argument 2 is decimal(2,1), not an integer"),
    ] {
        let found = error(sql, &Vec::new()).message;
        assert!(found.contains(message), "{sql}: {found}");
    }
}

#[test]
fn every_function_gives_null_for_null() {
    use functions::Parameter as P;
    for definition in functions::all() {
        if ["||", "like", "ilike"].contains(&definition.name) {
            continue;
        }
        let arguments =
            definition.parameters.iter().take(definition.required).enumerate().map(
                |(place, parameter)| match parameter {
                    P::Constant(_) => match (definition.name, place) {
                        ("get_json", _) => "'$'",
                        ("date_trunc" | "date_part" | "date_add" | "date_diff", _) => "'day'",
                        ("to_timestamp" | "to_date" | "format_timestamp", _) => "'%Y'",
                        _ => "'x'",
                    },
                    P::Places => "0",
                    _ => "NULL",
                },
            );
        let sql = format!("{}({})", definition.name, arguments.collect::<Vec<_>>().join(", "));
        assert_eq!(value(&sql), "NULL", "{sql}");
    }
    all(&[("NULL || 'a'", "NULL"), ("NULL LIKE 'a'", "NULL"), ("'a' ILIKE NULL", "NULL")]);
}

#[test]
fn calls_that_do_not_fit() {
    let message = |sql| error(sql, &Vec::new()).message;
    assert_eq!(message("lower()"), "`lower(text)`: 0 arguments do not fit");
    assert_eq!(message("lower(1)"), "`lower(text)`: argument 1 is int, not text; CAST makes text of it");
    assert_eq!(message("round(1.5, 1.5)"), "`round(x[, places])`: argument 2 must be a whole number from -38 to 38");
    assert_eq!(message("nullif(1)"), "the arguments do not fit: `nullif(a, b)`");
    assert_eq!(
        message("lower(DISTINCT 'a')"),
        "`lower` is no aggregate: FILTER, DISTINCT and ORDER BY do not go with it"
    );
    let unknown = error("uper('a')", &Vec::new());
    assert_eq!(
        (unknown.message.as_str(), unknown.hint.as_deref()),
        ("unknown function `uper`", Some("did you mean `upper`?"))
    );
}

#[test]
fn types_of_results() {
    for (sql, ty) in [
        ("length('a')", "int"),
        ("floor(CAST(1 AS decimal(10,2)))", "decimal(9,0)"),
        ("round(CAST(1 AS decimal(10,2)), 1)", "decimal(10,1)"),
        ("round(CAST(1 AS decimal(10,2)), 5)", "decimal(10,2)"),
        ("abs(CAST(1 AS float))", "double"),
        ("sign(1.5)", "int"),
        ("date_diff('day', DATE '2024-01-01', DATE '2024-01-01')", "bigint"),
    ] {
        assert_eq!(type_of(sql), ty, "{sql}");
    }
}

/// Another writer's table may hold them.
#[test]
fn years_beyond_ours_are_faults() {
    use polars::prelude::{DataFrame, DataType, IntoColumn as _, NamedFrom as _, Series};
    let at = Series::new("at".into(), [i64::MAX, i64::MIN, 253_402_300_800_000_000]).cast(&Type::Timestamp.to_polars());
    let day = Series::new("day".into(), [i32::MAX, i32::MIN, 2_932_897]).cast(&DataType::Date);
    let frame = DataFrame::new(3, vec![at.unwrap().into_column(), day.unwrap().into_column()]).unwrap();
    let t = super::Table { frame, columns: vec![Column::new("at", Type::Timestamp), Column::new("day", Type::Date)] };
    for sql in [
        "CAST(at AS string)",
        "CAST(day AS string)",
        "CAST(day AS timestamp)",
        "date_part('year', at)",
        "date_part('year', day)",
        "date_trunc('month', at, 'Europe/Berlin')",
        "date_trunc('month', day)",
        "date_add('day', -1, at)",
        "date_add('month', -1, day)",
        "date_diff('day', at, day)",
        "format_timestamp(at, '%Y')",
    ] {
        for row in super::rows(sql, &t) {
            assert!(row.starts_with("fault: "), "{sql}: {row}");
        }
    }
}
