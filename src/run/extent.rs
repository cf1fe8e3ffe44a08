//! How much of a derived table is to be computed anew.

mod columns;
mod cost;

use std::collections::BTreeMap;

use polars::prelude::*;

pub use self::columns::whole;
use self::columns::{fitting, input};
use super::anew::Rows;
use super::error::Result;
use super::look::Seen;
use super::protocol::table_state;
use super::stream;
use crate::delta::{self, At, DataFile, FileDiff, Snapshot};
use crate::expr::Columns;
use crate::gold::{self, Added, Addition, Change, Input, Strategy};
use crate::name::TableName;
use crate::plan::{Decision, went_back};
use crate::project::{Derived, Project};

/// What is to be computed anew.
pub enum Extent {
    /// nothing: only the watermarks move
    Nothing,
    /// the groups of these keys
    Groups(DataFrame),
    /// next to nothing: what the groups are now follows from what they were
    Added(Added),
    /// all of it
    All,
}

/// The tables that a derived table reads, each pinned at one version.
pub struct Inputs<'a> {
    name: &'a TableName,
    derived: &'a Derived,
    pinned: Vec<Pinned<'a>>,
    /// the marks of the versions that were last computed from, by the inputs' ids
    read: BTreeMap<String, i64>,
}

struct Pinned<'a> {
    table: &'a TableName,
    new: &'a Snapshot,
    /// those without which the table cannot be computed
    columns: Columns,
}

/// What is known of a change before any row is read.
enum Foreseen<'a> {
    /// the rows are the same
    Same,
    /// all is to be computed anew: why
    Full(String),
    /// all is to be computed anew, for commits of an input were lost
    Lost(String),
    /// the rows that differ tell
    Compared(BTreeMap<&'a TableName, Old>),
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
        name: &'a TableName,
        derived: &'a Derived,
        snapshots: &'a BTreeMap<TableName, Snapshot>,
    ) -> Result<Self> {
        let pinned = snapshots.iter().map(|(table, new)| {
            Ok(Pinned { table, new, columns: fitting(project, (name, derived), table, new.schema())? })
        });
        Ok(Inputs { name, derived, pinned: pinned.collect::<Result<_>>()?, read: BTreeMap::new() })
    }

    /// Which versions the table, as it is, was computed from.
    pub fn since(mut self, own: Option<&Snapshot>) -> Self {
        self.read = own.map(|own| table_state(own).read).unwrap_or_default();
        self
    }

    /// Whether a version has only the number of the one that was computed from.
    fn is_other(&self, old: &Snapshot) -> bool {
        let read = self.read.get(old.table_id()).copied();
        old.head().mark().zip(read).is_some_and(|(mark, read)| mark != read)
    }

    /// The inputs as they are.
    pub fn whole(&self) -> Result<Vec<Input>> {
        self.pinned.iter().map(|pinned| pinned.input(None)).collect()
    }

    /// The inputs without the files that the log proves to have no row of the groups `touched`.
    pub fn of_groups(&self, touched: &DataFrame) -> Result<Vec<Input>> {
        self.pinned.iter().map(|pinned| pinned.of_groups(self.derived, touched)).collect()
    }

    /// What is to be computed anew, and why.
    pub async fn extent(&self, seen: &Seen) -> Result<(Extent, String)> {
        let news = seen.reason();
        let (Decision::Advance { from, mixed }, Some(own)) = (&seen.decision, &seen.own) else {
            return Ok((Extent::All, news));
        };
        let olds = match self.foresee(from, *mixed).await? {
            Foreseen::Same => return Ok((Extent::Nothing, format!("{news}, whose rows are the same"))),
            Foreseen::Full(why) => return Ok((Extent::All, format!("{news}; full: {why}"))),
            Foreseen::Lost(why) => {
                tracing::warn!("{why}; all of `{}` is computed anew", self.name);
                return Ok((Extent::All, format!("{news}; full: {why}")));
            }
            Foreseen::Compared(olds) => olds,
        };
        // What changed may no longer be there to be read, since files that a table has left are deleted some day.
        Ok(match self.compare(&olds, own, *mixed).await {
            Ok((extent, how)) => (extent, format!("{news}; {how}")),
            Err(error) => {
                let why = format!("{news}; full: what changed cannot be told ({error})");
                tracing::warn!(%why, "all of the table is computed anew");
                (Extent::All, why)
            }
        })
    }

    /// Why all of the table is to be computed anew, if that is known before any row is read.
    pub async fn full(&self, from: &BTreeMap<TableName, Option<i64>>, mixed: bool) -> Result<Option<String>> {
        Ok(match self.foresee(from, mixed).await? {
            Foreseen::Full(why) | Foreseen::Lost(why) => Some(why),
            Foreseen::Same | Foreseen::Compared(_) => None,
        })
    }

    /// What the log tells, and footers of files where it says that much differs, before any row is read.
    async fn foresee(&self, from: &BTreeMap<TableName, Option<i64>>, mixed: bool) -> Result<Foreseen<'_>> {
        let olds = match self.olds(from).await? {
            Ok(olds) => olds,
            Err(foreseen) => return Ok(foreseen),
        };
        if olds.values().all(|old| old.files.is_empty()) {
            return Ok(Foreseen::Same);
        }
        if let Strategy::Full { why } = gold::strategy(self.derived) {
            return Ok(Foreseen::Full(why));
        }
        let rows = |files: &[DataFile]| files.iter().filter_map(DataFile::rows).sum::<u64>();
        let differing = olds.values().map(|old| rows(&old.files.removed) + rows(&old.files.added)).sum();
        let all = self.pinned.iter().map(|pinned| rows(pinned.new.files())).sum();
        let reread = if self.addition(&olds, mixed).is_some() { cost::Reread::No } else { cost::Reread::Groups };
        let Some(full) = cost::too_much(differing, all, reread) else { return Ok(Foreseen::Compared(olds)) };
        let full = match self.uncertain(&olds).await {
            Ok(Some(rows)) => cost::too_much(rows, all, reread),
            Ok(None) => Some(full),
            Err(error) => {
                tracing::debug!(%error, "how much of the files is the same cannot be told");
                Some(full)
            }
        };
        Ok(full.map_or(Foreseen::Compared(olds), Foreseen::Full))
    }

    /// How many rows of the differing files are likely to be compared one by one.
    async fn uncertain(&self, olds: &BTreeMap<&TableName, Old>) -> Result<Option<u64>> {
        let mut rows = 0;
        for pinned in &self.pinned {
            let Some(old) = olds.get(pinned.table) else { continue };
            match delta::uncertain_rows(&old.snapshot, pinned.new, &old.files, &pinned.names()).await? {
                Some(more) => rows += more,
                None => return Ok(None),
            }
        }
        Ok(Some(rows))
    }

    /// A table that follows two definitions holds groups that today's would not have given.
    fn addition(&self, olds: &BTreeMap<&TableName, Old>, mixed: bool) -> Option<Addition<'_>> {
        let changed: Vec<&TableName> = olds.iter().filter(|(_, old)| !old.files.is_empty()).map(|(t, _)| *t).collect();
        Addition::of(self.derived, &changed).filter(|_| !mixed)
    }

    /// What the rows that changed touch, and how it is to be followed.
    async fn compare(&self, olds: &BTreeMap<&TableName, Old>, own: &Snapshot, mixed: bool) -> Result<(Extent, String)> {
        let inputs = self.changed(olds).await?;
        let groups = own.rows().unwrap_or(0);
        if let Some(addition) = self.addition(olds, mixed) {
            match added(&addition, &inputs, own).await {
                Ok(added) if added.touched.height() == 0 => {
                    return Ok((Extent::Nothing, format!("incremental: 0 of {groups} groups")));
                }
                Ok(added) => {
                    let (touched, anew) = (added.touched.height(), added.anew.height());
                    let how = format!("incremental: {touched} of {groups} groups, {} by addition", touched - anew);
                    return Ok((Extent::Added(added), how));
                }
                // What is wrong with the rows, all of a group's rows will tell.
                Err(error) => tracing::debug!(%error, "groups do not follow by addition"),
            }
        }
        let keys = gold::touched_keys(self.derived, &inputs)?;
        let keys = tokio::task::spawn_blocking(move || stream::collect(keys)).await??;
        let touched = keys.height() as u64;
        Ok(match touched {
            0 => (Extent::Nothing, format!("incremental: 0 of {groups} groups")),
            2.. if touched * 2 > groups => (Extent::All, format!("full: {touched} of {groups} groups are touched")),
            _ => (Extent::Groups(keys), format!("incremental: {touched} of {groups} groups")),
        })
    }

    /// The inputs with what changed in them.
    async fn changed(&self, olds: &BTreeMap<&TableName, Old>) -> Result<Vec<Input>> {
        let mut inputs = Vec::new();
        for pinned in &self.pinned {
            let change = match olds.get(pinned.table) {
                Some(old) => Some(pinned.change(&old.snapshot).await?),
                None => None,
            };
            inputs.push(pinned.input(change)?);
        }
        Ok(inputs)
    }

    /// The versions last computed from of the inputs that have news; or why they cannot be compared.
    async fn olds(
        &self,
        from: &BTreeMap<TableName, Option<i64>>,
    ) -> Result<std::result::Result<BTreeMap<&TableName, Old>, Foreseen<'_>>> {
        let full = |why: String| Ok(Err(Foreseen::Full(why)));
        let mut olds = BTreeMap::new();
        for pinned in &self.pinned {
            let table = pinned.table;
            let watermark = match from.get(table) {
                None => continue,
                Some(None) => return full(format!("`{table}` is another table than before")),
                Some(Some(watermark)) => *watermark,
            };
            let newest = pinned.new.version();
            if watermark > newest {
                return Ok(Err(Foreseen::Lost(went_back(table, newest, watermark))));
            }
            let old = match pinned.new.table().snapshot_at(&At::Version(watermark)).await {
                Ok(old) => old,
                Err(delta::Error::Gone { .. }) => {
                    return full(format!("`{table}@{watermark}` can no longer be read"));
                }
                Err(error) => return Err(error.into()),
            };
            if self.is_other(&old) {
                return Ok(Err(Foreseen::Lost(format!(
                    "`{table}@{watermark}` is another version than the one that it was made from: commits were lost, and \
                     others came"
                ))));
            }
            if !pinned.columns.iter().all(|column| old.schema().columns.contains(column)) {
                return full(format!("`{table}@{watermark}` has other columns"));
            }
            let files = delta::file_diff(&old, pinned.new).await?;
            olds.insert(table, Old { snapshot: old, files });
        }
        Ok(Ok(olds))
    }
}

/// The groups whose rows changed, followed by addition.
async fn added(addition: &Addition<'_>, inputs: &[Input], own: &Snapshot) -> Result<Added> {
    let [removed, added] = addition.sides(inputs)?;
    let sides =
        tokio::task::spawn_blocking(move || -> Result<_> { Ok([stream::collect(removed)?, stream::collect(added)?]) });
    let sides = sides.await??;
    let touched = addition.touched(&sides)?;
    let old = addition.of_groups(own.scan()?, &touched);
    let old = tokio::task::spawn_blocking(move || stream::collect(old)).await??;
    Ok(addition.add(touched, &old, &sides)?)
}

impl Pinned<'_> {
    fn input(&self, change: Option<Change>) -> Result<Input> {
        Ok(Input { change, ..input(self.table, &self.columns, &Rows::from(self.new))? })
    }

    fn of_groups(&self, derived: &Derived, touched: &DataFrame) -> Result<Input> {
        let mut spreads = BTreeMap::new();
        for column in gold::telling_columns(derived, self.table) {
            if let Some(spread) = self.new.spread(&column)? {
                spreads.insert(column, spread);
            }
        }
        let mut rows = Rows::from(self.new);
        let mut may_hold = gold::may_hold(derived, self.table, touched, &spreads, rows.files.len())?.into_iter();
        rows.files.retain(|_| may_hold.next().unwrap_or(true));
        let (read, all) = (rows.files.len(), self.new.files().len());
        tracing::debug!(table = %self.table, read, all, "files with rows of the touched groups");
        input(self.table, &self.columns, &rows)
    }

    fn names(&self) -> Vec<String> {
        self.columns.iter().map(|column| column.name.clone()).collect()
    }

    /// What changed since `old`, which has all columns that count.
    async fn change(&self, old: &Snapshot) -> Result<Change> {
        let names = self.names();
        let diff = delta::row_diff(old, self.new, Some(&names)).await?;
        let select: Vec<Expr> = names.iter().map(|name| col(name.as_str())).collect();
        Ok(Change { old: old.scan()?.select(select), removed: diff.removed, added: diff.added })
    }
}
