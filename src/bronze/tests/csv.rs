use super::*;

type Row = Result<Vec<Option<String>>, String>;

/// Reads the file fast where it can and exactly throughout, which must be the same.
fn take_as(bytes: &[u8], csv: CsvOptions) -> Result<Taken, ReadError> {
    let format = Format::Csv(csv);
    let cage = Cage::new("a.csv", bytes);
    let fast = cage.read(&format, None, &ReadOptions { fast_from: 0, ..ReadOptions::default() });
    let exact =
        cage.read(&format, None, &ReadOptions { fast_from: usize::MAX, block_size: 7, ..ReadOptions::default() });
    match (&fast, &exact) {
        (Ok(fast), Ok(exact)) => assert_eq!((fast.rows(), &fast.columns), (exact.rows(), &exact.columns)),
        (fast, exact) => assert_eq!(fast.as_ref().err(), exact.as_ref().err()),
    }
    fast
}

fn rows(bytes: &[u8]) -> Vec<Row> {
    take_as(bytes, csv_options()).unwrap().rows()
}

#[test]
fn ragged_rows_are_kept_raw() {
    assert_eq!(
        rows(b"a,b,c\n1,2,3\n1,2\n1,2,3,4\n\"x\",y\n4,5,6\n"),
        [good(&["1", "2", "3"]), bad("1,2"), bad("1,2,3,4"), bad("\"x\",y"), good(&["4", "5", "6"])]
    );
}

#[test]
fn a_blank_line_is_a_record_of_one_column_only() {
    assert_eq!(rows(b"\n\na,b\n\n1,2\n\r\n3,4\n\n"), [good(&["1", "2"]), good(&["3", "4"])]);
    assert_eq!(rows(b"a\n1\n\n\"\"\n"), [good(&["1"]), good(&[""]), good(&[""])]);
    assert_eq!(rows(b"a,b\n  \n1,2\n"), [bad("  "), good(&["1", "2"])]);
}

#[test]
fn a_last_line_that_was_cut_off_is_a_record_if_it_is_whole() {
    assert_eq!(rows(b"a,b\n1,2\n3,4"), [good(&["1", "2"]), good(&["3", "4"])]);
    assert_eq!(rows(b"a,b\n1,2\n3"), [good(&["1", "2"]), bad("3")]);
    assert_eq!(rows(b"a,b\r\n1,2\r"), [good(&["1", "2"])]);
    assert_eq!(rows(b"a,b\n1,\"2"), [bad("1,\"2")]);
    assert_eq!(rows(b"a,b\n1,"), [good(&["1", ""])]);
}

#[test]
fn an_unterminated_quote_costs_one_line() {
    assert_eq!(
        rows(b"a,b\n1,x\n2,\"open\n3,\"y\"\n4,z\n5,\"\"\n"),
        [good(&["1", "x"]), bad("2,\"open"), good(&["3", "y"]), good(&["4", "z"]), good(&["5", ""])]
    );
    assert_eq!(rows(b"a,b\n\"1,x\n2,y\n3,z\n"), [bad("\"1,x"), good(&["2", "y"]), good(&["3", "z"])]);
}

#[test]
fn what_was_meant_as_quoted_does_not_become_a_record() {
    // The quoted text is whole, but the record has a field too many: its second line has as many fields as a record.
    assert_eq!(rows(b"a,b\n1,\"x\ny\",2\n3,4\n"), [bad("1,\"x"), bad("y\",2"), good(&["3", "4"])]);
    assert_eq!(rows(b"a,b\n1,\"x\ny\"z,2\n3,4\n"), [bad("1,\"x"), bad("y\"z,2"), good(&["3", "4"])]);
}

#[test]
fn quotes_stand_at_the_ends_of_a_field_or_are_text() {
    assert_eq!(
        rows(b"a,b\n1,5\" pipe\n2,\"a \"\"b\"\"\"\n3,\"x\" \n \"4\",y\n5,\"l1\nl2\r\n\"\n"),
        [
            good(&["1", "5\" pipe"]),
            good(&["2", "a \"b\""]),
            bad("3,\"x\" "),
            good(&[" \"4\"", "y"]),
            good(&["5", "l1\nl2\r\n"])
        ]
    );
}

#[test]
fn lines_end_with_lf_crlf_or_cr() {
    let expected = [good(&["1", "2"]), good(&["3", "4"])];
    assert_eq!(rows(b"a,b\r\n1,2\r\n3,4\r\n"), expected);
    assert_eq!(rows(b"a,b\n1,2\r\n3,4\n"), expected);
    assert_eq!(rows(b"a,b\r1,2\r3,4\r"), expected);
    assert_eq!(rows(b"a,b\r1,2\r\r3,4"), expected);
    assert_eq!(rows(b"a,b\r1,\"x\ry\"\r3\r"), [good(&["1", "x\ry"]), bad("3")]);
    assert_eq!(rows(b"a,b\n1,x\ry\n"), [good(&["1", "x\ry"])]);
}

#[test]
fn a_byte_order_mark_is_no_text() {
    let taken = take_as(b"\xEF\xBB\xBFa,b\n1,2\n", csv_options()).unwrap();
    assert_eq!((taken.columns.clone(), taken.rows()), (vec!["a".into(), "b".into()], vec![good(&["1", "2"])]));
    let utf16: Vec<u8> = "\u{feff}a,b\né,2\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(rows(&utf16), [good(&["é", "2"])]);
}

#[test]
fn bytes_that_are_no_text_make_a_record_malformed_and_come_back() {
    let taken = rows(b"a,b\n1,caf\xE9\n2,\0\n3,\\xe9\n4\\x41\n");
    assert_eq!(taken, [bad(r"1,caf\xe9"), bad(r"2,\x00"), good(&["3", r"\xe9"]), bad(r"4\\x41")]);
    let back: Vec<Vec<u8>> = taken.iter().filter_map(|row| row.as_ref().err()).map(|raw| unescape(raw)).collect();
    assert_eq!(back, [&b"1,caf\xE9"[..], b"2,\0", b"4\\x41"]);
}

#[test]
fn headers_that_delta_cannot_store_are_cleaned_and_kept() {
    let cage = Cage::new("a.csv", b"Order Date,Order Date,id,ID,_batch,\n1,2,3,4,5,6\n");
    let format = Format::Csv(csv_options());
    let reader = read(&cage.landing, &cage.file, &format, None, &ReadOptions::default()).unwrap();
    let names: Vec<(&str, &str)> = reader.headers().iter().map(|h| (h.stored.as_str(), h.original.as_str())).collect();
    assert_eq!(
        names,
        [
            ("Order_Date", "Order Date"),
            ("Order_Date_2", "Order Date"),
            ("id", "id"),
            ("ID_2", "ID"),
            ("_batch_2", "_batch"),
            ("column_6", "")
        ]
    );
    assert_eq!(take_as(b"a,a,a\n1,2,3\n", csv_options()).unwrap().columns, ["a", "a_2", "a_3"]);
}

#[test]
fn files_without_records() {
    for (bytes, columns) in
        [(&b""[..], 0), (b"\n\r\n", 0), (b"\xEF\xBB\xBF", 0), (b"a,b", 2), (b"a,b\r\n\r\n", 2), (b"a,\"b\nc\"\n", 2)]
    {
        let taken = take_as(bytes, csv_options()).unwrap();
        assert_eq!((taken.columns.len(), taken.rows().len()), (columns, 0), "{bytes:?}");
    }
}

#[test]
fn a_file_without_its_header_is_set_aside() {
    let cage = Cage::new("a.csv", b"7,Ada\n8,Bob\n");
    let format = Format::Csv(csv_options());
    let error = reason(cage.read(&format, Some(&["id", "name"]), &ReadOptions::default()));
    assert!(error.starts_with("the first line does not look like a header: it begins with `7`"), "{error}");
    assert!(reason(take_as(b"7,8.5,2024-01-02\n", csv_options())).contains("header: false"));
    assert!(reason(take_as(b"\"a,b\n1,2\n", csv_options())).contains("quotes of the header"));
    assert!(reason(take_as(b"a,caf\xE9\n1,2\n", csv_options())).contains("encoding"));
}

#[test]
fn a_file_that_never_had_a_header_has_numbered_columns() {
    let without = || CsvOptions { header: false, ..csv_options() };
    let taken = take_as(b"\"bad\"x,1\n7,Ada\n8\n", without()).unwrap();
    assert_eq!(taken.columns, ["column_1", "column_2"]);
    assert_eq!(taken.rows(), [bad("\"bad\"x,1"), good(&["7", "Ada"]), bad("8")]);
    let hopeless = take_as(b"\"bad\"x,1\n\"worse\n", without()).unwrap();
    assert_eq!(hopeless.rows(), [bad("\"bad\"x,1"), bad("\"worse")]);
}

#[test]
fn delimiter_quote_and_encoding_are_the_sources() {
    let odd = CsvOptions { delimiter: b'\t', quote: Some(b'\''), ..csv_options() };
    assert_eq!(take_as(b"a\tb\n'x\ty'\t\"\n", odd).unwrap().rows(), [good(&["x\ty", "\""])]);
    let none = CsvOptions { quote: None, delimiter: b';', ..csv_options() };
    assert_eq!(take_as(b"a;b\n\"x;y\"\n", none).unwrap().rows(), [good(&["\"x", "y\""])]);
    let latin = CsvOptions { encoding: "windows-1252".into(), ..csv_options() };
    assert_eq!(take_as(b"a,b\ncaf\xE9,\x80\n", latin).unwrap().rows(), [good(&["café", "€"])]);
    let greek = CsvOptions { encoding: "windows-1253".into(), ..csv_options() };
    assert_eq!(take_as(b"a,b\n\xE1,\xD2\n\xE1,2\n", greek).unwrap().rows(), [bad(r"α,\xd2"), good(&["α", "2"])]);
    let wide = CsvOptions { encoding: "utf-16le".into(), ..csv_options() };
    let bytes: Vec<u8> = "a,b\r\n1,😀\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(take_as(&bytes, wide).unwrap().rows(), [good(&["1", "😀"])]);
    assert!(reason(take_as(b"a\n1\n", CsvOptions { encoding: "utf-9".into(), ..csv_options() })).contains("utf-9"));
    assert!(reason(take_as(b"a\n1\n", CsvOptions { delimiter: b'"', ..csv_options() })).contains("delimiter"));
}

#[test]
fn a_long_record_is_bounded() {
    let format = Format::Csv(csv_options());
    let options =
        ReadOptions { limits: Limits { line: 32, ..Limits::default() }, block_size: 8, ..ReadOptions::default() };
    let cage = Cage::new("a.csv", format!("a,b\n1,2\n3,\"{}\n", "x\n".repeat(40)).as_bytes());
    let taken = cage.read(&format, None, &options).unwrap().rows();
    assert_eq!((taken.len(), &taken[1], &taken[2]), (41, &bad("3,\"x"), &bad("x")));
    let cage = Cage::new("a.csv", format!("a,b\n1,2\n3,{}\n", "x".repeat(40)).as_bytes());
    assert_eq!(
        reason(cage.read(&format, None, &options)),
        "byte 8: a line is longer than 32 bytes; `limits: { line: … }` of its source allows more"
    );
}

#[test]
fn fast_text_that_looks_compressed_is_still_text() {
    // Polars' own reader takes `x\x01` for the magic number of zlib.
    assert_eq!(rows(b"a,b\nx\x01,2\nx\x01,3\n"), [good(&["x\u{1}", "2"]), good(&["x\u{1}", "3"])]);
}
