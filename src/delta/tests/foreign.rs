//! Tables that other engines wrote, made by hand: read as their log means them, or refused by name.

use serde_json::{Value, json};

use super::*;
use crate::delta::Error;

/// A table whose log is written line by line.
pub(super) struct Foreign {
    pub(super) disk: Disk,
    pub(super) table: Table,
}

impl Foreign {
    pub(super) fn new() -> Self {
        let disk = Disk::new();
        let table = disk.lake.table("silver/t");
        std::fs::create_dir_all(disk.path().join("silver/t/_delta_log")).unwrap();
        Foreign { disk, table }
    }

    pub(super) fn commit(&self, version: i64, actions: &[Value]) {
        let lines: Vec<String> = actions.iter().map(Value::to_string).collect();
        std::fs::write(self.log(version), lines.join("\n")).unwrap();
    }

    pub(super) fn log(&self, version: i64) -> PathBuf {
        self.disk.path().join(format!("silver/t/_delta_log/{version:020}.json"))
    }

    /// Rows in a file of that name, written by our writer under another one.
    pub(super) async fn file(&self, frame: LazyFrame, schema: &TableSchema, name: &str) -> i64 {
        let made = self.disk.lake.table("elsewhere").write(frame, schema).await.unwrap();
        let to = self.disk.path().join("silver/t").join(name);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::rename(self.disk.path().join("elsewhere").join(made[0].path()), &to).unwrap();
        i64::try_from(std::fs::metadata(to).unwrap().len()).unwrap()
    }

    async fn refused(&self) -> String {
        match self.table.snapshot().await {
            Err(Error::Unreadable { table, what }) => format!("{table}: {what}"),
            other => panic!("{:?}", other.map(|s| s.map(|s| s.version()))),
        }
    }
}

pub(super) fn protocol(features: &[&str]) -> Value {
    if features.is_empty() {
        return json!({ "protocol": { "minReaderVersion": 1, "minWriterVersion": 2 } });
    }
    json!({ "protocol": {
        "minReaderVersion": 3, "minWriterVersion": 7, "readerFeatures": features, "writerFeatures": features,
    }})
}

pub(super) fn metadata(fields: &Value, partition_by: &[&str], configuration: &Value) -> Value {
    json!({ "metaData": {
        "id": "5fba94ed-9794-4965-ba6e-6ee3c0d22af9", "format": { "provider": "parquet", "options": {} },
        "schemaString": json!({ "type": "struct", "fields": fields }).to_string(),
        "partitionColumns": partition_by, "configuration": configuration, "createdTime": 1,
    }})
}

pub(super) fn field(name: &str, ty: &Value) -> Value {
    json!({ "name": name, "type": ty, "nullable": true, "metadata": {} })
}

pub(super) fn add(path: &str, size: i64, values: &Value) -> Value {
    json!({ "add": { "path": path, "size": size, "partitionValues": values, "modificationTime": 1, "dataChange": true }})
}

fn plain() -> Value {
    json!([field("a", &json!("long"))])
}

#[tokio::test(flavor = "multi_thread")]
async fn names_in_the_log_are_percent_encoded_once() {
    let foreign = Foreign::new();
    let one = foreign.file(rows(&[1]), &numbers(), "a b%20é#?[x].parquet").await;
    let two = foreign.file(rows(&[2]), &numbers(), "p=100%25/ü.parquet").await;
    let encoded = "a%20b%2520%C3%A9%23%3F%5Bx%5D.parquet";
    let adds = [add(encoded, one, &json!({})), add("p=100%2525/%C3%BC.parquet", two, &json!({}))];
    foreign.commit(0, &[&[protocol(&[]), metadata(&plain(), &[], &json!({}))], &adds[..]].concat());
    let snapshot = now(&foreign.table).await;
    assert_eq!(values(&snapshot).await, [1, 2]);

    let change = Change { removes: snapshot.files().to_vec(), ..appended(&foreign.table, &[3]).await };
    foreign.table.commit(&snapshot, change).await.unwrap();
    assert_eq!(values(&now(&foreign.table).await).await, [3], "removed by the very name");
}

#[tokio::test(flavor = "multi_thread")]
async fn partition_values_come_from_the_log_and_not_from_the_path() {
    let foreign = Foreign::new();
    let size = foreign.file(rows(&[1]), &numbers(), "p=7/q=x/f.parquet").await;
    let fields = json!([field("p", &json!("integer")), field("a", &json!("long")), field("q", &json!("string"))]);
    let add = add("p=7/q=x/f.parquet", size, &json!({ "p": "8", "q": "" }));
    foreign.commit(0, &[protocol(&[]), metadata(&fields, &["p", "q"], &json!({})), add]);
    let frame = collect(now(&foreign.table).await.scan().unwrap()).await;
    let expected = df!("p" => [8i32], "a" => [1i64], "q" => [None::<&str>]).unwrap();
    assert!(frame.equals_missing(&expected), "{frame}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partition_value_of_another_type_is_refused() {
    let foreign = Foreign::new();
    let size = foreign.file(rows(&[1]), &numbers(), "f.parquet").await;
    let fields = json!([field("p", &json!("date")), field("a", &json!("long"))]);
    let add = add("f.parquet", size, &json!({ "p": "yesterday" }));
    foreign.commit(0, &[protocol(&[]), metadata(&fields, &["p"], &json!({})), add]);
    let refused = foreign.refused().await;
    assert!(refused.contains("yesterday"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_outside_the_table_are_not_followed() {
    for path in ["../secret.parquet", "x/%2e%2e/%2e%2e/secret.parquet", "/etc/passwd", "file:///etc/passwd", "s3://b/x"]
    {
        let foreign = Foreign::new();
        foreign.commit(0, &[protocol(&[]), metadata(&plain(), &[], &json!({})), add(path, 1, &json!({}))]);
        let refused = foreign.refused().await;
        assert!(refused.contains("outside the table's folder"), "{path}: {refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_rightly_is_refused_by_name() {
    let map = json!({ "type": "map", "keyType": "string", "valueType": "long", "valueContainsNull": true });
    let mapped = json!([{ "name": "a", "type": "long", "nullable": true,
        "metadata": { "delta.columnMapping.id": 1, "delta.columnMapping.physicalName": "c1" } }]);
    let name_mode = json!({ "delta.columnMapping.mode": "name" });
    let cases = [
        (protocol(&["columnMapping"]), metadata(&mapped, &[], &name_mode), "column mapping"),
        (protocol(&["timestampNtz"]), metadata(&json!([field("t", &json!("timestamp_ntz"))]), &[], &json!({})), "`t`"),
        (protocol(&[]), metadata(&json!([field("m", &map)]), &[], &json!({})), "`m`"),
        (protocol(&["catalogManaged"]), metadata(&plain(), &[], &json!({})), "atalog"),
        (protocol(&["somethingNew"]), metadata(&plain(), &[], &json!({})), "somethingNew"),
    ];
    for (protocol, metadata, word) in cases {
        let foreign = Foreign::new();
        foreign.commit(0, &[protocol, metadata]);
        let refused = foreign.refused().await;
        assert!(refused.starts_with("silver/t: ") && refused.contains(word), "{word}: {refused}");
    }
}

/// The example of the Delta protocol: rows 3, 4, 7, 11, 18 and 29.
const INLINE_VECTOR: &str = "^Bg9^0rr910000000000iXQKl0rr91000f55c8Xg0@@D72lkbi5=-{L";

/// A table of one file with the rows 0 to 39, of which a deletion vector hides those of [`INLINE_VECTOR`].
pub(in crate::delta) async fn with_hidden_rows() -> (Disk, Table) {
    let foreign = Foreign::new();
    let size = foreign.file(rows(&(0..40).collect::<Vec<i64>>()), &numbers(), "f.parquet").await;
    let mut file = add("f.parquet", size, &json!({}));
    file["add"]["deletionVector"] =
        json!({ "storageType": "i", "pathOrInlineDv": INLINE_VECTOR, "sizeInBytes": 44, "cardinality": 6 });
    foreign.commit(0, &[protocol(&["deletionVectors"]), metadata(&plain(), &[], &json!({})), file]);
    (foreign.disk, foreign.table)
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_a_deletion_vector_hides_are_not_read() {
    let foreign = Foreign::new();
    let all: Vec<i64> = (0..40).collect();
    let size = foreign.file(rows(&all), &numbers(), "f.parquet").await;
    let other = foreign.file(rows(&[100]), &numbers(), "g.parquet").await;
    let mut first = add("f.parquet", size, &json!({}));
    first["add"]["stats"] = json!(json!({ "numRecords": 40 }).to_string());
    first["add"]["deletionVector"] =
        json!({ "storageType": "i", "pathOrInlineDv": INLINE_VECTOR, "sizeInBytes": 44, "cardinality": 6 });
    let metadata = metadata(&plain(), &[], &json!({ "delta.enableDeletionVectors": "true" }));
    foreign.commit(0, &[protocol(&["deletionVectors"]), metadata, first.clone(), add("g.parquet", other, &json!({}))]);
    let snapshot = now(&foreign.table).await;
    let mut expected: Vec<i64> = all.iter().copied().filter(|a| ![3, 4, 7, 11, 18, 29].contains(a)).collect();
    expected.push(100);
    assert_eq!(values(&snapshot).await, expected);
    let hidden = snapshot.files().iter().find(|file| file.has_deletion_vector()).unwrap();
    assert_eq!((hidden.rows(), hidden.id().1.is_some()), (Some(34), true));
    let positions = collect(snapshot.scan_with_position(snapshot.files()).unwrap()).await;
    let row: Vec<u32> = positions.column("__row").unwrap().u32().unwrap().iter().flatten().collect();
    assert_eq!((row[3], row[5], row[34]), (5, 8, 0), "{positions}");

    // a file goes with its vector
    let change = Change { removes: snapshot.files().to_vec(), ..appended(&foreign.table, &[7]).await };
    foreign.table.commit(&snapshot, change).await.unwrap();
    assert_eq!(values(&now(&foreign.table).await).await, [7]);

    first["add"]["deletionVector"]["cardinality"] = json!(5);
    foreign.commit(2, &[first]);
    assert!(foreign.refused().await.contains("hides 6 rows where the log says 5"));
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_that_nobody_would_check_stop_a_write() {
    let not_null = json!([{ "name": "a", "type": "long", "nullable": false, "metadata": {} }]);
    let invariant = json!([{ "name": "a", "type": "long", "nullable": true,
        "metadata": { "delta.invariants": "{\"expression\":{\"expression\":\"a > 0\"}}" } }]);
    for metadata in [
        metadata(&not_null, &[], &json!({})),
        metadata(&invariant, &[], &json!({})),
        metadata(&plain(), &[], &json!({ "delta.constraints.positive": "a > 0" })),
    ] {
        let foreign = Foreign::new();
        foreign.commit(0, &[protocol(&[]), metadata]);
        let base = now(&foreign.table).await;
        let result = foreign.table.commit(&base, appended(&foreign.table, &[1]).await).await;
        assert!(matches!(&result, Err(Error::Invalid { what, .. }) if what.contains("not enforced")), "{result:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn older_files_are_read_as_the_schema_is_now() {
    let foreign = Foreign::new();
    let small = schema(&[("a", Type::Int), ("gone", Type::String)]);
    let frame = df!("a" => [1i32], "gone" => ["x"]).unwrap().lazy();
    let size = foreign.file(frame, &small, "f.parquet").await;
    let fields = json!([field("b", &json!("string")), field("a", &json!("long"))]);
    foreign.commit(0, &[protocol(&[]), metadata(&fields, &[], &json!({})), add("f.parquet", size, &json!({}))]);
    let frame = collect(now(&foreign.table).await.scan().unwrap()).await;
    assert!(frame.equals_missing(&df!("b" => [None::<&str>], "a" => [1i64]).unwrap()), "{frame}");

    // what would lose something is no silent null
    let text = schema(&[("a", Type::String)]);
    let size = foreign.file(df!("a" => ["12x"]).unwrap().lazy(), &text, "g.parquet").await;
    foreign.commit(1, &[add("g.parquet", size, &json!({}))]);
    let scan = now(&foreign.table).await.scan().unwrap();
    let result = tokio::task::spawn_blocking(move || scan.collect_with_engine(Engine::Streaming)).await.unwrap();
    assert!(result.is_err());
}
