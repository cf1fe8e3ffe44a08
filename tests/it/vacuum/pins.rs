//! Names for versions.

use serde_json::json;

use super::*;
use crate::support::Said;

fn pinned(project: &Project) -> Vec<(String, String, i64)> {
    let pins = project.json(&["pin"], 0)["pins"].as_array().unwrap().clone();
    let text = |pin: &Value, key: &str| pin[key].as_str().unwrap().to_owned();
    pins.iter().map(|pin| (text(pin, "table"), text(pin, "name"), pin["version"].as_i64().unwrap())).collect()
}

#[test]
fn a_pinned_version_and_its_quarantine_outlive_every_vacuum() {
    let project = grown();
    let (rows, refused) = (silver(&project, 1), project.query("SELECT _row FROM quarantine.events"));
    assert_eq!(refused.len(), 1);
    project.json(&["pin", "silver.events@1", "--as", "before-fix"], 0);
    // a definition that takes what was refused, so that the quarantine is empty now
    let contract = std::fs::read_to_string(project.path("schemas/events.odcs.yaml")).unwrap();
    let lenient = contract
        .replace("logicalType: integer, physicalType: bigint, required: true", "logicalType: string, required: true");
    project.write("schemas/events.odcs.yaml", lenient);
    project.run(0);
    assert_eq!(project.query("SELECT _row FROM quarantine.events"), Vec::<Value>::new());
    pass(&project, 100);

    let forced = ["vacuum", "--retain", "0s", "--force", "--yes"];
    let report = project.json(&forced, 0);
    let told = table(&report, "silver.events");
    assert_eq!(told["kept"][0], json!({ "version": 1, "why": "pin", "by": "before-fix" }), "{told}");
    let told = table(&report, "quarantine.events");
    assert_eq!(told["kept"][0], json!({ "version": 0, "why": "silver", "by": "silver.events@1" }), "{told}");
    assert_eq!(silver(&project, 1), rows);
    assert_eq!(project.query("SELECT _row FROM quarantine.\"events@0\""), refused);
    assert_eq!(project.lakesmith(&["show", "silver.events@0"]).code, 1, "nothing keeps it");

    project.json(&["unpin", "silver.events", "before-fix"], 0);
    let report = project.json(&forced, 0);
    assert!(table(&report, "silver.events")["files"].as_u64().unwrap() > 0);
    assert!(table(&report, "quarantine.events")["files"].as_u64().unwrap() > 0);
    assert_eq!(project.lakesmith(&["show", "silver.events@1"]).code, 1);
}

#[test]
fn a_pin_is_a_commit_of_the_table_that_changes_no_row() {
    let project = grown();
    let rows = silver(&project, 3);
    let answer = project.json(&["pin", "silver.events", "--as", "q1"], 0);
    assert_eq!((&answer["version"], &answer["written"]), (&json!(3), &json!(true)));
    assert_eq!(pinned(&project), [("silver.events".into(), "q1".into(), 3)]);
    assert_eq!(silver(&project, 4), rows);
    let past = project.json(&["history", "silver.events"], 0)["versions"].clone();
    assert_eq!((&past[0]["action"], &past[0]["foreign"]), (&json!("pin"), &json!(false)));
    assert_eq!(past[1]["pins"], json!(["q1"]));
    let status = project.json(&["status", "silver.events"], 0)["tables"][0].clone();
    assert_eq!((&status["pins"], &status["foreign_writes"]), (&json!({ "q1": 3 }), &json!([])));

    // what stands below sees a version without news
    let report = project.run(0);
    assert_eq!(table(&report, "silver.events")["status"], "unchanged");
    let gold = table(&report, "gold.totals");
    assert!(gold["note"].as_str().unwrap().contains("whose rows are the same"), "{gold}");
    let files = project.lake_files();
    assert_eq!(project.run(0)["status"], "unchanged");
    assert_eq!(project.lake_files(), files, "a second run writes nothing (I7)");

    // the same again is nothing new
    assert_eq!(project.json(&["pin", "silver.events@3", "--as", "q1"], 0)["written"], false);
    assert_eq!(project.lake_files(), files);
}

#[test]
fn a_pin_on_bronze_makes_nothing_below_run() {
    let project = grown();
    project.json(&["pin", "bronze.events@2", "--as", "third"], 0);
    assert_eq!(project.run(0)["status"], "unchanged");
    project.write("landing/events/9.csv", events(&["9,c,9.00"]));
    project.run(0);
    assert_eq!(project.value("SELECT count(*) FROM silver.events"), 5);
    assert_eq!(pinned(&project), [("bronze.events".into(), "third".into(), 2)]);
}

#[test]
fn pins_stay_through_rebuilds() {
    let project = grown();
    project.json(&["pin", "silver.events@2", "--as", "third"], 0);
    project.json(&["rebuild", "silver.events+", "--yes"], 0);
    assert_eq!(pinned(&project), [("silver.events".into(), "third".into(), 2)]);
    assert_eq!(project.run(0)["status"], "unchanged");
}

#[test]
fn a_name_stands_wherever_a_version_can() {
    let project = grown();
    project.json(&["pin", "silver.events@0", "--as", "start"], 0);
    assert_eq!(project.json(&["show", "silver.events@start"], 0).as_array().unwrap().len(), 2);
    assert_eq!(project.value("SELECT max(amount) FROM silver.\"events@start\""), 1.0);
    for args in [&["show", "silver.events@begin"][..], &["query", "SELECT * FROM silver.\"events@begin\""]] {
        let said = project.lakesmith(args);
        assert!(
            said.code == 2 && said.stderr.contains("`@begin` is no version") && said.stderr.contains("of a pin: start"),
            "{said:?}"
        );
    }
}

#[test]
fn what_cannot_be_pinned_is_refused() {
    let project = grown();
    project.json(&["pin", "silver.events@1", "--as", "one"], 0);
    let before = project.lake_files();
    let refused = |args: &[&str], code, why: &str| {
        let Said { code: found, stderr, .. } = project.lakesmith(args);
        assert!(found == code && stderr.contains(why), "{args:?}: {found} {stderr}");
    };
    refused(&["pin", "silver.events@2", "--as", "one"], 2, "`one` is already the name of `silver.events@1`");
    refused(&["pin", "silver.events@1", "--as", "ONE"], 2, "`one` is already the name");
    refused(&["pin", "silver.events@1", "--as", "12"], 2, "`12` is no name for a pin");
    refused(&["pin", "silver.events@99", "--as", "late"], 1, "there is no version 99");
    refused(&["pin", "silver.event", "--as", "x"], 2, "did you mean `silver.events`?");
    refused(&["pin", "silver.events@1"], 2, "--as");
    refused(&["unpin", "silver.events", "two"], 2, "has no pin `two`; it has `one`");
    refused(&["unpin", "gold.totals", "one"], 2, "it has none");
    assert_eq!(project.lake_files(), before);
}
