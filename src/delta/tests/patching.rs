//! Files in which rows are replaced at their places.

use super::*;
use crate::delta::write::{Original, Patch};

const ROWS: i64 = 300_000;

pub(in crate::delta) fn table_schema() -> TableSchema {
    let mut schema = schema(&[
        ("id", Type::BigInt),
        ("price", Type::Decimal { precision: 15, scale: 2 }),
        ("rate", Type::Double),
        ("tags", Type::Array(Box::new(Type::String))),
        ("note", Type::String),
        ("seen", Type::Timestamp),
    ]);
    schema.stats_columns = vec!["id".into(), "rate".into()];
    schema
}

/// More than one row group of them.
fn all_rows() -> LazyFrame {
    let ids = Series::new("id".into(), (0..ROWS).collect::<Vec<_>>());
    let (micros, utc) = (TimeUnit::Microseconds, Some(TimeZone::UTC));
    DataFrame::new(ids.len(), vec![ids.into()]).unwrap().lazy().with_columns([
        col("id").cast(DataType::Decimal(15, 2)).alias("price"),
        when(col("id").eq(lit(7))).then(lit(f64::NAN)).otherwise(col("id").cast(DataType::Float64)).alias("rate"),
        concat_list([lit("a"), col("id").cast(DataType::String)]).unwrap().alias("tags"),
        (lit("note of ") + col("id").cast(DataType::String)).alias("note"),
        col("id").cast(DataType::Datetime(micros, utc)).alias("seen"),
    ])
}

/// The places of the first and the last row group, with what comes there.
fn patch() -> Patch {
    let places = vec![1, 5, 299_999];
    let notes = Column::new("note".into(), ["x", "a longer note than there was before", "z"]);
    let tags = Column::new(
        "tags".into(),
        [
            Series::new("".into(), ["t"]),
            Series::new_empty("".into(), &DataType::String),
            Series::new("".into(), ["u", "v"]),
        ],
    );
    Patch { places, rows: DataFrame::new(3, vec![tags, notes]).unwrap() }
}

pub(in crate::delta) async fn patched(table: &Table, file: &DataFile) -> DataFile {
    let schema = table_schema();
    let original = Original::open(table, &schema, file).await.unwrap().unwrap();
    let frame = table.scan(&schema, std::slice::from_ref(file)).unwrap();
    tokio::task::spawn_blocking(move || original.patch(&frame, &patch()).unwrap()).await.unwrap()
}

pub(in crate::delta) async fn one_file(disk: &Disk) -> (Table, DataFile) {
    let table = disk.lake.table("silver/t");
    let files = table.writer(&table_schema()).unwrap().with_lanes(1).write_query(all_rows(), |_| ()).await.unwrap();
    assert_eq!(files.len(), 1);
    (table, files[0].clone())
}

async fn read(table: &Table, file: &DataFile) -> DataFrame {
    collect(table.scan(&table_schema(), std::slice::from_ref(file)).unwrap()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patched_file_has_the_new_rows_at_their_places_and_all_others() {
    let disk = Disk::new();
    let (table, file) = one_file(&disk).await;
    let after = patched(&table, &file).await;

    let place = |column: &str| {
        let of = |row: i64, rows: &DataFrame, at: usize| {
            when(col("id").eq(lit(row)))
                .then(lit(rows.column(column).unwrap().as_materialized_series().slice(at as i64, 1)).first())
        };
        let rows = patch().rows;
        of(1, &rows, 0).otherwise(of(5, &rows, 1).otherwise(of(299_999, &rows, 2).otherwise(col(column)))).alias(column)
    };
    let expected = collect(all_rows().with_columns([place("tags"), place("note")])).await;
    assert!(read(&table, &after).await.equals_missing(&expected));
    assert_eq!(after.rows(), Some(ROWS as u64));
    assert_eq!(after.min_max_i64("id"), Some((0, ROWS - 1)));
    assert!(after.statistics()["maxValues"].get("rate").is_none(), "there is still a NaN");
    assert_ne!((after.path(), after.blake3()), (file.path(), file.blake3()));
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_in_which_nothing_changes_are_not_decoded() {
    let disk = Disk::new();
    let (table, file) = one_file(&disk).await;
    // Bytes in the midst of the file are damaged, in a row group in which no row is replaced, and those of the first
    // column of all.
    let path = disk.path().join("silver/t").join(file.path());
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    let damage: Vec<u8> = (0..50).map(|byte| byte * 5 + 1).collect();
    for at in [100, middle] {
        bytes[at..at + 50].copy_from_slice(&damage);
    }
    std::fs::write(&path, &bytes).unwrap();

    let after = patched(&table, &file).await;
    let copied = std::fs::read(disk.path().join("silver/t").join(after.path())).unwrap();
    assert_eq!(copied.windows(50).filter(|bytes| *bytes == damage).count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_another_shape_is_not_patched() {
    let disk = Disk::new();
    let (table, file) = one_file(&disk).await;
    let mut wider = table_schema();
    wider.columns.push(Named::new("new", Type::Int));
    assert!(Original::open(&table, &wider, &file).await.unwrap().is_none());
    let mut other = table_schema();
    other.columns[2].ty = Type::String;
    assert!(Original::open(&table, &other, &file).await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_the_file_does_not_have_is_not_left_out_in_silence() {
    let disk = Disk::new();
    let (table, file) = one_file(&disk).await;
    let original = Original::open(&table, &table_schema(), &file).await.unwrap().unwrap();
    let frame = table.scan(&table_schema(), std::slice::from_ref(&file)).unwrap();
    let beyond = Patch { places: vec![1, 5, 300_000], ..patch() };
    let patched = tokio::task::spawn_blocking(move || original.patch(&frame, &beyond)).await.unwrap();
    assert!(patched.unwrap_err().to_string().contains("rows beyond its 300000"));
    let files =
        std::fs::read_dir(disk.path().join("silver/t")).unwrap().filter(|e| e.as_ref().unwrap().path().is_file());
    assert_eq!(files.count(), 1, "nothing is left behind");
}
