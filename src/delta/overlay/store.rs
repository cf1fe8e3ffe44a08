//! The object store of an overlay.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use deltalake::logstore::object_store::local::LocalFileSystem;
use deltalake::logstore::object_store::path::Path;
use deltalake::logstore::object_store::{
    CopyMode, CopyOptions, Error as StoreError, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, ObjectStoreExt, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions,
    RenameTargetMode, Result,
};
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use serde_json::Value;

use super::Scratch;
use super::below::Below;
use super::view::{self, View};
use crate::delta::Error;

/// The root of the disk, where the scratch folder stands. Reads in that folder of what was not written there fall
/// through to the lake below. Cheap to clone.
#[derive(Clone, Debug)]
pub(in crate::delta) struct Overlay(Arc<Stores>);

#[derive(Debug)]
struct Stores {
    below: Below,
    above: LocalFileSystem,
    folder: PathBuf,
    /// in terms of the scratch folder
    view: Mutex<View>,
    closed: Arc<AtomicBool>,
}

const STORE: &str = "overlay";

/// Whether an object may stand where another is to be put.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Room {
    MustBeFree,
    MayBeTaken,
}

impl Overlay {
    /// Above the objects of a lake, in the folder of `scratch`; nothing is seen of the lake's folders `aside`.
    pub(super) fn new(lake: Arc<dyn ObjectStore>, scratch: &Scratch, aside: &[&str]) -> Result<Self, Error> {
        let folder = scratch.folder().to_owned();
        let root =
            Path::from_absolute_path(&folder).map_err(|error| Error::storage(&folder.to_string_lossy(), &error))?;
        let aside = aside.iter().map(|aside| Path::from_iter(root.parts().chain(Path::from(*aside).parts())));
        let view = Mutex::new(View::new(aside.collect()));
        let (below, above) = (Below::new(lake, root), LocalFileSystem::new());
        Ok(Overlay(Arc::new(Stores { below, above, folder, view, closed: scratch.closed() })))
    }

    /// Makes a folder, for delta-rs wants that of a table to be there.
    pub(in crate::delta) fn make_folder(&self, folder: &str) -> Result<(), Error> {
        let made = self.open().and_then(|stores| {
            let failed = |error: std::io::Error| StoreError::Generic { store: STORE, source: error.into() };
            std::fs::create_dir_all(stores.folder.join(folder)).map_err(failed)
        });
        made.map_err(|error| Error::object(folder, &error))
    }

    fn view(&self) -> MutexGuard<'_, View> {
        self.0.view.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When the scratch folder has gone, the lake below alone would be another lake.
    fn open(&self) -> Result<&Stores> {
        match self.0.closed.load(Ordering::SeqCst) {
            false => Ok(&self.0),
            true => Err(StoreError::Generic { store: STORE, source: "its scratch folder is gone".into() }),
        }
    }

    /// Whether an object of the lake below is seen.
    async fn is_below(&self, location: &Path) -> Result<bool> {
        if self.view().hides(location) {
            return Ok(false);
        }
        match self.0.below.get_opts(location, GetOptions::new().with_head(true)).await {
            Ok(_) => Ok(true),
            Err(StoreError::NotFound { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// What is to be done before an object is put.
    async fn prepare(&self, location: &Path, room: Room) -> Result<&Stores> {
        let stores = self.open()?;
        if room == Room::MustBeFree && self.is_below(location).await? {
            return Err(StoreError::AlreadyExists { path: location.to_string(), source: "in the lake below".into() });
        }
        if let Some((log, version)) = view::commit(location) {
            self.part(&log, version).await?;
        }
        Ok(stores)
    }

    /// From `version` on a log goes on by itself. It keeps the hint at a checkpoint from before that: the one below
    /// moves on, to a checkpoint that is not seen here.
    pub(super) async fn part(&self, log: &Path, version: i64) -> Result<()> {
        let hint = view::hint(log);
        if !self.view().part(log, version) {
            return Ok(());
        }
        let bytes = match self.0.below.get_opts(&hint, GetOptions::default()).await {
            Ok(found) => found.bytes().await?,
            Err(StoreError::NotFound { .. }) => return Ok(()),
            Err(error) => return Err(error),
        };
        let checkpoint = serde_json::from_slice::<Value>(&bytes).ok().and_then(|hint| hint.get("version")?.as_i64());
        if checkpoint.is_some_and(|checkpoint| checkpoint < version) {
            self.0.above.put(&hint, PutPayload::from(bytes)).await?;
        }
        Ok(())
    }

    async fn delete_one(&self, location: Path) -> Result<Path> {
        let stores = self.open()?;
        let gone = match stores.above.delete(&location).await {
            Ok(()) => true,
            Err(StoreError::NotFound { .. }) => false,
            Err(error) => return Err(error),
        };
        if !gone && !self.is_below(&location).await? {
            return Err(not_found(&location));
        }
        self.view().delete(location.clone());
        Ok(location)
    }

    /// The objects of both, in the order of their paths, which a listing of a bucket has too.
    async fn all(&self, prefix: Option<Path>, offset: Option<Path>) -> Result<Vec<ObjectMeta>> {
        let stores = self.open()?;
        let below: Vec<ObjectMeta> = stores.below.list(prefix.as_ref(), offset.as_ref()).try_collect().await?;
        let above = match &offset {
            Some(offset) => stores.above.list_with_offset(prefix.as_ref(), offset),
            None => stores.above.list(prefix.as_ref()),
        };
        let above: Vec<ObjectMeta> = above.try_collect().await?;
        Ok(self.union(below, above))
    }

    /// The view is looked at last: a log may part from the one below while both are listed.
    fn union(&self, below: Vec<ObjectMeta>, above: Vec<ObjectMeta>) -> Vec<ObjectMeta> {
        let view = self.view();
        let seen = below.into_iter().filter(|meta| !view.hides(&meta.location));
        let both: BTreeMap<Path, ObjectMeta> = seen.chain(above).map(|meta| (meta.location.clone(), meta)).collect();
        both.into_values().collect()
    }

    fn listing(&self, prefix: Option<&Path>, offset: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let (overlay, prefix, offset) = (self.clone(), prefix.cloned(), offset.cloned());
        let all = async move { overlay.all(prefix, offset).await };
        stream::once(all).map_ok(|all| stream::iter(all.into_iter().map(Ok))).try_flatten().boxed()
    }
}

fn not_found(location: &Path) -> StoreError {
    StoreError::NotFound { path: location.to_string(), source: "neither here nor in the lake below".into() }
}

impl fmt::Display for Overlay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Overlay({})", self.0.below.lake())
    }
}

#[async_trait]
impl ObjectStore for Overlay {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        let room = if options.mode == PutMode::Create { Room::MustBeFree } else { Room::MayBeTaken };
        let stores = self.prepare(location, room).await?;
        // a disk keeps no attributes and refuses them
        let options = PutOptions { mode: options.mode, ..PutOptions::default() };
        stores.above.put_opts(location, payload, options).await
    }

    async fn put_multipart_opts(&self, location: &Path, _: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        let stores = self.prepare(location, Room::MayBeTaken).await?;
        stores.above.put_multipart_opts(location, PutMultipartOptions::default()).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let stores = self.open()?;
        match stores.above.get_opts(location, options.clone()).await {
            Err(StoreError::NotFound { .. }) => {}
            found => return found,
        }
        if self.view().hides(location) {
            return Err(not_found(location));
        }
        stores.below.get_opts(location, options).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        let overlay = self.clone();
        let delete = move |location: Result<Path>| {
            let overlay = overlay.clone();
            async move { overlay.delete_one(location?).await }
        };
        locations.then(delete).boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.listing(prefix, None)
    }

    fn list_with_offset(&self, prefix: Option<&Path>, offset: &Path) -> BoxStream<'static, Result<ObjectMeta>> {
        self.listing(prefix, Some(offset))
    }

    /// A folder whose objects are all deleted is still listed, as an empty folder of a disk is.
    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let stores = self.open()?;
        let below = stores.below.list_with_delimiter(prefix).await?;
        let above = stores.above.list_with_delimiter(prefix).await?;
        let objects = self.union(below.objects, above.objects);
        let view = self.view();
        let seen = below.common_prefixes.into_iter().filter(|folder| !view.hides(folder));
        let folders: BTreeSet<Path> = seen.chain(above.common_prefixes).collect();
        Ok(ListResult { common_prefixes: folders.into_iter().collect(), objects })
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        let bytes = self.get(from).await?.bytes().await?;
        let mode = match options.mode {
            CopyMode::Create => PutMode::Create,
            CopyMode::Overwrite => PutMode::Overwrite,
        };
        self.put_opts(to, PutPayload::from(bytes), mode.into()).await?;
        Ok(())
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        let mode = match options.target_mode {
            RenameTargetMode::Create => CopyMode::Create,
            RenameTargetMode::Overwrite => CopyMode::Overwrite,
        };
        self.copy_opts(from, to, CopyOptions::new().with_mode(mode)).await?;
        if from != to {
            self.delete_one(from.clone()).await?;
        }
        Ok(())
    }
}
