use std::fs;

use bytes::Bytes;
use deltalake::logstore::object_store::PutMultipartOptions;

use super::*;

struct Folder {
    disk: Disk,
    dir: tempfile::TempDir,
}

fn folder() -> Folder {
    Folder { disk: Disk::default(), dir: tempfile::tempdir().unwrap() }
}

impl Folder {
    fn location(&self, name: &str) -> Path {
        Path::from_absolute_path(self.dir.path().join(name)).unwrap()
    }

    async fn put(&self, name: &str, content: &'static str, mode: PutMode) -> Result<PutResult> {
        let options = PutOptions { mode, ..PutOptions::default() };
        self.disk.put_opts(&self.location(name), Bytes::from_static(content.as_bytes()).into(), options).await
    }

    async fn get(&self, name: &str) -> String {
        let bytes = self.disk.get(&self.location(name)).await.unwrap().bytes().await.unwrap();
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    /// All files, temporary ones too.
    fn files(&self) -> Vec<String> {
        let all = walkdir::WalkDir::new(self.dir.path()).sort_by_file_name().into_iter().map(Result::unwrap);
        let files = all.filter(|entry| entry.file_type().is_file());
        files.map(|file| file.path().strip_prefix(self.dir.path()).unwrap().display().to_string()).collect()
    }

    async fn seen(&self, name: &str) -> UpdateVersion {
        let meta = self.disk.head(&self.location(name)).await.unwrap();
        UpdateVersion { e_tag: meta.e_tag, version: meta.version }
    }
}

#[tokio::test]
async fn an_object_is_put_once_and_nothing_else_is_left() {
    let folder = folder();
    folder.put("a/b/1.json", "one", PutMode::Create).await.unwrap();
    let again = folder.put("a/b/1.json", "two", PutMode::Create).await;
    assert!(matches!(again, Err(Error::AlreadyExists { .. })), "{again:?}");
    assert_eq!(folder.get("a/b/1.json").await, "one");
    folder.put("a/b/1.json", "three", PutMode::Overwrite).await.unwrap();
    assert_eq!(folder.get("a/b/1.json").await, "three");
    assert_eq!(folder.files(), ["a/b/1.json"]);
}

#[tokio::test]
async fn an_object_is_replaced_only_as_it_was_read() {
    let folder = folder();
    folder.put("claim", "one", PutMode::Create).await.unwrap();
    let seen = folder.seen("claim").await;
    folder.put("claim", "two", PutMode::Update(seen.clone())).await.unwrap();
    let stale = folder.put("claim", "six", PutMode::Update(seen.clone())).await;
    assert!(matches!(stale, Err(Error::Precondition { .. })), "{stale:?}");
    assert_eq!(folder.get("claim").await, "two");
    folder.disk.delete(&folder.location("claim")).await.unwrap();
    let gone = folder.put("claim", "six", PutMode::Update(seen)).await;
    assert!(matches!(gone, Err(Error::Precondition { .. })), "{gone:?}");
    assert_eq!(folder.files(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_replace_what_they_have_read_one_wins() {
    for _ in 0..20 {
        let folder = std::sync::Arc::new(folder());
        folder.put("claim", "nobody", PutMode::Create).await.unwrap();
        let seen = folder.seen("claim").await;
        let tries = (0..8).map(|_| {
            let (folder, seen) = (folder.clone(), seen.clone());
            tokio::spawn(async move { folder.put("claim", "me", PutMode::Update(seen)).await.is_ok() })
        });
        let won = futures::future::join_all(tries).await.into_iter().filter(|won| *won.as_ref().unwrap()).count();
        assert_eq!(won, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_stand_in_their_order_whichever_comes_first() {
    let folder = folder();
    let location = folder.location("a/part-1.parquet");
    let mut upload = folder.disk.put_multipart_opts(&location, PutMultipartOptions::default()).await.unwrap();
    let parts: Vec<_> = ["one,", "two,", "three"].map(|part| upload.put_part(part.into())).into_iter().collect();
    assert!(folder.disk.head(&location).await.is_err(), "nobody sees it before it is complete");
    for part in parts.into_iter().rev() {
        part.await.unwrap();
    }
    upload.complete().await.unwrap();
    assert_eq!(folder.get("a/part-1.parquet").await, "one,two,three");
    assert_eq!(folder.files(), ["a/part-1.parquet"]);
    assert!(upload.put_part("four".into()).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_is_given_up_leaves_nothing() {
    let folder = folder();
    for abort in [true, false] {
        let location = folder.location("a/part-1.parquet");
        let mut upload = folder.disk.put_multipart_opts(&location, PutMultipartOptions::default()).await.unwrap();
        upload.put_part("one".into()).await.unwrap();
        assert!(matches!(folder.files().as_slice(), [name] if is_temporary(name)));
        if abort {
            upload.abort().await.unwrap();
        }
        drop(upload);
        assert_eq!(folder.files(), [""; 0]);
    }
}

#[tokio::test]
async fn what_cannot_be_written_is_told_with_its_path() {
    let folder = folder();
    fs::write(folder.dir.path().join("a"), "a file").unwrap();
    let error = folder.put("a/1.json", "one", PutMode::Create).await.unwrap_err();
    let text = crate::delta::Error::object("t", &error).to_string();
    assert!(
        text.starts_with(&format!("t: cannot write {}/a/1.json: Not a directory", folder.dir.path().display())),
        "{text}"
    );
}
