//! The records of one file, as data frames, in bounded memory.

use std::collections::VecDeque;

use polars::prelude::{Column as Values, DataFrame, Int64Chunked, IntoSeries};
use thiserror::Error;

use super::csv::{Blocks, Csv};
use super::headers::Header;
use super::landing::{FileStat, Landing};
use super::lineage::{SOURCE_ROW, VALUE};
use super::ndjson::Ndjson;
use super::parquet::Parquet;
use super::place::{Place, Stat};
use super::stored::{Packing, Stored, explain};
use super::text::Text;
use crate::expr::{Column, Columns, Type};
use crate::memory::Memory;
use crate::project::{Format, Limits};

/// How files are read; but for the timezone, nothing that is read depends on it.
#[derive(Clone, Copy, Debug)]
pub struct ReadOptions {
    /// bytes of text that are taken at a time
    pub block_size: usize,
    /// what is more makes its file unreadable
    pub limits: Limits,
    /// bytes that one row group of a Parquet file may take in memory; a file with a greater one is too large
    pub row_group: u64,
    /// the zone of Parquet timestamps without one
    pub timezone: chrono_tz::Tz,
    /// well-formed text in front of an odd record goes to the fast reader from this length on; `usize::MAX`: nothing does
    pub fast_from: usize,
}

impl Default for ReadOptions {
    fn default() -> Self {
        ReadOptions {
            block_size: 16 << 20,
            limits: Limits::default(),
            row_group: Memory::of_machine().bytes(),
            timezone: chrono_tz::Tz::UTC,
            fast_from: 1 << 16,
        }
    }
}

/// Why a file was not taken in.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ReadError {
    /// It is not what it was when it was listed, or changed while it was read: it is left for the next run.
    #[error("`{path}` changed while it was read")]
    ChangedWhileRead {
        /// within the landing folder
        path: String,
    },
    /// The store that it is in, or the folder for temporary files, could not be used; nothing is known of the file.
    #[error("`{path}`: {reason}")]
    Unreachable {
        /// within the landing folder
        path: String,
        /// what failed
        reason: String,
    },
    /// It takes more memory than there is here: it is set aside, and tried again each time.
    #[error("`{path}`: {reason}")]
    TooLarge {
        /// within the landing folder
        path: String,
        /// what takes how much, and how to have it
        reason: String,
    },
    /// It is set aside until it changes.
    #[error("`{path}`: {reason}")]
    Unreadable {
        /// within the landing folder
        path: String,
        /// why, for its owner
        reason: String,
    },
}

/// What a file was, once all of it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileSummary {
    /// of the bytes as stored, in hex
    pub blake3: String,
    /// all records, malformed ones too
    pub rows: u64,
    /// records that could not be split
    pub malformed: u64,
}

/// Why a reader does not go on, and whose fault that is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// the file's: it is so on any machine
    File(String),
    /// there is too little memory for it
    Memory(String),
    /// that of this machine, whatever the file
    Machine(String),
}

impl From<String> for Fault {
    fn from(reason: String) -> Self {
        Fault::File(reason)
    }
}

/// What a reader gives for a part of a file: frames without [`SOURCE_ROW`].
pub(super) struct Frames {
    pub frames: Vec<DataFrame>,
    pub malformed: usize,
}

/// The records of one file in their order, as frames of [`SOURCE_ROW`] (bigint), [`super::MALFORMED`] (string) and the
/// file's columns under their stored names.
///
/// Frames may have been handed out before the file proves unreadable or changed: after an error, everything that came
/// from the file must be thrown away. Blocking.
pub struct FileReader {
    path: String,
    place: Place,
    stat: Stat,
    records: Records,
    headers: Vec<Header>,
    columns: Columns,
    pending: VecDeque<DataFrame>,
    rows: i64,
    malformed: u64,
    done: bool,
    summary: Option<FileSummary>,
}

enum Records {
    Csv(Csv),
    Ndjson(Ndjson),
    Parquet(Box<Parquet>),
}

/// Opens a file that [`Landing::list`] gave. `known`: the data columns of the bronze table, if there is one; a CSV file
/// whose first line shares no name with them may have lost its header.
///
/// # Errors
/// As the reader's own.
pub fn read(
    landing: &Landing,
    file: &FileStat,
    format: &Format,
    known: Option<&[String]>,
    options: &ReadOptions,
) -> Result<FileReader, ReadError> {
    let (place, stat) = look(landing, file)?;
    let opened = Records::begin(&place, &file.path, format, known, options);
    let records = opened.map_err(|fault| blame(&file.path, &place, &stat, fault))?;
    let (headers, columns) = records.describe();
    Ok(FileReader {
        path: file.path.clone(),
        place,
        stat,
        records,
        headers,
        columns,
        pending: VecDeque::new(),
        rows: 0,
        malformed: 0,
        done: false,
        summary: None,
    })
}

/// The columns of a file, from its header or footer.
///
/// # Errors
/// As [`read`].
pub fn columns_of(
    landing: &Landing,
    file: &FileStat,
    format: &Format,
    options: &ReadOptions,
) -> Result<Columns, ReadError> {
    read(landing, file, format, None, options).map(|reader| reader.columns)
}

/// The BLAKE3 of a file's bytes as stored, in hex.
///
/// # Errors
/// As [`read`].
pub fn hash_file(landing: &Landing, file: &FileStat) -> Result<String, ReadError> {
    let (place, stat) = look(landing, file)?;
    let hash = Stored::open(&place, Packing::Plain).and_then(|mut stored| stored.finish());
    match hash {
        Ok(Some(hash)) => Ok(hash.to_hex().to_string()),
        Ok(None) => Err(ReadError::ChangedWhileRead { path: file.path.clone() }),
        Err(error) => Err(blame(&file.path, &place, &stat, Fault::File(error.to_string()))),
    }
}

impl FileReader {
    /// The file's columns, without [`SOURCE_ROW`] and [`super::MALFORMED`]. Empty: the file holds no record. A column
    /// of type null holds nothing at all.
    pub fn columns(&self) -> &Columns {
        &self.columns
    }

    /// The stored and the original names of these columns.
    pub fn headers(&self) -> &[Header] {
        &self.headers
    }

    /// What the file was: `Some` once the iterator has ended without an error.
    pub fn summary(&self) -> Option<&FileSummary> {
        self.summary.as_ref()
    }

    fn next_frame(&mut self) -> Result<Option<DataFrame>, ReadError> {
        loop {
            if let Some(frame) = self.pending.pop_front() {
                return self.numbered(frame).map(Some);
            }
            let found = self.records.next_frames().map_err(|fault| self.blame(fault))?;
            let Some(found) = found else { return self.finish().map(|()| None) };
            self.malformed += found.malformed as u64;
            self.pending.extend(found.frames);
        }
    }

    fn numbered(&mut self, frame: DataFrame) -> Result<DataFrame, ReadError> {
        let rows = frame.height();
        let first = self.rows + 1;
        self.rows += rows as i64;
        let numbers = Int64Chunked::from_vec(SOURCE_ROW.into(), (first..=self.rows).collect()).into_series();
        let columns = std::iter::once(Values::from(numbers)).chain(frame.into_columns()).collect();
        DataFrame::new(rows, columns).map_err(|e| self.blame(Fault::File(e.to_string())))
    }

    fn finish(&mut self) -> Result<(), ReadError> {
        let hash = self.records.stored().finish().map_err(|e| self.blame(Fault::File(e.to_string())))?;
        let same = *self.records.stored().stat() == self.stat;
        let hash = hash.filter(|_| same).ok_or_else(|| ReadError::ChangedWhileRead { path: self.path.clone() })?;
        let rows = self.rows as u64;
        self.summary = Some(FileSummary { blake3: hash.to_hex().to_string(), rows, malformed: self.malformed });
        Ok(())
    }

    fn blame(&self, fault: Fault) -> ReadError {
        blame(&self.path, &self.place, &self.stat, fault)
    }
}

impl Iterator for FileReader {
    type Item = Result<DataFrame, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let next = self.next_frame().transpose();
        self.done = !matches!(next, Some(Ok(_)));
        next
    }
}

impl Records {
    fn begin(
        place: &Place,
        path: &str,
        format: &Format,
        known: Option<&[String]>,
        options: &ReadOptions,
    ) -> Result<Self, Fault> {
        let packing = Packing::of(path);
        let text = |encoding: &str| {
            let stored = Stored::open(place, packing).map_err(|e| explain(packing, &e))?;
            Text::open(stored.within(options.limits), encoding)
        };
        let longest = usize::try_from(options.limits.line).unwrap_or(usize::MAX);
        match format {
            Format::Csv(csv) => {
                let blocks = Blocks { size: options.block_size, fast_from: options.fast_from };
                Ok(Records::Csv(Csv::begin(text(&csv.encoding)?, csv, known, longest, blocks)?))
            }
            Format::Ndjson => Ok(Records::Ndjson(Ndjson::begin(text("utf-8")?, options.block_size, longest)?)),
            Format::Parquet => {
                Parquet::begin(place, packing, options).map(|parquet| Records::Parquet(Box::new(parquet)))
            }
        }
    }

    fn describe(&self) -> (Vec<Header>, Columns) {
        let texts = |headers: &[Header]| headers.iter().map(|h| Column::new(h.stored.as_str(), Type::String)).collect();
        match self {
            Records::Csv(csv) => (csv.headers().to_vec(), texts(csv.headers())),
            Records::Ndjson(_) => {
                let headers = vec![Header { stored: VALUE.to_owned(), original: VALUE.to_owned() }];
                let columns = texts(&headers);
                (headers, columns)
            }
            Records::Parquet(parquet) => (parquet.headers().to_vec(), parquet.columns().clone()),
        }
    }

    fn next_frames(&mut self) -> Result<Option<Frames>, Fault> {
        match self {
            Records::Csv(csv) => Ok(csv.next_frames()?),
            Records::Ndjson(ndjson) => Ok(ndjson.next_frames()?),
            Records::Parquet(parquet) => parquet.next_frames(),
        }
    }

    fn stored(&mut self) -> &mut Stored {
        match self {
            Records::Csv(csv) => csv.text().stored(),
            Records::Ndjson(ndjson) => ndjson.text().stored(),
            Records::Parquet(parquet) => parquet.stored(),
        }
    }
}

/// Where a file is and what it is now, which must be what was listed.
fn look(landing: &Landing, file: &FileStat) -> Result<(Place, Stat), ReadError> {
    let changed = || ReadError::ChangedWhileRead { path: file.path.clone() };
    let (place, stat) = landing.place(file).map_err(|_| changed())?;
    if (stat.size, stat.mtime_ns) == (file.size, file.mtime_ns) { Ok((place, stat)) } else { Err(changed()) }
}

/// A file that changed is not to blame for what was read of it, nor is any for the machine.
fn blame(path: &str, place: &Place, before: &Stat, fault: Fault) -> ReadError {
    let path = path.to_owned();
    // a failure on the way says nothing of the file
    let unreachable = |reason: String| ReadError::Unreachable { path: path.clone(), reason };
    if let Some(failure) = place.failure() {
        return unreachable(failure.to_string());
    }
    if let Fault::Machine(reason) = fault {
        return unreachable(reason);
    }
    match place.stat() {
        Ok(now) if now == *before => match fault {
            Fault::Memory(reason) => ReadError::TooLarge { path, reason },
            Fault::File(reason) | Fault::Machine(reason) => ReadError::Unreadable { path, reason },
        },
        Err(_) if place.failure().is_some() => {
            unreachable(place.failure().map(ToString::to_string).unwrap_or_default())
        }
        _ => ReadError::ChangedWhileRead { path },
    }
}
