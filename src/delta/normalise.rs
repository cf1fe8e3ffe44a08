//! Makes a frame exactly what a table holds, or says why that cannot be without losing something.
//!
//! Delta has no unsigned integers, no categories, no times without a zone (short of a table feature that many readers
//! lack) and no nanoseconds; arrow would write some of them all the same, into files that nobody can read again.

use polars::prelude::{
    Column, DataFrame, DataType, IntoColumn, PlSmallStr, PolarsError, Series, StructChunked, TimeUnit,
};

use super::schema::type_name;
use super::{Error, TableSchema};

/// The columns of `schema`, in its order and types. A column that is missing is null; one that is too many is an error.
pub(super) fn normalise(table: &str, frame: &DataFrame, schema: &TableSchema) -> Result<DataFrame, Error> {
    if let Some(extra) = frame.get_column_names().into_iter().find(|name| schema.ty(name.as_str()).is_none()) {
        return Err(Error::invalid(table, format!("there is no column `{extra}` in the table")));
    }
    let columns = schema
        .columns
        .iter()
        .map(|wanted| {
            let name = PlSmallStr::from(wanted.name.as_str());
            let dtype = wanted.ty.to_polars();
            match frame.column(&name) {
                Ok(column) => exactly(column, &dtype).map_err(|why| refuse(table, &wanted.name, &why)),
                Err(_) => Ok(Column::full_null(name, frame.height(), &dtype)),
            }
        })
        .collect::<Result<Vec<_>, Error>>()?;
    Ok(DataFrame::new(frame.height(), columns)?)
}

fn refuse(table: &str, column: &str, why: &Refusal) -> Error {
    match why {
        Refusal::Type { from, to } => {
            let (from, to) = (type_name(from), type_name(to));
            Error::invalid(table, format!("`{column}` is {from} and cannot be stored as {to} without losing something"))
        }
        Refusal::Value(error) => Error::invalid(table, format!("`{column}` holds a value that does not fit: {error}")),
    }
}

enum Refusal {
    Type { from: DataType, to: DataType },
    Value(PolarsError),
}

fn exactly(column: &Column, to: &DataType) -> Result<Column, Refusal> {
    let from = column.dtype();
    if from == to {
        return Ok(column.clone());
    }
    if !is_lossless(from, to) {
        return Err(Refusal::Type { from: from.clone(), to: to.clone() });
    }
    let series = convert(column.as_materialized_series(), to).map_err(Refusal::Value)?;
    Ok(series.into_column())
}

fn convert(series: &Series, to: &DataType) -> Result<Series, PolarsError> {
    match (series.dtype(), to) {
        (DataType::Datetime(TimeUnit::Nanoseconds, _), DataType::Datetime(TimeUnit::Microseconds, _)) => {
            whole_micros(series, to)
        }
        (DataType::Struct(_), DataType::Struct(wanted)) => {
            let rows = series.struct_()?;
            let fields = wanted
                .iter()
                .map(|field| match rows.field_by_name(field.name()) {
                    Ok(found) => convert(&found, field.dtype()),
                    Err(_) => Ok(Series::full_null(field.name().clone(), series.len(), field.dtype())),
                })
                .collect::<Result<Vec<_>, _>>()?;
            let mut made = StructChunked::from_series(series.name().clone(), series.len(), fields.iter())?;
            made.zip_outer_validity(rows);
            Ok(polars::prelude::IntoSeries::into_series(made))
        }
        (from, to) if from == to => Ok(series.clone()),
        (_, to) => series.strict_cast(to),
    }
}

fn whole_micros(series: &Series, to: &DataType) -> Result<Series, PolarsError> {
    let nanos = series.strict_cast(&DataType::Int64)?;
    let cut = nanos.i64()?.iter().flatten().any(|value| value % 1_000 != 0);
    if cut {
        let name = series.name().clone();
        return Err(PolarsError::ComputeError(
            format!("`{name}` has nanoseconds, and Delta keeps microseconds").into(),
        ));
    }
    series.strict_cast(to)
}

/// Whether each value of `from` is one of `to`, or is found out when it is cast.
fn is_lossless(from: &DataType, to: &DataType) -> bool {
    use DataType as D;
    match (from, to) {
        (D::Null, _) => true,
        (from, to) if from == to => true,
        (from, to) if from.is_integer() && to.is_integer() => true, // the cast is checked
        (D::Int8 | D::Int16 | D::UInt8 | D::UInt16, D::Float32 | D::Float64) => true,
        (D::Int32 | D::UInt32 | D::Float32, D::Float64) => true,
        (D::Decimal(p, s), D::Decimal(wider_p, wider_s)) => s <= wider_s && p - s <= wider_p - wider_s,
        (D::Datetime(_, Some(_)), D::Datetime(TimeUnit::Microseconds, Some(_))) => true,
        (D::Categorical(..) | D::Enum(..), D::String) => true,
        // within lists the cast is Polars' own, which cuts nanoseconds off
        (D::List(from), D::List(to)) => !has_nanos(from) && is_lossless(from, to),
        (D::Struct(from), D::Struct(to)) => from
            .iter()
            .all(|field| to.iter().any(|t| t.name() == field.name() && is_lossless(field.dtype(), t.dtype()))),
        _ => false,
    }
}

fn has_nanos(dtype: &DataType) -> bool {
    match dtype {
        DataType::Datetime(TimeUnit::Nanoseconds, _) => true,
        DataType::List(inner) => has_nanos(inner),
        DataType::Struct(fields) => fields.iter().any(|field| has_nanos(field.dtype())),
        _ => false,
    }
}
