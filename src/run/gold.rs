//! Gold, and silver from silver: what the inputs' difference touches is computed anew and merged, in one commit that
//! moves the watermarks.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use polars::prelude::{IntoLazy, LazyFrame, UnionArgs, concat};

use super::anew::{Anew, Rows, discard};
use super::error::{Error, Result};
use super::extent::{self, Extent, Inputs};
use super::look::Seen;
use super::protocol::{self, folder, operation, table_state};
use super::{Event, Run, needs, stream};
use crate::delta::{self, Change, DataFile, MergeSpec, Merged, Scope, Snapshot, Table, TableSchema};
use crate::gold::{self, Added};
use crate::name::TableName;
use crate::plan::Decision;
use crate::project::{Derived, definition_hash};
use crate::report::{Action, InputVersion, RowCounts, Status, TableReport};

/// A table made from tables, and the run that works on it.
#[derive(Clone, Copy)]
pub struct Gold<'a> {
    /// the run
    pub run: &'a Run,
    /// which
    pub name: &'a TableName,
    /// how it comes about
    pub derived: &'a Derived,
}

/// The version of an input that rows were made from.
#[derive(Clone, Debug)]
pub struct Read {
    /// the input
    pub table: TableName,
    /// its Delta id
    pub id: String,
    /// its version
    pub version: i64,
    /// tells it from others of its number; 0: it is not known
    pub mark: i64,
}

/// What a commit brings.
pub struct Publication<'a> {
    /// what is there; the commit is made against exactly this
    pub base: Option<&'a Snapshot>,
    /// what is done
    pub action: Action,
    /// files that come
    pub adds: Vec<DataFile>,
    /// files that go
    pub removes: Vec<DataFile>,
    /// what was read; the watermarks move there with the commit
    pub read: Vec<Read>,
    /// what became of the rows
    pub rows: RowCounts,
    /// some rows follow an earlier definition
    pub mixed: bool,
}

/// Brings a derived table up to its inputs, or says why not. Fails with `Lost` when another writer was faster.
pub async fn advance(run: &Run, name: &TableName, derived: &Derived, seen: &Seen) -> Result<TableReport> {
    let gold = Gold { run, name, derived };
    let base = seen.own.as_ref();
    if let Some(base) = base {
        base.accepts(&gold.schema())?;
    }
    let rows = seen.inputs.iter().map(|(table, snapshot)| (table.clone(), Rows::from(snapshot))).collect();
    needs::check(gold, &rows)?;
    let inputs = Inputs::new(&run.project, name, derived, &seen.inputs)?.since(base);
    let (extent, why) = inputs.extent(seen).await?;
    let target = gold.target();
    let merged = match extent {
        Extent::Nothing => Merged { adds: Vec::new(), removes: Vec::new(), rows: delta::MergeRows::default() },
        Extent::Groups(keys) => {
            let frame = gold::recompute(derived, &inputs.of_groups(&keys)?, Some(keys.clone()))?;
            gold.merge(base, &target, frame, Scope::Keys(keys)).await?
        }
        Extent::Added(Added { touched, rows, anew }) => {
            let mut frames = vec![rows.lazy()];
            if anew.height() > 0 {
                frames.push(gold::recompute(derived, &inputs.of_groups(&anew)?, Some(anew))?);
            }
            let frame = concat(frames, UnionArgs::default())?;
            gold.merge(base, &target, frame, Scope::Keys(touched)).await?
        }
        // Without a key the table becomes what was computed, as a multiset of rows.
        Extent::All => {
            let frames = needs::in_lots(gold, &inputs.whole()?, &rows).await?;
            gold.merge_all(base, &target, frames, Scope::All).await?
        }
    };
    let rows = counts(&merged);
    let before = base.and_then(Snapshot::rows).unwrap_or_default();
    if let Err(stop) = run.guard(name, base, (before + rows.inserted).saturating_sub(rows.deleted)) {
        discard(&target, &merged.adds).await;
        return Err(stop);
    }
    let mixed = matches!(seen.decision, Decision::Advance { mixed: true, .. });
    let read: Vec<Read> = seen.inputs.iter().map(|(table, snapshot)| Read::of(table, snapshot)).collect();
    let Merged { adds, removes, .. } = merged;
    let mut report = TableReport::unchanged(name.clone(), None, why);
    report.inputs = read.iter().map(Read::version).collect();
    let publication = Publication { base, action: Action::Merge, adds, removes, read, rows, mixed };
    report.version = Some(gold.publish(publication).await?);
    report.status = Status::Succeeded;
    report.action = Action::Merge;
    report.rows = rows;
    Ok(report)
}

impl Read {
    /// A version that is in the lake.
    pub fn of(table: &TableName, snapshot: &Snapshot) -> Self {
        let mark = snapshot.head().mark().unwrap_or(0);
        Read { table: table.clone(), id: snapshot.table_id().to_string(), version: snapshot.version(), mark }
    }

    /// As the commit notes it.
    fn txns(&self) -> [(String, i64); 2] {
        [(protocol::watermark_txn(&self.id), self.version), (protocol::read_txn(&self.id), self.mark)]
    }

    /// As reports and notes have it.
    pub fn version(&self) -> InputVersion {
        InputVersion { table: self.table.clone(), version: self.version, batch: None }
    }
}

/// What became of the rows that were computed.
pub fn counts(merged: &Merged) -> RowCounts {
    let delta::MergeRows { inserted, updated, unchanged, superseded, deleted } = merged.rows;
    let read = inserted + updated + unchanged + superseded;
    RowCounts { read, inserted, updated, unchanged, superseded, deleted, ..RowCounts::default() }
}

impl Gold<'_> {
    /// Computes all of the table from these rows of its inputs, into files of `target` that no commit names.
    pub async fn compute(&self, inputs: &BTreeMap<TableName, Rows>, target: &Table) -> Result<Anew> {
        needs::check(*self, inputs)?;
        let whole = extent::whole(&self.run.project, self.name, self.derived, inputs)?;
        let merged = self.merge_all(None, target, needs::in_lots(*self, &whole, inputs).await?, Scope::All).await?;
        let counts = counts(&merged);
        let rows = Rows { table: target.clone(), schema: self.schema(), files: merged.adds };
        Ok(Anew { rows, refused: None, counts })
    }

    /// Writes rows and finds what they change.
    pub async fn merge(
        &self,
        base: Option<&Snapshot>,
        target: &Table,
        frame: LazyFrame,
        scope: Scope,
    ) -> Result<Merged> {
        self.merge_all(base, target, vec![frame], scope).await
    }

    /// As [`Gold::merge`], of rows that are computed one frame after the other.
    pub async fn merge_all(
        &self,
        base: Option<&Snapshot>,
        target: &Table,
        frames: Vec<LazyFrame>,
        scope: Scope,
    ) -> Result<Merged> {
        let (schema, written) = (self.schema(), self.write(target, frames).await?);
        let spec =
            MergeSpec { key: self.derived.key.clone(), order: None, lineage: Vec::new(), lineage_counts: false, scope };
        match delta::merge(base, target, &schema, written.clone(), &spec).await {
            Ok(merged) => Ok(merged),
            Err(error) => {
                discard(target, &written).await;
                Err(error.into())
            }
        }
    }

    async fn write(&self, target: &Table, frames: Vec<LazyFrame>) -> Result<Vec<DataFile>> {
        let (run, name) = (self.run.clone(), self.name.clone());
        let tell = move |rows| run.tell(Event::Progress { table: name.clone(), rows });
        match <[LazyFrame; 1]>::try_from(frames) {
            Ok([frame]) => Ok(target.write_telling(frame, &self.schema(), tell).await?),
            Err(frames) => self.write_in_turn(target, frames, tell).await,
        }
    }

    /// By one writer, so that each frame does not leave small files of its own.
    async fn write_in_turn(
        &self,
        target: &Table,
        frames: Vec<LazyFrame>,
        tell: impl Fn(u64) + Clone + Send + Sync + 'static,
    ) -> Result<Vec<DataFile>> {
        let writer = Arc::new(target.writer(&self.schema())?);
        let sink = writer.clone();
        let computed = tokio::task::spawn_blocking(move || {
            frames.into_iter().try_for_each(|frame| {
                let (tell, sink) = (tell.clone(), sink.clone());
                stream::for_each_batch(frame, move |batch| {
                    tell(batch.height() as u64);
                    Ok(sink.write(batch)?)
                })
            })
        });
        let computed = computed.await?;
        let writer = Arc::into_inner(writer).ok_or_else(|| Error::Internal("a writer is still in use".into()))?;
        match computed {
            Ok(()) => Ok(writer.finish().await?),
            // A thread of the writer has failed; the end tells how.
            Err(error @ Error::Delta(delta::Error::Storage { .. })) => {
                let written = writer.finish().await?;
                discard(target, &written).await;
                Err(error)
            }
            Err(error) => {
                writer.abort().await;
                Err(error)
            }
        }
    }

    /// Commits; gives the version.
    ///
    /// # Errors
    /// Lost, if another writer was faster.
    pub async fn publish(&self, publication: Publication<'_>) -> Result<i64> {
        let Publication { base, action, adds, removes, read, rows, mixed } = publication;
        let (schema, definition) = (self.schema(), definition_hash(&self.run.project, self.name));
        let ids: Vec<_> = read.iter().map(|r| (r.table.clone(), r.id.clone())).collect();
        let inputs: Vec<_> = read.iter().map(Read::version).collect();
        let change = Change {
            adds,
            removes,
            txns: read.iter().flat_map(Read::txns).collect(),
            schema: Some(schema.clone()),
            properties: protocol::definition_properties(base.map(table_state).as_ref(), &definition, &ids, mixed),
            unset: protocol::taken_off(action),
            rearranges: false,
            operation: operation(action),
            note: protocol::note(&self.run.id, action.as_str(), &definition, &inputs, &rows),
        };
        Ok(match base {
            Some(base) => self.target().commit(base, change).await?,
            None => self.target().create(&schema, change).await?,
        })
    }

    /// The table in the lake.
    pub fn target(&self) -> Table {
        self.run.lake.table(&folder(self.name))
    }

    /// Its columns, partitions and which columns have statistics.
    pub fn schema(&self) -> TableSchema {
        let mut stats = self.derived.key.clone();
        stats.extend(self.derived.event_time.clone().filter(|c| !self.derived.key.contains(c)));
        if !stats.is_empty() {
            let telling = self.run.telling_columns(self.name);
            let telling = telling.into_iter().filter(|column| !self.derived.partition_by.contains(column));
            stats.extend(self.run.z_order(self.name).iter().cloned().chain(telling));
            let mut once = BTreeSet::new();
            stats.retain(|column| once.insert(column.clone()));
        }
        TableSchema {
            columns: self.derived.output.clone(),
            partition_by: self.derived.partition_by.clone(),
            stats_columns: stats,
            ..TableSchema::default()
        }
    }
}
