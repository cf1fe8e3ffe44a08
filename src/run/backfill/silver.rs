//! A chunk of a silver table that reads bronze: its keys are computed from all of their events up to the table's
//! watermark, which does not move.

use std::collections::BTreeMap;

use polars::prelude::*;

use super::keys::{Affected, SOURCE_TABLE, Search};
use super::{Done, Piece, moot};
use crate::delta::{self, Change, DataFile, MergeSpec, Operation, Scope, Snapshot};
use crate::name::TableName;
use crate::plan::Backfill;
use crate::report::{Action, InputVersion, RowCounts};
use crate::run::anew::discard;
use crate::run::error::{Error, Result};
use crate::run::judge::{Bronze, Judged};
use crate::run::look::Seen;
use crate::run::protocol::{self, table_state};
use crate::run::quarantine::{self, Published};
use crate::run::silver::{Silver, versions};

/// The chunk on its way from one version to the next.
struct Task<'a> {
    silver: Silver<'a>,
    piece: &'a Piece<'a>,
    seen: &'a Seen,
    /// only ranges of the table are there so far
    loads: bool,
    /// the rows that are there follow another definition
    changed: bool,
    sources: Vec<Bronze>,
}

/// Files that are written and not committed, and what they make of the table.
struct Staged {
    adds: Vec<DataFile>,
    removes: Vec<DataFile>,
    refused: Vec<DataFile>,
    rows: RowCounts,
}

/// Recomputes a chunk. Fails with `Lost` when another writer was faster.
pub async fn chunk(silver: Silver<'_>, piece: &Piece<'_>) -> Result<Done> {
    let seen = silver.run.look(silver.name).await?;
    let (loads, changed) = match &seen.backfill {
        Backfill::Wait(why) => return Ok(Done::waits(why)),
        Backfill::Refuse(why) => return Err(Error::Refused(why.clone())),
        Backfill::Load { changed } => (true, *changed),
        Backfill::Recompute { changed } => (false, *changed),
    };
    if loads && silver.events.key.is_empty() {
        return Err(Error::Refused(format!(
            "it has no key by which the run that completes it could tell what is loaded, so it cannot be loaded by \
             ranges; load all of it: lakesmith run {}",
            silver.name
        )));
    }
    if let Some(base) = &seen.own {
        base.accepts(&silver.schema())?;
    }
    let sources = sources(silver, &seen, loads)?;
    let task = Task { silver, piece, seen: &seen, loads, changed, sources };
    task.recompute().await
}

/// All events that the table has read; of a table of which only ranges are there, all that there are.
fn sources(silver: Silver<'_>, seen: &Seen, loads: bool) -> Result<Vec<Bronze>> {
    let watermarks = seen.own.as_ref().map(table_state).map(|state| state.watermarks).unwrap_or_default();
    let read = |source: &TableName| watermarks.get(seen.inputs.get(source)?.table_id()).copied();
    let mut sources = silver.sources(&seen.inputs, |source| (loads || read(source).is_some()).then_some(None))?;
    if !loads {
        for bronze in &mut sources {
            bronze.reach.upto = read(&bronze.reach.source).unwrap_or(bronze.reach.upto);
        }
    }
    Ok(sources)
}

impl Task<'_> {
    fn base(&self) -> Option<&Snapshot> {
        self.seen.own.as_ref()
    }

    async fn recompute(mut self) -> Result<Done> {
        let search = Search {
            silver: self.silver,
            base: self.base(),
            sources: &self.sources,
            range: &self.piece.range,
            event_time: self.piece.event_time(),
        };
        let Affected { keys, events } = search.affected().await?;
        let replaced = self.places(&events)?;
        for (bronze, events) in self.sources.iter_mut().zip(events) {
            bronze.only = Some(events);
        }
        let staged = self.stage(keys).await?;
        let after = self.base().and_then(Snapshot::rows).unwrap_or_default() + staged.rows.inserted;
        if let Err(stop) = self.guard(after.saturating_sub(staged.rows.deleted)) {
            discard(&self.silver.target(), &staged.adds).await;
            discard(&self.silver.quarantine(), &staged.refused).await;
            return Err(stop);
        }
        self.publish(staged, replaced).await
    }

    fn guard(&self, after: u64) -> Result<()> {
        self.silver.run.guard(self.silver.name, self.base(), after)
    }

    /// The events that are judged, as the quarantine knows them.
    fn places(&self, events: &[DataFrame]) -> Result<DataFrame> {
        let of_sources = self.sources.iter().zip(events).map(|(bronze, events)| {
            let table = lit(bronze.reach.source.to_string()).alias(SOURCE_TABLE);
            events.clone().lazy().with_column(table)
        });
        Ok(concat(of_sources.collect::<Vec<_>>(), UnionArgs::default())?.collect()?)
    }

    /// Judges the events and finds what they make of the table's rows.
    async fn stage(&self, keys: DataFrame) -> Result<Staged> {
        let silver = self.silver;
        let (target, quarantine) = (silver.target(), silver.quarantine());
        let Judged { good, bad, mut rows } = silver.judge(&self.sources, &target, &quarantine).await?;
        let winners = match silver.merge(None, &target, good, &mut rows).await {
            Ok((winners, _)) => winners,
            Err(error) => {
                discard(&quarantine, &bad).await;
                return Err(error);
            }
        };
        let Some(base) = self.base() else {
            return Ok(Staged { adds: winners, removes: Vec::new(), refused: bad, rows });
        };
        match delta::merge(Some(base), &target, &silver.schema(), winners.clone(), &self.spec(keys)).await {
            Ok(merged) => {
                let delta::MergeRows { inserted, updated, unchanged, deleted, .. } = merged.rows;
                let rows = RowCounts { inserted, updated, unchanged, deleted, ..rows };
                Ok(Staged { adds: merged.adds, removes: merged.removes, refused: bad, rows })
            }
            Err(error) => {
                discard(&target, &winners).await;
                discard(&quarantine, &bad).await;
                Err(error.into())
            }
        }
    }

    /// Rows of these keys become those of the source; no others are touched.
    fn spec(&self, keys: DataFrame) -> MergeSpec {
        let MergeSpec { key, lineage, lineage_counts, .. } = self.silver.spec();
        // As in a run, a row that would differ in where it came from alone stays, unless that decides over later events.
        let lineage = if lineage_counts { Vec::new() } else { lineage };
        let key = if key.is_empty() { keys.get_column_names().iter().map(ToString::to_string).collect() } else { key };
        MergeSpec { key, order: None, lineage, lineage_counts, scope: Scope::Keys(keys) }
    }

    async fn publish(&self, staged: Staged, replaced: DataFrame) -> Result<Done> {
        let silver = self.silver;
        let published =
            quarantine::replace_events(silver.run, silver.name, self.base(), replaced, staged.refused).await;
        let published = match published {
            Ok(published) => published,
            Err(error) => {
                discard(&silver.target(), &staged.adds).await;
                return Err(error);
            }
        };
        let txn = published.as_ref().map(Published::txn);
        let moved = txn.clone().filter(|(app, version)| self.base().and_then(|base| base.txn(app)) != Some(*version));
        let change = self.change(staged.adds, staged.removes, &staged.rows, moved);
        let inputs = versions(&self.sources);
        if let Some(base) = self.base().filter(|base| self.piece.is_alone && moot(base, &change)) {
            return Ok(Done { version: Some(base.version()), rows: staged.rows, inputs, ..Done::default() });
        }
        let changes = self.base().is_none_or(|base| !moot(base, &change));
        let version = match self.base() {
            Some(base) => silver.target().commit(base, change).await?,
            None => silver.target().create(&silver.schema(), change).await?,
        };
        quarantine::settle(silver.run, silver.name, published.as_ref()).await;
        Ok(Done { version: Some(version), rows: staged.rows, changes, inputs, note: None })
    }

    fn change(
        &self,
        adds: Vec<DataFile>,
        removes: Vec<DataFile>,
        rows: &RowCounts,
        quarantine: Option<(String, i64)>,
    ) -> Change {
        let (silver, state, definition) = (self.silver, self.base().map(table_state), &self.piece.asked.definition);
        let mut txns: Vec<(String, i64)> = quarantine.into_iter().collect();
        let mut ids: BTreeMap<TableName, String> = state.as_ref().map(|s| s.inputs.clone()).unwrap_or_default();
        if self.loads {
            // The run that completes the table begins before the first batch.
            let unread =
                self.sources.iter().filter(|s| state.as_ref().is_none_or(|t| !t.watermarks.contains_key(&s.reach.id)));
            txns.extend(unread.map(|s| (protocol::watermark_txn(&s.reach.id), 0)));
            ids.extend(self.sources.iter().map(|s| (s.reach.source.clone(), s.reach.id.clone())));
        }
        let ids: Vec<_> = ids.into_iter().collect();
        let mixed = self.loads || self.changed || state.as_ref().is_some_and(|state| state.mixed);
        let inputs: Vec<InputVersion> = versions(&self.sources);
        let note = protocol::note(&silver.run.id, Action::Backfill.as_str(), definition, &inputs, rows);
        Change {
            adds,
            removes,
            txns,
            schema: Some(silver.schema()),
            properties: protocol::definition_properties(state.as_ref(), definition, &ids, mixed),
            operation: Operation::Merge,
            note: self.piece.marked(note),
            ..Change::default()
        }
    }
}
