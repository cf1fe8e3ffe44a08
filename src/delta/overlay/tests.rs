//! Nothing that is done in an overlay reaches the lake below.

use std::collections::BTreeMap;
use std::path::Path as FilePath;

use deltalake::logstore::object_store::local::LocalFileSystem;
use deltalake::logstore::object_store::memory::InMemory;
use deltalake::logstore::object_store::{ObjectStoreExt, RenameOptions, RenameTargetMode};
use futures::TryStreamExt;

use super::*;
use crate::delta::tests::foreign::with_hidden_rows;
use crate::delta::tests::{Disk, appended, now, numbers, rows, table_of, values};
use crate::delta::{At, Change, Lake, MergeSpec, Scope, compact, merge};

type StoreError = deltalake::logstore::object_store::Error;

/// Every file below a folder with the hash of its bytes.
fn bytes(folder: &FilePath) -> BTreeMap<String, blake3::Hash> {
    let files = walkdir::WalkDir::new(folder).into_iter().map(|entry| entry.unwrap());
    let files = files.filter(|entry| entry.file_type().is_file());
    let hash = |path: &FilePath| blake3::hash(&std::fs::read(path).unwrap());
    files.map(|entry| (entry.path().display().to_string(), hash(entry.path()))).collect()
}

async fn append(table: &Table, values: &[i64]) -> i64 {
    let change = appended(table, values).await;
    table.commit(&now(table).await, change).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_are_made_and_changed_and_the_lake_below_stays_as_it_is() {
    let disk = Disk::new();
    let table = table_of(&disk, &[1, 2, 3]).await;
    append(&table, &[4]).await;
    let before = bytes(&disk.path());
    let (lake, scratch) = disk.lake.overlay(&[]).unwrap();
    let (trial, folder) = (lake.table("silver/t"), scratch.folder().to_owned());
    assert_eq!(values(&now(&trial).await).await, [1, 2, 3, 4]);

    // beyond a checkpoint
    for n in 5..=14 {
        append(&trial, &[n]).await;
    }
    assert_eq!(now(&trial).await.version(), 11);
    assert!(bytes(&folder).keys().any(|file| file.ends_with("9.checkpoint.parquet")));
    assert_eq!(values(&now(&trial).await).await, (1..=14).collect::<Vec<_>>());
    assert_eq!(values(&trial.snapshot_at(&At::Version(1)).await.unwrap()).await, [1, 2, 3, 4]);

    let staged = trial.write(rows(&[3, 20]), &numbers()).await.unwrap();
    let spec =
        MergeSpec { key: vec!["a".into()], order: None, lineage: Vec::new(), lineage_counts: false, scope: Scope::All };
    let base = now(&trial).await;
    let merged = merge(Some(&base), &trial, &numbers(), staged, &spec).await.unwrap();
    let change = Change { adds: merged.adds, removes: merged.removes, ..Change::default() };
    trial.commit(&base, change).await.unwrap();
    assert_eq!(values(&now(&trial).await).await, [3, 20]);
    append(&trial, &[30]).await;
    compact(&now(&trial).await, Default::default()).await.unwrap();
    assert_eq!((now(&trial).await.files().len(), values(&now(&trial).await).await), (1, vec![3, 20, 30]));

    let made = lake.table("gold/new");
    made.create(&numbers(), appended(&made, &[7]).await).await.unwrap();
    assert_eq!(values(&now(&made).await).await, [7]);

    assert_eq!(bytes(&disk.path()), before);
    assert!(disk.lake.table("gold/new").snapshot().await.unwrap().is_none());
    drop(scratch);
    assert!(!folder.exists());
    assert!(trial.snapshot().await.is_err(), "an overlay without its folder is no lake");
    assert!(trial.write(rows(&[1]), &numbers()).await.is_err());
    assert!(!folder.exists());
    assert_eq!(bytes(&disk.path()), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_moves_with_the_lake_until_it_is_written() {
    let disk = Disk::new();
    let table = table_of(&disk, &[1]).await;
    let (lake, _scratch) = disk.lake.overlay(&[]).unwrap();
    let trial = lake.table("silver/t");
    let (seen, change) = (now(&trial).await, appended(&trial, &[100]).await);
    append(&table, &[2]).await;
    assert_eq!(values(&now(&trial).await).await, [1, 2]);
    let late = trial.commit(&seen, change.clone()).await;
    assert!(matches!(late, Err(Error::Lost { version: 1, .. })), "{late:?}");

    assert_eq!(trial.commit(&now(&trial).await, change).await.unwrap(), 2);
    // the lake goes on, past a checkpoint, whose hint points to a version that is none of the trial's
    for n in 3..=12 {
        append(&table, &[n]).await;
    }
    assert_eq!(now(&table).await.version(), 11);
    assert_eq!((now(&trial).await.version(), values(&now(&trial).await).await), (2, vec![1, 2, 100]));
    append(&trial, &[101]).await;
    assert_eq!((now(&trial).await.version(), values(&now(&trial).await).await), (3, vec![1, 2, 100, 101]));
    let gone = trial.snapshot_at(&At::Version(4)).await;
    assert!(matches!(gone, Err(Error::Gone { .. })));
    assert_eq!(values(&now(&table).await).await, (1..=12).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_is_frozen_stays_as_it_is() {
    let disk = Disk::new();
    let table = table_of(&disk, &[0]).await;
    for n in 1..=10 {
        append(&table, &[n]).await;
    }
    let (lake, _scratch) = disk.lake.overlay(&[]).unwrap();
    let (trial, new) = (lake.table("silver/t"), lake.table("silver/new"));
    assert_eq!((trial.freeze().await.unwrap(), new.freeze().await.unwrap()), (Some(10), None));
    for n in 11..=20 {
        append(&table, &[n]).await;
    }
    let made = disk.lake.table("silver/new");
    made.create(&numbers(), appended(&made, &[1]).await).await.unwrap();
    assert_eq!(trial.freeze().await.unwrap(), Some(10));
    assert_eq!(values(&now(&trial).await).await, (0..=10).collect::<Vec<_>>());
    assert!(new.snapshot().await.unwrap().is_none());
    assert_eq!(trial.commit(&now(&trial).await, appended(&trial, &[100]).await).await.unwrap(), 11);
    new.create(&numbers(), appended(&new, &[2]).await).await.unwrap();
    assert_eq!((now(&trial).await.version(), values(&now(&new).await).await), (11, vec![2]));
    assert_eq!((table.freeze().await.unwrap(), now(&table).await.version()), (Some(20), 20));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hint_at_a_checkpoint_from_before_stays() {
    let disk = Disk::new();
    let table = table_of(&disk, &[0]).await;
    for n in 1..=10 {
        append(&table, &[n]).await;
    }
    let (lake, scratch) = disk.lake.overlay(&[]).unwrap();
    let trial = lake.table("silver/t");
    append(&trial, &[100]).await;
    assert!(bytes(scratch.folder()).keys().any(|file| file.ends_with("_last_checkpoint")));
    let hint = "silver/t/_delta_log/_last_checkpoint";
    let (above, below) = (lake.get(hint).await.unwrap().unwrap(), disk.lake.get(hint).await.unwrap().unwrap());
    assert_eq!(above.0, below.0);
    assert_eq!(now(&trial).await.version(), 11);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_overlay_of_an_overlay_of_a_given_store_in_an_odd_place() {
    let disk = tempfile::tempdir().unwrap();
    let root = disk.path().join("a b/ü [1]");
    let below = Lake::with_store(root.to_str().unwrap(), Arc::new(LocalFileSystem::new())).unwrap();
    let table = below.table("silver/t");
    table.create(&numbers(), appended(&table, &[1]).await).await.unwrap();
    let before = bytes(disk.path());
    let (first, _first) = below.overlay(&[]).unwrap();
    append(&first.table("silver/t"), &[2]).await;
    let (second, _second) = first.overlay(&[]).unwrap();
    append(&second.table("silver/t"), &[3]).await;
    assert_eq!(values(&now(&second.table("silver/t")).await).await, [1, 2, 3]);
    assert_eq!(values(&now(&first.table("silver/t")).await).await, [1, 2]);
    assert_eq!(bytes(disk.path()), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_another_engine_has_hidden_stay_hidden() {
    let (disk, table) = with_hidden_rows().await;
    let (lake, _scratch) = disk.lake.overlay(&[]).unwrap();
    let trial = lake.table(table.folder());
    let seen = now(&trial).await;
    assert_eq!((values(&seen).await.len(), values(&now(&table).await).await.len()), (34, 34));
    let change = Change { removes: seen.files().to_vec(), ..appended(&trial, &[7]).await };
    trial.commit(&seen, change).await.unwrap();
    assert_eq!((values(&now(&trial).await).await, now(&table).await.version()), (vec![7], 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn small_objects_are_seen_put_and_deleted_apart() {
    let disk = Disk::new();
    let below = &disk.lake;
    for path in ["claims/a.json", "b.json", "c.json"] {
        assert!(below.put_if_absent(path, b"below".to_vec()).await.unwrap());
    }
    let before = bytes(&disk.path());
    let (lake, _scratch) = below.overlay(&["claims"]).unwrap();
    assert!(lake.get("claims/a.json").await.unwrap().is_none(), "set aside");
    assert!(lake.put_if_absent("claims/a.json", b"above".to_vec()).await.unwrap());
    assert!(!lake.put_if_absent("b.json", b"above".to_vec()).await.unwrap());
    let (found, tag) = lake.get("b.json").await.unwrap().unwrap();
    assert_eq!(found, b"below");
    assert!(lake.put_if_unchanged("b.json", b"above".to_vec(), &tag).await.unwrap());
    assert!(!lake.put_if_unchanged("b.json", b"late".to_vec(), &tag).await.unwrap());
    lake.delete("c.json").await.unwrap();
    lake.delete("c.json").await.unwrap();
    assert!(lake.get("c.json").await.unwrap().is_none());
    assert!(lake.put_if_absent("c.json", b"again".to_vec()).await.unwrap());
    assert_eq!(lake.get("c.json").await.unwrap().unwrap().0, b"again");
    assert_eq!(bytes(&disk.path()), before);
}

/// An overlay of a store in memory.
struct Stack {
    below: Arc<InMemory>,
    overlay: Overlay,
    scratch: Scratch,
}

impl Stack {
    async fn above(objects: &[&str]) -> Self {
        let (below, scratch) = (Arc::new(InMemory::new()), Scratch::new().unwrap());
        for path in objects {
            below.put(&Path::from(*path), "below".into()).await.unwrap();
        }
        let overlay = Overlay::new(below.clone(), &scratch, &[]).unwrap();
        Stack { below, overlay, scratch }
    }

    fn path(&self, path: &str) -> Path {
        Path::from_absolute_path(self.scratch.folder()).unwrap().parts().chain(Path::from(path).parts()).collect()
    }

    async fn put(&self, path: &str, text: &'static str) {
        self.overlay.put(&self.path(path), text.into()).await.unwrap();
    }

    async fn listed(&self, prefix: &str, offset: Option<&str>) -> Vec<String> {
        let prefix = self.path(prefix);
        let listed = match offset {
            Some(offset) => self.overlay.list_with_offset(Some(&prefix), &self.path(offset)),
            None => self.overlay.list(Some(&prefix)),
        };
        let root = format!("{}/", self.path(""));
        listed
            .map_ok(|meta| meta.location.as_ref().strip_prefix(&root).unwrap().to_owned())
            .try_collect()
            .await
            .unwrap()
    }

    async fn listed_below(&self) -> Vec<String> {
        self.below.list(None).map_ok(|meta| meta.location.to_string()).try_collect().await.unwrap()
    }
}

#[tokio::test]
async fn listings_are_of_both_and_in_order() {
    let stack = Stack::above(&["t/a", "t/c", "t/d", "t/x/1", "u"]).await;
    let overlay = &stack.overlay;
    for path in ["t/b", "t/c", "t/y/2"] {
        stack.put(path, "above!").await;
    }
    overlay.delete(&stack.path("t/d")).await.unwrap();
    assert_eq!(stack.listed("t", None).await, ["t/a", "t/b", "t/c", "t/x/1", "t/y/2"]);
    assert_eq!(stack.listed("t", Some("t/b")).await, ["t/c", "t/x/1", "t/y/2"]);
    assert_eq!(stack.listed("", None).await.len(), 6);
    assert_eq!(overlay.head(&stack.path("t/c")).await.unwrap().size, 6);
    let found = overlay.list_with_delimiter(Some(&stack.path("t"))).await.unwrap();
    let objects: Vec<_> = found.objects.into_iter().map(|meta| (meta.location, meta.size)).collect();
    assert_eq!(objects, [("t/a", 5), ("t/b", 6), ("t/c", 6)].map(|(path, size)| (stack.path(path), size)));
    assert_eq!(found.common_prefixes, [stack.path("t/x"), stack.path("t/y")]);
    assert_eq!(stack.listed_below().await, ["t/a", "t/c", "t/d", "t/x/1", "u"]);
    assert!(matches!(overlay.delete(&stack.path("t/d")).await, Err(StoreError::NotFound { .. })));
    assert!(matches!(overlay.get(&stack.path("t/d")).await, Err(StoreError::NotFound { .. })));
    let got = overlay.get(&stack.path("t/a")).await.unwrap();
    assert_eq!(got.meta.location, stack.path("t/a"));
}

#[tokio::test]
async fn copies_and_renames_stay_above() {
    let stack = Stack::above(&["a", "b"]).await;
    let (overlay, path) = (&stack.overlay, |name| stack.path(name));
    let taken = overlay.copy_if_not_exists(&path("a"), &path("b")).await;
    assert!(matches!(taken, Err(StoreError::AlreadyExists { .. })), "{taken:?}");
    let create = RenameOptions::new().with_target_mode(RenameTargetMode::Create);
    let taken = overlay.rename_opts(&path("a"), &path("b"), create).await;
    assert!(matches!(taken, Err(StoreError::AlreadyExists { .. })), "{taken:?}");
    overlay.rename(&path("a"), &path("c")).await.unwrap();
    overlay.copy(&path("c"), &path("b")).await.unwrap();
    overlay.rename(&path("b"), &path("b")).await.unwrap();
    assert_eq!(stack.listed("", None).await, ["b", "c"]);
    assert_eq!(stack.listed_below().await, ["a", "b"]);
    overlay.copy_if_not_exists(&path("c"), &path("a")).await.unwrap();
    assert_eq!(overlay.get(&path("a")).await.unwrap().bytes().await.unwrap(), "below");
}

#[tokio::test]
async fn ranges_and_large_objects() {
    let stack = Stack::above(&["a"]).await;
    let (overlay, big) = (&stack.overlay, stack.path("big"));
    assert_eq!(overlay.get_range(&stack.path("a"), 1..3).await.unwrap(), "el");
    let mut upload = overlay.put_multipart(&big).await.unwrap();
    upload.put_part("12345".into()).await.unwrap();
    assert!(overlay.head(&big).await.is_err(), "not there until it is complete");
    upload.put_part("678".into()).await.unwrap();
    upload.complete().await.unwrap();
    assert_eq!(overlay.get_ranges(&big, &[0..2, 5..8]).await.unwrap(), ["12", "678"]);
}
