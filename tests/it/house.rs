//! Imports point one way through the house.

use std::path::Path;

/// Each room and the rooms that it must not name.
const FORBIDDEN: [(&str, &[&str]); 11] = [
    ("expr", &["steps", "project", "bronze", "silver", "gold", "delta", "plan", "run", "report", "cli"]),
    ("steps", &["project", "bronze", "silver", "gold", "delta", "plan", "run", "report", "cli"]),
    ("bucket", &["bronze", "silver", "gold", "delta", "plan", "run", "report", "cli"]),
    ("project", &["bucket", "bronze", "silver", "gold", "delta", "plan", "run", "report", "cli"]),
    ("bronze", &["silver", "gold", "delta", "plan", "run", "report", "cli"]),
    ("silver", &["bronze", "gold", "delta", "plan", "run", "report", "cli"]),
    ("gold", &["bronze", "silver", "delta", "plan", "run", "report", "cli"]),
    ("delta", &["bronze", "silver", "gold", "plan", "run", "report", "cli"]),
    ("plan", &["delta", "run", "cli"]),
    ("run", &["observe", "cli"]),
    ("observe", &["plan", "cli"]),
];

/// The libraries that make up Delta; `polars_arrow` is none of them.
const LIBRARIES: [&str; 3] = ["arrow", "delta_kernel", "deltalake"];

#[test]
fn imports_point_one_way() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    for (room, forbidden) in FORBIDDEN {
        for (path, text) in sources(&src.join(room)) {
            for other in forbidden.iter().filter(|other| names(&text, "crate::", other, "")) {
                wrong.push(format!("{} names crate::{other}", path.strip_prefix(&src).unwrap().display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_delta_knows_deltalake_and_arrow() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let outside: Vec<_> = sources(&src)
        .into_iter()
        .filter(|(path, _)| !path.starts_with(src.join("delta")))
        .filter(|(_, text)| {
            LIBRARIES.iter().any(|library| names(text, "", library, "::") || names(text, "use ", library, ""))
        })
        .map(|(path, _)| path)
        .collect();
    assert!(outside.is_empty(), "{outside:?}");
}

/// Whether `word` stands in `text` as a whole identifier, right between these two.
fn names(text: &str, before: &str, word: &str, after: &str) -> bool {
    let part_of_name = |c: char| c.is_alphanumeric() || c == '_';
    let needle = format!("{before}{word}{after}");
    text.match_indices(&needle).any(|(at, _)| {
        let (left, right) = (&text[..at], &text[at + needle.len()..]);
        !left.ends_with(part_of_name) && (!after.is_empty() || !right.starts_with(part_of_name))
    })
}

#[test]
fn a_name_is_found_as_a_whole() {
    assert!(names("use arrow::array;", "", "arrow", "::"));
    assert!(names("use arrow as a;", "use ", "arrow", ""));
    assert!(!names("use polars_arrow::array;", "", "arrow", "::"));
    assert!(!names("use crate::expression;", "crate::", "expr", ""));
}

fn sources(dir: &Path) -> Vec<(std::path::PathBuf, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            found.push((path, text));
        }
    }
    found
}
