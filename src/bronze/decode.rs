//! From a file's encoding to UTF-8, piece by piece, losing no byte.

use encoding_rs::{Decoder, DecoderResult, Encoding};

use super::escape::mark;

/// No malformed sequence and what the decoder holds back behind it is longer.
const MEMORY: usize = 16;

/// Turns bytes into UTF-8; a byte that the encoding does not know becomes a mark, see [`super::escape`].
pub(super) struct Decode {
    decoder: Decoder,
    /// the last bytes that the decoder took
    recent: Vec<u8>,
}

impl Decode {
    /// A byte order mark at the start of the file is stronger than `encoding`, and is taken away.
    pub fn new(encoding: &'static Encoding) -> Self {
        Decode { decoder: encoding.new_decoder(), recent: Vec::new() }
    }

    /// Appends the text of `input` to `out`. `last`: nothing follows.
    pub fn push(&mut self, mut input: &[u8], last: bool, out: &mut Vec<u8>) {
        loop {
            let old = out.len();
            out.resize(old + input.len().saturating_mul(3) + 64, 0);
            let (result, read, written) = self.decoder.decode_to_utf8_without_replacement(input, &mut out[old..], last);
            out.truncate(old + written);
            self.remember(&input[..read]);
            input = &input[read..];
            match result {
                DecoderResult::InputEmpty => return,
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(length, behind) => {
                    let end = self.recent.len().saturating_sub(usize::from(behind));
                    let start = end.saturating_sub(usize::from(length));
                    self.recent[start..end].iter().for_each(|byte| out.extend(mark(*byte)));
                }
            }
        }
    }

    fn remember(&mut self, taken: &[u8]) {
        let tail = &taken[taken.len().saturating_sub(MEMORY)..];
        let keep = MEMORY - tail.len();
        self.recent.drain(..self.recent.len().saturating_sub(keep));
        self.recent.extend_from_slice(tail);
    }
}

#[cfg(test)]
mod tests {
    use encoding_rs::{SHIFT_JIS, UTF_16LE, WINDOWS_1252, WINDOWS_1253};
    use proptest::prelude::*;

    use super::*;
    use crate::bronze::escape::escape_marked;

    fn decoded(encoding: &'static Encoding, bytes: &[u8], step: usize) -> String {
        let mut decode = Decode::new(encoding);
        let mut out = Vec::new();
        for piece in bytes.chunks(step) {
            decode.push(piece, false, &mut out);
        }
        decode.push(&[], true, &mut out);
        escape_marked(&out)
    }

    #[test]
    fn known_bytes_become_text_and_unknown_ones_are_kept() {
        assert_eq!(decoded(WINDOWS_1252, b"caf\xE9 \x80", 99), "café €");
        assert_eq!(decoded(WINDOWS_1253, b"a\xD2\xD2b", 99), r"a\xd2\xd2b");
        assert_eq!(decoded(UTF_16LE, b"\xFF\xFEa\0,\0\xE9\0", 99), "a,é");
        assert_eq!(decoded(UTF_16LE, b"\xFE\xFF\0a\0b", 99), "ab");
        assert_eq!(decoded(UTF_16LE, b"a\0\0\xD8b\0c", 99), r"a\x00\xd8b\x63");
        assert_eq!(decoded(SHIFT_JIS, b"\x83\x65\x81,x", 99), r"テ\x81,x");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]
        #[test]
        fn pieces_do_not_matter(bytes in prop::collection::vec(any::<u8>(), 0..40), step in 1usize..9) {
            for encoding in [WINDOWS_1253, SHIFT_JIS, UTF_16LE] {
                prop_assert_eq!(decoded(encoding, &bytes, step), decoded(encoding, &bytes, 99));
            }
        }
    }
}
