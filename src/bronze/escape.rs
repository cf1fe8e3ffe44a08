//! The bytes of a malformed record as text, and back.
//!
//! A record whose bytes are text stands as it is. One that holds a byte that is no UTF-8, or a NUL, is escaped: such a
//! byte becomes `\xNN` and a backslash becomes `\\`. So is one whose text would otherwise read as if it were escaped,
//! because it holds `\\` or `\xNN` itself. Hence [`unescape`] gives the record's bytes back, whichever it was.

use std::fmt::Write;

/// The first byte of a mark that [`super::decode`] sets for a byte that the file's encoding does not know; no UTF-8
/// text holds it.
pub(super) const MARK: u8 = 0xFF;

/// Marks a byte of the file as unknown to its encoding: three bytes that are neither ASCII nor UTF-8.
pub(super) fn mark(byte: u8) -> [u8; 3] {
    [MARK, 0x80 | (byte >> 4), 0x80 | (byte & 0x0F)]
}

/// Any bytes as text without NUL.
pub fn escape(raw: &[u8]) -> String {
    match std::str::from_utf8(raw) {
        Ok(text) if !reads_as_escaped(text.as_bytes()) => text.to_owned(),
        _ => {
            let mut out = String::with_capacity(raw.len() + 16);
            for chunk in raw.utf8_chunks() {
                push_text(&mut out, chunk.valid());
                chunk.invalid().iter().for_each(|byte| push_byte(&mut out, *byte));
            }
            out
        }
    }
}

/// As [`escape`], of text that was decoded from another encoding and may hold marks.
pub(super) fn escape_marked(raw: &[u8]) -> String {
    let mut rest = raw;
    let Some(mut at) = memchr::memchr(MARK, rest) else { return escape(raw) };
    let mut out = String::with_capacity(raw.len() + 16);
    loop {
        push_text(&mut out, &String::from_utf8_lossy(&rest[..at]));
        let nibble = |i: usize| rest.get(at + i).map_or(0, |byte| byte & 0x0F);
        push_byte(&mut out, (nibble(1) << 4) | nibble(2));
        rest = rest.get(at + 3..).unwrap_or_default();
        at = match memchr::memchr(MARK, rest) {
            Some(next) => next,
            None => break,
        };
    }
    push_text(&mut out, &String::from_utf8_lossy(rest));
    out
}

/// The bytes that [`escape`] was given.
pub fn unescape(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let (byte, after) = match (first, after.first()) {
            (b'\\', Some(b'\\')) => (b'\\', &after[1..]),
            (b'\\', _) => hex(after).map_or((first, after), |byte| (byte, &after[3..])),
            _ => (first, after),
        };
        out.push(byte);
        rest = after;
    }
    out
}

fn reads_as_escaped(text: &[u8]) -> bool {
    memchr::memchr(0, text).is_some()
        || memchr::memchr_iter(b'\\', text).any(|at| {
            let after = &text[at + 1..];
            after.first() == Some(&b'\\') || hex(after).is_some()
        })
}

/// The byte of `xNN`.
fn hex(text: &[u8]) -> Option<u8> {
    let [b'x', high, low, ..] = text else { return None };
    let digit = |byte: u8| (byte as char).to_digit(16);
    u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()
}

fn push_text(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\0' => push_byte(out, 0),
            _ => out.push(c),
        }
    }
}

fn push_byte(out: &mut String, byte: u8) {
    let _ = write!(out, "\\x{byte:02x}");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn text_stands_as_it_is_unless_it_reads_as_escaped() {
        assert_eq!(escape(br#"{"a":"x\n"}"#), r#"{"a":"x\n"}"#);
        assert_eq!(escape(b"caf\xE9,\\,\0"), r"caf\xe9,\\,\x00");
        assert_eq!(escape(br"\xe9"), r"\\xe9");
        assert_eq!(escape(br"C:\\dir\"), r"C:\\\\dir\\");
    }

    #[test]
    fn marks_are_the_bytes_they_stand_for() {
        let mut raw = b"a\\".to_vec();
        raw.extend(mark(0xC3));
        raw.extend(mark(0xA9));
        raw.push(b'z');
        assert_eq!(escape_marked(&raw), r"a\\\xc3\xa9z");
        assert_eq!(escape_marked(b"plain \\ text"), "plain \\ text");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]
        #[test]
        fn unescape_gives_the_bytes_back(raw in prop::collection::vec(
            prop_oneof![Just(b'\\'), Just(b'x'), Just(b'4'), Just(b'F'), Just(0u8), Just(0xC3u8), Just(0xA9u8), any::<u8>()],
            0..24,
        )) {
            let text = escape(&raw);
            prop_assert!(!text.contains('\0'));
            prop_assert_eq!(unescape(&text), raw);
        }
    }
}
