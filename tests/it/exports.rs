//! Full exports: nearly all rows come again as they are, and are told before they are written.

use serde_json::json;

use crate::support::{Project, assert_accounted, table};

/// Rows of `id,kind`; each export is as of a day.
fn export(rows: &[(i64, &str)]) -> String {
    let row = |(id, kind): &(i64, &str)| format!("{id},{kind},1.00,2026-01-01T00:00:00Z\n");
    "id,kind,amount,at\n".to_owned() + &rows.iter().map(row).collect::<String>()
}

/// What a run says of silver, and of what was not written; I3 and the rebuild hold.
fn ran(project: &Project) -> (serde_json::Value, Option<String>) {
    let said = project.lakesmith(&["-vv", "run", "--json"]);
    assert_eq!(said.code, 0, "{said:?}");
    let report: serde_json::Value = serde_json::from_str(&said.stdout).unwrap();
    assert_accounted(&report);
    assert_eq!(project.lakesmith(&["verify"]).code, 0);
    let mut rows = table(&report, "silver.events")["rows"].clone();
    rows.as_object_mut().unwrap().retain(|_, count| *count != 0);
    let told = said.stderr.lines().find_map(|line| line.split_once("stand there already"));
    (rows, told.map(|(_, counts)| counts.trim().to_owned()))
}

#[test]
fn rows_that_stand_there_already_are_not_written() {
    let project = Project::small();
    project.write("landing/events/1.csv", export(&(0..20).map(|id| (id, "a")).collect::<Vec<_>>()));
    assert_eq!(ran(&project), (json!({ "read": 20, "inserted": 20 }), None));

    let day: Vec<_> = (1..22).map(|id| (id, if id == 7 { "b" } else { "a" })).collect();
    project.write("landing/events/2.csv", export(&day));
    let (rows, told) = ran(&project);
    assert_eq!(rows, json!({ "read": 21, "inserted": 2, "updated": 1, "unchanged": 18 }));
    assert!(told.unwrap().contains("unchanged=18 superseded=0"));

    // a few rows: to read all that stands there would cost more than it saves
    project.write("landing/events/3.csv", export(&[(1, "a"), (2, "c")]));
    let (rows, told) = ran(&project);
    assert_eq!((rows, told), (json!({ "read": 2, "updated": 1, "unchanged": 1 }), None));
    assert_eq!(project.value("SELECT count(*) FROM silver.events"), 22);
}

/// As many rows as stand there, all of them new: to read the table would be in vain.
#[test]
fn a_table_that_cannot_hold_what_comes_is_not_read() {
    let project = Project::small();
    let days = [0..20, 100..130, 200..260].map(|ids| ids.map(|id| (id, "a")).collect::<Vec<_>>());
    for (day, rows) in days.iter().enumerate() {
        project.write(&format!("landing/events/{day}.csv"), export(rows));
        assert_eq!(ran(&project), (json!({ "read": rows.len(), "inserted": rows.len() }), None));
    }
    // only one that comes may be there
    let mut rows: Vec<_> = (300..400).map(|id| (id, "a")).collect();
    rows[50].0 = 250;
    project.write("landing/events/4.csv", export(&rows));
    let (rows, told) = ran(&project);
    assert_eq!(rows, json!({ "read": 100, "inserted": 99, "unchanged": 1 }));
    assert!(told.unwrap().contains("unchanged=1 superseded=0"));
}

/// A backlog: what changed from one export to the next comes both ways, as it stands there and otherwise.
#[test]
fn of_several_exports_at_once_the_last_one_holds() {
    let project = Project::small();
    let silver = "from: bronze.events\ncontract: schemas/events.odcs.yaml\nkey: [id]\nlatest_by: [at]\n";
    project.write("layers/silver/events.yaml", format!("{silver}steps:\n  - where: kind <> 'gone'\n"));
    let base: Vec<_> = (0..30).map(|id| (id, "a")).collect();
    project.write("landing/events/1.csv", export(&base));
    ran(&project);

    let with = |changes: &[(usize, &'static str)]| {
        let mut rows = base.clone();
        changes.iter().for_each(|&(id, kind)| rows[id].1 = kind);
        export(&rows)
    };
    // 1 changes late, 2 changes and changes back, 3 early; 4 is filtered out once, 5 refused once
    project.write("landing/events/2.csv", with(&[(2, "b"), (3, "b"), (4, "gone")]));
    let refused = with(&[(1, "c"), (3, "b")]).replace("\n5,a,1.00", "\n5,a,much");
    project.write("landing/events/3.csv", refused);
    let (rows, told) = ran(&project);
    let expected =
        json!({ "read": 60, "updated": 2, "unchanged": 28, "superseded": 28, "filtered": 1, "quarantined": 1 });
    assert_eq!(rows, expected);
    assert!(told.unwrap().contains("unchanged=27 superseded=25"), "but for those of 1, 2 and 3");
    let kinds = project.query("SELECT id, kind FROM silver.events WHERE kind <> 'a' ORDER BY id");
    assert_eq!(kinds, [json!({ "id": 1, "kind": "c" }), json!({ "id": 3, "kind": "b" })]);
}
