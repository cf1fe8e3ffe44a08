//! Objects on a disk of this machine that survive a power cut.
//!
//! `object_store` gives neither its files nor their folders to the disk before it says that an object is there, and a
//! store around it comes too late: what is linked is found, what was written into it may not be. So whatever makes an
//! object is done here, and only reading, listing and deleting are left to `object_store`.

mod failure;
mod staged;
#[cfg(test)]
mod tests;
mod upload;

use std::fmt;
use std::path::PathBuf;

use async_trait::async_trait;
use deltalake::logstore::object_store::local::LocalFileSystem;
use deltalake::logstore::object_store::path::Path;
use deltalake::logstore::object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreExt,
    PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions, Result, UpdateVersion,
};
use futures::stream::BoxStream;

pub(super) use self::failure::{Failure, Unsettled};
pub(super) use self::staged::is_temporary;
use self::staged::{Staged, lock, settle};
use self::upload::DiskUpload;

/// The root of the disk. An object is written to a file of another name beside its place and given to the disk, then it
/// gets its name, and then the folder is given to the disk, all before anybody is told that the object is there. Cheap
/// to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct Disk {
    files: LocalFileSystem,
}

impl Disk {
    fn path(&self, location: &Path) -> Result<PathBuf> {
        self.files.path_to_filesystem(location)
    }

    /// Writes over an object that is still the one that was read. Nobody else who asks for that in the same folder comes
    /// between, on file systems that know locks.
    async fn update(&self, location: &Path, staged: Staged, seen: UpdateVersion) -> Result<()> {
        let target = self.path(location)?;
        let lock = blocking(move || lock(&target)).await?;
        let stands = match self.files.head(location).await {
            Ok(now) => now.e_tag.is_some() && now.e_tag == seen.e_tag,
            Err(Error::NotFound { .. }) => false,
            Err(error) => return Err(error),
        };
        if !stands {
            let (path, source) = (location.to_string(), "it has changed since it was read".into());
            return Err(Error::Precondition { path, source });
        }
        blocking(move || {
            let placed = staged.replace();
            drop(lock);
            placed
        })
        .await
    }
}

impl fmt::Display for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("disk")
    }
}

/// Carries out what may take long beside the threads of the runtime.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    match tokio::runtime::Handle::try_current() {
        Ok(runtime) => runtime.spawn_blocking(work).await?,
        Err(_) => work(),
    }
}

#[async_trait]
impl ObjectStore for Disk {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        let target = self.path(location)?;
        let write = move || {
            let mut staged = Staged::beside(target)?;
            staged.write(&payload)?;
            staged.sync()?;
            Ok(staged)
        };
        match options.mode {
            PutMode::Create => blocking(move || write()?.link()).await?,
            PutMode::Overwrite => blocking(move || write()?.replace()).await?,
            PutMode::Update(seen) => {
                let staged = blocking(write).await?;
                self.update(location, staged, seen).await?;
            }
        }
        Ok(PutResult { e_tag: None, version: None })
    }

    async fn put_multipart_opts(&self, location: &Path, _: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        let target = self.path(location)?;
        let staged = blocking(move || Staged::beside(target)).await?;
        Ok(Box::new(DiskUpload::new(staged)))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.files.get_opts(location, options).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[std::ops::Range<u64>]) -> Result<Vec<bytes::Bytes>> {
        self.files.get_ranges(location, ranges).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.files.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.files.list(prefix)
    }

    fn list_with_offset(&self, prefix: Option<&Path>, offset: &Path) -> BoxStream<'static, Result<ObjectMeta>> {
        self.files.list_with_offset(prefix, offset)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.files.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        let target = self.path(to)?;
        self.files.copy_opts(from, to, options).await?;
        blocking(move || settle(&target)).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        let target = self.path(to)?;
        self.files.rename_opts(from, to, options).await?;
        blocking(move || settle(&target)).await
    }
}
