//! What was written comes back, from any place.

use super::*;
use crate::delta::Error;

#[tokio::test(flavor = "multi_thread")]
async fn a_lake_may_stand_in_an_odd_folder() {
    let folder = tempfile::tempdir().unwrap();
    let odd = folder.path().join("a b%#é?[x]*");
    let lake = Lake::open(odd.to_str().unwrap(), &BTreeMap::new()).unwrap();
    let table = lake.table("silver/t");
    assert!(!odd.exists(), "opening creates nothing");
    let change = appended(&table, &[1, 2]).await;
    table.create(&numbers(), change).await.unwrap();
    assert_eq!(values(&now(&table).await).await, [1, 2]);
    assert!(odd.join("silver/t/_delta_log/00000000000000000000.json").exists());
    let through_dots = Lake::open(odd.join("../a b%#é?[x]*").to_str().unwrap(), &BTreeMap::new()).unwrap();
    assert_eq!(values(&now(&through_dots.table("silver/t")).await).await, [1, 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_cannot_be_reached_is_an_error() {
    // deltalake would decode `%20` and look elsewhere
    for uri in ["s4://x/y", "http://", "::://", "/tmp/a%20b", "file:///tmp/a%2520b"] {
        assert!(Lake::open(uri, &BTreeMap::new()).is_err(), "{uri}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_table_reads_as_no_rows_of_its_columns() {
    let disk = Disk::new();
    let table = disk.lake.table("silver/t");
    let mut schema = schema(&[("p", Type::Date), ("a", Type::Decimal { precision: 38, scale: 3 })]);
    schema.partition_by = vec!["p".into()];
    table.create(&schema, Change::default()).await.unwrap();
    let snapshot = now(&table).await;
    let frame = collect(snapshot.scan().unwrap()).await;
    assert_eq!((frame.height(), frame.schema().as_ref()), (0, schema.to_polars().as_ref()));
    assert_eq!((snapshot.rows(), snapshot.bytes()), (Some(0), 0));
    let frame = collect(snapshot.scan_with_position(&[]).unwrap()).await;
    assert_eq!(frame.get_column_names(), ["p", "a", "__file", "__row"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_can_be_told_by_file_and_position() {
    let disk = Disk::new();
    let table = table_of(&disk, &[10, 11, 12]).await;
    table.commit(&now(&table).await, appended(&table, &[20, 21]).await).await.unwrap();
    let snapshot = now(&table).await;
    let frame = collect(snapshot.scan_with_position(snapshot.files()).unwrap()).await;
    let expected =
        df!("a" => [10i64, 11, 12, 20, 21], "__file" => [0u32, 0, 0, 1, 1], "__row" => [0u32, 1, 2, 0, 1]).unwrap();
    assert!(frame.equals(&expected), "{frame}");
    // positions are those in the file, whatever is filtered
    let filtered = snapshot.scan_with_position(&snapshot.files()[1..]).unwrap().filter(col("a").gt(lit(20)));
    let frame = collect(filtered).await;
    assert!(frame.equals(&df!("a" => [21i64], "__file" => [0u32], "__row" => [1u32]).unwrap()), "{frame}");
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_partition_values_come_back() {
    let disk = Disk::new();
    let table = disk.lake.table("silver/t");
    let mut schema = schema(&[("p", Type::String), ("a", Type::BigInt)]);
    schema.partition_by = vec!["p".into()];
    let odd = ["a b", "100%", "x/y", "..", "=", "😀", "NULL", "__HIVE_DEFAULT_PARTITION__", "%2F", "'\"\\", "1"];
    let mut texts: Vec<Option<&str>> = odd.iter().copied().map(Some).collect();
    texts.push(None);
    let numbers: Vec<i64> = (0..).take(texts.len()).collect();
    let frame = df!("a" => numbers, "p" => texts).unwrap();
    let adds = table.write(frame.clone().lazy(), &schema).await.unwrap();
    assert_eq!(adds.len(), frame.height());
    table.create(&schema, Change { adds, ..Change::default() }).await.unwrap();
    let snapshot = now(&table).await;
    let read = collect(snapshot.scan().unwrap().sort(["a"], SortMultipleOptions::default())).await;
    assert!(read.equals_missing(&frame.select(["p", "a"]).unwrap()), "{read}");
    let files: Vec<_> = snapshot.files().iter().filter(|f| f.partition_values()["p"].is_none()).cloned().collect();
    assert_eq!(collect(snapshot.scan_files(&files).unwrap()).await.height(), 1);

    let folder = |value: &str| {
        let file = snapshot.files().iter().find(|f| f.partition_values()["p"].as_deref() == Some(value)).unwrap();
        file.path().split_once('/').unwrap().0.to_owned()
    };
    assert_eq!((folder("a b"), folder("x/y"), folder("1")), ("p=a%20b".into(), "p=x%2Fy".into(), "p=1".into()));
    let long = "é".repeat(60);
    let long = df!("p" => [long.as_str()], "a" => [1i64]).unwrap().lazy();
    assert!(matches!(table.write(long, &schema).await, Err(Error::Invalid { .. })), "no folder can be named so");

    let empty = df!("p" => [""], "a" => [1i64]).unwrap().lazy();
    assert!(matches!(table.write(empty, &schema).await, Err(Error::Invalid { .. })), "Delta would read it as NULL");
}

#[tokio::test(flavor = "multi_thread")]
async fn partition_columns_of_every_type_come_back() {
    let disk = Disk::new();
    let table = disk.lake.table("silver/t");
    let types = [
        ("b", Type::Boolean),
        ("i8", Type::TinyInt),
        ("i64", Type::BigInt),
        ("f", Type::Double),
        ("d", Type::Decimal { precision: 20, scale: 4 }),
        ("day", Type::Date),
        ("t", Type::Timestamp),
    ];
    let mut schema = schema(&types);
    schema.columns.push(Named::new("a", Type::BigInt));
    schema.partition_by = types.iter().map(|(name, _)| (*name).to_owned()).collect();
    let frame = df!(
        "b" => [Some(true), None], "i8" => [Some(-128i32), None], "i64" => [Some(i64::MIN), None],
        "f" => [Some(-1.5e300), None], "d" => [Some("-1234567890123456.7890"), None], "day" => [Some(-1i32), None],
        "t" => [Some(-1i64), None], "a" => [1i64, 2],
    )
    .unwrap()
    .lazy()
    .with_columns(
        schema.columns.iter().map(|c| col(c.name.as_str()).strict_cast(c.ty.to_polars())).collect::<Vec<_>>(),
    );
    let adds = table.write(frame.clone(), &schema).await.unwrap();
    table.create(&schema, Change { adds, ..Change::default() }).await.unwrap();
    let read = now(&table).await.scan().unwrap().sort(["a"], SortMultipleOptions::default());
    let (read, expected) = (collect(read).await, collect(frame).await);
    assert!(read.equals_missing(&expected), "{read} {expected}");
}
