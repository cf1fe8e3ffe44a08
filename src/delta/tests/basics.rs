use super::*;
use crate::delta::Error;

#[tokio::test(flavor = "multi_thread")]
async fn a_table_is_made_read_and_added_to() {
    let disk = Disk::new();
    let table = disk.lake.table("silver/t");
    assert!(table.snapshot().await.unwrap().is_none());
    let mut change = appended(&table, &[1, 2]).await;
    change.txns.push(("lakesmith/batch".into(), 1));
    change.properties.insert("delta.appendOnly".into(), "true".into());
    assert_eq!(table.create(&numbers(), change).await.unwrap(), 0);

    let first = now(&table).await;
    assert_eq!((first.version(), first.rows(), values(&first).await), (0, Some(2), vec![1, 2]));
    assert_eq!(first.txn("lakesmith/batch"), Some(1));
    assert_eq!(first.property("delta.appendOnly"), Some("true"));
    assert_eq!(first.property("delta.enableExpiredLogCleanup"), Some("false"));
    assert_eq!(first.schema(), &numbers());
    assert_eq!(first.files()[0].min_max_i64("a"), Some((1, 2)));
    let bytes = std::fs::read(disk.path().join("silver/t").join(first.files()[0].path())).unwrap();
    assert_eq!(first.files()[0].blake3().unwrap(), blake3::hash(&bytes).to_hex().as_str());
    assert_eq!(first.files()[0].size(), bytes.len() as u64);

    let change = appended(&table, &[3]).await;
    assert_eq!(table.commit(&first, change).await.unwrap(), 1);
    let second = now(&table).await;
    assert_eq!((second.version(), values(&second).await), (1, vec![1, 2, 3]));
    assert_eq!(second.txns(), first.txns());
    assert_eq!(second.files_above("a", 2).len(), 1);
    assert_eq!(values(&first).await, [1, 2], "a snapshot does not change");

    let again = appended(&table, &[9]).await;
    assert!(matches!(table.create(&numbers(), again).await, Err(Error::Lost { version: 0, .. })));
    assert_eq!(values(&now(&table).await).await, [1, 2, 3]);
}
