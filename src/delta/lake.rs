//! A lake: the folder that holds all tables, and small objects beside them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

use deltalake::logstore::object_store::path::Path;
use deltalake::logstore::object_store::{
    self, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload, UpdateVersion,
};
use deltalake::logstore::{LogStoreRef, StorageConfig, default_logstore, logstore_for, logstore_with};
use polars::prelude::PlRefPath;
use url::Url;

use super::disk::Disk;
use super::log::Hiding;
use super::overlay::Overlay;
use super::{Error, Table};
use crate::bucket::{self, Bucket};
use crate::memory::Memory;
use crate::project::Secret;

/// Where all tables of a project stand, and how much memory to work on one of them with. Cheap to clone.
#[derive(Clone)]
pub struct Lake {
    root: Arc<Root>,
    memory: Memory,
}

struct Root {
    /// ends with a slash
    url: Url,
    options: HashMap<String, String>,
    /// replaces the store that deltalake has for `url`: the disk, an overlay, or a fault that a test injects
    store: Option<Arc<dyn ObjectStore>>,
    /// nothing stands between the lake and a disk of this machine
    on_disk: bool,
    /// how Polars reads it, unless it is on a disk
    bucket: Option<Arc<Bucket>>,
    log_store: LogStoreRef,
    /// the store, and the lake below, if this is an overlay
    overlay: Option<(Overlay, Lake)>,
}

/// The state of a small object, to be given back with [`Lake::put_if_unchanged`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ETag {
    tag: Option<String>,
    version: Option<String>,
    content: blake3::Hash,
}

impl Lake {
    /// Opens the lake at a local path or a URL. Creates nothing.
    ///
    /// # Errors
    /// [`Error::Invalid`] if `uri` is no place that this build can reach.
    pub fn open(uri: &str, storage: &BTreeMap<String, Secret>) -> Result<Self, Error> {
        let url = root_url(uri)?;
        if bucket::is_url(uri) {
            let bucket = Bucket::open(&url, storage).map_err(|failure| Error::invalid(uri, failure.to_string()))?;
            return Self::build(url, HashMap::new(), Some(Arc::clone(bucket.store())), Some(bucket));
        }
        let options = storage.iter().map(|(key, value)| (key.clone(), value.0.clone())).collect();
        Self::build(url, options, None, None)
    }

    /// The lake at `uri` within a given store whose root is the root of the URL's scheme.
    ///
    /// # Errors
    /// As [`Lake::open`].
    pub fn with_store(uri: &str, store: Arc<dyn ObjectStore>) -> Result<Self, Error> {
        let url = root_url(uri)?;
        let bucket = match url.scheme() {
            "file" => None,
            _ => Some(Bucket::around("lake", Arc::clone(&store)).map_err(|why| Error::invalid(uri, why.to_string()))?),
        };
        Self::build(url, HashMap::new(), Some(store), bucket)
    }

    /// The same lake, its tables worked on with so much memory each.
    pub fn with_memory(self, memory: Memory) -> Self {
        Lake { memory, ..self }
    }

    /// How much memory there is to work on a table; half of the machine's unless said.
    pub fn memory(&self) -> Memory {
        self.memory
    }

    fn build(
        url: Url,
        options: HashMap<String, String>,
        store: Option<Arc<dyn ObjectStore>>,
        bucket: Option<Arc<Bucket>>,
    ) -> Result<Self, Error> {
        let on_disk = store.is_none() && url.scheme() == "file";
        let store = if on_disk { Some(Arc::new(Disk::default()) as Arc<dyn ObjectStore>) } else { store };
        let log_store = log_store(&url, &options, store.as_ref())?;
        let root = Root { url, options, store, on_disk, bucket, log_store, overlay: None };
        Ok(Lake { root: Arc::new(root), memory: Memory::of_machine() })
    }

    /// The overlay in the folder `uri`, whose store is `store`, above this lake.
    pub(super) fn above(&self, uri: &str, store: Arc<dyn ObjectStore>, overlay: Overlay) -> Result<Self, Error> {
        let (url, options) = (root_url(uri)?, HashMap::new());
        let log_store = log_store(&url, &options, Some(&store))?;
        let overlay = Some((overlay, self.clone()));
        let root = Root { url, options, store: Some(store), on_disk: false, bucket: None, log_store, overlay };
        Ok(Lake { root: Arc::new(root), memory: self.memory })
    }

    /// If this is an overlay: its store, and the lake below.
    pub(super) fn overlaid(&self) -> Option<&(Overlay, Lake)> {
        self.root.overlay.as_ref()
    }

    /// The table in a folder such as `silver/orders`, `quarantine/orders` or `_lakesmith/ledger`, whether it exists or
    /// not.
    pub fn table(&self, folder: &str) -> Table {
        Table::new(self.clone(), folder)
    }

    /// The lake's root; ends with a slash.
    pub fn url(&self) -> &Url {
        &self.root.url
    }

    /// The lake's root as a local path, if it is one.
    pub(super) fn local_path(&self) -> Option<PathBuf> {
        (self.root.url.scheme() == "file").then(|| self.root.url.to_file_path().ok()).flatten()
    }

    /// Where a table's folder is on a disk, if nothing stands between the lake and the disk.
    pub(super) fn folder_on_disk(&self, folder: &str) -> Option<PathBuf> {
        self.root.on_disk.then(|| self.local_path()).flatten().map(|lake| lake.join(folder))
    }

    /// Where Polars finds a file of the lake that is on no disk.
    pub(super) fn scan_path(&self, path: &Path) -> Result<PlRefPath, Error> {
        let bucket = self.root.bucket.as_ref();
        let bucket =
            bucket.ok_or_else(|| Error::invalid(self.url().as_str(), "Polars cannot read files of this lake"))?;
        let root = bucket::key_of(self.url()).map_err(|failure| Error::invalid(path.as_ref(), failure.to_string()))?;
        Ok(bucket.scan_path(&Path::from_iter(root.parts().chain(path.parts()))))
    }

    /// The log store of the table in `folder`.
    pub(super) fn log_store(&self, folder: &str) -> Result<LogStoreRef, Error> {
        if let Some((overlay, _)) = self.overlaid() {
            overlay.make_folder(folder)?;
        }
        log_store(&self.folder_url(folder)?, &self.root.options, self.root.store.as_ref())
    }

    /// As [`Lake::log_store`], but some files of the log seem not to be there.
    pub(super) fn log_store_hiding(&self, folder: &str, names: BTreeSet<String>) -> Result<LogStoreRef, Error> {
        if let Some((overlay, _)) = self.overlaid() {
            overlay.make_folder(folder)?;
        }
        let store = match &self.root.store {
            Some(store) => Arc::clone(store),
            None => self.root.log_store.root_object_store(None),
        };
        let store: Arc<dyn ObjectStore> = Arc::new(Hiding::new(store, names));
        log_store(&self.folder_url(folder)?, &self.root.options, Some(&store))
    }

    pub(super) fn folder_url(&self, folder: &str) -> Result<Url, Error> {
        let mut url = self.root.url.clone();
        url.path_segments_mut()
            .map_err(|()| Error::invalid(folder, "the lake's URL cannot hold folders"))?
            .pop_if_empty()
            .extend(folder.split('/'))
            .push("");
        Ok(url)
    }

    pub(super) fn objects(&self) -> Arc<dyn ObjectStore> {
        self.root.log_store.object_store(None)
    }

    /// Writes an object unless there is one; `false` if there was.
    ///
    /// # Errors
    /// [`Error::Storage`]
    pub async fn put_if_absent(&self, path: &str, bytes: Vec<u8>) -> Result<bool, Error> {
        let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        match self.objects().put_opts(&Path::from(path), PutPayload::from(bytes), options).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::AlreadyExists { .. }) => Ok(false),
            Err(error) => Err(Error::object(path, &error)),
        }
    }

    /// An object and its state; `None` if there is none.
    ///
    /// # Errors
    /// [`Error::Storage`]
    pub async fn get(&self, path: &str) -> Result<Option<(Vec<u8>, ETag)>, Error> {
        let found = match self.objects().get(&Path::from(path)).await {
            Ok(found) => found,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(Error::object(path, &error)),
        };
        let (tag, version) = (found.meta.e_tag.clone(), found.meta.version.clone());
        let bytes = found.bytes().await.map_err(|error| Error::object(path, &error))?.to_vec();
        let content = blake3::hash(&bytes);
        Ok(Some((bytes, ETag { tag, version, content })))
    }

    /// Replaces an object that is still as it was read; `false` if it is not. A store that knows no conditional
    /// overwrite, such as that of an overlay, reads and compares first, so two writers within the same instant can both
    /// win there.
    ///
    /// # Errors
    /// [`Error::Storage`]
    pub async fn put_if_unchanged(&self, path: &str, bytes: Vec<u8>, etag: &ETag) -> Result<bool, Error> {
        let version = UpdateVersion { e_tag: etag.tag.clone(), version: etag.version.clone() };
        let conditional = PutOptions { mode: PutMode::Update(version), ..PutOptions::default() };
        let store = self.objects();
        match store.put_opts(&Path::from(path), PutPayload::from(bytes.clone()), conditional).await {
            Ok(_) => return Ok(true),
            Err(object_store::Error::Precondition { .. } | object_store::Error::NotFound { .. }) => return Ok(false),
            Err(object_store::Error::NotImplemented { .. } | object_store::Error::NotSupported { .. }) => {}
            Err(error) => return Err(Error::object(path, &error)),
        }
        match self.get(path).await? {
            Some((_, now)) if now.content == etag.content => {}
            _ => return Ok(false),
        }
        store.put(&Path::from(path), PutPayload::from(bytes)).await.map_err(|error| Error::object(path, &error))?;
        Ok(true)
    }

    /// Deletes an object; it is no error if there is none.
    ///
    /// # Errors
    /// [`Error::Storage`]
    pub async fn delete(&self, path: &str) -> Result<(), Error> {
        match self.objects().delete(&Path::from(path)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(Error::object(path, &error)),
        }
    }
}

fn log_store(
    url: &Url,
    options: &HashMap<String, String>,
    store: Option<&Arc<dyn ObjectStore>>,
) -> Result<LogStoreRef, Error> {
    let invalid = |error: deltalake::DeltaTableError| Error::invalid(url.as_str(), error.to_string());
    let config = StorageConfig::parse_options(options.iter()).map_err(invalid)?;
    match store {
        // deltalake knows no other schemes by itself; what it does with them is the same
        Some(store) if !["file", "memory"].contains(&url.scheme()) => config
            .decorate_store(Arc::clone(store), url)
            .map(|prefixed| default_logstore(Arc::from(prefixed), Arc::clone(store), url, &config) as LogStoreRef),
        Some(store) => logstore_with(Arc::clone(store), url, config),
        None => logstore_for(url, config),
    }
    .map_err(invalid)
}

/// A path is made absolute without looking at the disk: the lake need not exist yet.
fn root_url(uri: &str) -> Result<Url, Error> {
    let mut url = if uri.contains("://") {
        Url::parse(uri).map_err(|error| Error::invalid(uri, format!("this is no URL: {error}")))?
    } else {
        let path = std::path::absolute(uri).map_err(|error| Error::storage(uri, &error))?;
        Url::from_directory_path(resolved(&path)).map_err(|()| Error::invalid(uri, "this path cannot be a URL"))?
    };
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    if let Some(escape) = double_escape(url.path()) {
        let what = format!("a lake cannot stand in a folder with `{escape}` in its name: deltalake would decode it");
        return Err(Error::invalid(uri, what));
    }
    Ok(url)
}

/// An escape such as `%20` that is part of a folder's name, and so stands in the URL as `%2520`.
fn double_escape(path: &str) -> Option<String> {
    let after = path.split("%25").skip(1);
    let escape = after.filter_map(|text| text.get(..2)).find(|hex| hex.chars().all(|c| c.is_ascii_hexdigit()))?;
    Some(format!("%{escape}"))
}

/// Symbolic links and `..` resolved, as far as the path exists.
fn resolved(path: &FilePath) -> PathBuf {
    match (std::fs::canonicalize(path), path.parent(), path.file_name()) {
        (Ok(path), _, _) => path,
        (Err(_), Some(parent), Some(name)) => resolved(parent).join(name),
        (Err(_), _, _) => path.to_path_buf(),
    }
}
