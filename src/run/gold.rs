//! Gold, and silver from silver: what the inputs' difference touches is computed anew and merged, in one commit that
//! moves the watermarks.

use super::error::{Error, Result};
use super::extent::{Extent, Inputs};
use super::look::Seen;
use super::protocol::{self, folder};
use super::silver::{discard, operation};
use super::{Event, Run};
use crate::delta::{self, Change, DataFile, MergeSpec, Merged, Scope, Table, TableSchema};
use crate::gold;
use crate::name::TableName;
use crate::plan::{Decision, TableState};
use crate::project::Derived;
use crate::report::{Action, InputVersion, RowCounts, Status, TableReport};

/// A derived table on its way from one version to the next.
struct Task<'a> {
    run: &'a Run,
    name: &'a TableName,
    derived: &'a Derived,
    target: Table,
    state: Option<TableState>,
    seen: &'a Seen,
}

/// What a commit brings.
#[derive(Default)]
struct Step {
    rows: RowCounts,
    adds: Vec<DataFile>,
    removes: Vec<DataFile>,
    /// some rows follow an earlier definition
    mixed: bool,
}

/// Brings a derived table up to its inputs, or says why not. Fails with `Lost` when another writer was faster.
pub async fn advance(run: &Run, name: &TableName, derived: &Derived) -> Result<TableReport> {
    let seen = run.look(name).await?;
    match &seen.decision {
        Decision::Nothing | Decision::Wait(_) => {
            return Ok(TableReport::unchanged(name.clone(), seen.version(), seen.reason()));
        }
        Decision::Refuse(why) => return Err(Error::Refused(why.clone())),
        Decision::Rebuild(_) | Decision::Advance { .. } => {}
    }
    let task = Task { run, name, derived, target: run.lake.table(&folder(name)), state: seen.state(), seen: &seen };
    task.publish().await
}

impl Task<'_> {
    async fn publish(&self) -> Result<TableReport> {
        if let Some(base) = self.seen.own.as_ref().filter(|_| !self.is_rebuild()) {
            base.accepts(&self.schema())?;
        }
        let inputs = Inputs::new(&self.run.project, self.name, self.derived, &self.seen.inputs)?;
        let (extent, why) = inputs.extent(self.seen).await?;
        let mixed = matches!(self.seen.decision, Decision::Advance { mixed: true, .. });
        let step = match extent {
            Extent::Nothing => Step { mixed, ..Step::default() },
            Extent::Groups(keys) => {
                let frame = gold::recompute(self.derived, &inputs.whole()?, Some(keys.clone()))?;
                Step { mixed, ..self.compute(frame, Scope::Keys(keys)).await? }
            }
            // Without a key the table becomes what was computed, as a multiset of rows.
            Extent::All => self.compute(gold::recompute(self.derived, &inputs.whole()?, None)?, Scope::All).await?,
        };
        let action = if self.is_rebuild() { Action::Rebuild } else { Action::Merge };
        let rows = step.rows;
        let version = self.commit(action, step).await?;
        let mut report = TableReport::unchanged(self.name.clone(), Some(version), why);
        report.status = Status::Succeeded;
        report.action = action;
        report.rows = rows;
        report.inputs = self.inputs();
        Ok(report)
    }

    fn is_rebuild(&self) -> bool {
        matches!(self.seen.decision, Decision::Rebuild(_))
    }

    /// Writes rows and finds what they change.
    async fn compute(&self, frame: polars::prelude::LazyFrame, scope: Scope) -> Result<Step> {
        let schema = self.schema();
        let (run, name) = (self.run.clone(), self.name.clone());
        let tell = move |rows| run.tell(Event::Progress { table: name.clone(), rows });
        let staged = self.target.write_telling(frame, &schema, tell).await?;
        let read = staged.iter().filter_map(DataFile::rows).sum();
        let spec =
            MergeSpec { key: self.derived.key.clone(), order: None, lineage: Vec::new(), lineage_counts: false, scope };
        let base = self.seen.own.as_ref().filter(|_| !self.is_rebuild());
        let merged = match delta::merge(base, &self.target, &schema, staged.clone(), &spec).await {
            Ok(merged) => merged,
            Err(error) => {
                discard(&self.target, &staged).await;
                return Err(error.into());
            }
        };
        let Merged { adds, removes, rows } = merged;
        let rows = RowCounts {
            read,
            inserted: rows.inserted,
            updated: rows.updated,
            unchanged: rows.unchanged,
            deleted: rows.deleted,
            ..RowCounts::default()
        };
        let removes = match &self.seen.own {
            Some(own) if self.is_rebuild() => own.files().to_vec(),
            _ => removes,
        };
        Ok(Step { rows, adds, removes, mixed: false })
    }

    async fn commit(&self, action: Action, step: Step) -> Result<i64> {
        let (inputs, definition) = (&self.seen.inputs, &self.seen.definition);
        let ids: Vec<_> = inputs.iter().map(|(n, s)| (n.clone(), s.table_id().to_string())).collect();
        let schema = self.schema();
        let change = Change {
            adds: step.adds,
            removes: step.removes,
            txns: inputs.values().map(|s| (protocol::watermark_txn(s.table_id()), s.version())).collect(),
            schema: Some(schema.clone()),
            properties: protocol::definition_properties(self.state.as_ref(), definition, &ids, step.mixed),
            rearranges: false,
            operation: operation(action),
            note: protocol::note(&self.run.id, action.as_str(), definition, &self.inputs(), &step.rows),
        };
        Ok(match &self.seen.own {
            Some(base) => self.target.commit(base, change).await?,
            None => self.target.create(&schema, change).await?,
        })
    }

    fn schema(&self) -> TableSchema {
        let mut stats = self.derived.key.clone();
        stats.extend(self.derived.event_time.clone().filter(|c| !self.derived.key.contains(c)));
        TableSchema {
            columns: self.derived.output.clone(),
            partition_by: self.derived.partition_by.clone(),
            stats_columns: stats,
            ..TableSchema::default()
        }
    }

    fn inputs(&self) -> Vec<InputVersion> {
        let version = |(table, s): (&TableName, &delta::Snapshot)| InputVersion {
            table: table.clone(),
            version: s.version(),
            batch: None,
        };
        self.seen.inputs.iter().map(version).collect()
    }
}
