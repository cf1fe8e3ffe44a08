//! One Parquet file that is being written.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use deltalake::parquet::arrow::ArrowWriter;
use deltalake::parquet::arrow::arrow_writer::ArrowWriterOptions;
use deltalake::parquet::errors::ParquetError;
use polars::prelude::DataFrame;

use super::Target;
use super::encoding;
use super::new_file::NewFile;
use super::statistics::Statistics;
use super::upload::Upload;
use crate::delta::{DataFile, Error, bridge, partition};

pub(super) struct OpenFile {
    target: Arc<Target>,
    new: NewFile,
    schema: SchemaRef,
    writer: ArrowWriter<Upload>,
    statistics: Statistics,
}

/// Encoded bytes after which a row group is written, whatever its rows: wide rows must not fill the memory.
const ROW_GROUP_BYTES: usize = 64 << 20;

impl OpenFile {
    pub(super) fn create(target: Arc<Target>, partition: &[Option<String>], frame: &DataFrame) -> Result<Self, Error> {
        let folder = partition::folder(target.schema.partition_by.iter().zip(partition))
            .map_err(|why| Error::invalid(target.table.folder(), why))?;
        let names = target.schema.partition_by.iter().cloned();
        let values = names.zip(partition.iter().cloned()).collect();
        let (new, upload) = NewFile::create(&target.table, &target.runtime, &folder, values)?;
        let schema = bridge::schema(frame).map_err(|error| encoding(&target, &error))?;
        let options = ArrowWriterOptions::new()
            .with_properties(encoding::suiting(&target.schema, frame)?)
            .with_skip_arrow_metadata(true);
        let writer = ArrowWriter::try_new_with_options(upload, Arc::clone(&schema), options)
            .map_err(|error| failed(&target, error))?;
        let statistics = Statistics::new(&target.schema);
        Ok(OpenFile { target, new, schema, writer, statistics })
    }

    pub(super) fn write(&mut self, frame: &DataFrame) -> Result<(), Error> {
        self.statistics.look_at(frame)?;
        let batch = bridge::record_batch(frame, &self.schema).map_err(|error| encoding(&self.target, &error))?;
        self.writer.write(&batch).map_err(|error| failed(&self.target, error))?;
        if self.writer.in_progress_size() >= ROW_GROUP_BYTES.min(self.target.lane_bytes) {
            self.writer.flush().map_err(|error| failed(&self.target, error))?;
        }
        Ok(())
    }

    /// Written and about to be.
    pub(super) fn bytes(&self) -> usize {
        self.writer.bytes_written() + self.writer.in_progress_size()
    }

    /// Not written yet.
    pub(super) fn memory(&self) -> usize {
        self.writer.memory_size()
    }

    pub(super) fn close(mut self) -> Result<DataFile, Error> {
        let metadata = self.writer.finish().map_err(|error| failed(&self.target, error))?;
        let statistics = self.statistics.to_json(&metadata);
        self.new.complete(&self.target.table, self.writer.inner_mut(), statistics)
    }

    /// Leaves no object behind.
    pub(super) fn abort(mut self) {
        self.writer.inner_mut().abort();
    }
}

fn failed(target: &Target, error: ParquetError) -> Error {
    Error::storage(target.table.folder(), &error)
}

fn encoding(target: &Target, error: &ArrowError) -> Error {
    Error::invalid(target.table.folder(), error.to_string())
}
