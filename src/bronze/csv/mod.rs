//! CSV: every column is text, every record is kept.

mod exact;
mod fast;
mod header;
mod scan;
mod split;
#[cfg(test)]
mod tests;

use polars::prelude::DataFrame;

use self::exact::{Rows, Step, Walk};
use self::scan::{Scanned, Stop, scan};
use super::headers::Header;
use super::limits::too_long;
use super::read::Frames;
use super::text::Text;
use crate::project::CsvOptions;

/// How the text is cut up; what is read does not depend on it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Blocks {
    /// bytes of text that are taken at a time
    pub size: usize,
    /// Well-formed text in front of an odd record goes to the fast reader from this length on; `usize::MAX`: nothing
    /// ever does.
    pub fast_from: usize,
}

/// The records of one CSV file.
pub(super) struct Csv {
    text: Text,
    walk: Walk,
    headers: Vec<Header>,
    names: Vec<String>,
    blocks: Blocks,
}

/// What became of a block: first what was found well formed, then what was read exactly.
#[derive(Default)]
struct Taken {
    fast: Option<Scanned>,
    exact: Option<DataFrame>,
    bytes: usize,
    malformed: usize,
}

impl Csv {
    /// Reads the header.
    pub fn begin(
        mut text: Text,
        options: &CsvOptions,
        known: Option<&[String]>,
        longest: usize,
        blocks: Blocks,
    ) -> Result<Self, String> {
        let (headers, dialect) = header::begin(&mut text, options, known, longest)?;
        let names: Vec<String> = headers.iter().map(|h| h.stored.clone()).collect();
        let walk = Walk::new(dialect, names.len());
        Ok(Csv { text, walk, headers, names, blocks })
    }

    /// The columns under their stored and their original names.
    pub fn headers(&self) -> &[Header] {
        &self.headers
    }

    /// The file below.
    pub fn text(&mut self) -> &mut Text {
        &mut self.text
    }

    /// The next records; `None`: there are no more. An empty list only means that a block held none.
    pub fn next_frames(&mut self) -> Result<Option<Frames>, String> {
        let mut size = self.blocks.size.max(1);
        loop {
            self.text.fill(size)?;
            let unread = self.text.unread().len();
            if unread == 0 {
                return Ok(None);
            }
            let block = unread.min(size);
            let ended = self.text.ended() && block == unread;
            let taken = self.take(block, ended)?;
            if taken.bytes > 0 {
                return self.frames(taken).map(Some);
            }
            size = size.saturating_mul(2);
        }
    }

    fn take(&mut self, block: usize, ended: bool) -> Result<Taken, String> {
        let base = self.text.offset();
        let mut taken = Taken::default();
        let strict = self.walk.is_strict(base) || self.blocks.fast_from == usize::MAX;
        let stop = if strict { Stop::Odd } else { self.take_fast(block, ended, &mut taken) };
        if stop == Stop::Odd {
            let text = &self.text.unread()[..block];
            take_exact(&mut self.walk, &self.names, self.text.escaping(), text, base, ended, &mut taken)?;
        }
        Ok(taken)
    }

    fn take_fast(&self, block: usize, ended: bool, taken: &mut Taken) -> Stop {
        let (text, start) = self.text.window(block);
        let scanned = scan(text, start, ended, self.names.len(), &self.walk.dialect);
        let (bytes, stop) = (scanned.end - start, scanned.stop);
        if scanned.rows > 0 && (stop != Stop::Odd || bytes >= self.blocks.fast_from) {
            *taken = Taken { fast: Some(scanned), bytes, ..Taken::default() };
        }
        stop
    }

    fn frames(&mut self, taken: Taken) -> Result<Frames, String> {
        let fast = match taken.fast {
            Some(scanned) => {
                let text = self.text.give(taken.bytes);
                Some(fast::frame(text, scanned, &self.names).map_err(|e| e.to_string())?)
            }
            None => {
                self.text.consume(taken.bytes);
                None
            }
        };
        Ok(Frames { frames: fast.into_iter().chain(taken.exact).collect(), malformed: taken.malformed })
    }
}

/// Reads from `taken.bytes` to the last whole record of `text`.
fn take_exact(
    walk: &mut Walk,
    names: &[String],
    escaping: fn(&[u8]) -> String,
    text: &[u8],
    base: u64,
    ended: bool,
    taken: &mut Taken,
) -> Result<(), String> {
    let quote = walk.dialect.quote.unwrap_or(b'"');
    let mut rows = Rows::new(names);
    let mut at = taken.bytes;
    while at < text.len() {
        let line = match walk.step(text, at, base, ended) {
            Step::Cut => break,
            Step::TooLong => {
                return Err(too_long(base + at as u64, walk.dialect.longest));
            }
            Step::Blank(line) => line,
            Step::Good(line) => {
                rows.push(text, &walk.fields, quote);
                line
            }
            Step::Malformed(line) => {
                rows.push_malformed(escaping(&text[at..line.end]));
                line
            }
        };
        at = line.next;
    }
    taken.bytes = at;
    let (records, malformed) = rows.counts();
    taken.malformed += malformed;
    if records > 0 {
        taken.exact = Some(rows.finish().map_err(|e| e.to_string())?);
    }
    Ok(())
}
