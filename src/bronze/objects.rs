//! Landing files in a bucket.

use std::collections::BTreeMap;
use std::path::Path as FilePath;
use std::sync::Arc;

use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{Error as StoreError, ObjectMeta, ObjectStoreExt};
use url::Url;

use super::landing::{FileStat, LandingError, Listing, is_hidden};
use super::pattern::Pattern;
use super::place::{Object, Place, Stat, object_mtime};
use crate::bucket::{self, Ahead, Bucket, Failure};
use crate::project::Secret;

/// A bucket and what the keys of its landing files begin with.
#[derive(Clone, Debug)]
pub(super) struct Objects {
    bucket: Arc<Bucket>,
    prefix: Path,
    /// as configured
    place: String,
    ahead: Ahead,
}

impl Objects {
    /// Asks for nothing yet.
    pub fn open(place: &str, storage: &BTreeMap<String, Secret>) -> Result<Self, LandingError> {
        let fault = |reason: String| LandingError::Folder { folder: place.to_owned(), reason };
        let url = Url::parse(place).map_err(|error| fault(format!("this is no URL: {error}")))?;
        let bucket = Bucket::open(&url, storage).map_err(|failure| fault(failure.to_string()))?;
        let prefix = bucket::key_of(&url).map_err(|failure| fault(failure.to_string()))?;
        Ok(Objects { bucket, prefix, place: place.to_owned(), ahead: Ahead::default() })
    }

    /// Pages as long as there are objects. A key is a name like any other: there are no links and no devices.
    pub fn list(&self, pattern: &Pattern) -> Result<Listing, LandingError> {
        let fault = |reason: String| LandingError::Folder { folder: self.place.clone(), reason };
        let start = self.key(&pattern.folder).map_err(fault)?;
        let (store, from, flat) = (Arc::clone(self.bucket.store()), start.clone(), pattern.depth == 1);
        let listed = bucket::wait(async move {
            match flat {
                true => store.list_with_delimiter(Some(&from)).await.map(|listed| listed.objects),
                false => store.list(Some(&from)).try_collect::<Vec<_>>().await,
            }
        });
        let listed = listed.map_err(|error| fault(error.to_string()))?.map_err(|error| fault(in_words(&error)))?;
        let mut listing = Listing::default();
        for object in &listed {
            let (Some(path), Some(below)) = (within(&self.prefix, object), within(&start, object)) else { continue };
            let hidden = below.split('/').any(|name| is_hidden(name.as_bytes()));
            if !hidden && pattern.matches(FilePath::new(&path)) {
                listing.files.push(file(path, object));
            }
        }
        listing.files.sort();
        Ok(listing)
    }

    /// An object as it is now.
    pub fn stat(&self, path: &str) -> Result<FileStat, String> {
        let (store, key) = (Arc::clone(self.bucket.store()), self.key(path)?);
        let found = bucket::wait(async move { store.head(&key).await }).map_err(|error| error.to_string())?;
        found.map(|object| file(path.to_owned(), &object)).map_err(|error| in_words(&error))
    }

    /// The object that was listed as `file`, which may be another by now.
    pub fn place(&self, file: &FileStat) -> Result<(Place, Stat), String> {
        let stat = Stat::of_object(file.size, file.mtime_ns, file.etag.clone());
        let (bucket, key) = (Arc::clone(&self.bucket), self.key(&file.path)?);
        let object = Object { bucket, key, stat: stat.clone(), ahead: self.ahead.clone(), failed: Arc::default() };
        Ok((Place::Object(object), stat))
    }

    /// Begins to fetch files that will be read in this order.
    pub fn expect<'a>(&self, files: impl Iterator<Item = &'a FileStat>) {
        let objects = files.filter_map(|file| Some((self.key(&file.path).ok()?, file.etag.clone(), file.size)));
        self.ahead.expect(self.bucket.store(), objects);
    }

    fn key(&self, path: &str) -> Result<Path, String> {
        let below = Path::parse(path).map_err(|error| error.to_string())?;
        Ok(Path::from_iter(self.prefix.parts().chain(below.parts())))
    }
}

fn file(path: String, object: &ObjectMeta) -> FileStat {
    FileStat { path, size: object.size, mtime_ns: object_mtime(object), etag: object.e_tag.clone() }
}

/// The rest of an object's key below a folder, as it is.
fn within(folder: &Path, object: &ObjectMeta) -> Option<String> {
    let rest = object.location.as_ref().strip_prefix(folder.as_ref())?;
    let rest = if folder.as_ref().is_empty() { rest } else { rest.strip_prefix('/')? };
    Some(rest.to_owned()).filter(|rest| !rest.is_empty())
}

fn in_words(error: &StoreError) -> String {
    Failure::within(error).map_or_else(|| error.to_string(), Failure::to_string)
}
