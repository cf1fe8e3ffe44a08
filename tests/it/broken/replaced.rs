//! Tables that are gone, or others in their place.

use super::*;

#[test]
fn a_bronze_table_that_was_removed_starts_anew_from_the_landing_files() {
    let lake = Lake::after(3);
    fs::remove_dir_all(lake.project.path("lake/bronze/events")).unwrap();
    let status = lake.project.lakesmith(&["status"]);
    says(&status.stdout, &["`bronze.events`, which `silver.events` was made from, is no longer in the lake"]);
    let report = lake.project.json(&["run"], 1);
    assert_eq!(table(&report, "bronze.events")["rows"]["inserted"], 60);
    says(
        error(&report, "silver.events"),
        &["`bronze.events` is another table than the one that `silver.events` was made from", "lakesmith rebuild"],
    );
    assert_eq!(lake.project.value("SELECT count(*) FROM silver.events"), 60, "its rows stay until someone says so");
    lake.project.json(&["rebuild", "bronze.events+", "--yes"], 0);
    lake.is_whole();
}

#[test]
fn silver_and_gold_that_were_removed_are_made_anew() {
    for folder in ["silver/events", "gold/totals", "_lakesmith", "_lakesmith/ledger", "_lakesmith/runs"] {
        let mut lake = Lake::after(3);
        fs::remove_dir_all(lake.project.path(&format!("lake/{folder}"))).unwrap();
        lake.more();
        lake.tour();
        lake.is_whole();
    }
}

#[test]
fn a_table_in_the_place_of_another_is_noticed() {
    // bronze: a table that has no batches
    let lake = Lake::after(2);
    let (bronze, gold) = (lake.project.path("lake/bronze/events"), lake.project.path("lake/gold/totals"));
    fs::remove_dir_all(&bronze).unwrap();
    copy_table(&gold, &bronze);
    lake.tour();
    let report = lake.project.json(&["run"], 1);
    says(error(&report, "bronze.events"), &["lakesmith did not make", "move its folder away"]);

    // gold: a table of another definition, of which the guard lets nothing go
    let lake = Lake::after(2);
    let (silver, gold) = (lake.project.path("lake/silver/events"), lake.project.path("lake/gold/totals"));
    fs::remove_dir_all(&gold).unwrap();
    copy_table(&silver, &gold);
    lake.tour();
    lake.project.json(&["rebuild", "gold.totals", "--yes"], 0);
    lake.is_whole();
}

pub fn copy_table(from: &std::path::Path, to: &std::path::Path) {
    for folder in ["", "_delta_log"] {
        fs::create_dir_all(to.join(folder)).unwrap();
        for entry in fs::read_dir(from.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                fs::copy(&path, to.join(folder).join(path.file_name().unwrap())).unwrap();
            }
        }
    }
}

/// The same rows in a table with another id: nobody knows what it was made from.
#[test]
fn a_silver_table_made_anew_elsewhere_makes_gold_start_over() {
    let mut lake = Lake::after(2);
    fs::remove_dir_all(lake.project.path("lake/silver/events")).unwrap();
    lake.project.json(&["run", "silver"], 0);
    lake.more();
    let report = lake.project.run(0);
    says(table(&report, "gold.totals")["note"].as_str().unwrap(), &["full", "is another table than before"]);
    lake.is_whole();
}
