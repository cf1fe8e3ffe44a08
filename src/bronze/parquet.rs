//! Parquet: typed columns, read by Polars on a thread of its own.

use std::fs::File;
use std::io;
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
use tempfile::NamedTempFile;

use super::headers::{Header, clean_headers};
use super::limits::Bound;
use super::lineage::MALFORMED;
use super::normalise::{normalise, stored_type};
use super::place::Place;
use super::read::{Frames, ReadOptions};
use super::stored::{Packing, Stored};
use crate::expr::{Column, Columns, Type};
use crate::memory::Memory;

/// Bytes that a value takes at least, about.
const VALUE_WIDTH: u64 = 8;
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
    pub fn begin(place: &Place, packing: Packing, options: &ReadOptions) -> Result<Self, String> {
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
            if let Some(local) = &local {
                fits(local, row_group)?;
            }
            let mut frame = scan(path)?;
            frame.collect_schema().map(|schema| (frame, schema))
        });
        let (frame, schema) = joined(opened, |error| {
            if let Place::Object(object) = place {
                object.note(error);
            }
        })?;
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
    pub fn next_frames(&mut self) -> Result<Option<Frames>, String> {
        loop {
            match std::mem::replace(&mut self.rows, Rows::Done) {
                Rows::Done => return Ok(None),
                Rows::Remote => {
                    let copy = self.unpacked.insert(unpack(&mut self.stored)?);
                    let path = PlRefPath::try_from_path(copy.path()).map_err(|error| error.to_string())?;
                    fits(copy.path(), self.row_group).map_err(|error| error.to_string())?;
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
                    Err(_) => return joined(thread, |_| ()).map(|()| None),
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
fn fits(path: &Path, most: u64) -> PolarsResult<()> {
    let mut reader = ParquetReader::new(File::open(path)?);
    // a number below zero is no number of anything
    let number = |n: i64| u64::try_from(n).unwrap_or(u64::MAX);
    let footer = reader.get_metadata()?;
    let rows = footer.row_groups.iter().map(|group| group.num_rows()).fold(0, usize::saturating_add);
    if rows != footer.num_rows {
        polars_bail!(ComputeError: "its footer tells of {} rows, its row groups of {rows}", footer.num_rows);
    }
    for group in &footer.row_groups {
        let columns = group.parquet_columns().iter();
        let sizes = columns.map(|column| {
            let values = number(column.num_values()).saturating_mul(VALUE_WIDTH);
            values.max(number(column.uncompressed_size()))
        });
        // the row group's own number may be another, and Polars goes by it
        let bytes = sizes.fold(0, u64::saturating_add).max((group.num_rows() as u64).saturating_mul(VALUE_WIDTH));
        if bytes > most {
            let (bytes, most) = (Memory::of_bytes(bytes), Memory::of_bytes(most));
            polars_bail!(ComputeError:
                "a row group of it takes {bytes} in memory, of which there is {most} to work with; `--memory SIZE` gives \
                 more");
        }
    }
    Ok(())
}

/// Bytes of a frame's values; a text counts as often as it stands there.
fn bytes_of(frame: &DataFrame) -> usize {
    let bytes = |column: &Values| match column.str() {
        Ok(texts) => texts.downcast_iter().map(|texts| texts.total_bytes_len()).sum(),
        Err(_) => column.as_materialized_series().estimated_size(),
    };
    frame.columns().iter().map(bytes).sum()
}

fn unpack(stored: &mut Stored) -> Result<NamedTempFile, String> {
    let mut file = NamedTempFile::new().map_err(|e| format!("no room to unpack it: {e}"))?;
    io::copy(stored, &mut file).map_err(|e| stored.explain(&e))?;
    Ok(file)
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
