//! The statistics of a file, as the Delta protocol spells them
//! (<https://github.com/delta-io/delta/blob/master/PROTOCOL.md#per-file-statistics>). A reader leaves a file out by
//! them, so a bound that is not known to be right is left out instead.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta};
use deltalake::parquet::file::metadata::ParquetMetaData;
use deltalake::parquet::file::statistics::Statistics as ColumnStatistics;
use polars::prelude::{DataFrame, DataType};

use crate::delta::partition::decimal_text;
use crate::delta::{DataFile, Error, TableSchema};
use crate::expr::Type;

pub(super) struct Statistics {
    /// the columns to measure
    columns: BTreeMap<String, Type>,
    /// Parquet's bounds leave NaN out, but to Spark it is greater than every number
    with_nan: BTreeSet<String>,
}

/// As JSON: the bounds, where there are any, and the number of NULLs.
struct Measured {
    min: Option<String>,
    max: Option<String>,
    nulls: u64,
}

/// Readers that take JSON's numbers as doubles keep as many digits.
const EXACT_DIGITS: usize = 15;

impl Statistics {
    pub(super) fn new(schema: &TableSchema) -> Self {
        let wanted = schema.with_statistics();
        let columns =
            schema.file_columns().filter(|c| wanted.contains(&c.name)).map(|c| (c.name.clone(), c.ty.clone()));
        Statistics { columns: columns.collect(), with_nan: BTreeSet::new() }
    }

    /// Values that stay as they are in this file may be NaN where it has no bounds.
    pub(super) fn keep_unbounded(&mut self, file: &DataFile) {
        let bounded = |name: &String| file.statistics().get("maxValues").is_some_and(|max| max.get(name).is_some());
        let unbounded = self.columns.iter().filter(|(name, ty)| ty.is_floating() && !bounded(name));
        self.with_nan.extend(unbounded.map(|(name, _)| name.clone()));
    }

    /// What Parquet's statistics do not tell.
    pub(super) fn look_at(&mut self, frame: &DataFrame) -> Result<(), Error> {
        for column in frame.columns() {
            let name = column.name().as_str();
            let floating = matches!(column.dtype(), DataType::Float32 | DataType::Float64);
            if floating && self.columns.contains_key(name) && !self.with_nan.contains(name) && column.is_nan()?.any() {
                self.with_nan.insert(name.to_owned());
            }
        }
        Ok(())
    }

    pub(super) fn to_json(&self, metadata: &ParquetMetaData) -> String {
        let measured: BTreeMap<&String, Measured> =
            self.columns.iter().filter_map(|(name, ty)| Some((name, self.measure(name, ty, metadata)?))).collect();
        let object = |value: &dyn Fn(&Measured) -> Option<String>| {
            let members = measured.iter().filter_map(|(name, m)| Some(format!("{}:{}", quoted(name), value(m)?)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        };
        format!(
            r#"{{"numRecords":{},"minValues":{},"maxValues":{},"nullCount":{}}}"#,
            metadata.file_metadata().num_rows(),
            object(&|m| m.min.clone()),
            object(&|m| m.max.clone()),
            object(&|m| Some(m.nulls.to_string())),
        )
    }

    /// Over all row groups; `None` for a nested column or if a row group tells nothing.
    fn measure(&self, name: &str, ty: &Type, metadata: &ParquetMetaData) -> Option<Measured> {
        let column =
            metadata.file_metadata().schema_descr().columns().iter().position(|c| c.path().parts() == [name])?;
        let mut nulls = 0;
        let (mut bounds, mut known) = (Vec::new(), !self.with_nan.contains(name));
        for group in metadata.row_groups() {
            let statistics = group.column(column).statistics()?;
            let null = statistics.null_count_opt()?;
            nulls += null;
            if i64::try_from(null) == Ok(group.num_rows()) {
                continue;
            }
            match bounds_of(statistics, ty) {
                Some(bound) => bounds.push(bound),
                None => known = false,
            }
        }
        let (mut min, mut max) = (None, None);
        if known {
            min = bounds.iter().map(|(min, _)| min).min_by(|a, b| a.cmp(b)).and_then(|bound| bound.json(ty, Side::Min));
            max = bounds.iter().map(|(_, max)| max).max_by(|a, b| a.cmp(b)).and_then(|bound| bound.json(ty, Side::Max));
        }
        Some(Measured { min, max, nulls })
    }
}

#[derive(Clone, Copy)]
enum Side {
    Min,
    Max,
}

/// A bound of a column.
enum Bound {
    /// integers, days, microseconds, digits of a decimal
    Whole(i128),
    Float(f64),
    Text(String),
}

impl Bound {
    fn cmp(&self, other: &Bound) -> std::cmp::Ordering {
        match (self, other) {
            (Bound::Whole(a), Bound::Whole(b)) => a.cmp(b),
            (Bound::Float(a), Bound::Float(b)) => a.total_cmp(b),
            (Bound::Text(a), Bound::Text(b)) => a.cmp(b),
            _ => std::cmp::Ordering::Equal,
        }
    }

    fn json(&self, ty: &Type, side: Side) -> Option<String> {
        match (self, ty) {
            (Bound::Whole(days), Type::Date) => {
                let date = NaiveDate::default().checked_add_signed(TimeDelta::try_days(i64::try_from(*days).ok()?)?)?;
                common_year(date.year()).then(|| format!("\"{}\"", date.format("%Y-%m-%d")))
            }
            // the protocol keeps milliseconds, so a bound is moved outwards
            (Bound::Whole(micros), Type::Timestamp) => {
                let micros = i64::try_from(*micros).ok()?;
                let millis = match side {
                    Side::Min => micros.div_euclid(1_000),
                    Side::Max => micros.checked_add(999)?.div_euclid(1_000),
                };
                let time = DateTime::from_timestamp_millis(millis)?;
                common_year(time.year()).then(|| format!("\"{}\"", time.format("%Y-%m-%dT%H:%M:%S%.3fZ")))
            }
            (Bound::Whole(digits), Type::Decimal { scale, .. }) => {
                (digits.unsigned_abs().to_string().len() <= EXACT_DIGITS).then(|| decimal_text(*digits, *scale))
            }
            (Bound::Whole(value), _) => Some(value.to_string()),
            (Bound::Float(value), _) => float_json(*value, side),
            (Bound::Text(text), _) => Some(quoted(text)),
        }
    }
}

/// Some readers (serde_json is one) read a long number a little wrong, so the bound is what they make of its text.
fn float_json(value: f64, side: Side) -> Option<String> {
    let mut bound = value;
    for _ in 0..8 {
        let text = serde_json::Number::from_f64(bound)?.to_string();
        let read: f64 = serde_json::from_str(&text).ok()?;
        match side {
            Side::Min if read <= value => return Some(text),
            Side::Max if read >= value => return Some(text),
            Side::Min => bound = bound.next_down(),
            Side::Max => bound = bound.next_up(),
        }
    }
    None
}

/// Other years are spelled differently by different readers.
fn common_year(year: i32) -> bool {
    (1..=9999).contains(&year)
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Parquet cuts long texts and moves the upper one up, so both are bounds. Booleans and bytes have none in Delta.
fn bounds_of(statistics: &ColumnStatistics, ty: &Type) -> Option<(Bound, Bound)> {
    match (statistics, ty) {
        (_, Type::Boolean | Type::Binary) => None,
        (ColumnStatistics::Int32(s), _) => {
            Some((Bound::Whole((*s.min_opt()?).into()), Bound::Whole((*s.max_opt()?).into())))
        }
        (ColumnStatistics::Int64(s), _) => {
            Some((Bound::Whole((*s.min_opt()?).into()), Bound::Whole((*s.max_opt()?).into())))
        }
        (ColumnStatistics::Float(s), _) => {
            Some((Bound::Float((*s.min_opt()?).into()), Bound::Float((*s.max_opt()?).into())))
        }
        (ColumnStatistics::Double(s), _) => Some((Bound::Float(*s.min_opt()?), Bound::Float(*s.max_opt()?))),
        (s, Type::String) => Some((Bound::Text(text(s.min_bytes_opt()?)?), Bound::Text(text(s.max_bytes_opt()?)?))),
        (s, Type::Decimal { .. }) => {
            Some((Bound::Whole(digits(s.min_bytes_opt()?)?), Bound::Whole(digits(s.max_bytes_opt()?)?)))
        }
        _ => None,
    }
}

fn text(bytes: &[u8]) -> Option<String> {
    String::from_utf8(bytes.to_vec()).ok()
}

/// Big-endian two's complement, as Parquet stores long decimals.
fn digits(bytes: &[u8]) -> Option<i128> {
    let (&first, rest) = bytes.split_first()?;
    if bytes.len() > 16 {
        return None;
    }
    let start = i128::from(first.cast_signed());
    Some(rest.iter().fold(start, |value, &byte| (value << 8) | i128::from(byte)))
}
