//! How a table differs, as people and scripts see it.

use super::{MIXED, seen};
use crate::support::Project;

/// Two environments: in `prod` the first file alone was taken in.
fn twice() -> Project {
    let project = Project::small();
    let settings = std::fs::read_to_string(project.path("lakesmith.yaml")).unwrap();
    project.write("lakesmith.yaml", format!("{settings}  prod: {{ lake: ./prod, landing: ./landing }}\n"));
    project.write("landing/events/1.csv", MIXED);
    project.run(0);
    assert_eq!(project.lakesmith(&["run", "--env", "prod", "-q"]).code, 0);
    project.write(
        "landing/events/2.csv",
        "id,kind,amount,at\n1,a,1.50,2026-01-02T00:00:00Z\n5,b,3.00,2026-01-03T00:00:00Z\n7,z,x,\n",
    );
    project.run(0);
    project
}

#[test]
fn between_two_versions() {
    let project = twice();
    assert_seen!(&project, &["diff", "silver.events@0", "@1"], @r"");
    assert_seen!(&project, &["diff", "gold.totals@1", "gold.totals@0", "-n", "0", "--totals"], @r"");
    assert_seen!(&project, &["diff", "bronze.events", "-n", "1"], @r"");
    assert_seen!(&project, &["diff", "quarantine.events@0"], @r"");
    assert_seen!(&project, &["diff", "silver.events@1", "--exit-code", "-q"], @r"");
    assert_eq!(project.lakesmith(&["diff", "silver.events@0", "--exit-code"]).code, 1);
}

#[test]
fn between_two_environments() {
    let project = twice();
    assert_seen!(&project, &["diff", "silver.events", "--env", "prod", "dev", "-n", "1"], @r"");
    assert_seen!(&project, &["diff", "silver.events@0", "prod"], @r"");
    let bronze = project.json(&["diff", "bronze.events@0", "prod"], 0);
    assert_eq!((&bronze["rows"]["added"], &bronze["rows"]["removed"]), (&0.into(), &0.into()), "{bronze}");
}

#[test]
fn a_changed_definition() {
    let project = twice();
    let silver = std::fs::read_to_string(project.path("layers/silver/events.yaml")).unwrap();
    project.write(
        "layers/silver/events.yaml",
        format!("{silver}steps:\n  - derive: {{ vat: amount * 0.2 }}\n  - where: id <> 2\n"),
    );
    project.run(0);
    assert_seen!(&project, &["diff", "silver.events"], @r"");
    let diff = project.json(&["diff", "silver.events@1"], 0);
    assert_eq!(diff["rows"], serde_json::json!({ "before": 3, "after": 2, "added": 0, "removed": 1, "changed": 2 }));
    assert_eq!((&diff["key"], &diff["from"]["version"]), (&serde_json::json!(["id"]), &1.into()));
    assert_eq!(diff["left_out"], serde_json::json!(["_batch", "_source_file", "_source_row"]));
    let vat = serde_json::json!({ "name": "vat", "changed": 2, "was": null, "is": "decimal(14,3)", "compared": true });
    assert!(diff["columns"].as_array().unwrap().contains(&vat), "{diff}");
    let first = &diff["sample"][0];
    assert_eq!((&first["change"], &first["columns"]), (&"changed".into(), &serde_json::json!(["vat"])), "{diff}");
    assert_eq!((&first["after"]["vat"], first["before"].get("vat")), (&0.3.into(), None), "{diff}");
    assert_eq!(
        diff["totals"][0],
        serde_json::json!({ "name": "amount", "before": null, "after": null, "difference": -2.3 })
    );
}

#[test]
fn what_cannot_be_compared() {
    let project = twice();
    let said = |args: &[&str]| {
        let said = project.lakesmith(&[&["diff"], args].concat());
        (said.code, said.stderr.lines().next().unwrap_or_default().to_owned())
    };
    let cases: [(&[&str], i32, &str); 9] = [
        (&["silver.events@0", "gold.totals"], 2, "`silver.events` and `gold.totals` are two tables"),
        (&["silver.events@0", "quarantine.events"], 2, "`silver.events` and `quarantine.events` are two tables"),
        (&["silver.event@0"], 2, "there is no table `silver.event`"),
        (&["silver.events@x"], 2, "`@x` is no version"),
        (&["silver.events@9"], 1, "`silver.events`: there is no version 9; the newest is 1"),
        (&["silver.events@2020-01-01T00:00:00Z"], 1, "`silver.events`: the log holds no commit of 2020-01-01"),
        (&["silver.events", "production"], 2, "there is no environment `production`"),
        (&["silver.events", "--env", "prod"], 1, "`silver.events` has but one version"),
        (&["quarantine.totals"], 2, "there is no table `silver.totals`"),
    ];
    for (args, code, message) in cases {
        let said = said(args);
        assert!(said.0 == code && said.1.starts_with(&format!("error: {message}")), "{args:?}: {said:?}");
    }
    let log: Vec<_> = project.lake_files().into_iter().map(|(path, _)| path).collect();
    let removed = log.iter().find(|path| path.to_string_lossy().contains("silver/events/part-")).unwrap();
    std::fs::remove_file(removed).unwrap();
    let gone = said(&["silver.events@0"]);
    assert_eq!(gone.0, 1);
    assert!(
        gone.1.contains("`silver.events`: files were deleted, so what changed between versions 0 and 1"),
        "{gone:?}"
    );
}
