//! The columns of a silver table and of its quarantine.

use polars::prelude as pl;

use crate::expr::{Column, Columns, Type};
use crate::project::Events;

use super::reason;

pub(super) const BATCH: &str = "_batch";
pub(super) const SOURCE_TABLE: &str = "_source_table";
pub(super) const SOURCE_FILE: &str = "_source_file";
pub(super) const SOURCE_ROW: &str = "_source_row";
pub(super) const INGESTED_AT: &str = "_ingested_at";
pub(super) const MALFORMED: &str = "_malformed";
/// Null for a good row, else why it is refused.
pub(super) const REASONS: &str = "_reasons";
/// Of a refused row: the bronze row as text.
pub(super) const ROW: &str = "_row";
/// Of a refused row: the bronze table, so that a batch says it even where silver has but one source.
pub(super) const REFUSED_FROM: &str = "_refused_from";
pub(super) const QUARANTINED_AT: &str = "_quarantined_at";
pub(super) const RUN_ID: &str = "_run_id";

/// Whether `name` is one of the columns that bronze adds to those of the files.
pub(super) fn is_added_by_bronze(name: &str) -> bool {
    [BATCH, SOURCE_FILE, SOURCE_ROW, INGESTED_AT, MALFORMED].contains(&name)
}

/// The columns that say where a silver row came from; `_source_table` only where there are several bronze tables.
pub fn lineage_columns(events: &Events) -> Columns {
    let mut columns = vec![Column::new(BATCH, Type::BigInt)];
    if events.from.len() > 1 {
        columns.push(Column::new(SOURCE_TABLE, Type::String));
    }
    columns.push(Column::new(SOURCE_FILE, Type::String));
    columns.push(Column::new(SOURCE_ROW, Type::BigInt));
    columns
}

/// The columns of the silver table: what the definition gives, then lineage.
pub fn output_columns(events: &Events) -> Columns {
    events.output.iter().cloned().chain(lineage_columns(events)).collect()
}

/// The columns whose tuple decides which of the rows with one key stays (the greatest, NULL being least).
pub fn order_columns(events: &Events) -> Vec<String> {
    events.latest_by.iter().cloned().chain(lineage_columns(events).into_iter().map(|c| c.name)).collect()
}

/// The columns of a silver table's quarantine. Lineage first, since only a table's first columns have statistics.
pub fn quarantine_columns() -> Columns {
    vec![
        Column::new(BATCH, Type::BigInt),
        Column::new(SOURCE_TABLE, Type::String),
        Column::new(SOURCE_FILE, Type::String),
        Column::new(SOURCE_ROW, Type::BigInt),
        Column::new(REASONS, reason::list_type()),
        Column::new(ROW, Type::String),
        Column::new(QUARANTINED_AT, Type::Timestamp),
        Column::new(RUN_ID, Type::String),
    ]
}

/// What a row is refused for, as Polars holds it.
pub(super) fn reasons_dtype() -> pl::DataType {
    reason::list_type().to_polars()
}

/// A column by its very name: `col` would take `*` and `^…$` for patterns.
pub(super) fn column(name: &str) -> pl::Expr {
    pl::Expr::Column(name.into())
}
