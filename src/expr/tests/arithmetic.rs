use super::{all, rows, table, type_of, value};
use crate::expr::Type;

#[test]
fn quotients_of_integers_are_never_truncated() {
    all(&[
        ("7 / 2", "3.5"),
        ("-7 div 2", "-3"),
        ("7 div -2", "-3"),
        ("-7 % 3", "-1"),
        ("7 % -3", "1"),
        ("7 div 2 + 1", "4"),
        ("1 + 7 div 2 * 2", "7"),
        ("1.00 / 3", "0.333333"),
        ("7.5 div 2", "3"),
        ("-7.5 % 2", "-1.5"),
    ]);
}

#[test]
fn division_by_zero_is_a_fault() {
    for sql in ["1 / 0", "1 div 0", "1 % 0", "1.5 / 0", "1.5 % 0.0", "1.5 div 0", "1e0 / 0", "1e0 % 0"] {
        assert_eq!(value(sql), "fault: division by zero", "{sql}");
    }
}

#[test]
fn overflow_is_a_fault() {
    for sql in [
        "2147483647 + 1",
        "-2147483648 - 1",
        "2147483647 * 2",
        "9223372036854775807 + 1",
        "-9223372036854775808 - 1",
        "9223372036854775807 * 2",
        "-9223372036854775808 div -1",
        "- CAST(-128 AS tinyint) + CAST(127 AS tinyint) * CAST(2 AS tinyint)",
        "1e308 * 10",
        "99999999999999999999999999999999999999 + 1",
        "99999999999999999999999999999999999999 * 10",
    ] {
        assert_eq!(value(sql), "fault: overflow", "{sql}");
    }
    assert_eq!(value("-9223372036854775808 % -1"), "0");
}

#[test]
fn decimals_are_exact() {
    all(&[
        ("0.1 + 0.2", "0.3"),
        ("1.10 * 1.10", "1.2100"),
        ("CAST(1 AS decimal(38,0)) + 0.5", "1.5"),
        ("1 - 0.01", "0.99"),
    ]);
    assert_eq!(type_of("CAST(1 AS decimal(10,2)) * CAST(1 AS decimal(10,2))"), "decimal(21,4)");
    assert_eq!(type_of("CAST(1 AS decimal(10,2)) + 1"), "decimal(11,2)");
}

#[test]
fn null_in_null_out() {
    for operator in ["+", "-", "*", "/", "div", "%"] {
        assert_eq!(value(&format!("NULL {operator} 1")), "NULL");
        assert_eq!(value(&format!("1.5 {operator} NULL")), "NULL");
    }
}

#[test]
fn columns_as_literals() {
    let t = table(&[
        ("a", Type::Int, &["1", "NULL", "2147483647"]),
        ("b", Type::Decimal { precision: 10, scale: 2 }, &["1.50", "2.25", "NULL"]),
    ]);
    assert_eq!(rows("a + 1", &t), ["2", "NULL", "fault: overflow"]);
    assert_eq!(rows("a * b", &t), ["1.50", "NULL", "NULL"]);
    assert_eq!(rows("b / 0", &t), ["fault: division by zero", "fault: division by zero", "NULL"]);
}
