use chrono_tz::Tz;
use polars::prelude::*;

use super::*;
use crate::expr::{self, Type};

fn bytes(frame: &mut DataFrame) -> Vec<u8> {
    let mut bytes = Vec::new();
    ParquetWriter::new(&mut bytes).finish(frame).unwrap();
    bytes
}

fn take(mut frame: DataFrame, timezone: Tz) -> Result<(expr::Columns, DataFrame), ReadError> {
    let cage = Cage::new("a[1].parquet", &bytes(&mut frame));
    let options = ReadOptions { timezone, ..ReadOptions::default() };
    let columns = columns_of(&cage.landing, &cage.file, &super::Format::Parquet, &options)?;
    let taken = cage.read(&super::Format::Parquet, None, &options)?;
    assert_eq!(taken.summary.rows, frame.height() as u64);
    let frames: Vec<DataFrame> = taken.frames.iter().map(|frame| frame.drop("_malformed").unwrap()).collect();
    Ok((columns, polars::functions::concat_df_diagonal(&frames).unwrap()))
}

fn datetime(values: &[i64], unit: TimeUnit, zone: Option<&str>) -> Column {
    let zone = zone.map(|zone| TimeZone::opt_try_new(Some(zone)).unwrap().unwrap());
    Series::new("t".into(), values).cast(&DataType::Datetime(unit, zone)).unwrap().into()
}

fn one(column: Column) -> Result<(Type, Column), ReadError> {
    let frame = DataFrame::new(column.len(), vec![column]).unwrap();
    take(frame, Tz::Europe__Berlin).map(|(columns, frame)| (columns[0].ty.clone(), frame.columns()[1].clone()))
}

#[test]
fn rows_are_numbered_and_types_stay() {
    let frame =
        df!["id" => [3i64, 1, 2], "Name X" => [Some("a"), None, Some("c")], "f" => [1.5f32, f32::NAN, 0.0]].unwrap();
    let (columns, taken) = take(frame, Tz::UTC).unwrap();
    let expected = [("id", Type::BigInt), ("Name_X", Type::String), ("f", Type::Float)];
    assert_eq!(columns, expected.map(|(name, ty)| expr::Column::new(name, ty)));
    assert!(taken.equals_missing(
        &df!["_source_row" => [1i64, 2, 3], "id" => [3i64, 1, 2], "Name_X" => [Some("a"), None, Some("c")], "f" => [1.5f32, f32::NAN, 0.0]].unwrap()
    ));
}

#[test]
fn what_delta_has_not_becomes_what_it_has() {
    let (ty, values) = one(Column::new("x".into(), [0u8, 255])).unwrap();
    assert_eq!((ty, values), (Type::SmallInt, Column::new("x".into(), [0i16, 255])));
    let (ty, values) = one(Column::new("x".into(), [u32::MAX])).unwrap();
    assert_eq!((ty, values), (Type::BigInt, Column::new("x".into(), [i64::from(u32::MAX)])));
    assert_eq!(one(Column::new("x".into(), [i64::MAX as u64])).unwrap().0, Type::BigInt);
    let category =
        Column::new("x".into(), ["a", "b", "a"]).cast(&DataType::from_categories(Categories::global())).unwrap();
    assert_eq!(one(category).unwrap(), (Type::String, Column::new("x".into(), ["a", "b", "a"])));
}

#[test]
fn instants_are_utc_microseconds() {
    let utc = |values: &[i64]| datetime(values, TimeUnit::Microseconds, Some("UTC"));
    for (column, expected) in [
        (datetime(&[1_000, -3], TimeUnit::Milliseconds, Some("UTC")), utc(&[1_000_000, -3_000])),
        (datetime(&[5_000], TimeUnit::Nanoseconds, Some("America/New_York")), utc(&[5])),
        // 2024-07-01 and 2024-01-01 in Berlin; 02:30 on 2024-10-27 comes twice, and the first counts
        (
            datetime(&[1_719_792_000_000_000, 1_704_067_200_000_000], TimeUnit::Microseconds, None),
            utc(&[1_719_784_800_000_000, 1_704_063_600_000_000]),
        ),
        (datetime(&[1_729_996_200_000_000], TimeUnit::Microseconds, None), utc(&[1_729_989_000_000_000])),
    ] {
        assert_eq!(one(column).unwrap(), (Type::Timestamp, expected));
    }
}

#[test]
fn what_would_lose_digits_makes_the_file_unreadable() {
    let why = |column: Column| match one(column) {
        Err(ReadError::Unreadable { reason, .. }) => reason,
        other => panic!("{other:?}"),
    };
    assert!(why(Column::new("x".into(), [1, u64::MAX])).starts_with("column `x`: "));
    assert_eq!(
        why(datetime(&[1_001], TimeUnit::Nanoseconds, None)),
        "column `t`: 1001 has digits below the microsecond"
    );
    assert!(why(datetime(&[i64::MAX], TimeUnit::Milliseconds, None)).contains("beyond the range"));
    // 02:30 on 2024-03-31 does not exist in Berlin
    assert!(why(datetime(&[1_711_852_200_000_000], TimeUnit::Microseconds, None)).starts_with("column `t`: "));
    let duration = Series::new("d".into(), [1i64]).cast(&DataType::Duration(TimeUnit::Microseconds)).unwrap();
    assert!(why(duration.into()).starts_with("column `d`"));
}

#[test]
fn nested_columns_are_normalised_within() {
    let inner = Series::new("n".into(), [1u16, 2, 3]);
    let list = Series::new("List of".into(), [inner.slice(0, 2), inner.slice(2, 1)]);
    let times = datetime(&[7_000, 8_000], TimeUnit::Nanoseconds, Some("UTC")).take_materialized_series();
    let fields = [list, times];
    let nested = StructChunked::from_series("s".into(), 2, fields.iter()).unwrap().into_series();
    let (ty, values) = one(nested.into()).unwrap();
    let array = expr::Column::new("List_of", Type::Array(Box::new(Type::Int)));
    assert_eq!(ty, Type::Struct(vec![array, expr::Column::new("t", Type::Timestamp)]));
    assert_eq!(*values.dtype(), ty.to_polars());
    assert_eq!(values.get(1).unwrap().to_string(), "{[3],1970-01-01 00:00:00.000008 UTC}");
}

#[test]
fn a_column_of_nulls_holds_nothing_and_fits_any() {
    let frame = df!["a" => [1i64, 2]].unwrap().hstack(&[Column::full_null("n".into(), 2, &DataType::Null)]).unwrap();
    let (columns, taken) = take(frame, Tz::UTC).unwrap();
    assert_eq!(columns[1].ty, Type::Null);
    let table = vec![expr::Column::new("n", Type::Date)];
    let fitted = fit(&columns, &table).unwrap();
    let shaped = conform(&taken, &fitted.columns, &["_source_row"]).unwrap();
    assert_eq!(shaped.dtypes(), [DataType::Int64, DataType::Date, DataType::Int64]);
}

#[test]
fn compressed_and_broken_files() {
    let plain = bytes(&mut df!["a" => (0..200_000i64).collect::<Vec<_>>()].unwrap());
    let packed = zstd::encode_all(&plain[..], 1).unwrap();
    let format = super::Format::Parquet;
    for (name, stored) in [("a.parquet", &plain), ("a.parquet.zst", &packed)] {
        let taken = Cage::new(name, stored).read(&format, None, &ReadOptions::default()).unwrap();
        assert_eq!(
            (taken.summary.rows, taken.summary.blake3.as_str()),
            (200_000, blake3::hash(stored).to_hex().as_str())
        );
        assert!(taken.frames.iter().all(|frame| frame.height() <= 1 << 17));
    }
    let unreadable =
        |name: &str, bytes: &[u8]| reason(Cage::new(name, bytes).read(&format, None, &ReadOptions::default()));
    assert!(unreadable("a.parquet", &plain[..plain.len() / 2]).contains("Parquet"));
    assert!(unreadable("a.parquet", b"").contains("Parquet"));
    assert!(unreadable("a.parquet", b"a,b\n1,2\n").contains("Parquet"));
    assert_eq!(unreadable("a.parquet.zst", &packed[..packed.len() / 2]), "the zstd stream is cut off");
}
