//! Functions of dates and timestamps. A timestamp is an instant; what a clock shows of it is that of UTC unless a zone
//! is named.

use chrono::{Datelike as _, Timelike as _};
use chrono_tz::Tz;
use polars::prelude as pl;
use polars::prelude::DataType;

use super::Parameter::{Constant, Integer, Text as TextArgument, Time, Timestamp};
use super::{Call, Definition, string};
use crate::expr::calendar::{self, Format, Unit};
use crate::expr::kernel::{Long, Text, map1, map2};
use crate::expr::tree::Expr;
use crate::expr::types::Type;

pub(super) static FUNCTIONS: &[Definition] = &[
    Definition {
        name: "to_timestamp",
        usage: "to_timestamp(text, 'format'[, 'zone'])",
        parameters: &[TextArgument, Constant(format), Constant(zone)],
        required: 2,
        result: |_| Ok(Type::Timestamp),
        lower: |call| {
            let (format, zone) = (Format::parse(call.constant(1).unwrap_or_default()), call.zone(2));
            map1::<Text, i64>(call.first(), call.ty.to_polars(), move |text| format.as_ref()?.timestamp(text, zone))
        },
        fault: Some("the text is no timestamp of that format"),
    },
    Definition {
        name: "to_date",
        usage: "to_date(text, 'format')",
        parameters: &[TextArgument, Constant(format)],
        required: 2,
        result: |_| Ok(Type::Date),
        lower: |call| {
            let format = Format::parse(call.constant(1).unwrap_or_default());
            map1::<Text, i64>(call.first(), DataType::Date, move |text| format.as_ref()?.date(text))
        },
        fault: Some("the text is no date of that format"),
    },
    Definition {
        name: "format_timestamp",
        usage: "format_timestamp(x, 'format'[, 'zone'])",
        parameters: &[Timestamp, Constant(format), Constant(zone)],
        required: 2,
        result: string,
        lower: |call| {
            let (format, zone) = (Format::parse(call.constant(1).unwrap_or_default()), call.zone(2));
            map1::<Long, String>(call.first(), DataType::String, move |micros| format.as_ref()?.format(micros, zone))
        },
        fault: Some("the timestamp cannot be written in that format"),
    },
    Definition {
        name: "date_trunc",
        usage: "date_trunc('unit', x[, 'zone'])",
        parameters: &[Constant(unit), Time, Constant(zone)],
        required: 2,
        result: |arguments| of_time(arguments, arguments.get(1)),
        lower: date_trunc,
        fault: Some("outside of the years 0001 to 9999"),
    },
    Definition {
        name: "date_part",
        usage: "date_part('part', x[, 'zone'])",
        parameters: &[Constant(part), Timestamp, Constant(zone)],
        required: 2,
        result: |_| Ok(Type::Int),
        lower: date_part,
        fault: Some("outside of the years 0001 to 9999"),
    },
    Definition {
        name: "date_add",
        usage: "date_add('unit', n, x)",
        parameters: &[Constant(unit), Integer, Time],
        required: 3,
        result: |arguments| of_time(arguments, arguments.get(2)),
        lower: date_add,
        fault: Some("outside of the years 0001 to 9999"),
    },
    Definition {
        name: "date_diff",
        usage: "date_diff('unit', from, to)",
        parameters: &[Constant(unit), Timestamp, Timestamp],
        required: 3,
        result: |_| Ok(Type::BigInt),
        lower: |call| {
            let unit = call.unit();
            let arguments = (call.integer_or(1, 0), call.integer_or(2, 0));
            map2::<Long, Long, i64>(arguments, DataType::Int64, move |from, to| unit?.between(from, to))
        },
        fault: Some("outside of the years 0001 to 9999"),
    },
];

impl Call<'_> {
    /// The zone that is named, else UTC.
    fn zone(&self, at: usize) -> Tz {
        self.constant(at).and_then(|name| name.parse().ok()).unwrap_or(Tz::UTC)
    }

    fn unit(&self) -> Option<Unit> {
        self.constant(0).and_then(Unit::find)
    }

    fn is_date(&self) -> bool {
        *self.ty == Type::Date
    }
}

fn format(text: &str) -> Result<(), String> {
    Format::parse(text).map(|_| ()).ok_or_else(|| {
        "is no format such as '%Y-%m-%d %H:%M:%S' (https://docs.rs/chrono/latest/chrono/format/strftime/)".to_owned()
    })
}

fn zone(name: &str) -> Result<(), String> {
    name.parse::<Tz>().map(|_| ()).map_err(|_| "is no time zone such as 'Europe/Berlin'".to_owned())
}

fn unit(name: &str) -> Result<(), String> {
    Unit::find(name).map(|_| ()).ok_or_else(|| format!("must be one of {}", Unit::NAMES.join(", ")))
}

const PARTS: &[&str] =
    &["year", "quarter", "month", "week", "day", "dayofweek", "dayofyear", "hour", "minute", "second"];

fn part(name: &str) -> Result<(), String> {
    if PARTS.contains(&name) { Ok(()) } else { Err(format!("must be one of {}", PARTS.join(", "))) }
}

/// A date stays one, and has no hours.
fn of_time(arguments: &[Expr], x: Option<&Expr>) -> Result<Type, String> {
    let ty = x.map_or(Type::Timestamp, |x| x.ty.clone());
    let unit = match arguments.first().and_then(Expr::literal) {
        Some(crate::expr::tree::Literal::Text(name)) => Unit::find(name),
        _ => None,
    };
    if ty == Type::Date && unit.is_some_and(Unit::is_of_clock) {
        return Err("a date has no hours; CAST it to timestamp".to_owned());
    }
    Ok(ty)
}

fn date_trunc(call: Call) -> pl::Expr {
    let (unit, zone, dtype, is_date) = (call.unit(), call.zone(2), call.ty.to_polars(), call.is_date());
    map1::<Long, i64>(call.integer_or(1, 0), dtype, move |x| {
        if is_date {
            return calendar::days(unit?.truncate_day(calendar::date(x)?)?);
        }
        unit?.truncate(x, zone)
    })
}

fn date_part(call: Call) -> pl::Expr {
    let (part, zone) = (call.constant(0).unwrap_or_default().to_owned(), call.zone(2));
    map1::<Long, i64>(call.integer_or(1, 0), DataType::Int32, move |micros| {
        let shown = calendar::instant(micros)?.with_timezone(&zone).naive_local();
        Some(match part.as_str() {
            "year" => i64::from(shown.year()),
            "quarter" => i64::from(shown.month0() / 3 + 1),
            "month" => i64::from(shown.month()),
            "week" => i64::from(shown.iso_week().week()),
            "day" => i64::from(shown.day()),
            "dayofweek" => i64::from(shown.weekday().number_from_monday()),
            "dayofyear" => i64::from(shown.ordinal()),
            "hour" => i64::from(shown.hour()),
            "minute" => i64::from(shown.minute()),
            _ => i64::from(shown.second()),
        })
    })
}

fn date_add(call: Call) -> pl::Expr {
    let (unit, dtype, is_date) = (call.unit(), call.ty.to_polars(), call.is_date());
    map2::<Long, Long, i64>((call.integer_or(1, 0), call.integer_or(2, 0)), dtype, move |n, x| {
        if !is_date {
            return unit?.add(x, n);
        }
        unit?.add(calendar::midnight(x)?, n).map(calendar::day_of)
    })
}
