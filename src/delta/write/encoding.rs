//! How the columns of a file are encoded, told by a look at its first rows.

use std::collections::BTreeSet;

use deltalake::parquet::basic::{Compression, Encoding, ZstdLevel};
use deltalake::parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use deltalake::parquet::schema::types::ColumnPath;
use polars::prelude::{Column, DataFrame, DataType, PolarsResult};

use crate::delta::{Error, TableSchema};

/// Readers decode row groups as a whole, several at once, and a change rewrites them as a whole.
const ROW_GROUP_ROWS: usize = 1 << 17;
/// Rows that are looked at.
const SAMPLE_ROWS: usize = 1 << 15;
/// A dictionary of fewer rows costs nothing, whatever is in it.
const FEW_ROWS: usize = 1 << 10;

/// What suits a file that begins with these rows.
pub(super) fn properties(schema: &TableSchema, first: &DataFrame) -> Result<WriterProperties, Error> {
    let level = ZstdLevel::try_new(1).map_err(|error| Error::Query(error.to_string()))?;
    let measured = schema.with_statistics();
    let mut builder = WriterProperties::builder()
        .set_compression(Compression::ZSTD(level))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        // list elements are named as the Parquet specification has it
        .set_coerce_types(true)
        .set_created_by(concat!("lakesmith ", env!("CARGO_PKG_VERSION")).to_owned());
    for column in first.head(Some(SAMPLE_ROWS)).columns() {
        builder = encoded(builder, column, &measured)?;
    }
    Ok(builder.build())
}

/// A dictionary is worth its time where values come again and again; bounds of long texts are worth theirs where
/// something reads them.
fn encoded(
    mut builder: WriterPropertiesBuilder,
    column: &Column,
    measured: &BTreeSet<String>,
) -> PolarsResult<WriterPropertiesBuilder> {
    let path = || ColumnPath::from(column.name().as_str());
    let text = matches!(column.dtype(), DataType::String | DataType::Binary);
    if text && !measured.contains(column.name().as_str()) {
        builder = builder.set_column_statistics_enabled(path(), EnabledStatistics::None);
    }
    if column.dtype().is_nested() || column.len() < FEW_ROWS {
        return Ok(builder);
    }
    let rows_per_value = column.len() / column.n_unique()?.max(1);
    if rows_per_value >= if text { 3 } else { 8 } {
        return Ok(builder);
    }
    builder = builder.set_column_dictionary_enabled(path(), false);
    // of numbers that follow one another, such as rows and keys, little is left but their differences
    if matches!(column.dtype(), DataType::Int32 | DataType::Int64) {
        builder = builder.set_column_encoding(path(), Encoding::DELTA_BINARY_PACKED);
    }
    Ok(builder)
}
