//! Parquet: typed columns, read by Polars on a thread of its own.

use std::fs::File;
use std::io::{self, Read, Write};
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use chrono_tz::Tz;
use polars::io::HiveOptions;
use polars::prelude::{
    Column as Values, DataFrame, DataType, Engine, LazyFrame, ParquetReader, PlRefPath, PlanCallback, PolarsError,
    PolarsResult, ScanArgsParquet, Schema, SerReader, polars_bail,
};
use polars_parquet::parquet::metadata::ColumnChunkMetadata;
use polars_parquet::parquet::schema::types::PhysicalType;
use tempfile::NamedTempFile;

use super::headers::{Header, clean_headers};
use super::limits::Bound;
use super::lineage::MALFORMED;
use super::normalise::{normalise, stored_type};
use super::place::Place;
use super::read::{Fault, Frames, ReadOptions};
use super::stored::{Packing, Stored};
use crate::expr::{Column, Columns, Type};
use crate::memory::Memory;

/// Bytes that a value takes at least, about, if its type does not tell.
const VALUE_WIDTH: u64 = 8;
const PIECE: usize = 1 << 18;
const ROWS: NonZeroUsize = NonZeroUsize::new(1 << 16).unwrap();

/// The rows of one Parquet file.
pub(super) struct Parquet {
    stored: Stored,
    headers: Vec<Header>,
    columns: Columns,
    zone: Tz,
    rows: Rows,
    /// how many bytes of values there may be
    values: Bound,
    /// bytes that one row group may take in memory
    row_group: u64,
    /// where a file that is compressed or in a bucket was copied to; goes away with this
    unpacked: Option<NamedTempFile>,
}

enum Rows {
    /// of an object, of which only the footer was looked at: it is copied first
    Remote,
    Waiting(Box<LazyFrame>),
    Coming(Receiver<DataFrame>, JoinHandle<PolarsResult<()>>),
    Done,
}

impl Parquet {
    /// Reads the footer; a compressed file is unpacked to a temporary one. `zone`: of timestamps without one.
    pub fn begin(place: &Place, packing: Packing, options: &ReadOptions) -> Result<Self, Fault> {
        let stored = Stored::open(place, packing).map_err(|e| super::stored::explain(packing, &e))?;
        let mut stored = stored.within(options.limits);
        let unpacked = match packing {
            Packing::Plain => None,
            Packing::Gzip | Packing::Zstd => Some(unpack(&mut stored)?),
        };
        let path = match (&unpacked, place) {
            (Some(unpacked), _) => PlRefPath::try_from_path(unpacked.path()),
            (None, Place::File(path)) => PlRefPath::try_from_path(path),
            (None, Place::Object(object)) => Ok(object.bucket.scan_path(&object.key)),
        };
        let path = path.map_err(|error| error.to_string())?;
        // A broken file makes the reader panic in places; a thread of its own turns that into a reason.
        let local = unpacked.as_ref().map(NamedTempFile::path).or_else(|| place.on_disk()).map(Path::to_owned);
        let (row_group, is_local) = (options.row_group, local.is_some());
        let opened = thread::spawn(move || {
            if let Some(local) = &local
                && let Err(fault) = fits(local, row_group)?
            {
                return Ok(Err(fault));
            }
            let mut frame = scan(path)?;
            frame.collect_schema().map(|schema| Ok((frame, schema)))
        });
        let (frame, schema) = joined(opened, |error| {
            if let Place::Object(object) = place {
                object.note(error);
            }
        })??;
        let (headers, columns) = describe(&schema)?;
        // The values of packed pages may be as many times more as they like: only their sum is limited.
        let values = Bound::new(options.limits, Packing::Plain, 0);
        let rows = if is_local { Rows::Waiting(Box::new(frame)) } else { Rows::Remote };
        Ok(Parquet { stored, headers, columns, zone: options.timezone, rows, values, row_group, unpacked })
    }

    /// The columns under their stored and their original names.
    pub fn headers(&self) -> &[Header] {
        &self.headers
    }

    /// The columns with the types that they are stored as.
    pub fn columns(&self) -> &Columns {
        &self.columns
    }

    /// The file below.
    pub fn stored(&mut self) -> &mut Stored {
        &mut self.stored
    }

    /// The next rows; `None`: there are no more.
    pub fn next_frames(&mut self) -> Result<Option<Frames>, Fault> {
        loop {
            match std::mem::replace(&mut self.rows, Rows::Done) {
                Rows::Done => return Ok(None),
                Rows::Remote => {
                    let copy = self.unpacked.insert(unpack(&mut self.stored)?);
                    let path = PlRefPath::try_from_path(copy.path()).map_err(|error| error.to_string())?;
                    fits(copy.path(), self.row_group).map_err(|error| error.to_string())??;
                    self.rows = Rows::Waiting(Box::new(scan(path).map_err(|error| error.to_string())?));
                }
                Rows::Waiting(frame) => {
                    let (sender, receiver) = sync_channel(1);
                    self.rows = Rows::Coming(receiver, thread::spawn(move || send(*frame, sender)));
                }
                Rows::Coming(receiver, thread) => match receiver.recv() {
                    Ok(frame) => {
                        self.rows = Rows::Coming(receiver, thread);
                        self.values.take(bytes_of(&frame)).map_err(|error| error.to_string())?;
                        let frames = vec![self.stored_frame(&frame)?];
                        return Ok(Some(Frames { frames, malformed: 0 }));
                    }
                    Err(_) => return Ok(joined(thread, |_| ()).map(|()| None)?),
                },
            }
        }
    }

    fn stored_frame(&self, frame: &DataFrame) -> Result<DataFrame, String> {
        let rows = frame.height();
        let mut columns = vec![Values::full_null(MALFORMED.into(), rows, &DataType::String)];
        for (values, header) in frame.columns().iter().zip(&self.headers) {
            let stored = normalise(values.as_materialized_series(), self.zone)
                .map_err(|e| format!("column `{}`: {e}", header.original))?;
            columns.push(Values::from(stored.with_name(header.stored.as_str().into())));
        }
        DataFrame::new(rows, columns).map_err(|e| e.to_string())
    }
}

fn scan(path: PlRefPath) -> PolarsResult<LazyFrame> {
    let options =
        ScanArgsParquet { glob: false, cache: false, hive_options: HiveOptions::new_disabled(), ..Default::default() };
    LazyFrame::scan_parquet(path, options)
}

fn send(frame: LazyFrame, sender: SyncSender<DataFrame>) -> PolarsResult<()> {
    let take = PlanCallback::new(move |batch: DataFrame| Ok(sender.send(batch).is_err()));
    frame.sink_batches(take, true, Some(ROWS))?.collect_with_engine(Engine::Streaming).map(drop)
}

/// A row group is decoded as a whole, whatever the rows of it are few bytes of.
fn fits(path: &Path, most: u64) -> PolarsResult<Result<(), Fault>> {
    let mut reader = ParquetReader::new(File::open(path)?);
    let footer = reader.get_metadata()?;
    let rows = footer.row_groups.iter().map(|group| group.num_rows()).fold(0, usize::saturating_add);
    if rows != footer.num_rows {
        polars_bail!(ComputeError: "its footer tells of {} rows, its row groups of {rows}", footer.num_rows);
    }
    for group in &footer.row_groups {
        let sizes = group.parquet_columns().iter().map(size_of);
        // the row group's own number may be another, and Polars goes by it
        let bytes = sizes.fold(0, u64::saturating_add).max((group.num_rows() as u64).saturating_mul(VALUE_WIDTH));
        if bytes > most {
            let (bytes, most) = (Memory::of_bytes(bytes), Memory::of_bytes(most));
            return Ok(Err(Fault::Memory(format!(
                "a row group of it takes {bytes} in memory, of which there is {most} to work with; `--memory SIZE` gives \
                 more, and each run tries it again"
            ))));
        }
    }
    Ok(Ok(()))
}

/// Bytes that the values of a column take once they are decoded, NULLs too.
fn size_of(column: &ColumnChunkMetadata) -> u64 {
    // a number below zero is no number of anything
    let number = |n: i64| u64::try_from(n).unwrap_or(u64::MAX);
    let values = number(column.num_values());
    let decoded = match column.physical_type() {
        PhysicalType::Boolean => values.div_ceil(8),
        PhysicalType::Int32 | PhysicalType::Float => values.saturating_mul(4),
        PhysicalType::FixedLenByteArray(width) => values.saturating_mul(VALUE_WIDTH.max(width as u64)),
        _ => values.saturating_mul(VALUE_WIDTH),
    };
    decoded.max(number(column.uncompressed_size()))
}

/// Bytes of a frame's values; a text counts as often as it stands there.
fn bytes_of(frame: &DataFrame) -> usize {
    let bytes = |column: &Values| match column.str() {
        Ok(texts) => texts.downcast_iter().map(|texts| texts.total_bytes_len()).sum(),
        Err(_) => column.as_materialized_series().estimated_size(),
    };
    frame.columns().iter().map(bytes).sum()
}

/// Copies the file to a temporary one.
fn unpack(stored: &mut Stored) -> Result<NamedTempFile, Fault> {
    let mut file = NamedTempFile::new().map_err(|error| no_copy(&error))?;
    copy(stored, &mut file)?;
    Ok(file)
}

/// Tells what cannot be read, which is the file's matter, from what cannot be written, which is the machine's.
pub(super) fn copy(stored: &mut Stored, to: &mut impl Write) -> Result<(), Fault> {
    let mut piece = vec![0; PIECE];
    loop {
        match stored.read(&mut piece) {
            Ok(0) => return to.flush().map_err(|error| no_copy(&error)),
            Ok(read) => to.write_all(&piece[..read]).map_err(|error| no_copy(&error))?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Fault::File(stored.explain(&error))),
        }
    }
}

fn no_copy(error: &io::Error) -> Fault {
    let folder = std::env::temp_dir();
    Fault::Machine(format!(
        "it could not be copied to the folder for temporary files, {}: {error}; make room there, or name a folder that has \
         it in TMPDIR. The next run tries again",
        folder.display()
    ))
}

fn joined<T>(thread: JoinHandle<PolarsResult<T>>, note: impl FnOnce(&PolarsError)) -> Result<T, String> {
    let unreadable = |what: String| format!("cannot be read as Parquet: {what}");
    match thread.join() {
        Ok(result) => result.inspect_err(note).map_err(|error| unreadable(error.to_string())),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
            Err(unreadable(text.unwrap_or_else(|| "the reader gave up".to_owned())))
        }
    }
}

fn describe(schema: &Schema) -> Result<(Vec<Header>, Columns), String> {
    let names: Vec<&str> = schema.iter_names().map(|name| name.as_str()).collect();
    let headers = clean_headers(&names);
    let column = |(header, dtype): (&Header, &DataType)| {
        let ty = stored_type(dtype).as_ref().and_then(Type::from_polars);
        ty.map(|ty| Column::new(header.stored.as_str(), ty))
            .ok_or_else(|| format!("column `{}` has type {dtype}, which no table can hold", header.original))
    };
    let columns = headers.iter().zip(schema.iter_values()).map(column).collect::<Result<_, _>>()?;
    Ok((headers, columns))
}
