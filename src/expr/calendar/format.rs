//! Formats of dates and times, in the letters of C's strftime as the crate chrono reads them.

use std::fmt::Write as _;

use chrono::format::{Item, Parsed, StrftimeItems, parse};
use chrono_tz::Tz;

use super::{days, from_local, instant, micros};

/// A format that was found right.
#[derive(Debug)]
pub(in crate::expr) struct Format(Vec<Item<'static>>);

impl Format {
    /// `None`: it has a letter that means nothing.
    pub(in crate::expr) fn parse(text: &str) -> Option<Self> {
        StrftimeItems::new(text).parse_to_owned().ok().map(Format)
    }

    fn read(&self, text: &str) -> Option<Parsed> {
        let mut parsed = Parsed::new();
        parse(&mut parsed, text.trim_ascii(), self.0.iter()).ok()?;
        Some(parsed)
    }

    /// The day; a time of day is read and dropped.
    pub(in crate::expr) fn date(&self, text: &str) -> Option<i64> {
        days(self.read(text)?.to_naive_date().ok()?)
    }

    /// The instant; without a time of day midnight, without a zone a time of `zone`.
    pub(in crate::expr) fn timestamp(&self, text: &str, zone: Tz) -> Option<i64> {
        let mut parsed = self.read(text)?;
        if parsed.timestamp().is_some() {
            return micros(parsed.to_naive_datetime_with_offset(0).ok()?);
        }
        if parsed.minute().is_none() {
            if parsed.hour_mod_12().is_none() {
                parsed.set_hour(0).ok()?;
            }
            parsed.set_minute(0).ok()?;
        }
        let local = parsed.to_naive_date().ok()?.and_time(parsed.to_naive_time().ok()?);
        micros(match parsed.offset() {
            Some(seconds) => local.checked_sub_offset(chrono::FixedOffset::east_opt(seconds)?)?,
            None => from_local(local, zone)?,
        })
    }

    /// The instant as a clock of `zone` shows it.
    pub(in crate::expr) fn format(&self, micros: i64, zone: Tz) -> Option<String> {
        let mut text = String::new();
        let shown = instant(micros)?.with_timezone(&zone);
        write!(text, "{}", shown.format_with_items(self.0.iter())).ok()?;
        Some(text)
    }
}
