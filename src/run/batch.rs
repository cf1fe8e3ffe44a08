//! The rows of a batch's files, written as data files that no commit names yet. A file goes in whole or not at all.

use std::collections::BTreeSet;

use polars::prelude::{Column, DataFrame};
use tokio::runtime::Handle;

use super::error::Result;
use super::intake::{Intake, Taken};
use super::landing::Judged;
use super::shape::Shape;
use super::{Event, Run};
use crate::bronze::{self, FileStat, FileSummary, ReadError};
use crate::delta::{Table, TableSchema, Writer};
use crate::name::TableName;
use crate::project::{SameContent, Source};

/// Bytes of a file's rows that wait until the file is known to be sound, however much memory there is; a larger file gets
/// data files of its own, which are dropped if it turns out unsound.
const HELD_BYTES: usize = 64 << 20;

/// So many rows or bytes are worth a frame of their own.
const FEW_ROWS: usize = 1 << 14;
const FEW_BYTES: usize = 8 << 20;

/// The writing of one batch.
pub struct Batch {
    run: Run,
    name: TableName,
    skips: bool,
    table: Table,
    number: i64,
    handle: Handle,
    shared: Option<Writer>,
    /// rows of small files, to be written to `shared` together
    few: Few,
}

/// Whether a file could be read to its end. The outer error of such a result is the lake's, the inner one the file's.
type Sound = std::result::Result<FileSummary, ReadError>;

impl Batch {
    /// To be made within a Tokio runtime; all else blocks.
    pub fn new(run: &Run, name: &TableName, source: &Source, table: Table, number: i64) -> Self {
        let skips = source.same_content == SameContent::Skip;
        let (run, name, handle) = (run.clone(), name.clone(), Handle::current());
        Batch { run, name, skips, table, number, handle, shared: None, few: Few::default() }
    }

    /// Writes the rows of these files and notes what became of each. If one that has widened the table proves unsound,
    /// nothing is taken and the files that are still to be read come back.
    pub fn take_all(&mut self, shape: &Shape, files: &[Judged], intake: &mut Intake) -> Result<Option<Vec<Judged>>> {
        shape.landing.expect(files.iter().map(|file| &file.stat));
        let schema = shape.schema();
        let mut contents = BTreeSet::new();
        let mut sound = Vec::new();
        let (mut bytes, of) = (0, files.iter().map(|file| file.stat.size).sum::<u64>().max(1));
        for (at, file) in files.iter().enumerate() {
            self.run.tell(Event::Share { table: self.name.clone(), share: bytes as f64 / of as f64 });
            bytes += file.stat.size;
            let known = file.blake3.as_ref().is_some_and(|hash| contents.contains(hash));
            if known && self.skips {
                intake.skipped.push(file.clone());
                sound.push(file.clone());
                continue;
            }
            match self.file(shape, &schema, &file.stat, intake)? {
                Ok(summary) => {
                    contents.insert(summary.blake3.clone());
                    intake.taken.push(Taken::new(file.stat.clone(), summary));
                    sound.push(file.clone());
                }
                Err(error) => {
                    intake.refuse(&shape.landing, file.clone(), error)?;
                    if shape.is_widened_by(&file.stat) {
                        self.drop_all(intake)?;
                        sound.extend(files.iter().skip(at + 1).cloned());
                        return Ok(Some(sound));
                    }
                }
            }
        }
        self.write_few()?;
        if let Some(shared) = self.shared.take() {
            intake.data.extend(self.handle.block_on(shared.finish())?);
        }
        Ok(None)
    }

    fn drop_all(&mut self, intake: &mut Intake) -> Result<()> {
        intake.taken.clear();
        intake.skipped.clear();
        self.few = Few::default();
        if let Some(shared) = self.shared.take() {
            self.handle.block_on(shared.abort());
        }
        let data = std::mem::take(&mut intake.data);
        Ok(self.handle.block_on(self.table.remove_uncommitted(&data))?)
    }

    fn file(&mut self, shape: &Shape, schema: &TableSchema, stat: &FileStat, intake: &mut Intake) -> Result<Sound> {
        let limit = usize::try_from(self.run.lake.memory().part(8).bytes()).unwrap_or(usize::MAX).min(HELD_BYTES);
        let mut held = Held { frames: Vec::new(), bytes: 0, limit, own: None };
        let read = self.stream(shape, schema, stat, &mut held)?;
        match (&read, held.own.take()) {
            (Ok(_), Some(own)) => intake.data.extend(self.handle.block_on(own.finish())?),
            (Ok(_), None) => {
                if self.shared.is_none() {
                    self.shared = Some(self.table.writer(schema)?);
                }
                self.few.take(held);
                if self.few.rows >= FEW_ROWS || self.few.bytes >= FEW_BYTES {
                    self.write_few()?;
                }
            }
            (Err(_), Some(own)) => self.handle.block_on(own.abort()),
            (Err(_), None) => {}
        }
        Ok(read)
    }

    /// Writes the rows of small files, together: what a frame costs hardly depends on its rows.
    fn write_few(&mut self) -> Result<()> {
        if let (Some(writer), Some(frame)) = (&self.shared, std::mem::take(&mut self.few).together()?) {
            writer.write(frame)?;
        }
        Ok(())
    }

    fn stream(&self, shape: &Shape, schema: &TableSchema, stat: &FileStat, held: &mut Held) -> Result<Sound> {
        let mut reader = match shape.open(stat) {
            Ok(reader) => reader,
            Err(error) => return Ok(Err(error)),
        };
        for frame in reader.by_ref() {
            let frame = match frame {
                Ok(frame) => frame,
                Err(error) => return Ok(Err(error)),
            };
            self.run.tell(Event::Progress { table: self.name.clone(), rows: frame.height() as u64 });
            let keep = [bronze::SOURCE_ROW, bronze::MALFORMED];
            let frame = bronze::conform(&frame, shape.columns(), &keep)?;
            let frame = bronze::with_lineage(frame, self.number, &stat.path, self.run.started_at)?;
            held.take(frame, || Ok(self.table.writer(schema)?))?;
        }
        let summary = reader.summary().cloned();
        Ok(summary.ok_or_else(|| ReadError::ChangedWhileRead { path: stat.path.clone() }))
    }
}

/// Rows of small files.
#[derive(Default)]
struct Few {
    frames: Vec<DataFrame>,
    rows: usize,
    bytes: usize,
}

impl Few {
    fn take(&mut self, held: Held) {
        self.rows += held.frames.iter().map(DataFrame::height).sum::<usize>();
        self.bytes += held.bytes;
        self.frames.extend(held.frames);
    }

    fn together(self) -> Result<Option<DataFrame>> {
        let mut frames = self.frames.into_iter();
        let Some(mut all) = frames.next() else { return Ok(None) };
        for frame in frames {
            all.vstack_mut_owned(frame)?;
        }
        Ok(Some(all))
    }
}

/// Rows of a file that may yet turn out unsound.
struct Held {
    frames: Vec<DataFrame>,
    bytes: usize,
    /// bytes that may wait
    limit: usize,
    own: Option<Writer>,
}

impl Held {
    fn take(&mut self, frame: DataFrame, open: impl FnOnce() -> Result<Writer>) -> Result<()> {
        if let Some(own) = &self.own {
            return Ok(own.write(frame)?);
        }
        self.bytes += bytes_of(&frame);
        self.frames.push(frame);
        if self.bytes > self.limit {
            let own = open()?;
            for frame in self.frames.drain(..) {
                own.write(frame)?;
            }
            self.own = Some(own);
        }
        Ok(())
    }
}

/// Bytes of a frame's values. Texts may stand in a buffer that all columns share, which Polars counts for each.
fn bytes_of(frame: &DataFrame) -> usize {
    let bytes = |column: &Column| match column.str() {
        Ok(texts) => texts.downcast_iter().map(|texts| texts.total_bytes_len()).sum(),
        Err(_) => column.as_materialized_series().estimated_size(),
    };
    frame.columns().iter().map(bytes).sum()
}
