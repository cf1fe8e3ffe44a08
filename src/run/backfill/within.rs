//! Ranges of event time, as conditions on rows.

use polars::prelude::*;

use crate::expr::Type;
use crate::plan::Range;

/// Whether the column `name`, a date or a timestamp, lies in the range; never NULL. A date counts as its midnight in the
/// project's time zone.
pub fn within(name: &str, ty: &Type, range: &Range) -> Expr {
    let value = || Expr::Column(name.into());
    let (from, to) = match ty {
        Type::Date => (day(range.from.first_day()), day(range.to.first_day())),
        _ => (instant(range.from.instant), instant(range.to.instant)),
    };
    value().gt_eq(lit(from)).and(value().lt(lit(to))).fill_null(lit(false))
}

fn day(date: chrono::NaiveDate) -> Scalar {
    let days = date.signed_duration_since(chrono::NaiveDate::default()).num_days();
    Scalar::new_date(i32::try_from(days).unwrap_or(i32::MAX))
}

fn instant(time: chrono::DateTime<chrono::Utc>) -> Scalar {
    Scalar::new_datetime(time.timestamp_micros(), TimeUnit::Microseconds, Some(TimeZone::UTC))
}
