//! Bytes on their way into an object, hashed as they leave.

use std::io;
use std::sync::Arc;

use deltalake::logstore::object_store::ObjectStore;
use deltalake::logstore::object_store::buffered::BufWriter;
use deltalake::logstore::object_store::path::Path;
use tokio::io::AsyncWriteExt;
use tokio::runtime::Handle;

/// A write to an object store, from a thread that may block. The object appears when it is complete.
pub(super) struct Upload {
    runtime: Handle,
    object: BufWriter,
    /// gathered, so that the runtime is bothered seldom
    waiting: Vec<u8>,
    hash: blake3::Hasher,
    bytes: u64,
}

const CHUNK: usize = 1 << 20;
/// Parts of a multipart upload; S3 wants at least 5 MiB and at most 10,000 of them.
const PART: usize = 10 << 20;

impl Upload {
    pub(super) fn new(runtime: Handle, store: Arc<dyn ObjectStore>, path: Path) -> Self {
        let object = BufWriter::with_capacity(store, path, PART);
        Upload { runtime, object, waiting: Vec::new(), hash: blake3::Hasher::new(), bytes: 0 }
    }

    fn send(&mut self) -> io::Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let bytes = std::mem::take(&mut self.waiting);
        self.runtime.block_on(self.object.put(bytes.into())).map_err(io::Error::other)
    }

    /// The size and the hash of the object, which is now there.
    pub(super) fn complete(&mut self) -> io::Result<(u64, blake3::Hash)> {
        self.send()?;
        self.runtime.block_on(self.object.shutdown())?;
        Ok((self.bytes, self.hash.finalize()))
    }

    /// Drops what was sent.
    pub(super) fn abort(&mut self) {
        if let Err(error) = self.runtime.block_on(self.object.abort()) {
            tracing::debug!(%error, "could not abort an upload");
        }
    }
}

impl io::Write for Upload {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
        self.waiting.extend_from_slice(bytes);
        if self.waiting.len() >= CHUNK {
            self.send()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
