//! A disk that fails, as a process that dies or a network that goes away makes it look.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use deltalake::logstore::object_store::local::LocalFileSystem;
use deltalake::logstore::object_store::path::Path;
use deltalake::logstore::object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions, Result,
};
use futures::future::BoxFuture;
use futures::stream::{self, BoxStream, StreamExt};
use lakesmith::delta::Lake;

/// After how many changes a process dies, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Death {
    /// so many changes are made and acknowledged
    pub after: usize,
    /// one more is made, but its acknowledgement is lost
    pub last_arrives: bool,
    /// from then on nothing can be read either
    pub blind: bool,
}

/// One operation that goes wrong, reads counted too.
#[derive(Clone, Copy, Debug)]
pub struct OneFault {
    /// so many went well before
    pub at: usize,
    pub wrong: Wrong,
}

/// How an operation goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    Fails,
    /// it is done, and the answer is lost
    AnswerLost,
    /// everybody else is faster
    Slow,
}

impl Wrong {
    pub const ALL: [Wrong; 3] = [Wrong::Fails, Wrong::AnswerLost, Wrong::Slow];
}

/// How long a slow operation takes.
const SLOW: Duration = Duration::from_millis(300);

/// What goes wrong.
enum Fault {
    None,
    Death(Death),
    Once(OneFault),
    /// no object whose path holds this text can be written
    Refuses(&'static str),
    /// claims are lost at once, so that runs at the same time meet at every commit
    NoClaims,
    /// before an object whose path holds this text is written the first time, something else happens
    Meanwhile(&'static str, Meanwhile),
}

/// Something that happens while a run is at work.
pub type Meanwhile = Box<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>;

/// A local disk behind a fault.
pub struct Faulty {
    disk: LocalFileSystem,
    fault: Fault,
    happened: Mutex<bool>,
    changes: AtomicUsize,
    operations: AtomicUsize,
}

/// Whether a request is carried out, and whether its answer arrives.
#[derive(PartialEq, Eq)]
enum Fate {
    Done,
    DoneUnsaid,
    Refused,
    Forgotten,
}

impl Faulty {
    fn new(fault: Fault) -> Arc<Self> {
        let disk = LocalFileSystem::new();
        Arc::new(Faulty {
            disk,
            fault,
            happened: Mutex::new(false),
            changes: AtomicUsize::new(0),
            operations: AtomicUsize::new(0),
        })
    }

    /// A disk that only counts.
    pub fn healthy() -> Arc<Self> {
        Faulty::new(Fault::None)
    }

    pub fn dying(death: Death) -> Arc<Self> {
        Faulty::new(Fault::Death(death))
    }

    pub fn once(fault: OneFault) -> Arc<Self> {
        Faulty::new(Fault::Once(fault))
    }

    pub fn refusing(part: &'static str) -> Arc<Self> {
        Faulty::new(Fault::Refuses(part))
    }

    /// Claims are lost at once.
    pub fn without_claims() -> Arc<Self> {
        Faulty::new(Fault::NoClaims)
    }

    pub fn meanwhile(part: &'static str, then: Meanwhile) -> Arc<Self> {
        Faulty::new(Fault::Meanwhile(part, then))
    }

    /// The lake in this folder, behind the fault.
    pub fn lake(self: &Arc<Self>, folder: &std::path::Path) -> Lake {
        Lake::with_store(folder.to_str().unwrap(), self.clone()).unwrap()
    }

    /// Changes that were tried.
    pub fn changes(&self) -> usize {
        self.changes.load(Ordering::SeqCst)
    }

    /// Operations that were tried, reads too.
    pub fn operations(&self) -> usize {
        self.operations.load(Ordering::SeqCst)
    }

    /// Counts an operation; gives how it goes wrong.
    fn operate(&self) -> Option<Wrong> {
        let before = self.operations.fetch_add(1, Ordering::SeqCst);
        match self.fault {
            Fault::Once(fault) if fault.at == before => Some(fault.wrong),
            _ => None,
        }
    }

    async fn change(&self, location: &Path) -> Fate {
        let before = self.changes.fetch_add(1, Ordering::SeqCst);
        match self.operate() {
            Some(Wrong::Fails) => return Fate::Refused,
            Some(Wrong::AnswerLost) => return Fate::DoneUnsaid,
            Some(Wrong::Slow) => tokio::time::sleep(SLOW).await,
            None => {}
        }
        match &self.fault {
            Fault::Death(death) if before == death.after && death.last_arrives => Fate::DoneUnsaid,
            Fault::Death(death) if before >= death.after => Fate::Refused,
            Fault::NoClaims if is_claim(location) => Fate::Forgotten,
            Fault::Refuses(part) if location.as_ref().contains(part) => Fate::Refused,
            Fault::Meanwhile(part, then) if location.as_ref().contains(part) => {
                if !std::mem::replace(&mut *self.happened.lock().unwrap(), true) {
                    then().await;
                }
                Fate::Done
            }
            _ => Fate::Done,
        }
    }

    fn look(&self, location: Option<&Path>) -> Result<()> {
        match self.operate() {
            Some(Wrong::Fails | Wrong::AnswerLost) => return Err(broken()),
            Some(Wrong::Slow) => std::thread::sleep(SLOW),
            None => {}
        }
        match (&self.fault, location) {
            (Fault::NoClaims, Some(claim)) if is_claim(claim) => {
                Err(Error::NotFound { path: claim.to_string(), source: "lost".into() })
            }
            (Fault::Death(death), _) if death.blind && self.changes() > death.after => Err(broken()),
            _ => Ok(()),
        }
    }
}

fn is_claim(location: &Path) -> bool {
    location.as_ref().contains("/_lakesmith/claims/")
}

fn broken() -> Error {
    Error::Generic { store: "faulty", source: "connection reset".into() }
}

impl fmt::Display for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("faulty")
    }
}

impl fmt::Debug for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("faulty")
    }
}

/// Carries out a change of `$location` as its fate wants it.
macro_rules! fated {
    ($self:ident, $location:expr, $change:expr, $forgotten:expr) => {
        match $self.change($location).await {
            Fate::Done => $change.await,
            Fate::Forgotten => $forgotten,
            Fate::Refused => Err(broken()),
            Fate::DoneUnsaid => {
                $change.await?;
                Err(broken())
            }
        }
    };
}

#[async_trait]
impl ObjectStore for Faulty {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        let forgotten = Ok(PutResult { e_tag: None, version: None });
        fated!(self, location, self.disk.put_opts(location, payload.clone(), options.clone()), forgotten)
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        fated!(self, location, self.disk.put_multipart_opts(location, options.clone()), Err(broken()))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.look(Some(location))?;
        self.disk.get_opts(location, options).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        // deletions come one by one, and each is carried out as it is asked for
        let before = self.changes.fetch_add(1, Ordering::SeqCst);
        match self.operate() {
            Some(Wrong::Fails) => return stream::once(async { Err(broken()) }).boxed(),
            Some(Wrong::AnswerLost) => {
                let done = self.disk.delete_stream(locations);
                return done.map(|deleted| deleted.and_then(|_| Err(broken()))).boxed();
            }
            Some(Wrong::Slow) => std::thread::sleep(SLOW),
            None => {}
        }
        match &self.fault {
            Fault::Death(death) if before > death.after || (before == death.after && !death.last_arrives) => {
                stream::once(async { Err(broken()) }).boxed()
            }
            _ => self.disk.delete_stream(locations),
        }
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        match self.look(None) {
            Ok(()) => self.disk.list(prefix),
            Err(error) => stream::once(async { Err(error) }).boxed(),
        }
    }

    fn list_with_offset(&self, prefix: Option<&Path>, offset: &Path) -> BoxStream<'static, Result<ObjectMeta>> {
        match self.look(None) {
            Ok(()) => self.disk.list_with_offset(prefix, offset),
            Err(error) => stream::once(async { Err(error) }).boxed(),
        }
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.look(None)?;
        self.disk.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        fated!(self, to, self.disk.copy_opts(from, to, options.clone()), Err(broken()))
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        fated!(self, to, self.disk.rename_opts(from, to, options.clone()), Err(broken()))
    }
}
