//! NDJSON: one document a line, kept as its text.

use polars::prelude::{Column, DataFrame, NamedFrom, PolarsResult, Series};
use serde::de::IgnoredAny;

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
                let malformed = rows.malformed.iter().flatten().count();
                let frames = if rows.malformed.is_empty() {
                    Vec::new()
                } else {
                    vec![rows.finish().map_err(|e| e.to_string())?]
                };
                return Ok(Some(Frames { frames, malformed }));
            }
            size = size.saturating_mul(2);
        }
    }

    fn take(&self, block: usize, ended: bool) -> Result<(Rows, usize), String> {
        let text = &self.text.unread()[..block];
        let escaping = self.text.escaping();
        let mut rows = Rows::default();
        let mut at = 0;
        while at < text.len() {
            let line = lines::line(text, at, ended, self.cr);
            let length = line.map_or(text.len(), |line| line.next) - at;
            if length > self.longest {
                let offset = self.text.offset() + at as u64;
                return Err(format!("byte {offset}: a line is longer than {} bytes", self.longest));
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

#[derive(Default)]
struct Rows {
    malformed: Vec<Option<String>>,
    values: Vec<Option<String>>,
}

impl Rows {
    fn push(&mut self, raw: &[u8], escaping: fn(&[u8]) -> String) {
        let document = document(raw).map(str::to_owned);
        self.malformed.push(document.is_none().then(|| escaping(raw)));
        self.values.push(document);
    }

    fn finish(self) -> PolarsResult<DataFrame> {
        let rows = self.values.len();
        let malformed = Column::from(Series::new(MALFORMED.into(), self.malformed));
        let values = Column::from(Series::new(VALUE.into(), self.values));
        DataFrame::new(rows, vec![malformed, values])
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
