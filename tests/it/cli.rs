//! What people and scripts see of the command line.

use std::path::Path;

use serde_json::Value;

use crate::support::{Project, Said, table};

/// A good row, a row that a later one supersedes, one that does not fit the contract, one that is cut off.
const MIXED: &str = "id,kind,amount,at
1,a,1.10,2026-01-01T00:00:00Z
2,b,2.20,2026-01-01T00:00:00Z
2,b,2.30,2026-01-02T00:00:00Z
3,c,1.005,2026-01-01T00:00:00Z
4
";
/// No text, so no header can be read.
const BROKEN: &[u8] = b"\x00\xff\xfePNG";

/// The small project with rows of every fate and a file that cannot be read.
fn mixed() -> Project {
    let project = Project::small();
    project.write("landing/events/1.csv", MIXED);
    project.write("landing/events/broken.csv", BROKEN);
    project
}

/// The small project, whose one file was taken in.
fn made() -> Project {
    let project = Project::small();
    project.write("landing/events/1.csv", MIXED);
    project.run(0);
    project
}

/// Exit code, stdout and stderr; what differs from run to run is left out.
fn seen(project: &Project, args: &[&str]) -> String {
    let Said { code, stdout, stderr } = project.lakesmith(args);
    for line in stdout.lines() {
        assert!(!line.ends_with(' '), "{line:?}");
    }
    let root = project.root().display().to_string();
    format!("exit {code}\n{stdout}--- stderr\n{stderr}").replace(&root, "[DIR]")
}

macro_rules! assert_seen {
    ($project:expr, $args:expr, @$snapshot:literal) => {
        let filters = [
            (r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}", "[RUN]"),
            (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "[WHEN             ]"),
            (r"(?m) [ \d]\d\.\d\d$", "  [S]"),
            (r"[ \d]\d s ago", "[AGO]  "),
            (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", "[WHEN                    ]"),
            (r"[0-9a-f]{8} \(today's\)", "[HASH]   (today's)"),
        ];
        insta::with_settings!({ filters => filters }, {
            insta::assert_snapshot!(seen($project, $args), @$snapshot);
        });
    };
}

#[test]
fn init_writes_a_project_that_runs_at_once() {
    let project = Project::empty();
    assert_seen!(&project, &["init", "shop"], @r"
    exit 0
    wrote [DIR]/shop/lakesmith.yaml
    wrote [DIR]/shop/layers/bronze/customers.yaml
    wrote [DIR]/shop/layers/bronze/orders.yaml
    wrote [DIR]/shop/layers/silver/customers.yaml
    wrote [DIR]/shop/layers/silver/orders.yaml
    wrote [DIR]/shop/layers/gold/daily_revenue.yaml
    wrote [DIR]/shop/schemas/customers.odcs.yaml
    wrote [DIR]/shop/schemas/orders.odcs.yaml
    wrote [DIR]/shop/landing/customers/2026-01-01.ndjson
    wrote [DIR]/shop/landing/orders/2026-01-01.csv
    wrote [DIR]/shop/landing/orders/2026-01-02.csv
    wrote [DIR]/shop/.gitignore
    --- stderr
    Next: lakesmith -C [DIR]/shop run
    ");
    let shop = project.path("shop").display().to_string();
    let said = project.lakesmith(&["-C", &shop, "run"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.stdout.contains("gold.daily_revenue"), "{said:?}");
    assert_seen!(&project, &["init", "shop"], @r"
    exit 2
    --- stderr
    error: `[DIR]/shop/lakesmith.yaml` is there already; choose a new directory
    ");
}

#[test]
fn check() {
    assert_seen!(&mixed(), &["check"], @r"
    exit 0
    small: 3 tables, no faults
    --- stderr
    ");
}

#[test]
fn a_fault_has_place_and_hint() {
    let project = mixed();
    project.write("layers/gold/totals.yaml", "from: silver.event\nsteps:\n  - whre: true\n");
    assert_seen!(&project, &["check"], @r"
    exit 2
    --- stderr
    error: `gold.totals` reads `silver.event`, which is not defined
      --> layers/gold/totals.yaml:1:7
    hint: did you mean `silver.events`?
    error: `whre` is no step here
      --> layers/gold/totals.yaml:3:5
    hint: did you mean `where`?
    2 errors
    ");
    let told = project.json(&["check"], 2);
    assert_eq!(told["status"], "failed");
    let first = &told["errors"][0];
    assert_eq!((&first["file"], &first["line"]), (&"layers/gold/totals.yaml".into(), &1.into()));
    assert_eq!(first["hint"], "did you mean `silver.events`?");
}

#[test]
fn warnings_are_told_by_check_and_mentioned_by_run() {
    let project = mixed();
    let contract = std::fs::read_to_string(project.path("schemas/events.odcs.yaml")).unwrap();
    project.write(
        "schemas/events.odcs.yaml",
        contract.replace("name: kind, logicalType: string", "name: kind, logicalType: string, unique: true"),
    );
    assert_seen!(&project, &["check"], @r"
    exit 0
    small: 3 tables, no faults, 1 warning
    --- stderr
    warning: that `kind` is unique is not enforced
      --> schemas/events.odcs.yaml:11:44
    hint: only a `key` of this one column makes it so
    ");
    let said = project.lakesmith(&["run"]);
    assert!(said.stderr.contains("`check` has 1 warning"), "{said:?}");
}

#[test]
fn plan_run_and_run_again() {
    let project = mixed();
    assert_seen!(&project, &["plan"], @r"
    exit 0
     table           action         rows   why
    ─────────────────────────────────────────────────────────────────────────────────────────────────
     bronze.events   append                2 new files
     silver.events   merge                 `bronze.events` is about to change
     gold.totals     merge (full)          `silver.events` is about to change; there is no table yet

    bronze.events takes in:
      events/1.csv
      events/broken.csv
    --- stderr
    a run would write 3 of 3 tables
    ");
    assert_seen!(&project, &["run"], @r"
    exit 1
     table           action   version   rows                                       seconds
    ───────────────────────────────────────────────────────────────────────────────────────
     bronze.events   append         0   5 inserted from 1 file, 1 file set aside      [S]
     silver.events   merge          0   2 inserted, 1 superseded, 2 quarantined       [S]
     gold.totals     merge          0   2 inserted                                    [S]
    --- stderr
    error: `bronze.events`: 1 file is set aside
      events/broken.csv: the header is no text in the file's encoding; is `csv.encoding` right?
    hint: mend or remove what is set aside, or settle it: lakesmith -C [DIR] files --ignore events/broken.csv
    `silver.events` refused 2 rows; see: lakesmith -C [DIR] quarantine silver.events
    run [RUN]: 3 of 3 tables written, 1 file set aside
    ");
    assert_seen!(&project, &["run"], @r"
    exit 1
     table           action   version   rows                             seconds
    ─────────────────────────────────────────────────────────────────────────────
     bronze.events   –              0   no new files, 1 file set aside      [S]
     silver.events   –              0   its inputs have nothing new         [S]
     gold.totals     –              0   its inputs have nothing new         [S]
    --- stderr
    error: `bronze.events`: 1 file is set aside
      events/broken.csv: the header is no text in the file's encoding; is `csv.encoding` right?
    hint: mend or remove what is set aside, or settle it: lakesmith -C [DIR] files --ignore events/broken.csv
    run [RUN]: 0 of 3 tables written, 1 file set aside
    ");
    assert_seen!(&project, &["plan"], @r"
    exit 0
     table           action   rows   why
    ─────────────────────────────────────────────────────────────
     bronze.events   –               no new files
     silver.events   –               its inputs have nothing new
     gold.totals     –               its inputs have nothing new

    bronze.events has set aside:
      events/broken.csv: the header is no text in the file's encoding; is `csv.encoding` right?
    --- stderr
    a run would write nothing, 1 file set aside
    ");
}

#[test]
fn a_plan_says_what_will_be_computed_and_why() {
    let project = made();
    project.write("landing/events/2.csv", "id,kind,amount,at\n9,b,1.00,2026-02-01T00:00:00Z\n");
    assert_seen!(&project, &["plan"], @r"
    exit 0
     table           action                rows   why
    ──────────────────────────────────────────────────────────────────────────────────────────────────────────
     bronze.events   append                       1 new file
     silver.events   merge                        `bronze.events` is about to change
     gold.totals     merge (incremental)          `silver.events` is about to change; only the groups touched

    bronze.events takes in:
      events/2.csv
    --- stderr
    a run would write 3 of 3 tables
    ");
    project.json(&["run", "bronze"], 0);
    assert_seen!(&project, &["plan"], @r"
    exit 0
     table           action                rows   why
    ──────────────────────────────────────────────────────────────────────────────────────────────────────────
     bronze.events   –                            no new files
     silver.events   merge                    1   new in `bronze.events`
     gold.totals     merge (incremental)          `silver.events` is about to change; only the groups touched
    --- stderr
    a run would write 2 of 3 tables
    ");
    let gold = std::fs::read_to_string(project.path("layers/gold/totals.yaml")).unwrap();
    project.write("layers/gold/totals.yaml", gold.replace("sum(amount)", "max(amount)"));
    assert_seen!(&project, &["plan", "gold"], @r"
    exit 0
     table         action    rows   why
    ───────────────────────────────────────────────────────
     gold.totals   rebuild          its definition changed
    --- stderr
    a run would write 1 of 1 table
    ");
}

#[test]
fn status_history_files_and_quarantine() {
    let project = mixed();
    assert_seen!(&project, &["status"], @r"
    exit 0
     table           version   rows   changed   behind   quarantined   remarks
    ────────────────────────────────────────────────────────────────────────────────
     bronze.events         –                                           not made yet
     silver.events         –                                       0   not made yet
     gold.totals           –                                           not made yet
    --- stderr
    ");
    project.run(1);
    assert_seen!(&project, &["status"], @r"
    exit 0
     table           version   rows   changed   behind   quarantined   remarks
    ───────────────────────────────────────────────────────────────────────────
     bronze.events         0      5  [AGO]  
     silver.events         0      2  [AGO]                        2
     gold.totals           0      2  [AGO]  
    --- stderr
    ");
    assert_seen!(&project, &["history", "silver.events"], @r"
    exit 0
     version   when (UTC)            action   rows                                              from              definition           run
    ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
           0   [WHEN             ]   merge    5 read, 2 inserted, 1 superseded, 2 quarantined   bronze.events@0   [HASH]   (today's)   [RUN]
    --- stderr
    ");
    assert_seen!(&project, &["files"], @r"
    exit 0
     table           file                state       batch   rows   malformed   bytes   reason
    ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
     bronze.events   events/1.csv        taken           1      5           1     141
     bronze.events   events/broken.csv   set_aside                                  6   the header is no text in the file's encoding; is `csv.encoding` right?
    --- stderr
    1 file set aside: mend or remove what is set aside, or settle it: lakesmith -C [DIR] files --ignore PATH
    ");
    assert_seen!(&project, &["quarantine", "silver.events"], @r#"
    exit 0
     batch   file           row   reasons                as received
    ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
         1   events/1.csv     4   amount: type '1.005'   {"id":"3","kind":"c","amount":"1.005","at":"2026-01-01T00:00:00Z"}
         1   events/1.csv     5   malformed '4'          4
    --- stderr
    "#);
    project.write("landing/events/2.csv", MIXED);
    project.json(&["run", "bronze"], 1);
    let status = project.lakesmith(&["status", "silver"]);
    assert!(status.stdout.contains("1 batch of bronze.events"), "{status:?}");
}

#[test]
fn a_file_that_is_set_aside_is_named_until_it_is_settled() {
    let project = mixed();
    project.run(1);
    assert_seen!(&project, &["files", "--state", "set_aside", "--ignore", "events/broken.csv"], @r"
    exit 0
     table   file   state   batch   rows   malformed   bytes   reason
    ──────────────────────────────────────────────────────────────────
    --- stderr
    ");
    assert_seen!(&project, &["run", "-q"], @r"
    exit 0
    --- stderr
    ");
    project.write("landing/events/broken.csv", b"\xff\xfe\x00still broken");
    assert_eq!(project.lakesmith(&["run", "-q"]).code, 1);
}

#[test]
fn rows_as_table_csv_and_json() {
    let project = made();
    assert_seen!(&project, &["show", "bronze.events", "-n", "2"], @r"
    exit 0
     _batch   _source_file   _source_row   _ingested_at                  _malformed   id   kind   amount   at
    ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
          1   events/1.csv             1   [WHEN                    ]   NULL         1    a      1.10     2026-01-01T00:00:00Z
          1   events/1.csv             2   [WHEN                    ]   NULL         2    b      2.20     2026-01-01T00:00:00Z
    --- stderr
    2 of 5 rows, in no particular order; -n shows more
    ");
    assert_seen!(&project, &["query", "SELECT * FROM silver.events ORDER BY id"], @r"
    exit 0
     id   kind   amount   at                     _batch   _source_file   _source_row
    ─────────────────────────────────────────────────────────────────────────────────
      1   a        1.10   2026-01-01T00:00:00Z        1   events/1.csv             1
      2   b        2.30   2026-01-02T00:00:00Z        1   events/1.csv             3
    --- stderr
    ");
    assert_seen!(&project, &["query", "SELECT * FROM gold.\"totals@0\" ORDER BY kind", "--format", "json"], @r#"
    exit 0
    [
      {"kind": "a", "events": 1, "amount": 1.10},
      {"kind": "b", "events": 1, "amount": 2.30}
    ]
    --- stderr
    "#);
    assert_seen!(&project, &["query", "SELECT kind, amount FROM gold.totals ORDER BY kind", "--format", "csv"], @r"
    exit 0
    kind,amount
    a,1.10
    b,2.30
    --- stderr
    ");
    let runs = "SELECT \"table\", action, rows_read FROM lakesmith.runs ORDER BY rows_read DESC, \"table\"";
    assert_seen!(&project, &["query", runs], @r"
    exit 0
     table           action   rows_read
    ────────────────────────────────────
     bronze.events   append           5
     silver.events   merge            5
     gold.totals     merge            2
    --- stderr
    ");
    let ledger = "SELECT path, state, batch, \"rows\", malformed FROM lakesmith.ledger";
    assert_seen!(&project, &["query", ledger], @r"
    exit 0
     path           state   batch   rows   malformed
    ─────────────────────────────────────────────────
     events/1.csv   taken       1      5           1
    --- stderr
    ");
}

#[test]
fn each_error_has_its_exit_code_and_says_what_to_do() {
    let project = made();
    let cases: [(&[&str], i32, &str); 21] = [
        (&["frobnicate"], 2, "unrecognized subcommand"),
        (&["show"], 2, "required arguments"),
        (&["run", "-q", "-v"], 2, "cannot be used with"),
        (&["run", "--jobs", "0"], 2, "invalid value"),
        (&["run", "silver.evnts"], 2, "hint: did you mean `silver.events`?"),
        (&["status", "--env", "prod"], 2, "there is no environment `prod`"),
        (&["-C", "/nowhere/at/all", "check"], 2, "there is no folder `/nowhere/at/all`"),
        (&["init", "."], 2, "is there already"),
        (&["show", "silver.evnts"], 2, "hint: did you mean `silver.events`?"),
        (&["show", "lakesmith.runs"], 2, "`lakesmith query` reads it"),
        (&["show", "silver.events@yesterday"], 2, "hint: write a number, or a time with its zone"),
        (
            &["show", "silver.events@99"],
            1,
            "`silver.events`: there is no version 99; the newest is 0\nhint: its versions:",
        ),
        (&["show", "silver.events@2001-01-01T00:00:00Z"], 1, "2001-01-01"),
        (&["quarantine", "gold.totals"], 2, "`gold.totals` has no quarantine\nhint:"),
        (&["files", "gold"], 2, "only bronze tables have files"),
        (&["files", "--ignore", "events/1.csv"], 2, "`events/1.csv` is not set aside"),
        (&["rebuild", "silver.events"], 2, "hint: say --yes"),
        (&["rebuild", "bronze", "--yes"], 2, "hint: select silver or gold tables"),
        (&["query", "SELEC 1"], 2, "found: SELEC at Line: 1, Column: 1"),
        (&["query", "DROP TABLE silver.events"], 2, "a query only reads"),
        (&["query", "SELECT * FROM silver.evnts"], 2, "hint: did you mean `silver.events`?"),
    ];
    let before = project.lake_files();
    for (args, code, says) in cases {
        let said = project.lakesmith(args);
        assert_eq!((said.code, said.stdout.as_str()), (code, ""), "{args:?}: {said:?}");
        assert!(said.stderr.contains(says), "{args:?}: {said:?}");
        assert!(said.stderr.starts_with("error: "), "{args:?}: {said:?}");
    }
    assert_eq!(project.lake_files(), before);
}

#[test]
fn errors_are_json_too() {
    let told = made().json(&["show", "silver.evnts"], 2);
    assert_eq!(
        told,
        serde_json::json!({ "status": "failed", "errors": [
            { "message": "there is no table `silver.evnts`", "hint": "did you mean `silver.events`?" },
        ]})
    );
}

#[test]
fn what_only_looks_writes_nothing() {
    let project = mixed();
    let looks: [&[&str]; 10] = [
        &["check"],
        &["plan"],
        &["status"],
        &["files"],
        &["show", "silver.events"],
        &["history", "silver.events"],
        &["quarantine", "silver.events"],
        &["query", "SELECT * FROM silver.events"],
        &["query", "SELECT * FROM lakesmith.runs"],
        &["rebuild", "silver.events"],
    ];
    for args in looks {
        let said = project.lakesmith(args);
        assert!([0, 1, 2].contains(&said.code), "{args:?}: {said:?}");
        assert!(!project.path("lake").exists(), "{args:?}");
    }
    project.run(1);
    let before = project.lake_files();
    for args in looks {
        project.lakesmith(args);
        assert_eq!(project.lake_files(), before, "{args:?}");
    }
}

#[test]
fn a_table_that_was_never_made_says_how_to_make_it() {
    let project = mixed();
    assert_seen!(&project, &["show", "gold.totals"], @r"
    exit 1
    --- stderr
    error: `gold.totals` has not been made yet
    hint: to make it: lakesmith -C [DIR] run +gold.totals
    ");
    assert_seen!(&project, &["history", "gold.totals"], @r"
    exit 1
    --- stderr
    error: `gold.totals` has not been made yet
    hint: to make it: lakesmith -C [DIR] run +gold.totals
    ");
    assert_seen!(&project, &["query", "SELECT * FROM gold.totals"], @r"
    exit 1
    --- stderr
    error: `gold.totals`: it holds nothing yet
    ");
    assert_seen!(&project, &["quarantine", "silver.events"], @r"
    exit 0
    --- stderr
    `silver.events` has refused no row
    ");
}

#[test]
fn a_damaged_table_is_named_and_the_others_are_shown() {
    let project = made();
    project.write("lake/silver/events/_delta_log/00000000000000000000.json", "no JSON");
    let said = project.lakesmith(&["status"]);
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.stderr.starts_with("error: `silver.events`: "), "{said:?}");
    assert!(said.stdout.contains("cannot be read"), "{said:?}");
    let status = project.json(&["status"], 1);
    assert_eq!(table(&status, "gold.totals")["rows"], 2);
    assert_eq!(project.lakesmith(&["plan", "bronze"]).code, 0);
    assert_eq!(project.lakesmith(&["plan", "gold"]).code, 1);
}

#[test]
fn what_stands_below_a_failed_table_is_skipped() {
    let project = made();
    project.write("landing/events/2.csv", MIXED);
    project.write("lake/silver/events/_delta_log/00000000000000000000.json", "no JSON");
    let said = project.lakesmith(&["run"]);
    assert_eq!(said.code, 1, "{said:?}");
    let words = |line: &str| line.split_whitespace().map(str::to_string).collect::<Vec<_>>();
    let actions: Vec<_> = said.stdout.lines().skip(2).map(|line| words(line)[1].clone()).collect();
    assert_eq!(actions, ["append", "failed", "skipped"]);
    assert_eq!(said.stderr.lines().filter(|line| line.starts_with("error: ")).count(), 1, "{said:?}");
    assert!(said.stderr.ends_with("1 of 3 tables written, 1 failed, 1 skipped because of that\n"), "{said:?}");
}

#[test]
fn a_landing_folder_that_is_not_there_is_named() {
    let project = made();
    std::fs::remove_dir_all(project.path("landing")).unwrap();
    for command in ["plan", "run", "files"] {
        let said = project.lakesmith(&[command]);
        assert_eq!(said.code, 1, "{said:?}");
        assert!(said.stderr.contains("/landing`: No such file or directory"), "{said:?}");
        assert!(said.stderr.contains("set `landing` of environment `dev` in lakesmith.yaml"), "{said:?}");
    }
    assert_eq!(project.lakesmith(&["plan", "gold"]).code, 0);
}

/// Data and file names must not steer a terminal.
#[test]
fn nothing_that_is_printed_acts_on_the_terminal() {
    let project = Project::small();
    let evil = "\x1b[31m\u{9b}1m\u{202e}";
    project.write(
        &format!("landing/events/{evil}.csv"),
        format!("id,kind,amount,at\n1,{evil},1.00,2026-01-01T00:00:00Z\n2,{evil},{evil},2026-01-01T00:00:00Z\n"),
    );
    project.write(&format!("landing/events/{evil}broken.csv"), BROKEN);
    let commands: [&[&str]; 9] = [
        &["plan"],
        &["run"],
        &["files"],
        &["show", "bronze.events"],
        &["show", "silver.events"],
        &["quarantine", "silver.events"],
        &["query", "SELECT * FROM lakesmith.ledger"],
        &["query", &format!("SELECT '{evil}'")],
        &["show", evil],
    ];
    for args in commands {
        for json in [false, true] {
            let args: Vec<&str> = args.iter().copied().chain(json.then_some("--json")).collect();
            let said = project.lakesmith(&args);
            for text in [&said.stdout, &said.stderr] {
                let acts = |c: char| c != '\n' && (c.is_control() || c == '\u{202e}');
                assert!(!text.contains(acts), "{args:?}: {text:?}");
            }
        }
    }
}

#[test]
fn json_has_the_documented_members() {
    let project = mixed();
    let members = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
    assert_eq!(members(&project.json(&["check"], 0)), "project environment tables warnings");
    let plan = project.json(&["plan"], 0);
    assert_eq!(members(&plan), "tasks");
    assert_eq!(members(&plan["tasks"][0]), "table action why files needs");
    assert_eq!(members(&plan["tasks"][2]), "table action mode why needs");
    let report = project.run(1);
    assert_eq!(members(&report), "run_id status tables");
    assert_eq!(report["status"], "failed");
    let bronze = table(&report, "bronze.events");
    assert_eq!(members(bronze), "table action status version rows seconds error note files");
    assert_eq!(members(&bronze["files"]), "taken set_aside left");
    assert_eq!(bronze["files"]["set_aside"][0]["path"], "events/broken.csv");
    let silver = table(&report, "silver.events");
    assert_eq!(members(silver), "table action status version rows seconds error note inputs");
    assert_eq!(members(&silver["rows"]), "read inserted updated unchanged superseded filtered quarantined deleted");
    let status = project.json(&["status"], 0);
    assert_eq!(members(&status), "project environment tables");
    assert_eq!(
        members(&status["tables"][0]),
        "table version rows bytes files changed_at lag stale mixed quarantined foreign_writes error"
    );
    let history = project.json(&["history", "silver.events"], 0);
    assert_eq!(members(&history), "table versions");
    assert_eq!(members(&history["versions"][0]), "version at run_id action rows inputs definition current foreign");
    let files = project.json(&["files"], 0);
    assert_eq!(members(&files["files"][0]), "table path state batch rows malformed size reason");
    assert_eq!(project.json(&["quarantine", "silver.events"], 0).as_array().unwrap().len(), 2);
}

#[test]
fn diagnostics_go_to_stderr_as_text_or_json() {
    let project = made();
    let verbose = project.lakesmith(&["run", "-v", "--json"]);
    assert!(verbose.stderr.contains("finished table=gold.totals"), "{verbose:?}");
    serde_json::from_str::<Value>(&verbose.stdout).unwrap();
    let json = project.lakesmith_with(&[("LAKESMITH_LOG", "debug"), ("LAKESMITH_LOG_FORMAT", "json")], &["run", "-q"]);
    assert!(json.stderr.lines().count() >= 6, "{json:?}");
    for line in json.stderr.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        assert!(line["target"].as_str().unwrap().starts_with("lakesmith"), "{line}");
    }
    let wrong = project.lakesmith_with(&[("LAKESMITH_LOG", "a=b=c")], &["check"]);
    assert_eq!((wrong.code, wrong.stderr.as_str()), (0, "warning: LAKESMITH_LOG is no filter: a=b=c\n"));
}

#[test]
fn quiet_prints_nothing_but_answers_and_errors() {
    let project = made();
    for args in [&["run", "-q"][..], &["check", "-q"]] {
        let said = project.lakesmith(args);
        assert_eq!((said.code, said.stdout.as_str(), said.stderr.as_str()), (0, "", ""), "{args:?}");
    }
    let show = project.lakesmith(&["show", "silver.events", "-n", "1", "-q"]);
    assert_eq!((show.stdout.lines().count(), show.stderr.as_str()), (3, ""));
}

#[test]
fn rebuild_publishes_a_version_more() {
    let project = made();
    assert_seen!(&project, &["rebuild", "silver.events+", "--yes"], @r"
    exit 0
     table           action    version   rows                                      seconds
    ───────────────────────────────────────────────────────────────────────────────────────
     silver.events   rebuild         1   2 inserted, 1 superseded, 2 quarantined      [S]
     gold.totals     rebuild         1   2 inserted                                   [S]
    --- stderr
    `silver.events` refused 2 rows; see: lakesmith -C [DIR] quarantine silver.events
    run [RUN]: 2 of 2 tables written
    ");
    let versions = project.json(&["history", "silver.events"], 0)["versions"].as_array().unwrap().len();
    assert_eq!(versions, 2);
}

/// The reference names each command and each flag.
#[test]
fn the_documentation_is_complete() {
    let docs = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/cli.md")).unwrap();
    let project = Project::empty();
    let commands: Vec<String> = told(&project, &["--help"])
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| Some(line.strip_prefix("  ")?.split(' ').next()?.to_string()))
        .filter(|command| !command.is_empty() && command != "help")
        .collect();
    assert!(commands.len() >= 11, "{commands:?}");
    for command in commands {
        assert!(docs.contains(&format!("\n## {command}\n")), "docs/cli.md has no section on `{command}`");
        let help = told(&project, &[&command, "--help"]);
        let flags = help.split_whitespace().filter(|word| word.starts_with("--") && word.len() > 2);
        for flag in flags.map(|flag| flag.trim_matches(|c: char| !c.is_alphanumeric())) {
            assert!(docs.contains(&format!("--{flag}")), "docs/cli.md does not name --{flag} of `{command}`");
        }
    }
}

fn told(project: &Project, args: &[&str]) -> String {
    let said = project.lakesmith(args);
    assert_eq!(said.code, 0, "{said:?}");
    said.stdout
}
