//! Two files of equal length, compared value by value without hashes.

use std::ops::Range;

use polars::prelude::{Column as Values, DataFrame, Expr, PolarsResult, col, lit};

use super::{HASH, RIGHT, Row, SECOND};
use crate::delta::rows::{Files, POSITION, collect, hash};
use crate::expr::Column;

/// Those of the `rows` of both files that differ from the one at their place in the other.
pub(super) fn unequal_in_place(
    left: &Files,
    ours: usize,
    right: &Files,
    theirs: usize,
    columns: &[Column],
    rows: Range<u32>,
) -> PolarsResult<(Vec<Row>, Vec<Row>)> {
    let names = |side: &str| -> Vec<String> { (0..columns.len()).map(|i| format!("{side}{i}")).collect() };
    let renamed = |names: &[String]| -> Vec<Expr> {
        columns
            .iter()
            .zip(names)
            .map(|(column, name)| Expr::Column(column.name.as_str().into()).alias(name.as_str()))
            .collect()
    };
    let (old, new) = (names("left"), names("right"));
    let rows = left.beside(ours, &renamed(&old), (right, theirs), &renamed(&new), rows)?;
    let differs = old.iter().zip(&new).map(|(old, new)| col(old.as_str()).neq_missing(col(new.as_str())));
    let differs = differs.reduce(Expr::or).unwrap_or_else(|| lit(false));
    let hashed = |names: &[String], side: &str| {
        [hash(names, 11).alias(format!("{HASH}{side}")), hash(names, 13).alias(format!("{SECOND}{side}"))]
    };
    let select = [&[col(POSITION)][..], &hashed(&old, ""), &hashed(&new, "right")].concat();
    let rows = collect(rows.filter(differs).select(select))?;
    Ok((side(&rows, "", (ours as u64) << 32)?, side(&rows, "right", RIGHT | (theirs as u64) << 32)?))
}

fn side(rows: &DataFrame, side: &str, file: u64) -> PolarsResult<Vec<Row>> {
    let numbers = |name: &str| rows.column(name).map(Values::as_materialized_series)?.u64().cloned();
    let (hash, second) = (numbers(&format!("{HASH}{side}"))?, numbers(&format!("{SECOND}{side}"))?);
    let positions = numbers(POSITION)?;
    let rows = hash.into_no_null_iter().zip(second.into_no_null_iter()).zip(positions.into_no_null_iter());
    Ok(rows.map(|((hash, second), row)| (hash, second, file | row)).collect())
}
