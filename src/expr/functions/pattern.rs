//! LIKE, regular expressions and paths into JSON.

use polars::prelude as pl;
use polars::prelude::DataType;
use regex::Regex;

use super::Parameter::{Constant, Integer, Text as TextArgument};
use super::{Call, Definition, boolean, string};
use crate::expr::json;
use crate::expr::kernel::{Cell as _, Long, Output as _, Text, columns, map1, map2};

pub(super) static FUNCTIONS: &[Definition] = &[
    Definition {
        name: "like",
        usage: "text LIKE pattern [ESCAPE 'c']",
        parameters: &[TextArgument, TextArgument, Constant(one_character)],
        required: 2,
        result: boolean,
        lower: |call| like(&call, false),
        fault: Some("the pattern ends with its escape"),
    },
    Definition {
        name: "ilike",
        usage: "text ILIKE pattern [ESCAPE 'c']",
        parameters: &[TextArgument, TextArgument, Constant(one_character)],
        required: 2,
        result: boolean,
        lower: |call| like(&call, true),
        fault: Some("the pattern ends with its escape"),
    },
    Definition {
        name: "regexp_like",
        usage: "regexp_like(text, 'pattern')",
        parameters: &[TextArgument, Constant(pattern)],
        required: 2,
        result: boolean,
        lower: |call| {
            let regex = regex(&call);
            map1::<Text, bool>(call.first(), DataType::Boolean, move |text| Some(regex.as_ref()?.is_match(text)))
        },
        fault: None,
    },
    Definition {
        name: "regexp_replace",
        usage: "regexp_replace(text, 'pattern', replacement)",
        parameters: &[TextArgument, Constant(pattern), TextArgument],
        required: 3,
        result: string,
        lower: |call| {
            let regex = regex(&call);
            map2::<Text, Text, String>((call.first(), call.text_or(2, "")), DataType::String, move |text, with| {
                Some(regex.as_ref()?.replace_all(text, with).into_owned())
            })
        },
        fault: None,
    },
    Definition {
        name: "regexp_extract",
        usage: "regexp_extract(text, 'pattern'[, group])",
        parameters: &[TextArgument, Constant(pattern), Integer],
        required: 2,
        result: string,
        lower: |call| {
            let regex = regex(&call);
            let first = i64::from(regex.as_ref().is_some_and(|regex| regex.captures_len() > 1));
            map2::<Text, Long, String>(
                (call.first(), call.integer_or(2, first)),
                DataType::String,
                move |text, group| {
                    let found = regex.as_ref()?.captures(text)?.get(usize::try_from(group).ok()?)?;
                    Some(found.as_str().to_owned())
                },
            )
        },
        fault: None,
    },
    Definition {
        name: "get_json",
        usage: "get_json(text, '$.path')",
        parameters: &[TextArgument, Constant(path)],
        required: 2,
        result: string,
        lower: |call| {
            let path = call.constant(1).and_then(|path| json::Path::parse(path).ok());
            map1::<Text, String>(call.first(), DataType::String, move |text| path.as_ref()?.find(text))
        },
        fault: None,
    },
];

fn pattern(text: &str) -> Result<(), String> {
    Regex::new(text).map(|_| ()).map_err(|e| {
        let reason = e.to_string();
        let reason = reason.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
        format!("is no regular expression: {reason}")
    })
}

fn path(text: &str) -> Result<(), String> {
    json::Path::parse(text).map(|_| ())
}

fn one_character(text: &str) -> Result<(), String> {
    if text.chars().count() == 1 { Ok(()) } else { Err("must be one character".to_owned()) }
}

/// The pattern; the check has seen that it is one.
fn regex(call: &Call) -> Option<Regex> {
    call.constant(1).and_then(|pattern| Regex::new(pattern).ok())
}

/// One sign of a LIKE pattern.
#[derive(PartialEq)]
enum Sign {
    /// `%`
    Any,
    /// `_`
    One,
    Just(char),
}

/// `None`: the escape escapes nothing.
fn signs(pattern: &str, escape: char) -> Option<Vec<Sign>> {
    let mut signs = Vec::new();
    let mut characters = pattern.chars();
    while let Some(c) = characters.next() {
        signs.push(match c {
            c if c == escape => Sign::Just(characters.next()?),
            '%' => Sign::Any,
            '_' => Sign::One,
            c => Sign::Just(c),
        });
    }
    Some(signs)
}

/// Whether all of the text matches: greedy, going back to the last `%` only, which is enough.
fn matches(text: &str, signs: &[Sign]) -> bool {
    let (mut rest, mut at) = (text, 0);
    let mut retry: Option<(&str, usize)> = None;
    loop {
        let next = rest.chars().next();
        match (signs.get(at), next) {
            (Some(Sign::Any), _) => {
                at += 1;
                retry = Some((rest, at));
                continue;
            }
            (None, None) => return true,
            (Some(Sign::One), Some(c)) => {
                rest = &rest[c.len_utf8()..];
                at += 1;
                continue;
            }
            (Some(Sign::Just(wanted)), Some(c)) if *wanted == c => {
                rest = &rest[c.len_utf8()..];
                at += 1;
                continue;
            }
            _ => {}
        }
        // the last % takes one more
        let Some((from, after)) = retry else { return false };
        let Some(c) = from.chars().next() else { return false };
        rest = &from[c.len_utf8()..];
        at = after;
        retry = Some((rest, after));
    }
}

fn like(call: &Call, fold_case: bool) -> pl::Expr {
    let escape = call.constant(2).and_then(|escape| escape.chars().next()).unwrap_or('\\');
    let (text, pattern) = call.two();
    columns(vec![text, pattern], DataType::Boolean, move |columns| {
        let (texts, patterns) = (Text::prepare(&columns[0])?, Text::prepare(&columns[1])?);
        // most often the pattern is the same in all rows
        let mut known: Option<(&str, Option<Vec<Sign>>)> = None;
        let cells = Text::cells(&texts)?.zip(Text::cells(&patterns)?).map(|(text, pattern)| {
            let (text, pattern) = (text?, pattern?);
            if known.as_ref().is_none_or(|(of, _)| *of != pattern) {
                let folded = if fold_case { pattern.to_lowercase() } else { pattern.to_owned() };
                known = Some((pattern, signs(&folded, escape)));
            }
            let signs = known.as_ref()?.1.as_ref()?;
            Some(if fold_case { matches(&text.to_lowercase(), signs) } else { matches(text, signs) })
        });
        bool::column(cells, &DataType::Boolean)
    })
}
