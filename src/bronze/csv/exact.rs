//! The exact reader: any bytes, record by record, losing none.

use polars::prelude::{Column, DataFrame, IntoSeries, NamedFrom, PolarsResult, Series, StringChunkedBuilder};

use super::super::lineage::MALFORMED;
use super::super::lines::{self, Line};
use super::split::{Dialect, Field, Form, Split, split, undouble};

/// What stands where a record may begin; its text ends at `line.end`, the next begins at `line.next`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// its fields are in [`Walk::fields`]
    Good(Line),
    Malformed(Line),
    /// no record
    Blank(Line),
    /// more text is needed
    Cut,
    /// a line is longer than the longest record
    TooLong,
}

/// Walks over the records of a file, whose text comes in blocks.
pub(super) struct Walk {
    pub fields: Vec<Field>,
    pub dialect: Dialect,
    pub columns: usize,
    /// Up to here (as an offset in the whole text) a record with broken quotes was read as quoted. Its lines are taken
    /// one by one, and what was meant as quoted must not pass for a record: here a quote within a bare field is not
    /// text, it makes the record malformed.
    strict_until: u64,
}

impl Walk {
    pub fn new(dialect: Dialect, columns: usize) -> Self {
        Walk { fields: Vec::new(), dialect, columns, strict_until: 0 }
    }

    /// Whether the record at that offset of the whole text must be read exactly.
    pub fn is_strict(&self, offset: u64) -> bool {
        offset < self.strict_until
    }

    /// `at` is less than the length of `text`; `base`: the offset at which `text` begins in the whole.
    pub fn step(&mut self, text: &[u8], at: usize, base: u64, ended: bool) -> Step {
        match split(text, at, ended, &self.dialect, &mut self.fields) {
            Split::Cut => Step::Cut,
            Split::Broken(seen) => self.broken(text, at, base, ended, seen),
            Split::Record(line) if line.end == at && self.columns != 1 => Step::Blank(line),
            Split::Record(line) if self.fields.len() != self.columns && self.spans_lines(&text[at..line.end]) => {
                self.broken(text, at, base, ended, Some(line.end))
            }
            Split::Record(line) if self.is_good(text, at, base, line) => Step::Good(line),
            Split::Record(line) => Step::Malformed(line),
        }
    }

    fn is_good(&self, text: &[u8], at: usize, base: u64, line: Line) -> bool {
        let raw = &text[at..line.end];
        self.fields.len() == self.columns
            && memchr::memchr(0, raw).is_none()
            && std::str::from_utf8(raw).is_ok()
            && !(self.is_strict(base + at as u64) && self.has_stray_quote(text))
    }

    fn has_stray_quote(&self, text: &[u8]) -> bool {
        let Some(quote) = self.dialect.quote else { return false };
        self.fields.iter().any(|f| f.form == Form::Bare && memchr::memchr(quote, &text[f.start..f.end]).is_some())
    }

    fn spans_lines(&self, raw: &[u8]) -> bool {
        memchr::memchr(b'\n', raw).is_some() || (self.dialect.cr && memchr::memchr(b'\r', raw).is_some())
    }

    /// A record with broken quotes costs the line on which it begins; `seen`: how far it was read.
    fn broken(&mut self, text: &[u8], at: usize, base: u64, ended: bool, seen: Option<usize>) -> Step {
        let limit = at.saturating_add(self.dialect.longest);
        let capped = text.len() > limit;
        let within = if capped { &text[..limit] } else { text };
        match lines::line(within, at, ended && !capped, self.dialect.cr) {
            Some(line) => {
                let seen = seen.map_or(0, |seen| base + seen as u64);
                self.strict_until = self.strict_until.max(seen);
                Step::Malformed(line)
            }
            None if capped => Step::TooLong,
            None => Step::Cut,
        }
    }
}

/// Collects records into a frame: `_malformed` and the columns.
pub(super) struct Rows {
    malformed: Vec<Option<String>>,
    columns: Vec<StringChunkedBuilder>,
    scratch: Vec<u8>,
}

impl Rows {
    pub fn new(names: &[String]) -> Self {
        let columns = names.iter().map(|name| StringChunkedBuilder::new(name.as_str().into(), 0)).collect();
        Rows { malformed: Vec::new(), columns, scratch: Vec::new() }
    }

    /// A record whose fields are UTF-8 and as many as there are columns.
    pub fn push(&mut self, text: &[u8], fields: &[Field], quote: u8) {
        self.malformed.push(None);
        for (column, field) in self.columns.iter_mut().zip(fields) {
            let mut value = &text[field.start..field.end];
            if field.form == Form::Doubled {
                self.scratch.clear();
                undouble(value, quote, &mut self.scratch);
                value = &self.scratch;
            }
            // The record is UTF-8 and is cut at ASCII bytes only, so nothing is ever replaced here.
            column.append_value(String::from_utf8_lossy(value));
        }
    }

    pub fn push_malformed(&mut self, raw: String) {
        self.malformed.push(Some(raw));
        self.columns.iter_mut().for_each(StringChunkedBuilder::append_null);
    }

    /// How many records, and how many of them malformed.
    pub fn counts(&self) -> (usize, usize) {
        (self.malformed.len(), self.malformed.iter().flatten().count())
    }

    pub fn finish(self) -> PolarsResult<DataFrame> {
        let rows = self.malformed.len();
        let malformed = Series::new(MALFORMED.into(), self.malformed);
        let columns = self.columns.into_iter().map(|column| Column::from(column.finish().into_series()));
        DataFrame::new(rows, std::iter::once(Column::from(malformed)).chain(columns).collect())
    }
}
