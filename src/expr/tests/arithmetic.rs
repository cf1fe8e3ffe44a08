use polars::prelude::{DataType, IntoColumn as _, NamedFrom as _, Series};
use proptest::prelude::*;

use super::{Table, all, rows, table, type_of, value};
use crate::expr::{Column, Type};

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

#[test]
fn minus_keeps_the_type() {
    let t = table(&[
        ("b", Type::Decimal { precision: 10, scale: 2 }, &["1.50", "NULL"]),
        ("n", Type::Int, &["5", "-2147483648"]),
    ]);
    assert_eq!(rows("-b", &t), ["-1.50", "NULL"]);
    assert_eq!(rows("-n", &t), ["-5", "fault: overflow"]);
    assert_eq!(type_of("-CAST(1 AS decimal(38,0))"), "decimal(38,0)");
}

#[test]
fn quotients_of_decimals_have_sparks_type() {
    for (p1, s1, p2, s2, ty) in [
        (10, 2, 10, 2, "decimal(23,13)"),
        (38, 2, 38, 2, "decimal(38,6)"),
        (38, 20, 38, 30, "decimal(38,6)"),
        (38, 38, 38, 0, "decimal(38,38)"),
        (5, 0, 1, 0, "decimal(11,6)"),
    ] {
        assert_eq!(
            type_of(
                &format!("CAST(1 AS decimal({p1},{s1})) / CAST(1 AS decimal({p2},{s2}))")
                    .replace("CAST(1 AS decimal(38,38))", "CAST(0 AS decimal(38,38))")
            ),
            ty
        );
    }
    assert_eq!(value("99999999999999999999999999999999999999 / 0.1"), "fault: overflow");
    assert_eq!(
        crate::expr::tests::error("CAST(0 AS decimal(38,20)) * CAST(0 AS decimal(38,20))", &Vec::new()).message,
        "the product of decimal(38,20) and decimal(38,20) has more than 38 places"
    );
}

fn integers(a: &[i64], b: &[i64], ty: &Type) -> Table {
    let column =
        |name: &str, cells: &[i64]| Series::new(name.into(), cells).cast(&ty.to_polars()).unwrap().into_column();
    let frame = polars::prelude::DataFrame::new(a.len(), vec![column("a", a), column("b", b)]).unwrap();
    Table { frame, columns: vec![Column::new("a", ty.clone()), Column::new("b", ty.clone())] }
}

fn edge(bits: u32) -> impl Strategy<Value = i64> {
    let (least, greatest) = (i64::MIN >> (64 - bits), i64::MAX >> (64 - bits));
    prop_oneof![Just(least), Just(greatest), Just(0), Just(-1), Just(1), least..=greatest, -100i64..100]
}

fn decimals(a: &[i128], b: &[i128], (s1, s2): (u8, u8), precision: u8) -> Table {
    let column = |name: &str, cells: &[i128], scale: u8| {
        let texts: Vec<String> = cells.iter().map(|v| crate::expr::decimal::format(*v, scale)).collect();
        let series = Series::new(name.into(), texts);
        let strings = polars::prelude::DataFrame::new(series.len(), vec![series.into_column()]).unwrap();
        let t = Table { frame: strings, columns: vec![Column::new(name, Type::String)] };
        let cast = format!("CAST({name} AS decimal({precision},{scale}))");
        let e = crate::expr::scalar(&cast, &t.columns, super::UTC).unwrap();
        use polars::prelude::IntoLazy as _;
        t.frame.lazy().select([e.lower().strict("cast").alias(name)]).collect().unwrap().columns()[0].clone()
    };
    let frame = polars::prelude::DataFrame::new(a.len(), vec![column("a", a, s1), column("b", b, s2)]).unwrap();
    assert!(matches!(frame.column("a").unwrap().dtype(), DataType::Decimal(..)));
    let ty = |scale| Type::Decimal { precision, scale };
    Table { frame, columns: vec![Column::new("a", ty(s1)), Column::new("b", ty(s2))] }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn integers_equal_a_model_of_128_bits(bits in prop_oneof![Just(8u32), Just(16), Just(32), Just(64)], pairs in prop::collection::vec((edge(64), edge(64)), 1..40)) {
        let ty = match bits { 8 => Type::TinyInt, 16 => Type::SmallInt, 32 => Type::Int, _ => Type::BigInt };
        let (a, b): (Vec<i64>, Vec<i64>) = pairs.iter().map(|(a, b)| (a >> (64 - bits), b >> (64 - bits))).unzip();
        let t = integers(&a, &b, &ty);
        let fits = |v: i128, bits: u32| v >= -(1i128 << (bits - 1)) && v < 1i128 << (bits - 1);
        let text = |v: Option<i128>, bits: u32| match v {
            None => "fault: division by zero".to_owned(),
            Some(v) if fits(v, bits) => v.to_string(),
            Some(_) => "fault: overflow".to_owned(),
        };
        let model = |f: &dyn Fn(i128, i128) -> Option<i128>, bits| -> Vec<String> {
            a.iter().zip(&b).map(|(a, b)| text(f(i128::from(*a), i128::from(*b)), bits)).collect()
        };
        prop_assert_eq!(rows("a + b", &t), model(&|a, b| Some(a + b), bits));
        prop_assert_eq!(rows("a - b", &t), model(&|a, b| Some(a - b), bits));
        prop_assert_eq!(rows("a * b", &t), model(&|a, b| Some(a * b), bits));
        prop_assert_eq!(rows("a div b", &t), model(&|a, b| a.checked_div(b), 64));
        prop_assert_eq!(rows("a % b", &t), model(&|a, b| a.checked_rem(b), bits));
    }

    #[test]
    fn decimals_equal_a_model_of_128_bits(
        s1 in 0u8..=6, s2 in 0u8..=6, pairs in prop::collection::vec((-10i128.pow(12)..10i128.pow(12), -10i128.pow(12)..10i128.pow(12)), 1..20),
    ) {
        let (a, b): (Vec<i128>, Vec<i128>) = pairs.into_iter().unzip();
        let t = decimals(&a, &b, (s1, s2), 12);
        let scale = s1.max(s2);
        let (up1, up2) = (10i128.pow(u32::from(scale - s1)), 10i128.pow(u32::from(scale - s2)));
        let model = |f: &dyn Fn(i128, i128) -> Option<i128>, scale| -> Vec<String> {
            a.iter().zip(&b).map(|(a, b)| f(*a, *b).map_or("fault: division by zero".to_owned(), |v| crate::expr::decimal::format(v, scale))).collect()
        };
        prop_assert_eq!(rows("CAST(a + b AS string)", &t), model(&|a, b| Some(a * up1 + b * up2), scale));
        prop_assert_eq!(rows("CAST(a - b AS string)", &t), model(&|a, b| Some(a * up1 - b * up2), scale));
        prop_assert_eq!(rows("CAST(a * b AS string)", &t), model(&|a, b| Some(a * b), s1 + s2));
        prop_assert_eq!(rows("CAST(a % b AS string)", &t), model(&|a, b| (a * up1).checked_rem(b * up2), scale));
        prop_assert_eq!(rows("CAST(a div b AS string)", &t), model(&|a, b| (a * up1).checked_div(b * up2), 0));
        let places = (s1 + 12 + 1).max(6);
        let up = 10i128.pow(u32::from(places - s1 + s2));
        let rounded = |a: i128, b: i128| (b != 0).then(|| {
            let (n, d) = ((a * up).abs(), b.abs());
            (a * b).signum() * ((2 * n + d) / (2 * d))
        });
        prop_assert_eq!(rows("CAST(a / b AS string)", &t), model(&rounded, places));
    }
}
