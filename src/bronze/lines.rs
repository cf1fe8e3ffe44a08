//! Where lines end.

/// How much text decides how a file's lines end.
pub(super) const WINDOW: usize = 1 << 18;

/// One line: its text stands before `end`, the next begins at `next`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub end: usize,
    pub next: usize,
}

/// The line that begins at `at`, or `None` if its end is not in `text` and more follows (`ended` is false). A line ends
/// with LF, or CR LF; in a file whose lines end with CR (`cr`), with CR as well. A CR at the very end of the file
/// belongs to a line end that was cut off. The file's end ends a line.
pub(super) fn line(text: &[u8], at: usize, ended: bool, cr: bool) -> Option<Line> {
    let rest = &text[at..];
    let found = if cr { memchr::memchr2(b'\r', b'\n', rest) } else { memchr::memchr(b'\n', rest) };
    match found {
        Some(found) => end_at(text, at, at + found, ended),
        None if !ended => None,
        None => Some(Line { end: before_cr(text, at, text.len()), next: text.len() }),
    }
}

/// The end of a line whose terminator stands at `found`; `at`: where the line begins.
pub(super) fn end_at(text: &[u8], at: usize, found: usize, ended: bool) -> Option<Line> {
    if text[found] == b'\n' {
        return Some(Line { end: before_cr(text, at, found), next: found + 1 });
    }
    match text.get(found + 1) {
        Some(b'\n') => Some(Line { end: found, next: found + 2 }),
        None if !ended => None,
        _ => Some(Line { end: found, next: found + 1 }),
    }
}

/// `end`, or one less if a CR stands before it.
pub(super) fn before_cr(text: &[u8], at: usize, end: usize) -> usize {
    if end > at && text[end - 1] == b'\r' { end - 1 } else { end }
}

/// Whether the lines of a file that begins with `text` end with CR alone: outside of quotes there is a CR and no LF.
pub(super) fn cr_ends_lines(text: &[u8], delimiter: Option<u8>, quote: Option<u8>) -> bool {
    let Some(first_cr) = memchr::memchr(b'\r', text) else { return false };
    if first_cr + 1 == text.len() {
        return false;
    }
    let crs_before_lf = memchr::memchr_iter(b'\r', text).all(|at| matches!(text.get(at + 1), None | Some(b'\n')));
    if crs_before_lf || quote.is_none() {
        return !crs_before_lf && memchr::memchr(b'\n', text).is_none();
    }
    let mut quoted = false;
    let mut field_start = true;
    let mut cr = false;
    for &byte in text {
        if Some(byte) == quote && (quoted || field_start) {
            quoted = !quoted;
            field_start = !quoted; // so that a doubled quote opens again
        } else if quoted {
        } else if byte == b'\n' {
            return false;
        } else {
            cr |= byte == b'\r';
            field_start = byte == b'\r' || Some(byte) == delimiter;
        }
    }
    cr
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_with_lf_or_crlf() {
        assert_eq!(line(b"ab\r\nc", 0, false, false), Some(Line { end: 2, next: 4 }));
        assert_eq!(line(b"a\rb\n", 0, false, false), Some(Line { end: 3, next: 4 }));
        assert_eq!(line(b"ab\r", 0, false, false), None);
        assert_eq!(line(b"ab\r", 0, true, false), Some(Line { end: 2, next: 3 }));
        assert_eq!(line(b"\n", 0, false, false), Some(Line { end: 0, next: 1 }));
    }

    #[test]
    fn lines_end_with_cr_where_the_file_says_so() {
        assert_eq!(line(b"ab\rc", 0, false, true), Some(Line { end: 2, next: 3 }));
        assert_eq!(line(b"ab\r", 0, false, true), None);
        assert_eq!(line(b"ab\r\nc", 0, false, true), Some(Line { end: 2, next: 4 }));
    }

    #[test]
    fn only_a_cr_outside_of_quotes_without_any_lf_there_ends_lines() {
        let cr = |text: &[u8]| cr_ends_lines(text, Some(b','), Some(b'"'));
        assert!(cr(b"a,b\r1,2\r"));
        assert!(cr(b"a,b\r1,\"x\ny\"\r"));
        assert!(!cr(b"a,b\n1,\"x\ry\"\n"));
        assert!(!cr(b"a,b\r\n1,2\r\n"));
        assert!(!cr(b"a,b\n1,2\rx\n"));
        assert!(!cr(b"\"a\rb\""));
        assert!(!cr(b"a,b\n1,2\r"));
        assert!(!cr(b"a,b\r"));
    }
}
