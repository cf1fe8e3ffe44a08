//! A store that says what is wrong, knows its own writes again, and writes only where two writers are kept apart.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures::stream::{BoxStream, StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{
    CopyOptions, Error as StoreError, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, ObjectStoreExt, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions,
    Result, UploadPart,
};
use tokio::sync::OnceCell;

use super::failure::{self, Cause, Failure};
use super::{Server, probe};

/// How often a write is tried that another one collided with (409) or whose answer was lost.
const ATTEMPTS: u32 = 6;
/// Deletions that are under way together.
const DELETIONS: usize = 16;
/// For how long a server that never answered is not asked again.
const SILENCE: Duration = Duration::from_secs(60);

#[derive(Clone)]
pub(super) struct Guarded(Arc<Inner>);

struct Inner {
    store: Arc<dyn ObjectStore>,
    server: Server,
    /// the server keeps writers apart
    proven: OnceCell<()>,
    /// it has answered once
    heard: AtomicBool,
    /// it never has, and why
    silent: Mutex<Option<(Instant, Failure)>>,
}

impl Guarded {
    pub(super) fn new(store: Arc<dyn ObjectStore>, server: Server) -> Self {
        let (proven, heard, silent) = (OnceCell::new(), AtomicBool::new(false), Mutex::new(None));
        Guarded(Arc::new(Inner { store, server, proven, heard, silent }))
    }

    /// A run asks for many tables: those after the first need not wait for a server that does not answer.
    fn check(&self) -> Result<()> {
        let silent = self.0.silent.lock().unwrap_or_else(PoisonError::into_inner);
        match silent.as_ref().filter(|(since, _)| since.elapsed() < SILENCE) {
            Some((_, failure)) => Err(failure.clone().into_error()),
            None => Ok(()),
        }
    }

    fn noted<T>(&self, outcome: Result<T>) -> Result<T> {
        match &outcome {
            Err(error) => match Failure::within(error) {
                Some(failure) if failure.cause() == Cause::Unreachable && !self.0.heard.load(Ordering::Relaxed) => {
                    let mut silent = self.0.silent.lock().unwrap_or_else(PoisonError::into_inner);
                    *silent = Some((Instant::now(), failure.clone()));
                }
                Some(failure) if failure.cause() == Cause::Unreachable => {}
                _ => self.0.heard.store(true, Ordering::Relaxed),
            },
            Ok(_) => self.0.heard.store(true, Ordering::Relaxed),
        }
        outcome
    }

    async fn ask<T>(&self, request: impl Future<Output = Result<T>>) -> Result<T> {
        self.check()?;
        let outcome = request.await.map_err(|error| failure::explained(&self.0.server, error));
        self.noted(outcome)
    }

    async fn ready_to_write(&self, location: &Path) -> Result<()> {
        self.check()?;
        let proof = probe::run(self.0.store.as_ref(), &self.0.server, location);
        let outcome = self.0.proven.get_or_try_init(|| proof).await.map(|_| ());
        self.noted(outcome)
    }

    /// A write under a condition that fails may have been done all the same: then the object holds what was to be
    /// written. Nobody else writes the same bytes, since they name their writer.
    async fn put_on_condition(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        for attempt in 1.. {
            let outcome = self.0.store.put_opts(location, payload.clone(), options.clone()).await;
            let again = match &outcome {
                Err(error) if failure::is_status(error, 409) => true,
                Err(StoreError::AlreadyExists { .. } | StoreError::Precondition { .. }) => {
                    return match self.holds(location, &payload).await {
                        Some(done) => Ok(done),
                        None => outcome,
                    };
                }
                Err(error) => failure::is_unanswered(error),
                Ok(_) => false,
            };
            if !again || attempt >= ATTEMPTS {
                return outcome;
            }
            tokio::time::sleep(pause(attempt)).await;
        }
        Err(StoreError::NotImplemented { operation: "write".to_owned(), implementer: self.to_string() })
    }

    /// What writing the object would have given, if it holds these bytes.
    async fn holds(&self, location: &Path, payload: &PutPayload) -> Option<PutResult> {
        let found = self.0.store.get(location).await.ok()?;
        let (e_tag, version) = (found.meta.e_tag.clone(), found.meta.version.clone());
        if found.meta.size != payload.content_length() as u64 {
            return None;
        }
        let written: Vec<u8> = payload.iter().flat_map(|bytes| bytes.iter().copied()).collect();
        let same = found.bytes().await.ok()? == written;
        same.then_some(PutResult { e_tag, version })
    }

    async fn delete_one(&self, location: Path) -> Result<Path> {
        self.check()?;
        for attempt in 1.. {
            let outcome = self.0.store.delete(&location).await;
            if !outcome.as_ref().is_err_and(failure::is_unanswered) || attempt >= ATTEMPTS {
                let outcome = outcome.map_err(|error| failure::explained(&self.0.server, error));
                return self.noted(outcome.map(|()| location));
            }
            tokio::time::sleep(pause(attempt)).await;
        }
        Ok(location)
    }

    fn listed(&self, listing: BoxStream<'static, Result<ObjectMeta>>) -> BoxStream<'static, Result<ObjectMeta>> {
        if let Err(error) = self.check() {
            return futures::stream::once(std::future::ready(Err(error))).boxed();
        }
        let this = self.clone();
        let explain = move |found: Result<ObjectMeta>| {
            this.noted(found.map_err(|error| failure::explained_listing(&this.0.server, error)))
        };
        listing.map(explain).boxed()
    }
}

/// Grows to two seconds, with jitter so that those who collided do not meet again.
fn pause(attempt: u32) -> Duration {
    let jitter = u64::from(uuid::Uuid::new_v4().as_bytes()[0]);
    Duration::from_millis((50 << attempt.min(5)) + jitter)
}

impl fmt::Debug for Guarded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Guarded({self})")
    }
}

impl fmt::Display for Guarded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bucket {} at {}", self.0.server.kind.name(), self.0.server.bucket, self.0.server.endpoint)
    }
}

#[async_trait]
impl ObjectStore for Guarded {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        self.ready_to_write(location).await?;
        match options.mode {
            PutMode::Overwrite => self.ask(self.0.store.put_opts(location, payload, options)).await,
            PutMode::Create | PutMode::Update(_) => self.ask(self.put_on_condition(location, payload, options)).await,
        }
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.ready_to_write(location).await?;
        let upload = self.ask(self.0.store.put_multipart_opts(location, options)).await?;
        Ok(Box::new(Upload { guarded: self.clone(), upload }))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let mut found = self.ask(self.0.store.get_opts(location, options)).await?;
        if let GetResultPayload::Stream(bytes) = found.payload {
            let this = self.clone();
            let explain = move |error| failure::explained(&this.0.server, error);
            found.payload = GetResultPayload::Stream(bytes.map_err(explain).boxed());
        }
        Ok(found)
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        let this = self.clone();
        let delete = move |location: Result<Path>| {
            let this = this.clone();
            async move { this.delete_one(location?).await }
        };
        locations.map(delete).buffered(DELETIONS).boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.listed(self.0.store.list(prefix))
    }

    fn list_with_offset(&self, prefix: Option<&Path>, offset: &Path) -> BoxStream<'static, Result<ObjectMeta>> {
        self.listed(self.0.store.list_with_offset(prefix, offset))
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.check()?;
        let outcome = self.0.store.list_with_delimiter(prefix).await;
        self.noted(outcome.map_err(|error| failure::explained_listing(&self.0.server, error)))
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.ready_to_write(to).await?;
        self.ask(self.0.store.copy_opts(from, to, options)).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        self.ready_to_write(to).await?;
        self.ask(self.0.store.rename_opts(from, to, options)).await
    }
}

/// An upload in parts whose errors are explained.
#[derive(Debug)]
struct Upload {
    guarded: Guarded,
    upload: Box<dyn MultipartUpload>,
}

#[async_trait]
impl MultipartUpload for Upload {
    fn put_part(&mut self, part: PutPayload) -> UploadPart {
        let (guarded, sent) = (self.guarded.clone(), self.upload.put_part(part));
        Box::pin(async move { guarded.ask(sent).await })
    }

    async fn complete(&mut self) -> Result<PutResult> {
        self.guarded.clone().ask(self.upload.complete()).await
    }

    async fn abort(&mut self) -> Result<()> {
        self.guarded.clone().ask(self.upload.abort()).await
    }
}
