//! Ctrl-C and a polite kill, sent to real processes at moments of all kinds: they end with a message and the exit code
//! that shells know, leave no claim and no scratch folder, and the lake as it was between two commits.

use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use crate::promises::dice::Dice;
use crate::support::{Project, Said};

const ROWS: usize = 400;

fn events(file: usize) -> String {
    let rows =
        (0..ROWS).map(|n| format!("{},k{},{n}.50,2026-01-{:02}T00:00:00Z\n", ROWS * file + n, n % 50, 1 + file % 28));
    ["id,kind,amount,at\n".to_owned()].into_iter().chain(rows).collect()
}

fn signal(process: &Child, name: &str) {
    let sent = Command::new("kill").args([&format!("-{name}"), &process.id().to_string()]).status().unwrap();
    assert!(sent.success() || name == "KILL", "{sent}");
}

/// What commands there are to interrupt, each of which has something to do.
const COMMANDS: [&[&str]; 10] = [
    &["run"],
    &["rebuild", "silver.events+", "--yes"],
    &["rebuild", "silver.events+", "--dry-run"],
    &["backfill", "silver.events", "--from", "2026-01-01", "--to", "2026-02-01", "--chunk", "3d", "--yes"],
    &["restore", "silver.events@0", "+", "--yes"],
    &["optimize"],
    &["vacuum", "--retain", "0s", "--force", "--yes"],
    &["verify", "--deep"],
    &["query", "SELECT count(*) FROM bronze.events AS a, bronze.events AS b, bronze.events AS c WHERE a.id <> b.id"],
    &["pin", "silver.events@0", "--as", "first"],
];

fn entries(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
}

#[test]
fn an_interrupted_command_ends_with_a_message_and_leaves_the_lake_whole() {
    let rounds: usize = std::env::var("LAKESMITH_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    let project = Project::small();
    let tmp = project.path("tmp");
    std::fs::create_dir_all(&tmp).unwrap();
    let mut dice = Dice::new(1);
    let (mut files, mut stopped) = (0, 0);
    for _ in 0..2 {
        project.write(&format!("landing/events/{files:03}.csv"), events(files));
        files += 1;
        project.run(0);
    }
    for round in 0..rounds {
        for (at, command) in COMMANDS.iter().enumerate() {
            project.write(&format!("landing/events/{files:03}.csv"), events(files));
            files += 1;
            let mut started = project.started(command, &tmp);
            // from before the first byte was read to after the last commit
            std::thread::sleep(Duration::from_millis(dice.below(400) as u64));
            let (name, code, word) =
                if (round + at) % 2 == 0 { ("INT", 130, "interrupted") } else { ("TERM", 143, "terminated") };
            if started.try_wait().unwrap().is_none() {
                signal(&started, name);
            }
            let began = Instant::now();
            let said = Said::of(started.wait_with_output().unwrap());
            assert!(began.elapsed() < Duration::from_secs(20), "{command:?} did not stop: {said:?}");
            // what was done already may have been told
            if said.code == code {
                stopped += 1;
                assert!(said.stderr.contains(&format!("error: {word}")), "{command:?}: {said:?}");
            } else if said.code == -1 {
                assert!(said.stdout.is_empty() && said.stderr.is_empty(), "before it had begun: {command:?}: {said:?}");
            } else if command[0] != "query" {
                assert!([0, 1].contains(&said.code), "{command:?}: {said:?}");
            }
            assert!(!said.stderr.contains("panicked"), "{command:?}: {said:?}");
            assert_eq!(entries(&project.path("lake/_lakesmith/claims")), Vec::<String>::new(), "{command:?}");
            assert_eq!(entries(&tmp), Vec::<String>::new(), "{command:?}: {said:?}");
        }
        project.run(0);
        project.run(0);
        let n = ROWS * files;
        let records = "SELECT count(distinct _source_file || ':' || _source_row) FROM bronze.events";
        assert_eq!(project.value("SELECT count(*) FROM bronze.events"), n);
        assert_eq!(project.value(records), n);
        assert_eq!(project.value("SELECT sum(events) FROM gold.totals"), n);
        assert_eq!(project.json(&["verify", "--deep"], 0)["status"], "equal");
    }
    assert!(stopped > 0, "no signal came in time");
}

/// A question that takes for ever stops at the first Ctrl-C; work that does not stop, at the second.
#[test]
fn the_second_signal_ends_the_process_at_once() {
    let project = Project::small();
    project.write("landing/events/1.csv", events(0));
    project.run(0);
    let tmp = project.path("tmp");
    std::fs::create_dir_all(&tmp).unwrap();
    let started = project.started(COMMANDS[8], &tmp);
    std::thread::sleep(Duration::from_millis(700));
    signal(&started, "INT");
    signal(&started, "TERM");
    let began = Instant::now();
    let said = Said::of(started.wait_with_output().unwrap());
    assert!([130, 143].contains(&said.code), "{said:?}");
    assert!(began.elapsed() < Duration::from_secs(5), "{said:?}");
}

/// A claim that is renewed by a living process, and by it alone.
#[test]
fn a_killed_process_leaves_a_claim_that_says_whose_it_is_and_ends() {
    let project = Project::small();
    project.write("landing/events/1.csv", events(0));
    let claim = project.path("lake/_lakesmith/claims/bronze.events.json");
    for _ in 0..20 {
        let mut started = project.start(&["run"]);
        while !claim.is_file() && started.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_micros(200));
        }
        signal(&started, "KILL");
        let pid = started.id();
        started.wait().unwrap();
        let Ok(text) = std::fs::read_to_string(&claim) else {
            std::fs::remove_dir_all(project.path("lake")).unwrap();
            continue;
        };
        let found: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!((&found["pid"], &found["action"]), (&pid.into(), &"run".into()), "{found}");
        let until: chrono::DateTime<chrono::Utc> = found["until"].as_str().unwrap().parse().unwrap();
        assert!(until <= chrono::Utc::now() + chrono::TimeDelta::seconds(60), "{found}");
        let report = project.run(0);
        let note = crate::support::table(&report, "bronze.events")["note"].to_string();
        assert!(note.contains(&format!("process {pid}")) && note.contains("is at work on it"), "{note}");
        // as if a minute had gone by
        std::fs::write(&claim, text.replace(found["until"].as_str().unwrap(), "2020-01-01T00:00:00Z")).unwrap();
        project.run(0);
        assert_eq!(project.value("SELECT count(*) FROM silver.events"), ROWS);
        return;
    }
    panic!("the process was always too fast");
}

/// What was stopped at work is in the history; what was stopped before it had found anything to do leaves no trace.
#[test]
fn a_run_that_was_stopped_at_work_is_told_as_interrupted() {
    for file in 0..40 {
        let project = Project::small();
        let claim = project.path("lake/_lakesmith/claims/silver.events.json");
        project.write("landing/events/1.csv", events(file));
        let mut started = project.start(&["run"]);
        while !claim.is_file() && started.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_micros(200));
        }
        signal(&started, "INT");
        let said = Said::of(started.wait_with_output().unwrap());
        let runs = project.json(&["runs"], 0)["runs"].clone();
        assert_eq!(runs.as_array().unwrap().len(), 1, "{said:?} {runs:#}");
        if said.code == 0 {
            continue; // it was done before
        }
        assert_eq!(said.code, 130, "{said:?}");
        let tables = runs[0]["tables"].as_array().unwrap();
        let status =
            |name: &str| tables.iter().find(|table| table["table"] == name).map(|table| table["status"].clone());
        assert_eq!(status("bronze.events").unwrap(), "succeeded", "{runs:#}");
        if runs[0]["status"] == "interrupted" {
            assert_eq!((&runs[0]["command"], status("silver.events").unwrap()), (&"run".into(), "interrupted".into()));
            assert!(project.lakesmith(&["runs"]).stdout.contains("interrupted"));
            return;
        }
    }
    panic!("no run was stopped at work");
}
