use std::io::Write;
use std::path::Path;

use polars::prelude::{DataFrame, NamedFrom, ParquetWriter, Series, df};

use super::*;
use crate::expr::{Column, Columns, Type};
use crate::project::{ChangedFiles, Limits, SameContent, Source};

fn source(path: &str, format: Format) -> Source {
    Source {
        path: path.to_owned(),
        format,
        changed_files: ChangedFiles::Reject,
        same_content: SameContent::Take,
        settle: std::time::Duration::ZERO,
        limits: Limits::default(),
    }
}

fn known(folder: &Path, source: &Source, table: &[(&str, Type)]) -> Option<Vec<String>> {
    let table: Columns = table.iter().map(|(name, ty)| Column::new(*name, ty.clone())).collect();
    let columns = known_columns(Landing::open(folder.to_str().unwrap()).ok().as_ref(), source, &table)?;
    Some(columns.iter().map(|column| format!("{} {}", column.name, column.ty)).collect())
}

fn parquet(path: &Path, mut frame: DataFrame) {
    ParquetWriter::new(fs::File::create(path).unwrap()).finish(&mut frame).unwrap();
}

#[test]
fn headers_of_all_files_are_joined() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(dir.path().join(name), bytes).unwrap();
    write("a.csv", "\u{feff}Order Date;\"Amount; (EUR)\";;id;\"a\"\"b\";_batch\n1;2;3;4;5;6\n".as_bytes());
    write("b.csv", b"");
    write("c.csv.tmp", b"never\n");
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(b"packed;id\r\n1;2\r\n").unwrap();
    write("d.csv.gz", &gz.finish().unwrap());
    write("e.csv", b"x;\"broken\n");
    let csv = source("*.csv", Format::Csv(CsvOptions { delimiter: b';', ..CsvOptions::default() }));
    let columns = ["Order_Date", "Amount_EUR", "column_3", "id", "a\"b", "_batch_2", "packed"];
    assert_eq!(known(dir.path(), &csv, &[]).unwrap(), columns.map(|name| format!("{name} string")));
    let of_table = known(dir.path(), &csv, &[("old", Type::String), ("id", Type::String)]).unwrap();
    assert_eq!(of_table[..3], ["old string", "id string", "Order_Date string"]);
}

#[test]
fn a_file_counts_as_far_as_it_fits_the_table() {
    let dir = tempfile::tempdir().unwrap();
    let of = |name: &str| dir.path().join(name);
    let null = Series::new_null("n".into(), 1);
    parquet(&of("1.parquet"), df!["a b" => [1u16], "n" => null, "s" => ["x"]].unwrap());
    parquet(&of("2.parquet"), df!["a b" => [1i64], "never" => [true]].unwrap());
    parquet(&of("3.parquet"), df!["a b" => [1i8], "l" => [Series::new("".into(), [1u8])]].unwrap());
    fs::write(of("4.parquet"), b"PAR1 no more").unwrap();
    let files = source("*.parquet", Format::Parquet);
    assert_eq!(known(dir.path(), &files, &[]).unwrap(), ["a_b int", "s string", "l array<smallint>", "n null"]);
    let wide = [("a_b", Type::BigInt)];
    let columns = known(dir.path(), &files, &wide).unwrap();
    assert_eq!(columns, ["a_b bigint", "s string", "never boolean", "l array<smallint>", "n null"]);
}

#[test]
fn without_files_the_tables_columns_are_known_and_documents_always() {
    let dir = tempfile::tempdir().unwrap();
    let csv = source("none/*.csv", Format::Csv(CsvOptions::default()));
    assert_eq!(known(dir.path(), &csv, &[]), None);
    assert_eq!(known(&dir.path().join("nowhere"), &csv, &[("a", Type::String)]).unwrap(), ["a string"]);
    let ndjson = source("none/*.ndjson", Format::Ndjson);
    assert_eq!(known(&dir.path().join("nowhere"), &ndjson, &[]).unwrap(), ["value string"]);
}

#[test]
fn of_many_files_the_first_and_the_last_are_looked_at() {
    let dir = tempfile::tempdir().unwrap();
    for n in 0..=200 {
        fs::write(dir.path().join(format!("{n:03}.csv")), format!("all,c{n}\n")).unwrap();
    }
    let columns = known(dir.path(), &source("*.csv", Format::Csv(CsvOptions::default())), &[]).unwrap();
    let missing: Vec<usize> = (0..=200).filter(|n| !columns.contains(&format!("c{n} string"))).collect();
    assert_eq!((columns.len(), missing), (201, vec![100]));
}
