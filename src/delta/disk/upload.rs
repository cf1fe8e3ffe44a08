//! An object that comes in parts.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use deltalake::logstore::object_store::{Error, MultipartUpload, PutPayload, PutResult, Result, UploadPart};
use futures::FutureExt;

use super::blocking;
use super::staged::Staged;

/// `None` when it is complete or given up.
type Open = Arc<Mutex<Option<Staged>>>;

#[derive(Debug)]
pub(super) struct DiskUpload {
    staged: Open,
    offset: u64,
}

impl DiskUpload {
    pub(super) fn new(staged: Staged) -> Self {
        DiskUpload { staged: Arc::new(Mutex::new(Some(staged))), offset: 0 }
    }
}

fn locked(staged: &Open) -> MutexGuard<'_, Option<Staged>> {
    staged.lock().unwrap_or_else(PoisonError::into_inner)
}

fn over() -> Error {
    Error::Generic { store: "disk", source: "the upload is over".into() }
}

#[async_trait]
impl MultipartUpload for DiskUpload {
    fn put_part(&mut self, payload: PutPayload) -> UploadPart {
        let (staged, offset) = (Arc::clone(&self.staged), self.offset);
        self.offset += payload.content_length() as u64;
        blocking(move || locked(&staged).as_mut().ok_or_else(over)?.write_at(offset, &payload)).boxed()
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let staged = locked(&self.staged).take().ok_or_else(over)?;
        blocking(move || {
            staged.sync()?;
            staged.replace()
        })
        .await?;
        Ok(PutResult { e_tag: None, version: None })
    }

    async fn abort(&mut self) -> Result<()> {
        drop(locked(&self.staged).take());
        Ok(())
    }
}
