//! Texts by the columns of a terminal that they take: wide letters take two, marks that stand upon others none. See
//! Unicode Standard Annex 11; what counts as one letter tells Annex 29.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// The columns that a text takes.
pub fn width_of(text: &str) -> usize {
    text.width()
}

/// A text of at most `most` columns: the whole of it, or its beginning and `…`.
pub fn cut(text: &str, most: usize) -> String {
    if width_of(text) <= most {
        return text.to_owned();
    }
    let mut short = begin(text, most.saturating_sub(1)).to_owned();
    short.truncate(short.trim_end().len());
    short + "…"
}

/// With spaces behind it, so that it takes `width` columns.
pub fn filled(text: &str, width: usize) -> String {
    text.to_owned() + &" ".repeat(width.saturating_sub(width_of(text)))
}

/// Lines of at most `most` columns, broken between words where there are any.
pub fn wrapped(text: &str, most: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        let mut word = word;
        if !line.is_empty() && width_of(&line) + 1 + width_of(word) > most {
            lines.push(std::mem::take(&mut line));
        }
        while width_of(word) > most {
            let start = begin(word, most).len().max(word.graphemes(true).next().map_or(1, str::len));
            lines.push(word[..start].to_owned());
            word = &word[start..];
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}

/// As many whole letters as `most` columns hold.
fn begin(text: &str, most: usize) -> &str {
    let mut end = 0;
    for (at, letter) in text.grapheme_indices(true) {
        if width_of(&text[..at + letter.len()]) > most {
            break;
        }
        end = at + letter.len();
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_letters() {
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("abcd", 3), "ab…");
        assert_eq!(cut("ab cd", 4), "ab…");
        assert_eq!(cut("日本語", 5), "日本…");
        assert_eq!(cut("日本語", 4), "日…");
        assert_eq!(cut("e\u{301}e\u{301}e\u{301}", 2), "e\u{301}…");
        assert_eq!(cut("👩‍👩‍👧‍👦👩‍👩‍👧‍👦", 3), "👩‍👩‍👧‍👦…");
        assert_eq!(cut("abc", 0), "…");
    }

    #[test]
    fn a_text_is_wrapped_between_words() {
        assert_eq!(wrapped("a bc def", 4), ["a bc", "def"]);
        assert_eq!(wrapped("abcdefgh i", 3), ["abc", "def", "gh", "i"]);
        assert_eq!(wrapped("日本語 x", 4), ["日本", "語 x"]);
        assert_eq!(wrapped("", 4), [""]);
    }
}
