//! One record of CSV text, by RFC 4180: the one place that knows what a quote means.

use super::super::lines::{self, Line};

/// How a file's records are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::bronze) struct Dialect {
    pub delimiter: u8,
    pub quote: Option<u8>,
    /// records end with CR too
    pub cr: bool,
    /// bytes that a record has at most, its line end included
    pub longest: usize,
}

/// A field's place in the text; quotes around it are not in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Field {
    pub start: usize,
    pub end: usize,
    pub form: Form,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// without quotes; a quote in it is text
    Bare,
    /// the text stands as it is
    Quoted,
    /// the text holds doubled quotes
    Doubled,
}

/// What stands at a place where a record begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Split {
    Record(Line),
    /// Text follows a closing quote, at the place given; or a quote is never closed, within the file or the longest
    /// record.
    Broken(Option<usize>),
    /// The text ends before the record does, and more follows.
    Cut,
}

/// Splits the record that begins at `at`, which is less than the length of `text`. `ended`: nothing follows `text`.
pub(super) fn split(text: &[u8], at: usize, ended: bool, dialect: &Dialect, fields: &mut Vec<Field>) -> Split {
    let limit = at.saturating_add(dialect.longest);
    if text.len() <= limit {
        return split_within(text, at, ended, dialect, fields);
    }
    match split_within(&text[..limit], at, false, dialect, fields) {
        Split::Cut => Split::Broken(None),
        whole => whole,
    }
}

fn split_within(text: &[u8], at: usize, ended: bool, dialect: &Dialect, fields: &mut Vec<Field>) -> Split {
    fields.clear();
    let mut start = at;
    loop {
        let step = if dialect.quote.is_some() && text.get(start).copied() == dialect.quote {
            quoted(text, start + 1, ended, dialect)
        } else {
            bare(text, start, ended, dialect)
        };
        match step {
            Step::Field(field, next) => {
                fields.push(field);
                start = next;
            }
            Step::Last(field, line) => {
                fields.push(field);
                return Split::Record(line);
            }
            Step::Stop(split) => return split,
        }
    }
}

enum Step {
    /// and where the next field begins
    Field(Field, usize),
    /// and where the record ends
    Last(Field, Line),
    Stop(Split),
}

fn bare(text: &[u8], start: usize, ended: bool, dialect: &Dialect) -> Step {
    let rest = &text[start..];
    let found = if dialect.cr {
        memchr::memchr3(dialect.delimiter, b'\n', b'\r', rest)
    } else {
        memchr::memchr2(dialect.delimiter, b'\n', rest)
    };
    let line = match found.map(|found| start + found) {
        Some(found) if text[found] == dialect.delimiter => {
            return Step::Field(Field { start, end: found, form: Form::Bare }, found + 1);
        }
        Some(found) => lines::end_at(text, start, found, ended),
        None => ended.then(|| Line { end: lines::before_cr(text, start, text.len()), next: text.len() }),
    };
    match line {
        Some(line) => Step::Last(Field { start, end: line.end, form: Form::Bare }, line),
        None => Step::Stop(Split::Cut),
    }
}

fn quoted(text: &[u8], start: usize, ended: bool, dialect: &Dialect) -> Step {
    let quote = dialect.quote.unwrap_or(b'"');
    let mut form = Form::Quoted;
    let mut from = start;
    loop {
        let Some(found) = memchr::memchr(quote, &text[from..]) else {
            return Step::Stop(if ended { Split::Broken(None) } else { Split::Cut });
        };
        let close = from + found;
        let after = close + 1;
        if text.get(after) == Some(&quote) {
            form = Form::Doubled;
            from = after + 1;
            continue;
        }
        let field = Field { start, end: close, form };
        return match text.get(after) {
            None if ended => Step::Last(field, Line { end: after, next: after }),
            None => Step::Stop(Split::Cut),
            Some(&byte) if byte == dialect.delimiter => Step::Field(field, after + 1),
            Some(b'\n' | b'\r') => match lines::line(text, after, ended, dialect.cr) {
                None => Step::Stop(Split::Cut),
                Some(line) if line.end == after => Step::Last(field, line),
                Some(_) => Step::Stop(Split::Broken(Some(after))),
            },
            Some(_) => Step::Stop(Split::Broken(Some(after))),
        };
    }
}

/// Appends a text without the second of each two quotes.
pub(super) fn undouble(text: &[u8], quote: u8, out: &mut Vec<u8>) {
    let mut rest = text;
    while let Some(at) = memchr::memchr(quote, rest) {
        out.extend_from_slice(&rest[..=at]);
        rest = &rest[at + 1..];
        rest = rest.strip_prefix(&[quote]).unwrap_or(rest);
    }
    out.extend_from_slice(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMAS: Dialect = Dialect { delimiter: b',', quote: Some(b'"'), cr: false, longest: 64 };

    fn texts(text: &str, ended: bool, dialect: &Dialect) -> (Vec<String>, Split) {
        let mut fields = Vec::new();
        let split = split(text.as_bytes(), 0, ended, dialect, &mut fields);
        (fields.iter().map(|f| text[f.start..f.end].to_owned()).collect(), split)
    }

    #[test]
    fn fields_and_line_ends() {
        let record = |end, next| Split::Record(Line { end, next });
        assert_eq!(
            texts("a,\"b,\n\",\r\nx", true, &COMMAS),
            (vec!["a".into(), "b,\n".into(), String::new()], record(8, 10))
        );
        assert_eq!(texts("a,5\" pipe\n", true, &COMMAS).0, ["a", "5\" pipe"]);
        assert_eq!(texts("a,\"b\"\r", true, &COMMAS), (vec!["a".into(), "b".into()], record(5, 6)));
        assert_eq!(texts("a\rb\n", true, &COMMAS).0, ["a\rb"]);
        let cr = Dialect { cr: true, ..COMMAS };
        assert_eq!(texts("a,\"b\rc\"\rx\r", true, &cr), (vec!["a".into(), "b\rc".into()], record(7, 8)));
    }

    #[test]
    fn what_is_cut_may_go_on_and_what_is_broken_may_not() {
        assert_eq!(texts("a,b", false, &COMMAS).1, Split::Cut);
        assert_eq!(texts("a,\"b\"", false, &COMMAS).1, Split::Cut);
        assert_eq!(texts("a,\"b\"\r", false, &COMMAS).1, Split::Cut);
        assert_eq!(texts("a,\"b", true, &COMMAS).1, Split::Broken(None));
        assert_eq!(texts("a,\"b\" ,c\n", true, &COMMAS).1, Split::Broken(Some(5)));
        assert_eq!(texts("a,\"b\"\rc\n", true, &COMMAS).1, Split::Broken(Some(5)));
        assert_eq!(texts(&format!("a,\"{}\"\n", "x".repeat(80)), true, &COMMAS).1, Split::Broken(None));
    }
}
