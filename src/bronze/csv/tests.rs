//! The promises of the CSV reader over random bytes.

use std::io::Write;

use polars::functions::concat_df_diagonal;
use polars::prelude::{AnyValue, DataFrame};
use proptest::collection::vec;
use proptest::prelude::*;

use super::exact::{Rows, Step, Walk};
use super::scan::{Stop, scan};
use super::split::Dialect;
use super::{Blocks, Csv, fast};
use crate::bronze::escape::{escape, unescape};
use crate::bronze::place::Place;
use crate::bronze::stored::{Packing, Stored};
use crate::bronze::text::Text;
use crate::project::CsvOptions;

const NAMES: [&str; 4] = ["a", "b", "c", "d"];

fn names(n: usize) -> Vec<String> {
    NAMES[..n].iter().map(ToString::to_string).collect()
}

fn dialect(quoting: bool, longest: usize) -> Dialect {
    Dialect { delimiter: b',', quote: quoting.then_some(b'"'), cr: false, longest }
}

/// Pieces that make structure likely, and now and then any byte.
fn text() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        6 => Just(&b","[..]), 4 => Just(&b"\n"[..]), 3 => Just(&b"\""[..]), 1 => Just(&b"\"\""[..]), 1 => Just(&b"\r\n"[..]),
        1 => Just(&b"\r"[..]), 4 => Just(&b"x"[..]), 2 => Just("é".as_bytes()), 1 => Just(&b" "[..]), 1 => Just(&b"\\"[..]),
        3 => Just(&b"1,2\n"[..]), 2 => Just(&b"\"y\",\"z\n\""[..]), 1 => Just("\u{feff}".as_bytes()),
    ].prop_map(<[u8]>::to_vec);
    let byte = prop_oneof![Just(vec![0u8]), Just(vec![0xC3]), Just(vec![0xFF]), any::<u8>().prop_map(|b| vec![b])];
    let clean = vec(piece.clone(), 0..40);
    let dirty = vec(prop_oneof![20 => piece, 1 => byte], 0..40);
    prop_oneof![clean, dirty].prop_map(|pieces| pieces.concat())
}

/// Rows of `columns` fields that are mostly well formed.
fn table() -> impl Strategy<Value = (usize, Vec<u8>)> {
    let field = prop_oneof![
        Just(""),
        Just("x"),
        Just("\"\""),
        Just("\"q,\"\"\n\""),
        Just("5\" pipe"),
        Just("é"),
        Just("\"\r\""),
        Just("x\r"),
        Just("\"bad"),
        Just("x"),
        Just("y z"),
        Just("\"ok\""),
        Just("long long long long"),
    ];
    (1usize..4).prop_flat_map(move |columns| {
        let row = (vec(field.clone(), columns), prop_oneof![4 => Just("\n"), 1 => Just("\r\n"), 1 => Just("\n\n")]);
        vec(row, 0..12).prop_map(move |rows| {
            let text: String = rows.iter().map(|(fields, end)| fields.join(",") + end).collect();
            (columns, text.into_bytes())
        })
    })
}

fn exactly(text: &[u8], ended: bool, columns: usize, dialect: Dialect) -> DataFrame {
    let mut walk = Walk::new(dialect, columns);
    let mut rows = Rows::new(&names(columns));
    let mut at = 0;
    while at < text.len() {
        let line = match walk.step(text, at, 0, ended) {
            Step::Good(line) => {
                rows.push(text, &walk.fields, b'"');
                line
            }
            Step::Malformed(line) => {
                rows.push_malformed(escape(&text[at..line.end]));
                line
            }
            Step::Blank(line) => line,
            Step::Cut | Step::TooLong => break,
        };
        at = line.next;
    }
    rows.finish().unwrap()
}

fn check_agreement(
    text: &[u8],
    ended: bool,
    columns: usize,
    dialect: Dialect,
    before: usize,
) -> Result<(), TestCaseError> {
    // what was consumed stands before the text
    let window = [&vec![b'"'; before], text].concat();
    let scanned = scan(&window, before, ended, columns, &dialect);
    let end = scanned.end - before;
    prop_assert!(end <= text.len());
    prop_assert!(scanned.stop != Stop::End || end == text.len());
    if end > 0 {
        let passed = &text[..end];
        let fast = fast::frame(window[..scanned.end].to_vec(), scanned, &names(columns)).unwrap();
        let exact = exactly(passed, ended && end == text.len(), columns, dialect);
        prop_assert_eq!(exact.column("_malformed").unwrap().null_count(), exact.height());
        prop_assert_eq!(rows_of(&[fast]), rows_of(&[exact]));
    }
    Ok(())
}

fn rows_of(frames: &[DataFrame]) -> Cells {
    if frames.is_empty() {
        return Vec::new();
    }
    let frame = concat_df_diagonal(frames).unwrap();
    let cell = |value: AnyValue| value.get_str().map(ToOwned::to_owned);
    (0..frame.height()).map(|i| frame.columns().iter().map(|c| cell(c.get(i).unwrap())).collect()).collect()
}

type Cells = Vec<Vec<Option<String>>>;

/// All of a file through the reader: the column names and the rows, `_malformed` first.
fn whole(bytes: &[u8], header: bool, longest: usize, blocks: Blocks) -> Result<(Vec<String>, Cells), String> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    let text = Text::open(Stored::open(&Place::File(file.path().to_owned()), Packing::Plain).unwrap(), "utf-8")?;
    let options = CsvOptions {
        delimiter: b',',
        quote: Some(b'"'),
        header,
        encoding: "utf-8".to_owned(),
        null_values: Vec::new(),
    };
    let mut csv = Csv::begin(text, &options, None, longest, blocks)?;
    let mut frames = Vec::new();
    while let Some(next) = csv.next_frames()? {
        frames.extend(next.frames);
    }
    Ok((csv.names.clone(), rows_of(&frames)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn where_the_scan_passes_fast_and_exact_agree(
        text in text(), ended in any::<bool>(), quoting in any::<bool>(), columns in 1usize..4, before in 0usize..20,
    ) {
        check_agreement(&text, ended, columns, dialect(quoting, 1 << 20), before)?;
    }

    #[test]
    fn and_they_agree_on_tables((columns, text) in table(), quoting in any::<bool>(), longest in 8usize..40, before in 0usize..20) {
        check_agreement(&text, true, columns, dialect(quoting, longest), before)?;
    }

    #[test]
    fn the_exact_reader_loses_no_byte(text in text(), columns in 1usize..4, cr in any::<bool>(), longest in 4usize..60) {
        let mut walk = Walk::new(Dialect { cr, ..dialect(true, longest) }, columns);
        let mut at = 0;
        while at < text.len() {
            let step = walk.step(&text, at, 0, true);
            let line = match step {
                Step::Good(line) | Step::Malformed(line) | Step::Blank(line) => line,
                Step::TooLong => {
                    let line = text[at..].iter().position(|b| *b == b'\n' || (cr && *b == b'\r')).unwrap_or(text.len() - at);
                    prop_assert!(line + 1 >= longest, "{line}");
                    break;
                }
                Step::Cut => return Err(TestCaseError::fail("nothing follows, so nothing is cut")),
            };
            prop_assert!(matches!(&text[line.end..line.next], b"\n" | b"\r\n" | b"\r" | b""));
            prop_assert!(line.next > at);
            let raw = &text[at..line.end];
            match step {
                Step::Blank(_) => prop_assert!(raw.is_empty()),
                Step::Malformed(_) => prop_assert_eq!(unescape(&escape(raw)), raw),
                // Between its fields a good record holds nothing but quotes and delimiters.
                _ => {
                    let held: usize = walk.fields.iter().map(|f| f.end - f.start + if f.form == super::split::Form::Bare { 0 } else { 2 }).sum();
                    prop_assert_eq!(held + columns - 1, raw.len());
                }
            }
            at = line.next;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn blocks_do_not_matter(
        text in prop_oneof![text(), table().prop_map(|(_, text)| text)],
        header in any::<bool>(), size in 1usize..50, longest in prop_oneof![Just(1usize << 20), 16usize..60], fast_from in prop_oneof![Just(0usize), Just(30), Just(usize::MAX)],
    ) {
        let one = whole(&text, header, longest, Blocks { size: 1 << 20, fast_from: usize::MAX });
        let many = whole(&text, header, longest, Blocks { size, fast_from });
        prop_assert_eq!(one, many);
    }

    #[test]
    fn what_a_writer_quotes_comes_back(
        rows in vec(vec("[a,\"\r\né ]{0,6}", 3), 0..8), crlf in any::<bool>(), last in any::<bool>(), size in 1usize..60,
    ) {
        let end = if crlf { "\r\n" } else { "\n" };
        let quoted = |row: &Vec<String>| {
            let fields: Vec<String> = row.iter().map(|field| format!("\"{}\"", field.replace('"', "\"\""))).collect();
            fields.join(",") + end
        };
        let mut text = format!("a,b,c{end}{}", rows.iter().map(quoted).collect::<String>());
        if last {
            text.truncate(text.len() - end.len());
        }
        let (names, found) = whole(text.as_bytes(), true, 1 << 20, Blocks { size, fast_from: 0 }).unwrap();
        prop_assert_eq!(names, ["a", "b", "c"]);
        let expected: Vec<Vec<Option<String>>> =
            rows.iter().map(|row| std::iter::once(None).chain(row.iter().cloned().map(Some)).collect()).collect();
        prop_assert_eq!(found, expected);
    }
}
