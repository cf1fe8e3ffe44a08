//! Processes that want different things of the same tables at once.

use std::collections::BTreeSet;

use serde_json::json;

use crate::support::{Project, Said, assert_accounted, table};

const ROWS: usize = 30;

fn events(file: usize) -> String {
    let rows =
        (0..ROWS).map(|n| format!("{},k{},1.00,2026-01-{:02}T00:00:00Z\n", ROWS * file + n, n % 7, 1 + file % 28));
    ["id,kind,amount,at\n".to_owned()].into_iter().chain(rows).collect()
}

fn rounds(few: usize) -> usize {
    std::env::var("LAKESMITH_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(few)
}

/// Every event once, every table what its inputs give, no claim left.
fn is_whole(project: &Project, files: usize) {
    let n = ROWS * files;
    let records = "SELECT count(distinct _source_file || ':' || _source_row) FROM bronze.events";
    assert_eq!(project.value("SELECT count(*) FROM bronze.events"), n);
    assert_eq!(project.value(records), n);
    assert_eq!(project.value("SELECT sum(events) FROM gold.totals"), n);
    let report = project.json(&["verify", "--deep"], 0);
    assert_eq!(report["status"], "equal", "{report:#}");
    let claims = std::fs::read_dir(project.path("lake/_lakesmith/claims"));
    assert_eq!(claims.map_or(0, Iterator::count), 0);
}

#[test]
fn eight_processes_of_the_same_job_take_each_record_once() {
    let project = Project::small();
    let mut files = 0;
    for _ in 0..rounds(1) {
        for _ in 0..4 {
            project.write(&format!("landing/events/{files:04}.csv"), events(files));
            files += 1;
        }
        let processes: Vec<_> = (0..8).map(|_| project.start(&["run", "--json"])).collect();
        for process in processes {
            let said = Said::of(process.wait_with_output().unwrap());
            assert_eq!(said.code, 0, "{said:?}");
            assert_accounted(&serde_json::from_str(&said.stdout).unwrap());
        }
        project.run(0);
        assert_eq!(project.run(0)["status"], "unchanged");
        is_whole(&project, files);
    }
}

#[test]
fn jobs_that_are_at_odds_leave_every_table_whole() {
    let project = Project::small();
    // after many rounds the guard would stop a run that comes between the restore of silver and that of gold
    let days = "from: silver.events\nkey: [id]\nguard: off\nsteps:\n  - where: kind <> 'k1'\n";
    project.write("layers/gold/days.yaml", days);
    let mut files = 0;
    let mut arrive = |n: usize| {
        for _ in 0..n {
            project.write(&format!("landing/events/{files:04}.csv"), events(files));
            files += 1;
        }
        files
    };
    arrive(2);
    project.run(0);
    arrive(1);
    project.run(0);
    let mut seen = BTreeSet::new();
    for round in 0..rounds(2) {
        let now = arrive(2);
        let jobs: [&[&str]; 7] = [
            &["run"],
            &["run", "-j", "1"],
            &["optimize"],
            &["vacuum", "--yes"],
            &["rebuild", "silver.events+", "--yes"],
            &["restore", "silver.events@1", "+", "--yes"],
            &["verify"],
        ];
        // each round begins with another
        let jobs = (0..jobs.len()).map(|n| jobs[(n + round) % jobs.len()]);
        let processes: Vec<_> = jobs.map(|args| (args, project.start(args))).collect();
        for (args, process) in processes {
            let said = Said::of(process.wait_with_output().unwrap());
            assert!(!said.stderr.contains("panicked") && !said.stderr.contains("internal error"), "{args:?}: {said:?}");
            // who has to stand back says who is in the way, or what moved; nobody does half of something
            if said.code != 0 {
                let told = [
                    "is at work on",
                    "being written by others",
                    "look again",
                    "deleted while",
                    "verify again",
                    "was made anew",
                ];
                assert!(
                    told.iter().any(|words| said.stderr.contains(words)) || args[0] == "verify",
                    "{args:?}: {said:?}"
                );
                seen.insert(args[0]);
            }
        }
        for _ in 0..2 {
            project.run(0);
        }
        is_whole(&project, now);
    }
}

/// A cron of a minute meets a rebuild of twenty: it steps aside at once, says for whom, and fails nothing.
#[test]
fn a_run_that_meets_a_long_rebuild_steps_aside_and_says_for_whom() {
    let project = Project::small();
    project.write("landing/events/1.csv", events(0));
    project.run(0);
    let claim = json!({
        "run_id": "r-1", "table": "silver.events", "until": "2099-01-01T00:00:00Z",
        "action": "rebuild", "host": "far-away", "pid": 4711,
    });
    project.write("lake/_lakesmith/claims/silver.events.json", claim.to_string());
    project.write("landing/events/2.csv", events(1));
    for _ in 0..2 {
        let report = project.run(0);
        let note = table(&report, "silver.events")["note"].as_str().unwrap();
        assert!(note.contains("run r-1 (rebuild, process 4711 on far-away) is at work on it"), "{note}");
    }
    let said = project.lakesmith(&["restore", "silver.events@0", "--yes"]);
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.stderr.contains("r-1 (rebuild, process 4711 on far-away)"), "{said:?}");
    let said = project.lakesmith(&["repair", "silver.events", "--yes"]);
    assert_eq!(said.code, 0, "nothing is to be mended, so nobody is in the way: {said:?}");
}

/// Two checkouts with one lake: one definition wins and stays, whoever runs how often.
#[test]
fn two_checkouts_do_not_rebuild_against_each_other() {
    let project = Project::small();
    project.write("landing/events/1.csv", events(0));
    project.run(0);
    let other = Project::small();
    let lake = project.path("lake").display().to_string();
    let landing = project.path("landing").display().to_string();
    let yaml = format!("name: small\nenvironment: dev\nenvironments:\n  dev: {{ lake: {lake}, landing: {landing} }}\n");
    other.write("lakesmith.yaml", yaml);
    let silver = std::fs::read_to_string(project.path("layers/silver/events.yaml")).unwrap();
    other.write("layers/silver/events.yaml", silver + "steps:\n  - where: kind <> 'k1'\n");
    let mut rebuilds = 0;
    for round in 0..3 {
        project.write(&format!("landing/events/more-{round}.csv"), events(round + 1));
        let both = [project.start(&["run", "--json"]), other.start(&["run", "--json", "--yes"])];
        for process in both {
            let said = Said::of(process.wait_with_output().unwrap());
            let report: serde_json::Value = serde_json::from_str(&said.stdout).unwrap();
            let silver = table(&report, "silver.events");
            rebuilds += usize::from(silver["action"] == "rebuild" && silver["status"] == "succeeded");
            if said.code != 0 {
                let error = silver["error"].as_str().unwrap_or_default();
                assert!(error.contains("has left this definition for a later one"), "{report:#}");
            }
        }
    }
    other.json(&["run", "--yes"], 0);
    let report = project.json(&["run"], 1);
    let error = table(&report, "silver.events")["error"].as_str().unwrap();
    assert!(error.contains("lakesmith rebuild silver.events"), "{error}");
    assert!(rebuilds <= 1, "{rebuilds} rebuilds");
    assert_eq!(other.value("SELECT count(*) FROM silver.events WHERE kind = 'k1'"), 0);
    assert_eq!(other.json(&["verify"], 0)["status"], "equal");
}

/// The last commit of bronze or silver is gone or cut off, and a repair meets runs that begin at the same moment.
#[test]
fn a_repair_beside_runs_loses_nothing_and_doubles_nothing() {
    let project = Project::small();
    let rounds = rounds(2);
    for round in 0..rounds {
        project.write(&format!("landing/events/{round:04}.csv"), events(round));
        // whether silver has read what bronze is to lose
        let select = if round % 2 == 0 { "bronze" } else { "+gold" };
        project.json(&["run", select], 0);
        let (folder, name) =
            if round % 4 == 3 { ("silver/events", "silver.events") } else { ("bronze/events", "bronze.events") };
        let logs = std::fs::read_dir(project.path(&format!("lake/{folder}/_delta_log"))).unwrap();
        let commits =
            logs.map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some_and(|e| e == "json"));
        let last = commits.max().unwrap();
        match round % 3 {
            0 => std::fs::write(&last, "{\"commitInfo\":").unwrap(),
            1 => std::fs::remove_file(&last).unwrap(),
            _ => std::fs::write(&last, "").unwrap(),
        }
        let jobs: [&[&str]; 4] = [&["repair", name, "--yes"], &["run"], &["repair", name, "--yes"], &["run"]];
        let jobs = (0..jobs.len()).map(|n| jobs[(n + round) % jobs.len()]);
        let processes: Vec<_> = jobs.map(|args| (args, project.start(args))).collect();
        for (args, process) in processes {
            let said = Said::of(process.wait_with_output().unwrap());
            assert!(!said.stderr.contains("panicked") && !said.stderr.contains("internal error"), "{args:?}: {said:?}");
            // who could not do it says what to do, or who is in the way
            let told = ["lakesmith repair", "lakesmith rebuild", "is at work on"];
            assert!(said.code == 0 || told.iter().any(|words| said.stderr.contains(words)), "{args:?}: {said:?}");
        }
        project.json(&["repair", name, "--yes"], 0);
        let said = project.lakesmith(&["run"]);
        if said.code != 0 {
            assert!(said.stderr.contains("lakesmith rebuild silver.events"), "{said:?}");
            project.json(&["rebuild", "bronze.events+", "--yes"], 0);
        }
        project.run(0);
        is_whole(&project, round + 1);
    }
}
