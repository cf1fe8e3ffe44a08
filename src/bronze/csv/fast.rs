//! The fast reader: Polars, for text that the scan has found well formed.

use polars::io::prelude::_csv_read_internal::read_chunk;
use polars::prelude::{
    Column, CsvParseOptions, DataFrame, DataType, Field, PolarsResult, Schema, polars_bail, polars_err,
};

use super::super::lineage::MALFORMED;
use super::scan::Piece;
use super::split::Dialect;

/// Parses each piece of `text` on a thread of its own; frames as those of [`super::exact::Rows`].
pub(super) fn parse(
    text: &[u8],
    pieces: &[Piece],
    names: &[String],
    dialect: &Dialect,
) -> PolarsResult<Vec<DataFrame>> {
    let schema: Schema = names.iter().map(|name| Field::new(name.as_str().into(), DataType::String)).collect();
    let options = CsvParseOptions {
        separator: dialect.delimiter,
        quote_char: dialect.quote,
        missing_is_null: false,
        ..CsvParseOptions::default()
    };
    let starts = std::iter::once(0).chain(pieces.iter().map(|piece| piece.end));
    let texts = starts.zip(pieces).map(|(start, piece)| (&text[start..piece.end], piece.rows));
    let (schema, options) = (&schema, &options);
    if pieces.len() <= 1 {
        return texts.map(|(text, rows)| parse_piece(text, rows, schema, options)).collect();
    }
    std::thread::scope(|scope| {
        let spawn = |(text, rows)| scope.spawn(move || parse_piece(text, rows, schema, options));
        let running: Vec<_> = texts.map(spawn).collect();
        let panicked = |_| Err(polars_err!(ComputeError: "a thread of the CSV reader panicked"));
        running.into_iter().map(|thread| thread.join().unwrap_or_else(panicked)).collect()
    })
}

fn parse_piece(text: &[u8], rows: usize, schema: &Schema, options: &CsvParseOptions) -> PolarsResult<DataFrame> {
    let projection: Vec<usize> = (0..schema.len()).collect();
    let frame = read_chunk(text, options, schema, false, &projection, 0, rows, None, usize::MAX, text.len(), Some(0))?;
    if frame.height() != rows {
        polars_bail!(ComputeError: "{} records were scanned and {} were parsed", rows, frame.height());
    }
    let malformed = Column::full_null(MALFORMED.into(), rows, &DataType::String);
    DataFrame::new(rows, std::iter::once(malformed).chain(frame.into_columns()).collect())
}
