//! Why a row is refused.

use polars::prelude::{CompatLevel, IntoSeries, NamedFrom, PlSmallStr, PolarsResult, Series, StructChunked};
use polars_arrow::array::{ArrayRef, ListArray};
use polars_arrow::bitmap::Bitmap;
use polars_arrow::offset::OffsetsBuffer;

use crate::expr::{Column, Type};

use super::columns::reasons_dtype;

/// Longer values are cut in a reason; the row itself stays whole.
const MAX_CHARS: usize = 200;

/// The rule of a value that cannot be had in the contract's type.
pub(super) const TYPE: &str = "type";

/// The rule of a record that bronze could not split, or of a document that is no JSON.
pub(super) const MALFORMED: &str = "malformed";

/// One rule that a row breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reason {
    /// a column, a path within a nested one, or none where it is the row as a whole
    pub column: Option<String>,
    /// a name that docs/silver.md lists, or the fault of an expression
    pub rule: String,
    /// the value as text
    pub value: Option<String>,
}

impl Reason {
    pub(super) fn new(column: Option<String>, rule: impl Into<String>, value: Option<&str>) -> Self {
        Reason { column, rule: rule.into(), value: value.map(cut) }
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(MAX_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// `array<struct<column, rule, value>>`
pub(super) fn list_type() -> Type {
    let fields = ["column", "rule", "value"].map(|name| Column::new(name, Type::String));
    Type::Array(Box::new(Type::Struct(fields.into())))
}

/// One list per row; NULL for a row without reasons.
pub(super) fn series(name: &str, rows: &[Vec<Reason>]) -> PolarsResult<Series> {
    if rows.iter().all(Vec::is_empty) {
        return Ok(Series::full_null(name.into(), rows.len(), &reasons_dtype()));
    }
    let all: Vec<&Reason> = rows.iter().flatten().collect();
    let fields = [
        Series::new("column".into(), all.iter().map(|r| r.column.as_deref()).collect::<Vec<_>>()),
        Series::new("rule".into(), all.iter().map(|r| r.rule.as_str()).collect::<Vec<_>>()),
        Series::new("value".into(), all.iter().map(|r| r.value.as_deref()).collect::<Vec<_>>()),
    ];
    let items = StructChunked::from_series("item".into(), all.len(), fields.iter())?.into_series();
    let valid: Bitmap = rows.iter().map(|row| !row.is_empty()).collect();
    list_of(name.into(), &items, rows.iter().map(Vec::len), Some(valid))
}

/// The list column whose rows have so many of `items` each.
pub(super) fn list_of(
    name: PlSmallStr,
    items: &Series,
    lengths: impl Iterator<Item = usize>,
    valid: Option<Bitmap>,
) -> PolarsResult<Series> {
    let mut end = 0i64;
    let mut offsets = vec![0];
    for length in lengths {
        end += i64::try_from(length).unwrap_or(i64::MAX);
        offsets.push(end);
    }
    let items: ArrayRef = items.rechunk().to_arrow(0, CompatLevel::newest());
    let dtype = ListArray::<i64>::default_datatype(items.dtype().clone());
    let array = ListArray::<i64>::try_new(dtype, OffsetsBuffer::try_from(offsets)?, items, valid)?;
    Series::try_from((name, Box::new(array) as ArrayRef))
}
