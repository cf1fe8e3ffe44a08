//! Which files may hold a key, by the statistics in the log. What cannot be told counts as "may".

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate};
use polars::prelude::{AnyValue, DataFrame, Expr, IntoLazy, LazyFrame, PolarsResult, TimeUnit, col};
use serde_json::{Map, Value};

use super::rules::Rules;
use crate::delta::DataFile;
use crate::delta::rows::{Files, Keep, collect};
use crate::expr::{Column, Type};

/// Writers may cut text in statistics at 32 characters and round the cut one up as they see fit, so only shorter texts
/// are sure to be whole.
const WHOLE_TEXT: usize = 32;

/// Writers cut timestamps in statistics to milliseconds, some of them toward zero.
const CUT_MICROS: i64 = 1_000;

/// A value whose statistics can be trusted to the last digit, or that they are made wider for. Decimals and doubles
/// (JSON numbers) cannot be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::delta) enum Bound {
    Integer(i64),
    Text(String),
}

/// Between which values the keys lie in one column.
#[derive(Clone, Debug)]
struct Range {
    column: String,
    ty: Type,
    /// `None`: every key is NULL here
    values: Option<(Bound, Bound)>,
    nulls: bool,
}

/// Where some keys lie: no key is outside any of the ranges.
#[derive(Clone, Debug)]
pub(super) struct Bounds(Vec<Range>);

/// What the log says of a file.
#[derive(Clone, Copy)]
pub(in crate::delta) struct Described<'a> {
    pub statistics: &'a Map<String, Value>,
    pub partition_values: &'a BTreeMap<String, Option<String>>,
}

/// Between which values one column of a file lies. A bound that is not known is open.
pub(in crate::delta) struct Extremes {
    pub least: Option<Bound>,
    pub greatest: Option<Bound>,
    /// whether it may hold NULL
    pub nulls: bool,
    /// whether it may hold anything else
    pub values: bool,
}

impl<'a> From<&'a DataFile> for Described<'a> {
    fn from(file: &'a DataFile) -> Self {
        Described { statistics: file.statistics(), partition_values: file.partition_values() }
    }
}

impl Described<'_> {
    /// Of a column whose type [`has_bounds`].
    pub(in crate::delta) fn extremes(self, column: &str, ty: &Type) -> Extremes {
        if let Some(value) = self.partition_values.get(column) {
            // The protocol reads an empty text as NULL.
            let text = value.as_deref().filter(|text| !text.is_empty());
            let bound = text.filter(|_| *ty != Type::Timestamp).and_then(|text| from_text(text, ty));
            return Extremes { least: bound.clone(), greatest: bound, nulls: text.is_none(), values: text.is_some() };
        }
        let of_column = |side: &str| self.statistics.get(side).and_then(|columns| columns.get(column));
        let nulls = of_column("nullCount").and_then(Value::as_u64);
        let rows = self.statistics.get("numRecords").and_then(Value::as_u64);
        let bound = |side| of_column(side).and_then(|value| from_json(value, ty));
        let (mut least, mut greatest) = (bound("minValues"), bound("maxValues").filter(whole));
        if *ty == Type::Timestamp {
            least = least.map(|bound| bound.moved(-CUT_MICROS));
            greatest = greatest.map(|bound| bound.moved(CUT_MICROS));
        }
        Extremes { least, greatest, nulls: nulls != Some(0), values: nulls.is_none() || nulls != rows }
    }
}

impl Bound {
    fn moved(self, by: i64) -> Self {
        match self {
            Bound::Integer(value) => Bound::Integer(value.saturating_add(by)),
            text @ Bound::Text(_) => text,
        }
    }
}

impl Bounds {
    /// The bounds of all keys of the source.
    pub(super) fn of_source(source: &Files, rules: &Rules) -> PolarsResult<Self> {
        Self::read(&rules.key, |columns| source.narrow(columns, Keep::All))
    }

    /// The bounds of keys at hand, which may have some columns of the key only.
    pub(super) fn of_keys(keys: &DataFrame, rules: &Rules) -> PolarsResult<Self> {
        let known: Vec<Column> = rules.key.iter().filter(|column| keys.column(&column.name).is_ok()).cloned().collect();
        Self::read(&known, |columns| Ok(keys.clone().lazy().select(columns)))
    }

    fn read(key: &[Column], keys: impl Fn(&[Expr]) -> PolarsResult<LazyFrame>) -> PolarsResult<Self> {
        let columns: Vec<&Column> = key.iter().filter(|column| has_bounds(&column.ty)).collect();
        if columns.is_empty() {
            return Ok(Bounds(Vec::new()));
        }
        let narrow = columns.iter().enumerate().map(|(i, column)| col(column.name.as_str()).alias(format!("{i}")));
        let extremes = collect(keys(&narrow.collect::<Vec<_>>())?.select(extremes(columns.len())))?;
        let value = |name: String| -> PolarsResult<_> { Ok(extremes.column(&name)?.get(0)?.into_static()) };
        let range = |(i, column): (usize, &&Column)| {
            let (least, greatest) = (value(format!("least{i}"))?, value(format!("greatest{i}"))?);
            let nulls = value(format!("nulls{i}"))?.try_extract::<u64>()? > 0;
            let values = to_bound(&least).zip(to_bound(&greatest));
            // what has no bound must not look as if there were only NULLs
            let told = values.is_some() || least.is_null();
            Ok(told.then(|| Range { column: column.name.clone(), ty: column.ty.clone(), values, nulls }))
        };
        let ranges: Vec<Option<Range>> = columns.iter().enumerate().map(range).collect::<PolarsResult<_>>()?;
        Ok(Bounds(ranges.into_iter().flatten().collect()))
    }

    /// Whether the file may hold a key within the bounds.
    pub(super) fn may_hold(&self, file: Described) -> bool {
        self.0.iter().all(|range| range.may_hold(file))
    }
}

impl Range {
    fn may_hold(&self, file: Described) -> bool {
        let of_file = file.extremes(&self.column, &self.ty);
        let meets = || self.meets(of_file.least.as_ref(), of_file.greatest.as_ref());
        (self.nulls && of_file.nulls) || (of_file.values && meets())
    }

    /// Whether the range and the one from `least` to `greatest` have a value in common; `None` is open.
    fn meets(&self, least: Option<&Bound>, greatest: Option<&Bound>) -> bool {
        let Some((from, to)) = &self.values else { return false };
        least.is_none_or(|least| least <= to) && greatest.is_none_or(|greatest| from <= greatest)
    }
}

/// Whether the log tells between which values a column of this type lies.
pub(in crate::delta) fn has_bounds(ty: &Type) -> bool {
    ty.is_integer() || matches!(ty, Type::String | Type::Date | Type::Timestamp)
}

fn extremes(columns: usize) -> Vec<Expr> {
    let of = |i: usize| {
        let column = col(format!("{i}"));
        [
            column.clone().min().alias(format!("least{i}")),
            column.clone().max().alias(format!("greatest{i}")),
            column.null_count().alias(format!("nulls{i}")),
        ]
    };
    (0..columns).flat_map(of).collect()
}

fn to_bound(value: &AnyValue) -> Option<Bound> {
    match value {
        AnyValue::Null => None,
        AnyValue::String(text) => Some(Bound::Text((*text).into())),
        AnyValue::StringOwned(text) => Some(Bound::Text(text.to_string())),
        AnyValue::Date(days) => Some(Bound::Integer(i64::from(*days))),
        AnyValue::Datetime(micros, TimeUnit::Microseconds, _) => Some(Bound::Integer(*micros)),
        AnyValue::DatetimeOwned(micros, TimeUnit::Microseconds, _) => Some(Bound::Integer(*micros)),
        AnyValue::Datetime(..) | AnyValue::DatetimeOwned(..) => None,
        other => other.try_extract().ok().map(Bound::Integer),
    }
}

fn from_json(value: &Value, ty: &Type) -> Option<Bound> {
    match ty {
        ty if ty.is_integer() => value.as_i64().map(Bound::Integer),
        _ => from_text(value.as_str()?, ty),
    }
}

fn from_text(text: &str, ty: &Type) -> Option<Bound> {
    match ty {
        ty if ty.is_integer() => text.parse().ok().map(Bound::Integer),
        Type::Date => {
            let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
            Some(Bound::Integer(date.signed_duration_since(NaiveDate::default()).num_days()))
        }
        Type::Timestamp => Some(Bound::Integer(DateTime::parse_from_rfc3339(text).ok()?.timestamp_micros())),
        Type::String => Some(Bound::Text(text.into())),
        _ => None,
    }
}

fn whole(bound: &Bound) -> bool {
    !matches!(bound, Bound::Text(text) if text.chars().count() >= WHOLE_TEXT)
}
