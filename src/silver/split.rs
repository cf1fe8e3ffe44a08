//! A batch of judged rows, parted in good and bad.

use chrono::{DateTime, Utc};
use polars::prelude::{Column, DataFrame, DataType, NamedFrom, PolarsResult, Series};

use crate::expr::Type;

use super::columns::{
    BATCH, QUARANTINED_AT, REASONS, REFUSED_FROM, ROW, RUN_ID, SOURCE_FILE, SOURCE_ROW, SOURCE_TABLE,
};

/// Parts a batch of what [`prepare`](super::prepare) gives in the rows of the silver table
/// ([`output_columns`](super::output_columns)) and those of its quarantine
/// ([`quarantine_columns`](super::quarantine_columns), but for the last two, which [`with_run`] adds).
///
/// # Errors
/// The batch is of some other frame.
pub fn split(batch: DataFrame) -> PolarsResult<(DataFrame, DataFrame)> {
    let is_good = batch.column(REASONS)?.is_null();
    let bad = match is_good.all() {
        true => batch.clear(),
        false => batch.filter(&!&is_good)?,
    };
    let good = batch.drop_many([REASONS, ROW, REFUSED_FROM]);
    let good = match is_good.all() {
        true => good,
        false => good.filter(&is_good)?,
    };
    Ok((good, quarantined(&bad)?))
}

fn quarantined(bad: &DataFrame) -> PolarsResult<DataFrame> {
    let source_table = bad.column(REFUSED_FROM)?.clone().with_name(SOURCE_TABLE.into());
    let columns = vec![
        bad.column(BATCH)?.clone(),
        source_table,
        bad.column(SOURCE_FILE)?.clone(),
        bad.column(SOURCE_ROW)?.clone(),
        bad.column(REASONS)?.clone(),
        bad.column(ROW)?.clone(),
    ];
    DataFrame::new(bad.height(), columns)
}

/// The rows of a quarantine with the columns that say which run refused them, and when.
///
/// # Errors
/// The columns are there already.
pub fn with_run(quarantined: DataFrame, run_id: &str, at: DateTime<Utc>) -> PolarsResult<DataFrame> {
    let height = quarantined.height();
    let at = Series::new(QUARANTINED_AT.into(), vec![at.timestamp_micros(); height])
        .cast(&DataType::Int64)?
        .cast(&Type::Timestamp.to_polars())?;
    let run_id = Series::new(RUN_ID.into(), vec![run_id; height]);
    quarantined.hstack(&[Column::from(at), Column::from(run_id)])
}
