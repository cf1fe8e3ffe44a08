//! One number for all that stands in some columns of a row.

use std::hash::Hasher;

use foldhash::SharedSeed;
use foldhash::quality::{FoldHasher, SeedableRandomState};
use polars::prelude::{
    ChunkedArray, Column, DataType, Expr, Field, IntoColumn, PolarsDataType, PolarsResult, Series, UInt64Chunked, col,
    lit,
};
use polars_arrow::array::{Array, StaticArray};

/// A hash of some columns in which NULL, NaN and nested values stand like any other value, and 0.0 like -0.0. Columns
/// whose values are swapped give another one. Not to be kept: a later version may reckon otherwise.
pub(in crate::delta) fn hash<S: AsRef<str>>(columns: &[S], seed: u64) -> Expr {
    let mut columns = columns.iter().map(|column| col(column.as_ref()));
    let Some(first) = columns.next() else { return lit(seed) };
    first.map_many(
        move |columns| hashed(columns, seed),
        &columns.collect::<Vec<_>>(),
        |_, fields| Ok(Field::new(fields[0].name().clone(), DataType::UInt64)),
    )
}

/// Column by column, since each is of one type: what came of a row's cells so far is the seed of the next.
fn hashed(columns: &[Column], seed: u64) -> PolarsResult<Column> {
    let mut hashes = vec![seed.wrapping_mul(0x9E37_79B9_7F4A_7C15); columns[0].len()];
    for column in columns {
        add(&mut hashes, column.as_materialized_series(), seed)?;
    }
    Ok(UInt64Chunked::from_vec(columns[0].name().clone(), hashes).into_column())
}

fn add(hashes: &mut [u64], column: &Series, seed: u64) -> PolarsResult<()> {
    let cells = column.to_physical_repr();
    match cells.dtype() {
        DataType::Boolean => each(hashes, cells.bool()?, |hasher, cell| hasher.write_u8(cell.into())),
        DataType::Int8 => each(hashes, cells.i8()?, |hasher, cell| hasher.write_i8(cell)),
        DataType::Int16 => each(hashes, cells.i16()?, |hasher, cell| hasher.write_i16(cell)),
        DataType::Int32 => each(hashes, cells.i32()?, |hasher, cell| hasher.write_i32(cell)),
        DataType::Int64 => each(hashes, cells.i64()?, |hasher, cell| hasher.write_i64(cell)),
        DataType::Int128 => each(hashes, cells.i128()?, |hasher, cell| hasher.write_i128(cell)),
        DataType::UInt32 => each(hashes, cells.u32()?, |hasher, cell| hasher.write_u32(cell)),
        DataType::UInt64 => each(hashes, cells.u64()?, |hasher, cell| hasher.write_u64(cell)),
        DataType::Float32 => each(hashes, cells.f32()?, |hasher, cell| hasher.write_u64(bits(cell.into()))),
        DataType::Float64 => each(hashes, cells.f64()?, |hasher, cell| hasher.write_u64(bits(cell))),
        DataType::String => each(hashes, cells.str()?, |hasher, cell| hasher.write(cell.as_bytes())),
        DataType::Binary => each(hashes, cells.binary()?, Hasher::write),
        _ => {
            let (state, mut nested) = (SeedableRandomState::with_seed(seed, SharedSeed::global_fixed()), Vec::new());
            Column::from(column.clone()).vec_hash(state, &mut nested)?;
            let nested = UInt64Chunked::from_vec("".into(), nested);
            each(hashes, &nested, |hasher, cell| hasher.write_u64(cell));
        }
    }
    Ok(())
}

/// Adds a column's cells to the hashes of their rows.
fn each<T: PolarsDataType>(
    hashes: &mut [u64],
    column: &ChunkedArray<T>,
    write: impl Fn(&mut FoldHasher<'static>, T::Physical<'_>),
) {
    let mut rest = hashes;
    for cells in column.downcast_iter() {
        let (hashes, more) = rest.split_at_mut(cells.len());
        let add = |(hash, cell): (&mut u64, Option<T::Physical<'_>>)| {
            let mut hasher = FoldHasher::with_seed(*hash, SharedSeed::global_fixed());
            if let Some(cell) = cell {
                write(&mut hasher, cell);
            }
            *hash = hasher.finish();
        };
        match cells.has_nulls() {
            true => hashes.iter_mut().zip(cells.iter()).for_each(add),
            false => hashes.iter_mut().zip(cells.values_iter().map(Some)).for_each(add),
        }
        rest = more;
    }
}

fn bits(value: f64) -> u64 {
    if value.is_nan() { f64::NAN.to_bits() } else { (value + 0.0).to_bits() }
}
