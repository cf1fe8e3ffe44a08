//! Silver from bronze: the events beyond the watermark, typed and judged, merged in one commit that moves it.

mod anew;
mod publish;

pub use publish::Publication;

use std::collections::BTreeMap;
use std::sync::Arc;

use polars::prelude::{LazyFrame, col};

use super::Run;
use super::anew::discard;
use super::error::{Error, Result};
use super::judge::{Bronze, Judged, Judging};
use super::look::Seen;
use super::protocol::{self, folder, quarantine_folder};
use super::quarantine::Reach;
use super::stream;
use crate::delta::{self, DataFile, MergeSpec, Scope, Snapshot, Standing, Table, TableSchema};
use crate::name::TableName;
use crate::plan::Decision;
use crate::project::{Events, definition_hash};
use crate::report::{Action, InputVersion, RowCounts, Status, TableReport};
use crate::silver;

/// Where as many rows come as this part of those that stand in a table, most of them are likely to stand there already.
const EXPORT_SHARE: u64 = 2;

/// A silver table that reads bronze, and the run that works on it.
#[derive(Clone, Copy)]
pub struct Silver<'a> {
    /// the run
    pub run: &'a Run,
    /// which
    pub name: &'a TableName,
    /// how it comes about
    pub events: &'a Events,
}

/// Brings a silver table up to its sources, or says why not. Fails with `Lost` when another writer was faster.
pub async fn advance(run: &Run, name: &TableName, events: &Events, seen: &Seen) -> Result<TableReport> {
    let silver = Silver { run, name, events };
    let Decision::Advance { from, mixed } = &seen.decision else {
        return Err(Error::Internal(format!("`{name}` has nothing to read")));
    };
    let after = |source: &TableName| from.get(source).copied();
    let sources = silver.sources(&seen.inputs, after)?;
    let (action, version, rows) = silver.merge_events(seen.own.as_ref(), &sources, *mixed).await?;
    let mut report = TableReport::unchanged(name.clone(), Some(version), seen.reason());
    report.status = Status::Succeeded;
    report.action = action;
    report.rows = rows;
    report.inputs = versions(&sources);
    Ok(report)
}

impl Silver<'_> {
    /// The bronze tables to read: all rows beyond the watermark that `after` gives, all rows if it gives `Some(None)`,
    /// none if it gives nothing.
    ///
    /// # Errors
    /// A bronze table without a batch number.
    pub fn sources(
        &self,
        inputs: &BTreeMap<TableName, Snapshot>,
        after: impl Fn(&TableName) -> Option<Option<i64>>,
    ) -> Result<Vec<Bronze>> {
        let mut sources = Vec::new();
        for (index, source) in self.events.from.iter().enumerate() {
            let (Some(snapshot), Some(after)) = (inputs.get(source), after(source)) else { continue };
            let upto = snapshot.txn(protocol::BATCH).ok_or_else(|| {
                let how = "it was not made by lakesmith, or was restored";
                Error::Refused(format!("`{source}` bears no batch number: {how}"))
            })?;
            let reach = Reach { source: source.clone(), id: snapshot.table_id().to_string(), after, upto };
            sources.push(Bronze { index, reach, snapshot: snapshot.clone(), only: None });
        }
        Ok(sources)
    }

    async fn merge_events(
        &self,
        base: Option<&Snapshot>,
        sources: &[Bronze],
        mixed: bool,
    ) -> Result<(Action, i64, RowCounts)> {
        let schema = self.schema();
        if let Some(base) = base {
            base.accepts(&schema)?;
        }
        let (target, quarantine) = (self.target(), self.quarantine());
        let standing = self.standing(base, sources).await?;
        let judging = self.judging(sources, (&target, &schema), &quarantine, standing);
        let Judged { good, bad, mut rows } = judging.judge().await?;
        let (adds, removes) = match self.merge(base, &target, good, &mut rows).await {
            Ok(merged) => merged,
            Err(error) => {
                discard(&quarantine, &bad).await;
                return Err(error);
            }
        };
        let action = if self.events.key.is_empty() { Action::Append } else { Action::Merge };
        let publication = Publication { base, action, adds, removes, refused: bad, sources, rows, mixed };
        Ok((action, self.publish(publication).await?, rows))
    }

    /// The events within reach, typed and judged, in files that no commit names.
    pub async fn judge(&self, sources: &[Bronze], target: &Table, quarantine: &Table) -> Result<Judged> {
        self.judging(sources, (target, &self.schema()), quarantine, None).judge().await
    }

    fn judging<'a>(
        &'a self,
        sources: &'a [Bronze],
        (target, schema): (&'a Table, &'a TableSchema),
        refused: &'a Table,
        standing: Option<Standing>,
    ) -> Judging<'a> {
        let (run, name, events, standing) = (self.run, self.name, self.events, standing.map(Arc::new));
        Judging { run, name, events, sources, target, schema, refused, standing }
    }

    /// What stands in the table, if it is worth reading it.
    async fn standing(&self, base: Option<&Snapshot>, sources: &[Bronze]) -> Result<Option<Standing>> {
        let (Some(base), [source]) = (base, sources) else { return Ok(None) };
        if self.events.key.is_empty() || self.spec().lineage_counts || !may_be_export(base, source) {
            return Ok(None);
        }
        let keys = self.sample_of_keys(source)?;
        let sample = tokio::task::spawn_blocking(move || stream::collect(keys)).await??;
        Ok(Standing::read(base, &self.schema(), &self.spec(), sample).await?)
    }

    /// Keys of some of the rows that come.
    fn sample_of_keys(&self, source: &Bronze) -> Result<LazyFrame> {
        let judged = silver::prepare(self.events, source.index, source.sample()?)?;
        Ok(judged.frame.select(self.events.key.iter().map(|name| col(name.as_str())).collect::<Vec<_>>()))
    }

    /// The files to add and to remove, so that `good` is in the table. Deletes these if it fails.
    pub async fn merge(
        &self,
        base: Option<&Snapshot>,
        target: &Table,
        good: Vec<DataFile>,
        rows: &mut RowCounts,
    ) -> Result<(Vec<DataFile>, Vec<DataFile>)> {
        if self.events.key.is_empty() {
            rows.inserted = good.iter().filter_map(DataFile::rows).sum();
            self.accounted(target, good, rows).await.map(|adds| (adds, Vec::new()))
        } else {
            let merged = match delta::merge(base, target, &self.schema(), good.clone(), &self.spec()).await {
                Ok(merged) => merged,
                Err(error) => {
                    discard(target, &good).await;
                    return Err(error.into());
                }
            };
            rows.inserted = merged.rows.inserted;
            rows.updated = merged.rows.updated;
            rows.unchanged += merged.rows.unchanged;
            rows.superseded += merged.rows.superseded;
            self.accounted(target, merged.adds, rows).await.map(|adds| (adds, merged.removes))
        }
    }

    /// The files, if every event is accounted for (I3).
    async fn accounted(&self, target: &Table, adds: Vec<DataFile>, rows: &RowCounts) -> Result<Vec<DataFile>> {
        if rows.adds_up() {
            return Ok(adds);
        }
        discard(target, &adds).await;
        Err(Error::Internal(format!("rows of `{}` do not add up: {rows:?}", self.name)))
    }

    /// The table in the lake.
    pub fn target(&self) -> Table {
        self.run.lake.table(&folder(self.name))
    }

    /// The table of the rows that it refuses.
    pub fn quarantine(&self) -> Table {
        self.run.lake.table(&quarantine_folder(self.name))
    }

    /// Hash of its definition.
    pub fn definition(&self) -> String {
        definition_hash(&self.run.project, self.name)
    }

    /// Its columns, partitions and which columns have statistics.
    pub fn schema(&self) -> TableSchema {
        let columns = silver::output_columns(self.events);
        let mut stats: Vec<String> = self.events.key.iter().chain(&self.events.latest_by).cloned().collect();
        stats.extend(self.events.event_time.clone());
        stats.extend(["_batch", "_source_file", "_source_row"].map(String::from));
        stats.extend(self.run.z_order(self.name).to_vec());
        let telling = self.run.telling_columns(self.name);
        stats.extend(telling.into_iter().filter(|column| !self.events.partition_by.contains(column)));
        let mut once = std::collections::BTreeSet::new();
        stats.retain(|c| once.insert(c.clone()));
        TableSchema {
            columns,
            partition_by: self.events.partition_by.clone(),
            stats_columns: stats,
            ..TableSchema::default()
        }
    }

    /// How its rows are merged: the greatest of a key wins.
    pub fn spec(&self) -> MergeSpec {
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
}

/// Whether as many rows may come as a full export would bring, each of a later batch than all that stand there: some of
/// them have been read before if the table was loaded by ranges.
fn may_be_export(base: &Snapshot, source: &Bronze) -> bool {
    let standing = base.files().iter().map(DataFile::rows).sum::<Option<u64>>();
    let is_earlier = |file: &DataFile| {
        let read = source.reach.after.zip(file.min_max_i64("_batch"));
        read.is_some_and(|(after, (_, newest))| newest <= after)
    };
    source.rows_at_most().zip(standing).is_some_and(|(coming, standing)| coming >= standing / EXPORT_SHARE)
        && base.files().iter().all(is_earlier)
}

/// The versions and batches that were read.
pub fn versions(sources: &[Bronze]) -> Vec<InputVersion> {
    let version = |s: &Bronze| InputVersion {
        table: s.reach.source.clone(),
        version: s.snapshot.version(),
        batch: Some(s.reach.upto),
    };
    sources.iter().map(version).collect()
}
