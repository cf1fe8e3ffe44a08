//! Which files may hold a time, by the statistics in the log. What cannot be told counts as "may".

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, Utc};
use serde_json::Value;

use super::{DataFile, Snapshot};

impl Snapshot {
    /// The files whose statistics allow a row in which `column`, a date or a timestamp, lies between `from` and `to`. A
    /// date may be one of any time zone.
    pub fn files_between(&self, column: &str, from: DateTime<Utc>, to: DateTime<Utc>) -> Vec<DataFile> {
        let may_hold = |file: &&DataFile| {
            let (least, greatest) = span(file, column);
            let none = file.null_count(column).is_some() && file.null_count(column) == file.rows();
            !none && least.is_none_or(|least| least <= to) && greatest.is_none_or(|greatest| greatest >= from)
        };
        self.files().iter().filter(may_hold).cloned().collect()
    }
}

impl DataFile {
    /// A time that no value of a date or timestamp column lies behind, by the statistics.
    pub fn latest(&self, column: &str) -> Option<DateTime<Utc>> {
        span(self, column).1
    }
}

fn span(file: &DataFile, column: &str) -> (Option<DateTime<Utc>>, Option<DateTime<Utc>>) {
    if let Some(value) = file.partition_values().get(column) {
        let value = value.as_deref();
        return (value.and_then(|text| bound(text, Side::Least)), value.and_then(|text| bound(text, Side::Greatest)));
    }
    let of = |values: &str| file.statistics().get(values)?.get(column).and_then(Value::as_str);
    let least = of("minValues").and_then(|text| bound(text, Side::Least));
    (least, of("maxValues").and_then(|text| bound(text, Side::Greatest)))
}

#[derive(Clone, Copy, PartialEq)]
enum Side {
    Least,
    Greatest,
}

/// A bound as the log spells it. A day begins and ends at another time in each zone, and writers may cut a timestamp to
/// its milliseconds.
fn bound(text: &str, side: Side) -> Option<DateTime<Utc>> {
    let forms = ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f"];
    let time = DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc());
    let time =
        time.or_else(|| forms.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok()?.and_utc().into()));
    let (time, day) = match time {
        Some(time) => (time, TimeDelta::milliseconds(1)),
        None => (NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0)?.and_utc(), TimeDelta::days(2)),
    };
    time.checked_add_signed(if side == Side::Least { -day } else { day })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_never_narrower_than_what_it_stands_for() {
        let of = |text, side| bound(text, side).map(|time| time.to_rfc3339());
        assert_eq!(of("2026-10-01", Side::Least).unwrap(), "2026-09-29T00:00:00+00:00");
        assert_eq!(of("2026-10-01", Side::Greatest).unwrap(), "2026-10-03T00:00:00+00:00");
        for text in ["2026-10-01T06:00:00.000Z", "2026-10-01 06:00:00", "2026-10-01T08:00:00+02:00"] {
            assert_eq!(of(text, Side::Greatest).unwrap(), "2026-10-01T06:00:00.001+00:00");
        }
        assert_eq!(of("soon", Side::Least), None);
    }
}
