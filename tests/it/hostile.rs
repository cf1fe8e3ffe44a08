//! Input of those who mean harm, or of machines that have gone mad: what cannot be taken is named, the others go on,
//! and nothing ends the run before its time.

use std::io::Write;
use std::os::unix::fs::symlink;

use polars::prelude::{DataFrame, IntoColumn, NamedFrom, ParquetWriter, Series};
use serde_json::{Value, json};

use crate::support::{Project, table};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

fn aside(report: &Value) -> Vec<(String, String)> {
    let notes = table(report, "bronze.events")["files"]["set_aside"].as_array().cloned().unwrap_or_default();
    let text = |note: &Value, key: &str| note[key].as_str().unwrap().to_owned();
    notes.iter().map(|note| (text(note, "path"), text(note, "reason"))).collect()
}

fn source(project: &Project, limits: &str) {
    project.write("layers/bronze/events.yaml", format!("source:\n  path: events/*\n  format: csv\n{limits}"));
}

const HEADER: &[u8] = b"id,kind,amount,at\n";

#[test]
fn bombs_and_endless_lines_are_set_aside_until_the_project_allows_them() {
    let project = Project::small();
    source(&project, "  limits: { line: 1MB }\n");
    let bomb = gzip(&[HEADER, &b"1,a,1.10,\n".repeat(300_000)].concat());
    project.write("landing/events/bomb.csv.gz", bomb);
    project.write("landing/events/line.csv", [HEADER, b"2,", &b"x".repeat(2 << 20), b",1.10,\n"].concat());
    project.write("landing/events/good.csv", [HEADER, b"3,a,1.10,\n"].concat());
    let report = project.run(1);
    let reasons = aside(&report);
    assert_eq!(reasons[0].0, "events/bomb.csv.gz");
    assert!(reasons[0].1.contains("decompression bomb does; `limits: { ratio: … }`"), "{reasons:?}");
    assert_eq!(reasons[1].0, "events/line.csv");
    assert!(reasons[1].1.contains("longer than 1000000 bytes; `limits: { line: … }`"), "{reasons:?}");
    assert_eq!(table(&report, "bronze.events")["files"]["taken"], 1);
    let before = project.lake_files();
    assert_eq!(aside(&project.run(1)).len(), 2);
    assert_eq!(project.lake_files(), before, "they are known");

    source(&project, "  limits: { line: 4MB, ratio: 1000 }\n");
    assert_eq!(table(&project.run(0), "bronze.events")["rows"]["inserted"], 300_001);
    assert_eq!(project.value("SELECT max(length(kind)) FROM silver.events"), 2 << 20);
    source(&project, "  limits: { size: 1kB }\n");
    assert_eq!(project.verify(&["--deep"], 0)["status"], "equal", "what was taken in is proved whatever the limits");
}

/// A Parquet file of one row group, and so many columns of so many numbers.
fn parquet(columns: usize, rows: usize) -> Vec<u8> {
    let values = Series::new("c".into(), vec![7i64; rows]);
    let columns = (0..columns).map(|i| values.clone().with_name(format!("c{i}").into()).into_column()).collect();
    let mut bytes = Vec::new();
    let mut frame = DataFrame::new(rows, columns).unwrap();
    ParquetWriter::new(&mut bytes).with_row_group_size(Some(rows)).finish(&mut frame).unwrap();
    bytes
}

fn over_parquet() -> Project {
    let project = Project::small();
    for file in ["layers/silver/events.yaml", "layers/gold/totals.yaml"] {
        std::fs::remove_file(project.path(file)).unwrap();
    }
    project.write("layers/bronze/events.yaml", "source:\n  path: events/*\n  format: parquet\n");
    project
}

#[test]
fn a_row_group_that_is_too_large_is_set_aside_once_and_can_be_settled() {
    let project = over_parquet();
    project.write("landing/events/large.parquet", parquet(34, 1_000_000));
    project.write("landing/events/small.parquet", parquet(1, 1));
    let report = project.json(&["run", "--memory", "256MB"], 1);
    let reasons = aside(&report);
    assert_eq!(reasons.len(), 1, "{reasons:?}");
    assert!(reasons[0].1.contains("takes 272 MB in memory"), "{reasons:?}");
    assert!(reasons[0].1.contains("`--memory SIZE` gives more"), "{reasons:?}");
    assert_eq!(table(&report, "bronze.events")["files"]["taken"], 1);
    let before = project.lake_files();
    assert_eq!(aside(&project.json(&["run", "--memory", "256MB"], 1)), reasons);
    assert_eq!(project.lake_files(), before, "it is noted once");
    let files = project.lakesmith(&["files"]);
    assert!(files.stdout.contains("set aside") || files.stdout.contains("set_aside"), "{files:?}");

    let said = project.lakesmith(&["files", "--ignore", "events/large.parquet"]);
    assert_eq!(said.code, 0, "{said:?}");
    project.json(&["run", "--memory", "256MB"], 0);
}

#[test]
fn without_room_for_temporary_files_the_table_fails_and_the_file_is_tried_again() {
    let project = over_parquet();
    project.write("landing/events/a.parquet.gz", gzip(&parquet(1, 10)));
    let said = project.lakesmith_with(&[("TMPDIR", "/nowhere/at/all")], &["run"]);
    assert_eq!(said.code, 1, "{said:?}");
    let told = format!("{}{}", said.stdout, said.stderr);
    assert!(told.contains("TMPDIR") && told.contains("/nowhere/at/all"), "{said:?}");
    assert!(!told.contains("aside"), "{said:?}");
    assert_eq!(table(&project.run(0), "bronze.events")["rows"]["inserted"], 10);
}

#[test]
fn a_table_has_no_more_columns_than_the_project_allows() {
    let project = Project::small();
    source(&project, "  limits: { columns: 5 }\n");
    project.write("landing/events/1.csv", [HEADER, b"1,a,1.10,\n"].concat());
    project.write("landing/events/2.csv", b"id,kind,amount,at,e\n2,b,1.10,,5\n");
    project.write("landing/events/3.csv", b"id,kind,amount,at,f\n3,c,1.10,,6\n");
    let reasons = aside(&project.run(1));
    assert_eq!(reasons.len(), 1);
    assert_eq!(reasons[0].0, "events/3.csv");
    assert!(reasons[0].1.contains("would have 6; `limits: { columns: … }` allows 5"), "{reasons:?}");
}

#[test]
fn a_thousand_columns_are_a_table_as_any_other() {
    let project = Project::small();
    for file in ["layers/silver/events.yaml", "layers/gold/totals.yaml"] {
        std::fs::remove_file(project.path(file)).unwrap();
    }
    let row = |value: &dyn Fn(usize) -> String| (0..1000).map(value).collect::<Vec<_>>().join(",");
    let text = format!("{}\n{}\n", row(&|i| format!("c{i}")), row(&|i| i.to_string()));
    project.write("landing/events/1.csv", text);
    project.run(0);
    assert_eq!(project.query("SELECT c0, c999 FROM bronze.events"), [json!({ "c0": "0", "c999": "999" })]);
    assert_eq!(project.run(0)["status"], "unchanged");
}

/// Names of files that shells, terminals, URLs and globs would take for something else.
const NAMES: [&str; 9] = [
    "..csv",
    "a%2e%2e%2fb.csv",
    "line\nfeed.csv",
    "-rf.csv",
    "esc\u{1b}[31mred\u{7}.csv",
    "😀 émoji.csv",
    "tab\tback\\slash.csv",
    "turn\u{202e}vsc.csv",
    "'; DROP TABLE x; --.csv",
];

#[test]
fn odd_names_are_names_and_nothing_of_them_acts_on_a_terminal() {
    let project = Project::small();
    for (id, name) in NAMES.iter().enumerate() {
        project.write(&format!("landing/events/{name}"), format!("id,kind,amount,at\n{id},a,1.10,\n"));
        project.write(&format!("landing/events/bad {name}"), b"1,2,3,4\n");
    }
    symlink("/etc", project.path("landing/events/away")).unwrap();
    let report = project.run(1);
    assert_eq!(aside(&report).len(), NAMES.len());
    let files = project.query("SELECT _source_file FROM bronze.events ORDER BY id");
    let names: Vec<&str> = files.iter().map(|row| row["_source_file"].as_str().unwrap()).collect();
    let expected: Vec<String> = NAMES.iter().filter(|n| !n.starts_with('.')).map(|n| format!("events/{n}")).collect();
    assert_eq!(names, expected, "as they are");
    assert_eq!(project.verify(&["--deep"], 0)["status"], "equal");

    let commands: [&[&str]; 9] = [
        &["run"],
        &["plan"],
        &["status"],
        &["files"],
        &["run", "-vv"],
        &["query", "SELECT * FROM bronze.events"],
        &["query", "SELECT * FROM bronze.events", "--json"],
        &["query", "SELECT \u{1b}[31m FROM silver.\"\u{1b}[2J\""],
        &["show", "bronze.\u{1b}[31mevents"],
    ];
    for command in commands {
        let said = project.lakesmith(command);
        let acts = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!said.stdout.contains(acts), "{command:?}: {:?}", said.stdout);
        assert!(!said.stderr.contains(acts), "{command:?}: {:?}", said.stderr);
    }
}
