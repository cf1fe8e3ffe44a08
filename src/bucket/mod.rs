//! Object stores by their URLs: Amazon S3 and what speaks its protocol, Azure Blob Storage, Google Cloud Storage.
//!
//! A [`Bucket`] is a store as a lake and its landing files want it: its errors say in words what is wrong and what can be
//! done, a conditional write whose acknowledgement was lost is recognised as done, and before the first write it is
//! proven that the server refuses to overwrite where it is asked to. Polars scans its objects through the very same
//! store, so that there is one set of credentials, time-outs and retries.

mod ahead;
#[cfg(feature = "azure")]
mod azure;
mod blocking;
mod failure;
#[cfg(feature = "gcs")]
mod gcs;
mod guarded;
mod options;
mod probe;
#[cfg(feature = "s3")]
mod profile;
mod read;
#[cfg(feature = "s3")]
mod s3;
mod scans;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use object_store::ObjectStore;
use object_store::path::Path;
use polars::prelude::PlRefPath;
use url::Url;

pub use self::ahead::Ahead;
pub use self::blocking::wait;
pub use self::failure::{Cause, Failure};
use self::guarded::Guarded;
use self::options::{Kind, Options};
pub use self::read::Reader;
use self::scans::Scans;
use crate::project::Secret;

/// A bucket or container, opened. Its objects are named by their whole keys.
pub struct Bucket {
    store: Arc<dyn ObjectStore>,
    scans: Scans,
}

/// A bucket that was opened, and by what.
type Opened = (String, BTreeMap<String, String>, Arc<Bucket>);

/// Buckets that are open: each has one client, however often it is asked for.
static OPEN: Mutex<Vec<Opened>> = Mutex::new(Vec::new());

/// What is known of a bucket's server, for messages.
#[derive(Clone, Debug)]
struct Server {
    kind: Kind,
    bucket: String,
    /// where it is
    endpoint: String,
    /// where the credentials come from, in words
    credentials: String,
}

/// Whether a place is named by a URL of an object store, known or not.
pub fn is_url(place: &str) -> bool {
    place.split_once("://").is_some_and(|(scheme, _)| !["file", "memory"].contains(&scheme))
}

impl Bucket {
    /// The bucket of a URL. `storage`: options by the names that object_store and deltalake give them, which go before
    /// the process environment. No request is sent yet.
    ///
    /// # Errors
    /// The scheme is unknown, this build has no support for it, or an option is wrong.
    pub fn open(url: &Url, storage: &BTreeMap<String, Secret>) -> Result<Arc<Self>, Failure> {
        let options: BTreeMap<String, String> =
            storage.iter().map(|(key, value)| (key.to_lowercase(), value.0.clone())).collect();
        let place = url[..url::Position::BeforePath].to_owned();
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, _, bucket)) = open.iter().find(|(other, with, _)| *other == place && *with == options) {
            return Ok(Arc::clone(bucket));
        }
        let (store, server) = build(url, &Options::new(&options)?)?;
        let bucket = Self::around(&server.bucket.clone(), Arc::new(Guarded::new(store, server)))?;
        open.push((place, options, Arc::clone(&bucket)));
        Ok(bucket)
    }

    /// A store of any kind as a bucket, for instance one that a test holds in memory.
    ///
    /// # Errors
    /// Polars cannot be told of it.
    pub fn around(name: &str, store: Arc<dyn ObjectStore>) -> Result<Arc<Self>, Failure> {
        let scans = Scans::through(name, Arc::clone(&store))?;
        Ok(Arc::new(Bucket { store, scans }))
    }

    /// Its objects.
    pub fn store(&self) -> &Arc<dyn ObjectStore> {
        &self.store
    }

    /// Where Polars finds an object.
    pub fn scan_path(&self, key: &Path) -> PlRefPath {
        self.scans.path(key)
    }
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bucket({})", self.store)
    }
}

/// The path of a URL as a key, without the slash at its end.
///
/// # Errors
/// It is no path that a store can have.
pub fn key_of(url: &Url) -> Result<Path, Failure> {
    Path::from_url_path(url.path()).map_err(|error| Failure::settings(format!("`{url}` is no address: {error}")))
}

fn build(url: &Url, options: &Options) -> Result<(Arc<dyn ObjectStore>, Server), Failure> {
    let kind = Kind::of(url.scheme()).ok_or_else(|| {
        let known = "s3://, az://, abfss:// or gs://";
        Failure::settings(format!("`{}://` is no address of an object store; there are {known}", url.scheme()))
    })?;
    match kind {
        #[cfg(feature = "s3")]
        Kind::S3 => s3::open(url, options),
        #[cfg(feature = "azure")]
        Kind::Azure => azure::open(url, options),
        #[cfg(feature = "gcs")]
        Kind::Gcs => gcs::open(url, options),
        #[allow(unreachable_patterns)]
        kind => Err(missing(url, kind, options)),
    }
}

fn missing(url: &Url, kind: Kind, _: &Options) -> Failure {
    Failure::settings(format!(
        "`{}://` is {}, which this build of lakesmith cannot reach: it was built without the cargo feature `{}`",
        url.scheme(),
        kind.name(),
        kind.feature()
    ))
}
