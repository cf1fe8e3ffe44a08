//! How the tables are: what `status` shows.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use futures::stream::{self, StreamExt};
use serde::Serialize;

use super::error::{Error, Result};
use super::look::{self, Looks};
use super::{lost, past, quarantine};
use crate::delta::{Lake, Snapshot};
use crate::name::{Layer, TableName};
use crate::plan::{Decision, Hold, LakeState, TableState, Wanted, ahead, decide};
use crate::project::{Definition, OnChange, Project, definition_hash};

/// Commits that are looked at for foreign writes.
const COMMITS_LOOKED_AT: i64 = 100;

/// How one table is.
#[derive(Clone, Debug, Serialize)]
pub struct TableStatus {
    /// which
    pub table: TableName,
    /// none: it has not been made yet
    pub version: Option<i64>,
    /// by its files' statistics
    pub rows: Option<u64>,
    /// of its data files
    pub bytes: Option<u64>,
    /// of its data
    pub files: Option<usize>,
    /// when its rows changed last, as far as the log tells
    pub changed_at: Option<DateTime<Utc>>,
    /// how far it is behind each input: batches of bronze, versions of others
    pub lag: BTreeMap<TableName, i64>,
    /// its definition is not the one that its rows follow, or it cannot go on: why
    pub stale: Option<String>,
    /// some rows follow an earlier definition
    pub mixed: bool,
    /// runs leave it as it is
    pub hold: Option<Hold>,
    /// rows in its quarantine
    pub quarantined: Option<u64>,
    /// versions, of the newest hundred, in which another writer changed rows
    pub foreign_writes: Vec<i64>,
    /// versions that have a name and are kept, by name
    pub pins: BTreeMap<String, i64>,
    /// what of its log cannot be used, and what mends it; the table is read all the same
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log: Option<String>,
    /// why the table cannot be looked at; nothing else is known of it then
    pub error: Option<String>,
}

/// Looks at these tables.
pub async fn survey(project: &Project, tables: &BTreeSet<TableName>) -> Result<Vec<TableStatus>> {
    let lake = Lake::open(&project.environment.lake, &project.environment.storage)?;
    let looks = look::all(project, &lake).await;
    Ok(statuses(project, &lake, &looks, tables).await)
}

/// As [`survey`], of tables that were looked at.
pub(super) async fn statuses(
    project: &Project,
    lake: &Lake,
    looks: &Looks,
    tables: &BTreeSet<TableName>,
) -> Vec<TableStatus> {
    let Looks { ledger, snapshots, states, damaged } = looks;
    let one = |name: TableName| {
        async move {
            let status = match damaged.get(&name) {
                Some(error) => Err(error.to_string()),
                None => status(project, lake, &name, snapshots.get(&name), states).await.map_err(|e| e.to_string()),
            };
            let mut status = status.unwrap_or_else(|error| unreadable(&name, error));
            status.stale = status.stale.or_else(|| lost::survey(project, &name, ledger.as_ref(), states));
            if project.inputs(&name).iter().any(|input| damaged.contains_key(input)) {
                status.stale = None; // what it needs cannot be told
            }
            status
        }
    };
    let wanted: Vec<TableName> = project.order.iter().filter(|n| tables.contains(*n)).cloned().collect();
    stream::iter(wanted).map(one).buffered(look::AT_ONCE).collect().await
}

fn unreadable(name: &TableName, error: String) -> TableStatus {
    TableStatus {
        table: name.clone(),
        version: None,
        rows: None,
        bytes: None,
        files: None,
        changed_at: None,
        lag: BTreeMap::new(),
        stale: None,
        mixed: false,
        hold: None,
        quarantined: None,
        foreign_writes: Vec::new(),
        pins: BTreeMap::new(),
        log: None,
        error: Some(error),
    }
}

async fn status(
    project: &Project,
    lake: &Lake,
    name: &TableName,
    snapshot: Option<&Snapshot>,
    states: &LakeState,
) -> Result<TableStatus> {
    let own = states.get(name);
    let has_quarantine = matches!(project.tables.get(name).map(|t| &t.definition), Some(Definition::Silver(_)));
    let is_lost = own.is_some_and(|own| own.lost_refusals.is_some());
    let (commits, quarantined) = match snapshot {
        Some(s) => {
            let (s, lake, name) = (s.clone(), lake.clone(), name.clone());
            // a task of its own, so that tables are read on all cores
            let read = async move {
                let commits = s.table().history((s.version() + 1 - COMMITS_LOOKED_AT).max(0)).await?;
                let counts = has_quarantine && !is_lost;
                let quarantined = if counts { quarantined(&lake, &name, &s).await? } else { None };
                Ok::<_, Error>((commits, quarantined))
            };
            tokio::spawn(read).await??
        }
        None => (Vec::new(), has_quarantine.then_some(0)),
    };
    let pins = snapshot.map(Snapshot::pins).transpose()?.unwrap_or_default();
    Ok(TableStatus {
        table: name.clone(),
        version: own.map(|s| s.version),
        rows: own.and_then(|s| s.rows),
        bytes: own.map(|s| s.bytes),
        files: own.map(|s| s.files),
        changed_at: commits.iter().rev().find(|c| c.data_change).map(|c| c.timestamp),
        lag: lag(project, name, own, states),
        stale: stale(project, name, states),
        mixed: own.is_some_and(|s| s.mixed),
        hold: own.and_then(|s| s.hold.clone()),
        quarantined,
        foreign_writes: commits.iter().filter(|c| past::is_foreign(c)).map(|c| c.version).collect(),
        pins: pins.into_iter().map(|(name, pin)| (name, pin.version)).collect(),
        log: snapshot.and_then(|snapshot| log(name, snapshot)),
        error: None,
    })
}

/// What of a table's log its reader did without.
fn log(name: &TableName, snapshot: &Snapshot) -> Option<String> {
    let (file, why) = snapshot.head().unusable().iter().next()?;
    Some(format!("{file} in its log cannot be used: {why}; to mend it: lakesmith repair {name}"))
}

/// How far a table is behind each of its inputs; what is not there is not behind.
pub(super) fn lag(
    project: &Project,
    name: &TableName,
    own: Option<&TableState>,
    states: &LakeState,
) -> BTreeMap<TableName, i64> {
    let behind = |input: TableName| {
        let source = states.get(&input)?;
        let seen = own.and_then(|s| s.watermarks.get(&source.id)).copied();
        // Versions begin at 0, batches at 1: what was never read is wholly ahead.
        let unread = if input.layer == Layer::Bronze { 0 } else { -1 };
        let lag = source.position() - seen.unwrap_or(unread);
        (lag != 0).then_some((input, lag))
    };
    project.inputs(name).into_iter().filter_map(behind).collect()
}

fn stale(project: &Project, name: &TableName, states: &LakeState) -> Option<String> {
    let on_change = project.tables.get(name)?.definition.on_change()?;
    let own = states.get(name)?;
    let definition = definition_hash(project, name);
    let inputs = project.inputs(name);
    let wanted = Wanted { table: name, inputs: &inputs, definition: &definition, on_change };
    match decide(wanted, states) {
        Decision::Rebuild(why) | Decision::Refuse(why) => Some(why),
        Decision::Held(_) => own.lost_refusals.clone(),
        Decision::Advance { .. } if let Some(why) = ahead(own, &inputs, states) => {
            Some(format!("{why}; the next run computes all of `{name}` anew"))
        }
        _ if on_change == OnChange::ForwardOnly && own.definition.as_deref() != Some(&definition) => {
            Some("its definition changed; rows to come follow the new one (`on_change: forward_only`)".into())
        }
        _ => None,
    }
}

/// Rows that a silver table has refused.
async fn quarantined(lake: &Lake, name: &TableName, silver: &Snapshot) -> Result<Option<u64>> {
    let snapshot = quarantine::of(lake, name, silver).await?;
    Ok(snapshot.map_or(Some(0), |s| s.rows()))
}
