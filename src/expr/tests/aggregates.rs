use polars::prelude::{DataFrame, Engine, IntoLazy as _, PolarsResult, SortMultipleOptions};

use super::{Table, UTC, table};
use crate::expr::{Columns, Type, aggregate, group};

fn carry_out(sql: &[&str], t: &Table, keys: &[&str], tiebreak: &[&str], engine: Engine) -> PolarsResult<DataFrame> {
    let names = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<String>>();
    let aggregates: Vec<_> = (sql.iter().enumerate())
        .map(|(i, sql)| (format!("r{i}"), aggregate(sql, &t.columns, UTC).unwrap_or_else(|e| panic!("{sql}: {e:?}"))))
        .collect();
    let lazy = group(t.frame.clone().lazy(), &t.columns, &names(keys), &aggregates, &names(tiebreak));
    let frame = lazy.collect_with_engine(engine)?.unwrap_single();
    for (name, aggregate) in &aggregates {
        assert_eq!(*frame.column(name).unwrap().dtype(), aggregate.ty().to_polars(), "not the type promised: {sql:?}");
    }
    if keys.is_empty() {
        Ok(frame)
    } else {
        frame.sort(keys.to_vec(), SortMultipleOptions::default().with_nulls_last(true))
    }
}

/// The rows of the result, sorted by the keys, NULL last; cells joined by blanks.
fn grouped(sql: &[&str], t: &Table, keys: &[&str], tiebreak: &[&str]) -> Vec<String> {
    let text = |frame: DataFrame| -> Vec<String> {
        (0..frame.height())
            .map(|row| {
                let cells = frame.columns().iter().map(|c| {
                    let cell = c.get(row).unwrap();
                    cell.get_str().map_or_else(|| cell.to_string(), str::to_owned)
                });
                cells.collect::<Vec<_>>().join(" ")
            })
            .collect()
    };
    let in_memory = text(carry_out(sql, t, keys, tiebreak, Engine::InMemory).unwrap());
    let streaming = text(carry_out(sql, t, keys, tiebreak, Engine::Streaming).unwrap());
    assert_eq!(in_memory, streaming, "the engines differ on {sql:?}");
    in_memory
}

fn failure(sql: &str, t: &Table) -> String {
    let message = |engine| carry_out(&[sql], t, &[], &[], engine).expect_err(sql).to_string();
    let in_memory = message(Engine::InMemory);
    assert_eq!(in_memory, message(Engine::Streaming));
    in_memory
}

fn sales() -> Table {
    table(&[
        ("shop", Type::String, &["'a'", "'a'", "'a'", "NULL", "NULL", "'b'"]),
        ("n", Type::Int, &["1", "3", "NULL", "5", "7", "NULL"]),
        ("price", Type::Decimal { precision: 10, scale: 2 }, &["1.50", "2.25", "NULL", "10", "20", "NULL"]),
        ("weight", Type::Double, &["0.5", "1.5", "NULL", "2", "2", "NULL"]),
        ("ok", Type::Boolean, &["true", "false", "NULL", "true", "true", "NULL"]),
        (
            "at",
            Type::Date,
            &["DATE '2024-01-02'", "DATE '2024-01-01'", "NULL", "DATE '2024-01-01'", "DATE '2024-01-01'", "NULL"],
        ),
    ])
}

#[test]
fn null_is_a_group_of_its_own() {
    let rows = grouped(&["count(*)", "count(n)", "count(distinct price)"], &sales(), &["shop"], &[]);
    assert_eq!(rows, ["a 3 2 2", "b 1 0 0", "null 2 2 2"]);
}

#[test]
fn sums_and_averages() {
    let rows = grouped(
        &["sum(n)", "sum(price)", "sum(weight)", "avg(n)", "avg(price)", "avg(weight)"],
        &sales(),
        &["shop"],
        &[],
    );
    assert_eq!(
        rows,
        ["a 4 3.75 2.0 2.0 1.87500000 1.0", "b null null null null null null", "null 12 30.00 4.0 6.0 15.00000000 2.0"]
    );
}

#[test]
fn least_greatest_and_spread() {
    let sql = ["min(n)", "max(price)", "min(shop)", "max(at)", "median(n)", "median(price)", "stddev(n)"];
    let rows = grouped(&sql, &sales(), &["shop"], &[]);
    assert_eq!(rows[0], "a 1 2.25 a 2024-01-02 2.0 1.875 1.414214");
    assert_eq!(rows[1], "b null null b null null null null");
    assert_eq!(rows[2], "null 5 20.00 null 2024-01-01 6.0 15.000 1.414214");
}

#[test]
fn bool_and_and_bool_or() {
    let rows = grouped(&["bool_and(ok)", "bool_or(ok)"], &sales(), &["shop"], &[]);
    assert_eq!(rows, ["a false true", "b null null", "null true true"]);
}

#[test]
fn filter_counts_and_sums_only_what_it_keeps() {
    let sql = [
        "count(*) FILTER (WHERE n > 1)",
        "sum(n) filter (where n > 1)",
        "count(distinct n) FILTER (WHERE ok)",
        "avg(price) FILTER (WHERE false)",
    ];
    let rows = grouped(&sql, &sales(), &["shop"], &[]);
    assert_eq!(rows, ["a 1 3 1 null", "b 0 null 0 null", "null 2 12 2 null"]);
}

#[test]
fn expressions_over_aggregates() {
    let sql =
        ["sum(n) / count(*)", "coalesce(sum(price), 0) + 1", "CASE WHEN count(n) = 0 THEN 'none' ELSE 'some' END", "1"];
    let rows = grouped(&sql, &sales(), &["shop"], &[]);
    assert_eq!(rows, ["a 1.333333 4.75 some 1", "b null 1.00 none 1", "null 6.0 31.00 some 1"]);
}

#[test]
fn first_and_last_take_the_row_of_the_least_and_greatest() {
    let sql = [
        "first(n by at)",
        "last(n by at)",
        "first(n by at desc)",
        "first(n by at nulls first)",
        "first(n by at) filter (where n > 1)",
    ];
    let rows = grouped(&sql, &sales(), &["shop"], &["n"]);
    assert_eq!(rows, ["a 3 1 1 null 3", "b null null null null null", "null 5 7 5 5 5"]);
}

#[test]
fn no_keys_make_one_group_if_there_is_a_row() {
    assert_eq!(grouped(&["count(*)", "sum(n)"], &sales(), &[], &[]), ["6 16"]);
    let empty = Table { frame: sales().frame.head(Some(0)), columns: sales().columns };
    assert!(grouped(&["count(*)", "sum(n)"], &empty, &[], &[]).is_empty());
    assert_eq!(grouped(&["count(*)"], &sales(), &[], &[]), ["6"]);
}

#[test]
fn no_aggregates_give_the_keys() {
    assert_eq!(grouped(&[], &sales(), &["shop"], &[]), ["a", "b", "null"]);
}

#[test]
fn sums_do_not_wrap() {
    let max = "99999999999999999999999999999999999999";
    let t = table(&[
        ("big", Type::BigInt, &["9223372036854775807", "1", "-1"]),
        ("wide", Type::Decimal { precision: 38, scale: 0 }, &[max, max, "-99999999999999999999999999999999999999"]),
        ("d", Type::Double, &["1e308", "1e308", "-1e308"]),
    ]);
    assert_eq!(grouped(&["sum(big)", "sum(wide)"], &t, &[], &[]), [format!("9223372036854775807 {max}")]);
    assert_eq!(
        grouped(
            &["avg(wide) FILTER (WHERE big = 1)"],
            &table(&[
                ("wide", Type::Decimal { precision: 30, scale: 2 }, &["1", "2"]),
                ("big", Type::Int, &["1", "1"])
            ]),
            &[],
            &[]
        ),
        ["1.50000000"]
    );
    for sql in ["sum(big) FILTER (WHERE big > 0)", "sum(wide) FILTER (WHERE wide > 0)", "sum(d) FILTER (WHERE d > 0)"] {
        assert!(failure(sql, &t).contains("`r0`: overflow"), "{sql}: {}", failure(sql, &t));
    }
}

#[test]
fn a_fault_in_an_argument_fails_unless_filtered() {
    let t = table(&[("n", Type::Int, &["1", "0"])]);
    assert!(failure("sum(1 / n)", &t).contains("`r0`: division by zero"));
    assert!(failure("sum(n) / (count(*) - 2)", &t).contains("`r0`: division by zero"));
    assert_eq!(grouped(&["sum(1 / n) FILTER (WHERE n <> 0)"], &t, &[], &[]), ["1.0"]);
}

#[test]
fn max_with_nan_is_nan() {
    let t = table(&[("d", Type::Double, &["1", "CAST('NaN' AS double)", "NULL"])]);
    assert_eq!(grouped(&["max(d)", "min(d)"], &t, &[], &[]), ["NaN 1.0"]);
}

#[test]
fn what_is_no_aggregate_is_refused() {
    let columns: Columns = sales().columns;
    let message = |sql| aggregate(sql, &columns, UTC).expect_err(sql).message;
    assert_eq!(message("sum(n) + n"), "the column `n` does not stand within an aggregate function");
    assert_eq!(message("sum(max(n))"), "the aggregate `max` stands within another");
    assert_eq!(message("sum(shop)"), "`sum`: string where a number is expected");
    assert_eq!(message("first(n)"), "`first` needs an order: without one it would never repeat");
    assert_eq!(message("sum(distinct n)"), "`sum` takes no DISTINCT; only `count(distinct x)` does");
    assert_eq!(message("sum(*)"), "`*` is no argument of `sum`");
    assert_eq!(
        crate::expr::scalar("sum(n)", &columns, UTC).expect_err("").message,
        "the aggregate `sum` cannot stand here"
    );
}
