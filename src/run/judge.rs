//! Events of bronze, typed and judged, in files that no commit names yet.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use polars::prelude::*;

use super::anew::discard;
use super::error::{Error, Result};
use super::protocol::BATCH;
use super::quarantine::{self, Reach};
use super::{Event, Run, stream};
use crate::delta::{self, DataFile, MergeRows, Snapshot, Standing, Table, TableSchema};
use crate::name::TableName;
use crate::project::Events;
use crate::report::RowCounts;
use crate::silver;
use crate::steps::Step;

/// Files that a sample is taken of, and rows at each of its places in a file.
const SAMPLED_FILES: usize = 8;
const SAMPLED_ROWS: IdxSize = 128;

/// A bronze table, pinned at one version.
#[derive(Clone)]
pub struct Bronze {
    /// its place in `Events::from`
    pub index: usize,
    /// which of its events are wanted
    pub reach: Reach,
    /// as it is read
    pub snapshot: Snapshot,
    /// of the events within reach only those at these places: `_batch`, `_source_file`, `_source_row`, each once
    pub only: Option<DataFrame>,
}

/// Files that hold the judged rows, not committed yet.
pub struct Judged {
    /// for the silver table
    pub good: Vec<DataFile>,
    /// for its quarantine
    pub bad: Vec<DataFile>,
    /// read, filtered and quarantined, and what became of those that stand in the table already
    pub rows: RowCounts,
}

/// Events to be judged, and where the rows go.
pub struct Judging<'a> {
    /// the run
    pub run: &'a Run,
    /// the silver table
    pub name: &'a TableName,
    /// how it comes about
    pub events: &'a Events,
    /// what is read
    pub sources: &'a [Bronze],
    /// where the good rows go
    pub target: &'a Table,
    /// the columns of these
    pub schema: &'a TableSchema,
    /// where the refused ones go
    pub refused: &'a Table,
    /// rows that are the same as these need not be written
    pub standing: Option<Arc<Standing>>,
}

impl Judging<'_> {
    /// Reads the events within reach, writes the good rows for silver and the refused ones for its quarantine. If it
    /// fails, neither is left.
    pub async fn judge(&self) -> Result<Judged> {
        let mut judged = self.write().await?;
        let Some(standing) = &self.standing else { return Ok(judged) };
        match self.write_contested(standing).await {
            Ok(contested) => judged.good.extend(contested),
            Err(error) => {
                discard(self.target, &judged.good).await;
                discard(self.refused, &judged.bad).await;
                return Err(error);
            }
        }
        let MergeRows { unchanged, superseded, .. } = standing.counts();
        tracing::debug!(table = %self.name, unchanged, superseded, "not written: these rows stand there already");
        judged.rows = RowCounts { unchanged, superseded, ..judged.rows };
        Ok(judged)
    }

    async fn write(&self) -> Result<Judged> {
        let good = Arc::new(self.target.writer(self.schema)?);
        let bad = Arc::new(self.refused.writer(&quarantine::schema())?);
        let counts = Arc::new(Counts::default());
        let all = async {
            let mut read = 0;
            for source in self.sources {
                read += self.expect(source).await?;
                self.each_batch(source, self.parting((good.clone(), bad.clone()), counts.clone())).await?;
            }
            counts.account(self.name, self.events, read)
        };
        match all.await {
            Ok(rows) => match (finish(good).await, finish(bad).await) {
                (Ok(good), Ok(bad)) => Ok(Judged { good, bad, rows }),
                (Ok(good), Err(error)) => {
                    discard(self.target, &good).await;
                    Err(error)
                }
                (Err(error), bad) => {
                    discard(self.refused, &bad.unwrap_or_default()).await;
                    Err(error)
                }
            },
            Err(error) => {
                abort(good).await;
                abort(bad).await;
                Err(error)
            }
        }
    }

    /// The number of a source's events, of which the run is told.
    async fn expect(&self, source: &Bronze) -> Result<u64> {
        let rows = match &source.only {
            Some(only) => only.height() as u64,
            None => {
                let batches = source.events()?.select([col("_batch")]);
                tokio::task::spawn_blocking(move || stream::count(batches)).await??
            }
        };
        self.run.tell(Event::Expected { table: self.name.clone(), rows });
        Ok(rows)
    }

    /// Writes each batch of judged rows where they belong.
    fn parting(
        &self,
        (good, bad): (Arc<delta::Writer>, Arc<delta::Writer>),
        counts: Arc<Counts>,
    ) -> impl FnMut(DataFrame) -> Result<()> + Send + 'static {
        let (run, name, standing) = (self.run.clone(), self.name.clone(), self.standing.clone());
        move |batch| {
            run.tell(Event::Progress { table: name.clone(), rows: batch.height() as u64 });
            let (rows, quarantined) = silver::split(batch)?;
            counts.passed.fetch_add(rows.height() as u64, Ordering::Relaxed);
            counts.refused.fetch_add(quarantined.height() as u64, Ordering::Relaxed);
            if quarantined.height() > 0 {
                bad.write(silver::with_run(quarantined, &run.id, run.started_at)?)?;
            }
            Ok(good.write(match &standing {
                Some(standing) => standing.news(&rows)?,
                None => rows,
            })?)
        }
    }

    /// Writes the rows that were left out as standing there already, but of whose key others have come.
    async fn write_contested(&self, standing: &Arc<Standing>) -> Result<Vec<DataFile>> {
        if !standing.is_contested() {
            return Ok(Vec::new());
        }
        let writer = Arc::new(self.target.writer(self.schema)?);
        for source in self.sources {
            let (standing, contested) = (standing.clone(), writer.clone());
            let again = move |batch| Ok(contested.write(standing.contested(&silver::split(batch)?.0)?)?);
            if let Err(error) = self.each_batch(source, again).await {
                abort(writer).await;
                return Err(error);
            }
        }
        finish(writer).await
    }

    /// Judges a source's events, batch by batch.
    async fn each_batch(
        &self,
        source: &Bronze,
        each: impl FnMut(DataFrame) -> Result<()> + Send + 'static,
    ) -> Result<()> {
        let judged = silver::prepare(self.events, source.index, source.events()?)?;
        tokio::task::spawn_blocking(move || stream::for_each_batch(judged.frame, each)).await?
    }
}

/// Rows on their way.
#[derive(Default)]
struct Counts {
    passed: AtomicU64,
    refused: AtomicU64,
}

impl Counts {
    /// What is neither passed nor refused was filtered out, and only a `where` filters.
    fn account(&self, name: &TableName, events: &Events, read: u64) -> Result<RowCounts> {
        let (passed, quarantined) = (self.passed.load(Ordering::Relaxed), self.refused.load(Ordering::Relaxed));
        let filters = events.steps.iter().any(|step| matches!(step, Step::Where(_)));
        match read.checked_sub(passed + quarantined) {
            Some(filtered) if filters || filtered == 0 => {
                Ok(RowCounts { read, quarantined, filtered, ..RowCounts::default() })
            }
            _ => Err(Error::Internal(format!(
                "of {read} events of `{name}` {passed} rows are good and {quarantined} are refused"
            ))),
        }
    }
}

impl Bronze {
    /// How many rows the files have that hold those within reach; `None`: one of them does not tell.
    pub fn rows_at_most(&self) -> Option<u64> {
        self.files().iter().map(DataFile::rows).sum()
    }

    /// The rows within reach, at the pinned version.
    pub fn events(&self) -> Result<LazyFrame> {
        let events = self.within_reach(match self.reach.after {
            None => self.candidates()?,
            Some(_) => self.snapshot.scan_files(&self.files())?,
        });
        let on = ["_batch", "_source_file", "_source_row"].map(col);
        Ok(match &self.only {
            Some(only) => events.join(only.clone().lazy(), on.clone(), on, JoinArgs::new(JoinType::Semi)),
            None => events,
        })
    }

    /// Some of the rows beyond the watermark: of the beginning, the middle and the end of some of their files.
    pub fn sample(&self) -> Result<LazyFrame> {
        let files = self.files();
        let mut parts = vec![self.snapshot.scan_files(&[])?];
        for file in files.iter().step_by(files.len().div_ceil(SAMPLED_FILES).max(1)) {
            let rows = file.rows().unwrap_or_default();
            for start in BTreeSet::from([0, rows / 2, rows.saturating_sub(SAMPLED_ROWS.into())]) {
                let all = self.snapshot.scan_files(std::slice::from_ref(file))?;
                parts.push(all.slice(start as i64, SAMPLED_ROWS));
            }
        }
        Ok(self.within_reach(concat(parts, UnionArgs::default())?))
    }

    /// The files that may hold rows beyond the watermark.
    fn files(&self) -> Vec<DataFile> {
        match self.reach.after {
            Some(after) => self.snapshot.files_above("_batch", after),
            None => self.snapshot.files().to_vec(),
        }
    }

    fn within_reach(&self, rows: LazyFrame) -> LazyFrame {
        let rows = match self.reach.after {
            Some(after) => rows.filter(col("_batch").gt(lit(after))),
            None => rows,
        };
        match self.snapshot.txn(BATCH) {
            Some(last) if last > self.reach.upto => rows.filter(col("_batch").lt_eq(lit(self.reach.upto))),
            _ => rows,
        }
    }

    /// Rows among which those are that are wanted: few more of the files are read than these need.
    fn candidates(&self) -> Result<LazyFrame> {
        let Some(only) = &self.only else { return Ok(self.snapshot.scan()?) };
        let batches = only.column("_batch")?.i64()?;
        let (least, greatest) = (batches.min().unwrap_or(0), batches.max().unwrap_or(0));
        let may_hold = |file: &&DataFile| {
            file.min_max_i64("_batch").is_none_or(|(first, last)| first <= greatest && least <= last)
        };
        let files: Vec<DataFile> = self.snapshot.files().iter().filter(may_hold).cloned().collect();
        // Told before the other columns are read, which a join is not.
        let rows: HashSet<i64> = only.column("_source_row")?.i64()?.iter().flatten().collect();
        let is_among = move |numbers: Column| {
            let among = numbers.i64()?.iter().map(|number| number.is_some_and(|number| rows.contains(&number)));
            Ok(BooleanChunked::from_iter_values(numbers.name().clone(), among).into_column())
        };
        let output = |_: &Schema, field: &Field| Ok(Field::new(field.name().clone(), DataType::Boolean));
        Ok(self.snapshot.scan_files(&files)?.filter(col("_source_row").map(is_among, output)))
    }
}

async fn finish(writer: Arc<delta::Writer>) -> Result<Vec<DataFile>> {
    let writer = Arc::into_inner(writer).ok_or_else(|| Error::Internal("a writer is still in use".into()))?;
    Ok(writer.finish().await?)
}

async fn abort(writer: Arc<delta::Writer>) {
    if let Some(writer) = Arc::into_inner(writer) {
        writer.abort().await;
    }
}
