//! Tables whose log another engine wrote, made by hand: their data files need not be Parquet, for a vacuum opens none.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use deltalake::kernel::DeletionVectorDescriptor;
use lakesmith::report::{VacuumReport, VacuumedTable};
use lakesmith::run::Vacuum;
use serde_json::json;

use super::*;

/// The id of a hand-made table.
pub fn id(folder: &str) -> String {
    format!("id-of-{folder}")
}

/// A table of a lake, its log written line by line.
pub struct ByHand {
    pub root: PathBuf,
    folder: &'static str,
}

impl ByHand {
    pub fn new(project: &Project, folder: &'static str) -> Self {
        let root = project.path("lake").join(folder);
        fs::create_dir_all(root.join("_delta_log")).unwrap();
        ByHand { root, folder }
    }

    /// A file of the table, as old as a year.
    pub fn file(&self, name: &str) {
        let path = self.root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "no rows").unwrap();
        set_modified(&path, SystemTime::now() - Duration::from_hours(365 * 24));
    }

    pub fn commit(&self, version: i64, at: DateTime<Utc>, actions: &[Value]) {
        let info = json!({ "commitInfo": { "timestamp": at.timestamp_millis(), "operation": "WRITE" } });
        let lines: Vec<String> = [info].iter().chain(actions).map(Value::to_string).collect();
        fs::write(self.root.join(format!("_delta_log/{version:020}.json")), lines.join("\n")).unwrap();
    }

    /// Protocol and metadata.
    pub fn head(&self, properties: &Value) -> Vec<Value> {
        let fields = json!([{ "name": "a", "type": "long", "nullable": true, "metadata": {} }]);
        let protocol = json!({ "protocol": { "minReaderVersion": 1, "minWriterVersion": 2 } });
        vec![protocol, self.metadata(&fields, properties)]
    }

    pub fn metadata(&self, fields: &Value, properties: &Value) -> Value {
        json!({ "metaData": {
            "id": id(self.folder), "format": { "provider": "parquet", "options": {} },
            "schemaString": json!({ "type": "struct", "fields": fields }).to_string(),
            "partitionColumns": [], "configuration": properties, "createdTime": 1,
        }})
    }

    pub fn names(&self) -> Vec<String> {
        let mut found = Vec::new();
        walk(&self.root, &mut found);
        let name = |path: &PathBuf| path.strip_prefix(&self.root).unwrap().to_str().unwrap().to_owned();
        found.iter().map(name).filter(|name| !name.starts_with("_delta_log")).collect()
    }
}

fn walk(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { walk(&path, found) } else { found.push(path) }
    }
    found.sort();
}

/// As the log spells a name.
fn encoded(name: &str) -> String {
    name.replace('%', "%25").replace(' ', "%20")
}

pub fn add(name: &str) -> Value {
    json!({ "add": { "path": encoded(name), "size": 7, "partitionValues": {}, "modificationTime": 1, "dataChange": true }})
}

pub fn remove(name: &str) -> Value {
    json!({ "remove": { "path": encoded(name), "deletionTimestamp": 1, "dataChange": true }})
}

/// What a vacuum at `now` does, through the library.
pub async fn vacuum(project: &Project, retain: TimeDelta, now: DateTime<Utc>) -> VacuumReport {
    let checked: Arc<lakesmith::project::Project> = crate::lake::load(project.root());
    let tables = checked.order.iter().cloned().collect();
    let retain = Some(retain.to_std().unwrap());
    let vacuum = Vacuum { project: checked, lake: lake(project), tables, records: true, retain, force: true, now };
    let shown = vacuum.survey().await.unwrap();
    vacuum.carry_out(&shown).await.unwrap()
}

fn of<'a>(report: &'a VacuumReport, table: &str) -> &'a VacuumedTable {
    report.tables.iter().find(|told| told.table == table).unwrap()
}

fn day(day: i64) -> DateTime<Utc> {
    Utc::now() + TimeDelta::days(day)
}

#[tokio::test(flavor = "multi_thread")]
async fn deletion_vectors_go_with_the_versions_that_name_them() {
    let project = Project::small();
    let table = ByHand::new(&project, "silver/events");
    // the example of the Delta protocol
    let (vector, stored) = ("ab^-aqEH.-t@S}K{vb[*k^", "ab/deletion_vector_d2c639aa-8816-431a-aaf6-d3fe2512ff61.bin");
    let descriptor =
        json!({ "storageType": "u", "pathOrInlineDv": vector, "offset": 4, "sizeInBytes": 40, "cardinality": 6 });
    assert!(serde_json::from_value::<DeletionVectorDescriptor>(descriptor.clone()).is_ok());
    ["f.parquet", "g.parquet", stored].iter().for_each(|name| table.file(name));
    let protocol = json!({ "protocol": { "minReaderVersion": 3, "minWriterVersion": 7,
        "readerFeatures": ["deletionVectors"], "writerFeatures": ["deletionVectors"] } });
    table.commit(0, day(-50), &[protocol, table.head(&json!({}))[1].clone(), add("f.parquet")]);
    let mut hidden = add("f.parquet");
    hidden["add"]["deletionVector"] = descriptor.clone();
    table.commit(1, day(-40), &[remove("f.parquet"), hidden]);
    let mut gone = remove("f.parquet");
    gone["remove"]["deletionVector"] = descriptor;
    table.commit(2, day(-20), &[gone, add("g.parquet")]);

    let report = vacuum(&project, TimeDelta::days(30), Utc::now()).await;
    assert_eq!((of(&report, "silver.events").files, of(&report, "silver.events").oldest), (0, Some(0)), "{report:?}");
    let report = vacuum(&project, TimeDelta::days(10), Utc::now()).await;
    assert_eq!((of(&report, "silver.events").files, of(&report, "silver.events").oldest), (2, Some(2)), "{report:?}");
    assert_eq!(table.names(), ["g.parquet"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_in_the_log_never_leads_to_a_deletion_outside() {
    let project = Project::small();
    let table = ByHand::new(&project, "silver/events");
    let other = ByHand::new(&project, "silver/other");
    ["secret.parquet", "linked/secret.parquet"].iter().for_each(|name| other.file(name));
    ["f.parquet", "g.parquet", "secret.parquet"].iter().for_each(|name| table.file(name));
    std::os::unix::fs::symlink(other.root.join("linked"), table.root.join("p=1")).unwrap();
    let absolute = other.root.join("secret.parquet").display().to_string();
    let outside = ["../other/secret.parquet", absolute.as_str(), "../../bronze/x.parquet"];
    let (adds, removes): (Vec<_>, Vec<_>) = outside.iter().map(|name| (add(name), remove(name))).unzip();
    table.commit(
        0,
        day(-50),
        &[&table.head(&json!({}))[..], &[add("f.parquet"), add("p=1/secret.parquet")], &adds].concat(),
    );
    table.commit(
        1,
        day(-40),
        &[&[remove("f.parquet"), remove("p=1/secret.parquet"), add("g.parquet")], &removes[..]].concat(),
    );
    let report = vacuum(&project, TimeDelta::days(1), Utc::now()).await;
    let told = of(&report, "silver.events");
    assert_eq!(told.delete.iter().map(|file| file.path.as_str()).collect::<Vec<_>>(), ["f.parquet"], "{told:?}");
    assert_eq!(other.names(), ["linked/secret.parquet", "secret.parquet"]);
    assert_eq!(told.unknown, 0, "a name that the log also has elsewhere is needed");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_log_was_cleaned_up_what_it_does_not_name_stays_until_the_span_is_told() {
    let project = Project::small();
    let table = ByHand::new(&project, "silver/events");
    for (version, days) in [(0, -50), (1, -40), (2, -20), (3, -5)] {
        table.file(&format!("{version}.parquet"));
        let head =
            if version == 0 { table.head(&json!({})) } else { vec![remove(&format!("{}.parquet", version - 1))] };
        table.commit(version, day(days), &[&head[..], &[add(&format!("{version}.parquet"))]].concat());
    }
    let opened = deltalake::open_table_with_version(url(&table.root), 2).await.unwrap();
    deltalake::checkpoints::create_checkpoint(&opened, None).await.unwrap();
    for version in 0..=2 {
        fs::remove_file(table.root.join(format!("_delta_log/{version:020}.json"))).unwrap();
    }
    let report = vacuum(&project, TimeDelta::days(30), Utc::now()).await;
    let told = of(&report, "silver.events");
    assert_eq!((told.files, told.unnamed, told.oldest), (0, 2, Some(2)), "{told:?}");
    assert_eq!(told.error, None);
    let report = vacuum(&project, TimeDelta::days(1), Utc::now()).await;
    assert_eq!(of(&report, "silver.events").files, 3, "the newest version is all that counts, and the log tells of it");
    assert_eq!(table.names(), ["3.parquet"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pin_that_the_log_lost_stops_the_vacuum_of_its_table() {
    let project = Project::small();
    let table = ByHand::new(&project, "silver/events");
    let pins =
        json!({ "lakesmith.pins": json!({ "gone": { "version": 0, "at": "2026-01-01T00:00:00Z" } }).to_string() });
    for version in 0..=2 {
        table.file(&format!("{version}.parquet"));
        let head = if version == 0 { table.head(&pins) } else { vec![remove(&format!("{}.parquet", version - 1))] };
        table.commit(version, day(version - 90), &[&head[..], &[add(&format!("{version}.parquet"))]].concat());
    }
    let opened = deltalake::open_table_with_version(url(&table.root), 1).await.unwrap();
    deltalake::checkpoints::create_checkpoint(&opened, None).await.unwrap();
    fs::remove_file(table.root.join(format!("_delta_log/{:020}.json", 0))).unwrap();
    let report = vacuum(&project, TimeDelta::days(1), Utc::now()).await;
    let error = of(&report, "silver.events").error.clone().unwrap();
    assert!(error.contains("the log no longer has all of version 0, which the pin `gone` keeps"), "{error}");
    assert_eq!(table.names().len(), 3);
}

fn url(root: &Path) -> url::Url {
    url::Url::from_directory_path(root.canonicalize().unwrap()).unwrap()
}
