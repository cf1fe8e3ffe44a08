//! A data file in which rows are replaced, each at its place. What does not change is not even decoded: row groups
//! without such a row, and in the others the columns in which no value differs, are copied as they are stored.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use deltalake::logstore::object_store::{ObjectStore, ObjectStoreExt};
use deltalake::parquet::arrow::ArrowSchemaConverter;
use deltalake::parquet::arrow::arrow_writer::{ArrowColumnChunk, ArrowRowGroupWriterFactory, compute_leaves};
use deltalake::parquet::column::writer::ColumnCloseResult;
use deltalake::parquet::errors::ParquetError;
use deltalake::parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader, RowGroupMetaData};
use deltalake::parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use polars::prelude::{DataFrame, IdxCa, IdxSize, LazyFrame, PolarsResult};
use tokio::runtime::Handle;

use super::encoding;
use super::new_file::NewFile;
use super::statistics::Statistics;
use super::stretch::Stretch;
use crate::delta::rows::collect;
use crate::delta::table::object_path;
use crate::delta::{DataFile, Error, Table, TableSchema, bridge};

/// A data file that can be patched.
pub(in crate::delta) struct Original {
    table: Table,
    schema: TableSchema,
    file: DataFile,
    metadata: ParquetMetaData,
    arrow: SchemaRef,
}

/// Rows that take the place of others in one file.
pub(in crate::delta) struct Patch {
    /// 0-based positions in the file, ascending, each once
    pub places: Vec<u32>,
    /// what comes there, in the same order: the columns in which a row changes
    pub rows: DataFrame,
}

/// Bytes at the end of a file that are read first; a footer is seldom longer.
const TAIL: u64 = 1 << 16;

impl Original {
    /// `None`: the file is not laid out as one that would be written with this schema today, or hides rows.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(in crate::delta) async fn open(
        table: &Table,
        schema: &TableSchema,
        file: &DataFile,
    ) -> Result<Option<Self>, Error> {
        if file.has_deletion_vector() {
            return Ok(None);
        }
        let metadata = footer(table, file).await?;
        let unreadable = |error: &dyn std::fmt::Display| Error::unreadable(table.folder(), error.to_string());
        let arrow = bridge::schema(&DataFrame::empty_with_schema(&schema.file_schema())).map_err(|e| unreadable(&e))?;
        let expected = ArrowSchemaConverter::new().with_coerce_types(true).convert(&arrow);
        let expected = expected.map_err(|error| unreadable(&error))?;
        let alike = metadata.file_metadata().schema_descr().root_schema() == expected.root_schema();
        let (table, schema, file) = (table.clone(), schema.clone(), file.clone());
        Ok(alike.then_some(Original { table, schema, file, metadata, arrow }))
    }

    /// Writes the file anew with these rows. `frame`: all rows of the file, in its order. Blocks; within a Tokio runtime.
    ///
    /// # Errors
    /// [`Error::Storage`]; then nothing is left behind.
    pub(in crate::delta) fn patch(&self, frame: &LazyFrame, patch: &Patch) -> Result<DataFile, Error> {
        let folder = self.file.path().rfind('/').map_or("", |end| &self.file.path()[..=end]);
        let values: HashMap<_, _> = self.file.partition_values().clone().into_iter().collect();
        let runtime = Handle::current();
        let (new, upload) = NewFile::create(&self.table, &runtime, folder, values)?;
        let mut statistics = Statistics::new(&self.schema);
        statistics.keep_unbounded(&self.file);
        let root = self.metadata.file_metadata().schema_descr().root_schema_ptr();
        let properties = Arc::new(encoding::alike(&self.metadata, &self.schema)?);
        let mut writer = SerializedFileWriter::new(upload, root, properties).map_err(|error| self.failed(error))?;
        let written = self.write_groups(&mut writer, frame, patch, &mut statistics, &runtime);
        let closed = written.and_then(|()| writer.finish().map_err(|error| self.failed(error)));
        let upload = writer.inner_mut();
        match closed {
            Ok(metadata) => new.complete(&self.table, upload, statistics.to_json(&metadata)),
            Err(error) => {
                upload.abort();
                Err(error)
            }
        }
    }

    fn write_groups(
        &self,
        writer: &mut SerializedFileWriter<super::upload::Upload>,
        frame: &LazyFrame,
        patch: &Patch,
        statistics: &mut Statistics,
        runtime: &Handle,
    ) -> Result<(), Error> {
        let store = self.table.log_store()?.object_store(None);
        let encoders = ArrowRowGroupWriterFactory::new(writer, Arc::clone(&self.arrow));
        let mut first = 0;
        for (number, group) in self.metadata.row_groups().iter().enumerate() {
            let stored = runtime.block_on(stored(store.as_ref(), &self.file, group))?;
            let rows = first..first + group.num_rows().max(0) as u32;
            let patched = self.patched(frame, patch, &rows)?;
            let mut changed = HashMap::new();
            if let Some(patched) = patched {
                statistics.look_at(&patched)?;
                let encoders = encoders.create_column_writers(number).map_err(|error| self.failed(error))?;
                changed = self.encoded(&patched, encoders)?;
            }
            let out = writer.next_row_group().map_err(|error| self.failed(error))?;
            write_group(out, group, &stored, changed).map_err(|error| self.failed(error))?;
            first = rows.end;
        }
        if before(&patch.places, first) < patch.places.len() {
            let what = format!("{}: rows beyond its {first} were to be replaced", self.file.path());
            return Err(Error::unreadable(self.table.folder(), what));
        }
        Ok(())
    }

    /// The columns of these rows that change, if any of the rows does.
    fn patched(&self, frame: &LazyFrame, patch: &Patch, rows: &Range<u32>) -> Result<Option<DataFrame>, Error> {
        let (start, end) = (before(&patch.places, rows.start), before(&patch.places, rows.end));
        if start == end {
            return Ok(None);
        }
        let columns: Vec<_> = patch.rows.columns().iter().map(|c| polars::prelude::col(c.name().clone())).collect();
        let old = collect(frame.clone().select(columns).slice(rows.start.into(), rows.end - rows.start))?;
        if old.height() != rows.len() {
            let what =
                format!("{}: a row group has {} rows and {} were read", self.file.path(), rows.len(), old.height());
            return Err(Error::unreadable(self.table.folder(), what));
        }
        let mut from: Vec<IdxSize> = (0..rows.end - rows.start).collect();
        for (new, place) in (rows.end - rows.start..).zip(&patch.places[start..end]) {
            from[(place - rows.start) as usize] = new;
        }
        let (from, height) = (IdxCa::from_vec("".into(), from), old.height());
        // one column after the other, so that no more of them are held twice
        let patched = old
            .into_columns()
            .into_iter()
            .zip(patch.rows.columns())
            .map(|(mut column, new)| column.append(&new.slice(start as i64, end - start))?.take(&from));
        Ok(Some(DataFrame::new(height, patched.collect::<PolarsResult<_>>()?)?))
    }

    /// The chunks of these columns, by the number of their first leaf.
    fn encoded(
        &self,
        frame: &DataFrame,
        encoders: Vec<deltalake::parquet::arrow::arrow_writer::ArrowColumnWriter>,
    ) -> Result<HashMap<usize, ArrowColumnChunk>, Error> {
        let refused = |error: arrow::error::ArrowError| Error::invalid(self.table.folder(), error.to_string());
        let batch = bridge::record_batch(frame, &bridge::schema(frame).map_err(refused)?).map_err(refused)?;
        let mut leaves = HashMap::new();
        for (field, array) in batch.schema().fields().iter().zip(batch.columns()) {
            let values = compute_leaves(field, array).map_err(|error| self.failed(error))?;
            leaves.insert(field.name().clone(), values.into_iter());
        }
        let mut chunks = HashMap::new();
        let columns = self.metadata.file_metadata().schema_descr().columns();
        for (leaf, (column, mut encoder)) in columns.iter().zip(encoders).enumerate() {
            let name = column.path().parts().first().map_or("", String::as_str);
            let Some(values) = leaves.get_mut(name).and_then(Iterator::next) else { continue };
            let chunk = encoder.write(&values).and_then(|()| encoder.close());
            chunks.insert(leaf, chunk.map_err(|error| self.failed(error))?);
        }
        Ok(chunks)
    }

    fn failed(&self, error: ParquetError) -> Error {
        Error::storage(self.table.folder(), &error)
    }
}

/// How many places are less than a row's.
fn before(places: &[u32], row: u32) -> usize {
    places.partition_point(|&place| place < row)
}

/// A row group out of new column chunks and, for the others, of those that are stored.
fn write_group<W: std::io::Write + Send>(
    mut out: SerializedRowGroupWriter<'_, W>,
    group: &RowGroupMetaData,
    stored: &Stretch,
    mut changed: HashMap<usize, ArrowColumnChunk>,
) -> Result<(), ParquetError> {
    for (leaf, column) in group.columns().iter().enumerate() {
        match changed.remove(&leaf) {
            Some(chunk) => chunk.append_to_row_group(&mut out)?,
            None => out.append_column(
                stored,
                ColumnCloseResult {
                    bytes_written: column.compressed_size().max(0) as u64,
                    rows_written: group.num_rows().max(0) as u64,
                    metadata: column.clone(),
                    bloom_filter: None,
                    column_index: None,
                    offset_index: None,
                },
            )?,
        }
    }
    out.close().map(|_| ())
}

/// The bytes of a row group.
async fn stored(store: &dyn ObjectStore, file: &DataFile, group: &RowGroupMetaData) -> Result<Stretch, Error> {
    let ranges = || group.columns().iter().map(|column| column.byte_range());
    let start = ranges().map(|(start, _)| start).min().unwrap_or(0);
    let end = ranges().map(|(start, length)| start + length).max().unwrap_or(0);
    Stretch::read(store, file, start..end).await
}

/// What a data file says of itself.
pub(in crate::delta) async fn footer(table: &Table, file: &DataFile) -> Result<ParquetMetaData, Error> {
    let store = table.log_store()?.object_store(None);
    let size = store.head(&object_path(file.path())).await.map_err(|error| Error::object(table.folder(), &error))?.size;
    let mut reader = ParquetMetaDataReader::new();
    let mut wanted = TAIL.min(size);
    loop {
        let tail = Stretch::read(store.as_ref(), file, size - wanted..size).await?;
        match reader.try_parse_sized(&tail.into_bytes(), size) {
            Ok(()) => break,
            Err(ParquetError::NeedMoreData(needed)) if needed as u64 > wanted => wanted = needed as u64,
            Err(error) => return Err(Error::unreadable(table.folder(), format!("{}: {error}", file.path()))),
        }
    }
    reader.finish().map_err(|error| Error::unreadable(table.folder(), format!("{}: {error}", file.path())))
}
