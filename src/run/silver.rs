//! Silver from bronze: the events beyond the watermark, typed and judged, merged in one commit that moves it.

use std::collections::BTreeMap;

use super::Run;
use super::error::{Error, Result};
use super::judge::{Bronze, Judged, judge};
use super::protocol::{self, folder, quarantine_folder};
use super::quarantine::{self, Published, Reach};
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
        if let Some(base) = self.base.as_ref().filter(|_| !rebuild) {
            base.accepts(&schema)?;
        }
        let refused = self.run.lake.table(&quarantine_folder(self.name));
        let judged = judge(self.run, self.name, self.events, &self.sources, &self.target, &schema, &refused).await?;
        let Judged { good, bad, mut rows } = judged;
        let (adds, mut removes) = match self.merge(&schema, good, rebuild, &mut rows).await {
            Ok(merged) => merged,
            Err(error) => {
                discard(&refused, &bad).await;
                return Err(error);
            }
        };
        if let (true, Some(base)) = (rebuild, &self.base) {
            removes = base.files().to_vec();
        }
        let action = match (rebuild, self.events.key.is_empty()) {
            (true, _) => Action::Rebuild,
            (_, true) => Action::Append,
            _ => Action::Merge,
        };
        let reach: Vec<Reach> = self.sources.iter().map(|s| s.reach.clone()).collect();
        let silver = self.base.as_ref().filter(|_| !rebuild);
        let published = match quarantine::replace(self.run, self.name, silver, &reach, bad).await {
            Ok(published) => published,
            Err(error) => {
                discard(&self.target, &adds).await;
                return Err(error);
            }
        };
        let version = self.commit(&schema, action, adds, removes, &rows, published.as_ref()).await?;
        if let Err(error) = quarantine::settle(self.run, self.name, published.as_ref()).await {
            tracing::warn!(table = %self.name, %error, "another run writes the quarantine; its next commit settles it");
        }
        Ok((action, version, rows))
    }

    /// The files to add and to remove, so that `good` is in the table. Deletes these if it fails.
    async fn merge(
        &self,
        schema: &TableSchema,
        good: Vec<DataFile>,
        rebuild: bool,
        rows: &mut RowCounts,
    ) -> Result<(Vec<DataFile>, Vec<DataFile>)> {
        let (adds, removes) = if self.events.key.is_empty() {
            rows.inserted = good.iter().filter_map(DataFile::rows).sum();
            (good, Vec::new())
        } else {
            let base = self.base.as_ref().filter(|_| !rebuild);
            let merged = match delta::merge(base, &self.target, schema, good.clone(), &self.spec()).await {
                Ok(merged) => merged,
                Err(error) => {
                    discard(&self.target, &good).await;
                    return Err(error.into());
                }
            };
            rows.inserted = merged.rows.inserted;
            rows.updated = merged.rows.updated;
            rows.unchanged = merged.rows.unchanged;
            rows.superseded = merged.rows.superseded;
            (merged.adds, merged.removes)
        };
        if rows.adds_up() {
            return Ok((adds, removes));
        }
        discard(&self.target, &adds).await;
        Err(Error::Internal(format!("rows of `{}` do not add up: {rows:?}", self.name)))
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

    async fn commit(
        &self,
        schema: &TableSchema,
        action: Action,
        adds: Vec<DataFile>,
        removes: Vec<DataFile>,
        rows: &RowCounts,
        published: Option<&Published>,
    ) -> Result<i64> {
        let ids = self.input_ids(action == Action::Rebuild);
        let watermarks = self.sources.iter().map(|s| (protocol::watermark_txn(&s.reach.id), s.reach.upto));
        let note = protocol::note(&self.run.id, action.as_str(), &self.definition, &self.inputs(), rows);
        let change = Change {
            adds,
            removes,
            txns: watermarks.chain(published.map(Published::txn)).collect(),
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

    /// Name and id of every input that the table's rows are made from; after a rebuild these are the sources alone.
    fn input_ids(&self, rebuilt: bool) -> Vec<(TableName, String)> {
        let before = self.state.as_ref().filter(|_| !rebuilt).map(|s| s.inputs.clone());
        let mut ids: BTreeMap<TableName, String> = before.unwrap_or_default();
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

/// What Delta's history calls an action.
pub fn operation(action: Action) -> Operation {
    match action {
        Action::Append => Operation::Append,
        Action::Rebuild => Operation::Overwrite,
        _ => Operation::Merge,
    }
}

/// Deletes files that no commit has named and none will.
pub async fn discard(table: &Table, files: &[DataFile]) {
    if let Err(error) = table.remove_uncommitted(files).await {
        tracing::warn!(table = table.folder(), %error, "could not delete files that no commit names");
    }
}
