//! Files hold exactly what they were given, in types that every reader knows, with bounds that are right.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::delta::{DataFile, Error, Writer};

async fn written(frame: DataFrame, schema: &TableSchema) -> (Disk, Table, Vec<DataFile>) {
    let disk = Disk::new();
    let table = disk.lake.table("silver/t");
    let files = table.write(frame.lazy(), schema).await.unwrap();
    (disk, table, files)
}

async fn refused(frame: DataFrame, schema: &TableSchema) -> String {
    let disk = Disk::new();
    match disk.lake.table("silver/t").write(frame.lazy(), schema).await {
        Err(Error::Invalid { what, .. }) => {
            assert_eq!(parquet_files(&disk), 0);
            what
        }
        other => panic!("{other:?}"),
    }
}

fn parquet_files(disk: &Disk) -> usize {
    walkdir::WalkDir::new(disk.path()).into_iter().flatten().filter(|e| e.file_type().is_file()).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_type_comes_back_as_it_was() {
    let inner = Type::Struct(vec![Named::new("x", Type::Int), Named::new("y", Type::Array(Box::new(Type::String)))]);
    let schema = schema(&[
        ("boolean", Type::Boolean),
        ("tinyint", Type::TinyInt),
        ("smallint", Type::SmallInt),
        ("int", Type::Int),
        ("bigint", Type::BigInt),
        ("float", Type::Float),
        ("double", Type::Double),
        ("decimal", Type::Decimal { precision: 38, scale: 10 }),
        ("small_decimal", Type::Decimal { precision: 9, scale: 2 }),
        ("string", Type::String),
        ("binary", Type::Binary),
        ("date", Type::Date),
        ("timestamp", Type::Timestamp),
        ("array", Type::Array(Box::new(Type::Decimal { precision: 20, scale: 1 }))),
        ("struct", inner.clone()),
        ("structs", Type::Array(Box::new(inner))),
    ]);
    let texts = Series::new("".into(), [Some("grüße 😀, long enough to be no inline view"), Some(""), None]);
    let pairs = df!("x" => [Some(1i32), None, Some(3)], "y" => [Some("p"), None, Some("")])
        .unwrap()
        .lazy()
        .select([as_struct(vec![col("x"), concat_list([col("y")]).unwrap().alias("y")]).alias("s")])
        .collect_with_engine(Engine::InMemory)
        .unwrap()
        .unwrap_single();
    let structs = pairs.column("s").unwrap().clone();
    let mut frame = df!(
        "boolean" => [Some(true), Some(false), None], "tinyint" => [Some(-128i32), Some(127), None],
        "smallint" => [Some(-32768i32), Some(32767), None], "int" => [Some(i32::MIN), Some(i32::MAX), None],
        "bigint" => [Some(i64::MIN), Some(i64::MAX), None], "float" => [Some(f32::MIN), Some(f32::NAN), None],
        "double" => [Some(-0.0), Some(f64::INFINITY), None],
        "decimal" => [Some("-9999999999999999999999999999.9999999999"), Some("0.0000000001"), None],
        "small_decimal" => [Some("-9999999.99"), Some("0.01"), None],
        "date" => [Some(-719_162i32), Some(2_932_896), None], "timestamp" => [Some(-62_135_596_800_000_001i64), Some(1), None],
    )
    .unwrap();
    frame.with_column(texts.clone().with_name("string".into()).into()).unwrap();
    frame.with_column(texts.cast(&DataType::Binary).unwrap().with_name("binary".into()).into()).unwrap();
    let frame = frame.lazy().with_columns([concat_list([lit("1.5"), lit(NULL)]).unwrap().alias("array")]).with_columns(
        schema.columns[..14].iter().map(|c| col(c.name.as_str()).strict_cast(c.ty.to_polars())).collect::<Vec<_>>(),
    );
    let mut frame = collect(frame).await;
    frame.with_column(structs.clone().with_name("struct".into())).unwrap();
    let lists = structs.as_materialized_series().implode().unwrap().into_series();
    let lists = concat_series(&[lists.clone(), lists.clear(), Series::full_null("".into(), 2, lists.dtype())]);
    frame.with_column(lists.with_name("structs".into()).into()).unwrap();
    let frame = frame.select(schema.columns.iter().map(|c| c.name.clone())).unwrap();
    assert_eq!(frame.schema(), &schema.to_polars());

    let (_disk, table, files) = written(frame.clone(), &schema).await;
    table.create(&schema, Change { adds: files, ..Change::default() }).await.unwrap();
    let read = collect(now(&table).await.scan().unwrap()).await;
    assert_eq!(read.schema(), frame.schema());
    assert!(read.equals_missing(&frame), "{read} {frame}");
    assert_eq!(now(&table).await.schema(), &schema);
}

fn concat_series(parts: &[Series]) -> Series {
    let mut all = parts[0].clone();
    for part in &parts[1..] {
        all.append(part).unwrap();
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn every_table_is_one_that_every_reader_knows() {
    let disk = Disk::new();
    let table = disk.lake.table("silver/t");
    let schema = schema(&[("t", Type::Timestamp), ("d", Type::Decimal { precision: 38, scale: 0 })]);
    table.create(&schema, Change::default()).await.unwrap();
    let text = std::fs::read_to_string(disk.path().join("silver/t/_delta_log/00000000000000000000.json")).unwrap();
    let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines[0].get("commitInfo").is_some(), "first, as in-commit timestamps want it");
    assert!(lines.contains(&json!({ "protocol": { "minReaderVersion": 1, "minWriterVersion": 2 } })));
    let metadata = lines.iter().find_map(|line| line.get("metaData")).unwrap();
    assert!(!text.contains("timestamp_ntz"));
    for key in ["delta.logRetentionDuration", "delta.deletedFileRetentionDuration", "delta.checkpointInterval"] {
        assert!(metadata["configuration"][key].is_string(), "{key}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn types_that_delta_lacks_are_widened_or_refused() {
    let wide = schema(&[("a", Type::BigInt)]);
    for dtype in [DataType::UInt8, DataType::UInt16, DataType::UInt32, DataType::UInt64, DataType::Int8] {
        let frame = df!("a" => [7i64]).unwrap().lazy().select([col("a").cast(dtype)]);
        let (_disk, table, files) = written(collect(frame).await, &wide).await;
        let read = collect(table.scan(&wide, &files).unwrap()).await;
        assert!(read.equals(&df!("a" => [7i64]).unwrap()));
    }
    assert!(refused(df!("a" => [u64::MAX]).unwrap(), &wide).await.contains("does not fit"));
    let small = schema(&[("a", Type::SmallInt)]);
    assert!(refused(df!("a" => [40_000i64]).unwrap(), &small).await.contains("does not fit"));

    let time = schema(&[("a", Type::Timestamp)]);
    let nanos = |value: i64, zone: Option<&str>| {
        let zone = zone.map(|zone| TimeZone::opt_try_new(Some(zone)).unwrap().unwrap());
        let series = Series::new("a".into(), [value]).cast(&DataType::Datetime(TimeUnit::Nanoseconds, zone)).unwrap();
        DataFrame::new(1, vec![series.into()]).unwrap()
    };
    let (_disk, table, files) = written(nanos(1_000, Some("Europe/Paris")), &time).await;
    let read = collect(table.scan(&time, &files).unwrap()).await;
    assert_eq!(read.column("a").unwrap().dtype(), &Type::Timestamp.to_polars());
    assert_eq!(read.column("a").unwrap().datetime().unwrap().physical().get(0), Some(1));
    assert!(refused(nanos(1_001, Some("UTC")), &time).await.contains("nanoseconds"));
    assert!(refused(nanos(1_000, None), &time).await.contains("cannot be stored as timestamp"));

    let money = schema(&[("a", Type::Decimal { precision: 10, scale: 2 })]);
    let exact =
        |text: &str, p, s| df!("a" => [text]).unwrap().lazy().select([col("a").strict_cast(DataType::Decimal(p, s))]);
    assert!(refused(collect(exact("1.005", 10, 3)).await, &money).await.contains("cannot be stored as decimal(10,2)"));
    let (_disk, table, files) = written(collect(exact("1.5", 5, 1)).await, &money).await;
    let read = collect(table.scan(&money, &files).unwrap()).await;
    assert!(read.equals(&collect(exact("1.50", 10, 2)).await), "{read}");

    for frame in [df!("a" => [1.5]).unwrap(), df!("a" => ["1"]).unwrap(), df!("a" => [true]).unwrap()] {
        assert!(refused(frame, &wide).await.contains("cannot be stored as bigint"));
    }
    assert!(refused(df!("a" => [1i64], "b" => [1i64]).unwrap(), &wide).await.contains("no column `b`"));
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_that_delta_cannot_store_are_refused() {
    let disk = Disk::new();
    let table = disk.lake.table("silver/t");
    let nested = Type::Struct(vec![Named::new("x y", Type::Int)]);
    for columns in [
        vec![("a b", Type::Int)],
        vec![("a", Type::Int), ("A", Type::Int)],
        vec![("a", Type::Null)],
        vec![("", Type::Int)],
        vec![("s", nested)],
        vec![],
    ] {
        let schema = schema(&columns);
        assert!(matches!(table.create(&schema, Change::default()).await, Err(Error::Invalid { .. })), "{columns:?}");
    }
    let mut only = numbers();
    only.partition_by = vec!["a".into()];
    assert!(matches!(table.create(&only, Change::default()).await, Err(Error::Invalid { .. })));
    assert!(table.snapshot().await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn statistics_are_bounds_in_the_protocol_s_spelling() {
    let schema = schema(&[
        ("text", Type::String),
        ("time", Type::Timestamp),
        ("day", Type::Date),
        ("money", Type::Decimal { precision: 10, scale: 2 }),
        ("long_money", Type::Decimal { precision: 38, scale: 2 }),
        ("double", Type::Double),
        ("with_nan", Type::Double),
        ("flag", Type::Boolean),
        ("nothing", Type::BigInt),
    ]);
    let long = "z".repeat(200);
    let frame = df!(
        "text" => [Some("b"), None, Some(long.as_str())], "time" => [Some(1_500i64), Some(-1), None],
        "day" => [Some(0i32), Some(1), None], "money" => [Some("-0.05"), Some("12.30"), None],
        "long_money" => [Some("1"), Some("123456789012345678.25"), None], "double" => [Some(-1.5), Some(2.0), None],
        "with_nan" => [Some(1.0), Some(f64::NAN), None], "flag" => [Some(true), Some(false), None],
        "nothing" => [None::<i64>, None, None],
    )
    .unwrap()
    .lazy()
    .with_columns(
        schema.columns.iter().map(|c| col(c.name.as_str()).strict_cast(c.ty.to_polars())).collect::<Vec<_>>(),
    );
    let (_disk, _table, files) = written(collect(frame).await, &schema).await;
    let mut statistics = serde_json::Value::Object(files[0].statistics().clone());
    let greatest = statistics["maxValues"]["text"].take();
    let greatest = greatest.as_str().unwrap();
    assert!(greatest > long.as_str() && greatest.len() < 100, "cut, and moved up: {greatest}");
    assert_eq!(
        statistics,
        json!({
            "numRecords": 3,
            "minValues": { "text": "b", "time": "1969-12-31T23:59:59.999Z", "day": "1970-01-01", "money": -0.05,
                "long_money": null, "double": -1.5 },
            "maxValues": { "text": null, "time": "1970-01-01T00:00:00.002Z", "day": "1970-01-02", "money": 12.3,
                "double": 2.0 },
            "nullCount": { "text": 1, "time": 1, "day": 1, "money": 1, "long_money": 1, "double": 1, "with_nan": 1,
                "flag": 1, "nothing": 3 },
        })
        .as_object()
        .map(|object| {
            let mut object = object.clone();
            object["minValues"]["long_money"] = json!(1.0);
            serde_json::Value::Object(object)
        })
        .unwrap()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn statistics_cover_the_first_32_columns_or_those_that_are_named() {
    let names: Vec<String> = (0..40).map(|i| format!("c{i}")).collect();
    let mut schema = TableSchema::new(names.iter().map(|name| Named::new(name, Type::BigInt)).collect());
    let columns: Vec<Column> = names.iter().map(|name| Column::new(name.as_str().into(), [1i64])).collect();
    let frame = DataFrame::new(1, columns).unwrap();
    let (_disk, _table, files) = written(frame.clone(), &schema).await;
    assert_eq!((files[0].min_max_i64("c31"), files[0].min_max_i64("c32")), (Some((1, 1)), None));
    schema.stats_columns = vec!["c39".into(), "c5".into()];
    let (_disk, _table, files) = written(frame, &schema).await;
    assert_eq!((files[0].min_max_i64("c39"), files[0].min_max_i64("c0")), (Some((1, 1)), None));
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_rolled_by_size_and_few_partitions_stay_open() {
    let disk = Disk::new();
    let table = disk.lake.table("silver/t");
    let schema = numbers();
    let writer = Writer::with_file_bytes(table.clone(), &schema, 20_000).unwrap();
    let all: Vec<i64> = (0..40_000).map(|i: i64| i.wrapping_mul(0x5851_F42D_4C95_7F2D)).collect();
    let pieces: Vec<DataFrame> = all.chunks(1_000).map(|piece| df!("a" => piece).unwrap()).collect();
    let writer = tokio::task::spawn_blocking(move || {
        for piece in pieces {
            writer.write(piece).unwrap();
        }
        writer
    });
    let files = writer.await.unwrap().finish().await.unwrap();
    assert!(files.len() > 5, "{}", files.len());
    assert!(files.iter().all(|file| file.size() < 60_000));
    let read = collect(table.scan(&schema, &files).unwrap().sort(["a"], SortMultipleOptions::default())).await;
    let mut sorted = all;
    sorted.sort_unstable();
    assert!(read.equals(&df!("a" => sorted).unwrap()));

    let mut parted = super::schema(&[("a", Type::BigInt), ("p", Type::BigInt)]);
    parted.partition_by = vec!["p".into()];
    let values: Vec<i64> = (0..300).collect();
    let frame = df!("a" => &values, "p" => &values).unwrap();
    let files = table.write(frame.clone().lazy(), &parted).await.unwrap();
    assert_eq!(files.len(), 300);
    let read = collect(table.scan(&parted, &files).unwrap().sort(["a"], SortMultipleOptions::default())).await;
    assert!(read.equals(&frame));
}

#[tokio::test(flavor = "multi_thread")]
async fn little_data_makes_one_file_and_no_rows_make_none() {
    let disk = Disk::new();
    let table = disk.lake.table("silver/t");
    assert_eq!(table.write(rows(&[1, 2, 3]), &numbers()).await.unwrap().len(), 1);
    assert_eq!(table.write(rows(&[]), &numbers()).await.unwrap().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_committed_can_be_taken_back() {
    let disk = Disk::new();
    let table = disk.lake.table("silver/t");
    let files = table.write(rows(&[1]), &numbers()).await.unwrap();
    assert_eq!(parquet_files(&disk), 1);
    table.remove_uncommitted(&files).await.unwrap();
    table.remove_uncommitted(&files).await.unwrap();
    assert_eq!(parquet_files(&disk), 0);

    let writer = table.writer(&numbers()).unwrap();
    let writer = tokio::task::spawn_blocking(move || {
        writer.write(df!("a" => [1i64]).unwrap()).unwrap();
        writer
    });
    writer.await.unwrap().abort().await;
    assert_eq!(parquet_files(&disk), 0);

    let failing = rows(&[1, 2]).select([
        (col("a") * lit(1i64)).strict_cast(DataType::Int64),
        lit("x").strict_cast(DataType::Int32).alias("b"),
    ]);
    let schema = schema(&[("a", Type::BigInt), ("b", Type::Int)]);
    assert!(matches!(table.write(failing, &schema).await, Err(Error::Query(_))));
    assert_eq!(parquet_files(&disk), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn no_value_lies_beyond_its_bounds(
        texts in proptest::collection::vec(proptest::option::of("\\PC{0,90}"), 1..20),
        times in proptest::collection::vec(proptest::option::of(-60_000_000_000_000_000i64..200_000_000_000_000_000), 1..20),
        doubles in proptest::collection::vec(proptest::option::of(any::<f64>()), 1..20),
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let texts_of = |files: &[DataFile], side: &str| {
                files[0].statistics()[side].get("v").and_then(|v| v.as_str()).map(str::to_owned)
            };
            let file = |frame: DataFrame, ty: Type| async move {
                let schema = schema(&[("v", ty)]);
                let frame = collect(frame.lazy().select([col("v").strict_cast(schema.columns[0].ty.to_polars())])).await;
                let (_disk, table, files) = written(frame.clone(), &schema).await;
                let read = collect(table.scan(&schema, &files).unwrap()).await;
                assert!(read.equals_missing(&frame), "{read} {frame}");
                files
            };
            let files = file(df!("v" => &texts).unwrap(), Type::String).await;
            for text in texts.iter().flatten() {
                assert!(texts_of(&files, "minValues").is_none_or(|min| min <= *text));
                assert!(texts_of(&files, "maxValues").is_none_or(|max| max >= *text));
            }
            let files = file(df!("v" => &times).unwrap(), Type::Timestamp).await;
            let micros = |text: String| text.parse::<chrono::DateTime<chrono::Utc>>().unwrap().timestamp_micros();
            for time in times.iter().flatten() {
                assert!(texts_of(&files, "minValues").is_none_or(|min| micros(min) <= *time));
                assert!(texts_of(&files, "maxValues").is_none_or(|max| micros(max) >= *time));
            }
            let files = file(df!("v" => &doubles).unwrap(), Type::Double).await;
            for double in doubles.iter().flatten() {
                let bound = |side: &str| files[0].statistics()[side].get("v").and_then(serde_json::Value::as_f64);
                assert!(bound("minValues").is_none_or(|min| min <= *double), "{double} {:?}", files[0]);
                assert!(bound("maxValues").is_none_or(|max| max >= *double), "{double} {:?}", files[0]);
            }
        });
    }
}
