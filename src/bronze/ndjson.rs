//! NDJSON: one document a line, kept as its text.

use polars::prelude::{Column, DataFrame, IntoSeries, StringChunkedBuilder};
use serde::de::IgnoredAny;

use super::limits::too_long;
use super::lineage::{MALFORMED, VALUE};
use super::lines::{self, Line, WINDOW};
use super::read::Frames;
use super::text::Text;

/// The documents of one NDJSON file.
pub(super) struct Ndjson {
    text: Text,
    cr: bool,
    block: usize,
    longest: usize,
}

impl Ndjson {
    /// `block`: bytes of text that are taken at a time; `longest`: bytes that a line has at most.
    pub fn begin(mut text: Text, block: usize, longest: usize) -> Result<Self, String> {
        text.fill(WINDOW)?;
        let window = &text.unread()[..text.unread().len().min(WINDOW)];
        let cr = lines::cr_ends_lines(window, None, None);
        Ok(Ndjson { text, cr, block, longest })
    }

    /// The file below.
    pub fn text(&mut self) -> &mut Text {
        &mut self.text
    }

    /// The next records; `None`: there are no more.
    pub fn next_frames(&mut self) -> Result<Option<Frames>, String> {
        let mut size = self.block.max(1);
        loop {
            self.text.fill(size)?;
            let unread = self.text.unread().len();
            if unread == 0 {
                return Ok(None);
            }
            let block = unread.min(size);
            let ended = self.text.ended() && block == unread;
            let (rows, bytes) = self.take(block, ended)?;
            if bytes > 0 {
                self.text.consume(bytes);
                return rows.finish().map(Some);
            }
            size = size.saturating_mul(2);
        }
    }

    fn take(&self, block: usize, ended: bool) -> Result<(Rows, usize), String> {
        let text = &self.text.unread()[..block];
        let escaping = self.text.escaping();
        let mut rows = Rows::new();
        let mut at = 0;
        while at < text.len() {
            let line = lines::line(text, at, ended, self.cr);
            let length = line.map_or(text.len(), |line| line.next) - at;
            if length > self.longest {
                return Err(too_long(self.text.offset() + at as u64, self.longest));
            }
            let Some(Line { end, next }) = line else { break };
            let raw = &text[at..end];
            if !raw.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r')) {
                rows.push(raw, escaping);
            }
            at = next;
        }
        Ok((rows, at))
    }
}

struct Rows {
    malformed: StringChunkedBuilder,
    values: StringChunkedBuilder,
    records: usize,
    bad: usize,
}

impl Rows {
    fn new() -> Self {
        let column = |name: &str| StringChunkedBuilder::new(name.into(), 0);
        Rows { malformed: column(MALFORMED), values: column(VALUE), records: 0, bad: 0 }
    }

    fn push(&mut self, raw: &[u8], escaping: fn(&[u8]) -> String) {
        let document = document(raw);
        self.records += 1;
        self.bad += usize::from(document.is_none());
        self.malformed.append_option(document.is_none().then(|| escaping(raw)));
        self.values.append_option(document);
    }

    fn finish(self) -> Result<Frames, String> {
        let columns = [self.malformed, self.values].map(|column| Column::from(column.finish().into_series()));
        let frames = match self.records {
            0 => Vec::new(),
            records => vec![DataFrame::new(records, columns.into()).map_err(|e| e.to_string())?],
        };
        Ok(Frames { frames, malformed: self.bad })
    }
}

/// The text of a line that is one JSON object and nothing else.
fn document(raw: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(raw).ok()?;
    let object = text.trim_start_matches([' ', '\t', '\r']).starts_with('{');
    (object && serde_json::from_str::<IgnoredAny>(text).is_ok()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_object_is_a_document() {
        assert_eq!(document(b" {\"a\": 1e400, \"b\": [{}]} "), Some(" {\"a\": 1e400, \"b\": [{}]} "));
        for bad in
            [&b"1"[..], b"[1]", b"\"x\"", b"null", b"{", b"{}{}", b"{\"a\":1,}", b"{\"a\":\"\xE9\"}", b"{\"a\":\"\0\"}"]
        {
            assert_eq!(document(bad), None, "{:?}", String::from_utf8_lossy(bad));
        }
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(5000), "]".repeat(5000));
        assert!(document(deep.as_bytes()).is_some_and(|text| text == deep), "deep nesting must not break the reader");
    }
}
