use super::*;

fn rows(bytes: &[u8]) -> Vec<Result<Vec<Option<String>>, String>> {
    let cage = Cage::new("a.jsonl", bytes);
    let whole = cage.read(&Format::Ndjson, None, &ReadOptions::default()).unwrap();
    let blocks = cage.read(&Format::Ndjson, None, &ReadOptions { block_size: 5, ..ReadOptions::default() }).unwrap();
    assert_eq!(whole.rows(), blocks.rows());
    assert_eq!(whole.columns, ["value"]);
    whole.rows()
}

#[test]
fn a_document_is_kept_as_it_is_written() {
    assert_eq!(
        rows(b"{\"a\": 1.10, \"a\":2}\r\n\n  \t\r\n {\"late\":\"\\u00e9\"} \n{\"x\":{}}"),
        [good(&["{\"a\": 1.10, \"a\":2}"]), good(&[" {\"late\":\"\\u00e9\"} "]), good(&["{\"x\":{}}"])]
    );
    assert_eq!(rows(b"\xEF\xBB\xBF{\"a\":1}\r{\"a\":2}\r"), [good(&["{\"a\":1}"]), good(&["{\"a\":2}"])]);
    assert!(rows(b"").is_empty());
}

#[test]
fn what_is_no_document_is_kept_raw() {
    assert_eq!(
        rows(b"{\"a\":1}\nnot json\n[1]\n7\n{\"a\":\"\xE9\"}\n{\"a\":1}\0\n{\"a\":"),
        [
            good(&["{\"a\":1}"]),
            bad("not json"),
            bad("[1]"),
            bad("7"),
            bad(r#"{"a":"\xe9"}"#),
            bad(r#"{"a":1}\x00"#),
            bad("{\"a\":")
        ]
    );
}

#[test]
fn a_line_without_end_is_bounded() {
    let cage = Cage::new("a.jsonl", format!("{{}}\n{}", "x".repeat(99)).as_bytes());
    let options =
        ReadOptions { limits: Limits { line: 64, ..Limits::default() }, block_size: 8, ..ReadOptions::default() };
    let told = reason(cage.read(&Format::Ndjson, None, &options));
    assert_eq!(told, "byte 3: a line is longer than 64 bytes; `limits: { line: … }` of its source allows more");
}
