//! A lake above a lake: reads fall through to the one below, whatever is written or deleted stays above.

mod below;
mod scratch;
mod store;
#[cfg(test)]
mod tests;
mod view;

use std::sync::Arc;

use deltalake::logstore::object_store::ObjectStore;
use deltalake::logstore::object_store::path::Path;

pub use self::scratch::Scratch;
pub(super) use self::store::Overlay;
use super::{Error, Lake, Table};

impl Lake {
    /// A lake that looks like this one. What is written to it goes to a folder of its own, and what is deleted from it
    /// is only seen as deleted there, so that any work can be carried out on it for trial. `aside` are folders of this
    /// lake, such as that of the claims, of which the other sees nothing.
    ///
    /// A table is seen as it is now and moves with this lake, until a commit of its own is written in the overlay: from
    /// then on what this lake commits to the table is not seen there. Data files that this lake deletes are gone for
    /// both.
    ///
    /// The folder lies in the system's one for temporary files (`TMPDIR`), which needs room for all that is written.
    /// It goes when the [`Scratch`] is dropped; the overlay cannot be used any more then.
    ///
    /// # Errors
    /// [`Error::Storage`] if the folder cannot be made.
    pub fn overlay(&self, aside: &[&str]) -> Result<(Lake, Scratch), Error> {
        let scratch = Scratch::new()?;
        let overlay = Overlay::new(self.objects(), &scratch, aside)?;
        let store: Arc<dyn ObjectStore> = Arc::new(overlay.clone());
        let uri = scratch.folder().to_string_lossy();
        Ok((self.above(&uri, store, overlay)?, scratch))
    }
}

impl Table {
    /// The first version of the table that was written in an overlay and is not that of the lake below; `None` if
    /// there is none, or if the table's lake is no overlay.
    pub fn first_own_version(&self) -> Option<i64> {
        let (overlay, _) = self.lake().overlaid()?;
        let url = self.lake().folder_url(self.folder()).ok()?;
        let log = Path::from_url_path(url.path()).ok()?.join(view::LOG);
        overlay.first_own_version(&log)
    }
}
