//! One version of an object, read from its beginning by a thread that may block.

use std::io::{self, Read};
use std::ops::Range;
use std::sync::Arc;
use std::sync::mpsc::Receiver;

use bytes::Bytes;
use object_store::path::Path;
use object_store::{Error as StoreError, GetOptions, GetRange, ObjectStore};

use super::ahead::{Ahead, First};
use super::blocking;

/// An object is first read so far: many files are small, and of others only the header is wanted.
pub(super) const FIRST: u64 = 256 << 10;
/// Then in pieces of this size, the next one being on its way while one is read.
const PIECE: u64 = 8 << 20;

/// Reads an object of which each piece must be of the version that was listed.
pub struct Reader {
    store: Arc<dyn ObjectStore>,
    key: Path,
    size: u64,
    etag: Option<String>,
    /// where the next request begins
    next: u64,
    piece: Bytes,
    coming: Option<Receiver<io::Result<Bytes>>>,
    ahead: Ahead,
}

impl Reader {
    /// An object as it was listed: so many bytes, and this ETag if the server gives one. Asks for nothing yet.
    pub fn new(store: Arc<dyn ObjectStore>, key: Path, size: u64, etag: Option<String>, ahead: Ahead) -> Self {
        Reader { store, key, size, etag, next: 0, piece: Bytes::new(), coming: None, ahead }
    }

    /// The first piece may have been fetched already.
    fn begin(&mut self) -> io::Result<()> {
        match self.ahead.take(&self.store, &self.key, self.etag.as_ref()) {
            Some(First::Here(bytes)) => self.piece = bytes,
            Some(First::Coming(coming)) => self.coming = Some(coming),
            None => return self.ask(),
        }
        self.next = FIRST.min(self.size);
        Ok(())
    }

    fn ask(&mut self) -> io::Result<()> {
        if self.next >= self.size {
            return Ok(());
        }
        let length = if self.next == 0 { FIRST } else { PIECE };
        let range = self.next..(self.next + length).min(self.size);
        self.next = range.end;
        let (store, key, etag) = (Arc::clone(&self.store), self.key.clone(), self.etag.clone());
        self.coming = Some(blocking::start(async move { fetch(store.as_ref(), &key, etag, range).await })?);
        Ok(())
    }
}

pub(super) async fn fetch(
    store: &dyn ObjectStore,
    key: &Path,
    etag: Option<String>,
    range: Range<u64>,
) -> io::Result<Bytes> {
    let wanted = range.end - range.start;
    let options = GetOptions { if_match: etag.clone(), range: Some(GetRange::Bounded(range)), ..GetOptions::default() };
    let found = store.get_opts(key, options).await.map_err(to_io)?;
    // not every server heeds If-Match
    if etag.is_some() && found.meta.e_tag.is_some() && found.meta.e_tag != etag {
        return Err(changed());
    }
    let bytes = found.bytes().await.map_err(to_io)?;
    if bytes.len() as u64 == wanted { Ok(bytes) } else { Err(changed()) }
}

/// The object is not the one that was listed: of kind `NotFound`, since that one is no longer there.
fn changed() -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, "the object is not what it was when it was listed")
}

fn to_io(error: StoreError) -> io::Error {
    match error {
        StoreError::NotFound { .. } | StoreError::Precondition { .. } => changed(),
        error => io::Error::other(error),
    }
}

impl Read for Reader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.piece.is_empty() {
            if self.next == 0 {
                self.begin()?;
            } else if self.coming.is_none() {
                self.ask()?;
            }
        }
        if self.piece.is_empty() {
            let Some(coming) = self.coming.take() else { return Ok(0) };
            let whole = self.next == self.size && self.size <= FIRST;
            self.piece = coming.recv().map_err(io::Error::other)??;
            if whole {
                self.ahead.keep(&self.key, self.etag.as_ref(), &self.piece);
            }
            // of a small object nothing follows; of one that is only looked at, nothing more is wanted
            if self.next > FIRST {
                self.ask()?;
            }
        }
        let n = out.len().min(self.piece.len());
        out[..n].copy_from_slice(&self.piece.split_to(n));
        Ok(n)
    }
}
