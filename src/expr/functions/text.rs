//! Functions of text. Positions and lengths count characters, from 1.

use polars::prelude as pl;
use polars::prelude::DataType;
use sha2::{Digest as _, Sha256};

use super::Parameter::{Integer, Text as TextArgument};
use super::{Call, Definition, boolean, int, string};
use crate::expr::kernel::{Long, Text, map1, map2, map3};

/// What trim takes away if nothing else is said: ASCII's blanks.
const BLANKS: &str = " \t\n\r\u{b}\u{c}";
/// No text is padded beyond it.
const LONGEST: i64 = 1_000_000;

pub(super) static FUNCTIONS: &[Definition] = &[
    Definition {
        name: "||",
        usage: "a || b",
        parameters: &[TextArgument, TextArgument],
        required: 2,
        result: string,
        lower: |call| map2::<Text, Text, String>(call.two(), DataType::String, |a, b| Some([a, b].concat())),
        fault: None,
    },
    Definition {
        name: "lower",
        usage: "lower(text)",
        parameters: &[TextArgument],
        required: 1,
        result: string,
        lower: |call| map1::<Text, String>(call.first(), DataType::String, |text| Some(text.to_lowercase())),
        fault: None,
    },
    Definition {
        name: "upper",
        usage: "upper(text)",
        parameters: &[TextArgument],
        required: 1,
        result: string,
        lower: |call| map1::<Text, String>(call.first(), DataType::String, |text| Some(text.to_uppercase())),
        fault: None,
    },
    Definition {
        name: "trim",
        usage: "trim(text[, characters])",
        parameters: &[TextArgument, TextArgument],
        required: 1,
        result: string,
        lower: |call| trim(&call, |text, set| text.trim_matches(|c| set.contains(c))),
        fault: None,
    },
    Definition {
        name: "ltrim",
        usage: "ltrim(text[, characters])",
        parameters: &[TextArgument, TextArgument],
        required: 1,
        result: string,
        lower: |call| trim(&call, |text, set| text.trim_start_matches(|c| set.contains(c))),
        fault: None,
    },
    Definition {
        name: "rtrim",
        usage: "rtrim(text[, characters])",
        parameters: &[TextArgument, TextArgument],
        required: 1,
        result: string,
        lower: |call| trim(&call, |text, set| text.trim_end_matches(|c| set.contains(c))),
        fault: None,
    },
    Definition {
        name: "length",
        usage: "length(text)",
        parameters: &[TextArgument],
        required: 1,
        result: int,
        lower: |call| map1::<Text, i64>(call.first(), DataType::Int32, |text| i64::try_from(text.chars().count()).ok()),
        fault: None,
    },
    Definition {
        name: "substring",
        usage: "substring(text, start[, length])",
        parameters: &[TextArgument, Integer, Integer],
        required: 2,
        result: string,
        lower: |call| {
            let arguments = (call.first(), call.integer_or(1, 1), call.integer_or(2, i64::MAX));
            map3::<Text, Long, Long, String>(arguments, DataType::String, substring)
        },
        fault: Some("the length is negative"),
    },
    Definition {
        name: "replace",
        usage: "replace(text, from, to)",
        parameters: &[TextArgument, TextArgument, TextArgument],
        required: 3,
        result: string,
        lower: |call| {
            let (text, from) = call.two();
            map3::<Text, Text, Text, String>((text, from, call.text_or(2, "")), DataType::String, |text, from, to| {
                Some(if from.is_empty() { text.to_owned() } else { text.replace(from, to) })
            })
        },
        fault: None,
    },
    Definition {
        name: "split_part",
        usage: "split_part(text, delimiter, part)",
        parameters: &[TextArgument, TextArgument, Integer],
        required: 3,
        result: string,
        lower: |call| {
            let (text, delimiter) = call.two();
            let arguments = (text, delimiter, call.integer_or(2, 1));
            map3::<Text, Text, Long, String>(arguments, DataType::String, split_part)
        },
        fault: Some("parts count from 1, or from the end as -1"),
    },
    Definition {
        name: "lpad",
        usage: "lpad(text, length[, fill])",
        parameters: &[TextArgument, Integer, TextArgument],
        required: 2,
        result: string,
        lower: |call| pad(&call, |text, fill| fill + &text),
        fault: Some("the length is over 1000000"),
    },
    Definition {
        name: "rpad",
        usage: "rpad(text, length[, fill])",
        parameters: &[TextArgument, Integer, TextArgument],
        required: 2,
        result: string,
        lower: |call| pad(&call, |text, fill| text + &fill),
        fault: Some("the length is over 1000000"),
    },
    Definition {
        name: "starts_with",
        usage: "starts_with(text, prefix)",
        parameters: &[TextArgument, TextArgument],
        required: 2,
        result: boolean,
        lower: |call| {
            map2::<Text, Text, bool>(call.two(), DataType::Boolean, |text, prefix| Some(text.starts_with(prefix)))
        },
        fault: None,
    },
    Definition {
        name: "ends_with",
        usage: "ends_with(text, suffix)",
        parameters: &[TextArgument, TextArgument],
        required: 2,
        result: boolean,
        lower: |call| {
            map2::<Text, Text, bool>(call.two(), DataType::Boolean, |text, suffix| Some(text.ends_with(suffix)))
        },
        fault: None,
    },
    Definition {
        name: "sha256",
        usage: "sha256(text)",
        parameters: &[TextArgument],
        required: 1,
        result: string,
        lower: |call| map1::<Text, String>(call.first(), DataType::String, |text| Some(sha256(text))),
        fault: None,
    },
];

fn trim(call: &Call, side: for<'a> fn(&'a str, &str) -> &'a str) -> pl::Expr {
    let arguments = (call.first(), call.text_or(1, BLANKS));
    map2::<Text, Text, String>(arguments, DataType::String, move |text, set| Some(side(text, set).to_owned()))
}

/// From a negative start it counts from the end; 0 is 1. `None`: a negative length.
fn substring(text: &str, start: i64, length: i64) -> Option<String> {
    let length = u64::try_from(length).ok()?;
    let skipped = if start > 0 {
        start - 1
    } else if start == 0 {
        0
    } else {
        let characters = i64::try_from(text.chars().count()).ok()?;
        let skipped = characters.saturating_add(start);
        // what the start lies before the text is taken off the length
        let length = length.saturating_sub(skipped.min(0).unsigned_abs());
        return Some(cut(text, skipped.max(0).unsigned_abs(), length));
    };
    Some(cut(text, skipped.unsigned_abs(), length))
}

fn cut(text: &str, skip: u64, take: u64) -> String {
    let size = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    text.chars().skip(size(skip)).take(size(take)).collect()
}

fn split_part(text: &str, delimiter: &str, part: i64) -> Option<String> {
    let place = usize::try_from(part.unsigned_abs()).ok()?.checked_sub(1)?;
    let found = match (delimiter.is_empty(), part > 0) {
        (true, _) => (place == 0).then_some(text),
        (false, true) => text.split(delimiter).nth(place),
        (false, false) => text.rsplit(delimiter).nth(place),
    };
    Some(found.unwrap_or_default().to_owned())
}

/// A text that is too long is cut; an empty fill adds nothing.
fn pad(call: &Call, join: fn(String, String) -> String) -> pl::Expr {
    let arguments = (call.first(), call.integer_or(1, 0), call.text_or(2, " "));
    map3::<Text, Long, Text, String>(arguments, DataType::String, move |text, length, fill| {
        if length > LONGEST {
            return None;
        }
        let length = usize::try_from(length.max(0)).ok()?;
        let kept: String = text.chars().take(length).collect();
        let missing = length - kept.chars().count();
        Some(join(kept, fill.chars().cycle().take(missing).collect()))
    })
}

/// Of the bytes of UTF-8, in lower-case hexadecimal.
fn sha256(text: &str) -> String {
    let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap_or('0');
    Sha256::digest(text.as_bytes()).iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}
