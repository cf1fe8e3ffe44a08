use polars::df;
use polars::prelude::*;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::delta::diff::tests::{append, differences, overwrite};
use crate::delta::diff::{file_diff, plain, row_diff};
use crate::delta::tests::{Disk, appended, collect, foreign, now, numbers, schema, table_of, values};
use crate::delta::{Change, Operation, Table, TableSchema, compact};
use crate::expr::Type;

async fn rearrange(table: &Table) {
    compact(&now(table).await, Map::new()).await.unwrap();
}

/// Rewrites each file that has one of these values, without them, and brings some.
async fn replace(table: &Table, gone: &[i64], new: &[i64]) {
    let base = now(table).await;
    let mut change = Change { operation: Operation::Merge, ..appended(table, new).await };
    for file in base.files() {
        let rows = collect(base.scan_files(std::slice::from_ref(file)).unwrap()).await;
        let rows: Vec<i64> = rows.column("a").unwrap().i64().unwrap().iter().flatten().collect();
        if rows.iter().any(|row| gone.contains(row)) {
            let kept: Vec<i64> = rows.into_iter().filter(|row| !gone.contains(row)).collect();
            change.adds.extend(appended(table, &kept).await.adds);
            change.removes.push(file.clone());
        }
    }
    table.commit(&base, change).await.unwrap();
}

/// Makes the files of an earlier version the table's own again.
async fn restore(table: &Table, to: &Snapshot) {
    let base = now(table).await;
    let among = |file: &DataFile, files: &[DataFile]| files.iter().any(|other| other.id() == file.id());
    let only = |these: &Snapshot, others: &Snapshot| -> Vec<DataFile> {
        these.files().iter().filter(|file| !among(file, others.files())).cloned().collect()
    };
    let (adds, removes) = (only(to, &base), only(&base, to));
    table.commit(&base, Change { adds, removes, operation: Operation::Restore(0), ..Change::default() }).await.unwrap();
}

/// Lets the last commit say of what it adds that it changes nothing.
fn unflag_adds(disk: &Disk, version: i64) {
    let path = disk.path().join(format!("silver/t/_delta_log/{version:020}.json"));
    let lines = std::fs::read_to_string(&path).unwrap();
    let unflagged = |line: &str| {
        let mut action: Value = serde_json::from_str(line).unwrap();
        if let Some(add) = action.get_mut("add") {
            add["dataChange"] = json!(false);
        }
        action.to_string()
    };
    std::fs::write(path, lines.lines().map(unflagged).collect::<Vec<_>>().join("\n")).unwrap();
}

fn naive(mut old: Vec<i64>, mut new: Vec<i64>) -> (Vec<i64>, Vec<i64>) {
    old.retain(|row| match new.iter().position(|other| other == row) {
        Some(i) => {
            new.remove(i);
            false
        }
        None => true,
    });
    (old, new)
}

/// Numbers of which no file makes few bytes.
fn many() -> Vec<i64> {
    let random = |i: i64| i64::from_ne_bytes(blake3::hash(&i.to_ne_bytes()).as_bytes()[..8].try_into().unwrap());
    (0..2000).map(random).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn between_any_two_versions_it_is_what_a_naive_comparison_finds(
        steps in prop::collection::vec((0..6, prop::collection::vec(0..6i64, 0..8), any::<prop::sample::Index>()), 1..9),
        picks in prop::collection::vec(any::<prop::sample::Index>(), 2),
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let disk = Disk::new();
            let table = table_of(&disk, &[1, 2, 2]).await;
            let mut versions = vec![now(&table).await];
            for (step, rows, pick) in steps {
                match step {
                    0 => append(&table, &rows).await,
                    1 => overwrite(&table, &rows).await,
                    2 => replace(&table, &rows[..rows.len() / 2], &rows[rows.len() / 2..]).await,
                    3 => restore(&table, &versions[pick.index(versions.len())]).await,
                    _ => rearrange(&table).await,
                }
                versions.push(now(&table).await);
            }
            let picked = picks.iter().map(|pick| &versions[pick.index(versions.len())]);
            for p in picked {
                let q = versions.last().unwrap();
                assert_eq!(differences(p, q).await, naive(values(p).await, values(q).await));
                assert_eq!(differences(q, p).await, naive(values(q).await, values(p).await));
                assert!(file_diff(p, q).await.unwrap().bytes() <= plain(p, q).bytes());
            }
        });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_only_rearranged_is_not_read() {
    let disk = Disk::new();
    let table = table_of(&disk, &many()).await;
    append(&table, &[2]).await;
    let before = now(&table).await;
    rearrange(&table).await;
    let after = now(&table).await;
    assert_eq!(plain(&before, &after).removed.len(), 2);
    assert!(file_diff(&before, &after).await.unwrap().is_empty());
    let unread = row_diff(&before, &after, None).await.unwrap();
    assert_eq!((unread.rows, unread.bytes_read), ((0, 0), 0));

    append(&table, &[3]).await;
    rearrange(&table).await;
    let last = now(&table).await;
    assert_eq!(differences(&before, &last).await, (vec![], vec![3]));
    let files = file_diff(&before, &last).await.unwrap();
    assert_eq!((files.removed.len(), files.added.len()), (0, 1), "the file that was appended is no longer the table's");
    assert!(files.bytes() < 2000, "{}", files.bytes());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_makes_it_compare_the_versions_own_files() {
    let disk = Disk::new();
    let table = table_of(&disk, &many()).await;
    append(&table, &[2]).await;
    let before = now(&table).await;
    append(&table, &[3]).await;
    let passing = now(&table).await.files().iter().find(|f| !before.files().contains(f)).unwrap().path().to_owned();
    rearrange(&table).await;
    let after = now(&table).await;
    assert_eq!(file_diff(&before, &after).await.unwrap().added.len(), 1);

    let (file, aside) = (disk.path().join("silver/t").join(&passing), disk.path().join("aside"));
    std::fs::rename(&file, &aside).unwrap();
    assert_eq!(file_diff(&before, &after).await.unwrap().removed.len(), 2);
    assert_eq!(differences(&before, &after).await, (vec![], vec![3]));

    std::fs::rename(&aside, &file).unwrap();
    std::fs::remove_file(disk.path().join(format!("silver/t/_delta_log/{:020}.json", before.version() + 1))).unwrap();
    assert_eq!(file_diff(&before, &after).await.unwrap().removed.len(), 2);
    assert_eq!(differences(&before, &after).await, (vec![], vec![3]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_with_both_flags_counts_as_a_whole() {
    let disk = Disk::new();
    let table = table_of(&disk, &many()).await;
    append(&table, &[1, 2, 3]).await;
    let before = now(&table).await;
    replace(&table, &[2], &[]).await;
    unflag_adds(&disk, now(&table).await.version());
    rearrange(&table).await;
    let after = now(&table).await;
    assert_eq!(differences(&before, &after).await, (vec![2], vec![]));
    assert_eq!(file_diff(&before, &after).await.unwrap().removed.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_came_and_went_may_have_had_deletion_vectors() {
    let (disk, table) = foreign::with_hidden_rows().await;
    let log = |version: i64| disk.path().join(format!("silver/t/_delta_log/{version:020}.json"));
    let first = std::fs::read_to_string(log(0)).unwrap();
    let hidden: Value = serde_json::from_str(first.lines().nth(2).unwrap()).unwrap();
    let mut shown = hidden.clone();
    shown["add"].as_object_mut().unwrap().remove("deletionVector");
    let swap = |version: i64, from: &Value, to: &Value| {
        let mut remove = from["add"].clone();
        remove["deletionTimestamp"] = json!(2);
        std::fs::write(log(version), format!("{}\n{to}", json!({ "remove": remove }))).unwrap();
    };
    append(&table, &many()).await;
    let some = now(&table).await;
    swap(2, &hidden, &shown);
    let all = now(&table).await;
    rearrange(&table).await;
    let rows = vec![3, 4, 7, 11, 18, 29];
    let after = now(&table).await;
    assert_eq!(differences(&some, &after).await, (vec![], rows.clone()));
    let files = file_diff(&some, &after).await.unwrap();
    assert_eq!((files.removed.len(), files.added.len()), (1, 1));

    restore(&table, &all).await;
    let all = now(&table).await;
    swap(5, &shown, &hidden);
    rearrange(&table).await;
    assert_eq!(differences(&all, &now(&table).await).await, (rows, vec![]));
    let files = file_diff(&all, &now(&table).await).await.unwrap();
    assert!(files.added.iter().any(DataFile::has_deletion_vector), "{files:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn partitions_are_read_as_they_were() {
    let disk = Disk::new();
    let table = disk.lake.table("silver/t");
    let schema =
        TableSchema { partition_by: vec!["p".to_owned()], ..schema(&[("a", Type::BigInt), ("p", Type::String)]) };
    let write = async |values: &[i64], parts: &[Option<&str>]| {
        table.write(df!("a" => values, "p" => parts).unwrap().lazy(), &schema).await.unwrap()
    };
    let adds = write(&many(), &vec![Some("a b/ü%20"); 2000]).await;
    table.create(&schema, Change { adds, ..Change::default() }).await.unwrap();
    let before = now(&table).await;
    let adds = write(&[1, 2], &[Some("a b/ü%20"), None]).await;
    table.commit(&before, Change { adds, ..Change::default() }).await.unwrap();
    rearrange(&table).await;
    let after = now(&table).await;
    let diff = row_diff(&before, &after, None).await.unwrap();
    assert_eq!(diff.rows, (0, 2));
    assert!(diff.bytes_read < 4000, "{}", diff.bytes_read);
    let added = collect(diff.added).await.sort(["a"], SortMultipleOptions::default()).unwrap();
    assert!(added.equals_missing(&df!("a" => [1i64, 2], "p" => [Some("a b/ü%20"), None]).unwrap()), "{added}");

    // A table whose partitions have changed meanwhile is compared by its own files.
    let flat = TableSchema { partition_by: Vec::new(), ..schema.clone() };
    let adds = table.write(after.scan().unwrap(), &flat).await.unwrap();
    let change = Change { adds, removes: after.files().to_vec(), schema: Some(flat), ..Change::default() };
    table.commit(&after, change).await.unwrap();
    assert_eq!(row_diff(&before, &now(&table).await, None).await.unwrap().rows, (0, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_a_lake_that_went_another_way_is_compared_by_files() {
    let disk = Disk::new();
    let table = table_of(&disk, &many()).await;
    append(&table, &[1]).await;
    let copy = disk.lake.table("silver/copy");
    let _ = std::process::Command::new("cp")
        .arg("-r")
        .args([disk.path().join("silver/t"), disk.path().join("silver/copy")])
        .status();
    append(&table, &[2]).await;
    let ours = now(&table).await;
    for value in [3, 4] {
        append(&copy, &[value]).await;
    }
    rearrange(&copy).await;
    let theirs = now(&copy).await;
    assert_eq!(ours.table_id(), theirs.table_id());
    assert_eq!(differences(&ours, &theirs).await, (vec![2], vec![3, 4]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_may_stand_in_a_lake_of_its_own() {
    let disk = Disk::new();
    let table = table_of(&disk, &many()).await;
    append(&table, &[1]).await;
    let copy = disk.lake.table("silver/copy");
    let _ = std::process::Command::new("cp")
        .arg("-r")
        .args([disk.path().join("silver/t"), disk.path().join("silver/copy")])
        .status();
    append(&copy, &[2]).await;
    rearrange(&copy).await;
    replace(&copy, &[1], &[3]).await;
    rearrange(&copy).await;
    let (here, there) = (now(&table).await, now(&copy).await);
    assert_eq!(differences(&here, &there).await, (vec![1], vec![2, 3]));
    assert_eq!(numbers(), here.schema().clone());
}
