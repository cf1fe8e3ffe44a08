//! Between Polars and arrow-rs by the Arrow C data interface, without copying.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, make_array};
use arrow::datatypes::{Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi};
use polars::prelude::{Column, CompatLevel, DataFrame, PolarsResult, Series};
use polars_arrow::ffi::{
    ArrowArray, ArrowSchema, export_array_to_c, export_field_to_c, import_array_from_c, import_field_from_c,
};

/// The schema with which the columns of `frame` arrive.
pub(super) fn schema(frame: &DataFrame) -> Result<SchemaRef, ArrowError> {
    let fields = frame.columns().iter().map(field).collect::<Result<Vec<_>, _>>()?;
    Ok(Arc::new(Schema::new(fields)))
}

/// One batch; `frame` has one chunk per column and the schema was made from one of the same types.
pub(super) fn record_batch(frame: &DataFrame, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    let arrays = frame.columns().iter().map(array).collect::<Result<Vec<_>, _>>()?;
    RecordBatch::try_new(Arc::clone(schema), arrays)
}

fn field(column: &Column) -> Result<arrow::datatypes::Field, ArrowError> {
    let exported = exported_schema(column);
    arrow::datatypes::Field::try_from(&exported)
}

fn exported_schema(column: &Column) -> FFI_ArrowSchema {
    let field = column.field().to_arrow(CompatLevel::newest());
    bridge_schema(export_field_to_c(&field))
}

#[expect(unsafe_code)]
fn array(column: &Column) -> Result<ArrayRef, ArrowError> {
    let series = column.as_materialized_series().rechunk();
    let exported = bridge_array(export_array_to_c(series.to_arrow(0, CompatLevel::newest())));
    let schema = exported_schema(column);
    // SAFETY: `exported` and `schema` were just made by Polars from one array and its own type, so each describes the
    // other; both are moved in here, and arrow-rs releases them once.
    let imported = unsafe { from_ffi(exported, &schema) }?;
    Ok(make_array(imported))
}

#[expect(unsafe_code)]
fn bridge_array(array: ArrowArray) -> FFI_ArrowArray {
    // SAFETY: both are the `#[repr(C)]` struct ArrowArray that the C data interface fixes field by field
    // (https://arrow.apache.org/docs/format/CDataInterface.html#structure-definitions). The value is moved, so it is
    // released once.
    unsafe { std::mem::transmute::<ArrowArray, FFI_ArrowArray>(array) }
}

#[expect(unsafe_code)]
fn bridge_schema(schema: ArrowSchema) -> FFI_ArrowSchema {
    // SAFETY: as above, for the struct ArrowSchema.
    unsafe { std::mem::transmute::<ArrowSchema, FFI_ArrowSchema>(schema) }
}

/// The chunks of one column of arrow-rs as a series.
#[expect(unsafe_code)]
pub(super) fn series(field: &arrow::datatypes::Field, chunks: &[ArrayRef]) -> PolarsResult<Series> {
    let failed = |error: ArrowError| polars::prelude::PolarsError::ComputeError(error.to_string().into());
    let schema = FFI_ArrowSchema::try_from(field).map_err(failed)?;
    // SAFETY: the structs are the same, as above; the value is moved, so it is released once.
    let schema = unsafe { std::mem::transmute::<FFI_ArrowSchema, ArrowSchema>(schema) };
    // SAFETY: arrow-rs has just made the schema, so it is a valid one.
    let imported = unsafe { import_field_from_c(&schema) }?;
    let chunk = |array: &ArrayRef| {
        let exported = FFI_ArrowArray::new(&array.to_data());
        // SAFETY: arrow-rs has just made the struct, of an array of the field's type; both structs are the same, as
        // above, and the value is moved, so it is released once.
        unsafe {
            let exported = std::mem::transmute::<FFI_ArrowArray, ArrowArray>(exported);
            import_array_from_c(exported, imported.dtype().clone())
        }
    };
    Series::try_from((&imported, chunks.iter().map(chunk).collect::<PolarsResult<Vec<_>>>()?))
}
