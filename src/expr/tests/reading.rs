use std::collections::BTreeSet;

use super::{Table, UTC, error, rows, table, type_of, value};
use crate::expr::{Column, Type, scalar};

#[test]
fn literals_have_the_smallest_type_that_holds_them() {
    for (sql, ty) in [
        ("1", "int"),
        ("-2147483648", "int"),
        ("2147483648", "bigint"),
        ("-9223372036854775808", "bigint"),
        ("9223372036854775808", "decimal(19,0)"),
        ("1.50", "decimal(3,2)"),
        (".5", "decimal(1,1)"),
        ("0.05", "decimal(2,2)"),
        ("1e3", "double"),
        ("'a'", "string"),
        ("true", "boolean"),
        ("NULL", "null"),
        ("TIMESTAMP '2024-01-01'", "timestamp"),
    ] {
        assert_eq!(type_of(sql), ty, "{sql}");
    }
    assert_eq!(value("'it''s'"), "it's");
    assert_eq!(value("'a\\n'"), "a\\n");
    assert_eq!(error("1e999", &Vec::new()).message, "the number `1e999` has more than 38 digits");
    assert_eq!(error("DATE '2024-02-30'", &Vec::new()).message, "'2024-02-30' is no date");
}

#[test]
fn names_are_case_sensitive_and_may_be_quoted() {
    let t = table(&[
        ("Total", Type::Int, &["1"]),
        ("a b", Type::Int, &["2"]),
        ("^x$", Type::Int, &["3"]),
        ("*", Type::Int, &["4"]),
        ("größe", Type::Int, &["5"]),
        ("date", Type::Int, &["6"]),
    ]);
    assert_eq!(rows("Total + \"a b\" + `^x$` + \"*\" + größe + date", &t), ["21"]);
    let e = error("total + 1", &t.columns);
    assert_eq!((e.message.as_str(), e.hint.as_deref()), ("unknown column `total`", Some("did you mean `Total`?")));
    let e = error("Total = \"x\"", &t.columns);
    assert_eq!(e.hint.as_deref(), Some("text stands in single quotes, double quotes are for names"));
}

#[test]
fn an_error_knows_where_it_is() {
    let columns = vec![Column::new("amount", Type::Int), Column::new("größe", Type::Int)];
    assert_eq!(error("amount + amuont", &columns).offset, 9);
    assert_eq!(error("größe +\n  amount + foo(1)", &columns).offset, 19);
    assert_eq!(error("amount + ", &columns).offset, 9);
    assert_eq!(error("amount amount", &columns).offset, 7);
    assert_eq!(error("amount + 'open", &columns).offset, 9);
    assert_eq!(error("1 + now()", &columns).offset, 4);
}

#[test]
fn fields_of_structs() {
    let address = Type::Struct(vec![
        Column::new("city", Type::String),
        Column::new("geo", Type::Struct(vec![Column::new("lat", Type::Double)])),
    ]);
    let geo = polars::df!("lat" => [1.5]).unwrap().into_struct("geo".into());
    let city = polars::prelude::Series::new("city".into(), ["Ulm"]);
    use polars::prelude::{IntoSeries as _, NamedFrom as _};
    let value =
        polars::prelude::StructChunked::from_series("address".into(), 1, [city, geo.into_series()].iter()).unwrap();
    let frame = polars::prelude::DataFrame::new(1, vec![value.into_series().into()]).unwrap();
    let t = Table { frame, columns: vec![Column::new("address", address)] };
    assert_eq!(rows("address.city || '!'", &t), ["Ulm!"]);
    assert_eq!(rows("address.geo.lat * 2", &t), ["3.0"]);
    assert_eq!(error("address.cty", &t.columns).hint.as_deref(), Some("did you mean `city`?"));
    assert_eq!(
        error("address = address", &t.columns).message,
        "struct<city: string, geo: struct<lat: double>> cannot be compared"
    );
}

#[test]
fn what_never_repeats_is_refused() {
    for sql in ["now()", "CURRENT_TIMESTAMP", "current_date", "random()", "rand()", "uuid()", "CURRENT_DATE()"] {
        let message = error(sql, &Vec::new()).message;
        assert!(message.contains("it never repeats"), "{sql}: {message}");
    }
}

#[test]
fn what_is_not_on_the_list_is_refused() {
    for (sql, message) in [
        ("(SELECT 1)", "a subquery cannot stand in an expression"),
        ("1 IN (SELECT 1)", "a subquery cannot stand in an expression"),
        ("EXISTS (SELECT 1)", "a subquery cannot stand in an expression"),
        ("sum(1) OVER ()", "a window function cannot stand in an expression"),
        ("INTERVAL '1' DAY", "an INTERVAL cannot stand in an expression"),
        ("1 & 2", "the operator `&` is not known"),
        ("count(*)", "the aggregate `count` cannot stand here"),
        ("nonsense(1)", "unknown function `nonsense`"),
        ("1 2", "unexpected `2` after the expression"),
        ("", "the expression is empty"),
        ("-- nothing", "the expression is empty"),
        ("1; DROP TABLE x", "unexpected `;` after the expression"),
        ("$1", "`$1` is no literal that is known"),
        ("[1, 2]", "`[1, 2]` cannot stand in an expression"),
        ("1 +", "the expression is not complete"),
        ("1 + )", "syntax: an expression expected, found )"),
        ("a.b.c()", "unknown function `a.b.c`"),
        ("read_csv('/etc/hostname')", "unknown function `read_csv`"),
    ] {
        let found = error(sql, &Vec::new()).message;
        assert!(found.starts_with(message), "{sql}: {found}");
    }
}

#[test]
fn no_text_makes_it_panic() {
    let deep = format!("{}1{}", "(".repeat(500), ")".repeat(500));
    assert!(error(&deep, &Vec::new()).message.contains("nested"));
    assert_eq!(value(&vec!["1"; 20].join(" + ")), "20");
    assert_eq!(value(&vec!["'x'"; 300].join(" || ")).len(), 300);
    assert_eq!(value(&vec!["1 = 1"; 200].join(" AND ")), "true");
    let longer = vec!["1"; 3000].join(" + ");
    assert_eq!(error(&longer, &Vec::new()).message, "the expression has more than 500 operators");
    assert_eq!(error(&vec!["1"; 400].join(" + "), &Vec::new()).message, "the expression is nested more than 50 deep");
    let branches: String = (0..40).map(|n| format!(" WHEN {n} = 100 div {n} THEN {n}")).collect();
    assert_eq!(value(&format!("CASE{} END", &branches[" WHEN 0 = 100 div 0 THEN 0".len()..])), "10");
    assert_eq!(value(&format!("coalesce({} 1)", "NULL, ".repeat(99))), "1");
    assert_eq!(value(&format!("coalesce({} 1)", "NULL + 1, ".repeat(40))), "1");
    assert_eq!(value(&format!("1 IN ({} 1)", "length('ab'), ".repeat(400))), "true");
    assert_eq!(value(&format!("0.25 IN ({} 0.250)", "0.1, 2, ".repeat(2000))), "true");
    assert_eq!(value(&format!("7 IN ({})", vec!["1"; 3000].join(", "))), "false");
}

#[test]
fn columns_that_are_read() {
    let columns = vec![Column::new("a", Type::Int), Column::new("b", Type::Int), Column::new("c", Type::Int)];
    let e = scalar("CASE WHEN a > 1 THEN coalesce(b, 1) ELSE a END", &columns, UTC).unwrap();
    assert_eq!(e.columns(), BTreeSet::from(["a".to_owned(), "b".to_owned()]));
    let a = crate::expr::aggregate("sum(a) FILTER (WHERE c > 1) / count(*)", &columns, UTC).unwrap();
    assert_eq!(a.columns(), BTreeSet::from(["a".to_owned(), "c".to_owned()]));
}

#[test]
fn the_tree_is_the_same_for_the_same_meaning() {
    let columns = vec![Column::new("a", Type::Int)];
    let json = |sql| serde_json::to_string(&scalar(sql, &columns, UTC).unwrap()).unwrap();
    assert_eq!(json("a+1"), json("  a + 1 -- one more"));
    assert_eq!(json("CEILING(a)"), json("ceil(a)"));
    assert_ne!(json("a + 1"), json("a + 2"));
    assert_eq!(
        json("a + 1"),
        r#"{"ty":"Int","node":{"arithmetic":["add",{"ty":"Int","node":{"column":"a"}},{"ty":"Int","node":{"literal":{"integer":1}}}]}}"#
    );
    assert!(json("CAST(CAST(a AS string) AS timestamp)").contains("UTC"));
}

#[test]
fn words_that_are_names_of_columns_need_no_quotes() {
    let words = "id name value key type date time timestamp year month day hour status state region user role level \
                 position rank first last count sum min max text format zone start begin index row rows data comment \
                 version language number source target label title code address city country currency price total \
                 quantity amount order_id customer active enabled deleted class category session hash path file";
    let columns: Vec<Column> = words.split_whitespace().map(|word| Column::new(word, Type::Int)).collect();
    for column in &columns {
        let e = scalar(&format!("{} + 1", column.name), &columns, UTC);
        assert!(e.is_ok(), "{}: {e:?}", column.name);
    }
}
