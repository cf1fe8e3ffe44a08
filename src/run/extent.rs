//! How much of a derived table is to be computed anew.

use std::collections::BTreeMap;

use polars::prelude::*;

use super::anew::Rows;
use super::error::{Error, Result};
use super::look::Seen;
use super::stream;
use crate::delta::{self, At, DataFile, FileDiff, Snapshot, TableSchema};
use crate::expr::{Column, Columns};
use crate::gold::{self, Change, Input, Strategy};
use crate::name::TableName;
use crate::plan::Decision;
use crate::project::{Definition, Derived, OnChange, Project};

/// Rows in differing files that are looked through whatever the size of the inputs.
const SMALL_DIFFERENCE: u64 = 1_000_000;

/// What is to be computed anew.
pub enum Extent {
    /// nothing: only the watermarks move
    Nothing,
    /// the groups of these keys
    Groups(DataFrame),
    /// all of it
    All,
}

/// The tables that a derived table reads, each pinned at one version.
pub struct Inputs<'a> {
    derived: &'a Derived,
    pinned: Vec<Pinned<'a>>,
}

struct Pinned<'a> {
    table: &'a TableName,
    new: &'a Snapshot,
    /// those that count
    columns: Columns,
}

/// The version of an input that was last computed from.
struct Old {
    snapshot: Snapshot,
    /// those that tell it from the pinned version
    files: FileDiff,
}

impl<'a> Inputs<'a> {
    /// # Errors
    /// An input in the lake does not have the columns that its definition gives it now.
    pub fn new(
        project: &Project,
        name: &TableName,
        derived: &'a Derived,
        snapshots: &'a BTreeMap<TableName, Snapshot>,
    ) -> Result<Self> {
        let pinned = snapshots.iter().map(|(table, new)| {
            Ok(Pinned { table, new, columns: fitting(project, (name, derived), table, new.schema())? })
        });
        Ok(Inputs { derived, pinned: pinned.collect::<Result<_>>()? })
    }

    /// The inputs as they are.
    pub fn whole(&self) -> Result<Vec<Input>> {
        self.pinned.iter().map(|pinned| pinned.input(None)).collect()
    }

    /// What is to be computed anew, and why.
    pub async fn extent(&self, seen: &Seen) -> Result<(Extent, String)> {
        let news = seen.reason();
        let (Decision::Advance { from, .. }, Some(own)) = (&seen.decision, &seen.own) else {
            return Ok((Extent::All, news));
        };
        let olds = match self.olds(from).await? {
            Ok(olds) => olds,
            Err(why) => return Ok((Extent::All, format!("{news}; full: {why}"))),
        };
        if olds.values().all(|old| old.files.is_empty()) {
            return Ok((Extent::Nothing, format!("{news}, whose rows are the same")));
        }
        if let Strategy::Full { why } = gold::strategy(self.derived) {
            return Ok((Extent::All, format!("{news}; full: {why}")));
        }
        if self.costs_more_than_all(&olds) {
            return Ok((Extent::All, format!("{news}; full: most of its files are new")));
        }
        // What changed may no longer be there to be read, since files that a table has left are deleted some day.
        let keys = match self.touched(&olds).await {
            Ok(keys) => keys,
            Err(error) => {
                let why = format!("{news}; full: what changed cannot be told ({error})");
                tracing::warn!(%why, "all of the table is computed anew");
                return Ok((Extent::All, why));
            }
        };
        let (touched, groups) = (keys.height() as u64, own.rows().unwrap_or(0));
        Ok(match touched {
            0 => (Extent::Nothing, format!("{news}; incremental: 0 of {groups} groups")),
            2.. if touched * 2 > groups => {
                (Extent::All, format!("{news}; full: {touched} of {groups} groups are touched"))
            }
            _ => (Extent::Groups(keys), format!("{news}; incremental: {touched} of {groups} groups")),
        })
    }

    /// The versions last computed from of the inputs that have news; or why they cannot be compared.
    async fn olds(
        &self,
        from: &BTreeMap<TableName, Option<i64>>,
    ) -> Result<std::result::Result<BTreeMap<&TableName, Old>, String>> {
        let mut olds = BTreeMap::new();
        for pinned in &self.pinned {
            let table = pinned.table;
            let watermark = match from.get(table) {
                None => continue,
                Some(None) => return Ok(Err(format!("`{table}` is another table than before"))),
                Some(Some(watermark)) => *watermark,
            };
            let old = match pinned.new.table().snapshot_at(&At::Version(watermark)).await {
                Ok(old) => old,
                Err(delta::Error::Gone { .. }) => {
                    return Ok(Err(format!("`{table}@{watermark}` can no longer be read")));
                }
                Err(error) => return Err(error.into()),
            };
            if !pinned.columns.iter().all(|column| old.schema().columns.contains(column)) {
                return Ok(Err(format!("`{table}@{watermark}` has other columns")));
            }
            let files = delta::file_diff(&old, pinned.new).await?;
            olds.insert(table, Old { snapshot: old, files });
        }
        Ok(Ok(olds))
    }

    /// Whether the files that differ hold more rows than the inputs themselves, so that finding out what changed costs
    /// more than computing all of it. Not asked of what is small anyway.
    fn costs_more_than_all(&self, olds: &BTreeMap<&TableName, Old>) -> bool {
        let rows = |files: &[DataFile]| files.iter().filter_map(DataFile::rows).sum::<u64>();
        let differing: u64 = olds.values().map(|old| rows(&old.files.removed) + rows(&old.files.added)).sum();
        let all: u64 = self.pinned.iter().map(|pinned| rows(pinned.new.files())).sum();
        differing > SMALL_DIFFERENCE && differing > all
    }

    /// The keys of the groups that the changes touch.
    async fn touched(&self, olds: &BTreeMap<&TableName, Old>) -> Result<DataFrame> {
        let mut inputs = Vec::new();
        for pinned in &self.pinned {
            let change = match olds.get(pinned.table) {
                Some(old) => Some(pinned.change(&old.snapshot).await?),
                None => None,
            };
            inputs.push(pinned.input(change)?);
        }
        let keys = gold::touched_keys(self.derived, &inputs)?;
        tokio::task::spawn_blocking(move || stream::collect(keys)).await?
    }
}

impl Pinned<'_> {
    fn input(&self, change: Option<Change>) -> Result<Input> {
        Ok(Input { change, ..input(self.table, &self.columns, &Rows::from(self.new))? })
    }

    /// What changed since `old`, which has all columns that count.
    async fn change(&self, old: &Snapshot) -> Result<Change> {
        let names: Vec<String> = self.columns.iter().map(|column| column.name.clone()).collect();
        let diff = delta::row_diff(old, self.new, Some(&names)).await?;
        let select: Vec<Expr> = names.iter().map(|name| col(name.as_str())).collect();
        Ok(Change { old: old.scan()?.select(select), removed: diff.removed, added: diff.added })
    }
}

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
fn input(table: &TableName, columns: &Columns, rows: &Rows) -> Result<Input> {
    let select: Vec<Expr> = columns
        .iter()
        .map(|column| match rows.schema.ty(&column.name) {
            Some(_) => col(column.name.as_str()),
            None => lit(Scalar::null(column.ty.to_polars())).alias(column.name.as_str()),
        })
        .collect();
    Ok(Input { table: table.clone(), columns: columns.clone(), new: rows.scan()?.select(select), change: None })
}

/// The columns of an input that count: all but lineage or, of a table that is only joined, what the join uses.
fn columns(project: &Project, derived: &Derived, table: &TableName) -> Columns {
    let all = match project.tables.get(table).map(|t| &t.definition) {
        Some(Definition::Silver(events)) => events.output.clone(),
        Some(Definition::Gold(derived)) => derived.output.clone(),
        _ => Vec::new(),
    };
    match gold::columns_read(derived, table) {
        Some(read) => all.into_iter().filter(|c| read.contains(&c.name)).collect(),
        None => all,
    }
}

/// The columns of an input that count, as a table of the lake has them. It may be behind its definition: when it was not
/// run with those below it, when it is on hold, or by `forward_only`, where a new column is NULL in all rows that are
/// there. A column that makes no difference need not be there.
fn fitting(
    project: &Project,
    (name, derived): (&TableName, &Derived),
    table: &TableName,
    found: &TableSchema,
) -> Result<Columns> {
    let all = columns(project, derived, table);
    let on_change = project.tables.get(table).and_then(|t| t.definition.on_change());
    let fits = |column: &Column| match found.ty(&column.name) {
        Some(ty) => *ty == column.ty,
        None => on_change == Some(OnChange::ForwardOnly),
    };
    if all.iter().all(fits) {
        return Ok(all);
    }
    let needed = gold::columns_needed(derived, table);
    let is_needed = |column: &Column| needed.as_ref().is_none_or(|needed| needed.contains(&column.name));
    let needed: Columns = all.into_iter().filter(is_needed).collect();
    let Some(column) = needed.iter().find(|column| !fits(column)) else { return Ok(needed) };
    let was = found.ty(&column.name).map_or("not there".to_string(), ToString::to_string);
    Err(Error::Refused(format!(
        "`{name}` reads `{}` of `{table}` as {}, and in the lake it is {was}: `{table}` follows an earlier definition. \
         Bring it up to date first: lakesmith run +{name}; if it is on hold: lakesmith restore {table} --release",
        column.name, column.ty
    )))
}
