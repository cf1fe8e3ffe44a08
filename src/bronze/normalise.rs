//! Parquet's types as those that a table can hold, value by value and checked.
//!
//! | in the file | in the table |
//! |---|---|
//! | boolean, int8 … int64, float32, float64, string, binary, date, decimal | as it is |
//! | uint8, uint16, uint32 | the next wider signed integer |
//! | uint64 | bigint; a value beyond it makes the file unreadable |
//! | categorical, enum | string |
//! | timestamp with a zone | timestamp (UTC) |
//! | timestamp without a zone | timestamp, read in the project's timezone |
//! | timestamp in ms or ns | timestamp in µs; lost digits make the file unreadable |
//! | list, fixed-size list, struct | array, struct of what the inner types become |
//! | null | null |
//! | time, duration, 128-bit integers, float16, … | the file is unreadable |

use chrono_tz::Tz;
use polars::prelude::{
    DataType, DatetimeType, Field, Int64Chunked, Int64Type, IntoSeries, Logical, NewChunkedArray, NonExistent,
    PolarsError, PolarsResult, Series, StringChunked, TimeUnit, TimeZone, polars_bail, polars_err, replace_time_zone,
};

use super::headers::clean_fields;

/// The type that values of `dtype` have afterwards; `None`: a table cannot hold them.
pub(super) fn stored_type(dtype: &DataType) -> Option<DataType> {
    use DataType as D;
    Some(match dtype {
        D::Boolean | D::Int8 | D::Int16 | D::Int32 | D::Int64 | D::Float32 | D::Float64 => dtype.clone(),
        D::String | D::Binary | D::Date | D::Decimal(..) | D::Null => dtype.clone(),
        D::UInt8 => D::Int16,
        D::UInt16 => D::Int32,
        D::UInt32 | D::UInt64 => D::Int64,
        D::Categorical(..) | D::Enum(..) => D::String,
        D::Datetime(..) => D::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)),
        D::List(inner) | D::Array(inner, _) => D::List(Box::new(stored_type(inner)?)),
        D::Struct(fields) => {
            let names: Vec<&str> = fields.iter().map(|field| field.name().as_str()).collect();
            let types = fields.iter().map(|field| stored_type(field.dtype()));
            let fields = clean_fields(&names).into_iter().zip(types);
            D::Struct(fields.map(|(name, ty)| Some(Field::new(name.stored.into(), ty?))).collect::<Option<_>>()?)
        }
        _ => return None,
    })
}

/// The same values as [`stored_type`]; `zone`: of timestamps without one.
///
/// # Errors
/// A value that the stored type cannot hold.
pub(super) fn normalise(values: &Series, zone: Tz) -> PolarsResult<Series> {
    match values.dtype() {
        DataType::Datetime(..) => instants(values.datetime()?, zone),
        DataType::List(_) => Ok(values.list()?.apply_to_inner(&|inner| normalise(&inner, zone))?.into_series()),
        DataType::Array(inner, _) => normalise(&values.cast(&DataType::List(inner.clone()))?, zone),
        DataType::Struct(fields) => {
            let names: Vec<&str> = fields.iter().map(|field| field.name().as_str()).collect();
            let mut names = clean_fields(&names).into_iter();
            let renamed = |field: &Series| {
                let name = names.next().map(|header| header.stored).unwrap_or_default();
                Ok(normalise(field, zone)?.with_name(name.into()))
            };
            Ok(values.struct_()?.try_apply_fields(renamed)?.into_series())
        }
        dtype => match stored_type(dtype) {
            None => polars_bail!(ComputeError: "values of type {dtype} cannot be stored"),
            Some(stored) if stored == *dtype => Ok(values.clone()),
            Some(stored) => values.strict_cast(&stored),
        },
    }
}

fn instants(values: &Logical<DatetimeType, Int64Type>, zone: Tz) -> PolarsResult<Series> {
    let micros: Int64Chunked = match values.time_unit() {
        TimeUnit::Microseconds => values.physical().clone(),
        TimeUnit::Milliseconds => {
            checked(values.physical(), |ms| ms.checked_mul(1000), "lies beyond the range of timestamps")?
        }
        TimeUnit::Nanoseconds => {
            checked(values.physical(), |ns| (ns % 1000 == 0).then_some(ns / 1000), "has digits below the microsecond")?
        }
    };
    if values.time_zone().is_some() || zone == Tz::UTC {
        return Ok(micros.into_datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)).into_series());
    }
    let naive = micros.into_datetime(TimeUnit::Microseconds, None);
    let zone = TimeZone::opt_try_new(Some(zone.name()))?;
    let earliest = StringChunked::from_slice("ambiguous".into(), &["earliest"]);
    let local = replace_time_zone(&naive, zone.as_ref(), &earliest, NonExistent::Raise)?;
    Ok(local.physical().clone().into_datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)).into_series())
}

fn checked(values: &Int64Chunked, convert: impl Fn(i64) -> Option<i64>, fault: &str) -> PolarsResult<Int64Chunked> {
    values.try_apply_nonnull_values_generic::<Int64Type, i64, _, PolarsError>(|value| {
        convert(value).ok_or_else(|| polars_err!(ComputeError: "{value} {fault}"))
    })
}
