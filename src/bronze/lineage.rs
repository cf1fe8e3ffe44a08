//! The columns that bronze adds to what a file holds.

use chrono::{DateTime, Utc};
use polars::prelude::{
    AnyValue, Column as Values, DataFrame, DataType, NamedFrom, PolarsResult, Scalar, Series, TimeUnit, TimeZone,
};

use crate::expr::{Column, Columns, Type};

/// Number of the ingest: one more each time.
pub const BATCH: &str = "_batch";
/// The file's path within the landing folder.
pub const SOURCE_FILE: &str = "_source_file";
/// The record's number within its file, from 1; a header is no record.
pub const SOURCE_ROW: &str = "_source_row";
/// When the ingest began.
pub const INGESTED_AT: &str = "_ingested_at";
/// The raw text of a record that cannot be split, see [`super::unescape`]; null in all others.
pub const MALFORMED: &str = "_malformed";
/// The column of NDJSON's documents.
pub const VALUE: &str = "value";

/// The five added columns in their order. They stand first in every bronze table, so that they have statistics.
pub const ADDED: [&str; 5] = [BATCH, SOURCE_FILE, SOURCE_ROW, INGESTED_AT, MALFORMED];

/// The added columns with their types, in the order of [`ADDED`].
pub fn added_columns() -> Columns {
    vec![
        Column::new(BATCH, Type::BigInt),
        Column::new(SOURCE_FILE, Type::String),
        Column::new(SOURCE_ROW, Type::BigInt),
        Column::new(INGESTED_AT, Type::Timestamp),
        Column::new(MALFORMED, Type::String),
    ]
}

/// Adds batch, file and time to a frame of [`super::FileReader`]: the five added columns first, then the file's own.
///
/// # Errors
/// The frame has no [`SOURCE_ROW`] or no [`MALFORMED`], or has one of the others already.
pub fn with_lineage(frame: DataFrame, batch: i64, file: &str, at: DateTime<Utc>) -> PolarsResult<DataFrame> {
    let rows = frame.height();
    let instant = AnyValue::Datetime(at.timestamp_micros(), TimeUnit::Microseconds, None);
    let utc = DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC));
    let at = Series::new(INGESTED_AT.into(), [instant]).cast(&utc)?.new_from_index(0, rows);
    let mut columns = vec![
        Values::new_scalar(BATCH.into(), Scalar::from(batch), rows),
        Values::new_scalar(SOURCE_FILE.into(), Scalar::new(DataType::String, AnyValue::StringOwned(file.into())), rows),
        frame.column(SOURCE_ROW)?.clone(),
        at.into(),
        frame.column(MALFORMED)?.clone(),
    ];
    let own = frame.into_columns().into_iter().filter(|c| c.name() != SOURCE_ROW && c.name() != MALFORMED);
    columns.extend(own);
    DataFrame::new(rows, columns)
}
