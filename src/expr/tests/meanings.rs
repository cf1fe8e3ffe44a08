//! DESIGN's table of meanings, line by line; each test is named after its line.

use super::{Table, UTC, all, error, rows, table, type_of, value};
use crate::expr::{Column, Type, scalar};

#[test]
fn null_is_three_valued_and_equal_to_itself_where_it_is_asked() {
    all(&[
        ("NULL = NULL", "NULL"),
        ("NULL <> 1", "NULL"),
        ("NOT (NULL = 1)", "NULL"),
        ("NULL AND false", "false"),
        ("NULL OR true", "true"),
        ("NULL IS NOT DISTINCT FROM NULL", "true"),
        ("1 IS DISTINCT FROM NULL", "true"),
    ]);
}

#[test]
fn slash_of_integers_is_never_truncated_and_div_and_percent_go_toward_zero() {
    all(&[("1 / 3 * 3", "1.0"), ("-7 div 2", "-3"), ("-7 % 3", "-1"), ("7 % -3", "1")]);
    assert_eq!(type_of("1 / 2"), "double");
    assert_eq!(type_of("1.0 / 2"), "decimal(7,6)");
}

#[test]
fn division_by_zero_and_overflow_are_faults_of_the_branch_taken() {
    let t = table(&[("n", Type::Int, &["0", "2", "NULL"])]);
    assert_eq!(rows("CASE WHEN n <> 0 THEN 10 div n ELSE 0 END", &t), ["0", "5", "0"]);
    assert_eq!(rows("10 div n", &t), ["fault: division by zero", "5", "NULL"]);
    assert_eq!(rows("COALESCE(n, 1 div 0)", &t), ["0", "2", "fault: division by zero"]);
    assert_eq!(value("9223372036854775807 + 1"), "fault: overflow");
    assert_eq!(value("1e200 * 1e200"), "fault: overflow");
}

#[test]
fn a_product_of_decimals_is_exact_and_a_cast_that_loses_digits_fails() {
    all(&[
        ("1.05 * 1.05", "1.1025"),
        ("CAST(1.05 * 1.05 AS decimal(10,2))", "fault: cannot cast 1.1025 to decimal(10,2)"),
        ("CAST(1.50 * 2.00 AS decimal(10,2))", "3.00"),
        ("CAST('1.005' AS decimal(10,2))", "fault: cannot cast '1.005' to decimal(10,2)"),
    ]);
}

#[test]
fn round_is_half_away_from_zero() {
    all(&[
        ("round(2.5)", "3"),
        ("round(-2.5)", "-3"),
        ("round(2.5e0)", "3.0"),
        ("round(-0.5e0)", "-1.0"),
        ("round(-0.4e0)", "0.0"),
        ("round(2.345, 2)", "2.35"),
        ("round(-2.345, 2)", "-2.35"),
        ("round(2.675e0, 2)", "2.68"),
        ("round(1.005e0, 2)", "1.01"),
        ("CAST(round(1e300, 2) AS string)", "1e300"),
        ("round(0.001e0, 2)", "0.0"),
        ("round(1250, -2)", "1300"),
        ("round(-1250, -2)", "-1300"),
        ("round(49, -2)", "0"),
        ("round(99.9, -1)", "100"),
        ("round(1234.5e0, -2)", "1200.0"),
        ("round(5, 3)", "5"),
        ("round(CAST(127 AS tinyint), -1)", "fault: overflow"),
        ("round(CAST('NaN' AS double))", "fault: overflow"),
        ("round(NULL)", "NULL"),
    ]);
}

#[test]
fn nan_is_a_fault_when_it_is_computed_and_minus_zero_is_zero() {
    all(&[
        ("sqrt(-1)", "fault: square root of a number below 0"),
        ("0e0 / 0", "fault: division by zero"),
        ("0e0 * -1", "0.0"),
        ("CAST('-0.0' AS double)", "0.0"),
        ("abs(-0e0)", "0.0"),
        ("ceil(-0.5e0)", "0.0"),
    ]);
}

#[test]
fn joining_with_null_is_null_and_text_compares_by_bytes() {
    all(&[
        ("'a' || NULL", "NULL"),
        ("'B' < 'a'", "true"),
        ("'z' < 'ä'", "true"),
        ("'a' = 'A'", "false"),
        ("'a' < 'aa'", "true"),
    ]);
}

#[test]
fn a_timestamp_is_an_instant_in_utc_in_microseconds() {
    assert_eq!(type_of("CAST('2024-07-01 12:00:00' AS timestamp)"), "timestamp");
    let berlin = crate::expr::Settings { timezone: chrono_tz::Europe::Berlin };
    for sql in [
        "CAST(CAST('2024-07-01 12:00:00' AS timestamp) AS string)",
        "CAST(TIMESTAMP '2024-07-01 12:00:00' AS string)",
        "CAST(to_timestamp('2024-07-01 12:00:00', '%Y-%m-%d %H:%M:%S') AS string)",
    ] {
        let e = scalar(sql, &Vec::new(), berlin).unwrap();
        let t = table(&[("row", Type::Int, &["1"])]);
        assert_eq!(
            super::carry_out(&e, &t.frame, polars::prelude::Engine::Streaming),
            ["2024-07-01T10:00:00Z"],
            "{sql}"
        );
    }
}

#[test]
fn now_random_and_uuid_are_refused() {
    for sql in ["now()", "random()", "uuid()"] {
        assert!(error(sql, &Vec::new()).message.contains("never repeats"));
    }
}

#[test]
fn names_are_case_sensitive() {
    let columns = vec![Column::new("Total", Type::Int)];
    assert!(scalar("Total", &columns, UTC).is_ok());
    assert_eq!(error("TOTAL", &columns).hint.as_deref(), Some("did you mean `Total`?"));
}

#[test]
fn an_empty_frame_has_no_faults() {
    let t = Table {
        frame: table(&[("n", Type::Int, &["1"])]).frame.head(Some(0)),
        columns: vec![Column::new("n", Type::Int)],
    };
    for sql in ["n / 0", "CAST(CAST(n AS string) AS date)", "n IN (1, NULL)", "greatest(n, 1)", "coalesce(n div 0, 1)"]
    {
        assert!(rows(sql, &t).is_empty(), "{sql}");
        let e = scalar(sql, &t.columns, UTC).unwrap();
        use polars::prelude::IntoLazy as _;
        let frame = t.frame.clone().lazy().with_column(e.lower().strict(sql).alias("x")).collect().unwrap();
        assert_eq!(frame.height(), 0, "{sql}");
    }
}
