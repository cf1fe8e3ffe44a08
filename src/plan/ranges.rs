//! Ranges of event time, half open, and how they are cut into chunks.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Days, Months, NaiveDate, NaiveDateTime, SecondsFormat, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

/// More chunks than that are a mistake: each is a commit.
const MOST_CHUNKS: usize = 10_000;

/// An instant, and what the clocks of the project's time zone show then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// compared with timestamps
    pub instant: DateTime<Utc>,
    /// compared with dates, and what calendars count from
    pub local: NaiveDateTime,
}

/// The times from `from` on that are before `to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// within
    pub from: Moment,
    /// the first beyond
    pub to: Moment,
}

/// The length of a chunk: `1d`, `2w`, `1mo`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chunk {
    /// so many days of the calendar
    Days(u32),
    /// so many weeks
    Weeks(u32),
    /// so many months of the calendar, whatever their length
    Months(u32),
}

impl Moment {
    /// A date (its midnight) or a time, in RFC 3339 or without a zone: then in `timezone`.
    ///
    /// # Errors
    /// What to write instead.
    pub fn parse(text: &str, timezone: Tz) -> Result<Self, String> {
        if let Ok(time) = DateTime::parse_from_rfc3339(text) {
            let instant = time.to_utc();
            return Ok(Moment { instant, local: instant.with_timezone(&timezone).naive_local() });
        }
        let midnight = |date: NaiveDate| date.and_hms_opt(0, 0, 0);
        let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().and_then(midnight);
        let time = || {
            let forms = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M"];
            forms.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
        };
        let local = date.or_else(time);
        let local = local
            .ok_or("write a date (2026-10-01) or a time (2026-10-01T06:00:00Z; without a zone in the project's)")?;
        Moment::local(local, timezone).ok_or_else(|| format!("the year of `{text}` is out of reach"))
    }

    /// What clocks that are set back show twice is the first; what clocks that are set forward never show is the
    /// moment at which they are.
    fn local(local: NaiveDateTime, timezone: Tz) -> Option<Self> {
        // No clock was ever moved by more than a day.
        let minutes = (0..=24 * 60).map(TimeDelta::minutes);
        let shown = minutes.filter_map(|later| local.checked_add_signed(later));
        let instant = shown.filter_map(|shown| timezone.from_local_datetime(&shown).earliest()).next()?;
        Some(Moment { instant: instant.to_utc(), local })
    }

    fn after(self, chunk: Chunk, times: u32, timezone: Tz) -> Option<Self> {
        let days = |n: u32| self.local.checked_add_days(Days::new(u64::from(n)));
        let local = match chunk {
            Chunk::Days(n) => days(n.checked_mul(times)?)?,
            Chunk::Weeks(n) => days(n.checked_mul(7)?.checked_mul(times)?)?,
            // from the start each time: the 31st is not lost for good after a shorter month
            Chunk::Months(n) => self.local.checked_add_months(Months::new(n.checked_mul(times)?))?,
        };
        Moment::local(local, timezone)
    }

    /// The first day whose midnight is not before.
    pub fn first_day(self) -> NaiveDate {
        let day = self.local.date();
        if self.local == day.and_time(chrono::NaiveTime::MIN) { day } else { day.succ_opt().unwrap_or(day) }
    }
}

impl Range {
    /// From `from` on, before `to`.
    ///
    /// # Errors
    /// There is nothing between them, or one cannot be read.
    pub fn parse(from: &str, to: &str, timezone: Tz) -> Result<Self, String> {
        let read = |flag: &str, text: &str| {
            Moment::parse(text, timezone).map_err(|what| format!("`{flag} {text}` is no time; {what}"))
        };
        let range = Range { from: read("--from", from)?, to: read("--to", to)? };
        if range.from.instant >= range.to.instant {
            return Err(format!(
                "there is no time between `--from {from}` and `--to {to}`: `--to` is the first time beyond"
            ));
        }
        Ok(range)
    }

    /// The range cut at `--from` plus so many chunks; the last piece may be shorter. Without a chunk it is one piece.
    ///
    /// # Errors
    /// Too many pieces.
    pub fn chunks(self, chunk: Option<Chunk>, timezone: Tz) -> Result<Vec<Range>, String> {
        let Some(length) = chunk else { return Ok(vec![self]) };
        let mut chunks = Vec::new();
        let mut from = self.from;
        for times in 1.. {
            let end = self.from.after(length, times, timezone).filter(|end| end.instant < self.to.instant);
            let to = end.unwrap_or(self.to);
            if to.instant > from.instant {
                chunks.push(Range { from, to });
                from = to;
            }
            if end.is_none() {
                break;
            }
            if chunks.len() == MOST_CHUNKS {
                return Err(format!("chunks of {length} make over {MOST_CHUNKS} of it; take longer ones"));
            }
        }
        Ok(chunks)
    }
}

impl fmt::Display for Moment {
    /// In UTC, as RFC 3339 has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.instant.to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }
}

impl FromStr for Chunk {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let letters = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(letters);
        let number = number.parse().ok().filter(|n: &u32| *n > 0);
        let chunk = number.and_then(|n| match unit {
            "d" => Some(Chunk::Days(n)),
            "w" => Some(Chunk::Weeks(n)),
            "mo" => Some(Chunk::Months(n)),
            _ => None,
        });
        chunk.ok_or_else(|| "a number and d, w or mo, e.g. 1d, 2w, 1mo".to_owned())
    }
}

impl fmt::Display for Chunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Chunk::Days(n) => write!(f, "{n}d"),
            Chunk::Weeks(n) => write!(f, "{n}w"),
            Chunk::Months(n) => write!(f, "{n}mo"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BERLIN: Tz = chrono_tz::Europe::Berlin;

    fn chunks(from: &str, to: &str, chunk: &str, timezone: Tz) -> Vec<String> {
        let range = Range::parse(from, to, timezone).unwrap();
        let chunks = range.chunks(Some(chunk.parse().unwrap()), timezone).unwrap();
        for pair in chunks.windows(2) {
            assert_eq!(pair[0].to, pair[1].from);
        }
        assert_eq!((chunks[0].from, chunks[chunks.len() - 1].to), (range.from, range.to));
        chunks.iter().map(|chunk| chunk.from.to_string()).collect()
    }

    #[test]
    fn dates_are_midnights_of_the_project() {
        let of = |text| Moment::parse(text, BERLIN).unwrap().to_string();
        assert_eq!(of("2026-10-01"), "2026-09-30T22:00:00Z");
        assert_eq!(of("2026-12-01T06:30"), "2026-12-01T05:30:00Z");
        assert_eq!(of("2026-12-01 06:30:15.5"), "2026-12-01T05:30:15.500Z");
        assert_eq!(of("2026-12-01T06:30:00+05:00"), "2026-12-01T01:30:00Z");
        assert!(Moment::parse("October", BERLIN).is_err());
        // The clocks go from 2 to 3, and from 3 to 2.
        assert_eq!(of("2026-03-29T02:30:00"), "2026-03-29T01:00:00Z");
        assert_eq!(of("2026-10-25T02:30:00"), "2026-10-25T00:30:00Z");
    }

    #[test]
    fn days_and_months_follow_the_calendar() {
        assert_eq!(
            chunks("2026-10-24", "2026-10-27T12:00:00", "1d", BERLIN),
            ["2026-10-23T22:00:00Z", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", "2026-10-26T23:00:00Z"]
        );
        assert_eq!(
            chunks("2026-01-31", "2026-05-01", "1mo", Tz::UTC),
            ["2026-01-31T00:00:00Z", "2026-02-28T00:00:00Z", "2026-03-31T00:00:00Z", "2026-04-30T00:00:00Z"]
        );
        assert_eq!(chunks("2026-10-01", "2026-10-08", "1w", Tz::UTC).len(), 1);
        assert_eq!(chunks("2026-10-01", "2026-10-09", "1w", Tz::UTC).len(), 2);
    }

    #[test]
    fn a_day_counts_where_its_midnight_does() {
        let day = |text| Moment::parse(text, BERLIN).unwrap().first_day().to_string();
        assert_eq!(day("2026-10-01"), "2026-10-01");
        assert_eq!(day("2026-10-01T00:00:01"), "2026-10-02");
        assert_eq!(day("2026-09-30T22:00:00Z"), "2026-10-01");
    }

    #[test]
    fn what_makes_no_sense_is_told() {
        assert!(Range::parse("2026-10-01", "2026-10-01", Tz::UTC).is_err());
        assert!(Range::parse("2026-10-02", "2026-10-01", Tz::UTC).is_err());
        let ages = Range::parse("1000-01-01", "2026-10-01", Tz::UTC).unwrap();
        assert!(ages.chunks(Some(Chunk::Days(1)), Tz::UTC).is_err());
        assert_eq!(ages.chunks(None, Tz::UTC).unwrap(), [ages]);
        for wrong in ["", "d", "0d", "1", "1h", "1m", "-1d", "99999999999d"] {
            assert!(wrong.parse::<Chunk>().is_err(), "{wrong}");
        }
        assert_eq!("12mo".parse::<Chunk>().unwrap().to_string(), "12mo");
    }
}
