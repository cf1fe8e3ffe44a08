//! Which files may hold a key, by the statistics in the log. What cannot be told counts as "may".

use std::collections::BTreeMap;

use chrono::NaiveDate;
use polars::prelude::{AnyValue, DataFrame, Expr, IntoLazy, LazyFrame, PolarsResult, col};
use serde_json::{Map, Value};

use super::rules::Rules;
use crate::delta::rows::{Files, Keep, collect};
use crate::expr::{Column, Type};

/// Writers may cut text in statistics at 32 characters and round the cut one up as they see fit, so only shorter texts
/// are sure to be whole.
const WHOLE_TEXT: usize = 32;

/// A value whose statistics can be trusted to the last digit. Timestamps (cut to milliseconds), decimals and doubles
/// (JSON numbers) are not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Bound {
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
pub(super) struct Described<'a> {
    pub statistics: &'a Map<String, Value>,
    pub partition_values: &'a BTreeMap<String, Option<String>>,
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
            Ok(Range { column: column.name.clone(), ty: column.ty.clone(), values, nulls })
        };
        columns.iter().enumerate().map(range).collect::<PolarsResult<_>>().map(Bounds)
    }

    /// Whether the file may hold a key within the bounds.
    pub(super) fn may_hold(&self, file: Described) -> bool {
        self.0.iter().all(|range| range.may_hold(file))
    }
}

impl Range {
    fn may_hold(&self, file: Described) -> bool {
        if let Some(value) = file.partition_values.get(&self.column) {
            // The protocol reads an empty text as NULL.
            return match value.as_deref().filter(|text| !text.is_empty()) {
                None => self.nulls,
                Some(text) => from_text(text, &self.ty).is_none_or(|bound| self.meets(Some(&bound), Some(&bound))),
            };
        }
        let of_column = |side: &str| file.statistics.get(side).and_then(|columns| columns.get(&self.column));
        let nulls = of_column("nullCount").and_then(Value::as_u64);
        let rows = file.statistics.get("numRecords").and_then(Value::as_u64);
        let has_values = nulls.is_none() || nulls != rows;
        let least = of_column("minValues").and_then(|value| from_json(value, &self.ty));
        let greatest = of_column("maxValues").and_then(|value| from_json(value, &self.ty)).filter(whole);
        let has_nulls = nulls != Some(0);
        (self.nulls && has_nulls) || (has_values && self.meets(least.as_ref(), greatest.as_ref()))
    }

    /// Whether the range and the one from `least` to `greatest` have a value in common; `None` is open.
    fn meets(&self, least: Option<&Bound>, greatest: Option<&Bound>) -> bool {
        let Some((from, to)) = &self.values else { return false };
        least.is_none_or(|least| least <= to) && greatest.is_none_or(|greatest| from <= greatest)
    }
}

fn has_bounds(ty: &Type) -> bool {
    ty.is_integer() || matches!(ty, Type::String | Type::Date)
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
        Type::String => Some(Bound::Text(text.into())),
        _ => None,
    }
}

fn whole(bound: &Bound) -> bool {
    !matches!(bound, Bound::Text(text) if text.chars().count() >= WHOLE_TEXT)
}
