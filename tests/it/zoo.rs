//! A zoo of broken files (I2): bronze holds each record of each file that is taken in, byte for byte where it cannot be
//! split, and each file that cannot be taken in is named until it is mended or settled.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::process::Command;

use lakesmith::bronze::unescape;
use polars::prelude::{DataFrame, DataType, ParquetWriter, TimeUnit, df};
use serde_json::{Map, Value, json};

use crate::support::{Project, table};

/// What bronze must hold of a file: each record's columns, or its bytes where it cannot be split.
enum Record {
    Good(Value),
    Bad(&'static [u8]),
}

use Record::{Bad, Good};

fn good(id: &str, kind: &str, amount: &str, at: &str) -> Record {
    Good(json!({ "id": id, "kind": kind, "amount": amount, "at": at }))
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

fn headed(records: &[u8]) -> Vec<u8> {
    [b"id,kind,amount,at\n", records].concat()
}

fn utf16(text: &str) -> Vec<u8> {
    [0xFF, 0xFE].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect()
}

/// Files that are taken in, and their records.
fn sound() -> Vec<(&'static str, Vec<u8>, Vec<Record>)> {
    let one = || good("1", "a", "1.10", "");
    vec![
        ("a[1].csv", headed(b"1,a,1.10,\n"), vec![one()]),
        (
            "added.csv",
            b"_batch,id,kind,amount,at\n7,1,a,1.10,\n".into(),
            vec![Good(json!({ "_batch_2": "7", "id": "1", "kind": "a", "amount": "1.10", "at": "" }))],
        ),
        ("blank.csv", headed(b"\n1,a,1.10,\n\r\n\n   \n"), vec![one(), Bad(b"   ")]),
        ("blank_only.csv", b"\n\n\r\n".into(), vec![]),
        ("bom.csv", [b"\xEF\xBB\xBF".as_slice(), &headed(b"1,a,1.10,\n")].concat(), vec![one()]),
        (
            "bytes.csv",
            headed(b"1,caf\xE9,1.10,\n2,\0,2.20,\n1,a,1.10,\n"),
            vec![Bad(b"1,caf\xE9,1.10,"), Bad(b"2,\0,2.20,"), one()],
        ),
        ("cr.csv", b"id,kind,amount,at\r1,a,1.10,\r2,b,2.20,\r".into(), vec![one(), good("2", "b", "2.20", "")]),
        ("crlf.csv", b"id,kind,amount,at\r\n1,a,1.10,\r\n2,b,2.20,".into(), vec![one(), good("2", "b", "2.20", "")]),
        ("cut.csv", headed(b"1,a,1.10,\n9,z,9"), vec![one(), Bad(b"9,z,9")]),
        (
            "doubled.csv",
            b"id,kind,kind,at\n1,a,b,\n".into(),
            vec![Good(json!({ "id": "1", "kind": "a", "kind_2": "b", "at": "" }))],
        ),
        (
            "embedded.csv",
            headed(b"1,\"a\r\n,b\",1.10,\n2,\"say \"\"hi\"\"\",2.20,\n"),
            vec![good("1", "a\r\n,b", "1.10", ""), good("2", "say \"hi\"", "2.20", "")],
        ),
        ("empty.csv", vec![], vec![]),
        ("escaped.csv", headed(br"1,C:\x41\\dir"), vec![Bad(br"1,C:\x41\\dir")]),
        ("fewer.csv", b"kind,id\na,1\n".into(), vec![Good(json!({ "id": "1", "kind": "a" }))]),
        ("header_only.csv", headed(b""), vec![]),
        (
            "odd_header.csv",
            b"id,Order Date,a;b,\"x\r\ny\",,at\n1,2,3,4,5,6\n".into(),
            vec![Good(json!({ "id": "1", "Order_Date": "2", "a_b": "3", "x_y": "4", "column_5": "5", "at": "6" }))],
        ),
        (
            "packed.csv.gz",
            [gzip(&headed(b"1,a,1.10,\n")), gzip(b"2,b,2.20,\n")].concat(),
            vec![one(), good("2", "b", "2.20", "")],
        ),
        ("packed.csv.zst", zstd::encode_all(&headed(b"1,a,1.10,\n")[..], 1).unwrap(), vec![one()]),
        (
            "quotes.csv",
            headed(b"1,\"a\"b,1.10,\n1,a,1.10,\n2,5\" pipe,2.20,\n3,\"open,3.30,\n1,a,1.10,\n"),
            vec![Bad(b"1,\"a\"b,1.10,"), one(), good("2", "5\" pipe", "2.20", ""), Bad(b"3,\"open,3.30,"), one()],
        ),
        ("ragged.csv", headed(b"1,a,1.10\n1,a,1.10,,\n1,a,1.10,\n"), vec![Bad(b"1,a,1.10"), Bad(b"1,a,1.10,,"), one()]),
        ("utf16.csv", utf16("id,kind,amount,at\n1,é,1.10,\n"), vec![good("1", "é", "1.10", "")]),
        (
            "wider.csv",
            b"id,kind,amount,at,note\n1,a,1.10,,new\n".into(),
            vec![Good(json!({ "id": "1", "kind": "a", "amount": "1.10", "at": "", "note": "new" }))],
        ),
    ]
}

/// Files that are set aside, and what the reason says.
fn unsound() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let mut cut = gzip(&headed(&b"1,a,1.10,\n".repeat(5000)));
    cut.truncate(cut.len() - 9);
    vec![
        ("case.csv", b"ID,kind,amount,at\n1,a,1.10,\n".into(), "case only"),
        ("cut.csv.gz", cut, "cut off"),
        ("empty.csv.gz", vec![], "cut off"),
        ("header_quotes.csv", b"id,\"kind\"x,amount,at\n1,a,1.10,\n".into(), "quotes of the header"),
        ("header_bytes.csv", b"id,k\xE9nd,amount,at\n1,a,1.10,\n".into(), "no text in the file's encoding"),
        ("headerless.csv", b"1,a,1.10,\n2,b,2.20,\n".into(), "does not look like a header"),
        ("misnamed.csv", gzip(&headed(b"1,a,1.10,\n")), "must end in `.gz`"),
        ("unpacked.csv.gz", headed(b"1,a,1.10,\n"), "damaged"),
        ("unpacked.csv.zst", headed(b"1,a,1.10,\n"), "damaged"),
    ]
}

/// What matches and is never opened, but for the folder `landing/events`, as `files` shows it.
fn odd_entries(project: &Project) -> Vec<&'static str> {
    let events = project.path("landing/events");
    assert!(Command::new("mkfifo").arg(events.join("pipe.csv")).status().unwrap().success());
    symlink("/etc/hostname", events.join("outside.csv")).unwrap();
    symlink("nowhere.csv", events.join("dangling.csv")).unwrap();
    std::fs::write(events.join(OsStr::from_bytes(b"n\xE9.csv")), headed(b"1,a,1.10,\n")).unwrap();
    for name in [".hidden.csv", "_private.csv", "copy.csv.tmp", "copy.csv.part", "copy.csv.crdownload"] {
        project.write(&format!("landing/events/{name}"), headed(b"1,half,1.10,\n"));
    }
    vec![r"n\xe9.csv", "dangling.csv", "outside.csv", "pipe.csv"]
}

/// The rows of a bronze table by file, in the order of their numbers, which must be 1, 2, 3, …
fn rows(project: &Project, name: &str) -> BTreeMap<String, Vec<Map<String, Value>>> {
    let all = project.query(&format!("SELECT * FROM {name} ORDER BY _source_file, _source_row"));
    let mut files: BTreeMap<String, Vec<Map<String, Value>>> = BTreeMap::new();
    for row in all {
        let Value::Object(mut row) = row else { panic!("{row}") };
        let file = row["_source_file"].as_str().unwrap().split_once('/').unwrap().1.to_owned();
        let number = row["_source_row"].clone();
        for added in ["_batch", "_source_file", "_source_row", "_ingested_at"] {
            assert!(!row.shift_remove(added).unwrap().is_null());
        }
        row.retain(|_, value| !value.is_null());
        let rows = files.entry(file).or_default();
        rows.push(row);
        assert_eq!(number, rows.len());
    }
    files
}

/// I2: nothing else is there, nothing is null that the file holds.
fn assert_record(file: &str, row: &Map<String, Value>, record: &Record) {
    match record {
        Good(columns) => assert_eq!(Value::Object(row.clone()), *columns, "{file}"),
        Bad(bytes) => {
            assert_eq!(row.keys().collect::<Vec<_>>(), ["_malformed"], "{file}");
            let text = row["_malformed"].as_str().unwrap();
            assert_eq!(unescape(text), *bytes, "{file}: {text}");
        }
    }
}

fn set_aside(report: &Value, name: &str) -> BTreeMap<String, String> {
    let text = |note: &Value, key: &str| note[key].as_str().unwrap().to_owned();
    let notes = table(report, name)["files"]["set_aside"].as_array().cloned().unwrap_or_default();
    notes.iter().map(|n| (text(n, "path").split_once('/').unwrap().1.to_owned(), text(n, "reason"))).collect()
}

fn assert_reasons(found: &BTreeMap<String, String>, files: &[(&str, &str)]) {
    let mut names: Vec<&str> = files.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    assert_eq!(found.keys().map(String::as_str).collect::<Vec<_>>(), names);
    for (name, reason) in files {
        assert!(found[*name].contains(reason), "{name}: {}", found[*name]);
    }
}

#[test]
fn every_record_of_a_zoo_of_csv_files_is_in_bronze_and_every_other_file_is_named() {
    let project = Project::small();
    let (sound, unsound) = (sound(), unsound());
    for (name, bytes, _) in &sound {
        project.write(&format!("landing/events/{name}"), bytes);
    }
    for (name, bytes, _) in &unsound {
        project.write(&format!("landing/events/{name}"), bytes);
    }
    let odd = odd_entries(&project);

    let report = project.run(1);
    let mut reasons: Vec<_> = unsound.iter().map(|(name, _, reason)| (*name, *reason)).collect();
    reasons.extend(odd.iter().map(|name| (*name, "")));
    assert_reasons(&set_aside(&report, "bronze.events"), &reasons);
    let stored = rows(&project, "bronze.events");
    for (name, _, records) in &sound {
        let rows = stored.get(*name).map_or(&[][..], Vec::as_slice);
        assert_eq!(rows.len(), records.len(), "{name}: {rows:?}");
        rows.iter().zip(records).for_each(|(row, record)| assert_record(name, row, record));
    }
    let records: usize = sound.iter().map(|(_, _, records)| records.len()).sum();
    assert_eq!(stored.values().map(Vec::len).sum::<usize>(), records);
    assert_eq!(table(&report, "bronze.events")["files"]["taken"], sound.len());
    accounted(&project, &report, records);

    let before = project.lake_files();
    assert_reasons(&set_aside(&project.run(1), "bronze.events"), &reasons);
    assert_eq!(project.lake_files(), before, "nothing is new, so nothing is written");
    assert_eq!(states(&project, "set_aside"), reasons.len());

    mended_and_settled(&project, &unsound, &odd, records);
}

/// I3, over rows of every sort: silver has read all, and quarantine keeps what cannot be split as bronze has it.
fn accounted(project: &Project, report: &Value, records: usize) {
    let silver = &table(report, "silver.events")["rows"];
    assert_eq!(silver["read"], records);
    let kept = "SELECT count(*) FROM bronze.events b JOIN quarantine.events q USING (_source_file, _source_row)
                WHERE b._malformed IS NOT NULL AND q._row = b._malformed";
    let malformed = project.value("SELECT count(*) FROM bronze.events WHERE _malformed IS NOT NULL");
    assert_eq!(project.value(kept), malformed);
    assert_eq!(project.value("SELECT count(*) FROM quarantine.events"), silver["quarantined"]);
    assert_eq!(project.value("SELECT count(*) FROM silver.events"), silver["inserted"]);
}

fn states(project: &Project, state: &str) -> usize {
    let files = project.json(&["files"], 0);
    files["files"].as_array().unwrap().iter().filter(|file| file["state"] == state).count()
}

fn mended_and_settled(project: &Project, unsound: &[(&str, Vec<u8>, &str)], odd: &[&str], records: usize) {
    for (name, _, _) in unsound {
        let mended = headed(b"1,a,1.10,\n2,b,2.20,\n");
        let mended = match name.rsplit_once('.').unwrap().1 {
            "gz" => gzip(&mended),
            "zst" => zstd::encode_all(&mended[..], 1).unwrap(),
            _ => mended,
        };
        project.write(&format!("landing/events/{name}"), mended);
    }
    let report = project.run(1);
    assert_eq!(table(&report, "bronze.events")["files"]["taken"], unsound.len());
    let rows = records + 2 * unsound.len();
    assert_eq!(project.value("SELECT count(*) FROM bronze.events"), rows);

    let paths: Vec<String> = odd.iter().map(|name| format!("events/{name}")).collect();
    let mut command = vec!["files"];
    for path in &paths {
        command.extend(["--ignore", path]);
    }
    project.json(&command, 0);
    let before = project.lake_files();
    assert_eq!(project.run(0)["status"], "unchanged");
    assert_eq!(project.lake_files(), before);
    std::fs::remove_file(project.path("landing/events/pipe.csv")).unwrap();
    project.write("landing/events/pipe.csv", headed(b"3,c,3.30,\n"));
    project.run(0);
    assert_eq!(project.value("SELECT count(*) FROM bronze.events"), rows + 1);
    proved(project, rows + 1);
}

/// `verify` reads all files anew and finds the same records.
fn proved(project: &Project, records: usize) {
    let report = project.verify(&["--deep"], 0);
    assert_eq!(report["status"], "equal", "{report:#}");
    let landing = &table(&report, "bronze.events")["deep"]["landing"];
    assert_eq!((landing["records"].as_u64(), &landing["changed"]), (Some(records as u64), &json!([])));
}

/// A file large enough for the fast reader, with one bad line far in it.
#[test]
fn a_bad_line_costs_one_line_of_a_large_file() {
    let project = Project::small();
    let mut bytes = headed(b"");
    for id in 0..60_000 {
        bytes.extend(format!("{id},a,1.10,2026-01-01T00:00:00Z\n").as_bytes());
        if id == 40_000 {
            bytes.extend(b"x,\"never closed,1\xFF\n");
        }
    }
    project.write("landing/events/1.csv", bytes);
    let report = project.run(0);
    let rows = &table(&report, "silver.events")["rows"];
    assert_eq!([&rows["read"], &rows["inserted"], &rows["quarantined"]], [60_001, 60_000, 1]);
    let bad = project.query("SELECT _source_row, _malformed FROM bronze.events WHERE _malformed IS NOT NULL");
    assert_eq!(bad, [json!({ "_source_row": 40_002, "_malformed": r#"x,"never closed,1\xff"# })]);
    proved(&project, 60_001);
}

#[test]
fn ndjson_keeps_documents_and_bad_lines_as_they_are() {
    let project = Project::small();
    project.write("layers/bronze/events.yaml", "source:\n  path: events/*.ndjson\n  format: ndjson\n");
    let document = r#"{"id": 1, "kind": "é\n", "amount": "1.10", "amount2": 1e400}"#;
    let lines = [
        document.as_bytes(),
        b"",
        b"  ",
        b"{\"id\": 2, \"kind\": \"b\"",
        b"[1, 2]",
        b"{\"id\": 3} trailing",
        b"{\"id\": 4, \"kind\": \"\xE9\"}",
        br#"{"id": 5, "id": 6}"#,
        br#"{"id": "x"}"#,
        b"{\"id\": 7, \"ki",
    ];
    project.write("landing/events/1.ndjson", lines.join(&b'\n'));
    project.write("landing/events/2.ndjson.gz", gzip(format!("\u{feff}{document}\r\n").as_bytes()));
    let report = project.run(0);
    let stored = rows(&project, "bronze.events");
    let value = |text: &str| Good(json!({ "value": text }));
    let expected = [
        value(document),
        Bad(lines[3]),
        Bad(lines[4]),
        Bad(lines[5]),
        Bad(lines[6]),
        value(r#"{"id": 5, "id": 6}"#),
        value(r#"{"id": "x"}"#),
        Bad(lines[9]),
    ];
    assert_eq!(stored["1.ndjson"].len(), expected.len());
    stored["1.ndjson"].iter().zip(&expected).for_each(|(row, record)| assert_record("1.ndjson", row, record));
    assert_eq!(stored["2.ndjson.gz"].len(), 1);
    assert_record("2.ndjson.gz", &stored["2.ndjson.gz"][0], &value(document));
    let silver = &table(&report, "silver.events")["rows"];
    assert_eq!([&silver["read"], &silver["quarantined"]], [9, 7]);
    assert_eq!(
        project.query("SELECT id, kind, amount FROM silver.events"),
        [json!({ "id": 1, "kind": "é\n", "amount": 1.10 })]
    );
    proved(&project, 9);
}

fn parquet(mut frame: DataFrame) -> Vec<u8> {
    let mut bytes = Vec::new();
    ParquetWriter::new(&mut bytes).finish(&mut frame).unwrap();
    bytes
}

#[test]
fn parquet_files_of_other_types_are_named_and_the_others_go_in() {
    let project = Project::small();
    project.write("layers/bronze/events.yaml", "source:\n  path: events/*.parquet\n  format: parquet\n");
    let kinds = || df!["id" => [1i64, 2], "kind" => [Some("a"), None], "amount" => ["1.10", "2.20"], "at" => ["", ""]];
    let whole = parquet(kinds().unwrap());
    let mut times = df!["id" => [1i64], "span" => [1i64]].unwrap();
    times.apply("span", |c| c.cast(&DataType::Duration(TimeUnit::Milliseconds)).unwrap()).unwrap();
    let files: [(&str, Vec<u8>); 8] = [
        ("1.parquet", whole.clone()),
        ("2.parquet", parquet(df!["id" => [3i32], "kind" => ["c"], "note" => ["new"]].unwrap())),
        ("3.parquet", parquet(df!["id" => ["4"], "kind" => ["d"]].unwrap())),
        ("4.parquet", whole[..whole.len() / 2].to_vec()),
        ("5.parquet", b"id,kind\n1,a\n".to_vec()),
        ("6.parquet", parquet(times)),
        ("7.parquet.zst", zstd::encode_all(&whole[..], 1).unwrap()),
        ("8.parquet", parquet(df!["id" => Vec::<i64>::new()].unwrap())),
    ];
    for (name, bytes) in &files {
        project.write(&format!("landing/events/{name}"), bytes);
    }
    let report = project.run(1);
    assert_reasons(
        &set_aside(&report, "bronze.events"),
        &[
            ("3.parquet", "column `id` is string, the table has bigint"),
            ("4.parquet", "cannot be read as Parquet"),
            ("5.parquet", "cannot be read as Parquet"),
            ("6.parquet", "column `span` has type"),
        ],
    );
    let stored = rows(&project, "bronze.events");
    let first =
        [json!({ "id": 1, "kind": "a", "amount": "1.10", "at": "" }), json!({ "id": 2, "amount": "2.20", "at": "" })];
    for name in ["1.parquet", "7.parquet.zst"] {
        assert_eq!(stored[name].iter().cloned().map(Value::Object).collect::<Vec<_>>(), first, "{name}");
    }
    assert_record("2.parquet", &stored["2.parquet"][0], &Good(json!({ "id": 3, "kind": "c", "note": "new" })));
    assert_eq!(stored.values().map(Vec::len).sum::<usize>(), 5);
    assert_eq!(table(&report, "silver.events")["rows"]["read"], 5);
    let before = project.lake_files();
    project.run(1);
    assert_eq!(project.lake_files(), before);
    project.write("landing/events/4.parquet", whole);
    let report = project.run(1);
    assert_eq!(table(&report, "bronze.events")["rows"]["inserted"], 2);
    proved(&project, 7);
}
