//! What a derived table reads of its inputs.

use std::collections::BTreeMap;

use polars::prelude::{Expr, Scalar, col, lit};

use crate::delta::TableSchema;
use crate::expr::{Column, Columns};
use crate::gold::{self, Input};
use crate::name::TableName;
use crate::project::{Definition, Derived, OnChange, Project};
use crate::run::anew::Rows;
use crate::run::error::{Error, Result};

/// The inputs of a derived table, as these rows have them.
///
/// # Errors
/// Rows do not have the columns that their table's definition gives them now.
pub fn whole(
    project: &Project,
    name: &TableName,
    derived: &Derived,
    inputs: &BTreeMap<TableName, Rows>,
) -> Result<Vec<Input>> {
    let whole =
        inputs.iter().map(|(table, rows)| input(table, &fitting(project, (name, derived), table, &rows.schema)?, rows));
    whole.collect()
}

/// A column that the rows do not have yet is NULL.
pub(super) fn input(table: &TableName, columns: &Columns, rows: &Rows) -> Result<Input> {
    let select: Vec<Expr> = columns
        .iter()
        .map(|column| match rows.schema.ty(&column.name) {
            Some(_) => col(column.name.as_str()),
            None => lit(Scalar::null(column.ty.to_polars())).alias(column.name.as_str()),
        })
        .collect();
    Ok(Input { table: table.clone(), columns: columns.clone(), new: rows.scan()?.select(select), change: None })
}

/// The columns of an input that make a difference, as a table of the lake has them. It may be behind its definition:
/// when it was not run with those below it, when it is on hold, or by `forward_only`, where a new column is NULL in all
/// rows that are there.
pub(super) fn fitting(
    project: &Project,
    (name, derived): (&TableName, &Derived),
    table: &TableName,
    found: &TableSchema,
) -> Result<Columns> {
    let needed = needed(project, derived, table);
    let on_change = project.tables.get(table).and_then(|t| t.definition.on_change());
    let fits = |column: &Column| match found.ty(&column.name) {
        Some(ty) => *ty == column.ty,
        None => on_change == Some(OnChange::ForwardOnly),
    };
    let Some(column) = needed.iter().find(|column| !fits(column)) else { return Ok(needed) };
    let was = found.ty(&column.name).map_or("not there".to_string(), ToString::to_string);
    Err(Error::Refused(format!(
        "`{name}` reads `{}` of `{table}` as {}, and in the lake it is {was}: `{table}` follows an earlier definition. \
         Bring it up to date first: lakesmith run +{name}; if it is on hold: lakesmith restore {table} --release",
        column.name, column.ty
    )))
}

/// Not lineage. Where rows are only counted, one column says how many there are.
fn needed(project: &Project, derived: &Derived, table: &TableName) -> Columns {
    let all = match project.tables.get(table).map(|t| &t.definition) {
        Some(Definition::Silver(events)) => events.output.clone(),
        Some(Definition::Gold(derived)) => derived.output.clone(),
        _ => Vec::new(),
    };
    let Some(names) = gold::columns_needed(derived, table) else { return all };
    let any = all.first().cloned();
    let needed: Columns = all.into_iter().filter(|column| names.contains(&column.name)).collect();
    if needed.is_empty() { any.into_iter().collect() } else { needed }
}
