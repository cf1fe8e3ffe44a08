//! What goes wrong, and what is said about it.

use super::{MIXED, made, mixed, seen};
use crate::support::table;

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
fn each_error_has_its_exit_code_and_says_what_to_do() {
    let project = made();
    let cases: [(&[&str], i32, &str); 24] = [
        (&["frobnicate"], 2, "unrecognized subcommand"),
        (&["show"], 2, "required arguments"),
        (&["run", "-q", "-v"], 2, "cannot be used with"),
        (&["run", "--jobs", "0"], 2, "invalid value"),
        (&["run", "--memory", "10MB"], 2, "10 MB is too little to work with; at least 256 MB"),
        (&["run", "--memory", "much"], 2, "a number and kB, MB, GB, KiB, MiB or GiB, e.g. 2GB"),
        (&["run", "--memory", "256MB", "silver.evnts"], 2, "hint: did you mean `silver.events`?"),
        (&["run", "silver.evnts"], 2, "hint: did you mean `silver.events`?"),
        (&["status", "--env", "prod"], 2, "there is no environment `prod`"),
        (&["-C", "/nowhere/at/all", "check"], 2, "there is no folder `/nowhere/at/all`"),
        (&["init", "."], 2, "is there already"),
        (&["show", "silver.evnts"], 2, "hint: did you mean `silver.events`?"),
        (&["show", "lakesmith.runs"], 2, "`lakesmith query` reads it"),
        (&["show", "silver.events@yesterday"], 2, "hint: write a number, a time with its zone"),
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
    let [.., last, next] = said.stderr.lines().collect::<Vec<_>>()[..] else { panic!("{said:?}") };
    assert!(last.ends_with("1 of 3 tables written, 1 failed, 1 skipped because of that"), "{said:?}");
    assert!(next.starts_with("next: mend what failed, then the same command again does what is left; "), "{said:?}");
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
