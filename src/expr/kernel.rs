//! Functions of ours over the cells of Polars columns, row by row: NULL in, NULL out, and `None` is NULL too.

use polars::prelude::{
    BooleanChunked, ChunkedArray, Column, DataType, Expr, Field, Float64Chunked, Int32Chunked, Int64Chunked,
    Int128Type, IntoColumn, IntoSeries, PolarsResult, Series, StringChunked, TimeUnit, polars_err,
};

/// A kind of cell that a kernel takes.
pub(super) trait Cell: 'static {
    /// what a kernel sees of it
    type Of<'a>: Copy;
    /// The column in the physical form that [`Cell::cells`] reads.
    fn prepare(column: &Column) -> PolarsResult<Series>;
    /// The cells of a prepared column.
    fn cells(series: &Series) -> PolarsResult<impl Iterator<Item = Option<Self::Of<'_>>>>;
}

/// Text.
pub(super) struct Text;
/// Integers, dates as days since 1970 and timestamps as microseconds since then.
pub(super) struct Long;
/// Doubles.
pub(super) struct Double;
/// Floats.
pub(super) struct Single;
/// Booleans.
pub(super) struct Bool;
/// Decimals, without their scale.
pub(super) struct Exact;

impl Cell for Text {
    type Of<'a> = &'a str;
    fn prepare(column: &Column) -> PolarsResult<Series> {
        Ok(column.as_materialized_series().clone())
    }
    fn cells(series: &Series) -> PolarsResult<impl Iterator<Item = Option<&str>>> {
        Ok(series.str()?.iter())
    }
}

impl Cell for Long {
    type Of<'a> = i64;
    fn prepare(column: &Column) -> PolarsResult<Series> {
        column.as_materialized_series().to_physical_repr().cast(&DataType::Int64)
    }
    fn cells(series: &Series) -> PolarsResult<impl Iterator<Item = Option<i64>>> {
        Ok(series.i64()?.iter())
    }
}

impl Cell for Double {
    type Of<'a> = f64;
    fn prepare(column: &Column) -> PolarsResult<Series> {
        column.as_materialized_series().cast(&DataType::Float64)
    }
    fn cells(series: &Series) -> PolarsResult<impl Iterator<Item = Option<f64>>> {
        Ok(series.f64()?.iter())
    }
}

impl Cell for Single {
    type Of<'a> = f32;
    fn prepare(column: &Column) -> PolarsResult<Series> {
        Ok(column.as_materialized_series().clone())
    }
    fn cells(series: &Series) -> PolarsResult<impl Iterator<Item = Option<f32>>> {
        Ok(series.f32()?.iter())
    }
}

impl Cell for Bool {
    type Of<'a> = bool;
    fn prepare(column: &Column) -> PolarsResult<Series> {
        Ok(column.as_materialized_series().clone())
    }
    fn cells(series: &Series) -> PolarsResult<impl Iterator<Item = Option<bool>>> {
        Ok(series.bool()?.iter())
    }
}

impl Cell for Exact {
    type Of<'a> = i128;
    fn prepare(column: &Column) -> PolarsResult<Series> {
        Ok(column.as_materialized_series().to_physical_repr().into_owned())
    }
    fn cells(series: &Series) -> PolarsResult<impl Iterator<Item = Option<i128>>> {
        Ok(series.i128()?.iter())
    }
}

/// What a kernel gives, and how a column is made of it.
pub(super) trait Output: Sized + 'static {
    /// A column of the type `to`; values that it cannot hold are null.
    fn column(cells: impl Iterator<Item = Option<Self>>, to: &DataType) -> PolarsResult<Series>;
}

impl Output for bool {
    fn column(cells: impl Iterator<Item = Option<Self>>, _: &DataType) -> PolarsResult<Series> {
        Ok(cells.collect::<BooleanChunked>().into_series())
    }
}

impl Output for i64 {
    fn column(cells: impl Iterator<Item = Option<Self>>, to: &DataType) -> PolarsResult<Series> {
        if matches!(to, DataType::Int32 | DataType::Date) {
            let column = cells.map(|cell| i32::try_from(cell?).ok()).collect::<Int32Chunked>();
            return Ok(if *to == DataType::Date { column.into_date().into_series() } else { column.into_series() });
        }
        let column = cells.collect::<Int64Chunked>();
        match to {
            DataType::Int64 => Ok(column.into_series()),
            DataType::Datetime(TimeUnit::Microseconds, zone) => {
                Ok(column.into_datetime(TimeUnit::Microseconds, zone.clone()).into_series())
            }
            _ => column.into_series().cast(to),
        }
    }
}

impl Output for f64 {
    fn column(cells: impl Iterator<Item = Option<Self>>, to: &DataType) -> PolarsResult<Series> {
        let column = cells.collect::<Float64Chunked>().into_series();
        if *to == DataType::Float64 { Ok(column) } else { column.cast(to) }
    }
}

impl Output for i128 {
    fn column(cells: impl Iterator<Item = Option<Self>>, to: &DataType) -> PolarsResult<Series> {
        let DataType::Decimal(precision, scale) = to else {
            return Err(polars_err!(ComputeError: "a kernel of decimals cannot give {to}"));
        };
        let column: ChunkedArray<Int128Type> = cells.collect();
        Ok(column.into_decimal_unchecked(*precision, *scale).into_series())
    }
}

impl Output for String {
    fn column(cells: impl Iterator<Item = Option<Self>>, _: &DataType) -> PolarsResult<Series> {
        Ok(cells.collect::<StringChunked>().into_series())
    }
}

/// A column computed from whole columns of equal length.
pub(super) fn columns(
    inputs: Vec<Expr>,
    to: DataType,
    f: impl Fn(&[Column]) -> PolarsResult<Series> + Send + Sync + 'static,
) -> Expr {
    let mut inputs = inputs.into_iter();
    let first = inputs.next().unwrap_or_else(|| polars::prelude::lit(true));
    let rest: Vec<Expr> = inputs.collect();
    first.map_many(
        move |columns| {
            let name = columns[0].name().clone();
            let columns = broadcast(columns);
            Ok(f(&columns)?.with_name(name).into_column())
        },
        &rest,
        move |_, fields| Ok(Field::new(fields[0].name().clone(), to.clone())),
    )
}

/// Literals arrive as one row: stretch them to the others' length.
pub(super) fn broadcast(columns: &[Column]) -> Vec<Column> {
    let length = columns.iter().map(Column::len).find(|length| *length != 1).unwrap_or(1);
    columns.iter().map(|c| if c.len() == length { c.clone() } else { c.new_from_index(0, length) }).collect()
}

/// A kernel of one argument.
pub(super) fn map1<A: Cell, O: Output>(
    a: Expr,
    to: DataType,
    f: impl Fn(A::Of<'_>) -> Option<O> + Send + Sync + 'static,
) -> Expr {
    columns(vec![a], to.clone(), move |columns| {
        let a = A::prepare(&columns[0])?;
        O::column(A::cells(&a)?.map(|a| f(a?)), &to)
    })
}

/// A kernel of two arguments.
pub(super) fn map2<A: Cell, B: Cell, O: Output>(
    (a, b): (Expr, Expr),
    to: DataType,
    f: impl Fn(A::Of<'_>, B::Of<'_>) -> Option<O> + Send + Sync + 'static,
) -> Expr {
    columns(vec![a, b], to.clone(), move |columns| {
        let (a, b) = (A::prepare(&columns[0])?, B::prepare(&columns[1])?);
        O::column(A::cells(&a)?.zip(B::cells(&b)?).map(|(a, b)| f(a?, b?)), &to)
    })
}

/// A kernel of three arguments.
pub(super) fn map3<A: Cell, B: Cell, C: Cell, O: Output>(
    (a, b, c): (Expr, Expr, Expr),
    to: DataType,
    f: impl Fn(A::Of<'_>, B::Of<'_>, C::Of<'_>) -> Option<O> + Send + Sync + 'static,
) -> Expr {
    columns(vec![a, b, c], to.clone(), move |columns| {
        let (a, b, c) = (A::prepare(&columns[0])?, B::prepare(&columns[1])?, C::prepare(&columns[2])?);
        let cells = A::cells(&a)?.zip(B::cells(&b)?).zip(C::cells(&c)?);
        O::column(cells.map(|((a, b), c)| f(a?, b?, c?)), &to)
    })
}
