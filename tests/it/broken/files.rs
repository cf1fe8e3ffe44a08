//! Data files that are gone, cut off, exchanged, or have other bytes.

use std::path::Path;

use super::*;

/// What is done to a file, and what is then said of it.
type Damage<'a> = (&'a str, &'a dyn Fn(&PathBuf), &'a str);

fn flip(path: &PathBuf) {
    let mut bytes = fs::read(path).unwrap();
    let at = bytes.len() / 3;
    bytes[at] ^= 4;
    fs::write(path, bytes).unwrap();
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}

fn exchange(one: &Path, other: &Path) {
    let (a, b) = (fs::read(one).unwrap(), fs::read(other).unwrap());
    fs::write(one, b).unwrap();
    fs::write(other, a).unwrap();
}

#[test]
fn a_damaged_file_of_silver_is_named_and_the_table_is_made_anew() {
    let damages: [Damage<'_>; 4] = [
        ("cut", &cut, "were written"),
        ("gone", &|path| fs::remove_file(path).unwrap(), "is not there"),
        ("flipped", &flip, "its bytes are not those that were written"),
        ("longer", &|path| fs::write(path, [fs::read(path).unwrap(), vec![0; 7]].concat()).unwrap(), "were written"),
    ];
    for (how, damage, told) in damages {
        let lake = Lake::after(2);
        let file = lake.data("silver/events")[0].clone();
        damage(&file);
        lake.tour();
        let said = lake.project.lakesmith(&["verify", "--deep"]);
        assert_eq!(said.code, 1, "{how}: {said:?}");
        says(&said.stderr, &[&name(&file), told]);
        // flipped bits only the hash tells for sure
        if how != "flipped" {
            let report = lake.project.json(&["verify"], 1);
            says(error(&report, "silver.events"), &[&name(&file), "lakesmith rebuild silver.events"]);
        }
        // where bytes stand behind its end, DataFusion reads the file as it was
        if ["cut", "gone"].contains(&how) {
            let said = lake.project.lakesmith(&["query", "SELECT sum(amount) FROM silver.events"]);
            assert_eq!(said.code, 1, "{how}: {said:?}");
            says(&said.stderr, &[&name(&file), "lakesmith rebuild silver.events"]);
        }
        lake.project.json(&["rebuild", "silver.events+", "--yes"], 0);
        lake.is_whole();
    }
}

#[test]
fn a_damaged_file_of_bronze_is_named_by_whoever_reads_it() {
    for damage in [cut as fn(&PathBuf), |path| fs::remove_file(path).unwrap()] {
        let mut lake = Lake::after(2);
        let file = lake.data("bronze/events")[0].clone();
        damage(&file);
        lake.tour();
        let report = lake.project.json(&["rebuild", "silver.events", "--yes"], 1);
        says(error(&report, "silver.events"), &["bronze/events", &name(&file), "from a copy", "landing folder"]);
        let report = lake.project.json(&["optimize", "bronze.events"], 1);
        says(error(&report, "bronze.events"), &[&name(&file), "from a copy"]);
        // what does not read it goes on
        lake.more();
        lake.project.run(0);
        // the advice works
        fs::remove_dir_all(lake.project.path("lake/bronze/events")).unwrap();
        let report = lake.project.json(&["run"], 1);
        says(error(&report, "silver.events"), &["another table", "lakesmith rebuild silver.events"]);
        lake.project.json(&["rebuild", "bronze.events+", "--yes"], 0);
        lake.is_whole();
    }
}

#[test]
fn a_damaged_file_of_gold_stops_the_run_that_needs_it() {
    let mut lake = Lake::after(2);
    let files = lake.data("gold/totals");
    files.iter().for_each(cut);
    lake.more();
    let report = lake.project.json(&["run"], 1);
    says(error(&report, "gold.totals"), &["data file", "were written", "lakesmith rebuild gold.totals"]);
    assert_eq!(table(&report, "silver.events")["status"], "succeeded");
    lake.project.json(&["rebuild", "gold.totals", "--yes"], 0);
    lake.is_whole();
}

#[test]
fn two_files_that_were_exchanged_are_found() {
    for (folder, table_name) in [("bronze/events", "bronze.events"), ("silver/events", "silver.events")] {
        let lake = Lake::after(3);
        let files = lake.data(folder);
        // of other sizes, which is seen at once, or of one, where only the hash tells
        exchange(&files[0], &files[2]);
        let report = lake.project.json(&["verify", "--deep"], 1);
        let found = table(&report, table_name)["deep"]["files"].to_string();
        says(&found, &[&name(&files[0]), &name(&files[2])]);
        lake.tour();
        exchange(&files[0], &files[2]);
        lake.is_whole();
    }
}

/// Spark's VACUUM knows nothing of what tables below have read.
#[test]
fn a_version_that_another_vacuum_has_emptied_is_told_and_all_is_computed() {
    let mut lake = Lake::after(2);
    let before = lake.data("silver/events");
    lake.project.json(&["optimize", "silver.events"], 0);
    before.iter().for_each(|file| fs::remove_file(file).unwrap());
    // now rows change too
    lake.more();
    let report = lake.project.run(0);
    let gold = table(&report, "gold.totals");
    assert_eq!(gold["status"], "succeeded", "{gold}");
    lake.is_whole();

    // without a compaction in between: the very files of the version that gold has read
    let text = "id,kind,amount,at\n1,k9,9.00,2027-01-01T00:00:00Z\n";
    lake.project.write("landing/events/change.csv", text);
    let before = lake.data("silver/events");
    lake.project.json(&["run", "bronze", "silver"], 0);
    lake.project.json(&["rebuild", "silver.events", "--yes"], 0);
    before.iter().for_each(|file| fs::remove_file(file).unwrap());
    let report = lake.project.run(0);
    let note = table(&report, "gold.totals")["note"].as_str().unwrap();
    says(note, &["full"]);
    assert!(note.contains("cannot be told") || note.contains("can no longer be read"), "{note}");
    assert_eq!(lake.project.json(&["verify", "--deep"], 0)["status"], "equal");
}

/// Whoever reads rows says which file of which table it is, and what to do: also those commands that few use on a bad day.
#[test]
fn every_command_that_reads_a_damaged_file_names_it_and_what_to_do() {
    let behead = |path: &PathBuf| {
        let mut bytes = fs::read(path).unwrap();
        let end = bytes.len() - 8;
        bytes[end - 60..end].fill(0xff);
        fs::write(path, bytes).unwrap();
    };
    for damage in [cut as fn(&PathBuf), |path| fs::remove_file(path).unwrap(), behead] {
        let lake = Lake::after(2);
        let file = lake.data("silver/events").pop().unwrap();
        damage(&file);
        let commands: [&[&str]; 6] = [
            &["diff", "silver.events@0"],
            &["backfill", "silver.events", "--from", "2026-01-01", "--to", "2026-02-01", "--yes"],
            &["backfill", "silver.events", "--from", "2026-01-01", "--to", "2026-02-01", "--dry-run"],
            &["rebuild", "silver.events", "--dry-run"],
            &["show", "silver.events", "-n", "100"],
            &["query", "SELECT * FROM silver.events"],
        ];
        for args in commands {
            let said = lake.project.lakesmith(args);
            assert_eq!(said.code, 1, "{args:?}: {said:?}");
            says(&said.stderr, &["data file", &name(&file), "is damaged", "lakesmith rebuild silver.events"]);
        }
    }
    // of a version that is no longer the newest
    let lake = Lake::after(2);
    let file = lake.data("gold/totals").remove(0);
    behead(&file);
    let said = lake.project.lakesmith(&["diff", "gold.totals@0"]);
    says(&said.stderr, &["gold/totals", &name(&file), "is damaged", "from a copy of the lake"]);
}
