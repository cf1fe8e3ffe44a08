//! An error is no proof that nothing was committed.

use std::fmt;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use deltalake::logstore::object_store::local::LocalFileSystem;
use deltalake::logstore::object_store::path::Path;
use deltalake::logstore::object_store::{
    CopyOptions, Error as StoreError, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use futures::stream::BoxStream;

use super::*;
use crate::delta::Error;

/// What happens to the next write of an object whose name ends so.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// it is not written
    Fails,
    /// it is written and the answer is lost
    AnswerLost,
    /// it is written, the answer lost, and the client's second try finds its own object
    AnswerLostAndTriedAgain,
}

#[derive(Debug)]
struct Faulty {
    disk: LocalFileSystem,
    fault: Mutex<Option<(&'static str, Fault)>>,
}

impl fmt::Display for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("faulty")
    }
}

fn broken() -> StoreError {
    StoreError::Generic { store: "faulty", source: "connection reset".into() }
}

#[async_trait]
impl ObjectStore for Faulty {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        let fault = {
            let mut fault = self.fault.lock().unwrap();
            if fault.is_some_and(|(suffix, _)| location.as_ref().ends_with(suffix)) { fault.take() } else { None }
        };
        let Some((_, fault)) = fault else { return self.disk.put_opts(location, payload, options).await };
        if !matches!(fault, Fault::Fails) {
            self.disk.put_opts(location, payload, options).await?;
        }
        match fault {
            Fault::Fails | Fault::AnswerLost => Err(broken()),
            Fault::AnswerLostAndTriedAgain => {
                Err(StoreError::AlreadyExists { path: location.to_string(), source: "412".into() })
            }
        }
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.disk.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.disk.get_opts(location, options).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.disk.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.disk.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.disk.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.disk.copy_opts(from, to, options).await
    }
}

struct FaultyDisk {
    folder: tempfile::TempDir,
    store: Arc<Faulty>,
    lake: Lake,
}

impl FaultyDisk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(Faulty { disk: LocalFileSystem::new(), fault: Mutex::new(None) });
        let lake = Lake::with_store(folder.path().to_str().unwrap(), store.clone()).unwrap();
        FaultyDisk { folder, store, lake }
    }

    fn next(&self, suffix: &'static str, fault: Fault) {
        *self.store.fault.lock().unwrap() = Some((suffix, fault));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_answer_was_lost_is_known_as_our_own() {
    let disk = FaultyDisk::new();
    let table = disk.lake.table("silver/t");
    for (at, fault) in [(0, Fault::AnswerLost), (1, Fault::AnswerLost), (2, Fault::AnswerLostAndTriedAgain)] {
        let change = appended(&table, &[at]).await;
        disk.next(".json", fault);
        let version = match table.snapshot().await.unwrap() {
            None => table.create(&numbers(), change).await,
            Some(base) => table.commit(&base, change).await,
        };
        assert_eq!(version.unwrap(), at);
    }
    assert_eq!(values(&now(&table).await).await, [0, 1, 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_was_not_made_is_an_error() {
    let disk = FaultyDisk::new();
    let table = disk.lake.table("silver/t");
    disk.next(".json", Fault::Fails);
    let change = appended(&table, &[1]).await;
    assert!(matches!(table.create(&numbers(), change.clone()).await, Err(Error::Storage { .. })));
    assert!(table.snapshot().await.unwrap().is_none());
    table.create(&numbers(), change).await.unwrap();
    disk.next(".json", Fault::Fails);
    let change = appended(&table, &[2]).await;
    let base = now(&table).await;
    assert!(matches!(table.commit(&base, change.clone()).await, Err(Error::Storage { .. })));
    assert_eq!(table.commit(&base, change).await.unwrap(), 1, "the same change may be tried again");
    assert_eq!(values(&now(&table).await).await, [1, 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_that_fails_does_not_undo_its_commit() {
    let disk = FaultyDisk::new();
    let table = disk.lake.table("silver/t");
    let change = appended(&table, &[0]).await;
    table.create(&numbers(), change).await.unwrap();
    for version in 1..=9 {
        disk.next("checkpoint.parquet", Fault::Fails);
        let change = appended(&table, &[version]).await;
        assert_eq!(table.commit(&now(&table).await, change).await.unwrap(), version);
    }
    let gone = disk.store.fault.lock().unwrap().is_none();
    assert!(gone, "a checkpoint was tried");
    assert_eq!(values(&now(&table).await).await, (0..=9).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_file_that_cannot_be_written_fails_the_write_and_leaves_nothing() {
    let disk = FaultyDisk::new();
    let table = disk.lake.table("silver/t");
    disk.next(".parquet", Fault::Fails);
    let result = table.write(rows(&[1, 2, 3]), &numbers()).await;
    assert!(matches!(&result, Err(Error::Storage { what, .. }) if what.contains("connection reset")), "{result:?}");
    let files = walkdir::WalkDir::new(disk.folder.path()).into_iter().flatten().filter(|e| e.file_type().is_file());
    assert_eq!(files.count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn small_objects_are_put_once_and_replaced_only_as_they_were_read() {
    let disk = Disk::new();
    let lake = &disk.lake;
    let path = "_lakesmith/claims/silver.orders.json";
    assert!(lake.get(path).await.unwrap().is_none());
    assert!(lake.put_if_absent(path, b"a".to_vec()).await.unwrap());
    assert!(!lake.put_if_absent(path, b"b".to_vec()).await.unwrap());
    let (bytes, etag) = lake.get(path).await.unwrap().unwrap();
    assert_eq!(bytes, b"a");
    assert!(lake.put_if_unchanged(path, b"c".to_vec(), &etag).await.unwrap());
    assert!(!lake.put_if_unchanged(path, b"d".to_vec(), &etag).await.unwrap());
    assert_eq!(lake.get(path).await.unwrap().unwrap().0, b"c");
    lake.delete(path).await.unwrap();
    lake.delete(path).await.unwrap();
    assert!(!lake.put_if_unchanged(path, b"e".to_vec(), &etag).await.unwrap());
}
