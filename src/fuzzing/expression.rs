//! Expressions: any text is refused with a reason, or gives for every row a value of its type or a fault.

use polars::prelude::*;

use super::{Broken, trouble};
use crate::expr::{self, Columns, Expr, Settings, Type};

/// Beyond this nothing new is said, only more of it.
const LONGEST: usize = 2_000;

/// The bytes are the text of an expression over columns of all types, at the edges of what these hold.
///
/// # Errors
/// A row fails the query, has a value beside a fault, a value of another type, or a number that is none.
pub fn expression(bytes: &[u8]) -> Broken {
    let Ok(sql) = std::str::from_utf8(bytes) else { return Ok(()) };
    if sql.len() > LONGEST {
        return Ok(());
    }
    let frame = frame().map_err(|e| trouble(&e))?;
    let columns = columns(&frame);
    let settings = Settings { timezone: chrono_tz::Europe::Berlin };
    if let Err(error) = expr::aggregate(sql, &columns, settings) {
        check_error(sql, &error)?;
    }
    match expr::scalar(sql, &columns, settings) {
        Ok(expr) => carry_out(&expr, frame),
        Err(error) => check_error(sql, &error),
    }
}

fn check_error(sql: &str, error: &expr::ExprError) -> Broken {
    let within = error.offset <= sql.chars().count();
    if within { Ok(()) } else { Err(format!("the fault stands at {} of {}", error.offset, sql.chars().count())) }
}

fn frame() -> PolarsResult<DataFrame> {
    let frame = df!(
        "i" => [Some(i32::MAX), Some(i32::MIN), Some(0), Some(-1), None],
        "b" => [Some(i64::MAX), Some(i64::MIN), Some(0), Some(7), None],
        "f" => [Some(f64::MAX), Some(-0.0), Some(0.1), Some(5e-324), None],
        "t" => [Some("9999-12-31 23:59:59"), Some("{\"a\": [1, \"é\"]}"), Some(""), Some("-1.5"), None],
        "c" => [Some(true), Some(false), Some(true), Some(false), None],
    )?;
    let edge = Scalar::new(DataType::Decimal(38, 2), AnyValue::Decimal(10_i128.pow(38) - 1, 38, 2));
    let seconds = |text: &str| {
        lit(text).str().to_datetime(
            Some(TimeUnit::Microseconds),
            Some(TimeZone::UTC),
            StrptimeOptions::default(),
            lit("raise"),
        )
    };
    let times = when(col("c")).then(seconds("9999-12-31T23:59:59.999999Z")).otherwise(seconds("0001-01-01T00:00:00Z"));
    frame
        .lazy()
        .with_columns([
            when(col("c")).then(lit(edge)).otherwise(lit(0).cast(DataType::Decimal(38, 2))).alias("d"),
            times.clone().cast(Type::Timestamp.to_polars()).alias("at"),
            times.cast(DataType::Date).alias("day"),
        ])
        .collect()
}

fn columns(frame: &DataFrame) -> Columns {
    let column = |values: &Column| Some(expr::Column::new(values.name().as_str(), Type::from_polars(values.dtype())?));
    frame.columns().iter().filter_map(column).collect()
}

fn carry_out(expr: &Expr, frame: DataFrame) -> Broken {
    let lowered = expr.lower();
    let fault = lowered.fault.unwrap_or_else(|| lit(NULL).cast(DataType::String));
    let query = frame.lazy().select([lowered.value.alias("value"), fault.alias("fault")]);
    let answer = query.collect().map_err(|error| format!("a row made it fail: {error}"))?;
    let column = |name: &str| answer.column(name).map_err(|error| error.to_string());
    let (value, fault) = (column("value")?, column("fault")?);
    if *value.dtype() != expr.ty().to_polars() {
        return Err(format!("{} where {} was promised", value.dtype(), expr.ty().to_polars()));
    }
    for row in 0..answer.height() {
        let (value, fault) = (value.get(row).unwrap_or(AnyValue::Null), fault.get(row).unwrap_or(AnyValue::Null));
        if !value.is_null() && !fault.is_null() {
            return Err(format!("row {row}: {value} beside the fault {fault}"));
        }
        if matches!(value, AnyValue::Float64(n) if !n.is_finite()) {
            return Err(format!("row {row}: {value}"));
        }
    }
    Ok(())
}
