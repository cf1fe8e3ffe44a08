//! Units of time: cut off, add, count.

use chrono::{Datelike as _, Days, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone as _};
use chrono_tz::Tz;

use super::{MICROS, from_local, instant, micros};

/// A unit of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::expr) enum Unit {
    Year,
    Quarter,
    Month,
    /// from Monday
    Week,
    Day,
    Hour,
    Minute,
    Second,
}

impl Unit {
    pub(in crate::expr) const NAMES: &[&str] = &["year", "quarter", "month", "week", "day", "hour", "minute", "second"];

    pub(in crate::expr) fn find(name: &str) -> Option<Self> {
        Some(match name {
            "year" => Unit::Year,
            "quarter" => Unit::Quarter,
            "month" => Unit::Month,
            "week" => Unit::Week,
            "day" => Unit::Day,
            "hour" => Unit::Hour,
            "minute" => Unit::Minute,
            "second" => Unit::Second,
            _ => return None,
        })
    }

    /// Whether it is part of a day.
    pub(in crate::expr) fn is_of_clock(self) -> bool {
        matches!(self, Unit::Hour | Unit::Minute | Unit::Second)
    }

    /// Its length, if it always has the same.
    fn micros(self) -> Option<i64> {
        Some(match self {
            Unit::Week => 7 * 86_400 * MICROS,
            Unit::Day => 86_400 * MICROS,
            Unit::Hour => 3600 * MICROS,
            Unit::Minute => 60 * MICROS,
            Unit::Second => MICROS,
            _ => return None,
        })
    }

    fn months(self) -> i64 {
        match self {
            Unit::Year => 12,
            Unit::Quarter => 3,
            _ => 1,
        }
    }

    /// The first day of the year, month, … that it lies in.
    pub(in crate::expr) fn truncate_day(self, date: NaiveDate) -> Option<NaiveDate> {
        match self {
            Unit::Year => NaiveDate::from_ymd_opt(date.year(), 1, 1),
            Unit::Quarter => NaiveDate::from_ymd_opt(date.year(), date.month0() / 3 * 3 + 1, 1),
            Unit::Month => date.with_day(1),
            Unit::Week => date.checked_sub_days(Days::new(u64::from(date.weekday().num_days_from_monday()))),
            _ => Some(date),
        }
    }

    /// The instant at which the unit began, by a clock of that zone.
    pub(in crate::expr) fn truncate(self, at: i64, zone: Tz) -> Option<i64> {
        let local = instant(at)?.with_timezone(&zone).naive_local();
        if self.is_of_clock() {
            // the same offset before and after, so that the second 02:00 of an autumn night is not taken for the first
            let shown = local.and_utc().timestamp_micros();
            return at.checked_sub(shown.rem_euclid(self.micros()?)).filter(|at| in_range(*at));
        }
        let midnight = self.truncate_day(local.date())?.and_time(NaiveTime::MIN);
        micros(first_at_or_after(midnight, zone)?)
    }

    /// So many units later; the day of a month is held within it.
    pub(in crate::expr) fn add(self, at: i64, n: i64) -> Option<i64> {
        let from = instant(at)?.naive_utc();
        if let Some(micros) = self.micros() {
            return at.checked_add(n.checked_mul(micros)?).filter(|at| in_range(*at));
        }
        let months = n.checked_mul(self.months())?;
        let size = Months::new(u32::try_from(months.unsigned_abs()).ok()?);
        micros(if months < 0 { from.checked_sub_months(size) } else { from.checked_add_months(size) }?)
    }

    /// The whole units from one instant to another, negative if it is earlier.
    pub(in crate::expr) fn between(self, from: i64, to: i64) -> Option<i64> {
        let (a, b) = (instant(from)?.naive_utc(), instant(to)?.naive_utc());
        if let Some(micros) = self.micros() {
            return Some((to - from) / micros);
        }
        let within = |t: NaiveDateTime| (t.day(), t.time());
        let mut months = i64::from(b.year() - a.year()) * 12 + i64::from(b.month()) - i64::from(a.month());
        if months > 0 && within(b) < within(a) {
            months -= 1;
        } else if months < 0 && within(b) > within(a) {
            months += 1;
        }
        Some(months / self.months())
    }
}

fn in_range(at: i64) -> bool {
    instant(at).is_some_and(|instant| micros(instant.naive_utc()).is_some())
}

/// Where summer time skips midnight, the day begins after the gap.
fn first_at_or_after(local: NaiveDateTime, zone: Tz) -> Option<NaiveDateTime> {
    if let Some(utc) = from_local(local, zone) {
        return Some(utc);
    }
    let quarter = TimeDelta::minutes(15);
    (1..=96)
        .map_while(|n| local.checked_add_signed(quarter * n))
        .find(|local| zone.offset_from_local_datetime(local).single().is_some())
        .and_then(|local| from_local(local, zone))
}
