//! CSV: however the text is cut into blocks, and whichever reader takes it, the records are the same.

use polars::prelude::DataFrame;

use super::{Broken, trouble};
use crate::bronze::{FileStat, Landing, ReadError, ReadOptions, read};
use crate::project::{CsvOptions, Format, Limits};

type Rows = Vec<Vec<Option<String>>>;

/// The first byte chooses the dialect, the others are a file.
///
/// # Errors
/// The fast reader, or another block size, gives other records than the exact reader.
pub fn csv(bytes: &[u8]) -> Broken {
    let Some((&how, text)) = bytes.split_first() else { return Ok(()) };
    let encodings = ["utf-8", "utf-8", "windows-1252", "utf-16le"];
    let options = CsvOptions {
        delimiter: if how & 1 == 0 { b',' } else { b';' },
        quote: (how & 2 == 0).then_some(b'"'),
        header: how & 4 == 0,
        encoding: encodings[usize::from(how >> 3 & 3)].to_owned(),
        null_values: Vec::new(),
    };
    let limits = Limits { line: if how & 32 == 0 { 1 << 20 } else { 64 }, ..Limits::default() };
    let folder = tempfile::tempdir().map_err(|e| trouble(&e))?;
    std::fs::write(folder.path().join("f.csv"), text).map_err(|e| trouble(&e))?;
    let landing = Landing::open(&folder.path().to_string_lossy()).map_err(|e| trouble(&e))?;
    let stat = landing.stat("f.csv").map_err(|e| trouble(&e))?;
    let format = Format::Csv(options);
    let read = |block_size, fast_from| {
        rows(&landing, &stat, &format, &ReadOptions { block_size, fast_from, limits, ..ReadOptions::default() })
    };
    let exact = read(1 << 20, usize::MAX);
    for (block_size, fast_from) in [(1 << 20, 0), (11, 0), (11, usize::MAX), (64, 20)] {
        let other = read(block_size, fast_from);
        if other != exact {
            return Err(format!("blocks of {block_size}, fast from {fast_from}: {other:?}\nexact: {exact:?}"));
        }
    }
    Ok(())
}

fn rows(
    landing: &Landing,
    stat: &FileStat,
    format: &Format,
    options: &ReadOptions,
) -> Result<(Vec<String>, Rows), ReadError> {
    let mut reader = read(landing, stat, format, None, options)?;
    let mut rows = Rows::new();
    for frame in reader.by_ref() {
        append(&frame?, &mut rows);
    }
    Ok((reader.columns().iter().map(|column| column.name.clone()).collect(), rows))
}

fn append(frame: &DataFrame, rows: &mut Rows) {
    for row in 0..frame.height() {
        let cell = |column: &polars::prelude::Column| match column.str() {
            Ok(texts) => texts.get(row).map(str::to_owned),
            Err(_) => column.get(row).ok().map(|value| value.to_string()),
        };
        rows.push(frame.columns().iter().map(cell).collect());
    }
}
