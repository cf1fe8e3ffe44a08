//! The one way in which data files come about: frames in, Parquet files with statistics and a BLAKE3 out, in memory
//! that does not grow with the table.

mod encoding;
mod lane;
mod new_file;
mod open_file;
mod patch;
mod statistics;
mod stretch;
mod upload;

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::TrySendError;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use polars::prelude::{AnyValue, DataFrame, Engine, LazyFrame, PlanCallback, PolarsError};
use tokio::runtime::Handle;

use self::lane::{Lane, Work};
pub(super) use self::patch::{Original, Patch, footer};
use super::normalise::normalise;
use super::{DataFile, Error, Table, TableSchema, partition};

/// What all lanes of a writer share.
pub(super) struct Target {
    pub(super) table: Table,
    pub(super) schema: TableSchema,
    pub(super) runtime: Handle,
    /// a file is closed when it has so many bytes
    pub(super) file_bytes: usize,
    /// a lane holds no more bytes of row groups that are not written yet, if it has several files open
    pub(super) lane_bytes: usize,
    /// a lane failed or the writer was dropped: the others stop too
    pub(super) stopped: AtomicBool,
}

/// Writes frames into data files that no commit names yet. Frames may be given from several threads; each is written
/// as a whole, but their order across files is not kept.
pub struct Writer {
    target: Arc<Target>,
    lanes: Mutex<Vec<Lane>>,
    next: AtomicUsize,
    max_lanes: usize,
}

/// The size at which a file is closed.
pub(super) const FILE_BYTES: usize = 128 << 20;
/// What a lane may hold however much memory there is, and with how much less it is not worth a thread.
const LANE_BYTES: usize = 256 << 20;
const LEAST_LANE_BYTES: usize = 24 << 20;
/// Frames of a query come in pieces of so many rows.
pub(super) const BATCH_ROWS: NonZeroUsize = NonZeroUsize::MIN.saturating_add((1 << 16) - 1);

impl Writer {
    pub(super) fn new(table: Table, schema: &TableSchema) -> Result<Self, Error> {
        Self::with_file_bytes(table, schema, FILE_BYTES)
    }

    pub(super) fn with_file_bytes(table: Table, schema: &TableSchema, file_bytes: usize) -> Result<Self, Error> {
        schema.check(table.folder())?;
        let runtime = Handle::try_current()
            .map_err(|_| Error::invalid(table.folder(), "a writer can only be made within a Tokio runtime"))?;
        let memory = usize::try_from(table.lake().memory().part(4).bytes()).unwrap_or(usize::MAX);
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let max_lanes = cores.min(memory / LEAST_LANE_BYTES).max(1);
        let lane_bytes = (memory / max_lanes).min(LANE_BYTES);
        let (schema, stopped) = (schema.clone(), AtomicBool::new(false));
        let target = Target { table, schema, runtime, file_bytes, lane_bytes, stopped };
        let (lanes, next) = (Mutex::new(Vec::new()), AtomicUsize::new(0));
        Ok(Writer { target: Arc::new(target), lanes, next, max_lanes })
    }

    /// Keeps to so many threads. Each ends with a file per partition that has not reached its size.
    pub(super) fn with_lanes(mut self, lanes: usize) -> Self {
        self.max_lanes = lanes.max(1);
        self
    }

    /// Takes a frame; columns may stand in any order, a missing one is null. Blocks while all lanes are busy, so not to
    /// be called from async code.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the frame does not fit the schema; [`Error::Storage`] if a lane has failed meanwhile.
    pub fn write(&self, frame: DataFrame) -> Result<(), Error> {
        let frame = normalise(self.target.table.folder(), &frame, &self.target.schema)?;
        if frame.height() == 0 {
            return Ok(());
        }
        if self.target.schema.partition_by.is_empty() {
            return self.send(Work { partition: Vec::new(), frame }, None);
        }
        for work in self.split(&frame)? {
            // one lane per partition, so that a partition's rows do not lie scattered over a file per lane
            let mut hash = blake3::Hasher::new();
            for value in &work.partition {
                hash.update(format!("{value:?}").as_bytes());
            }
            let lane = usize::from(hash.finalize().as_bytes()[0]) % self.max_lanes;
            self.send(work, Some(lane))?;
        }
        Ok(())
    }

    /// The rows of each partition, its values taken out of them.
    fn split(&self, frame: &DataFrame) -> Result<Vec<Work>, Error> {
        let schema = &self.target.schema;
        let mut split = Vec::new();
        for part in frame.partition_by_stable(schema.partition_by.iter().map(String::as_str), true)? {
            let partition = schema
                .partition_by
                .iter()
                .map(|name| {
                    let value: AnyValue<'_> = part.column(name)?.get(0)?;
                    let ty = schema.ty(name).unwrap_or(&crate::expr::Type::Null);
                    partition::to_text(&value, ty)
                        .map_err(|why| Error::invalid(self.target.table.folder(), format!("`{name}`: {why}")))
                })
                .collect::<Result<Vec<_>, Error>>()?;
            let frame = part.drop_many(schema.partition_by.iter().map(String::as_str));
            split.push(Work { partition, frame });
        }
        Ok(split)
    }

    /// To a given lane, else to one that has room; a lane more is opened when all are busy, so that little data makes
    /// one file and much data uses every core.
    fn send(&self, mut work: Work, lane: Option<usize>) -> Result<(), Error> {
        if self.target.stopped.load(Ordering::Relaxed) {
            return Err(self.failure());
        }
        let sender = {
            let mut lanes = locked(&self.lanes);
            if lane.is_none() {
                for lane in lanes.iter() {
                    match lane.sender.try_send(work) {
                        Ok(()) => return Ok(()),
                        Err(TrySendError::Full(back) | TrySendError::Disconnected(back)) => work = back,
                    }
                }
            }
            let wanted = lane.unwrap_or(lanes.len()).min(self.max_lanes - 1);
            let busy = lane.is_none() && lanes.len() == self.max_lanes;
            while !busy && lanes.len() <= wanted {
                lanes.push(Lane::start(Arc::clone(&self.target)));
            }
            let index = if busy { self.next.fetch_add(1, Ordering::Relaxed) % self.max_lanes } else { wanted };
            lanes[index].sender.clone()
        };
        sender.send(work).map_err(|_| self.failure())
    }

    /// The real cause comes out of [`Writer::finish`].
    fn failure(&self) -> Error {
        Error::Storage { location: self.target.table.folder().to_owned(), what: "writing has failed".to_owned() }
    }

    /// Closes all files. If a lane failed, everything that was written is deleted.
    ///
    /// # Errors
    /// The first failure of a lane.
    pub async fn finish(self) -> Result<Vec<DataFile>, Error> {
        let (files, failure) = self.join().await;
        match failure {
            None => Ok(files),
            Some(error) => {
                self.target.table.remove_uncommitted(&files).await?;
                Err(error)
            }
        }
    }

    /// Gives up: deletes what was written. What cannot be deleted is garbage that `vacuum` takes later.
    pub async fn abort(self) {
        self.target.stopped.store(true, Ordering::Relaxed);
        let (files, _) = self.join().await;
        if let Err(error) = self.target.table.remove_uncommitted(&files).await {
            tracing::warn!(table = self.target.table.folder(), %error, "could not delete files that no commit names");
        }
    }

    async fn join(&self) -> (Vec<DataFile>, Option<Error>) {
        let lanes = std::mem::take(&mut *locked(&self.lanes));
        let folder = self.target.table.folder().to_owned();
        let joined = tokio::task::spawn_blocking(move || {
            // all senders go first, so that all lanes end at once
            let threads: Vec<_> = lanes.into_iter().map(Lane::close).collect();
            threads.into_iter().map(|thread| thread.join()).collect::<Vec<_>>()
        });
        let crashed =
            || Error::Storage { location: folder.clone(), what: "a thread that writes files died".to_owned() };
        let Ok(results) = joined.await else { return (Vec::new(), Some(crashed())) };
        let (mut files, mut failure) = (Vec::new(), None);
        for result in results {
            match result {
                Ok(written) => {
                    files.extend(written.files);
                    failure = failure.or(written.failure);
                }
                Err(_) => failure = failure.or_else(|| Some(crashed())),
            }
        }
        files.sort_by(|a: &DataFile, b| a.path().cmp(b.path()));
        (files, failure)
    }

    /// Carries out a query with the streaming engine and writes its result; `tell` hears of each piece's rows.
    pub(super) async fn write_query(
        self,
        frame: LazyFrame,
        tell: impl Fn(u64) + Send + Sync + 'static,
    ) -> Result<Vec<DataFile>, Error> {
        let writer = Arc::new(self);
        let (sink, failure) = (Arc::clone(&writer), Arc::new(Mutex::new(None)));
        let first = Arc::clone(&failure);
        let query = tokio::task::spawn_blocking(move || {
            let take = PlanCallback::new(move |frame: DataFrame| {
                tell(frame.height() as u64);
                sink.write(frame).map(|()| false).map_err(|error| {
                    let message = error.to_string();
                    locked(&first).get_or_insert(error);
                    PolarsError::ComputeError(message.into())
                })
            });
            let sunk = frame.sink_batches(take, true, Some(BATCH_ROWS))?;
            sunk.collect_with_engine(Engine::Streaming)
        });
        let result = query.await;
        let failure = locked(&failure).take();
        let writer = Arc::into_inner(writer);
        let gone = || Error::Query("the query went on after it ended".to_owned());
        match (result, failure, writer) {
            (Ok(Ok(_)), None, Some(writer)) => writer.finish().await,
            (_, Some(error @ Error::Invalid { .. }), Some(writer)) => {
                writer.abort().await;
                Err(error)
            }
            // a lane failed: finish tells how
            (_, Some(error), Some(writer)) => writer.finish().await.and(Err(error)),
            (Ok(Err(error)), None, Some(writer)) => {
                writer.abort().await;
                Err(error.into())
            }
            (Err(error), None, Some(writer)) => {
                writer.abort().await;
                Err(Error::Query(format!("the query died: {error}")))
            }
            (_, failure, None) => Err(failure.unwrap_or_else(gone)),
        }
    }
}

/// What a thread that panicked left behind is still whole: each holder changes it in one step.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for Writer {
    /// A writer that is dropped unfinished stops its lanes; their files are never named by a commit.
    fn drop(&mut self) {
        self.target.stopped.store(true, Ordering::Relaxed);
    }
}
