//! A zoo of files: what bronze makes of each.

mod csv;
mod files;
mod known;
mod limits;
mod ndjson;
mod parquet;

use std::fs;

use polars::prelude::{AnyValue, DataFrame};

use super::*;
use crate::project::{CsvOptions, Format, Limits};

/// A landing folder with one file.
struct Cage {
    folder: tempfile::TempDir,
    landing: Landing,
    file: FileStat,
}

impl Cage {
    fn new(name: &str, bytes: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(name), bytes).unwrap();
        let landing = Landing::open(folder.path().to_str().unwrap()).unwrap();
        let file = landing.stat(name).unwrap();
        Cage { folder, landing, file }
    }

    fn read(&self, format: &Format, known: Option<&[&str]>, options: &ReadOptions) -> Result<Taken, ReadError> {
        let known: Option<Vec<String>> = known.map(|names| names.iter().map(ToString::to_string).collect());
        let mut reader = read(&self.landing, &self.file, format, known.as_deref(), options)?;
        let frames = reader.by_ref().collect::<Result<Vec<_>, _>>()?;
        let columns: Vec<String> = reader.columns().iter().map(|c| c.name.clone()).collect();
        Ok(Taken { columns, frames, summary: reader.summary().unwrap().clone() })
    }
}

struct Taken {
    columns: Vec<String>,
    frames: Vec<DataFrame>,
    summary: FileSummary,
}

impl Taken {
    /// The data columns of each record, `None` for null; a malformed record is its raw text alone. Checks the numbers.
    fn rows(&self) -> Vec<Result<Vec<Option<String>>, String>> {
        let mut rows = Vec::new();
        for frame in &self.frames {
            for i in 0..frame.height() {
                let cells: Vec<AnyValue> = frame.columns().iter().map(|c| c.get(i).unwrap()).collect();
                assert_eq!(cells[0], AnyValue::Int64(rows.len() as i64 + 1));
                let values = cells[2..].iter().map(text).collect::<Vec<_>>();
                rows.push(match text(&cells[1]) {
                    None => Ok(values),
                    Some(raw) => {
                        assert!(values.iter().all(Option::is_none));
                        Err(raw)
                    }
                });
            }
        }
        assert_eq!(self.summary.rows, rows.len() as u64);
        assert_eq!(self.summary.malformed, rows.iter().filter(|row| row.is_err()).count() as u64);
        rows
    }
}

fn text(value: &AnyValue) -> Option<String> {
    if value.is_null() {
        return None;
    }
    Some(value.get_str().map_or_else(|| value.to_string(), ToOwned::to_owned))
}

fn csv_options() -> CsvOptions {
    CsvOptions { delimiter: b',', quote: Some(b'"'), header: true, encoding: "utf-8".into(), null_values: Vec::new() }
}

fn good(values: &[&str]) -> Result<Vec<Option<String>>, String> {
    Ok(values.iter().map(|value| Some((*value).to_owned())).collect())
}

fn bad(raw: &str) -> Result<Vec<Option<String>>, String> {
    Err(raw.to_owned())
}

fn reason(result: Result<Taken, ReadError>) -> String {
    match result {
        Err(ReadError::Unreadable { reason, .. }) => reason,
        Err(other) => panic!("{other}"),
        Ok(taken) => panic!("{:?}", taken.rows()),
    }
}
