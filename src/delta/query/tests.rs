use polars::df;
use polars::prelude::*;

use super::query;
use crate::delta::tests::{Disk, foreign, now};
use crate::delta::{Change, Error, TableSchema};
use crate::expr::{Column as Named, Type};
use crate::memory::Memory;
use crate::name::{Layer, TableName};

fn names() -> Vec<TableName> {
    let name = |layer, name: &str| TableName { layer, name: name.into() };
    vec![name(Layer::Silver, "orders"), name(Layer::Gold, "regions"), name(Layer::Gold, "unbuilt")]
}

async fn write(disk: &Disk, folder: &str, schema: &TableSchema, frame: DataFrame) {
    let table = disk.lake.table(folder);
    let adds = table.write(frame.lazy(), schema).await.unwrap();
    let change = Change { adds, ..Change::default() };
    match table.snapshot().await.unwrap() {
        None => table.create(schema, change).await.unwrap(),
        Some(base) => table.commit(&base, change).await.unwrap(),
    };
}

fn schema(columns: &[(&str, Type)], partition_by: &[&str]) -> TableSchema {
    let columns = columns.iter().map(|(name, ty)| Named::new(*name, ty.clone())).collect();
    TableSchema { partition_by: partition_by.iter().map(ToString::to_string).collect(), ..TableSchema::new(columns) }
}

/// Orders 1 and 2 in version 0, order 3 in version 1; regions n and s.
async fn lake() -> Disk {
    let disk = Disk::new();
    let orders = schema(
        &[
            ("id", Type::BigInt),
            ("region", Type::String),
            ("total", Type::Decimal { precision: 10, scale: 2 }),
            ("Ordered", Type::Timestamp),
            ("tags", Type::Array(Box::new(Type::String))),
        ],
        &["region"],
    );
    let frame = |ids: &[i64], regions: &[&str]| {
        let frame = df!("id" => ids, "region" => regions).unwrap().lazy();
        let (total, time) = (orders.ty("total").unwrap().to_polars(), Type::Timestamp.to_polars());
        let columns = [
            (col("id") * lit(100)).cast(total).alias("total"),
            (col("id") * lit(1_000_000)).cast(time).alias("Ordered"),
            concat_list([lit("a"), col("region")]).unwrap().alias("tags"),
        ];
        frame.with_columns(columns).collect().unwrap()
    };
    write(&disk, "silver/orders", &orders, frame(&[1, 2], &["n", "s"])).await;
    write(&disk, "silver/orders", &orders, frame(&[3], &["n"])).await;
    let regions = schema(&[("region", Type::String), ("name", Type::String)], &[]);
    write(&disk, "gold/regions", &regions, df!("region" => ["n", "s"], "name" => ["North", "South"]).unwrap()).await;
    write(&disk, "quarantine/orders", &regions, df!("region" => ["x"], "name" => ["bad"]).unwrap()).await;
    write(&disk, "_lakesmith/runs", &regions, df!("region" => ["r"], "name" => ["run"]).unwrap()).await;
    disk
}

async fn asked(disk: &Disk, sql: &str) -> Result<DataFrame, Error> {
    query(&disk.lake, &names(), sql).await
}

async fn refused(disk: &Disk, sql: &str) -> String {
    asked(disk, sql).await.map(|frame| frame.to_string()).unwrap_err().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_of_two_layers_join_and_types_are_kept() {
    let disk = lake().await;
    let sql = "SELECT r.name, SUM(o.total) AS total, MAX(o.Ordered) AS last, COUNT(*) AS n FROM silver.orders o \
               JOIN gold.regions r ON r.region = o.region GROUP BY r.name ORDER BY r.name";
    let frame = asked(&disk, sql).await.unwrap();
    assert_eq!(frame.column("name").unwrap().str().unwrap().iter().collect::<Vec<_>>(), [Some("North"), Some("South")]);
    assert_eq!(frame.column("total").unwrap().dtype(), &DataType::Decimal(20, 2));
    assert_eq!(frame.column("total").unwrap().get(0).unwrap().to_string(), "400.00");
    assert_eq!(frame.column("last").unwrap().dtype(), &Type::Timestamp.to_polars());
    assert_eq!(frame.column("n").unwrap().i64().unwrap().iter().collect::<Vec<_>>(), [Some(2), Some(1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_type_of_a_table_comes_back_as_it_is() {
    let disk = lake().await;
    let frame = asked(&disk, "SELECT * FROM silver.orders ORDER BY id").await.unwrap();
    let expected = now(&disk.lake.table("silver/orders")).await.schema().to_polars();
    assert_eq!(frame.schema(), &expected);
    assert_eq!(frame.height(), 3);
    let empty = asked(&disk, "SELECT * FROM silver.orders WHERE id > 9").await.unwrap();
    assert_eq!((empty.height(), empty.schema()), (0, &expected));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_may_say_a_version_or_a_time() {
    let disk = lake().await;
    let count = async |table: &str| {
        let frame = asked(&disk, &format!("SELECT COUNT(*) AS n FROM {table}")).await?;
        Ok::<_, Error>(frame.column("n").unwrap().i64().unwrap().get(0).unwrap())
    };
    assert_eq!(count("silver.orders").await.unwrap(), 3);
    assert_eq!(count("silver.\"orders@0\"").await.unwrap(), 2);
    assert_eq!(count("silver.\"orders@2999-01-01T00:00:00Z\"").await.unwrap(), 3);
    assert_eq!(count("silver.orders a JOIN silver.\"orders@0\" b ON a.id = b.id").await.unwrap(), 2);
    assert!(matches!(count("silver.\"orders@7\"").await, Err(Error::Gone { .. })));
    assert!(matches!(count("silver.\"orders@2001-01-01T00:00:00Z\"").await, Err(Error::Gone { .. })));
    let wrong = count("silver.\"orders@yesterday\"").await.unwrap_err().to_string();
    assert_eq!(
        wrong,
        "`@yesterday` is no version; write a number, a time with its zone such as 2026-11-01T00:00:00Z, or the name of a \
         pin, of which the table has none"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_beside_the_layers_can_be_asked_too() {
    let disk = lake().await;
    assert_eq!(asked(&disk, "SELECT name FROM quarantine.orders").await.unwrap().height(), 1);
    assert_eq!(asked(&disk, "SELECT name FROM lakesmith.runs").await.unwrap().height(), 1);
    assert_eq!(asked(&disk, "SELECT 1 AS one;  -- done").await.unwrap().height(), 1);
    assert!(asked(&disk, "EXPLAIN SELECT * FROM silver.orders").await.unwrap().height() > 0);
    assert!(asked(&disk, "SHOW TABLES").await.unwrap().height() >= 6);
    assert_eq!(asked(&disk, "DESCRIBE silver.orders").await.unwrap().height(), 5);
    let columns = "SELECT column_name FROM information_schema.columns WHERE table_schema = 'gold'";
    assert_eq!(asked(&disk, columns).await.unwrap().height(), 2, "a table that holds nothing yet is no error");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_name_is_told_with_the_one_that_was_meant() {
    let disk = lake().await;
    let unknown = async |table: &str| refused(&disk, &format!("SELECT * FROM {table}")).await;
    assert_eq!(unknown("silver.order").await, "there is no table `silver.order`; did you mean `silver.orders`?");
    assert_eq!(unknown("regions").await, "there is no table `regions`; did you mean `gold.regions`?");
    assert_eq!(unknown("sliver.orders").await, "there is no table `sliver.orders`; did you mean `silver.orders`?");
    assert!(unknown("nothing.like_it").await.contains("there are gold.regions, gold.unbuilt, lakesmith.ledger"));
    assert_eq!(unknown("gold.unbuilt").await, "`gold.unbuilt`: it holds nothing yet");
    let column = refused(&disk, "SELECT ordered FROM silver.orders").await;
    assert!(column.contains("No field named ordered") && column.contains("Ordered"), "{column}");
}

#[tokio::test(flavor = "multi_thread")]
async fn conditions_on_partitions_statistics_and_hidden_rows_find_what_is_there() {
    let disk = lake().await;
    let count = async |disk: &Disk, condition: &str| {
        let sql = format!("SELECT COUNT(*) AS n FROM silver.orders WHERE {condition}");
        asked(disk, &sql).await.unwrap().column("n").unwrap().i64().unwrap().get(0).unwrap()
    };
    assert_eq!(count(&disk, "region = 'n'").await, 2);
    assert_eq!(count(&disk, "total = 300.00").await, 1);
    assert_eq!(count(&disk, "total > 299.99 AND region <> 's'").await, 1);
    assert_eq!(count(&disk, "Ordered = TIMESTAMP '1970-01-01T00:00:03Z'").await, 1);
    assert_eq!(count(&disk, "Ordered > '1970-01-01T00:00:02.999999Z'").await, 1);
    assert_eq!(count(&disk, "id IS NULL OR region IS NULL").await, 0);

    let (hidden, table) = foreign::with_hidden_rows().await;
    let tables = [TableName { layer: Layer::Silver, name: "t".into() }];
    let frame = query(&hidden.lake, &tables, "SELECT a FROM silver.t WHERE a < 6").await.unwrap();
    assert_eq!(frame.height(), 4, "of 0 to 5 two are hidden in {}", table.folder());
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_of_one_name_are_numbered() {
    let disk = lake().await;
    let sql = "SELECT a.id, b.id FROM silver.orders a JOIN silver.orders b ON a.id = b.id";
    let frame = asked(&disk, sql).await.unwrap();
    assert_eq!(frame.get_column_names(), ["id", "id_2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_that_do_more_than_read_are_refused() {
    let disk = lake().await;
    let out = disk.path().join("out.parquet");
    let before = now(&disk.lake.table("silver/orders")).await.version();
    let copy = format!("COPY silver.orders TO '{}'", out.display());
    let statements = [
        "INSERT INTO gold.regions VALUES ('x', 'y')",
        "DELETE FROM silver.orders",
        "UPDATE gold.regions SET name = 'x'",
        "CREATE EXTERNAL TABLE silver.hosts STORED AS CSV LOCATION '/etc/hosts'",
        "CREATE TABLE silver.t AS SELECT * FROM silver.orders",
        "CREATE VIEW silver.v AS SELECT 1",
        "DROP TABLE silver.orders",
        "SET datafusion.execution.batch_size = 1",
        copy.as_str(),
        &format!("EXPLAIN {copy}"),
        &format!("EXPLAIN ANALYZE {copy}"),
        "SELECT 1; DROP TABLE silver.orders",
        "BEGIN",
        "PREPARE p AS SELECT 1",
    ];
    for sql in statements {
        let answer = asked(&disk, sql).await;
        assert!(matches!(answer, Err(Error::Query(_))), "{sql}: {answer:?}");
    }
    assert!(!out.exists());
    assert_eq!(now(&disk.lake.table("silver/orders")).await.version(), before);
    let told = refused(&disk, "DELETE FROM silver.orders").await;
    assert!(told.contains("a query only reads") && told.ends_with("DELETE is refused"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_file_can_be_read_past_the_catalog() {
    let disk = lake().await;
    let secret = disk.path().join("secret.csv");
    std::fs::write(&secret, "a\n1\n").unwrap();
    let path = secret.display();
    let statements = [
        format!("SELECT * FROM '{path}'"),
        format!("SELECT * FROM \"{path}\""),
        format!("SELECT * FROM 'file://{path}'"),
        format!("SELECT * FROM read_csv('{path}')"),
        format!("SELECT * FROM read_parquet('{path}')"),
        format!("SELECT * FROM csv_scan('{path}')"),
        format!("SELECT * FROM delta_scan('{path}')"),
        "SELECT * FROM silver.\"../secret\"".into(),
        "SELECT * FROM silver.\"../silver/orders\"".into(),
    ];
    for sql in statements {
        let answer = asked(&disk, &sql).await;
        assert!(matches!(answer, Err(Error::Query(_))), "{sql}: {answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_takes_too_much_memory_says_so() {
    let disk = lake().await;
    let little = disk.lake.clone().with_memory(Memory::of_bytes(64));
    let sql = "SELECT region, count(*) FROM silver.orders GROUP BY region ORDER BY region";
    let error = query(&little, &names(), sql).await.unwrap_err();
    assert!(matches!(error, Error::Memory(_)), "{error:?}");
    insta::assert_snapshot!(error, @"the answer takes more memory than there is to work with (0.1 kB), though what can be is put on disk; `--memory SIZE` gives more");
    assert_eq!(query(&disk.lake, &names(), sql).await.unwrap().height(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn whole_numbers_and_sums_never_wrap() {
    let disk = lake().await;
    let rows = |values: &str, question: &str| format!("SELECT {question} AS v FROM (VALUES {values}) t(x)");
    let (most, least) = ("(9223372036854775807)", "(cast(-9223372036854775808 as bigint))");
    for (values, question) in [
        (format!("{most}, (1)"), "sum(x)"),
        (format!("{most}, (1)"), "sum(x) FILTER (WHERE x > 0)"),
        (format!("{most}, (1)"), "sum(x) OVER (ORDER BY x)"),
        (most.to_owned(), "x + 1"),
        (most.to_owned(), "x * 2"),
        (least.to_owned(), "x - 1"),
        (least.to_owned(), "-x"),
        ("(cast(2147483647 as int))".to_owned(), "x + cast(1 as int)"),
        ("(cast('99999999999999999999999999999999999999' as decimal(38, 0))), (1)".to_owned(), "sum(x)"),
    ] {
        let said = refused(&disk, &rows(&values, question)).await;
        assert!(said.contains("more than its type holds"), "{question}: {said}");
    }
    for (values, question, is) in [
        (format!("{most}, (1), (-1)"), "sum(x)", i64::MAX),
        (format!("{most}, {least}"), "sum(DISTINCT x)", -1),
        ("(1), (2)".to_owned(), "sum(x) * 2 + count(*) - -1", 9),
        (most.to_owned(), "x - 1 + 1", i64::MAX),
    ] {
        let frame = asked(&disk, &rows(&values, question)).await.unwrap();
        assert_eq!(frame.column("v").unwrap().i64().unwrap().get(0), Some(is), "{question}");
    }
    let grouped = "SELECT region, sum(id), sum(id + 1) OVER () FROM silver.orders WHERE id + 1 > 0 \
                   GROUP BY region, id HAVING sum(id) = (SELECT max(o.id) FROM silver.orders o) ORDER BY 1";
    let frame = asked(&disk, grouped).await.unwrap();
    assert_eq!((frame.height(), frame.dtypes()[1].clone()), (1, DataType::Int64));
    assert_eq!(frame.get_column_names()[1], "sum(silver.orders.id)");
    let rolled = asked(&disk, "SELECT region, sum(id) AS v FROM silver.orders GROUP BY ROLLUP (region)").await.unwrap();
    assert_eq!(rolled.column("v").unwrap().i64().unwrap().sum(), Some(12));
}
