//! A file as a moving window of UTF-8 text.

use std::io::{self, Read};

use encoding_rs::{Encoding, UTF_8};

use super::decode::Decode;
use super::escape::{escape, escape_marked};
use super::stored::Stored;

const GZIP: &[u8] = &[0x1F, 0x8B, 0x08];
const ZSTD: &[u8] = &[0x28, 0xB5, 0x2F, 0xFD];
const UTF_8_BOM: &[u8] = &[0xEF, 0xBB, 0xBF];
const UTF_16_BOMS: [&[u8]; 2] = [&[0xFF, 0xFE], &[0xFE, 0xFF]];
/// Bytes that the decoder gets at a time.
const PIECE: usize = 1 << 16;

/// Text that was read and not consumed. Bytes that are no UTF-8 stay in it as they are.
pub(super) struct Text {
    stored: Stored,
    decode: Option<Decode>,
    buffer: Vec<u8>,
    start: usize,
    /// how many bytes were consumed
    offset: u64,
    ended: bool,
}

impl Text {
    /// The text of a file in the encoding of that WHATWG label, without its byte order mark.
    ///
    /// # Errors
    /// The reason why it is no text: an unknown encoding, a compressed file under a plain name.
    pub fn open(stored: Stored, label: &str) -> Result<Self, String> {
        let encoding = Encoding::for_label_no_replacement(label.as_bytes())
            .ok_or_else(|| format!("unknown encoding `{label}`"))?;
        let decode = (encoding != UTF_8).then(|| Decode::new(encoding));
        let mut text = Text { stored, decode: None, buffer: Vec::new(), start: 0, offset: 0, ended: false };
        text.fill(4)?;
        let head = text.unread();
        for (magic, name, ending) in [(GZIP, "gzip", ".gz"), (ZSTD, "zstd", ".zst")] {
            if head.starts_with(magic) {
                return Err(format!("holds {name} data; its name must end in `{ending}`"));
            }
        }
        if UTF_16_BOMS.iter().any(|bom| head.starts_with(bom)) || decode.is_some() {
            text.decode_from_here(decode.unwrap_or_else(|| Decode::new(UTF_8)));
        } else if head.starts_with(UTF_8_BOM) {
            text.start = UTF_8_BOM.len();
        }
        Ok(text)
    }

    fn decode_from_here(&mut self, mut decode: Decode) {
        let head = std::mem::take(&mut self.buffer);
        decode.push(&head, self.ended, &mut self.buffer);
        self.decode = Some(decode);
    }

    /// Reads until `wanted` bytes are unread or the file has ended.
    ///
    /// # Errors
    /// The reason why the file cannot be read.
    pub fn fill(&mut self, wanted: usize) -> Result<(), String> {
        if self.buffer.len() - self.start >= wanted || self.ended {
            return Ok(());
        }
        self.buffer.drain(..self.start);
        self.start = 0;
        while self.buffer.len() < wanted && !self.ended {
            let missing = wanted - self.buffer.len();
            self.grow(missing).map_err(|e| self.stored.explain(&e))?;
        }
        Ok(())
    }

    fn grow(&mut self, missing: usize) -> io::Result<()> {
        let Some(decode) = &mut self.decode else {
            // a small file needs no room for a whole block; one byte more shows its end
            let left = self.stored.left().and_then(|left| usize::try_from(left).ok()).unwrap_or(missing);
            self.buffer.reserve(missing.min(left.saturating_add(1)));
            let read = self.stored.by_ref().take(missing as u64).read_to_end(&mut self.buffer)?;
            self.ended = read < missing;
            return Ok(());
        };
        let mut piece = Vec::with_capacity(PIECE);
        let read = self.stored.by_ref().take(PIECE as u64).read_to_end(&mut piece)?;
        self.ended = read < PIECE;
        decode.push(&piece, self.ended, &mut self.buffer);
        Ok(())
    }

    /// What was read and not consumed.
    pub fn unread(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    /// What is held up to the end of the first `n` unread bytes, and where these begin.
    pub fn window(&self, n: usize) -> (&[u8], usize) {
        (&self.buffer[..self.start + n], self.start)
    }

    /// Lets go of the first `n` unread bytes and gives away what holds them: what [`Text::window`] has shown.
    pub fn give(&mut self, n: usize) -> Vec<u8> {
        let end = self.start + n;
        let unread = self.buffer[end..].to_vec();
        let mut given = std::mem::replace(&mut self.buffer, unread);
        given.truncate(end);
        self.start = 0;
        self.offset += n as u64;
        given
    }

    /// Whether nothing follows what is unread.
    pub fn ended(&self) -> bool {
        self.ended
    }

    /// Bytes of text consumed so far.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Lets go of the first `n` unread bytes.
    pub fn consume(&mut self, n: usize) {
        self.start += n;
        self.offset += n as u64;
    }

    /// How a malformed record of this text is written down.
    pub fn escaping(&self) -> fn(&[u8]) -> String {
        if self.decode.is_some() { escape_marked } else { escape }
    }

    /// The file below.
    pub fn stored(&mut self) -> &mut Stored {
        &mut self.stored
    }
}
