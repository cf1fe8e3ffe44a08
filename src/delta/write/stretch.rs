//! A part of a file, held in memory, read as if it were all of it.

use std::ops::Range;

use bytes::Bytes;
use deltalake::logstore::object_store::{ObjectStore, ObjectStoreExt};
use deltalake::parquet::errors::ParquetError;
use deltalake::parquet::file::reader::{ChunkReader, Length};

use crate::delta::table::object_path;
use crate::delta::{DataFile, Error};

pub(super) struct Stretch {
    start: u64,
    bytes: Bytes,
}

impl Stretch {
    pub(super) async fn read(store: &dyn ObjectStore, file: &DataFile, range: Range<u64>) -> Result<Self, Error> {
        let start = range.start;
        let bytes = store.get_range(&object_path(file.path()), range).await;
        Ok(Stretch { start, bytes: bytes.map_err(|error| Error::object(file.path(), &error))? })
    }

    pub(super) fn into_bytes(self) -> Bytes {
        self.bytes
    }

    fn from(&self, at: u64) -> Result<Bytes, ParquetError> {
        let within = at.checked_sub(self.start).and_then(|at| usize::try_from(at).ok());
        let within = within.filter(|&at| at <= self.bytes.len());
        within.map(|at| self.bytes.slice(at..)).ok_or_else(|| ParquetError::EOF(format!("byte {at} was not read")))
    }
}

impl Length for Stretch {
    fn len(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }
}

impl ChunkReader for Stretch {
    type T = bytes::buf::Reader<Bytes>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        Ok(bytes::Buf::reader(self.from(start)?))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        let bytes = self.from(start)?;
        if bytes.len() < length {
            return Err(ParquetError::EOF(format!("{length} bytes from {start} were not read")));
        }
        Ok(bytes.slice(..length))
    }
}
