//! Whether the data files of a table are there and hold the bytes that their writer noted.

use std::fs::File;
use std::io;

use deltalake::logstore::object_store::{self, GetResultPayload, ObjectStoreExt};
use futures::stream::{self, StreamExt, TryStreamExt};

use super::table::object_path;
use super::{DataFile, Error, Snapshot, Table};

/// How a data file is, compared with what the log says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileHealth {
    /// its bytes are those that its writer hashed
    Sound,
    /// it is there in its full size; its writer noted no hash
    Unhashed,
    /// it is not there
    Missing,
    /// it has another size
    Resized {
        /// bytes that are there
        found: u64,
    },
    /// it has its size and other bytes
    Changed {
        /// their BLAKE3 in hexadecimal
        found: String,
    },
    /// the store could not read it to its end, in its words
    Unreadable(String),
}

impl FileHealth {
    /// What is wrong with `file`; none: nothing.
    pub fn fault(&self, file: &DataFile) -> Option<String> {
        Some(match self {
            FileHealth::Sound | FileHealth::Unhashed => return None,
            FileHealth::Missing => "it is not there".to_string(),
            FileHealth::Resized { found } => format!("it has {found} bytes, and {} were written", file.size()),
            FileHealth::Changed { found } => {
                let noted = file.blake3().unwrap_or_default();
                format!("its bytes are not those that were written: BLAKE3 {found}, and {noted} was noted")
            }
            FileHealth::Unreadable(why) => format!("it cannot be read: {why}"),
        })
    }
}

/// What can be done about a table whose data files are damaged or gone. `folder` is one such as `silver/orders`.
pub fn remedy(folder: &str) -> String {
    let copy = "bring the file back from a copy of the lake";
    match folder.split_once('/') {
        Some(("bronze", name)) => format!(
            "{copy}; if there is none, move the folder of `bronze.{name}` away: the next run takes in anew what is in the \
             landing folder, and `lakesmith rebuild bronze.{name}+` makes the tables below from that"
        ),
        Some(("quarantine", name)) => format!("{copy}, or make it anew: lakesmith rebuild silver.{name}+"),
        Some(("_lakesmith", "ledger")) => {
            format!("{copy}, or move the ledger's folder away: the next run makes it from bronze")
        }
        Some(("_lakesmith", _)) => format!("{copy}, or move the folder {folder} away: the history of runs begins anew"),
        // those below with it: what they have read of the file is not what a difference would take off again
        Some((layer, name)) => format!("{copy}, or make the table anew: lakesmith rebuild {layer}.{name}+"),
        None => copy.to_string(),
    }
}

/// Files that are looked at together: each is one request of a store that may be far away.
pub(super) const FILES_AT_ONCE: usize = 16;

impl Table {
    /// Reads a data file and compares its size and its BLAKE3 with what the log says of it.
    ///
    /// # Errors
    /// The table's store cannot be reached at all.
    pub async fn check_file(&self, file: &DataFile) -> Result<FileHealth, Error> {
        if let Some(health) = self.check_size(file).await? {
            return Ok(health);
        }
        let Some(noted) = file.blake3() else { return Ok(FileHealth::Unhashed) };
        let store = self.log_store()?.object_store(None);
        let hash = match store.get(&object_path(file.path())).await {
            Ok(found) => hash(found.payload).await,
            Err(object_store::Error::NotFound { .. }) => return Ok(FileHealth::Missing),
            Err(error) => Err(error.to_string()),
        };
        Ok(match hash {
            Ok(hash) if hash == noted => FileHealth::Sound,
            Ok(found) => FileHealth::Changed { found },
            Err(error) => FileHealth::Unreadable(error),
        })
    }

    /// What the store tells of a file that nobody reads; none: it is there in its full size.
    pub(super) async fn check_size(&self, file: &DataFile) -> Result<Option<FileHealth>, Error> {
        let store = self.log_store()?.object_store(None);
        Ok(match store.head(&object_path(file.path())).await {
            Ok(found) if found.size == file.size() => None,
            Ok(found) => Some(FileHealth::Resized { found: found.size }),
            Err(object_store::Error::NotFound { .. }) => Some(FileHealth::Missing),
            Err(error) => Some(FileHealth::Unreadable(error.to_string())),
        })
    }
}

impl Snapshot {
    /// The data files that are no longer there, as a vacuum leaves an old version.
    ///
    /// # Errors
    /// [`Error::Storage`]
    pub async fn missing_files(&self) -> Result<Vec<DataFile>, Error> {
        let store = self.table().log_store()?.object_store(None);
        let missing = stream::iter(self.files().to_vec())
            .map(|file| {
                let store = store.clone();
                async move {
                    match store.head(&object_path(file.path())).await {
                        Ok(_) => Ok(None),
                        Err(object_store::Error::NotFound { .. }) => Ok(Some(file)),
                        Err(error) => Err(Error::object(self.table().folder(), &error)),
                    }
                }
            })
            .buffered(FILES_AT_ONCE);
        missing.try_filter_map(|file| async { Ok(file) }).try_collect().await
    }
}

async fn hash(payload: GetResultPayload) -> Result<String, String> {
    let hash = match payload {
        GetResultPayload::File(file, _) => {
            tokio::task::spawn_blocking(move || hash_file(file)).await.map_err(|error| error.to_string())?
        }
        GetResultPayload::Stream(mut bytes) => {
            let mut hash = blake3::Hasher::new();
            while let Some(piece) = bytes.try_next().await.map_err(|error| error.to_string())? {
                hash.update(&piece);
            }
            Ok(hash.finalize())
        }
    };
    hash.map(|hash| hash.to_hex().to_string()).map_err(|error| error.to_string())
}

fn hash_file(file: File) -> io::Result<blake3::Hash> {
    Ok(blake3::Hasher::new().update_reader(file)?.finalize())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::tests::{Disk, now, table_of};
    use super::*;

    async fn health(table: &Table) -> FileHealth {
        let file = now(table).await.files()[0].clone();
        table.check_file(&file).await.unwrap()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_file_is_sound_until_one_bit_of_it_is_another_or_it_is_cut_or_gone() {
        let disk = Disk::new();
        let table = table_of(&disk, &[1, 2, 3]).await;
        assert_eq!(health(&table).await, FileHealth::Sound);
        assert!(now(&table).await.missing_files().await.unwrap().is_empty());

        let file = now(&table).await.files()[0].clone();
        let path = disk.path().join("silver/t").join(file.path());
        let whole = fs::read(&path).unwrap();
        for at in [0, whole.len() / 2, whole.len() - 1] {
            let mut flipped = whole.clone();
            flipped[at] ^= 1;
            fs::write(&path, flipped).unwrap();
            assert!(matches!(health(&table).await, FileHealth::Changed { .. }), "byte {at}");
        }
        fs::write(&path, &whole[1..]).unwrap();
        assert_eq!(health(&table).await, FileHealth::Resized { found: whole.len() as u64 - 1 });
        fs::remove_file(&path).unwrap();
        assert_eq!(health(&table).await, FileHealth::Missing);
        assert_eq!(now(&table).await.missing_files().await.unwrap(), [file]);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_file_without_a_hash_is_said_to_be_so() {
        let (_disk, table) = super::super::tests::foreign::with_hidden_rows().await;
        assert_eq!(health(&table).await, FileHealth::Unhashed);
    }
}
