//! What DataFusion answers, as a data frame. Types that Polars does not have here become the nearest one that it has.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use deltalake::arrow::compute::cast;
use polars::prelude::{Column, DataFrame};

use crate::delta::{Error, bridge};

/// All batches below one another. Columns of the same name get a number: `id`, `id_2`.
pub(super) fn frame(schema: &Schema, batches: &[RecordBatch]) -> Result<DataFrame, Error> {
    let mut names = BTreeSet::new();
    let mut columns = Vec::with_capacity(schema.fields().len());
    for (i, field) in schema.fields().iter().enumerate() {
        let name = unused(field.name(), &names);
        names.insert(name.clone());
        let ty = held(field.data_type());
        let chunk = |batch: &RecordBatch| -> Result<ArrayRef, Error> {
            let array = batch.column(i);
            if array.data_type() == &ty {
                return Ok(Arc::clone(array));
            }
            cast(array, &ty).map_err(|error| Error::Query(format!("`{}`: {error}", field.name())))
        };
        let chunks: Vec<ArrayRef> = batches.iter().map(chunk).collect::<Result<_, _>>()?;
        let chunks = if chunks.is_empty() { vec![arrow::array::new_empty_array(&ty)] } else { chunks };
        columns.push(Column::from(bridge::series(&Field::new(name, ty, true), &chunks)?));
    }
    let height = batches.iter().map(RecordBatch::num_rows).sum();
    Ok(DataFrame::new(height, columns)?)
}

fn unused(name: &str, taken: &BTreeSet<String>) -> String {
    let numbered = (2..).map(|n| format!("{name}_{n}"));
    std::iter::once(name.to_owned()).chain(numbered).find(|name| !taken.contains(name)).unwrap_or_default()
}

/// The type as Polars holds it: dictionaries are unpacked, times are in microseconds, intervals are text.
fn held(ty: &DataType) -> DataType {
    let again = |field: &Arc<Field>| Arc::new(field.as_ref().clone().with_data_type(held(field.data_type())));
    match ty {
        DataType::Dictionary(_, value) => held(value),
        DataType::Timestamp(_, zone) => DataType::Timestamp(TimeUnit::Microsecond, zone.clone()),
        DataType::Duration(_) => DataType::Duration(TimeUnit::Microsecond),
        DataType::Date64 => DataType::Timestamp(TimeUnit::Millisecond, None),
        DataType::Interval(_) | DataType::Time32(_) | DataType::Time64(_) => DataType::Utf8,
        DataType::Float16 => DataType::Float32,
        DataType::Decimal32(precision, scale) | DataType::Decimal64(precision, scale) => {
            DataType::Decimal128(*precision, *scale)
        }
        DataType::Decimal256(_, scale) => DataType::Decimal128(38, *scale),
        DataType::FixedSizeBinary(_) => DataType::Binary,
        DataType::List(field) | DataType::ListView(field) => DataType::List(again(field)),
        DataType::LargeList(field) | DataType::LargeListView(field) => DataType::LargeList(again(field)),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(again).collect()),
        other => other.clone(),
    }
}
