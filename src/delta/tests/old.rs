//! Old versions: what of them is still there, and by which names they go.

use std::fs;

use serde_json::json;

use super::foreign::{Foreign, add, field, metadata, protocol};
use super::*;
use crate::delta::{Error, PINS};

fn why(result: Result<impl Sized, Error>) -> String {
    match result.err() {
        Some(Error::Gone { what, .. }) => what,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_lost_a_file_is_gone() {
    let disk = Disk::new();
    let table = table_of(&disk, &[1, 2]).await;
    let base = now(&table).await;
    let change = Change { removes: base.files().to_vec(), ..appended(&table, &[3]).await };
    table.commit(&base, change).await.unwrap();
    base.require_files().await.unwrap();

    let old: Vec<_> = table.stored().await.unwrap().into_iter().filter(|f| f.path == base.files()[0].path()).collect();
    assert_eq!((old.len(), old[0].bytes), (1, base.files()[0].size()));
    let (gone, error) = table.delete_stored(&old).await;
    assert_eq!((gone, error.is_none()), (old.clone(), true));
    assert!(why(base.require_files().await).starts_with("version 0 cannot be read any more: 1 of its 1 data files"));
    now(&table).await.require_files().await.unwrap();
    let (gone, error) = table.delete_stored(&old).await;
    assert_eq!((gone.len(), error.is_none()), (1, true), "what is gone already is no error");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_vector_that_is_gone_is_said_to_be() {
    let foreign = Foreign::new();
    let vector = json!({ "storageType": "u", "pathOrInlineDv": "ab^-aqEH.-t@S}K{vb[*k^", "offset": 4, "sizeInBytes": 40,
        "cardinality": 6 });
    let mut hidden = add("f.parquet", 1, &json!({}));
    hidden["add"]["deletionVector"] = vector;
    let plain = json!([field("a", &json!("long"))]);
    foreign.commit(0, &[protocol(&["deletionVectors"]), metadata(&plain, &[], &json!({})), hidden]);
    assert!(why(foreign.table.snapshot().await).contains("the deletion vector of `f.parquet` was deleted"));
    let folder = foreign.disk.path().join("silver/t/ab");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("deletion_vector_d2c639aa-8816-431a-aaf6-d3fe2512ff61.bin"), "x").unwrap();
    assert!(matches!(foreign.table.snapshot().await, Err(Error::Unreadable { .. })), "there, and damaged");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_names_of_a_commit_are_those_on_disk() {
    let foreign = Foreign::new();
    let plain = json!([field("a", &json!("long"))]);
    let adds = ["a%20b%2520.parquet", "./p=1//c.parquet", "file:///x/elsewhere.parquet"].map(|p| add(p, 1, &json!({})));
    foreign.commit(0, &[&[protocol(&[]), metadata(&plain, &[], &json!({}))], &adds[..]].concat());
    let named = foreign.table.named_files().await.unwrap().unwrap();
    let expected = ["a b%20.parquet", "file:/x/elsewhere.parquet", "p=1/c.parquet"].map(String::from);
    assert_eq!(named.commits()[&0].adds, expected.into());
    assert_eq!(named.elsewhere(), &["elsewhere.parquet".to_owned()].into());
    assert_eq!(foreign.table.named_since(0).await.unwrap(), [].into());
    foreign.commit(1, &[add("late.parquet", 1, &json!({}))]);
    assert_eq!(foreign.table.named_since(0).await.unwrap(), ["late.parquet".to_owned()].into());
    assert_eq!(named.of(1).await.unwrap(), None, "what came since is not seen");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_is_named_by_number_time_or_pin() {
    let disk = Disk::new();
    let table = table_of(&disk, &[1]).await;
    let pin = json!({ "start": { "version": 0, "at": "2026-01-01T00:00:00Z" } }).to_string();
    let pinned = Change { properties: [(PINS.to_owned(), pin)].into(), ..Change::default() };
    table.commit(&now(&table).await, pinned).await.unwrap();
    assert_eq!(table.at("0").await.unwrap(), At::Version(0));
    assert_eq!(table.at("start").await.unwrap(), At::Version(0));
    assert!(
        matches!(table.at("2026-01-01T01:00:00+01:00").await.unwrap(), At::Time(t) if t.to_rfc3339().starts_with("2026-01-01T00"))
    );
    assert!(why(table.at("end").await).ends_with("or the name of a pin: start"));
    assert!(why(disk.lake.table("silver/none").at("end").await).ends_with("of which the table has none"));

    let damaged = Change { properties: [(PINS.to_owned(), "none".to_owned())].into(), ..Change::default() };
    table.commit(&now(&table).await, damaged).await.unwrap();
    assert!(matches!(now(&table).await.pins(), Err(Error::Unreadable { .. })), "never taken for no pins");
}
