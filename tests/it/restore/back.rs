//! One table goes back, and the next run does again what came after.

use std::collections::BTreeMap;

use lakesmith::delta::{Change, Lake, Operation};
use serde_json::json;

use super::{all, assert_a_rebuild_changes_nothing, derive, events, lived, refused, restore, rows, told};
use crate::support::{Project, table};

#[test]
fn rows_refused_rows_and_watermark_go_back_together_and_the_next_run_does_the_rest_again() {
    let project = lived();
    let before = all(&project);
    let versions: Vec<_> = (0..3).map(|v| rows(&project, &format!("silver.events@{v}"))).collect();
    assert_eq!(refused(&project).len(), 3);

    let report = restore(&project, &["silver.events@0"]);
    let (action, version, note) = told(&report, "silver.events");
    assert_eq!((action.as_str(), version), ("restore", 3), "{report}");
    assert!(note.contains("version 0") && note.contains("2 rows; the next run does again"), "{note}");
    assert!(note.contains("2 batches of `bronze.events`"), "{note}");
    let expected = json!([{ "table": "bronze.events", "version": 0, "batch": 1 }]);
    assert_eq!(table(&report, "silver.events")["inputs"], expected);
    assert_eq!(rows(&project, "silver.events"), versions[0]);
    assert_eq!(refused(&project), ["events/1.csv:3"]);
    assert_eq!(project.json(&["status", "silver.events"], 0)["tables"][0]["quarantined"], 1);

    let report = project.run(0);
    let silver = table(&report, "silver.events");
    assert_eq!((&silver["action"], &silver["rows"]["read"]), (&json!("merge"), &json!(6)), "{silver}");
    assert_eq!(table(&report, "bronze.events")["action"], "none", "nothing is taken in twice");
    assert_eq!(all(&project), before);
    for (version, rows_then) in versions.iter().enumerate() {
        assert_eq!(&rows(&project, &format!("silver.events@{version}")), rows_then, "I6: version {version}");
    }
    assert_eq!(rows(&project, "silver.events@3"), versions[0]);
    assert_eq!(project.run(0)["status"], "unchanged");
    assert_a_rebuild_changes_nothing(&project);
}

#[test]
fn going_back_twice_changes_nothing_and_going_back_to_where_it_went_back_to_does() {
    let project = lived();
    restore(&project, &["silver.events@0"]);
    let before = project.lake_files();
    let again = restore(&project, &["silver.events@0"]);
    assert_eq!((&again["status"], told(&again, "silver.events").1), (&json!("unchanged"), 3));
    assert_eq!(project.lake_files(), before, "nothing is written");
    for newest in ["silver.events@3", "gold.totals@2"] {
        assert_eq!(restore(&project, &[newest])["status"], "unchanged", "{newest}");
    }
    assert_eq!(project.lake_files(), before);

    project.run(0);
    let newest = all(&project);
    // a version that is itself one that came back
    assert_eq!(told(&restore(&project, &["silver.events@3"]), "silver.events").1, 5);
    assert_eq!(rows(&project, "silver.events"), rows(&project, "silver.events@0"));
    // and forward again
    let (_, version, note) = told(&restore(&project, &["silver.events@2"]), "silver.events");
    assert!(version == 6 && note.contains("nothing came after it"), "{note}");
    assert_eq!(
        (rows(&project, "silver.events"), refused(&project)),
        (rows(&project, "silver.events@2"), newest.1.clone())
    );
    assert_eq!(table(&project.run(0), "silver.events")["action"], "none");
    assert_eq!(all(&project), newest);
    assert_a_rebuild_changes_nothing(&project);
}

#[test]
fn a_version_that_had_refused_nothing_comes_back_without_refused_rows() {
    let project = Project::small();
    project.write("landing/events/1.csv", "id,kind,amount,at\n1,a,1.00,\n");
    project.run(0);
    project.write("landing/events/2.csv", events(2));
    project.run(0);
    assert_eq!(refused(&project).len(), 1);
    restore(&project, &["silver.events@0"]);
    assert_eq!(refused(&project), [""; 0]);
    assert_eq!(project.value("SELECT count(*) FROM quarantine.events"), 0);
    project.run(0);
    assert_eq!(refused(&project), ["events/2.csv:3"]);
    assert_a_rebuild_changes_nothing(&project);
}

#[test]
fn the_next_run_rebuilds_by_todays_definition_where_it_is_another() {
    let project = lived();
    derive(&project, "id + 1");
    project.write("landing/events/4.csv", events(4));
    assert_eq!(table(&project.run(0), "silver.events")["action"], "rebuild");
    let before = project.query("SELECT * FROM silver.events ORDER BY id");

    let (_, _, note) = told(&restore(&project, &["silver.events@1"]), "silver.events");
    assert!(note.contains("the next run rebuilds it: its definition changed"), "{note}");
    let columns = rows(&project, "silver.events")[0].as_object().unwrap().len();
    assert_eq!(columns, before[0].as_object().unwrap().len() - 1, "the column is gone");
    let silver = project.json(&["history", "silver.events"], 0)["versions"][0].clone();
    assert_eq!((&silver["restored"], &silver["current"]), (&json!(1), &json!(false)));
    let report = project.run(0);
    assert_eq!(table(&report, "silver.events")["action"], "rebuild", "though it had left that definition before");
    assert_eq!(project.query("SELECT * FROM silver.events ORDER BY id"), before);
    assert_a_rebuild_changes_nothing(&project);
}

#[test]
fn whoever_goes_back_with_the_old_definition_goes_on_with_it() {
    let project = lived();
    let old = std::fs::read_to_string(project.path("layers/silver/events.yaml")).unwrap();
    derive(&project, "id + 1");
    project.run(0);
    project.write("layers/silver/events.yaml", old);
    let refused = table(&project.run(1), "silver.events")["error"].as_str().unwrap().to_owned();
    assert!(refused.contains("has left this definition"), "{refused}");
    restore(&project, &["silver.events@1"]);
    let report = project.run(0);
    let silver = table(&report, "silver.events");
    assert_eq!((&silver["action"], &silver["rows"]["read"]), (&json!("merge"), &json!(3)), "{silver}");
    assert_a_rebuild_changes_nothing(&project);
}

#[test]
fn a_table_without_key_in_partitions_goes_back() {
    let project = Project::small();
    project.write("schemas/events.odcs.yaml", CONTRACT_WITHOUT_KEY);
    project.write(
        "layers/silver/events.yaml",
        "from: bronze.events\ncontract: schemas/events.odcs.yaml\npartition_by: [kind]\n",
    );
    for file in 1..=3 {
        project.write(&format!("landing/events/{file}.csv"), events(file));
        project.run(0);
    }
    let before = all(&project);
    let then = rows(&project, "silver.events@1");
    restore(&project, &["silver.events@1"]);
    assert_eq!(rows(&project, "silver.events"), then);
    assert_eq!(table(&project.run(0), "silver.events")["action"], "append");
    assert_eq!(all(&project), before);

    // to a version that had other partitions
    project.write("layers/silver/events.yaml", "from: bronze.events\ncontract: schemas/events.odcs.yaml\n");
    project.run(0);
    restore(&project, &["silver.events@1"]);
    assert_eq!(rows(&project, "silver.events"), then);
    project.run(0);
    assert_eq!(all(&project), before);
}

const CONTRACT_WITHOUT_KEY: &str = r#"apiVersion: v3.1.0
kind: DataContract
id: events
version: 1.0.0
status: active
schema:
  - name: events
    logicalType: object
    properties:
      - { name: id, logicalType: integer, physicalType: bigint }
      - { name: kind, logicalType: string }
      - { name: amount, logicalType: number, physicalType: "decimal(12,2)" }
      - { name: at, logicalType: timestamp }
"#;

#[test]
fn what_other_writers_did_after_a_version_goes_and_what_they_did_before_stays() {
    let project = lived();
    let expected = rows(&project, "silver.events@1");
    delete_all(&project, "silver/events");
    assert_eq!(rows(&project, "silver.events").len(), 0);
    restore(&project, &["silver.events@1"]);
    assert_eq!(rows(&project, "silver.events"), expected);
    project.run(0);
    assert_a_rebuild_changes_nothing(&project);

    delete_all(&project, "gold/totals");
    let newest = project.json(&["history", "gold.totals"], 0)["versions"][0]["version"].as_i64().unwrap();
    project.write("landing/events/4.csv", events(4));
    project.run(0);
    restore(&project, &[&format!("gold.totals@{newest}")]);
    assert_eq!(rows(&project, "gold.totals").len(), 0);
    assert_eq!(table(&project.run(0), "gold.totals")["action"], "merge");
}

/// As another engine does it.
fn delete_all(project: &Project, folder: &str) {
    let lake = Lake::open(project.path("lake").to_str().unwrap(), &BTreeMap::new()).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let table = lake.table(folder);
        let base = table.snapshot().await.unwrap().unwrap();
        let change = Change { removes: base.files().to_vec(), operation: Operation::Delete, ..Change::default() };
        table.commit(&base, change).await.unwrap();
    });
}

#[test]
fn settings_of_the_log_and_pins_stay_as_they_are() {
    let project = lived();
    let lake = Lake::open(project.path("lake").to_str().unwrap(), &BTreeMap::new()).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let properties = || {
        let table = lake.table("silver/events");
        runtime.block_on(async move { table.snapshot().await.unwrap().unwrap().properties().clone() })
    };
    let set = [("lakesmith.pins", "{}"), ("delta.deletedFileRetentionDuration", "interval 7 days"), ("some.note", "x")];
    runtime.block_on(async {
        let table = lake.table("silver/events");
        let base = table.snapshot().await.unwrap().unwrap();
        let properties = set.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
        table
            .commit(&base, Change { properties, operation: Operation::SetProperties, ..Change::default() })
            .await
            .unwrap();
    });
    restore(&project, &["silver.events@0"]);
    let now = properties();
    let found = set.map(|(key, _)| now.get(key).map(String::as_str));
    assert_eq!(found, [Some("{}"), Some("interval 7 days"), None]);
    assert!(now.contains_key("lakesmith.definition") && now.contains_key("delta.dataSkippingStatsColumns"), "{now:?}");
}
