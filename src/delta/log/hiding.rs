//! A store without some files of a log: delta-rs gives up where a checkpoint cannot be read.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use deltalake::logstore::object_store::path::Path;
use deltalake::logstore::object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use futures::stream::{BoxStream, StreamExt};

use super::FOLDER;

/// Reads as if some files of `_delta_log` were not there; all else goes through.
#[derive(Debug)]
pub(in crate::delta) struct Hiding {
    store: Arc<dyn ObjectStore>,
    names: Arc<BTreeSet<String>>,
}

impl Hiding {
    pub(in crate::delta) fn new(store: Arc<dyn ObjectStore>, names: BTreeSet<String>) -> Self {
        Hiding { store, names: Arc::new(names) }
    }
}

fn hides(names: &BTreeSet<String>, location: &Path) -> bool {
    location.filename().is_some_and(|name| names.contains(name)) && location.parts().any(|p| p.as_ref() == FOLDER)
}

fn visible(
    names: &Arc<BTreeSet<String>>,
    listed: BoxStream<'static, Result<ObjectMeta>>,
) -> BoxStream<'static, Result<ObjectMeta>> {
    let names = Arc::clone(names);
    let keep = move |found: &Result<ObjectMeta>| !found.as_ref().is_ok_and(|meta| hides(&names, &meta.location));
    listed.filter(move |found| std::future::ready(keep(found))).boxed()
}

impl fmt::Display for Hiding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} without {} files", self.store, self.names.len())
    }
}

#[async_trait]
impl ObjectStore for Hiding {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        self.store.put_opts(location, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.store.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        if hides(&self.names, location) {
            return Err(Error::NotFound { path: location.to_string(), source: "it cannot be used".into() });
        }
        self.store.get_opts(location, options).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.store.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        visible(&self.names, self.store.list(prefix))
    }

    fn list_with_offset(&self, prefix: Option<&Path>, offset: &Path) -> BoxStream<'static, Result<ObjectMeta>> {
        visible(&self.names, self.store.list_with_offset(prefix, offset))
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let mut found = self.store.list_with_delimiter(prefix).await?;
        found.objects.retain(|meta| !hides(&self.names, &meta.location));
        Ok(found)
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.store.copy_opts(from, to, options).await
    }
}
