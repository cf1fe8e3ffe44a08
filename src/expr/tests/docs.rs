//! docs/expressions.md names what there is, and its examples are true.

use std::collections::BTreeSet;

use super::value;
use crate::expr::functions;
use crate::expr::group::AGGREGATES;

const DOCS: &str = include_str!("../../../docs/expressions.md");

/// The rows of the tables in the section of that heading.
fn rows(heading: &str) -> Vec<Vec<String>> {
    let section = DOCS.split("\n## ").find(|section| section.starts_with(heading)).expect(heading);
    let cells = |line: &str| -> Vec<String> {
        let line = line.replace("\\|", "\u{1}");
        line.trim_matches('|').split('|').map(|cell| cell.trim().replace('\u{1}', "|")).collect()
    };
    section.lines().filter(|line| line.starts_with("| `")).map(cells).collect()
}

fn unquoted(cell: &str) -> &str {
    cell.trim_matches('`')
}

const SECTIONS: [&str; 5] = ["Text\n", "Patterns and JSON\n", "Numbers\n", "Any type\n", "Dates and times\n"];

#[test]
fn every_function_is_documented_and_every_documented_function_exists() {
    let documented: BTreeSet<String> =
        SECTIONS.iter().flat_map(|section| rows(section)).map(|row| unquoted(&row[0]).to_owned()).collect();
    let special = ["coalesce(a, …)", "nullif(a, b)", "greatest(a, …)", "least(a, …)", "date(x)"];
    let table = functions::all().filter(|d| d.name != "||").map(|d| d.usage);
    let existing: BTreeSet<String> = table.chain(special).map(str::to_owned).collect();
    assert_eq!(documented, existing);
}

#[test]
fn every_aggregate_is_documented_and_every_documented_aggregate_exists() {
    let documented: BTreeSet<String> =
        rows("Aggregates").iter().map(|row| unquoted(&row[0]).split('(').next().unwrap().to_owned()).collect();
    assert_eq!(documented, AGGREGATES.iter().map(|name| (*name).to_owned()).collect());
}

#[test]
fn every_example_is_true() {
    let mut examples = 0;
    for row in SECTIONS.iter().chain(&["Operators"]).flat_map(|section| rows(section)) {
        let Some((sql, wanted)) = row.get(3).and_then(|example| example.split_once("` = `")) else { continue };
        assert_eq!(value(unquoted(sql)), unquoted(wanted), "{sql}");
        examples += 1;
    }
    assert!(examples > 50, "{examples} examples were found");
}
