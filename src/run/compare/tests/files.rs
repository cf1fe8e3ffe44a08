//! Which files of two sides are compared.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn only_the_files_that_differ_are_read() {
    let disk = Disk::new();
    let table = disk.table();
    let frame = |range: std::ops::Range<i64>, v: f64| {
        let keys: Vec<i64> = range.collect();
        df!("v" => vec![v; keys.len()], "k" => keys).unwrap()
    };
    commit(&table, frame(0..5000, 1.0), &pairs(), vec![]).await;
    let before = commit(&table, frame(5000..5010, 1.0), &pairs(), vec![]).await;
    let small = before.files().iter().find(|file| file.rows() == Some(10)).unwrap().clone();
    let large = before.files().iter().find(|file| file.rows() == Some(5000)).unwrap().clone();
    let after = commit(&table, frame(5000..5009, 2.0), &pairs(), vec![small.clone()]).await;
    // What is not there cannot be read.
    std::fs::remove_file(disk.folder.path().join("silver/t").join(large.path())).unwrap();
    let diff = between(&before, &after, &by(&["k"])).await;
    assert_eq!((diff.rows.before, diff.rows.after, counts(&diff)), (5010, 5009, (0, 1, 9)));
    let new = after.files().iter().find(|file| file.rows() == Some(9)).unwrap();
    assert_eq!((diff.read.files, diff.read.bytes), (2, small.size() + new.size()));
    assert_eq!((diff.read.of_files, diff.read.of_bytes), (3, small.size() + new.size() + large.size()));
    assert_eq!(diff.totals[0].difference, Some(Cell::Plain(8.0.into())));

    let missing = compare(&(&before).into(), &(&after).into(), &Comparison { totals: true, ..by(&["k"]) }).await;
    assert!(missing.is_err(), "all sums need all files");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_no_commit_names_and_tables_that_are_not_there() {
    let disk = Disk::new();
    let table = disk.table();
    let before = overwrite(&table, df!("k" => [1i64, 2], "v" => [1.0, 2.0]).unwrap(), &pairs()).await;
    let files = table.write(df!("k" => [2i64, 3], "v" => [2.5, 3.0]).unwrap().lazy(), &pairs()).await.unwrap();
    let staged = Side::staged(table.clone(), pairs(), files);
    let diff = compare(&(&before).into(), &staged, &by(&["k"])).await.unwrap();
    assert_eq!((counts(&diff), diff.from.version, diff.to.version), ((1, 1, 1), Some(0), None));
    assert_eq!((diff.read.files, diff.read.of_files), (2, 2));
    let nothing = Side::nothing(table, pairs());
    let diff = compare(&nothing, &staged, &by(&["k"])).await.unwrap();
    assert_eq!((counts(&diff), diff.rows.before), ((2, 0, 0), 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_the_lake_that_went_its_own_way_is_compared_by_its_own_files() {
    let (here, there) = (Disk::new(), Disk::new());
    overwrite(&here.table(), df!("k" => [1i64], "v" => [1.0]).unwrap(), &pairs()).await;
    commit(&here.table(), df!("k" => [2i64], "v" => [2.0]).unwrap(), &pairs(), vec![]).await;
    let (from, to) = (here.folder.path().join("silver"), there.folder.path());
    assert!(std::process::Command::new("cp").arg("-r").arg(from).arg(to).status().unwrap().success());
    let here = commit(&here.table(), df!("k" => [9i64], "v" => [9.0]).unwrap(), &pairs(), vec![]).await;
    let copy = commit(&there.table(), df!("k" => [4i64], "v" => [4.0]).unwrap(), &pairs(), vec![]).await;
    assert_eq!((copy.table_id(), copy.version()), (here.table_id(), here.version()));
    crate::delta::compact(&copy, serde_json::Map::new()).await.unwrap();
    let compacted = there.table().snapshot().await.unwrap().unwrap();
    assert_eq!(counts(&between(&here, &compacted, &by(&["k"])).await), (1, 1, 0));
    assert_eq!(counts(&between(&copy, &compacted, &by(&["k"])).await), (0, 0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_a_deletion_vector_hides_are_removed_rows() {
    let disk = Disk::new();
    let table = disk.table();
    let all: Vec<i64> = (0..40).collect();
    let before = overwrite(&table, df!("v" => vec![0.5; 40], "k" => all).unwrap(), &pairs()).await;
    let (path, size) = (before.files()[0].path(), before.files()[0].size());
    // The example of the Delta protocol: rows 3, 4, 7, 11, 18 and 29.
    let vector = "^Bg9^0rr910000000000iXQKl0rr91000f55c8Xg0@@D72lkbi5=-{L";
    let vector =
        serde_json::json!({ "storageType": "i", "pathOrInlineDv": vector, "sizeInBytes": 44, "cardinality": 6 });
    let file = serde_json::json!({
        "path": path, "size": size, "partitionValues": {}, "modificationTime": 1, "dataChange": true,
        "stats": "{\"numRecords\":40}",
    });
    let mut hidden = file.clone();
    hidden["deletionVector"] = vector;
    let actions = [
        serde_json::json!({ "remove": { "path": path, "dataChange": true, "deletionTimestamp": 1 } }),
        serde_json::json!({ "add": hidden }),
    ];
    let log = disk.folder.path().join("silver/t/_delta_log/00000000000000000001.json");
    std::fs::write(log, actions.map(|action| action.to_string()).join("\n")).unwrap();
    let after = table.snapshot().await.unwrap().unwrap();
    let diff = between(&before, &after, &by(&["k"])).await;
    assert_eq!((diff.rows.before, diff.rows.after, counts(&diff)), (40, 34, (0, 6, 0)));
    assert_eq!(keys(&diff, Change::Removed), ["3", "4", "7", "11", "18", "29"]);
    assert_eq!(diff.totals[0].difference, Some(Cell::Plain((-3.0).into())));
    let back = between(&after, &before, &by(&["k"])).await;
    assert_eq!(counts(&back), (6, 0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_one_name_in_two_tables_are_two_files() {
    let (here, there) = (Disk::new(), Disk::new());
    let p = overwrite(&here.table(), df!("k" => [1i64], "v" => [1.0]).unwrap(), &pairs()).await;
    let q = overwrite(&there.table(), df!("k" => [1i64], "v" => [2.0]).unwrap(), &pairs()).await;
    let path = |disk: &Disk, file: &str| disk.folder.path().join("silver/t").join(file);
    std::fs::rename(path(&there, q.files()[0].path()), path(&there, p.files()[0].path())).unwrap();
    let log = path(&there, "_delta_log/00000000000000000000.json");
    let text = std::fs::read_to_string(&log).unwrap().replace(q.files()[0].path(), p.files()[0].path());
    std::fs::write(log, text).unwrap();
    let q = there.table().snapshot().await.unwrap().unwrap();
    assert_eq!(p.files()[0].id(), q.files()[0].id());
    let diff = between(&p, &q, &by(&["k"])).await;
    assert_eq!((counts(&diff), diff.read.files, diff.read.of_files), ((0, 0, 1), 2, 2));
}
