//! One level of a JSON text: its members or items as raw text. serde_json finds where a value ends.

use std::borrow::Cow;

use serde::de::IgnoredAny;

/// It is no JSON.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotJson;

/// The members of an object, in order; duplicates too.
pub(super) fn members<'a>(text: &'a str, mut each: impl FnMut(Cow<'a, str>, &'a str)) -> Result<(), NotJson> {
    let mut cursor = Cursor { text, at: 0 };
    cursor.sequence(b'{', b'}', |cursor| {
        let name = string(cursor.value()?)?;
        cursor.expect(b':')?;
        each(name, cursor.value()?);
        Ok(())
    })?;
    cursor.end()
}

/// The items of an array, in order.
pub(super) fn items<'a>(text: &'a str, mut each: impl FnMut(&'a str)) -> Result<(), NotJson> {
    let mut cursor = Cursor { text, at: 0 };
    cursor.sequence(b'[', b']', |cursor| {
        each(cursor.value()?);
        Ok(())
    })?;
    cursor.end()
}

/// The contents of a JSON string, given with its quotes.
pub(super) fn string(raw: &str) -> Result<Cow<'_, str>, NotJson> {
    let contents = raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).ok_or(NotJson)?;
    if memchr::memchr(b'\\', contents.as_bytes()).is_none() {
        return Ok(Cow::Borrowed(contents));
    }
    serde_json::from_str(raw).map(Cow::Owned).map_err(|_| NotJson)
}

struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    fn sequence(
        &mut self,
        open: u8,
        close: u8,
        mut element: impl FnMut(&mut Self) -> Result<(), NotJson>,
    ) -> Result<(), NotJson> {
        self.expect(open)?;
        if self.take(close) {
            return Ok(());
        }
        loop {
            element(self)?;
            if !self.take(b',') {
                return self.expect(close);
            }
        }
    }

    fn value(&mut self) -> Result<&'a str, NotJson> {
        self.skip_space();
        let rest = self.text.get(self.at..).ok_or(NotJson)?;
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<IgnoredAny>();
        match values.next() {
            Some(Ok(_)) => {
                let end = values.byte_offset();
                self.at += end;
                rest.get(..end).ok_or(NotJson)
            }
            _ => Err(NotJson),
        }
    }

    fn skip_space(&mut self) {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        self.at += rest.iter().take_while(|b| matches!(b, b' ' | b'\t' | b'\n' | b'\r')).count();
    }

    fn take(&mut self, byte: u8) -> bool {
        self.skip_space();
        let is_next = self.text.as_bytes().get(self.at) == Some(&byte);
        self.at += usize::from(is_next);
        is_next
    }

    fn expect(&mut self, byte: u8) -> Result<(), NotJson> {
        if self.take(byte) { Ok(()) } else { Err(NotJson) }
    }

    fn end(&mut self) -> Result<(), NotJson> {
        self.skip_space();
        if self.at == self.text.len() { Ok(()) } else { Err(NotJson) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Result<Vec<(String, &str)>, NotJson> {
        let mut found = Vec::new();
        members(text, |name, raw| found.push((name.into_owned(), raw)))?;
        Ok(found)
    }

    #[test]
    fn values_keep_their_text() {
        let found = all(r#" {"a" : 1.10, "b":"x\"y", "c": {"d":[1, 2]} ,"\u0065":null, "a":12345678901234567890.5} "#);
        let expected = [
            ("a", "1.10"),
            ("b", r#""x\"y""#),
            ("c", r#"{"d":[1, 2]}"#),
            ("e", "null"),
            ("a", "12345678901234567890.5"),
        ];
        assert_eq!(found, Ok(expected.map(|(name, raw)| (name.to_owned(), raw)).to_vec()));
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for text in ["", "1", "[1]", "{", "{}x", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "{\"a\":01}", "{1:1}"] {
            assert_eq!(all(text), Err(NotJson), "{text}");
        }
        assert_eq!(all("{ }"), Ok(Vec::new()));
    }

    #[test]
    fn deep_nesting_is_no_danger() {
        let depth = 100_000;
        let text = format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(all(&text).map(|found| found.len()), Ok(1));
    }
}
