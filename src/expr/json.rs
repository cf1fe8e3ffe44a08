//! `$.a.b[0]` into a JSON text. What is found is given as it is written, so that no digit of a number is lost.

use serde::de::IgnoredAny;

/// A path into a JSON document.
#[derive(Debug)]
pub(super) struct Path(Vec<Segment>);

#[derive(Debug, PartialEq)]
enum Segment {
    Member(String),
    Item(usize),
}

impl Path {
    /// Reads `$`, then `.name`, `['name']`, `["name"]` or `[0]`, each any number of times.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("is no path such as '$.a.b[0]': '{text}'");
        let mut rest = text.strip_prefix('$').ok_or_else(wrong)?;
        let mut segments = Vec::new();
        while !rest.is_empty() {
            let (segment, after) = segment(rest).ok_or_else(wrong)?;
            segments.push(segment);
            rest = after;
        }
        Ok(Path(segments))
    }

    /// The value: text without its quotes, anything else as JSON. `None`: null, absent, or no JSON at all.
    pub(super) fn find(&self, document: &str) -> Option<String> {
        // the walk below relies on it
        serde_json::from_str::<IgnoredAny>(document).ok()?;
        let found = self.0.iter().try_fold(document.trim_ascii(), |value, segment| match segment {
            Segment::Member(name) => member(value, name),
            Segment::Item(place) => item(value, *place),
        })?;
        match found.as_bytes().first()? {
            b'"' => serde_json::from_str(found).ok(),
            b'n' => None,
            _ => Some(found.to_owned()),
        }
    }
}

fn segment(text: &str) -> Option<(Segment, &str)> {
    if let Some(rest) = text.strip_prefix('.') {
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        return (end > 0).then(|| (Segment::Member(rest[..end].to_owned()), &rest[end..]));
    }
    let rest = text.strip_prefix('[')?;
    for quote in ['\'', '"'] {
        if let Some(quoted) = rest.strip_prefix(quote) {
            let (name, after) = quoted.split_once(quote)?;
            return Some((Segment::Member(name.to_owned()), after.strip_prefix(']')?));
        }
    }
    let (place, after) = rest.split_once(']')?;
    place.bytes().all(|b| b.is_ascii_digit()).then(|| place.parse().ok()).flatten().map(|n| (Segment::Item(n), after))
}

/// The member of an object; where a name comes twice, the last.
fn member<'a>(object: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = object.strip_prefix('{')?.trim_ascii_start();
    let mut found = None;
    while rest.starts_with('"') {
        let (key, after) = take(rest)?;
        let (value, after) = take(after.trim_ascii_start().strip_prefix(':')?.trim_ascii_start())?;
        if serde_json::from_str::<String>(key).is_ok_and(|key| key == name) {
            found = Some(value);
        }
        rest = after.trim_ascii_start();
        rest = rest.strip_prefix(',').unwrap_or(rest).trim_ascii_start();
    }
    found
}

fn item(array: &str, place: usize) -> Option<&str> {
    let mut rest = array.strip_prefix('[')?.trim_ascii_start();
    for _ in 0..place {
        rest = take(rest)?.1.trim_ascii_start().strip_prefix(',')?.trim_ascii_start();
    }
    take(rest).map(|(value, _)| value)
}

/// The value that the text begins with, and what stands after it.
fn take(text: &str) -> Option<(&str, &str)> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<IgnoredAny>();
    values.next()?.ok()?;
    text.split_at_checked(values.byte_offset())
}
