//! Days and instants: text of ISO 8601, and the years 0001 to 9999. Pure; `None` is what is no date or lost digits.

mod format;
mod unit;

use chrono::{
    DateTime, Datelike as _, MappedLocalTime, NaiveDate, NaiveDateTime, Offset as _, TimeZone as _, Timelike as _, Utc,
};
use chrono_tz::Tz;
pub(in crate::expr) use format::Format;
pub(in crate::expr) use unit::Unit;

/// Days of 1970-01-01 since 0001-01-01, by chrono's count.
const EPOCH: i32 = 719_163;
const MICROS: i64 = 1_000_000;
/// 0001-01-01 and 9999-12-31, in days since 1970.
const DAYS: std::ops::RangeInclusive<i64> = -719_162..=2_932_896;

/// A day as days since 1970, if it is in the years 0001 to 9999.
pub(in crate::expr) fn days(date: NaiveDate) -> Option<i64> {
    Some(i64::from(date.num_days_from_ce() - EPOCH)).filter(|days| DAYS.contains(days))
}

/// The day that is so many days after 1970-01-01, likewise.
pub(in crate::expr) fn date(days: i64) -> Option<NaiveDate> {
    let days = i32::try_from(days).ok().filter(|days| DAYS.contains(&i64::from(*days)))?;
    NaiveDate::from_num_days_from_ce_opt(days + EPOCH)
}

/// An instant as microseconds since 1970, if it is in the years 0001 to 9999 of UTC and has no finer fraction.
pub(in crate::expr) fn micros(utc: NaiveDateTime) -> Option<i64> {
    // chrono keeps a leap second as a 61st second of its minute; no table can
    if utc.nanosecond() >= 1_000_000_000 || !utc.nanosecond().is_multiple_of(1000) {
        return None;
    }
    days(utc.date())?;
    Some(utc.and_utc().timestamp_micros())
}

/// The instant that is so many microseconds after 1970, in those years too.
pub(in crate::expr) fn instant(micros: i64) -> Option<DateTime<Utc>> {
    date(day_of(micros))?;
    DateTime::from_timestamp_micros(micros)
}

/// What a clock in that zone shows, as an instant: none in the gap that summer time makes, the earlier where it shows
/// twice.
pub(in crate::expr) fn from_local(local: NaiveDateTime, zone: Tz) -> Option<NaiveDateTime> {
    if zone == Tz::UTC {
        return Some(local);
    }
    match zone.offset_from_local_datetime(&local) {
        MappedLocalTime::Single(offset) | MappedLocalTime::Ambiguous(offset, _) => {
            local.checked_sub_offset(offset.fix())
        }
        MappedLocalTime::None => None,
    }
}

/// Reads `yyyy-mm-dd`; surrounding blanks are ignored.
pub(in crate::expr) fn parse_date(text: &str) -> Option<i64> {
    let mut rest = Reader(text.trim_ascii().as_bytes());
    let date = rest.date()?;
    rest.0.is_empty().then_some(())?;
    days(date)
}

/// Reads `yyyy-mm-dd[(T| )hh:mm[:ss[.f]]][zone]`, the fraction of up to nine digits, the zone `Z`, `±hh`, `±hhmm` or
/// `±hh:mm`, with a blank before it or not; without one it is a time of `zone`.
pub(in crate::expr) fn parse_timestamp(text: &str, zone: Tz) -> Option<i64> {
    let mut rest = Reader(text.trim_ascii().as_bytes());
    let date = rest.date()?;
    if rest.0.is_empty() {
        return micros(from_local(date.and_hms_opt(0, 0, 0)?, zone)?);
    }
    if !(rest.take(b'T') || rest.take(b't') || rest.take(b' ')) {
        return None;
    }
    let local = rest.time(date)?;
    let utc = if rest.0.is_empty() { from_local(local, zone)? } else { local.checked_sub_offset(rest.offset()?)? };
    rest.0.is_empty().then_some(())?;
    micros(utc)
}

/// `2024-01-31`
pub(in crate::expr) fn format_date(days: i64) -> Option<String> {
    date(days).map(|date| date.format("%Y-%m-%d").to_string())
}

/// `2024-01-31T12:00:00Z`, with as many of six digits of the fraction as are needed.
pub(in crate::expr) fn format_timestamp(micros: i64) -> Option<String> {
    let instant = instant(micros)?.naive_utc();
    let mut text = instant.format("%Y-%m-%dT%H:%M:%S").to_string();
    let fraction = micros.rem_euclid(MICROS);
    if fraction != 0 {
        text.push_str(format!(".{fraction:06}").trim_end_matches('0'));
    }
    text.push('Z');
    Some(text)
}

/// Microseconds of a day's beginning.
pub(in crate::expr) fn midnight(days: i64) -> Option<i64> {
    date(days)?;
    days.checked_mul(86_400 * MICROS)
}

/// The day of UTC in which an instant lies.
pub(in crate::expr) fn day_of(micros: i64) -> i64 {
    micros.div_euclid(86_400 * MICROS)
}

/// The bytes of a text that are not read yet.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take(&mut self, byte: u8) -> bool {
        match self.0.split_first() {
            Some((first, rest)) if *first == byte => {
                self.0 = rest;
                true
            }
            _ => false,
        }
    }

    /// Exactly `n` digits.
    fn digits(&mut self, n: usize) -> Option<u32> {
        let (digits, rest) = self.0.split_at_checked(n)?;
        let value =
            digits.iter().try_fold(0u32, |value, b| b.is_ascii_digit().then(|| value * 10 + u32::from(b - b'0')))?;
        self.0 = rest;
        Some(value)
    }

    fn date(&mut self) -> Option<NaiveDate> {
        let year = self.digits(4)?;
        let month = self.take(b'-').then(|| self.digits(2))??;
        let day = self.take(b'-').then(|| self.digits(2))??;
        NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)
    }

    fn time(&mut self, date: NaiveDate) -> Option<NaiveDateTime> {
        let hour = self.digits(2)?;
        let minute = self.take(b':').then(|| self.digits(2))??;
        let (mut second, mut nanos) = (0, 0);
        if self.take(b':') {
            second = self.digits(2)?;
            if self.take(b'.') {
                nanos = self.fraction()?;
            }
        }
        date.and_hms_nano_opt(hour, minute, second, nanos)
    }

    /// One to nine digits, as nanoseconds.
    fn fraction(&mut self) -> Option<u32> {
        let length = self.0.iter().take_while(|b| b.is_ascii_digit()).count();
        let scale = 9usize.checked_sub(length).filter(|_| length > 0)?;
        Some(self.digits(length)? * 10u32.pow(u32::try_from(scale).ok()?))
    }

    fn offset(&mut self) -> Option<chrono::FixedOffset> {
        self.take(b' ');
        if self.take(b'Z') || self.take(b'z') {
            return chrono::FixedOffset::east_opt(0);
        }
        let sign = if self.take(b'+') { 1 } else { self.take(b'-').then_some(-1)? };
        let hours = self.digits(2)?;
        self.take(b':');
        let minutes = if self.0.is_empty() { 0 } else { self.digits(2)? };
        let seconds = i32::try_from((minutes < 60).then_some(hours * 3600 + minutes * 60)?).ok()?;
        chrono::FixedOffset::east_opt(sign * seconds)
    }
}
