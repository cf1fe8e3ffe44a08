//! Little tables read at once, without a query: starting one costs more than reading some thousand rows.

use std::fs::File;
use std::path::Path;

use arrow::array::ArrayRef;
use arrow::datatypes::Field;
use deltalake::parquet::arrow::ProjectionMask;
use deltalake::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use polars::prelude::{Column, DataFrame};

use super::rows::collect;
use super::{DataFile, Error, Snapshot, TableSchema, bridge};

impl Snapshot {
    /// All rows of a little table, with the columns of `schema`; one that a file does not have is null. Blocks.
    ///
    /// # Errors
    /// [`Error::Query`] if a file cannot be read or a column is of another type.
    pub fn read(&self, schema: &TableSchema) -> Result<DataFrame, Error> {
        self.read_files(schema, self.files())
    }

    /// As [`Snapshot::read`], the rows of some of its files.
    ///
    /// # Errors
    /// As [`Snapshot::read`].
    pub fn read_files(&self, schema: &TableSchema, files: &[DataFile]) -> Result<DataFrame, Error> {
        let plain = self.schema().partition_by.is_empty() && !files.iter().any(DataFile::has_deletion_vector);
        let folder = self.table().lake().folder_on_disk(self.table().folder()).filter(|_| plain);
        let Some(folder) = folder else { return Ok(collect(self.table().scan(schema, files)?)?) };
        let mut all = DataFrame::empty_with_schema(&schema.to_polars());
        for file in files {
            let rows = rows(&folder.join(file.path()), schema);
            all.vstack_mut_owned(rows.map_err(|error| Error::Query(format!("{}: {error}", file.path())))?)?;
        }
        Ok(all)
    }
}

fn rows(path: &Path, schema: &TableSchema) -> Result<DataFrame, Box<dyn std::error::Error>> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(path)?)?;
    let wanted = schema.columns.iter().map(|column| column.name.as_str());
    let mask = ProjectionMask::columns(builder.parquet_schema(), wanted);
    let rows = builder.metadata().file_metadata().num_rows();
    let fields = builder.schema().clone();
    // in one batch
    let reader = builder.with_projection(mask).with_batch_size(usize::try_from(rows)?.max(1)).build()?;
    let batches = reader.collect::<Result<Vec<_>, _>>()?;
    let height = batches.iter().map(arrow::array::RecordBatch::num_rows).sum();
    let column = |name: &str| -> Result<Option<Column>, Box<dyn std::error::Error>> {
        let chunks: Vec<ArrayRef> = batches.iter().filter_map(|batch| batch.column_by_name(name).cloned()).collect();
        match fields.column_with_name(name).filter(|_| !chunks.is_empty()) {
            Some((_, field)) => {
                let field = Field::new(name, field.data_type().clone(), true);
                Ok(Some(Column::from(bridge::series(&field, &chunks)?)))
            }
            None => Ok(None),
        }
    };
    let mut columns = Vec::with_capacity(schema.columns.len());
    for wanted in &schema.columns {
        let ty = wanted.ty.to_polars();
        columns.push(match column(&wanted.name)? {
            Some(found) if *found.dtype() == ty => found,
            Some(found) => found.strict_cast(&ty)?,
            None => Column::full_null(wanted.name.as_str().into(), height, &ty),
        });
    }
    Ok(DataFrame::new(height, columns)?)
}
