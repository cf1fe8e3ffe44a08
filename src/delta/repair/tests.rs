use std::fs;
use std::path::PathBuf;

use super::*;
use crate::delta::tests::{Disk, appended, now, table_of, values};
use crate::delta::{Error, Table};

/// What is done to a file.
type Damage<'a> = &'a dyn Fn(&PathBuf);

fn log(disk: &Disk, name: &str) -> PathBuf {
    disk.path().join("silver/t/_delta_log").join(name)
}

const CHECKPOINT: &str = "00000000000000000009.checkpoint.parquet";

/// A table with versions 0 to 11, each with a value of its own, and a checkpoint of version 9.
async fn table(disk: &Disk) -> Table {
    let table = table_of(disk, &[0]).await;
    for value in 1..=11 {
        let change = appended(&table, &[value]).await;
        table.commit(&now(&table).await, change).await.unwrap();
    }
    assert!(log(disk, CHECKPOINT).is_file());
    assert_eq!(table.log_health().await.unwrap(), LogHealth { newest: Some(11), faults: Vec::new() });
    table
}

async fn mended(table: &Table) -> Vec<(Vec<String>, Remedy)> {
    let health = table.log_health().await.unwrap();
    table.mend_log(&health, "r", chrono::Utc::now()).await.unwrap();
    health.faults.into_iter().map(|fault| (fault.files, fault.remedy)).collect()
}

async fn all(table: &Table) -> Vec<i64> {
    values(&now(table).await).await
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_checkpoint_that_cannot_be_used_a_table_is_read_written_and_mended() {
    let whole = |path: &PathBuf| fs::read(path).unwrap();
    let cut = |path: &PathBuf| fs::write(path, &whole(path)[..whole(path).len() / 2]).unwrap();
    let faults: [(&str, Damage<'_>); 4] = [
        ("gone", &|path| fs::remove_file(path).unwrap()),
        ("empty", &|path| fs::write(path, b"").unwrap()),
        ("cut off", &cut),
        ("garbage", &|path| fs::write(path, b"PAR1 is no Parquet file").unwrap()),
    ];
    for (name, damage) in faults {
        let disk = Disk::new();
        let table = table(&disk).await;
        damage(&log(&disk, CHECKPOINT));
        assert_eq!(all(&table).await, (0..=11).collect::<Vec<_>>(), "{name}");
        assert!(!table.head().await.unwrap().unwrap().unusable().is_empty(), "{name}");
        let change = appended(&table, &[12]).await;
        assert_eq!(table.commit(&now(&table).await, change).await.unwrap(), 12, "{name}");
        let found = mended(&table).await;
        assert_eq!(found.len(), 1, "{name}: {found:?}");
        assert_eq!(found[0].1, Remedy::Anew, "{name}");
        assert_eq!(table.log_health().await.unwrap().faults, [], "{name}");
        assert!(table.head().await.unwrap().unwrap().unusable().is_empty(), "{name}");
        assert!(log(&disk, "00000000000000000012.checkpoint.parquet").is_file(), "{name}");
        assert_eq!(all(&table).await, (0..=12).collect::<Vec<_>>(), "{name}");
        assert_eq!(now(&table).await.files_by_delta_rs().await.unwrap().len(), 13, "{name}");
    }
}

/// A file that can be read and says something else.
#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_of_something_else_is_found() {
    let disk = Disk::new();
    let table = table(&disk).await;
    let other = Disk::new();
    let elsewhere = table_of(&other, &[0]).await;
    for value in 1..=11 {
        let change = appended(&elsewhere, &[value]).await;
        elsewhere.commit(&now(&elsewhere).await, change).await.unwrap();
    }
    fs::copy(log(&other, CHECKPOINT), log(&disk, CHECKPOINT)).unwrap();
    let health = table.log_health().await.unwrap();
    assert_eq!(health.faults.len(), 1, "{health:?}");
    assert!(health.faults[0].what.contains("does not say what the commits before it say"), "{health:?}");
    mended(&table).await;
    assert_eq!(all(&table).await, (0..=11).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_commits_before_it_a_broken_checkpoint_is_an_error_that_names_it() {
    let disk = Disk::new();
    let table = table(&disk).await;
    fs::write(log(&disk, CHECKPOINT), b"").unwrap();
    (0..9).for_each(|version| fs::remove_file(log(&disk, &format!("{version:020}.json"))).unwrap());
    let error = table.snapshot().await.map(drop).unwrap_err();
    let told = error.to_string();
    assert!(matches!(error, Error::Unreadable { .. }), "{told}");
    assert!(told.contains("00000000000000000009.checkpoint") && told.contains("lakesmith repair silver.t"), "{told}");
    let health = table.log_health().await.unwrap();
    assert!(health.is_lost() && !health.is_mendable(), "{health:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hint_that_leads_nowhere_is_written_anew() {
    for text in ["", "{", "{\"version\":7,\"size\":1}", "{\"size\":1}"] {
        let disk = Disk::new();
        let table = table(&disk).await;
        fs::write(log(&disk, "_last_checkpoint"), text).unwrap();
        assert_eq!(all(&table).await.len(), 12, "{text}");
        let change = appended(&table, &[12]).await;
        table.commit(&now(&table).await, change).await.unwrap();
        assert_eq!(mended(&table).await, [(vec!["_last_checkpoint".to_owned()], Remedy::Anew)], "{text}");
        assert_eq!(table.log_health().await.unwrap().faults, [], "{text}");
        assert_eq!(all(&table).await.len(), 13, "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_last_commit_that_is_no_whole_one_is_taken_back_and_kept_aside() {
    let disk = Disk::new();
    let table = table(&disk).await;
    let last = log(&disk, "00000000000000000011.json");
    let text = fs::read_to_string(&last).unwrap();
    for broken in ["", "\n", "\0\0\0\0", &text[..text.len() / 2]] {
        fs::write(&last, broken).unwrap();
        assert!(matches!(table.snapshot().await, Err(Error::Unreadable { .. })), "{broken:?}");
        let health = table.log_health().await.unwrap();
        assert_eq!(health.left(), Some(10), "{broken:?}");
        assert_eq!(mended(&table).await[0].1, Remedy::TakeBack(Some(10)), "{broken:?}");
        assert_eq!(all(&table).await, (0..=10).collect::<Vec<_>>(), "{broken:?}");
    }
    let aside: Vec<_> = fs::read_dir(disk.path().join("_lakesmith/aside/silver/t")).unwrap().collect();
    assert_eq!(aside.len(), 4, "each is kept");
}

/// Nothing is lost: the checkpoint of its version says what it came to. But nobody could commit after it.
#[tokio::test(flavor = "multi_thread")]
async fn a_last_commit_that_its_checkpoint_knows_is_written_again() {
    for (how, first) in [("gone", 9), ("empty", 9), ("gone with those before", 5), ("gone with all", 0)] {
        let disk = Disk::new();
        let table = table_of(&disk, &[0]).await;
        for value in 1..=9 {
            let mut change = appended(&table, &[value]).await;
            change.txns.push(("app".to_owned(), value));
            if value == 9 {
                change.removes = now(&table).await.files()[..2].to_vec();
            }
            table.commit(&now(&table).await, change).await.unwrap();
        }
        (first..=9).for_each(|version| fs::remove_file(log(&disk, &format!("{version:020}.json"))).unwrap());
        if how == "empty" {
            fs::write(log(&disk, "00000000000000000009.json"), "").unwrap();
        } else {
            let change = appended(&table, &[10]).await;
            let error = table.commit(&now(&table).await, change).await.unwrap_err().to_string();
            assert!(error.contains("00000000000000000009.json is missing"), "{how}: {error}");
            assert!(error.contains("lakesmith repair silver.t"), "{how}: {error}");
        }
        let found = mended(&table).await;
        assert_eq!(found.last().map(|(_, remedy)| *remedy), Some(Remedy::Again), "{how}: {found:?}");
        assert!(!table.log_health().await.unwrap().is_mendable(), "{how}");
        let change = appended(&table, &[10]).await;
        assert_eq!(table.commit(&now(&table).await, change).await.unwrap(), 10, "{how}");
        assert_eq!(all(&table).await, (2..=10).collect::<Vec<_>>(), "{how}");
        // the commits alone say the same
        if first == 9 {
            fs::remove_file(log(&disk, CHECKPOINT)).unwrap();
            assert_eq!(all(&table).await, (2..=10).collect::<Vec<_>>(), "{how}");
            assert_eq!(now(&table).await.txn("app"), Some(9), "{how}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_in_the_middle_is_left_where_it_is() {
    let disk = Disk::new();
    let table = table(&disk).await;
    // version 9 has a checkpoint: before it a commit is only missed by old versions
    for (version, remedy, readable) in [(4, Remedy::Old, true), (10, Remedy::Copy, false)] {
        let file = log(&disk, &format!("{version:020}.json"));
        let whole = fs::read(&file).unwrap();
        for broken in [None, Some("")] {
            match broken {
                None => fs::remove_file(&file).unwrap(),
                Some(text) => fs::write(&file, text).unwrap(),
            }
            let health = table.log_health().await.unwrap();
            let remedies: Vec<Remedy> = health.faults.iter().map(|fault| fault.remedy).collect();
            assert_eq!(remedies, [remedy], "{version} {broken:?} {health:?}");
            assert_eq!((health.is_mendable(), health.is_lost()), (false, !readable));
            table.mend_log(&health, "r", chrono::Utc::now()).await.unwrap();
            assert_eq!(table.snapshot().await.is_ok(), readable, "{version} {broken:?}");
            fs::write(&file, &whole).unwrap();
        }
    }
    assert_eq!(all(&table).await.len(), 12);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_without_its_beginning_is_lost_unless_a_checkpoint_says_it() {
    let disk = Disk::new();
    let table = table(&disk).await;
    (0..9).for_each(|version| fs::remove_file(log(&disk, &format!("{version:020}.json"))).unwrap());
    assert_eq!(table.log_health().await.unwrap().faults, [], "as a clean-up leaves it");
    fs::remove_file(log(&disk, CHECKPOINT)).unwrap();
    fs::remove_file(log(&disk, "_last_checkpoint")).unwrap();
    let health = table.log_health().await.unwrap();
    assert!(health.is_lost() && !health.is_mendable(), "{health:?}");
}

/// A number far off is not counted up to.
#[tokio::test(flavor = "multi_thread")]
async fn versions_that_are_missing_are_one_fault() {
    let disk = Disk::new();
    let table = table(&disk).await;
    (3..=5).for_each(|version| fs::remove_file(log(&disk, &format!("{version:020}.json"))).unwrap());
    fs::copy(log(&disk, "00000000000000000011.json"), log(&disk, "00000001000000000000.json")).unwrap();
    let told: Vec<_> = table.log_health().await.unwrap().faults.into_iter().map(|f| (f.what, f.remedy)).collect();
    let missing = |first: i64, last: i64| format!("is missing: versions {first} to {last} are not there");
    assert_eq!(told, [(missing(3, 5), Remedy::Old), (missing(12, 999_999_999_999), Remedy::Copy)]);
}

/// What a clean-up leaves, but for the commit of a checkpoint.
#[tokio::test(flavor = "multi_thread")]
async fn a_gap_ends_with_the_commit_of_a_checkpoint() {
    let disk = Disk::new();
    let table = table(&disk).await;
    (7..=9).for_each(|version| fs::remove_file(log(&disk, &format!("{version:020}.json"))).unwrap());
    let health = table.log_health().await.unwrap();
    assert_eq!(health.faults.len(), 1, "{health:?}");
    assert_eq!(health.faults[0].what, "is missing: versions 7 to 9 are not there");
    assert_eq!(health.faults[0].remedy, Remedy::Old);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_whose_only_commit_is_cut_off_is_none() {
    let disk = Disk::new();
    let table = table_of(&disk, &[1]).await;
    fs::write(log(&disk, "00000000000000000000.json"), "{\"commitInfo\":{").unwrap();
    assert_eq!(mended(&table).await[0].1, Remedy::TakeBack(None));
    assert!(table.snapshot().await.unwrap().is_none());
}
