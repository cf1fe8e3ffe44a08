//! For how long versions are kept.

use std::time::Duration;

use chrono::TimeDelta;

use crate::run::error::{Error, Result};

/// Shorter ones need `--force`: somebody may still read a version of an hour ago, or want one of yesterday back.
pub const FLOOR: TimeDelta = TimeDelta::days(7);
/// The property that says it.
pub const PROPERTY: &str = "delta.deletedFileRetentionDuration";
/// Where a table has no such property.
const DEFAULT: TimeDelta = TimeDelta::days(30);

/// For how long the versions of `table` are kept: as asked for, else as its property says.
///
/// # Errors
/// [`Error::Refused`] if that is less than the floor, unless `force`d, or the property says nothing that is understood.
pub fn retention(table: &str, asked: Option<Duration>, property: Option<&str>, force: bool) -> Result<TimeDelta> {
    let retention = match (asked, property) {
        (Some(asked), _) => TimeDelta::from_std(asked).unwrap_or(TimeDelta::MAX),
        (None, None) => DEFAULT,
        (None, Some(text)) => interval(text).ok_or_else(|| {
            Error::Refused(format!("`{table}` has {PROPERTY} = `{text}`, which is no span of time; say --retain 30d"))
        })?,
    };
    if retention >= FLOOR || force {
        return Ok(retention);
    }
    let whose = if asked.is_some() { "--retain" } else { PROPERTY };
    Err(Error::Refused(format!(
        "{whose} keeps the old versions of `{table}` for less than {} days: someone may still read one, or want it back. \
         Say --force if that is meant, or pin what is to stay",
        FLOOR.num_days()
    )))
}

/// `interval 30 days`, `interval 1 week 12 hours`; months and years have no fixed length and are refused by Delta too.
fn interval(text: &str) -> Option<TimeDelta> {
    let text = text.trim().to_ascii_lowercase();
    let words: Vec<&str> = text.strip_prefix("interval").unwrap_or(&text).split_whitespace().collect();
    let (pairs, []) = words.as_chunks::<2>() else { return None };
    let part = |[number, unit]: &[&str; 2]| -> Option<TimeDelta> {
        let number: i64 = number.parse().ok()?;
        match unit.strip_suffix('s').unwrap_or(unit) {
            "week" => TimeDelta::try_weeks(number),
            "day" => TimeDelta::try_days(number),
            "hour" => TimeDelta::try_hours(number),
            "minute" => TimeDelta::try_minutes(number),
            "second" => TimeDelta::try_seconds(number),
            "millisecond" => TimeDelta::try_milliseconds(number),
            "microsecond" => Some(TimeDelta::microseconds(number)),
            "nanosecond" => Some(TimeDelta::nanoseconds(number)),
            _ => None,
        }
    };
    let sum = pairs.iter().try_fold(TimeDelta::zero(), |sum, pair| sum.checked_add(&part(pair)?))?;
    (!pairs.is_empty() && sum >= TimeDelta::zero()).then_some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_delta_writes_is_understood() {
        let days = |text| interval(text).map(|span| span.num_minutes() as f64 / 1440.0);
        assert_eq!(days("interval 30 days"), Some(30.0));
        assert_eq!(days("INTERVAL 1 week 12 hours"), Some(7.5));
        assert_eq!(days("168 hours"), Some(7.0));
        for text in ["", "interval", "interval 1 month", "interval days", "interval 3", "interval -1 days", "P7D"] {
            assert_eq!(interval(text), None, "{text}");
        }
        assert_eq!(interval(&format!("interval {} weeks", i64::MAX)), None);
    }

    #[test]
    fn less_than_the_floor_needs_force() {
        let hour = Some(Duration::from_secs(3600));
        let week = "interval 7 days";
        assert_eq!(retention("t", None, None, false).ok(), Some(DEFAULT));
        assert_eq!(retention("t", None, Some(week), false).ok(), Some(FLOOR));
        assert_eq!(retention("t", hour, Some(week), true).ok(), Some(TimeDelta::hours(1)));
        assert!(retention("t", hour, Some(week), false).is_err_and(|e| e.to_string().contains("--retain keeps")));
        let short = retention("t", None, Some("interval 1 day"), false);
        assert!(short.is_err_and(|e| e.to_string().contains(PROPERTY)));
        let long = Some(Duration::from_secs(u64::MAX));
        assert_eq!(retention("t", long, None, false).ok(), Some(TimeDelta::MAX));
    }
}
