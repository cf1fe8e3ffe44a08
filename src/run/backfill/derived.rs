//! A chunk of a table made from tables: its rows in the range, from the versions of its inputs that it was made from.

use std::collections::BTreeMap;

use polars::prelude::*;

use super::keys::column;
use super::within::within;
use super::{Done, Piece, moot};
use crate::delta::{self, At, Change, DataFile, MergeSpec, Operation, Scope, Snapshot};
use crate::expr::Type;
use crate::gold::{self, Input, Strategy};
use crate::name::{Layer, TableName};
use crate::plan::Backfill;
use crate::report::{Action, InputVersion, RowCounts};
use crate::run::anew::discard;
use crate::run::error::{Error, Result};
use crate::run::extent::Inputs;
use crate::run::gold::Gold;
use crate::run::look::Seen;
use crate::run::protocol::{self, table_state};
use crate::run::stream;
use crate::steps::with_keys;

/// The chunk on its way from one version to the next.
struct Task<'a> {
    gold: Gold<'a>,
    piece: &'a Piece<'a>,
    base: &'a Snapshot,
    inputs: BTreeMap<TableName, Snapshot>,
    /// the rows that are there follow another definition
    changed: bool,
}

/// Recomputes a chunk. Fails with `Lost` when another writer was faster.
pub async fn chunk(gold: Gold<'_>, piece: &Piece<'_>) -> Result<Done> {
    let seen = gold.run.look(gold.name).await?;
    let changed = match &seen.backfill {
        Backfill::Wait(why) => return Ok(Done::waits(why)),
        Backfill::Refuse(why) => return Err(Error::Refused(why.clone())),
        Backfill::Load { changed } | Backfill::Recompute { changed } => *changed,
    };
    let Some(base) = &seen.own else {
        return Err(Error::Refused(format!(
            "it is not there yet, and a table made from tables is not loaded by ranges: lakesmith run {}",
            gold.name
        )));
    };
    base.accepts(&gold.schema())?;
    let inputs = pinned(gold, &seen).await?;
    Task { gold, piece, base, inputs, changed }.recompute().await
}

/// The inputs at the versions that the table was made from.
async fn pinned(gold: Gold<'_>, seen: &Seen) -> Result<BTreeMap<TableName, Snapshot>> {
    let watermarks = seen.own.as_ref().map(table_state).map(|state| state.watermarks).unwrap_or_default();
    let mut inputs = BTreeMap::new();
    for (name, newest) in &seen.inputs {
        let Some(read) = watermarks.get(newest.table_id()) else {
            let gold = gold.name;
            return Err(Error::Refused(format!(
                "it was not made from `{name}` as it is, so no range of it can be made anew; bring it up to date: \
                 lakesmith run {gold}"
            )));
        };
        let input = match newest.table().snapshot_at(&At::Version(*read)).await {
            Err(delta::Error::Gone { .. }) => {
                let (name, gold) = (format!("{name}@{read}"), gold.name);
                return Err(Error::Refused(format!(
                    "`{name}`, which it was made from, can no longer be read; make it anew: lakesmith rebuild {gold}"
                )));
            }
            input => input?,
        };
        inputs.insert(name.clone(), input);
    }
    Ok(inputs)
}

impl Task<'_> {
    async fn recompute(self) -> Result<Done> {
        let gold = self.gold;
        let inputs = Inputs::new(&gold.run.project, gold.name, gold.derived, &self.inputs)?.whole()?;
        let (adds, removes, rows) = match gold.derived.key.is_empty() {
            true => self.without_key(&inputs).await?,
            false => self.with_key(&inputs).await?,
        };
        let after = self.base.rows().unwrap_or_default() + rows.inserted;
        if let Err(stop) = gold.run.guard(gold.name, Some(self.base), after.saturating_sub(rows.deleted)) {
            discard(&gold.target(), &adds).await;
            return Err(stop);
        }
        let change = self.change(adds, removes, &rows);
        let changes = !moot(self.base, &change);
        let version = match self.piece.is_alone && !changes {
            true => self.base.version(),
            false => gold.target().commit(self.base, change).await?,
        };
        Ok(Done { version: Some(version), rows, changes, inputs: self.versions(), note: None })
    }

    fn in_range(&self) -> Expr {
        let name = self.piece.event_time();
        let output = self.gold.derived.output.iter().find(|column| column.name == name);
        within(name, output.map_or(&Type::Timestamp, |column| &column.ty), &self.piece.range)
    }

    /// The rows that are there, as wide as they are to be.
    fn present(&self, files: &[DataFile]) -> Result<LazyFrame> {
        Ok(self.gold.target().scan(&self.gold.schema(), files)?)
    }

    /// The rows in the range, and those out of it whose key had one in it before.
    async fn with_key(&self, inputs: &[Input]) -> Result<(Vec<DataFile>, Vec<DataFile>, RowCounts)> {
        let (gold, in_range) = (self.gold, self.in_range());
        let key: Vec<Expr> = gold.derived.key.iter().map(|name| column(name)).collect();
        let range = &self.piece.range;
        let files = self.base.files_between(self.piece.event_time(), range.from.instant, range.to.instant);
        let keys = self.present(&files)?.filter(in_range.clone()).select(key);
        let keys = keys.unique(None, UniqueKeepStrategy::Any);
        let keys = tokio::task::spawn_blocking(move || stream::collect(keys)).await??;
        let here = gold::recompute(gold.derived, inputs, None)?.filter(in_range.clone());
        let frame = match keys.height() {
            0 => here,
            _ => concat([here, self.of_keys(inputs, &keys)?.filter(in_range.not())], UnionArgs::default())?,
        };
        let merged = gold.merge(Some(self.base), &gold.target(), frame, Scope::Keys(keys)).await?;
        let rows = crate::run::gold::counts(&merged);
        Ok((merged.adds, merged.removes, rows))
    }

    /// The rows of these keys; computing no others where the table's groups can be told by them.
    fn of_keys(&self, inputs: &[Input], keys: &DataFrame) -> Result<LazyFrame> {
        let derived = self.gold.derived;
        let only = match gold::strategy(derived) {
            Strategy::Groups { keys: groups } => Some(keys.select(groups)?),
            Strategy::Full { .. } => None,
        };
        let is_told = only.is_some();
        let rows = gold::recompute(derived, inputs, only)?;
        Ok(match is_told {
            true => rows,
            false => with_keys(rows, &derived.key, keys.clone().lazy(), &derived.key),
        })
    }

    /// Without a key rows are the same or not, so that all others are looked at too.
    async fn without_key(&self, inputs: &[Input]) -> Result<(Vec<DataFile>, Vec<DataFile>, RowCounts)> {
        let (gold, target) = (self.gold, self.gold.target());
        let others = self.present(self.base.files())?.filter(self.in_range().not());
        let kept = target.write(others, &gold.schema()).await?;
        let here = gold::recompute(gold.derived, inputs, None)?.filter(self.in_range());
        let here = match target.write(here, &gold.schema()).await {
            Ok(here) => here,
            Err(error) => {
                discard(&target, &kept).await;
                return Err(error.into());
            }
        };
        let count = |files: &[DataFile]| files.iter().filter_map(DataFile::rows).sum::<u64>();
        let (read, others) = (count(&here), count(&kept));
        let all = [here, kept].concat();
        let spec =
            MergeSpec { key: Vec::new(), order: None, lineage: Vec::new(), lineage_counts: false, scope: Scope::All };
        match delta::merge(Some(self.base), &target, &gold.schema(), all.clone(), &spec).await {
            Ok(merged) => {
                let delta::MergeRows { inserted, unchanged, deleted, .. } = merged.rows;
                let unchanged = unchanged.saturating_sub(others);
                let rows = RowCounts { read, inserted, unchanged, deleted, ..RowCounts::default() };
                Ok((merged.adds, merged.removes, rows))
            }
            Err(error) => {
                discard(&target, &all).await;
                Err(error.into())
            }
        }
    }

    fn change(&self, adds: Vec<DataFile>, removes: Vec<DataFile>, rows: &RowCounts) -> Change {
        let (gold, state) = (self.gold, table_state(self.base));
        let definition = &self.piece.asked.definition;
        let ids: Vec<_> = state.inputs.clone().into_iter().collect();
        let mixed = self.changed || state.mixed;
        let note = protocol::note(&gold.run.id, Action::Backfill.as_str(), definition, &self.versions(), rows);
        Change {
            adds,
            removes,
            txns: Vec::new(),
            schema: Some(gold.schema()),
            properties: protocol::definition_properties(Some(&state), definition, &ids, mixed),
            operation: Operation::Merge,
            note: self.piece.marked(note),
            ..Change::default()
        }
    }

    fn versions(&self) -> Vec<InputVersion> {
        let version = |(table, input): (&TableName, &Snapshot)| InputVersion {
            table: table.clone(),
            version: input.version(),
            batch: input.txn(protocol::BATCH).filter(|_| table.layer == Layer::Bronze),
        };
        self.inputs.iter().map(version).collect()
    }
}
