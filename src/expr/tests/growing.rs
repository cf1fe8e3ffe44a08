//! What is said to grow with a column never decreases while the column does.

use polars::prelude::{DataType, IntoLazy};

use super::{UTC, table};
use crate::expr::{Column, Columns, Expr, Type, scalar};

const COLUMNS: [(&str, Type); 5] =
    [("d", Type::Date), ("t", Type::Timestamp), ("n", Type::Int), ("s", Type::String), ("x", Type::Double)];

fn read(sql: &str) -> Expr {
    let columns: Columns = COLUMNS.iter().map(|(name, ty)| Column::new(*name, ty.clone())).collect();
    scalar(sql, &columns, UTC).unwrap()
}

#[test]
fn some_expressions_grow_with_their_column() {
    let growing = [
        ("d", "d"),
        ("s", "s"),
        ("date_trunc('month', d)", "d"),
        ("date_trunc('week', t)", "t"),
        ("date_trunc('hour', t)", "t"),
        ("date_trunc('year', CAST(t AS date))", "t"),
        ("CAST(d AS timestamp)", "d"),
        ("CAST(date_trunc('quarter', t) AS date)", "t"),
        ("date_part('year', d)", "d"),
        ("CAST(n AS bigint)", "n"),
        ("CAST(n AS smallint)", "n"),
    ];
    for (sql, column) in growing {
        assert_eq!(read(sql).grows_with(), Some(column), "{sql}");
    }
    let others = [
        "date_trunc('day', t, 'America/Sao_Paulo')",
        "date_part('month', d)",
        "date_part('year', t, 'Europe/Berlin')",
        "n % 7",
        "-n",
        "n + 1",
        "CAST(n AS string)",
        "CAST(n AS boolean)",
        "CAST(s AS date)",
        "upper(s)",
        "coalesce(n, 5)",
        "1",
        "CAST(x AS bigint)",
        "date_diff('day', d, d)",
    ];
    for sql in others {
        assert_eq!(read(sql).grows_with(), None, "{sql}");
    }
}

#[test]
fn they_never_decrease() {
    let times = [
        "TIMESTAMP '0001-01-01 00:00:00'",
        "TIMESTAMP '1969-12-31 23:59:59'",
        "TIMESTAMP '1970-01-01 00:00:00'",
        "TIMESTAMP '2023-12-31 22:30:00'",
        "TIMESTAMP '2024-01-01 00:00:00'",
        "TIMESTAMP '2024-02-29 12:00:00'",
        "TIMESTAMP '2024-03-31 01:30:00'",
        "TIMESTAMP '2024-10-27 01:30:00'",
        "TIMESTAMP '9999-12-31 23:59:59'",
    ];
    let table = table(&[("t", Type::Timestamp, &times), ("d", Type::Date, &times)]);
    for unit in ["year", "quarter", "month", "week", "day", "hour", "minute"] {
        for sql in [format!("date_trunc('{unit}', t)"), format!("CAST(date_trunc('{unit}', t) AS date)")] {
            let e = read(&sql);
            assert_eq!(e.grows_with(), Some("t"));
            let values = table.frame.clone().lazy().select([e.lower().value.alias("v")]).collect().unwrap();
            let values = values.column("v").unwrap().as_materialized_series().to_physical_repr().into_owned();
            let values = values.cast(&DataType::Int64).unwrap();
            let values: Vec<i64> = values.i64().unwrap().iter().flatten().collect();
            assert!(values.len() == times.len() && values.is_sorted(), "{sql}: {values:?}");
        }
    }
}
