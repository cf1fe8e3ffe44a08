//! Silver from bronze: the events beyond the watermark, typed and judged, merged in one commit that moves it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use polars::prelude::*;

use super::error::{Error, Result};
use super::protocol::{self, folder, quarantine_folder};
use super::quarantine::{self, Reach};
use super::{Event, Run, stream};
use crate::delta::{self, Change, DataFile, MergeSpec, Operation, Scope, Snapshot, Table, TableSchema};
use crate::name::TableName;
use crate::plan::{Decision, TableState};
use crate::project::Events;
use crate::report::{Action, InputVersion, RowCounts, Status, TableReport};
use crate::silver;

/// A silver table on its way from one version to the next.
struct Task<'a> {
    run: &'a Run,
    name: &'a TableName,
    events: &'a Events,
    definition: String,
    target: Table,
    /// what is there; the commit is made against exactly this
    base: Option<Snapshot>,
    state: Option<TableState>,
    sources: Vec<Bronze>,
    mixed: bool,
}

/// A bronze table, pinned at one version.
struct Bronze {
    /// its place in `Events::from`
    index: usize,
    reach: Reach,
    snapshot: Snapshot,
}

/// Files that hold the judged rows, not committed yet.
struct Judged {
    good: Vec<DataFile>,
    bad: Vec<DataFile>,
    rows: RowCounts,
}

/// Brings a silver table up to its sources, or says why not. Fails with `Lost` when another writer was faster.
pub async fn advance(run: &Run, name: &TableName, events: &Events) -> Result<TableReport> {
    let seen = run.look(name).await?;
    let version = seen.version();
    let rebuild = match &seen.decision {
        Decision::Nothing => return Ok(TableReport::unchanged(name.clone(), version, "its inputs have nothing new")),
        Decision::Wait(why) => return Ok(TableReport::unchanged(name.clone(), version, why)),
        Decision::Refuse(why) => return Err(Error::Refused(why.clone())),
        Decision::Rebuild(_) => true,
        Decision::Advance { .. } => false,
    };
    let mixed = matches!(seen.decision, Decision::Advance { mixed: true, .. });
    let note = seen.reason();
    let sources = pinned(events, &seen, rebuild)?;
    let task = Task {
        run,
        name,
        events,
        definition: seen.definition.clone(),
        target: run.lake.table(&folder(name)),
        state: seen.state(),
        base: seen.own,
        sources,
        mixed,
    };
    let (action, version, rows) = task.publish(rebuild).await?;
    let mut report = TableReport::unchanged(name.clone(), Some(version), note);
    report.status = Status::Succeeded;
    report.action = action;
    report.rows = rows;
    report.inputs = task.inputs();
    Ok(report)
}

fn pinned(events: &Events, seen: &super::look::Seen, rebuild: bool) -> Result<Vec<Bronze>> {
    let mut sources = Vec::new();
    for (index, source) in events.from.iter().enumerate() {
        let Some(snapshot) = seen.inputs.get(source) else { continue };
        let after = match (&seen.decision, rebuild) {
            (Decision::Advance { from, .. }, false) => match from.get(source) {
                Some(watermark) => *watermark,
                None => continue,
            },
            _ => None,
        };
        let upto = snapshot.txn(protocol::BATCH).ok_or_else(|| {
            Error::Refused(format!("`{source}` bears no batch number: it was not made by lakesmith, or was restored"))
        })?;
        let reach = Reach { source: source.clone(), id: snapshot.table_id().to_string(), after, upto };
        sources.push(Bronze { index, reach, snapshot: snapshot.clone() });
    }
    Ok(sources)
}

impl Task<'_> {
    async fn publish(&self, rebuild: bool) -> Result<(Action, i64, RowCounts)> {
        let schema = self.schema();
        let Judged { good, bad, mut rows } = self.judge(&schema).await?;
        let whole = rebuild || self.base.is_none();
        self.replace_quarantine(whole, bad).await?;
        let merge_into = self.base.as_ref().filter(|_| !rebuild);
        let (adds, mut removes) = if self.events.key.is_empty() {
            rows.inserted = good.iter().filter_map(DataFile::rows).sum();
            (good, Vec::new())
        } else {
            let merged = delta::merge(merge_into, &self.target, &schema, good, &self.spec()).await?;
            rows.inserted = merged.rows.inserted;
            rows.updated = merged.rows.updated;
            rows.unchanged = merged.rows.unchanged;
            rows.superseded = merged.rows.superseded;
            (merged.adds, merged.removes)
        };
        if !rows.adds_up() {
            return Err(Error::Internal(format!("rows of `{}` do not add up: {rows:?}", self.name)));
        }
        if let (true, Some(base)) = (rebuild, &self.base) {
            removes = base.files().to_vec();
        }
        let action = match (rebuild, self.events.key.is_empty()) {
            (true, _) => Action::Rebuild,
            (_, true) => Action::Append,
            _ => Action::Merge,
        };
        let version = self.commit(&schema, action, adds, removes, &rows).await?;
        Ok((action, version, rows))
    }

    fn schema(&self) -> TableSchema {
        let columns = silver::output_columns(self.events);
        let mut stats: Vec<String> = self.events.key.iter().chain(&self.events.latest_by).cloned().collect();
        stats.extend(self.events.event_time.clone());
        stats.extend(["_batch", "_source_file", "_source_row"].map(String::from));
        let mut once = std::collections::BTreeSet::new();
        stats.retain(|c| once.insert(c.clone()));
        TableSchema {
            columns,
            partition_by: self.events.partition_by.clone(),
            stats_columns: stats,
            ..TableSchema::default()
        }
    }

    fn spec(&self) -> MergeSpec {
        let several = self.events.from.len() > 1;
        let mut lineage: Vec<String> = ["_batch", "_source_file", "_source_row"].map(String::from).into();
        if several {
            lineage.push("_source_table".into());
        }
        MergeSpec {
            key: self.events.key.clone(),
            order: Some(silver::order_columns(self.events)),
            lineage,
            // Batches of two tables are not in the order of arrival: a row that stays with an old batch though a
            // later equal one came could lose against a row that a rebuild would let lose (I4).
            lineage_counts: several,
            scope: Scope::None,
        }
    }

    /// Reads the events within reach, writes the good rows for silver and the refused ones for its quarantine.
    async fn judge(&self, schema: &TableSchema) -> Result<Judged> {
        let good = Arc::new(self.target.writer(schema)?);
        let bad = Arc::new(self.run.lake.table(&quarantine_folder(self.name)).writer(&quarantine::schema())?);
        let refused = Arc::new(AtomicU64::new(0));
        let passed = Arc::new(AtomicU64::new(0));
        let mut read = 0;
        for source in &self.sources {
            let events = source.events()?;
            let counted = events.clone();
            read += tokio::task::spawn_blocking(move || stream::count(counted.select([col("_batch")]))).await??;
            let prepared = silver::prepare(self.events, source.index, events)?;
            let (good, bad, refused, passed) = (good.clone(), bad.clone(), refused.clone(), passed.clone());
            let (run, name) = (self.run.clone(), self.name.clone());
            let each = move |batch: DataFrame| -> Result<()> {
                run.tell(Event::Progress { table: name.clone(), rows: batch.height() as u64 });
                let (rows, quarantined) = silver::split(batch)?;
                passed.fetch_add(rows.height() as u64, Ordering::Relaxed);
                refused.fetch_add(quarantined.height() as u64, Ordering::Relaxed);
                if quarantined.height() > 0 {
                    bad.write(silver::with_run(quarantined, &run.id, run.started_at)?)?;
                }
                Ok(good.write(rows)?)
            };
            tokio::task::spawn_blocking(move || stream::for_each_batch(prepared.frame, each)).await??;
        }
        let (good, bad) = (finish(good).await?, finish(bad).await?);
        let (quarantined, passed) = (refused.load(Ordering::Relaxed), passed.load(Ordering::Relaxed));
        let filtered = read.checked_sub(passed + quarantined).ok_or_else(|| {
            Error::Internal(format!("`{}` has {passed} + {quarantined} rows from {read} events", self.name))
        })?;
        let rows = RowCounts { read, quarantined, filtered, ..RowCounts::default() };
        Ok(Judged { good, bad, rows })
    }

    async fn replace_quarantine(&self, whole: bool, bad: Vec<DataFile>) -> Result<()> {
        let reach: Vec<Reach> =
            self.sources.iter().map(|s| Reach { after: s.reach.after.filter(|_| !whole), ..s.reach.clone() }).collect();
        quarantine::replace(self.run, self.name, &reach, bad).await
    }

    async fn commit(
        &self,
        schema: &TableSchema,
        action: Action,
        adds: Vec<DataFile>,
        removes: Vec<DataFile>,
        rows: &RowCounts,
    ) -> Result<i64> {
        let ids: Vec<_> = self.input_ids();
        let note = protocol::note(&self.run.id, action.as_str(), &self.definition, &self.inputs(), rows);
        let change = Change {
            adds,
            removes,
            txns: self.sources.iter().map(|s| (protocol::watermark_txn(&s.reach.id), s.reach.upto)).collect(),
            schema: Some(schema.clone()),
            properties: protocol::definition_properties(self.state.as_ref(), &self.definition, &ids, self.mixed),
            rearranges: false,
            operation: operation(action),
            note,
        };
        Ok(match &self.base {
            Some(base) => self.target.commit(base, change).await?,
            None => self.target.create(schema, change).await?,
        })
    }

    /// Name and id of every input that the table has read, now or before.
    fn input_ids(&self) -> Vec<(TableName, String)> {
        let mut ids: BTreeMap<TableName, String> = self.state.as_ref().map(|s| s.inputs.clone()).unwrap_or_default();
        ids.extend(self.sources.iter().map(|s| (s.reach.source.clone(), s.reach.id.clone())));
        ids.into_iter().collect()
    }

    fn inputs(&self) -> Vec<InputVersion> {
        self.sources
            .iter()
            .map(|s| InputVersion {
                table: s.reach.source.clone(),
                version: s.snapshot.version(),
                batch: Some(s.reach.upto),
            })
            .collect()
    }
}

impl Bronze {
    /// The rows within reach, at the pinned version.
    fn events(&self) -> Result<LazyFrame> {
        Ok(match self.reach.after {
            None => self.snapshot.scan()?,
            Some(after) => {
                let files = self.snapshot.files_above("_batch", after);
                self.snapshot.scan_files(&files)?.filter(col("_batch").gt(lit(after)))
            }
        })
    }
}

/// What Delta's history calls an action.
pub fn operation(action: Action) -> Operation {
    match action {
        Action::Append => Operation::Append,
        Action::Rebuild => Operation::Overwrite,
        _ => Operation::Merge,
    }
}

async fn finish(writer: Arc<delta::Writer>) -> Result<Vec<DataFile>> {
    let writer = Arc::into_inner(writer).ok_or_else(|| Error::Internal("a writer is still in use".into()))?;
    Ok(writer.finish().await?)
}
