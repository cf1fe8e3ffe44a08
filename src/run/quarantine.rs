//! The rows that a silver table refused. Quarantine and silver are one unit without a common commit: quarantine goes
//! first, and silver's commit names the version of it that belongs to silver. What a run has put there that then died or
//! lost against another is never named, and the next commit leaves it out.

mod lost;

use std::collections::BTreeMap;

pub use lost::{look, lost, txns};
use polars::prelude::*;

use super::Run;
use super::anew::discard;
use super::error::{Error, Result};
use super::protocol::{folder, quarantine_folder, quarantine_txn};
use crate::delta::{
    At, Change, CommitRecord, DataFile, Error as DeltaError, Lake, MergeSpec, Operation, Restoration, Scope, Snapshot,
    Table, TableSchema, merge, way_back,
};
use crate::name::TableName;
use crate::silver;

/// What commits of a quarantine call themselves.
const ACTION: &str = "quarantine";

/// How far silver had got in one bronze table when the work began, and how far the work goes.
#[derive(Clone, Debug)]
pub struct Reach {
    /// the bronze table
    pub source: TableName,
    /// its Delta id
    pub id: String,
    /// rows beyond this batch are replaced; `None`: all rows of this source
    pub after: Option<i64>,
    /// the last batch that the new rows come from
    pub upto: i64,
}

/// A version of a quarantine.
#[derive(Clone, Debug)]
pub struct Published {
    id: String,
    version: i64,
}

impl Published {
    /// As silver's commit notes it.
    pub fn txn(&self) -> (String, i64) {
        (quarantine_txn(&self.id), self.version)
    }
}

/// The quarantine's columns.
pub fn schema() -> TableSchema {
    TableSchema { columns: silver::quarantine_columns(), ..TableSchema::default() }
}

/// The refused rows that belong to a silver table as it is; `None`: there are none.
pub async fn current(lake: &Lake, table: &TableName) -> Result<Option<Snapshot>> {
    match lake.table(&folder(table)).snapshot().await? {
        Some(silver) => of(lake, table, &silver).await,
        None => Ok(None),
    }
}

/// As [`current`], of a version of the silver table. It must be there first: silver's commit comes after the one of the
/// quarantine that it names.
///
/// # Errors
/// Rows were lost.
pub async fn of(lake: &Lake, table: &TableName, silver: &Snapshot) -> Result<Option<Snapshot>> {
    let newest = lake.table(&quarantine_folder(table)).snapshot().await?;
    check(table, Some(silver), newest.as_ref())?;
    match newest {
        Some(newest) => belonging(&newest, named(&newest, Some(silver))).await,
        None => Ok(None),
    }
}

fn check(table: &TableName, silver: Option<&Snapshot>, newest: Option<&Snapshot>) -> Result<()> {
    match silver.and_then(|silver| lost(table, silver.head(), newest.map(Snapshot::head))) {
        Some(why) => Err(Error::Refused(why)),
        None => Ok(()),
    }
}

/// The rows of a quarantine, of which `newest` is the newest version that counts, that belong to a version of silver;
/// `None`: there are none.
pub async fn belonging_to(newest: &Snapshot, silver: &Snapshot) -> Result<Option<Snapshot>> {
    belonging(newest, named(newest, Some(silver))).await
}

/// The refused rows of an earlier version of a silver table; `None`: it names none.
///
/// # Errors
/// They cannot be had any more.
pub async fn of_version(lake: &Lake, table: &TableName, silver: &Snapshot) -> Result<Option<Snapshot>> {
    let quarantine = lake.table(&quarantine_folder(table));
    let newest = quarantine.snapshot().await?;
    let gone = |what: &str| {
        let version = silver.version();
        Error::Refused(format!(
            "the rows that `{table}@{version}` refused cannot be had any more: {what}; to make the table and its \
             quarantine anew: lakesmith rebuild {table}"
        ))
    };
    match newest.as_ref().and_then(|newest| named(newest, Some(silver))) {
        Some(version) if is_other_work(silver, &quarantine, version).await? => {
            Err(gone("commits of its quarantine were lost, and their versions have been given again since"))
        }
        Some(version) => match quarantine.snapshot_at(&At::Version(version)).await {
            Ok(snapshot) => Ok(Some(snapshot)),
            Err(DeltaError::Gone { what, .. }) => Err(gone(&what)),
            Err(error) => Err(error.into()),
        },
        None if lost::names_any(silver.head()) => Err(gone("its quarantine was deleted")),
        None => Ok(None),
    }
}

/// Whether a version of a quarantine was made by a run whose commits of silver all came after the version that names it:
/// then it is not the one that was meant.
async fn is_other_work(silver: &Snapshot, quarantine: &Table, version: i64) -> Result<bool> {
    let made = quarantine.history(version).await?.into_iter().find(|commit| commit.version == version);
    let Some(run) = made.filter(is_ours).and_then(|commit| run_id(&commit)) else { return Ok(false) };
    let of_run = |commit: &CommitRecord| run_id(commit).as_ref() == Some(&run);
    if !silver.table().history(silver.version() + 1).await?.iter().any(of_run) {
        return Ok(false);
    }
    // A run may commit several times; this is rare, and the log is read from its beginning only here.
    let commits = silver.table().history(0).await?;
    Ok(!commits.iter().any(|commit| commit.version <= silver.version() && of_run(commit)))
}

/// Makes the quarantine hold what an earlier version of it held, or nothing; gives its version, unless there is no
/// quarantine.
///
/// # Errors
/// Lost, if another run was faster.
pub async fn restore(run: &Run, table: &TableName, wanted: Option<&Snapshot>) -> Result<Option<Published>> {
    let Some(newest) = run.lake.table(&quarantine_folder(table)).snapshot().await? else { return Ok(None) };
    lost::check_columns(table, &newest, &schema())?;
    let id = newest.table_id().to_string();
    let Some(wanted) = wanted else {
        let version = publish(run, &newest, &[], Vec::new()).await?;
        return Ok(Some(Published { id, version }));
    };
    let files = way_back(&newest, wanted);
    if files.added.is_empty() && files.removed.is_empty() {
        return Ok(Some(Published { id, version: newest.version() }));
    }
    let change = change(run, &[], Vec::new(), Vec::new());
    let to = Restoration { properties: newest.properties().clone(), txns: Vec::new(), note: change.note };
    let version = newest.table().restore(&newest, wanted, to).await?;
    Ok(Some(Published { id, version }))
}

/// Publishes `rows`, files written for the quarantine of `table` and not committed, beside those of its rows that
/// belong to `silver` and are not within the reach; `silver` is `None` if all are to be replaced.
///
/// # Errors
/// Rows of the quarantine were lost. Lost, if another run was faster: then this run must look again.
pub async fn replace(
    run: &Run,
    table: &TableName,
    silver: Option<&Snapshot>,
    reach: &[Reach],
    rows: Vec<DataFile>,
) -> Result<Option<Published>> {
    let quarantine = run.lake.table(&quarantine_folder(table));
    let newest = quarantine.snapshot().await?;
    check(table, silver, newest.as_ref())?;
    let Some(newest) = newest else {
        if rows.is_empty() {
            return Ok(None);
        }
        let version = quarantine.create(&schema(), change(run, reach, rows, Vec::new())).await?;
        let made = quarantine.snapshot_at(&At::Version(version)).await?;
        return Ok(Some(Published { id: made.table_id().to_string(), version }));
    };
    lost::check_columns(table, &newest, &schema())?;
    let mut wanted = match belonging(&newest, named(&newest, silver)).await? {
        Some(belonging) => kept(&belonging, reach).await?,
        None => Vec::new(),
    };
    wanted.extend(rows);
    let version = publish(run, &newest, reach, wanted).await?;
    Ok(Some(Published { id: newest.table_id().to_string(), version }))
}

/// Publishes `rows`, files written for the quarantine of `table` and not committed, as those of the events at `places`
/// (`_batch`, `_source_file`, `_source_row`, `_source_table`, each once), beside the rows of all other events that belong
/// to `silver`. A row that would differ in when it was refused alone stays as it is.
///
/// # Errors
/// Lost, if another run was faster: then this run must look again.
pub async fn replace_events(
    run: &Run,
    table: &TableName,
    silver: Option<&Snapshot>,
    places: DataFrame,
    rows: Vec<DataFile>,
) -> Result<Option<Published>> {
    let quarantine = run.lake.table(&quarantine_folder(table));
    let newest = quarantine.snapshot().await?;
    check(table, silver, newest.as_ref())?;
    let belonging = match &newest {
        Some(newest) => belonging(newest, named(newest, silver)).await?,
        None => None,
    };
    let (Some(newest), Some(belonging)) = (newest, belonging) else {
        return replace(run, table, None, &[], rows).await;
    };
    let names = |names: &[&str]| names.iter().map(ToString::to_string).collect();
    let spec = MergeSpec {
        key: names(&["_source_table", "_batch", "_source_file", "_source_row"]),
        order: None,
        lineage: names(&["_quarantined_at", "_run_id"]),
        lineage_counts: false,
        scope: Scope::Keys(places),
    };
    let merged = match merge(Some(&belonging), &quarantine, &schema(), rows.clone(), &spec).await {
        Ok(merged) => merged,
        Err(error) => {
            discard(&quarantine, &rows).await;
            return Err(error.into());
        }
    };
    let stays = |file: &&DataFile| !merged.removes.iter().any(|gone| gone.id() == file.id());
    let mut wanted: Vec<DataFile> = belonging.files().iter().filter(stays).cloned().collect();
    wanted.extend(merged.adds.iter().cloned());
    let version = publish(run, &newest, &[], wanted).await?;
    Ok(Some(Published { id: newest.table_id().to_string(), version }))
}

/// After silver's commit, which names `published`: takes back what a run has put into the quarantine meanwhile that lost
/// against it. Where that fails, the next commit does it.
pub async fn settle(run: &Run, table: &TableName, published: Option<&Published>) {
    if let Err(error) = try_settle(run, table, published).await {
        tracing::warn!(%table, %error, "another run writes the quarantine; its next commit settles it");
    }
}

async fn try_settle(run: &Run, table: &TableName, published: Option<&Published>) -> Result<()> {
    let Some(newest) = run.lake.table(&quarantine_folder(table)).snapshot().await? else { return Ok(()) };
    let named = published.filter(|p| p.id == newest.table_id()).map(|p| p.version);
    let files = belonging(&newest, named).await?.map(|s| s.files().to_vec()).unwrap_or_default();
    publish(run, &newest, &[], files).await?;
    Ok(())
}

/// The version of its quarantine that a version of silver names.
fn named(quarantine: &Snapshot, silver: Option<&Snapshot>) -> Option<i64> {
    silver.and_then(|silver| lost::named(silver.head(), quarantine.table_id()))
}

/// The version of a quarantine whose rows belong to a version of silver: the newest, unless all that has changed rows
/// after the one that silver names are runs that lost or died. `None`: silver names none, so no rows belong to it.
async fn belonging(newest: &Snapshot, named: Option<i64>) -> Result<Option<Snapshot>> {
    let Some(named) = named else { return Ok(None) };
    if named == newest.version() {
        return Ok(Some(newest.clone()));
    }
    let mut since = newest.table().history(named + 1).await?;
    since.retain(|commit| commit.version <= newest.version());
    // What others have done, such as a deletion, stays done; a compaction changes nothing.
    if since.iter().any(|commit| commit.data_change && !is_ours(commit)) || !since.iter().any(is_ours) {
        return Ok(Some(newest.clone()));
    }
    match newest.table().snapshot_at(&At::Version(named)).await {
        Ok(belonging) => Ok(Some(belonging)),
        Err(error @ DeltaError::Gone { .. }) => {
            Err(Error::Refused(format!("{error}; make the table and its quarantine anew with `lakesmith rebuild`")))
        }
        Err(error) => Err(error.into()),
    }
}

fn is_ours(commit: &CommitRecord) -> bool {
    noted(commit, "action") == Some(ACTION)
}

fn run_id(commit: &CommitRecord) -> Option<String> {
    noted(commit, "run_id").map(str::to_owned)
}

fn noted<'a>(commit: &'a CommitRecord, key: &str) -> Option<&'a str> {
    commit.note.as_ref()?.get(key)?.as_str()
}

/// Makes `wanted` the files of the quarantine; gives its version.
async fn publish(run: &Run, newest: &Snapshot, reach: &[Reach], wanted: Vec<DataFile>) -> Result<i64> {
    let among = |file: &DataFile, files: &[DataFile]| files.iter().any(|other| other.id() == file.id());
    let removes: Vec<_> = newest.files().iter().filter(|file| !among(file, &wanted)).cloned().collect();
    let adds: Vec<_> = wanted.into_iter().filter(|file| !among(file, newest.files())).collect();
    if adds.is_empty() && removes.is_empty() {
        return Ok(newest.version());
    }
    Ok(newest.table().commit(newest, change(run, reach, adds, removes)).await?)
}

fn change(run: &Run, reach: &[Reach], adds: Vec<DataFile>, removes: Vec<DataFile>) -> Change {
    let upto: BTreeMap<_, _> = reach.iter().map(|r| (r.source.to_string(), r.upto)).collect();
    let mut note = serde_json::Map::new();
    note.insert("run_id".into(), run.id.clone().into());
    note.insert("action".into(), ACTION.into());
    note.insert("upto".into(), serde_json::json!(upto));
    Change { adds, removes, operation: Operation::Merge, note, ..Change::default() }
}

/// The files of `belonging` without the rows within the reach; those that had such rows are written anew.
async fn kept(belonging: &Snapshot, reach: &[Reach]) -> Result<Vec<DataFile>> {
    let all = reach.iter().any(|r| r.after.is_none());
    let after = reach.iter().filter_map(|r| r.after).min().unwrap_or(i64::MAX);
    let stale = if all { belonging.files().to_vec() } else { belonging.files_above("_batch", after) };
    if stale.is_empty() {
        return Ok(belonging.files().to_vec());
    }
    let within = within(reach);
    let frame = belonging.scan_files(&stale)?;
    let counted = frame.clone().filter(within.clone());
    let replaced = tokio::task::spawn_blocking(move || super::stream::count(counted)).await??;
    if replaced == 0 {
        return Ok(belonging.files().to_vec());
    }
    let mut kept = belonging.table().write(frame.filter(within.not()), &schema()).await?;
    let is_stale = |file: &&DataFile| stale.iter().any(|other| other.id() == file.id());
    kept.extend(belonging.files().iter().filter(|file| !is_stale(file)).cloned());
    Ok(kept)
}

fn within(reach: &[Reach]) -> Expr {
    reach.iter().fold(lit(false), |any, r| {
        let mine = col("_source_table").eq(lit(r.source.to_string()));
        any.or(match r.after {
            Some(after) => mine.and(col("_batch").gt(lit(after))),
            None => mine,
        })
    })
}
