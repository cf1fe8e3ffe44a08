//! How the columns of a file are encoded, told by a look at its first rows.

use deltalake::parquet::basic::{Compression, Encoding, ZstdLevel};
use deltalake::parquet::file::metadata::ParquetMetaData;
use deltalake::parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use deltalake::parquet::schema::types::ColumnPath;
use polars::prelude::{Column as Values, DataFrame, DataType, PolarsResult};

use crate::delta::{Error, TableSchema};
use crate::expr::{Column, Type};

/// Readers decode row groups as a whole, several at once, and a change rewrites them as a whole.
const ROW_GROUP_ROWS: usize = 1 << 17;
/// Rows that are looked at.
const SAMPLE_ROWS: usize = 1 << 15;
/// A dictionary of fewer rows costs nothing, whatever is in it.
const FEW_ROWS: usize = 1 << 10;

/// What suits a file that begins with these rows.
pub(super) fn suiting(schema: &TableSchema, first: &DataFrame) -> Result<WriterProperties, Error> {
    let mut builder = begin(schema)?;
    for column in first.head(Some(SAMPLE_ROWS)).columns() {
        if !column.dtype().is_nested() && !repeats(column)? {
            builder = without_dictionary(builder, column.name(), column.dtype());
        }
    }
    Ok(builder.build())
}

/// What the columns of a file have, for one that takes its place.
pub(super) fn alike(file: &ParquetMetaData, schema: &TableSchema) -> Result<WriterProperties, Error> {
    let mut builder = begin(schema)?;
    let columns = file.row_groups().first().map_or(&[][..], |group| group.columns());
    for column in columns.iter().filter(|column| column.dictionary_page_offset().is_none()) {
        let [name] = column.column_path().parts() else { continue };
        if let Some(ty) = schema.ty(name) {
            builder = without_dictionary(builder, name, &ty.to_polars());
        }
    }
    Ok(builder.build())
}

fn begin(schema: &TableSchema) -> Result<WriterPropertiesBuilder, Error> {
    let level = ZstdLevel::try_new(1).map_err(|error| Error::Query(error.to_string()))?;
    let measured = schema.with_statistics();
    let builder = WriterProperties::builder()
        .set_compression(Compression::ZSTD(level))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        // it tells where pages are, which helps those who know what is in them: no statistics of pages are kept
        .set_offset_index_disabled(true)
        // list elements are named as the Parquet specification has it
        .set_coerce_types(true)
        .set_created_by(concat!("lakesmith ", env!("CARGO_PKG_VERSION")).to_owned());
    // bounds of texts take long, and nothing reads these
    let unread = schema.file_columns().filter(|c| is_text(&c.ty) && !measured.contains(&c.name));
    let without = |builder: WriterPropertiesBuilder, column: &Column| {
        builder.set_column_statistics_enabled(path(&column.name), EnabledStatistics::None)
    };
    Ok(unread.fold(builder, without))
}

fn is_text(ty: &Type) -> bool {
    matches!(ty, Type::String | Type::Binary)
}

/// Whether values come again so often that a dictionary is worth its time.
fn repeats(column: &Values) -> PolarsResult<bool> {
    let times = if matches!(column.dtype(), DataType::String | DataType::Binary) { 3 } else { 8 };
    Ok(column.len() < FEW_ROWS || column.len() / column.n_unique()?.max(1) >= times)
}

fn without_dictionary(builder: WriterPropertiesBuilder, name: &str, dtype: &DataType) -> WriterPropertiesBuilder {
    let builder = builder.set_column_dictionary_enabled(path(name), false);
    // of numbers that follow one another, such as rows and keys, little is left but their differences
    match dtype {
        DataType::Int32 | DataType::Int64 => builder.set_column_encoding(path(name), Encoding::DELTA_BINARY_PACKED),
        _ => builder,
    }
}

/// A column that is not nested; a point in its name is part of it.
fn path(name: &str) -> ColumnPath {
    ColumnPath::new(vec![name.to_owned()])
}
