//! Polars scans objects through a store of ours: it has a scheme for stores that others build.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, Once, PoisonError};

use object_store::ObjectStore;
use object_store::path::Path;
use polars::prelude::PlRefPath;

use super::Failure;

/// The stores that Polars may ask for, by the authority of their URLs.
type Stores = HashMap<String, Arc<dyn ObjectStore>>;

static STORES: LazyLock<Mutex<Stores>> = LazyLock::new(Mutex::default);
static NUMBERS: AtomicU64 = AtomicU64::new(1);
/// The scheme of the URLs that Polars is given.
const SCHEME: &str = "lakesmith";

/// A store's place among those; it is given up when this is dropped.
#[derive(Debug)]
pub(super) struct Scans {
    authority: String,
}

impl Scans {
    pub(super) fn through(name: &str, store: Arc<dyn ObjectStore>) -> Result<Self, Failure> {
        register()?;
        let name: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || "-.".contains(*c)).collect();
        // a name that comes again must not find an earlier store in Polars' own cache
        let authority = format!("{name}.{}", NUMBERS.fetch_add(1, Ordering::Relaxed));
        stores().insert(authority.clone(), store);
        Ok(Scans { authority })
    }

    /// Keys stand in it as they are: Polars decodes nothing.
    pub(super) fn path(&self, key: &Path) -> PlRefPath {
        PlRefPath::new(format!("{SCHEME}://{}/{key}", self.authority))
    }
}

impl Drop for Scans {
    fn drop(&mut self) {
        stores().remove(&self.authority);
    }
}

fn stores() -> MutexGuard<'static, Stores> {
    STORES.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(any(feature = "s3", feature = "azure", feature = "gcs"))]
fn register() -> Result<(), Failure> {
    use polars::io::cloud::{CloudOptions, ExtObjectStoreBuilder, register_object_store_builder};
    use polars::polars_utils::pl_path::ALLOWED_EXT_SCHEMES;
    use polars::prelude::{PolarsResult, polars_err};

    struct Ours;

    impl ExtObjectStoreBuilder for Ours {
        fn build(&self, url: &PlRefPath, _: Option<&CloudOptions>) -> PolarsResult<Arc<dyn ObjectStore + Send + Sync>> {
            let authority = authority(url);
            let store = stores().get(authority).cloned();
            let gone = || polars_err!(ComputeError: "the bucket of `{authority}` was closed");
            Ok(Arc::new(store.ok_or_else(gone)?))
        }

        fn stable_cache_key(&self, url: &PlRefPath, _: Option<&CloudOptions>) -> Option<Vec<u8>> {
            Some(authority(url).as_bytes().to_vec())
        }
    }

    fn authority(url: &PlRefPath) -> &str {
        url.strip_scheme_split_authority().map_or("", |(authority, _)| authority)
    }

    static ONCE: Once = Once::new();
    let mut done = Ok(());
    ONCE.call_once(|| {
        ALLOWED_EXT_SCHEMES.write().unwrap_or_else(PoisonError::into_inner).insert(SCHEME);
        done = register_object_store_builder(SCHEME, Arc::new(Ours));
    });
    done.map_err(|error| Failure::settings(error.to_string()))
}

#[cfg(not(any(feature = "s3", feature = "azure", feature = "gcs")))]
fn register() -> Result<(), Failure> {
    static _ONCE: Once = Once::new();
    Ok(())
}
