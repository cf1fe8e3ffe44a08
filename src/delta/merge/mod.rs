//! MERGE as copy-on-write: files in which rows are replaced are patched or written anew without them, those with a
//! deleted row are written anew, and the source's files join the table. Decisions are made on keys, orders and hashes; no step holds whole rows.

mod bounds;
mod compare;
mod decide;
mod hashes;
mod lots;
mod matching;
mod patches;
mod rewrite;
mod rules;
mod same;
mod standing;
mod winners;

use std::sync::Arc;

pub(in crate::delta) use bounds::{Bound, Described, has_bounds};
use polars::prelude::DataFrame;
pub(in crate::delta) use same::{close, same};
pub use standing::Standing;

use self::bounds::Bounds;
use self::decide::{Decision, decide};
use self::matching::Matching;
use self::patches::Patches;
use self::rewrite::{Side, rewrite};
use self::rules::Rules;
use super::cancel::cancel;
use super::rows::{Files, Marks};
use super::{DataFile, Error, Snapshot, Table, TableSchema, evolve};
use crate::memory::Memory;

/// What to merge by.
#[derive(Clone, Debug)]
pub struct MergeSpec {
    /// NULL equals NULL. Empty, with [`Scope::All`]: the table becomes the source, as a multiset of rows.
    pub key: Vec<String>,
    /// Of several source rows with one key the one with the greatest tuple wins (NULL is less than every value), and
    /// it replaces the target's row only if its tuple is greater. `None`: a key may come once in the source, and its
    /// row always replaces.
    pub order: Option<Vec<String>>,
    /// Columns that are not compared: a row that is equal in all others is left alone.
    pub lineage: Vec<String>,
    /// A greater tuple replaces even where nothing but lineage differs. Needed when tuples may arrive out of order.
    pub lineage_counts: bool,
    /// Which target rows without a source row are deleted
    pub scope: Scope,
}

/// Which target rows without a source row are deleted.
#[derive(Clone, Debug)]
pub enum Scope {
    /// none
    None,
    /// those whose key is one of these; the columns are the key's or some of them
    Keys(DataFrame),
    /// all
    All,
}

impl Scope {
    fn deletes(&self) -> bool {
        !matches!(self, Scope::None)
    }
}

/// What became of the rows: inserted + updated + unchanged + superseded are the source's rows, and the target has
/// inserted - deleted more than before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MergeRows {
    /// source rows with a new key
    pub inserted: u64,
    /// source rows that replaced the target's
    pub updated: u64,
    /// source rows equal to the target's
    pub unchanged: u64,
    /// source rows with a greater one of the same key in source or target
    pub superseded: u64,
    /// target rows without a source row, and second rows of a key that was updated
    pub deleted: u64,
}

/// A merge whose files are written; a [`super::Change`] makes it so.
#[derive(Clone, Debug)]
pub struct Merged {
    /// files to add
    pub adds: Vec<DataFile>,
    /// files of the target to remove
    pub removes: Vec<DataFile>,
    /// what became of the rows
    pub rows: MergeRows,
}

/// Merges `source`, files that [`Table::writer`] wrote and that no commit names, into `target`, whose rows it gives
/// the shape of `schema`. Source files that are not to be committed are deleted. Nothing is committed.
///
/// # Errors
/// [`Error::Invalid`] if `spec` or `schema` do not fit, or if a key comes twice where there is no order; then, as with
/// every other error, the source's files are still there and no new ones.
pub async fn merge(
    target: Option<&Snapshot>,
    table: &Table,
    schema: &TableSchema,
    source: Vec<DataFile>,
    spec: &MergeSpec,
) -> Result<Merged, Error> {
    fits(target, table, schema)?;
    let rules = Rules::new(table.folder(), spec, &schema.columns)?;
    let theirs = target.map_or(&[][..], Snapshot::files).to_vec();
    let (ours_rows, theirs_rows) = (Files::of_table(table, schema, &source)?, Files::of_table(table, schema, &theirs)?);
    let judged = tokio::task::spawn_blocking({
        let (source, target, rules) = (ours_rows.clone(), theirs_rows.clone(), rules.clone());
        let (columns, theirs, memory) = (schema.columns.clone(), theirs.clone(), table.lake().memory());
        move || judge(&source, &target, &theirs, &rules, (&columns, memory))
    });
    let (mut decision, candidates) = judged.await.map_err(|error| Error::Query(error.to_string()))??;
    let theirs: Vec<DataFile> = candidates.iter().map(|&file| theirs[file].clone()).collect();
    let theirs_rows = theirs_rows.only(&candidates);
    let patches = Patches::plan(&mut decision, table, schema, &rules, &source, &theirs).await?;
    let patched = patches.carry_out(table, &ours_rows, &theirs_rows).await?;
    let ours = Side { files: source, rows: ours_rows, gone: Arc::new(decision.left_out) };
    let theirs = Side { files: theirs, rows: theirs_rows, gone: Arc::new(decision.removed) };
    let rewritten = match rewrite(table, schema, ours, theirs).await {
        Ok(rewritten) => rewritten,
        Err(error) => {
            table.remove_uncommitted(&patched.adds).await?;
            return Err(error);
        }
    };
    if let Err(error) = table.remove_uncommitted(&rewritten.unused).await {
        tracing::warn!(table = table.folder(), %error, "could not delete files that no commit names");
    }
    let adds = [rewritten.adds, patched.adds].concat();
    let removes = [rewritten.removes, patched.removes].concat();
    Ok(Merged { adds, removes, rows: decision.rows })
}

/// Decides about all rows; the marks on the target's rows count the candidates only, whose numbers come along.
fn judge(
    source: &Files,
    target: &Files,
    described: &[DataFile],
    rules: &Rules,
    (columns, memory): (&[crate::expr::Column], Memory),
) -> Result<(Decision, Vec<usize>), Error> {
    let source_rows = source.counts()?.iter().sum();
    if source_rows == 0 && !rules.scope.deletes() {
        return Ok((Decision::default(), Vec::new()));
    }
    let all: Vec<usize> = (0..target.len()).collect();
    let (decision, candidates) = if rules.key.is_empty() {
        (replace(source, target, rules, columns, memory)?, all)
    } else {
        let losers = winners::losers(source, source_rows, rules, memory)?;
        let candidates = if matches!(rules.scope, Scope::All) { all } else { candidates(source, described, rules)? };
        let target_rows = candidates.iter().map(|&file| described[file].rows().unwrap_or(u64::from(u32::MAX))).sum();
        let matching = Matching::new(source_rows, target_rows, rules, memory);
        (decide(source, source_rows, losers, &target.only(&candidates), rules, matching)?, candidates)
    };
    decision.check(&rules.table, source_rows)?;
    Ok((decision, candidates))
}

/// The target's files that may hold a key of the source or of the scope.
fn candidates(source: &Files, described: &[DataFile], rules: &Rules) -> Result<Vec<usize>, Error> {
    if described.is_empty() {
        return Ok(Vec::new());
    }
    let mut bounds = vec![Bounds::of_source(source, rules)?];
    if let Scope::Keys(keys) = &rules.scope {
        bounds.push(Bounds::of_keys(keys, rules)?);
    }
    let may_hold = |file: &DataFile| bounds.iter().any(|bounds| bounds.may_hold(Described::from(file)));
    Ok((0..described.len()).filter(|&file| may_hold(&described[file])).collect())
}

/// Without a key rows are the same or not; there is no update.
fn replace(
    source: &Files,
    target: &Files,
    rules: &Rules,
    columns: &[crate::expr::Column],
    memory: Memory,
) -> Result<Decision, Error> {
    let compared: Vec<crate::expr::Column> =
        columns.iter().filter(|column| !rules.lineage.contains(&column.name)).cloned().collect();
    let rest = cancel(target, source, &compared, memory)?;
    let source_rows = source.counts()?;
    let mut left_out = Marks::all(&source_rows);
    left_out.subtract(&rest.right);
    let rows = MergeRows {
        inserted: rest.right.total(),
        unchanged: left_out.total(),
        deleted: rest.left.total(),
        ..MergeRows::default()
    };
    Ok(Decision { left_out, removed: Arc::unwrap_or_clone(rest.left), rows, ..Decision::default() })
}

/// Rows of the target that are written anew get the shape of `schema`, so it must have room for all of theirs.
fn fits(target: Option<&Snapshot>, table: &Table, schema: &TableSchema) -> Result<(), Error> {
    let Some(target) = target else { return Ok(()) };
    evolve::check(table.folder(), target.schema(), schema)
}

#[cfg(test)]
mod tests;
