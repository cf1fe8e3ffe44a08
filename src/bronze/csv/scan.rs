//! The structural scan: how far a text is well formed, so that the fast reader may have it.
//!
//! Well formed means: each record has the right number of fields, its quotes are closed, its bytes are UTF-8 without
//! NUL, lines end with LF or CR LF and nowhere else holds a bare field a CR, no line is blank. Whatever passes is read
//! alike by the fast and the exact reader.

use super::split::{Dialect, Field, Form, Split, split};

/// Text that was found well formed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Scanned {
    /// pieces at which it may be cut: where each ends, and its records
    pub pieces: Vec<Piece>,
    /// why it goes no further
    pub stop: Stop,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub end: usize,
    pub rows: usize,
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

impl Scanned {
    /// Where the well-formed text ends.
    pub fn end(&self) -> usize {
        self.pieces.last().map_or(0, |piece| piece.end)
    }
}

/// Scans `text`, which begins with a record. `ended`: nothing follows. `piece`: bytes after which a piece is cut.
pub(super) fn scan(text: &[u8], ended: bool, columns: usize, dialect: &Dialect, piece: usize) -> Scanned {
    let mut scan = Scan {
        text,
        ended,
        columns,
        dialect,
        piece,
        pieces: Vec::new(),
        open: Piece { end: 0, rows: 0 },
        fields: Vec::new(),
    };
    let stop = scan.run();
    if scan.open.rows > 0 {
        scan.pieces.push(scan.open);
    }
    Scanned { pieces: scan.pieces, stop }
}

struct Scan<'a> {
    text: &'a [u8],
    ended: bool,
    columns: usize,
    dialect: &'a Dialect,
    piece: usize,
    pieces: Vec<Piece>,
    open: Piece,
    fields: Vec<Field>,
}

impl Scan<'_> {
    fn run(&mut self) -> Stop {
        if self.columns == 0 || self.dialect.cr {
            return Stop::Odd;
        }
        let clean = clean_length(self.text);
        let has_cr = memchr::memchr(b'\r', self.text).is_some();
        let has_quote = self.dialect.quote.is_some_and(|quote| memchr::memchr(quote, &self.text[..clean]).is_some());
        while self.open.end < self.text.len() {
            let at = self.open.end;
            let next = if has_quote { self.quoted_record(at, has_cr) } else { self.bare_record(at, has_cr) };
            match next {
                Err(stop) => return stop,
                Ok(next) if next > clean => return Stop::Odd,
                Ok(next) => self.accept(next),
            }
        }
        Stop::End
    }

    fn accept(&mut self, next: usize) {
        self.open = Piece { end: next, rows: self.open.rows + 1 };
        if next - self.pieces.last().map_or(0, |piece| piece.end) >= self.piece {
            self.pieces.push(self.open);
            self.open.rows = 0;
        }
    }

    /// The record at `at` in a text without quotes: where the next begins.
    fn bare_record(&self, at: usize, has_cr: bool) -> Result<usize, Stop> {
        let rest = &self.text[at..];
        let (line, next) = match memchr::memchr(b'\n', rest) {
            Some(end) => (&rest[..end], at + end + 1),
            None if self.ended => (rest, self.text.len()),
            None if rest.len() > self.dialect.longest => return Err(Stop::Odd),
            None => return Err(Stop::Cut),
        };
        let cr_inside = has_cr && memchr::memchr(b'\r', line).is_some_and(|cr| cr + 1 < line.len());
        let blank = self.columns > 1 && matches!(line, b"" | b"\r");
        let fields = memchr::memchr_iter(self.dialect.delimiter, line).count() + 1;
        if cr_inside || blank || fields != self.columns || next - at > self.dialect.longest {
            return Err(Stop::Odd);
        }
        Ok(next)
    }

    fn quoted_record(&mut self, at: usize, has_cr: bool) -> Result<usize, Stop> {
        let line = match split(self.text, at, self.ended, self.dialect, &mut self.fields) {
            Split::Record(line) => line,
            Split::Cut => return Err(Stop::Cut),
            Split::Broken(_) => return Err(Stop::Odd),
        };
        let bare_cr = |f: &Field| f.form == Form::Bare && memchr::memchr(b'\r', &self.text[f.start..f.end]).is_some();
        let blank = self.columns > 1 && line.end == at;
        if blank || self.fields.len() != self.columns || (has_cr && self.fields.iter().any(bare_cr)) {
            return Err(Stop::Odd);
        }
        Ok(line.next)
    }
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
        let scanned = scan(text, true, 2, &COMMAS, 1 << 20);
        (scanned.end(), scanned.stop)
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
        assert_eq!(scan(b"1,2\n3,4", false, 2, &COMMAS, 99).stop, Stop::Cut);
        assert_eq!(scan(b"1,2\n3,\xC3", false, 2, &COMMAS, 99).stop, Stop::Cut);
        assert_eq!(scan(b"1,2\n3,\"4\"", false, 2, &COMMAS, 99).stop, Stop::Cut);
    }

    #[test]
    fn pieces_end_with_records() {
        let pieces = scan(b"1,2\n3,4\n5,6\n7,8\n9,0", true, 2, &COMMAS, 5).pieces;
        assert_eq!(pieces, [Piece { end: 8, rows: 2 }, Piece { end: 16, rows: 2 }, Piece { end: 19, rows: 1 }]);
    }
}
