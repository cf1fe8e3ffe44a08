//! Gold, and silver from silver: what the inputs' difference touches is computed anew and merged, in one commit that
//! moves the watermarks.

use std::collections::BTreeMap;

use polars::prelude::*;

use super::error::{Error, Result};
use super::look::Seen;
use super::protocol::{self, folder};
use super::silver::operation;
use super::{Event, Run, stream};
use crate::delta::{self, At, Change, DataFile, MergeSpec, Scope, Snapshot, Table, TableSchema};
use crate::expr::Columns;
use crate::gold::{self, Input, Strategy};
use crate::name::TableName;
use crate::plan::{Decision, TableState};
use crate::project::{Definition, Derived};
use crate::report::{Action, InputVersion, RowCounts, Status, TableReport};

/// Rows in differing files that are looked through whatever the size of the inputs.
const SMALL_DIFFERENCE: u64 = 1_000_000;

/// A derived table on its way from one version to the next.
struct Task<'a> {
    run: &'a Run,
    name: &'a TableName,
    derived: &'a Derived,
    target: Table,
    state: Option<TableState>,
    seen: &'a Seen,
}

/// The groups to compute anew; `None`: all.
struct Extent {
    touched: Option<DataFrame>,
    inputs: Vec<Input>,
    why: String,
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
        let rebuild = matches!(self.seen.decision, Decision::Rebuild(_));
        let extent = self.extent().await?;
        let schema = self.schema();
        if extent.touched.as_ref().is_some_and(|keys| keys.height() == 0) {
            return self.report(Action::Merge, RowCounts::default(), Vec::new(), Vec::new(), &schema, extent.why).await;
        }
        let frame = gold::recompute(self.derived, &extent.inputs, extent.touched.clone())?;
        let (run, name) = (self.run.clone(), self.name.clone());
        let tell = move |rows| run.tell(Event::Progress { table: name.clone(), rows });
        let staged = self.target.write_telling(frame, &schema, tell).await?;
        let mut rows = RowCounts { read: staged.iter().filter_map(DataFile::rows).sum(), ..RowCounts::default() };
        let base = self.seen.own.as_ref();
        // Without a key the table becomes what was computed, as a multiset of rows.
        let scope = extent.touched.map_or(Scope::All, Scope::Keys);
        let (adds, removes) = self.merge(base.filter(|_| !rebuild), &schema, staged, scope, &mut rows).await?;
        let removes = match (rebuild, base) {
            (true, Some(base)) => base.files().to_vec(),
            _ => removes,
        };
        let action = if rebuild { Action::Rebuild } else { Action::Merge };
        self.report(action, rows, adds, removes, &schema, extent.why).await
    }

    async fn merge(
        &self,
        base: Option<&Snapshot>,
        schema: &TableSchema,
        staged: Vec<DataFile>,
        scope: Scope,
        rows: &mut RowCounts,
    ) -> Result<(Vec<DataFile>, Vec<DataFile>)> {
        let spec =
            MergeSpec { key: self.derived.key.clone(), order: None, lineage: Vec::new(), lineage_counts: false, scope };
        let merged = delta::merge(base, &self.target, schema, staged, &spec).await?;
        rows.inserted = merged.rows.inserted;
        rows.updated = merged.rows.updated;
        rows.unchanged = merged.rows.unchanged;
        rows.deleted = merged.rows.deleted;
        Ok((merged.adds, merged.removes))
    }

    async fn report(
        &self,
        action: Action,
        rows: RowCounts,
        adds: Vec<DataFile>,
        removes: Vec<DataFile>,
        schema: &TableSchema,
        why: String,
    ) -> Result<TableReport> {
        let version = self.commit(action, adds, removes, schema, &rows).await?;
        let mut report = TableReport::unchanged(self.name.clone(), Some(version), why);
        report.status = Status::Succeeded;
        report.action = action;
        report.rows = rows;
        report.inputs = self.inputs();
        Ok(report)
    }

    async fn commit(
        &self,
        action: Action,
        adds: Vec<DataFile>,
        removes: Vec<DataFile>,
        schema: &TableSchema,
        rows: &RowCounts,
    ) -> Result<i64> {
        let inputs = &self.seen.inputs;
        let ids: Vec<_> = inputs.iter().map(|(n, s)| (n.clone(), s.table_id().to_string())).collect();
        let definition = &self.seen.definition;
        let mixed = matches!(self.seen.decision, Decision::Advance { mixed: true, .. });
        let change = Change {
            adds,
            removes,
            txns: inputs.values().map(|s| (protocol::watermark_txn(s.table_id()), s.version())).collect(),
            schema: Some(schema.clone()),
            properties: protocol::definition_properties(self.state.as_ref(), definition, &ids, mixed),
            rearranges: false,
            operation: operation(action),
            note: protocol::note(&self.run.id, action.as_str(), definition, &self.inputs(), rows),
        };
        Ok(match &self.seen.own {
            Some(base) => self.target.commit(base, change).await?,
            None => self.target.create(schema, change).await?,
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
        let version = |(table, s): (&TableName, &Snapshot)| InputVersion {
            table: table.clone(),
            version: s.version(),
            batch: None,
        };
        self.seen.inputs.iter().map(version).collect()
    }

    /// Which groups to compute, and from what.
    async fn extent(&self) -> Result<Extent> {
        let full = |why: String| -> Result<Extent> { Ok(Extent { touched: None, inputs: self.whole_inputs()?, why }) };
        let Decision::Advance { from, .. } = &self.seen.decision else { return full(self.seen.reason()) };
        let news = self.seen.reason();
        if self.seen.own.is_none() {
            return full(news);
        }
        match gold::strategy(self.derived) {
            Strategy::Full { why } => return full(format!("{news}; full: {why}")),
            Strategy::Groups { .. } => {}
        }
        let gone = |table: &TableName| full(format!("{news}; full: `{table}` of then can no longer be read"));
        let mut before = BTreeMap::new();
        for (table, watermark) in from {
            let Some(new) = self.seen.inputs.get(table) else { continue };
            let Some(watermark) = watermark else {
                return full(format!("{news}; full: `{table}` is another table than before"));
            };
            let Some(old) = self.before(*watermark, new).await? else { return gone(table) };
            before.insert(table, old);
        }
        if self.costs_more_than_all(&before) {
            return full(format!("{news}; full: most of its files are new"));
        }
        let mut inputs = Vec::new();
        for (table, new) in &self.seen.inputs {
            let change = match before.get(table) {
                None => None,
                Some(old) => match self.change(table, old, new).await? {
                    Some(change) => Some(change),
                    None => return gone(table),
                },
            };
            inputs.push(self.input(table, new, change)?);
        }
        self.touched(inputs, news.clone()).await
    }

    /// Whether the files that differ hold more rows than the inputs themselves, so that finding out what changed costs
    /// more than computing all of it. Not asked of what is small anyway.
    fn costs_more_than_all(&self, before: &BTreeMap<&TableName, Snapshot>) -> bool {
        let rows = |files: &[DataFile]| files.iter().filter_map(DataFile::rows).sum::<u64>();
        let differing = |(table, old): (&&TableName, &Snapshot)| {
            let diff = delta::file_diff(old, self.seen.inputs.get(*table)?);
            Some(rows(&diff.removed) + rows(&diff.added))
        };
        let differing: u64 = before.iter().filter_map(differing).sum();
        let all: u64 = self.seen.inputs.values().map(|s| rows(s.files())).sum();
        differing > SMALL_DIFFERENCE && differing > all
    }

    async fn touched(&self, inputs: Vec<Input>, news: String) -> Result<Extent> {
        let keys = gold::touched_keys(self.derived, &inputs)?;
        let keys = tokio::task::spawn_blocking(move || stream::collect(keys)).await??;
        let groups = self.seen.own.as_ref().and_then(Snapshot::rows).unwrap_or(0);
        let touched = keys.height() as u64;
        if touched > 1 && touched * 2 > groups {
            let why = format!("{news}; full: {touched} of {groups} groups are touched");
            return Ok(Extent { touched: None, inputs, why });
        }
        Ok(Extent { touched: Some(keys), inputs, why: format!("{news}; incremental: {touched} of {groups} groups") })
    }

    /// An input as it was at the watermark, if that can still be read.
    async fn before(&self, watermark: i64, new: &Snapshot) -> Result<Option<Snapshot>> {
        match new.table().snapshot_at(&At::Version(watermark)).await {
            Ok(old) if old.table_id() == new.table_id() => Ok(Some(old)),
            Ok(_) | Err(delta::Error::Gone { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// What changed in an input since it was as `old`; `None` if that can no longer be read.
    async fn change(&self, table: &TableName, old: &Snapshot, new: &Snapshot) -> Result<Option<gold::Change>> {
        let columns = self.columns(table);
        if !columns.iter().all(|c| old.schema().columns.contains(c)) {
            return Ok(None);
        }
        let columns = names(&columns);
        let diff = match delta::row_diff(old, new, Some(&columns)).await {
            Ok(diff) => diff,
            Err(delta::Error::Gone { .. }) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let old = old.scan()?.select(select(&columns));
        Ok(Some(gold::Change { old, removed: diff.removed, added: diff.added }))
    }

    fn whole_inputs(&self) -> Result<Vec<Input>> {
        self.seen.inputs.iter().map(|(table, snapshot)| self.input(table, snapshot, None)).collect()
    }

    fn input(&self, table: &TableName, snapshot: &Snapshot, change: Option<gold::Change>) -> Result<Input> {
        let columns = self.columns(table);
        let new = snapshot.scan()?.select(select(&names(&columns)));
        Ok(Input { table: table.clone(), columns, new, change })
    }

    /// The columns of an input that count: all but lineage or, of a table that is only joined, what the join uses.
    fn columns(&self, table: &TableName) -> Columns {
        let all = match self.run.project.tables.get(table).map(|t| &t.definition) {
            Some(Definition::Silver(events)) => events.output.clone(),
            Some(Definition::Gold(derived)) => derived.output.clone(),
            _ => Vec::new(),
        };
        match gold::columns_read(self.derived, table) {
            Some(read) => all.into_iter().filter(|c| read.contains(&c.name)).collect(),
            None => all,
        }
    }
}

fn names(columns: &Columns) -> Vec<String> {
    columns.iter().map(|c| c.name.clone()).collect()
}

fn select(names: &[String]) -> Vec<Expr> {
    names.iter().map(|n| col(n.as_str())).collect()
}
