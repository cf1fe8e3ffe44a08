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
    /// A table is seen as it is and moves with this lake, until it is frozen ([`Table::freeze`]) or a commit of its own
    /// is written in the overlay: from then on what this lake commits to the table is not seen there. Data files that
    /// this lake deletes are gone for both.
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
    /// In an overlay: what the lake below commits to this table from now on is not seen any more. Gives the version that
    /// the table has; `None`: there is no table. Of tables that speak of one another, the one that speaks must be frozen
    /// first. In a lake that is no overlay it changes nothing.
    ///
    /// # Errors
    /// [`Error::Storage`]
    pub async fn freeze(&self) -> Result<Option<i64>, Error> {
        let latest = self.log()?.list_recent().await?.latest();
        if let Some((overlay, _)) = self.lake().overlaid() {
            let folder = self.folder();
            let url = self.lake().folder_url(folder)?;
            let root = Path::from_url_path(url.path()).map_err(|error| Error::storage(folder, &error))?;
            let next = latest.map_or(0, |version| version + 1);
            overlay.part(&root.join(view::LOG), next).await.map_err(|error| Error::object(folder, &error))?;
        }
        Ok(latest)
    }
}
