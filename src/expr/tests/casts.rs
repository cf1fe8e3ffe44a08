use proptest::prelude::*;

use super::{UTC, all, error, rows, table, type_of, value};
use crate::expr::{Column, Expr, Settings, Type, scalar};

/// Whether the value as text is that text, `NULL`, or a fault.
fn cast(text: &str, to: &str) -> String {
    value(&format!("CAST('{text}' AS {to})"))
}

#[test]
fn text_to_integers_is_exact() {
    for (text, to, wanted) in [
        ("127", "tinyint", "127"),
        ("-32768", "smallint", "-32768"),
        (" 42 ", "int", "42"),
        ("+7", "int", "7"),
        ("12.00", "int", "12"),
        ("1e3", "int", "1000"),
        ("9223372036854775807", "bigint", "9223372036854775807"),
    ] {
        assert_eq!(cast(text, to), wanted, "{text} as {to}");
    }
    for (text, to) in [
        ("128", "tinyint"),
        ("12.5", "int"),
        ("abc", "int"),
        ("", "int"),
        ("1_000", "int"),
        ("0x10", "int"),
        ("9223372036854775808", "bigint"),
        ("1e", "int"),
        (".", "int"),
        ("- 1", "int"),
        ("١", "int"),
    ] {
        assert_eq!(cast(text, to), format!("fault: cannot cast '{text}' to {to}"));
    }
}

#[test]
fn a_cast_that_loses_digits_is_a_fault() {
    all(&[
        ("CAST('1.005' AS decimal(10,2))", "fault: cannot cast '1.005' to decimal(10,2)"),
        ("CAST('1.000' AS decimal(10,2))", "1.00"),
        ("CAST(1.005 AS decimal(10,2))", "fault: cannot cast 1.005 to decimal(10,2)"),
        ("CAST(1.5 AS int)", "fault: cannot cast 1.5 to int"),
        ("CAST(2.0 AS int)", "2"),
        ("CAST(300 AS tinyint)", "fault: cannot cast 300 to tinyint"),
        ("CAST(100 AS decimal(2,0))", "fault: cannot cast 100 to decimal(2,0)"),
        ("CAST(1.5e0 AS bigint)", "fault: cannot cast 1.5 to bigint"),
        ("CAST(1e19 AS bigint)", "fault: cannot cast 1e19 to bigint"),
        ("CAST(1e300 AS float)", "fault: cannot cast 1e300 to float"),
        ("CAST(0.1e0 AS decimal(3,2))", "0.10"),
        ("CAST(1.005e0 AS decimal(3,2))", "fault: cannot cast 1.005 to decimal(3,2)"),
        ("CAST(2 AS boolean)", "fault: cannot cast 2 to boolean"),
    ]);
}

#[test]
fn text_to_doubles() {
    all(&[
        ("CAST('1.5' AS double)", "1.5"),
        ("CAST(' -1e3 ' AS double)", "-1000.0"),
        ("CAST('NaN' AS double)", "NaN"),
        ("CAST('0.1' AS float)", "0.1"),
        ("CAST('-0.0' AS double)", "0.0"),
        ("CAST('1e400' AS double)", "fault: cannot cast '1e400' to double"),
        ("CAST('inf' AS double)", "fault: cannot cast 'inf' to double"),
        ("CAST('1e39' AS float)", "fault: cannot cast '1e39' to float"),
        ("CAST('one' AS float)", "fault: cannot cast 'one' to float"),
    ]);
}

#[test]
fn text_to_booleans() {
    for text in ["true", "T", " yes ", "y", "1"] {
        assert_eq!(cast(text, "boolean"), "true", "{text}");
    }
    for text in ["false", "F", "no", "N", "0"] {
        assert_eq!(cast(text, "boolean"), "false", "{text}");
    }
    assert_eq!(cast("on", "boolean"), "fault: cannot cast 'on' to boolean");
}

#[test]
fn text_to_dates() {
    assert_eq!(cast("2024-02-29", "date"), "2024-02-29");
    assert_eq!(cast(" 0001-01-01 ", "date"), "0001-01-01");
    assert_eq!(cast("9999-12-31", "date"), "9999-12-31");
    for text in
        ["2023-02-29", "0000-01-01", "10000-01-01", "2024-1-1", "20240101", "2024-01-01 00:00:00", "", "-2024-01-01"]
    {
        assert_eq!(cast(text, "date"), format!("fault: cannot cast '{text}' to date"));
    }
}

#[test]
fn text_to_timestamps() {
    for (text, wanted) in [
        ("2024-01-31 12:30:15", "2024-01-31T12:30:15Z"),
        ("2024-01-31T12:30:15Z", "2024-01-31T12:30:15Z"),
        ("2024-01-31", "2024-01-31T00:00:00Z"),
        ("2024-01-31T12:30", "2024-01-31T12:30:00Z"),
        ("2024-01-31T12:30:15.123456", "2024-01-31T12:30:15.123456Z"),
        ("2024-01-31T12:30:15.123456000", "2024-01-31T12:30:15.123456Z"),
        ("2024-01-31 12:30:15.5 +02:00", "2024-01-31T10:30:15.5Z"),
        ("2024-01-31 12:30:15-0530", "2024-01-31T18:00:15Z"),
        ("2024-01-31 12:30:15+02", "2024-01-31T10:30:15Z"),
        ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"),
        ("1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z"),
    ] {
        assert_eq!(value(&format!("CAST(CAST('{text}' AS timestamp) AS string)")), wanted, "{text}");
    }
    // the last two are out of range only once they are in UTC
    for text in [
        "2024-01-31T12:30:15.1234567",
        "2024-01-31 24:00:00",
        "2024-01-31 23:59:60",
        "2024-01-31 12",
        "2024-01-31T12:30:15.",
        "31.01.2024",
        "2024-01-31 12:30:15 Europe/Berlin",
        "2024-01-31T12:30:15+02:60",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
    ] {
        assert_eq!(cast(text, "timestamp"), format!("fault: cannot cast '{text}' to timestamp"));
    }
}

#[test]
fn text_without_a_zone_is_of_the_projects() {
    let berlin = Settings { timezone: chrono_tz::Europe::Berlin };
    let t = table(&[(
        "t",
        Type::String,
        &[
            "'2024-07-01 12:00:00'",
            "'2024-01-01 12:00:00'",
            "'2024-07-01 12:00:00Z'",
            "'2024-03-31 02:30:00'",
            "'2024-10-27 02:30:00'",
        ],
    )]);
    let e = scalar("CAST(CAST(t AS timestamp) AS string)", &t.columns, berlin).unwrap();
    let rows = super::carry_out(&e, &t.frame, polars::prelude::Engine::InMemory);
    // the fourth lies in the gap that summer time makes, the fifth is there twice: the earlier
    assert_eq!(
        rows,
        [
            "2024-07-01T10:00:00Z",
            "2024-01-01T11:00:00Z",
            "2024-07-01T12:00:00Z",
            "fault: cannot cast '2024-03-31 02:30:00' to timestamp",
            "2024-10-27T00:30:00Z"
        ]
    );
}

#[test]
fn to_text() {
    all(&[
        ("CAST(-5 AS string)", "-5"),
        ("CAST(-0.50 AS string)", "-0.50"),
        ("CAST(1e0 AS string)", "1.0"),
        ("CAST(1e300 AS string)", "1e300"),
        ("CAST(CAST('0.1' AS float) AS string)", "0.1"),
        ("CAST(true AS string)", "true"),
        ("CAST(DATE '2024-01-31' AS string)", "2024-01-31"),
        ("CAST(TIMESTAMP '2024-01-31 12:00:00.5' AS string)", "2024-01-31T12:00:00.5Z"),
    ]);
}

#[test]
fn between_dates_timestamps_and_booleans() {
    all(&[
        ("CAST(CAST(DATE '2024-01-31' AS timestamp) AS string)", "2024-01-31T00:00:00Z"),
        ("CAST(TIMESTAMP '1969-12-31 23:59:59' AS date)", "1969-12-31"),
        ("date('2024-01-31')", "2024-01-31"),
        ("CAST(true AS int)", "1"),
        ("CAST(0 AS boolean)", "false"),
    ]);
    assert_eq!(type_of("DATE '2024-01-31'"), "date");
}

#[test]
fn try_cast_gives_null() {
    all(&[
        ("TRY_CAST('x' AS int)", "NULL"),
        ("'12'::int + 1", "13"),
        ("TRY_CAST('1' AS int)", "1"),
        ("TRY_CAST(1 / 0 AS int)", "fault: division by zero"),
    ]);
}

#[test]
fn null_casts_to_anything() {
    for ty in ["boolean", "int", "decimal(5,2)", "double", "string", "date", "timestamp"] {
        assert_eq!(value(&format!("CAST(NULL AS {ty})")), "NULL");
        assert_eq!(value(&format!("CAST(CAST(NULL AS string) AS {ty})")), "NULL");
    }
}

#[test]
fn what_has_no_cast() {
    assert_eq!(error("CAST(DATE '2024-01-01' AS int)", &Vec::new()).message, "there is no cast from date to int");
    assert_eq!(error("CAST(1 AS decimal(39,0))", &Vec::new()).message, "there is no decimal(39,0)");
    assert_eq!(error("CAST(1 AS money)", &Vec::new()).message, "unknown type `money`");
    assert!(Expr::column("b", Type::Binary).cast(&Type::String, UTC).is_err());
    let list = Type::Array(Box::new(Type::Int));
    assert_eq!(*Expr::column("a", list.clone()).cast(&list, UTC).unwrap().ty(), list);
}

#[test]
fn long_text_is_shown_in_part() {
    let sql = format!("CAST('{}' AS int)", "x".repeat(100));
    assert_eq!(value(&sql), format!("fault: cannot cast '{}…' to int", "x".repeat(40)));
}

#[test]
fn a_cast_of_a_double_to_itself_takes_the_sign_off_zero() {
    let t =
        super::Table { frame: polars::df!("d" => [-0.0f64]).unwrap(), columns: vec![Column::new("d", Type::Double)] };
    let e = Expr::column("d", Type::Double).cast(&Type::Double, UTC).unwrap();
    assert_eq!(super::carry_out(&e, &t.frame, polars::prelude::Engine::InMemory), ["0.0"]);
    assert_eq!(rows("CAST(d + 0 AS string)", &t), ["0.0"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// The model is text: a decimal is what is left of its digits when the zeros at the end are cut.
    #[test]
    fn decimal_casts_equal_a_model_of_text(
        whole in "[1-9][0-9]{0,20}|0", fraction in "[0-9]{0,12}", negative: bool, precision in 1u8..=38, scale in 0u8..=12,
    ) {
        prop_assume!(scale <= precision);
        let sign = if negative { "-" } else { "" };
        let text = format!("{sign}{whole}.{fraction}0");
        let kept = fraction.trim_end_matches('0');
        let digits = if whole == "0" { 0 } else { whole.len() };
        let fits = kept.len() <= usize::from(scale) && digits <= usize::from(precision - scale);
        let width = usize::from(scale);
        let padded = format!("{kept:0<width$}");
        let zero = whole == "0" && kept.is_empty();
        let sign = if zero { "" } else { sign };
        let point = if scale > 0 { "." } else { "" };
        let wanted = if fits { format!("{sign}{whole}{point}{padded}") } else { format!("fault: cannot cast '{text}' to decimal({precision},{scale})") };
        prop_assert_eq!(value(&format!("CAST(CAST('{text}' AS decimal({precision},{scale})) AS string)")), wanted);
    }
}
