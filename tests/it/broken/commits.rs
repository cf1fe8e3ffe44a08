//! Commits that are empty, cut off, deleted or older than what is known of them.

use super::*;

/// What a power cut or a full disk leaves of the last commit of bronze; its rows were read already.
#[test]
fn an_empty_last_commit_of_bronze_is_taken_back_and_its_files_are_taken_in_anew() {
    let lake = Lake::after(3);
    fs::write(lake.commit("bronze/events", 2), b"").unwrap();
    lake.tour();
    let report = lake.project.json(&["run"], 1);
    says(error(&report, "bronze.events"), &["00000000000000000002.json", "is empty", "lakesmith repair bronze.events"]);

    let unasked = lake.project.lakesmith(&["repair", "bronze.events"]);
    assert_eq!(unasked.code, 2, "{unasked:?}");
    says(&unasked.stderr, &["say --yes"]);
    let report = lake.repair("bronze.events", 0);
    assert_eq!(report["status"], "mended", "{report:#}");
    assert_eq!(report["lost"]["files"], json!([{ "path": "events/002.csv", "rows": 20, "in_landing": true }]));
    says(&report["notes"].to_string(), &["`silver.events` has read", "lakesmith rebuild bronze.events+"]);
    assert_eq!(lake.repair("bronze.events", 0)["status"], "sound");

    // silver holds rows of a batch that is no more: it says so until it is made anew
    let report = lake.project.json(&["run"], 1);
    assert_eq!(table(&report, "bronze.events")["rows"]["inserted"], 20);
    says(error(&report, "silver.events"), &["were lost", "lakesmith rebuild silver.events"]);
    lake.project.json(&["rebuild", "bronze.events+", "--yes"], 0);
    lake.is_whole();
}

#[test]
fn a_cut_last_commit_of_silver_is_taken_back_and_done_again() {
    for lines in [0, 1] {
        let mut lake = Lake::after(3);
        let last = lake.commit("silver/events", 2);
        let text = fs::read_to_string(&last).unwrap();
        let cut: String = text.lines().take(lines).map(|line| format!("{line}\n")).collect();
        // in the middle of a line, and between two
        let broken_off = if lines == 1 { "" } else { "{\"add\":{\"path\":\"part" };
        fs::write(&last, cut + broken_off).unwrap();
        lake.tour();
        let report = lake.repair("silver.events", 0);
        assert_eq!((&report["status"], &report["version"]), (&json!("mended"), &json!(1)), "{report:#}");
        let told =
            "SELECT count(*) FROM lakesmith.runs WHERE command = 'repair' AND version = 1 AND status = 'succeeded'";
        assert_eq!(lake.project.value(told), 1);
        says(&report["notes"].to_string(), &["`gold.totals` has read `silver.events` up to version 2"]);
        // version 2 comes again, with more in it than gold has seen under that number
        lake.more();
        lake.project.run(0);
        lake.is_whole();
    }
}

/// Without `repair`: nobody need notice that a commit is gone.
#[test]
fn a_last_commit_of_silver_that_was_deleted_makes_gold_start_over_and_say_so() {
    let mut lake = Lake::after(3);
    fs::remove_file(lake.commit("silver/events", 2)).unwrap();
    let status = lake.project.lakesmith(&["status"]);
    let ahead = "`silver.events` ends at version 1, and version 2 was read: its commits were lost";
    says(&status.stdout, &[ahead, "the next run computes all of `gold.totals` anew"]);
    assert!(!status.stdout.contains("-1 "), "{status:?}");
    let plan = lake.project.lakesmith(&["plan"]);
    says(&plan.stdout, &["merge (full)", ahead]);
    let verified = lake.project.lakesmith(&["verify"]);
    says(&verified.stderr, &["`gold.totals` was not verified, it is unverifiable", ahead, "the next `lakesmith run`"]);
    lake.more();
    let report = lake.project.run(0);
    assert_eq!(table(&report, "silver.events")["version"], 2);
    let note = table(&report, "gold.totals")["note"].as_str().unwrap();
    says(note, &["full", "another version than the one that it was made from"]);
    lake.is_whole();
}

#[test]
fn a_last_commit_of_silver_that_was_deleted_and_replaced_by_a_compaction_is_noticed() {
    let lake = Lake::after(3);
    fs::remove_file(lake.commit("silver/events", 2)).unwrap();
    lake.project.json(&["optimize", "silver.events"], 0);
    lake.is_whole();
}

#[test]
fn a_deleted_last_commit_of_bronze_is_told_by_the_ledger_and_repaired() {
    let lake = Lake::after(3);
    fs::remove_file(lake.commit("bronze/events", 2)).unwrap();
    lake.tour();
    let report = lake.project.json(&["run"], 1);
    says(error(&report, "bronze.events"), &["ends at batch 2", "batch 3", "lakesmith repair bronze.events"]);
    // whoever is asked gives the same advice
    let status = lake.project.json(&["status"], 0);
    for name in ["bronze.events", "silver.events"] {
        let stale = table(&status, name)["stale"].as_str().unwrap();
        says(stale, &["ends at batch 2", "batch 3", "lakesmith repair bronze.events"]);
        assert!(!stale.contains("rebuild"), "{stale}");
    }
    for command in [["plan", "+silver.events"], ["run", "silver.events"]] {
        let said = lake.project.lakesmith(&command);
        assert_eq!(said.code, 1, "{said:?}");
        says(&said.stderr, &["ends at batch 2", "lakesmith repair bronze.events"]);
    }
    let report = lake.repair("bronze.events", 0);
    assert_eq!(report["lost"]["files"].as_array().unwrap().len(), 1, "{report:#}");
    lake.project.json(&["run"], 1);
    lake.project.json(&["rebuild", "bronze.events+", "--yes"], 0);
    lake.is_whole();
}

/// Silver was made anew after the first loss and has read nothing of the second.
#[test]
fn batches_lost_twice_are_two_losses() {
    let mut lake = Lake::after(3);
    let last = |lake: &Lake| {
        let logs = fs::read_dir(lake.log("bronze/events", "")).unwrap().map(|entry| entry.unwrap().path());
        logs.filter(|path| path.extension().is_some_and(|kind| kind == "json")).max().unwrap()
    };
    fs::remove_file(last(&lake)).unwrap();
    lake.repair("bronze.events", 0);
    lake.project.json(&["run"], 1);
    lake.project.json(&["rebuild", "bronze.events+", "--yes"], 0);
    lake.more();
    lake.project.json(&["run", "bronze.events"], 0);
    fs::remove_file(last(&lake)).unwrap();
    let report = lake.repair("bronze.events", 0);
    assert_eq!((&report["lost"]["after"], &report["lost"]["before"]), (&json!(5), &json!(7)), "{report:#}");
    lake.is_whole();

    // and who has read of the second is told
    lake.more();
    lake.project.run(0);
    fs::remove_file(last(&lake)).unwrap();
    lake.repair("bronze.events", 0);
    let report = lake.project.json(&["run"], 1);
    says(error(&report, "silver.events"), &["between 8 and 10, which were lost", "lakesmith rebuild silver.events"]);
    lake.project.json(&["rebuild", "bronze.events+", "--yes"], 0);
    lake.is_whole();
}

/// A repair that died between its two commits.
#[test]
fn a_ledger_that_was_not_told_of_lost_batches_is_told_by_the_next_run() {
    let lake = Lake::after(4);
    for version in [2, 3] {
        fs::remove_file(lake.commit("bronze/events", version)).unwrap();
    }
    lake.repair("bronze.events", 0);
    fs::remove_file(lake.commit("_lakesmith/ledger", 4)).unwrap();
    let report = lake.project.json(&["run"], 1);
    assert_eq!(table(&report, "bronze.events")["rows"]["inserted"], 40);
    lake.project.json(&["rebuild", "bronze.events+", "--yes"], 0);
    lake.is_whole();
}

/// Both that a repair says can be done: it was repaired, and then the copy turned up.
#[test]
fn a_copy_from_before_a_loss_that_was_repaired_does_not_double_what_it_holds() {
    let mut lake = Lake::after(3);
    let (bronze, copy) = (lake.project.path("lake/bronze/events"), lake.project.path("copy"));
    fs::rename(&bronze, &copy).unwrap();
    replaced::copy_table(&copy, &bronze);
    fs::remove_file(lake.commit("bronze/events", 2)).unwrap();
    lake.repair("bronze.events", 0);
    lake.project.json(&["run"], 1);
    lake.project.json(&["rebuild", "bronze.events+", "--yes"], 0);
    lake.more();
    lake.project.run(0);
    fs::remove_dir_all(&bronze).unwrap();
    replaced::copy_table(&copy, &bronze);
    let report = lake.project.json(&["run"], 1);
    says(error(&report, "bronze.events"), &["ends at batch 3", "batch 6", "lakesmith repair bronze.events"]);

    let report = lake.repair("bronze.events", 0);
    says(&report["notes"].to_string(), &["events/002.csv is there again, in batch 3, and is not taken in anew"]);
    assert_eq!(report["lost"]["files"], json!([{ "path": "events/003.csv", "rows": 20, "in_landing": true }]));
    // a repair that died before it told the ledger says the same by its commit
    let ledger = fs::read_dir(lake.log("_lakesmith/ledger", "")).unwrap().map(|entry| entry.unwrap().path());
    fs::remove_file(ledger.filter(|path| path.extension().is_some_and(|kind| kind == "json")).max().unwrap()).unwrap();
    let report = lake.project.json(&["run"], 1);
    assert_eq!(table(&report, "bronze.events")["rows"]["inserted"], 20, "{report:#}");
    lake.project.json(&["rebuild", "bronze.events+", "--yes"], 0);
    lake.is_whole();
}

/// The next run completes it before it takes anything in.
#[test]
fn a_ledger_that_is_gone_when_batches_are_found_lost_is_made_from_what_is_left() {
    let lake = Lake::after(3);
    fs::remove_file(lake.commit("bronze/events", 2)).unwrap();
    fs::remove_dir_all(lake.project.path("lake/_lakesmith/ledger")).unwrap();
    let plan = lake.project.lakesmith(&["plan"]);
    says(&plan.stderr, &["`silver.events` has read it up to batch 3", "lakesmith repair bronze.events"]);
    lake.repair("bronze.events", 0);
    let report = lake.project.json(&["run"], 1);
    assert_eq!(table(&report, "bronze.events")["rows"]["inserted"], 20, "{report:#}");
    lake.project.json(&["rebuild", "bronze.events+", "--yes"], 0);
    lake.is_whole();
}

/// The ledger came from the same backup: only the tables below know of the batch.
#[test]
fn a_bronze_table_and_a_ledger_from_a_backup_do_not_give_a_number_twice() {
    let mut lake = Lake::after(3);
    fs::remove_file(lake.commit("bronze/events", 2)).unwrap();
    fs::remove_file(lake.commit("_lakesmith/ledger", 2)).unwrap();
    lake.more();
    let report = lake.project.json(&["run"], 1);
    says(
        error(&report, "bronze.events"),
        &["ends at batch 2", "`silver.events` has read it up to batch 3", "lakesmith repair bronze.events"],
    );
    lake.repair("bronze.events", 0);
    lake.project.json(&["run"], 1);
    lake.project.json(&["rebuild", "bronze.events+", "--yes"], 0);
    lake.is_whole();
}

/// Of a file that is gone from the landing folder nothing can bring the records back; it is said.
#[test]
fn records_that_no_landing_file_holds_any_more_are_named_as_lost() {
    let mut lake = Lake::after(4);
    for version in [2, 3] {
        fs::remove_file(lake.commit("bronze/events", version)).unwrap();
    }
    fs::remove_file(lake.project.path("landing/events/002.csv")).unwrap();
    let said = lake.project.lakesmith(&["repair", "bronze.events", "--yes"]);
    assert_eq!(said.code, 0, "{said:?}");
    says(
        &said.stdout,
        &["events/002.csv, 20 records: it is no longer in the landing folder", "events/003.csv, 20 records: it is in"],
    );
    lake.project.json(&["run"], 1);
    lake.project.json(&["rebuild", "bronze.events+", "--yes"], 0);
    lake.files -= 1;
    lake.is_whole();
}

#[test]
fn a_table_without_a_key_is_not_fed_twice() {
    let lake = Lake { project: Project::small(), files: 0 };
    lake.project.write("layers/silver/events.yaml", "from: bronze.events\ncontract: schemas/events.odcs.yaml\n");
    let mut lake = lake;
    for _ in 0..3 {
        lake.more();
        lake.project.run(0);
    }
    fs::write(lake.commit("bronze/events", 2), b"").unwrap();
    lake.repair("bronze.events", 0);
    lake.project.json(&["run"], 1);
    assert_eq!(lake.project.value("SELECT count(*) FROM silver.events"), 60);
    lake.project.json(&["rebuild", "bronze.events+", "--yes"], 0);
    lake.is_whole();
}

#[test]
fn lakesmiths_own_tables_are_repaired_too() {
    let mut lake = Lake::after(3);
    fs::write(lake.commit("_lakesmith/ledger", 2), b"").unwrap();
    fs::write(lake.commit("_lakesmith/runs", 2), b"").unwrap();
    lake.tour();
    let report = lake.project.json(&["run"], 1);
    says(error(&report, "bronze.events"), &["lakesmith repair lakesmith.ledger"]);
    assert_eq!(lake.repair("lakesmith.ledger", 0)["status"], "mended");
    assert_eq!(lake.repair("lakesmith.runs", 0)["status"], "mended");
    lake.more();
    lake.is_whole();
}

#[test]
fn a_commit_in_the_middle_is_never_taken_back() {
    let lake = Lake::after(3);
    fs::write(lake.commit("gold/totals", 1), b"").unwrap();
    lake.tour();
    let before = lake.project.lake_files();
    let report = lake.repair("gold.totals", 1);
    assert_eq!(report["status"], "damaged", "{report:#}");
    says(&report.to_string(), &["00000000000000000001.json", "from a copy", "move the table's folder away"]);
    assert_eq!(lake.project.lake_files(), before);
    fs::remove_dir_all(lake.project.path("lake/gold/totals")).unwrap();
    lake.is_whole();
}

#[test]
fn a_silver_table_from_a_backup_catches_up() {
    let mut lake = Lake::after(5);
    for version in [2, 3, 4] {
        fs::remove_file(lake.commit("silver/events", version)).unwrap();
    }
    lake.more();
    let report = lake.project.run(0);
    let note = table(&report, "gold.totals")["note"].as_str().unwrap();
    says(note, &["full: `silver.events` ends at version 2, and version 4 was read: its commits were lost"]);
    lake.is_whole();
}
