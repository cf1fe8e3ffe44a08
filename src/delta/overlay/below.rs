//! The lake below, its objects under the paths that they have in the scratch folder.

use std::sync::Arc;

use deltalake::logstore::object_store::path::Path;
use deltalake::logstore::object_store::{
    Error as StoreError, GetOptions, GetResult, ListResult, ObjectMeta, ObjectStore, Result,
};
use futures::stream::{BoxStream, StreamExt, TryStreamExt};

/// Reads only: nothing here can change the lake.
#[derive(Debug)]
pub(super) struct Below {
    lake: Arc<dyn ObjectStore>,
    /// where the scratch folder stands
    root: Path,
}

impl Below {
    pub(super) fn new(lake: Arc<dyn ObjectStore>, root: Path) -> Self {
        Below { lake, root }
    }

    pub(super) fn lake(&self) -> &dyn ObjectStore {
        self.lake.as_ref()
    }

    pub(super) async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let mut found = self.lake.get_opts(&self.to_lake(location)?, options).await?;
        found.meta = from_lake(&self.root, found.meta);
        Ok(found)
    }

    pub(super) fn list(&self, prefix: Option<&Path>, offset: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let Some((prefix, offset)) = self.bounds(prefix, offset) else { return futures::stream::empty().boxed() };
        let root = self.root.clone();
        let listed = match offset {
            Some(offset) => self.lake.list_with_offset(Some(&prefix), &offset),
            None => self.lake.list(Some(&prefix)),
        };
        listed.map_ok(move |meta| from_lake(&root, meta)).boxed()
    }

    pub(super) async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let Some((prefix, _)) = self.bounds(prefix, None) else {
            return Ok(ListResult { common_prefixes: Vec::new(), objects: Vec::new() });
        };
        let found = self.lake.list_with_delimiter(Some(&prefix)).await?;
        let common_prefixes = found.common_prefixes.iter().map(|folder| joined(&self.root, folder)).collect();
        let objects = found.objects.into_iter().map(|meta| from_lake(&self.root, meta)).collect();
        Ok(ListResult { common_prefixes, objects })
    }

    /// Only what lies in the scratch folder has a place in the lake.
    fn bounds(&self, prefix: Option<&Path>, offset: Option<&Path>) -> Option<(Path, Option<Path>)> {
        let prefix = self.to_lake(prefix?).ok()?;
        match offset {
            Some(offset) => Some((prefix, Some(self.to_lake(offset).ok()?))),
            None => Some((prefix, None)),
        }
    }

    fn to_lake(&self, location: &Path) -> Result<Path> {
        let outside = || StoreError::NotFound { path: location.to_string(), source: "not in the lake".into() };
        let inside = location.as_ref().strip_prefix(self.root.as_ref()).ok_or_else(outside)?;
        if !inside.is_empty() && !inside.starts_with('/') {
            return Err(outside());
        }
        Ok(Path::parse(inside)?)
    }
}

fn from_lake(root: &Path, meta: ObjectMeta) -> ObjectMeta {
    ObjectMeta { location: joined(root, &meta.location), ..meta }
}

fn joined(root: &Path, below: &Path) -> Path {
    Path::from_iter(root.parts().chain(below.parts()))
}
