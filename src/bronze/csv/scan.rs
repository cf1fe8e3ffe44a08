//! The structural scan: how far a text is well formed, and where its fields stand.
//!
//! Well formed means: each record has the right number of fields, its quotes are closed, its bytes are UTF-8 without
//! NUL, lines end with LF or CR LF and nowhere else holds a bare field a CR, no line is blank. Whatever passes is read
//! alike by this and by the exact reader.

use polars_arrow::array::View;

use super::super::lines;
use super::split::{Dialect, undouble};

/// Text that was found well formed.
#[derive(Debug)]
pub(super) struct Scanned {
    /// Each column's values: views into the text that was scanned (buffer 0) and into `doubled` (buffer 1).
    pub columns: Vec<Vec<View>>,
    /// values that stand in the text with doubled quotes, as they are meant
    pub doubled: Vec<u8>,
    /// records
    pub rows: usize,
    /// where the first record begins that is not among them
    pub end: usize,
    /// why it goes no further
    pub stop: Stop,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// all of the text is well formed
    End,
    /// the last record is not whole, and more follows
    Cut,
    /// a record that only the exact reader may have
    Odd,
}

/// Scans `text` from `start`, where a record begins. `ended`: nothing follows.
pub(super) fn scan(text: &[u8], start: usize, ended: bool, columns: usize, dialect: &Dialect) -> Scanned {
    let clean = start + clean_length(&text[start..]);
    let has_cr = memchr::memchr(b'\r', &text[start..]).is_some();
    // Records are about as long as the first line, and have a byte for each column at least.
    let line = memchr::memchr(b'\n', &text[start..]).map_or(text.len() - start, |end| end + 1);
    let records = (text.len() - start) / line.max(columns).max(1) * 17 / 16 + 16;
    let values = (0..columns).map(|_| Vec::with_capacity(records)).collect();
    let mut scan = Scan { text, ended, clean, has_cr, dialect, values, doubled: Vec::new() };
    let (mut rows, mut end) = (0, start);
    let stop = loop {
        match scan.next(end) {
            Ok(next) => (rows, end) = (rows + 1, next),
            Err(stop) => break stop,
        }
    };
    // what a record had before it proved odd
    scan.values.iter_mut().for_each(|values| values.truncate(rows));
    Scanned { columns: scan.values, doubled: scan.doubled, rows, end, stop }
}

struct Scan<'a> {
    text: &'a [u8],
    ended: bool,
    /// up to here it is UTF-8 without NUL
    clean: usize,
    has_cr: bool,
    dialect: &'a Dialect,
    values: Vec<Vec<View>>,
    doubled: Vec<u8>,
}

/// A value and what stands behind it.
struct Found {
    view: View,
    next: usize,
    last: bool,
}

impl Scan<'_> {
    /// The record at `at`: where the next begins.
    fn next(&mut self, at: usize) -> Result<usize, Stop> {
        if self.values.is_empty() || self.dialect.cr || u32::try_from(self.text.len()).is_err() {
            return Err(Stop::Odd);
        }
        if at >= self.text.len() {
            return Err(Stop::End);
        }
        let next = self.record(at)?;
        if next > self.clean || next - at > self.dialect.longest {
            return Err(Stop::Odd);
        }
        Ok(next)
    }

    fn record(&mut self, at: usize) -> Result<usize, Stop> {
        let columns = self.values.len();
        let mut start = at;
        for column in 0..columns {
            let quoted = self.dialect.quote.is_some() && self.text.get(start).copied() == self.dialect.quote;
            let found = if quoted { self.quoted(at, start + 1) } else { self.bare(at, start) }?;
            self.values[column].push(found.view);
            start = found.next;
            if found.last != (column + 1 == columns) {
                return Err(Stop::Odd);
            }
        }
        Ok(start)
    }

    #[inline]
    fn bare(&self, record: usize, start: usize) -> Result<Found, Stop> {
        let found = find_either(self.text, start, self.dialect.delimiter, b'\n');
        let (end, next, last) = match self.text.get(found) {
            Some(b'\n') => (lines::before_cr(self.text, start, found), found + 1, true),
            Some(_) => (found, found + 1, false),
            None if self.ended => (lines::before_cr(self.text, start, found), found, true),
            None => return Err(self.unfinished(record)),
        };
        if self.has_cr && memchr::memchr(b'\r', &self.text[start..end]).is_some() {
            return Err(Stop::Odd);
        }
        Ok(Found { view: self.view(start, end), next, last })
    }

    /// `start`: behind the opening quote.
    fn quoted(&mut self, record: usize, start: usize) -> Result<Found, Stop> {
        let quote = self.dialect.quote.unwrap_or(b'"');
        let (mut from, mut doubled) = (start, false);
        let close = loop {
            let Some(found) = memchr::memchr(quote, &self.text[from..]) else { return Err(self.unfinished(record)) };
            let close = from + found;
            if self.text.get(close + 1) != Some(&quote) {
                break close;
            }
            (from, doubled) = (close + 2, true);
        };
        let after = close + 1;
        let (next, last) = match self.text.get(after) {
            Some(&byte) if byte == self.dialect.delimiter => (after + 1, false),
            Some(b'\n') => (after + 1, true),
            Some(b'\r') if self.text.get(after + 1) == Some(&b'\n') => (after + 2, true),
            Some(b'\r') if after + 1 == self.text.len() && self.ended => (after + 1, true),
            Some(b'\r') if after + 1 == self.text.len() => return Err(Stop::Cut),
            Some(_) => return Err(Stop::Odd),
            None if self.ended => (after, true),
            None => return Err(Stop::Cut),
        };
        let view = if doubled { self.meant(start, close, quote) } else { self.view(start, close) };
        Ok(Found { view, next, last })
    }

    /// Why a record whose end is not in the text goes to nobody, or to the exact reader.
    fn unfinished(&self, record: usize) -> Stop {
        if self.ended || self.text.len() - record > self.dialect.longest { Stop::Odd } else { Stop::Cut }
    }

    /// Short values stand in their views. They are taken from the text as a whole and cut by a mask, which is faster than
    /// to copy so many bytes.
    #[inline]
    fn view(&self, start: usize, end: usize) -> View {
        let length = end - start;
        match self.text.get(start..start + 16).and_then(|text| <[u8; 16]>::try_from(text).ok()) {
            Some(text) if length < SHORT.len() && cfg!(target_endian = "little") => {
                let kept = u128::from_le_bytes(text) & SHORT[length];
                let (prefix, buffer_idx, offset) = (kept as u32, (kept >> 32) as u32, (kept >> 64) as u32);
                View { length: length as u32, prefix, buffer_idx, offset }
            }
            _ => View::new_from_bytes(&self.text[start..end], 0, start as u32),
        }
    }

    fn meant(&mut self, start: usize, end: usize, quote: u8) -> View {
        let from = self.doubled.len();
        undouble(&self.text[start..end], quote, &mut self.doubled);
        View::new_from_bytes(&self.doubled[from..], 1, from as u32)
    }
}

/// Masks that keep so many bytes.
const SHORT: [u128; View::MAX_INLINE_SIZE as usize + 1] = {
    let mut masks = [0; View::MAX_INLINE_SIZE as usize + 1];
    let mut length = 1;
    while length < masks.len() {
        masks[length] = masks[length - 1] << 8 | 0xFF;
        length += 1;
    }
    masks
};

/// The place of the first of two bytes, or the text's length. Fields are short: eight bytes at a time are faster here
/// than a search that is made for long ones.
#[inline]
fn find_either(text: &[u8], start: usize, a: u8, b: u8) -> usize {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const TOPS: u64 = ONES << 7;
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word & TOPS;
    let (a_everywhere, b_everywhere) = (ONES * u64::from(a), ONES * u64::from(b));
    let (words, _) = text[start..].as_chunks::<8>();
    for (number, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        // marks above the lowest may be wrong, the lowest is not
        let marks = zeros(word ^ a_everywhere) | zeros(word ^ b_everywhere);
        if marks != 0 {
            return start + 8 * number + marks.trailing_zeros() as usize / 8;
        }
    }
    let rest = start + 8 * words.len();
    text[rest..].iter().position(|&byte| byte == a || byte == b).map_or(text.len(), |found| rest + found)
}

/// How many bytes from the start are UTF-8 without NUL.
fn clean_length(text: &[u8]) -> usize {
    let valid = match std::str::from_utf8(text) {
        Ok(_) => text.len(),
        Err(error) => error.valid_up_to(),
    };
    memchr::memchr(0, &text[..valid]).unwrap_or(valid)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMAS: Dialect = Dialect { delimiter: b',', quote: Some(b'"'), cr: false, longest: 64 };

    fn scanned(text: &[u8]) -> (usize, Stop) {
        let scanned = scan(text, 0, true, 2, &COMMAS);
        (scanned.end, scanned.stop)
    }

    #[test]
    fn well_formed_text_passes() {
        for text in ["1,2\n3,4\n", "1,2\r\n3,", "\"a\n,\",\"\"\n1,\"x\"\"y\"", "1,5\" pipe\n", "\u{e9},\n"] {
            assert_eq!(scanned(text.as_bytes()), (text.len(), Stop::End), "{text:?}");
        }
    }

    #[test]
    fn odd_records_stop_it() {
        for odd in [
            &b"\n"[..],
            b"\r\n",
            b"1\n",
            b"1,2,3\n",
            b"1,a\rb\n",
            b"1,\"2\n",
            b"1,\"2\"3\n",
            b"1,\xE9\n",
            b"1,\0\n",
            b"1,\xC3",
            b"1,\"\xC3\"\n",
            b"\"1\",a\rb\n",
        ] {
            let text = [b"1,2\n", odd].concat();
            assert_eq!(scanned(&text), (4, Stop::Odd), "{:?}", String::from_utf8_lossy(&text));
        }
    }

    #[test]
    fn what_may_go_on_is_left() {
        for cut in [&b"1,2\n3,4"[..], b"1,2\n3,\xC3", b"1,2\n3,\"4\"", b"1,2\n3,\"4\"\r"] {
            assert_eq!(scan(cut, 0, false, 2, &COMMAS).stop, Stop::Cut);
        }
    }

    #[test]
    fn the_first_of_two_bytes_is_found_wherever_it_stands() {
        for before in 0..20 {
            for after in 0..20 {
                let text = ["x".repeat(before), ",".into(), "\n+".repeat(after)].concat();
                assert_eq!(find_either(text.as_bytes(), before / 2, b'\n', b','), before);
            }
            let none = "-".repeat(before);
            assert_eq!(find_either(none.as_bytes(), 0, b'\n', b','), before);
        }
    }
}
