//! Bytes near those of `fuzz/seeds`, by chance that repeats, for all targets of `lakesmith::fuzzing`.
//!
//! `make fuzz` does this for as long as `LAKESMITH_FUZZ_SECONDS` says, from other seeds each time; a find is kept in
//! `fuzz/seeds` and so tried for ever. `docs/reliability.md` tells how cargo-fuzz runs the same targets.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

use lakesmith::fuzzing::{TARGETS, Target};

use crate::promises::dice::Dice;

/// What stands in the inputs of a target and chance would not find.
fn words(target: &str) -> &'static [&'static str] {
    match target {
        "csv" => &["\"", "\"\"", "\r\n", "\r", "\n", ",", ";", "\0", "\u{feff}", "é", "\"\n", ",\"", "\",", "id,id"],
        "expression" => &[
            "(",
            ")",
            "'",
            "\"",
            "case when ",
            " then ",
            " else ",
            " end",
            "cast(",
            " as ",
            "decimal(38,2)",
            "bigint",
            " and ",
            " or ",
            "not ",
            " in (",
            ", ",
            " div ",
            " % ",
            " / ",
            " * ",
            "-",
            "null",
            "1e308",
            "0.1",
            "9223372036854775807",
            "b",
            "f",
            "d",
            "t",
            "at",
            "day",
            "round(",
            "date_add('day', ",
            "date_trunc('month', ",
            "coalesce(",
            "sum(",
            "::int",
            " between ",
            " is null",
            " like '%'",
            "substring(",
            "get_json(t, '$.a[0]')",
        ],
        "project" => {
            &["- ", ": ", "\n  ", "&a ", "*a", "[", "]", "{", "}", "|", "${X}", "null", "!!str ", "'", "\"", "---\n"]
        }
        _ => &[
            "{",
            "}",
            "[",
            "]",
            ":",
            ",",
            "null",
            "-1",
            "9223372036854775807",
            "\"add\"",
            "\"remove\"",
            "\"txn\"",
            "%2e%2e/",
            "\\u0000",
            "PAR1",
        ],
    }
}

fn mutated(seeds: &[Vec<u8>], words: &[&str], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = dice.pick(seeds);
    for _ in 0..1 + dice.below(4) {
        let at = dice.below(bytes.len() + 1);
        let to = (at + dice.below(16)).min(bytes.len());
        match dice.below(7) {
            0 if at < bytes.len() => bytes[at] ^= 1 << dice.below(8),
            1 if at < bytes.len() => bytes[at] = dice.below(256) as u8,
            2 => drop(bytes.drain(at..to)),
            3 => {
                let piece = bytes[at..to].to_vec();
                bytes.splice(at..at, piece);
            }
            4 => {
                let other = dice.pick(seeds);
                bytes.truncate(at);
                bytes.extend(&other[dice.below(other.len() + 1)..]);
            }
            _ => drop(bytes.splice(at..at, dice.pick(words).bytes())),
        }
    }
    bytes
}

/// What a target makes of an input, if it should not.
fn broken(target: Target, bytes: &[u8]) -> Option<String> {
    match catch_unwind(AssertUnwindSafe(|| target(bytes))) {
        Ok(result) => result.err(),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic");
            Some(format!("panicked: {text}"))
        }
    }
}

fn seeds(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(name);
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

fn fuzz(name: &str, inputs: usize) {
    let target = TARGETS.iter().find(|(known, _)| *known == name).unwrap().1;
    let seeds = seeds(name);
    let told = std::env::var("LAKESMITH_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok());
    let until = told.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let mut dice = Dice::new(told.map_or(1, |_| u64::from(std::process::id())));
    let mut found = Vec::new();
    for seed in &seeds {
        found.extend(broken(target, seed).map(|why| (seed.clone(), why)));
    }
    let mut tried = 0;
    while found.len() < 3 && until.map_or(tried < inputs, |until| Instant::now() < until) {
        let bytes = mutated(&seeds, words(name), &mut dice);
        tried += 1;
        found.extend(broken(target, &bytes).map(|why| (bytes, why)));
    }
    if told.is_some() {
        eprintln!("{name}: {tried} inputs");
    }
    for (at, (bytes, why)) in found.iter().enumerate() {
        let path = std::env::temp_dir().join(format!("lakesmith-fuzz-{name}-{}-{at}", std::process::id()));
        std::fs::write(&path, bytes).unwrap();
        eprintln!("{}: {why}\n{:?}\n", path.display(), String::from_utf8_lossy(bytes));
    }
    assert!(found.is_empty(), "{} of {tried} inputs break a promise of `{name}`", found.len());
}

#[test]
fn csv() {
    fuzz("csv", 1_000);
}

#[test]
fn expression() {
    fuzz("expression", 500);
}

#[test]
fn parquet() {
    fuzz("parquet", 150);
}

#[test]
fn project() {
    fuzz("project", 300);
}

#[test]
fn log() {
    fuzz("log", 500);
}
