//! What scripts and terminals rely on.

use std::path::Path;

use serde_json::Value;

use super::{BROKEN, made, mixed};
use crate::support::{Project, table};

#[test]
fn what_only_looks_writes_nothing() {
    let project = mixed();
    let looks: [&[&str]; 17] = [
        &["check"],
        &["plan"],
        &["plan", "--diff"],
        &["rebuild", "silver", "--dry-run"],
        &["status"],
        &["docs"],
        &["files"],
        &["show", "silver.events"],
        &["diff", "bronze.events@0"],
        &["history", "silver.events"],
        &["quarantine", "silver.events"],
        &["query", "SELECT * FROM silver.events"],
        &["query", "SELECT * FROM lakesmith.runs"],
        &["rebuild", "silver.events"],
        &["pin"],
        &["vacuum", "--dry-run"],
        &["vacuum", "--retain", "0s", "--force"],
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
    assert_eq!(members(&bronze["files"]), "taken set_aside newly_set_aside left");
    assert_eq!(bronze["files"]["set_aside"][0]["path"], "events/broken.csv");
    let silver = table(&report, "silver.events");
    assert_eq!(members(silver), "table action status version rows seconds error note inputs");
    assert_eq!(members(&silver["rows"]), "read inserted updated unchanged superseded filtered quarantined deleted");
    let status = project.json(&["status"], 0);
    assert_eq!(members(&status), "project environment tables");
    assert_eq!(
        members(&status["tables"][0]),
        "table version rows bytes files changed_at lag stale mixed hold quarantined foreign_writes pins error"
    );
    let history = project.json(&["history", "silver.events"], 0);
    assert_eq!(members(&history), "table versions");
    let version = &history["versions"][0];
    let expected = "version at run_id action restored rows files inputs definition current foreign engine pins";
    assert_eq!(members(version), expected);
    assert_eq!(
        members(&version["files"]),
        "added removed rows_added rows_removed bytes_added bytes_removed rearranged"
    );
    let diff = project.json(&["diff", "silver.events@0"], 0);
    assert_eq!(members(&diff), "table from to key left_out note rows columns totals sample read");
    assert_eq!(members(&diff["rows"]), "before after added removed changed");
    assert_eq!(members(&diff["columns"][0]), "name changed was is compared");
    assert_eq!(members(&diff["read"]), "files of_files bytes of_bytes");
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
