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
        "id,kind,amount,at\n1,a,101.50,2026-01-02T00:00:00Z\n5,b,3.00,2026-01-03T00:00:00Z\n7,z,x,\n",
    );
    project.run(0);
    project
}

#[test]
fn between_two_versions() {
    let project = twice();
    assert_seen!(&project, &["diff", "silver.events@0", "@1"], @r"
    exit 0
    silver.events: version 0 ([WHEN             ]) → version 1 ([WHEN             ]), by id
     rows before   after   added   removed   changed
    ─────────────────────────────────────────────────
               2       3       1         0         1

     column   changed
    ──────────────────
     amount         1
     at             1

     sum of   difference
    ─────────────────────
     amount      +103.40

    changed:
     id   column   before                 after
    ───────────────────────────────────────────────────────────
      1   amount   1.10                   101.50
          at       2026-01-01T00:00:00Z   2026-01-02T00:00:00Z

    added:
     id   kind   amount   at
    ───────────────────────────────────────────
      5   b        3.00   2026-01-03T00:00:00Z
    --- stderr
    read 3 of 3 files, [BYTES]
    ");
    assert_seen!(&project, &["diff", "gold.totals@1", "gold.totals@0", "-n", "0", "--totals"], @r"
    exit 0
    gold.totals: version 1 ([WHEN             ]) → version 0 ([WHEN             ]), by kind
     rows before   after   added   removed   changed
    ─────────────────────────────────────────────────
               2       2       0         0         2

     column   changed
    ──────────────────
     events         1
     amount         2

     sum of   before   after   difference
    ──────────────────────────────────────
     events        3       2           -1
     amount   106.80    3.40      -103.40
    --- stderr
    read 2 of 2 files, [BYTES]
    ");
    assert_seen!(&project, &["diff", "bronze.events", "-n", "1"], @r"
    exit 0
    bronze.events: version 0 ([WHEN             ]) → version 1 ([WHEN             ]), rows as a whole
     rows before   after   added   removed
    ───────────────────────────────────────
               5       8       3         0

    added, the first 1 of 3:
     _batch   _source_file   _source_row   _ingested_at                  _malformed   id   kind   amount   at
    ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
          2   events/2.csv             1   [WHEN                    ]   NULL         1    a      101.50   2026-01-02T00:00:00Z
    --- stderr
    read 1 of 2 files, [BYTES]
    ");
    assert_seen!(&project, &["diff", "quarantine.events@0"], @r#"
    exit 0
    quarantine.events: version 0 ([WHEN             ]) → version 1 ([WHEN             ]), by _batch, _source_table, _source_file, _source_row
     rows before   after   added   removed   changed
    ─────────────────────────────────────────────────
               2       3       1         0         0

    added:
     _batch   _source_table   _source_file   _source_row   _reasons                                          _row
    ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
          2   bronze.events   events/2.csv             3   [{"column":"amount","rule":"type","value":"x"}]   {"id":"7","kind":"z","amount":"x","at":""}
    --- stderr
    read 1 of 2 files, [BYTES]
    "#);
    assert_seen!(&project, &["diff", "silver.events@1", "--exit-code", "-q"], @r"
    exit 0
    silver.events: version 1 ([WHEN             ]) → version 1 ([WHEN             ]), by id
    no difference in 3 rows
    --- stderr
    ");
    assert_eq!(project.lakesmith(&["diff", "silver.events@0", "--exit-code"]).code, 1);
}

#[test]
fn between_two_environments() {
    let project = twice();
    assert_seen!(&project, &["diff", "silver.events", "--env", "prod", "dev", "-n", "1"], @r"
    exit 0
    silver.events: prod version 0 ([WHEN             ]) → dev version 1 ([WHEN             ]), by id
     rows before   after   added   removed   changed
    ─────────────────────────────────────────────────
               2       3       1         0         1

     column   changed
    ──────────────────
     amount         1
     at             1

     sum of   difference
    ─────────────────────
     amount      +103.40

    changed:
     id   column   before                 after
    ───────────────────────────────────────────────────────────
      1   amount   1.10                   101.50
          at       2026-01-01T00:00:00Z   2026-01-02T00:00:00Z

    added:
     id   kind   amount   at
    ───────────────────────────────────────────
      5   b        3.00   2026-01-03T00:00:00Z
    --- stderr
    read 3 of 3 files, [BYTES]
    ");
    assert_seen!(&project, &["diff", "silver.events@0", "prod"], @r"
    exit 0
    silver.events: dev version 0 ([WHEN             ]) → prod version 0 ([WHEN             ]), by id
    no difference in 2 rows
    --- stderr
    read 2 of 2 files, [BYTES]
    ");
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
    assert_seen!(&project, &["diff", "silver.events"], @r"
    exit 0
    silver.events: version 1 ([WHEN             ]) → version 2 ([WHEN             ]), by id
     rows before   after   added   removed   changed
    ─────────────────────────────────────────────────
               3       2       0         1         2

     column   changed   type
    ───────────────────────────────────────
     vat            2   new: decimal(14,3)

     sum of   difference
    ─────────────────────
     amount        -2.30
     vat         +20.900

    changed:
     id   column   before   after
    ───────────────────────────────
      1   vat               20.300
      5   vat               0.600

    removed:
     id   kind   amount   at
    ───────────────────────────────────────────
      2   b        2.30   2026-01-02T00:00:00Z
    --- stderr
    read 3 of 3 files, [BYTES]
    ");
    let diff = project.json(&["diff", "silver.events@1"], 0);
    assert_eq!(diff["rows"], serde_json::json!({ "before": 3, "after": 2, "added": 0, "removed": 1, "changed": 2 }));
    assert_eq!((&diff["key"], &diff["from"]["version"]), (&serde_json::json!(["id"]), &1.into()));
    assert_eq!(diff["left_out"], serde_json::json!(["_batch", "_source_file", "_source_row"]));
    let vat = serde_json::json!({ "name": "vat", "changed": 2, "was": null, "is": "decimal(14,3)", "compared": true });
    assert!(diff["columns"].as_array().unwrap().contains(&vat), "{diff}");
    let first = &diff["sample"][0];
    assert_eq!((&first["change"], &first["columns"]), (&"changed".into(), &serde_json::json!(["vat"])), "{diff}");
    assert_eq!((&first["after"]["vat"], first["before"].get("vat")), (&20.3.into(), None), "{diff}");
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
