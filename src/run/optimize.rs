//! Tables whose files are brought into order: on demand, and by a run that leaves many small ones. Rows stay, so
//! nothing that is computed from them changes, and no claim, property or watermark moves.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use futures::stream::{self, StreamExt};
use serde_json::{Map, Value, json};

use super::claim::{Claimed, claim};
use super::error::Result;
use super::history::Line;
use super::protocol::{RUNS, folder, quarantine_folder, watermark_txn};
use super::{Event, Run, damage, history, retry};
use crate::bronze;
use crate::delta::{self, DataFile, Lake, Layout, Rearranged, Snapshot};
use crate::name::{Layer, TableName};
use crate::project::{Definition, Table};
use crate::report::{self, Action, OptimizeReport, Optimized, Status, TableReport};

/// A table of lakesmith's own is compacted when it has so many files.
pub const MANY_FILES: usize = 64;
/// The newest rows of the history of runs are asked for, not all of them: its files stay small.
const HISTORY_FILE_BYTES: usize = 1 << 20;
/// What a run does by itself must not rewrite the few small files of each partition again and again.
const WORTHWHILE: usize = 8;

impl Run {
    /// Brings the files of these tables and of their quarantines into order, at most `jobs` tables at once. `z_order`:
    /// the columns to bring rows together by, instead of those that the tables' definitions name.
    pub async fn optimize(
        self,
        tables: &BTreeSet<TableName>,
        z_order: Option<&[String]>,
        jobs: usize,
    ) -> OptimizeReport {
        let (run, jobs) = self.sharing(tables, jobs);
        let run = Arc::new(run);
        run.begin("optimize");
        let chosen = run.project.order.iter().filter(|name| tables.contains(*name));
        let chosen: Vec<&Table> = chosen.filter_map(|name| run.project.tables.get(name)).collect();
        let work = chosen.into_iter().map(|table| optimize(&run, table, z_order));
        let done: Vec<Vec<Optimized>> = stream::iter(work).buffered(jobs.max(1)).collect().await;
        let report = OptimizeReport::new(run.id.clone(), done.concat());
        history::record(&run.lake, run.author("optimize"), report.tables.iter().map(Line::from)).await;
        report
    }

    /// The columns by which a table's definition brings rows together.
    pub(super) fn z_order(&self, name: &TableName) -> &[String] {
        self.project.tables.get(name).map_or(&[], |table| &table.optimize.z_order)
    }
}

fn note(run_id: &str) -> Map<String, Value> {
    [("run_id".to_owned(), json!(run_id)), ("action".to_owned(), json!(Action::Optimize.as_str()))]
        .into_iter()
        .collect()
}

/// One table, and its quarantine if it can have one.
async fn optimize(run: &Run, table: &Table, z_order: Option<&[String]>) -> Vec<Optimized> {
    let (name, began) = (&table.name, Instant::now());
    run.tell(Event::Started(name.clone()));
    let mut done = match claimed(run, table, z_order).await {
        Ok(done) => done,
        Err(error) => vec![Optimized::failed(name.to_string(), error.to_string())],
    };
    if let Some(own) = done.first_mut() {
        own.seconds = began.elapsed().as_secs_f64();
        let mut told = TableReport::unchanged(name.clone(), own.version, own.note.clone().unwrap_or_default());
        (told.action, told.status, told.error) = (own.action, own.status, own.error.clone());
        told.seconds = own.seconds;
        run.tell(Event::Finished(Box::new(told)));
    }
    done
}

/// A run that is at work on the table would have to do its work twice, and so would this.
async fn claimed(run: &Run, table: &Table, z_order: Option<&[String]>) -> Result<Vec<Optimized>> {
    let name = &table.name;
    let lease = match claim(&run.lake, name, &run.id, "optimize").await? {
        Claimed::Ours(lease) => lease,
        Claimed::Theirs(theirs) => {
            let left = TableReport::left_to(name.clone(), &theirs.whose(), theirs.until);
            return Ok(vec![Optimized::unchanged(name.to_string(), None, left.note.unwrap_or_default())]);
        }
    };
    let mut done = Vec::new();
    for place in places(table) {
        let began = Instant::now();
        let z_order = match place.is_quarantine {
            true => &[],
            false => z_order.unwrap_or(&table.optimize.z_order),
        };
        let once = retry::until_won(&format!("`{}`", place.name), || once(run, table, &place, z_order)).await;
        let mut report = match once {
            Ok(report) => report,
            Err(error) => {
                let error = damage::explained(&run.lake, vec![name.clone()], error).await;
                Optimized::failed(place.name.clone(), error.to_string())
            }
        };
        report.seconds = began.elapsed().as_secs_f64();
        if report.version.is_some() || report.error.is_some() || !place.is_quarantine {
            done.push(report);
        }
    }
    lease.release().await;
    Ok(done)
}

/// A Delta table and what people call it.
struct Place {
    name: String,
    folder: String,
    is_quarantine: bool,
}

fn places(table: &Table) -> Vec<Place> {
    let mut places = vec![Place { name: table.name.to_string(), folder: folder(&table.name), is_quarantine: false }];
    if matches!(table.definition, Definition::Silver(_)) {
        let folder = quarantine_folder(&table.name);
        places.push(Place { name: folder.replace('/', "."), folder, is_quarantine: true });
    }
    places
}

async fn once(run: &Run, table: &Table, place: &Place, z_order: &[String]) -> Result<Optimized> {
    let Some(snapshot) = run.lake.table(&place.folder).snapshot().await? else {
        return Ok(Optimized::unchanged(&place.name, None, "there is no such table yet"));
    };
    let apart = apart(run, table, place, &snapshot).await?;
    let layout = Layout { z_order: z_order.to_vec(), apart, ..Layout::default() };
    let done = delta::rearrange(&snapshot, &layout, note(&run.id)).await?;
    Ok(report(place, &snapshot, done))
}

fn report(place: &Place, before: &Snapshot, done: Option<Rearranged>) -> Optimized {
    let (files, bytes) = (before.files().len() as u64, before.bytes());
    let mut report = Optimized::unchanged(&place.name, Some(before.version()), "its files are in order");
    let same = |number| report::BeforeAfter { before: number, after: number };
    (report.files, report.bytes) = (same(files), same(bytes));
    if let Some(done) = done {
        let size = |files: &[DataFile]| files.iter().map(DataFile::size).sum::<u64>();
        report.files.after = files + done.added.len() as u64 - done.removed.len() as u64;
        report.bytes.after = bytes + size(&done.added) - size(&done.removed);
        report.version = Some(done.version);
        (report.action, report.status, report.note) = (Action::Optimize, Status::Succeeded, None);
    }
    report
}

/// What the readers of a bronze table have read is kept apart from what they have not: else they would have to read it
/// once more to find what is new.
async fn apart(run: &Run, table: &Table, place: &Place, bronze: &Snapshot) -> Result<Option<(String, Vec<i64>)>> {
    if table.name.layer != Layer::Bronze || place.is_quarantine {
        return Ok(None);
    }
    let mut read = BTreeSet::new();
    for reader in run.project.readers(&table.name) {
        let snapshot = run.lake.table(&folder(&reader)).snapshot().await?;
        read.extend(snapshot.and_then(|snapshot| snapshot.txn(&watermark_txn(bronze.table_id()))));
    }
    Ok(Some((bronze::BATCH.to_owned(), read.into_iter().collect())))
}

/// After a run has written to a table: makes few of many small files. The run's work is done and stays done, whatever
/// comes of this; who loses against another leaves it to the next run.
pub async fn after_run(run: &Run, table: &Table, report: &mut TableReport) {
    let Some(most) = table.optimize.auto.filter(|_| report.changed()) else { return };
    for place in places(table) {
        match when_many(run, table, &place, most).await {
            Ok(None) => {}
            Ok(Some(done)) => {
                let of = if place.is_quarantine { " of its quarantine" } else { "" };
                let told = format!("{} files{of} were compacted into {}", done.removed.len(), done.added.len());
                report.note = Some(report.note.iter().cloned().chain([told]).collect::<Vec<_>>().join("; "));
                if !place.is_quarantine {
                    report.version = Some(done.version);
                }
            }
            Err(error) => tracing::info!(table = place.name, %error, "its small files were not compacted"),
        }
    }
}

async fn when_many(run: &Run, table: &Table, place: &Place, most: usize) -> Result<Option<Rearranged>> {
    let Some(snapshot) = run.lake.table(&place.folder).snapshot().await? else { return Ok(None) };
    let mut layout = Layout { at_least: WORTHWHILE.min(most), ..Layout::default() };
    if snapshot.files().len() <= most || delta::untidy(&snapshot, &layout) <= most {
        return Ok(None);
    }
    layout.apart = apart(run, table, place, &snapshot).await?;
    Ok(delta::rearrange(&snapshot, &layout, note(&run.id)).await?)
}

/// Compacts a table of lakesmith's own, of which `before` is the version that was just written upon: each look reads all
/// of it. If it fails, the next writer tries again.
pub async fn own_table(lake: &Lake, folder: &str, before: Option<&Snapshot>, run_id: &str) {
    if before.is_none_or(|before| before.files().len() < MANY_FILES) {
        return;
    }
    let layout = match folder {
        RUNS => Layout { file_bytes: HISTORY_FILE_BYTES, ..Layout::default() },
        _ => Layout::default(),
    };
    let compacted = match lake.table(folder).snapshot().await {
        Ok(Some(snapshot)) => delta::rearrange(&snapshot, &layout, note(run_id)).await.map(drop),
        other => other.map(drop),
    };
    if let Err(error) = compacted {
        tracing::debug!(folder, %error, "its small files were not compacted");
    }
}
