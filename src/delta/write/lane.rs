//! One thread that encodes Parquet.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use polars::prelude::DataFrame;

use super::Target;
use super::open_file::OpenFile;
use crate::delta::{DataFile, Error};

/// Rows of one partition.
pub(super) struct Work {
    pub(super) partition: Vec<Option<String>>,
    pub(super) frame: DataFrame,
}

pub(super) struct Lane {
    pub(super) sender: SyncSender<Work>,
    thread: JoinHandle<Written>,
}

/// What a lane leaves behind. With a failure, the files are still named, to be deleted.
#[derive(Default)]
pub(super) struct Written {
    pub(super) files: Vec<DataFile>,
    pub(super) failure: Option<Error>,
}

/// Frames that may wait for a lane.
const WAITING: usize = 2;
/// A lane holds no more files open.
const OPEN_FILES: usize = 64;

impl Lane {
    pub(super) fn start(target: Arc<Target>) -> Self {
        let (sender, receiver) = sync_channel(WAITING);
        let thread = std::thread::spawn(move || {
            let mut files = OpenFiles { target, open: HashMap::new(), closed: Vec::new() };
            let failure = files.run(&receiver).err();
            if failure.is_some() {
                files.target.stopped.store(true, Ordering::Relaxed);
            }
            Written { files: files.closed, failure }
        });
        Lane { sender, thread }
    }

    /// No more work; the thread ends when it has done what it has.
    pub(super) fn close(self) -> JoinHandle<Written> {
        self.thread
    }
}

/// The files of one lane.
struct OpenFiles {
    target: Arc<Target>,
    open: HashMap<Vec<Option<String>>, OpenFile>,
    closed: Vec<DataFile>,
}

impl OpenFiles {
    fn run(&mut self, receiver: &Receiver<Work>) -> Result<(), Error> {
        let mut result = self.take_all(receiver);
        for (_, file) in self.open.drain() {
            if result.is_err() || self.target.stopped.load(Ordering::Relaxed) {
                file.abort();
                continue;
            }
            match file.close() {
                Ok(file) => self.closed.push(file),
                Err(error) => result = Err(error),
            }
        }
        result
    }

    fn take_all(&mut self, receiver: &Receiver<Work>) -> Result<(), Error> {
        for work in receiver {
            if self.target.stopped.load(Ordering::Relaxed) {
                break;
            }
            self.write(work)?;
        }
        Ok(())
    }

    fn write(&mut self, work: Work) -> Result<(), Error> {
        let Work { partition, frame } = work;
        if !self.open.contains_key(&partition) {
            let file = OpenFile::create(Arc::clone(&self.target), &partition, &frame)?;
            self.open.insert(partition.clone(), file);
        }
        if let Some(file) = self.open.get_mut(&partition) {
            file.write(&frame)?;
            if file.bytes() >= self.target.file_bytes {
                self.close(&partition)?;
            }
        }
        self.keep_bounds()
    }

    fn close(&mut self, partition: &[Option<String>]) -> Result<(), Error> {
        if let Some(file) = self.open.remove(partition) {
            self.closed.push(file.close()?);
        }
        Ok(())
    }

    /// Closes the biggest while there are too many.
    fn keep_bounds(&mut self) -> Result<(), Error> {
        while self.open.len() > 1
            && (self.open.len() > OPEN_FILES
                || self.open.values().map(OpenFile::memory).sum::<usize>() > self.target.lane_bytes)
        {
            let biggest =
                self.open.iter().max_by_key(|(_, file)| file.memory()).map(|(partition, _)| partition.clone());
            let Some(partition) = biggest else { break };
            self.close(&partition)?;
        }
        Ok(())
    }
}
