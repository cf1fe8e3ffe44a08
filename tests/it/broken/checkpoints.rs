//! Checkpoints, and the file that names the last one: all that they say stands in the commits too.

use super::*;

const CHECKPOINT: &str = "00000000000000000009.checkpoint.parquet";

fn broken(lake: &Lake, how: &str) {
    for table in ["bronze/events", "silver/events", "gold/totals", "_lakesmith/ledger"] {
        let (file, hint) = (lake.log(table, CHECKPOINT), lake.log(table, "_last_checkpoint"));
        assert!(file.is_file() && hint.is_file());
        match how {
            "gone" => fs::remove_file(file).unwrap(),
            "cut" => cut(&file),
            _ => fs::write(hint, b"{\"version\":5,\"size\":3}").unwrap(),
        }
    }
}

#[test]
fn a_lake_without_one_usable_checkpoint_is_read_written_and_mended() {
    let mut lake = Lake::after(11);
    for how in ["gone", "cut", "hint astray"] {
        // each begins from a lake with sound checkpoints
        let copy = tempfile::tempdir().unwrap();
        copy_folder(&lake.project.path("lake"), copy.path());
        broken(&lake, how);
        let status = lake.project.json(&["status"], 0);
        let damage = table(&status, "silver.events")["log"].to_string();
        says(&damage, &["lakesmith repair silver.events"]);
        if how == "cut" {
            let report = lake.project.json(&["verify", "--deep", "silver"], 1);
            says(&report.to_string(), &[CHECKPOINT, "to mend it: lakesmith repair silver.events"]);
        }
        lake.more();
        lake.project.run(0);
        assert_eq!(lake.project.value("SELECT count(*) FROM silver.events"), lake.events(), "{how}");
        let dry = lake.project.json(&["repair", "silver.events", "--dry-run"], 0);
        assert_eq!((&dry["status"], &dry["dry_run"]), (&json!("mended"), &json!(true)), "{how} {dry:#}");
        for name in ["bronze.events", "silver.events", "gold.totals", "lakesmith.ledger"] {
            // what only writes a checkpoint does not ask
            let done = lake.project.json(&["repair", name], 0);
            assert_eq!(done["status"], "mended", "{how} {name} {done:#}");
        }
        assert_eq!(lake.project.json(&["repair", "silver.events"], 0)["status"], "sound", "{how}");
        let status = lake.project.lakesmith(&["status"]);
        assert!(!status.stderr.contains("warning") && !status.stdout.contains("repair"), "{how} {status:?}");
        lake.is_whole();
        fs::remove_dir_all(lake.project.path("lake")).unwrap();
        copy_folder(copy.path(), &lake.project.path("lake"));
        lake.files -= 1;
        fs::remove_file(lake.project.path(&format!("landing/events/{:03}.csv", lake.files))).unwrap();
    }
}

fn copy_folder(from: &std::path::Path, to: &std::path::Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy_folder(&entry.path(), &to),
            false => drop(fs::copy(entry.path(), to).unwrap()),
        }
    }
}

#[test]
fn a_reader_says_once_what_it_does_without_and_how_to_mend_it() {
    let lake = Lake::after(10);
    cut(&lake.log("silver/events", CHECKPOINT));
    let said = lake.project.lakesmith(&["run"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(said.stderr.matches(CHECKPOINT).count(), 1, "{said:?}");
    says(&said.stderr, &["the table is read without it", "lakesmith repair silver.events"]);
    assert!(said.stderr.lines().any(|line| line.starts_with("warning: silver/events/_delta_log/")), "{said:?}");
}

#[test]
fn a_checkpoint_that_the_log_cannot_do_without_is_an_error_that_names_it() {
    let lake = Lake::after(11);
    (0..9).for_each(|version| fs::remove_file(lake.commit("silver/events", version)).unwrap());
    assert_eq!(lake.project.json(&["verify"], 0)["status"], "equal");
    cut(&lake.log("silver/events", CHECKPOINT));
    lake.tour();
    let said = lake.project.lakesmith(&["status"]);
    assert_eq!(said.code, 1, "{said:?}");
    says(&said.stderr, &["00000000000000000009.checkpoint", "lakesmith repair silver.events"]);
    let report = lake.repair("silver.events", 1);
    assert_eq!(report["status"], "damaged", "{report:#}");
    says(report["error"].as_str().unwrap(), &["from a copy", "move the table's folder away"]);
    // which works
    fs::remove_dir_all(lake.project.path("lake/silver/events")).unwrap();
    lake.is_whole();
}
