//! Data files against their hashes, bronze against the landing files.

use std::fs;

use polars::prelude::{col, lit, when};

use super::*;

fn damage(report: &Value, name: &str) -> Vec<String> {
    let folders = table(report, name)["deep"]["files"].as_array().unwrap();
    folders.iter().flat_map(|folder| faults(&folder["faults"])).collect()
}

fn landing(report: &Value) -> &Value {
    &table(report, "bronze.events")["deep"]["landing"]
}

#[tokio::test(flavor = "multi_thread")]
async fn one_bit_in_any_file_is_found_and_where() {
    let project = made();
    let sound = project.verify(&["--deep"], 0);
    all_equal(&sound);
    let folders: Vec<_> =
        sound["lakesmith"].as_array().unwrap().iter().map(|f| f["folder"].as_str().unwrap()).collect();
    assert_eq!(folders, ["_lakesmith/ledger", "_lakesmith/runs"]);
    let homes = [
        ("bronze/events", "bronze.events"),
        ("silver/events", "silver.events"),
        ("quarantine/events", "silver.events"),
        ("gold/totals", "gold.totals"),
        ("_lakesmith/ledger", ""),
        ("_lakesmith/runs", ""),
    ];
    let mut whole = Vec::new();
    for (folder, _) in homes {
        let path = project.data(folder).await.pop().unwrap();
        whole.push((fs::read(&path).unwrap(), path));
    }
    // The magic number at the end, the footer, the data.
    for before_the_end in [1, 20, 0] {
        for (bytes, path) in &whole {
            let mut flipped = bytes.clone();
            let at = if before_the_end == 0 { bytes.len() / 3 } else { bytes.len() - before_the_end };
            flipped[at] ^= 4;
            fs::write(path, flipped).unwrap();
        }
        let report = project.verify(&["--deep"], 1);
        only(&report, &["bronze.events", "silver.events", "gold.totals"], "damaged");
        for ((_, name), (_, path)) in homes.iter().zip(&whole) {
            let found = match *name {
                "" => report["lakesmith"].as_array().unwrap().iter().flat_map(|f| faults(&f["faults"])).collect(),
                name => damage(&report, name),
            };
            let file = path.file_name().unwrap().to_str().unwrap();
            let named =
                found.iter().filter(|fault| fault.contains(file) && fault.contains("not those that were written"));
            assert_eq!(named.count(), 1, "{name}, {before_the_end} before the end: {found:?}");
        }
    }
    whole.iter().for_each(|(bytes, path)| fs::write(path, bytes).unwrap());
    all_equal(&project.verify(&["--deep"], 0));
}

/// Of a table whose input is damaged nobody is to believe that it holds wrong rows, and make it anew from that.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_made_from_a_damaged_table_is_not_called_different() {
    let project = made();
    for (folder, above, below) in
        [("bronze/events", "bronze.events", "silver.events"), ("silver/events", "silver.events", "gold.totals")]
    {
        let path = project.data(folder).await.pop().unwrap();
        let whole = fs::read(&path).unwrap();
        let mut failed = 0;
        for part in 1..7 {
            let mut flipped = whole.clone();
            flipped[whole.len() * part / 16] ^= 4;
            fs::write(&path, flipped).unwrap();
            let report = project.verify(&["--deep"], 1);
            assert_eq!(table(&report, above)["status"], "damaged", "{part} {report:#}");
            let remedy = table(&report, above)["deep"]["files"][0]["remedy"].as_str().unwrap();
            assert!(remedy.contains(&format!("lakesmith rebuild {above}+")), "{remedy}");
            if table(&report, below)["status"] != "equal" {
                failed += 1;
                assert_eq!(table(&report, below)["status"], "failed", "{part} {report:#}");
                let error = table(&report, below)["error"].as_str().unwrap();
                assert!(error.starts_with(&format!("`{above}`, which it is made from, is damaged: part-")), "{error}");
            }
        }
        assert!(failed > 0, "{folder}");
        fs::write(&path, whole).unwrap();
    }
    all_equal(&project.verify(&["--deep"], 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_cut_or_gone_is_found() {
    let project = made();
    let paths = project.data("bronze/events").await;
    let whole = fs::read(&paths[0]).unwrap();
    fs::write(&paths[0], &whole[..whole.len() - 7]).unwrap();
    fs::remove_file(&paths[1]).unwrap();
    let report = project.verify(&["--deep", "bronze"], 1);
    let size = whole.len();
    let found = damage(&report, "bronze.events");
    assert!(found[0].ends_with(&format!("it has {} bytes, and {size} were written", size - 7)), "{found:?}");
    assert!(found[1].ends_with("it is not there"), "{found:?}");
    assert!(["failed", "damaged"].contains(&report["status"].as_str().unwrap()), "{report:#}");
}

/// What another program has written bears no hash of ours.
#[tokio::test(flavor = "multi_thread")]
async fn files_of_other_writers_are_counted_as_unhashed() {
    let project = made();
    let log = project.path("lake/gold/totals/_delta_log/00000000000000000001.json");
    let text = fs::read_to_string(&log).unwrap();
    let lines = text.lines().map(|line| {
        let mut action: Value = serde_json::from_str(line).unwrap();
        if let Some(add) = action.get_mut("add").and_then(Value::as_object_mut) {
            add.remove("tags");
        }
        format!("{action}\n")
    });
    fs::write(&log, lines.collect::<String>()).unwrap();
    let report = project.verify(&["--deep", "gold"], 0);
    all_equal(&report);
    let files = &table(&report, "gold.totals")["deep"]["files"][0];
    assert!(files["unhashed"].as_u64().unwrap() > 0, "{files:#}");
}

/// The data files are sound, the ledger agrees, and yet a value is not what came.
#[tokio::test(flavor = "multi_thread")]
async fn a_value_of_bronze_that_no_landing_file_holds_is_found() {
    let project = made();
    let forged = when(col("id").eq(lit("3"))).then(lit("9.99")).otherwise(col("amount")).alias("amount");
    rewrite(&project.lake(), "bronze/events", |rows| rows.with_columns([forged])).await;
    all_equal(&project.verify(&["bronze"], 0));
    let report = project.verify(&["--deep", "bronze"], 1);
    only(&report, &["bronze.events"], "different");
    let diff = &landing(&report)["diff"];
    assert_eq!(diff["rows"]["changed"], 1, "{diff:#}");
    let sample = &diff["sample"][0];
    assert_eq!((&sample["before"]["amount"], &sample["after"]["amount"]), (&"9.99".into(), &"3.30".into()));

    // of a file that is gone nothing can be told
    fs::remove_file(project.path("landing/events/2.csv")).unwrap();
    let report = project.verify(&["--deep", "bronze"], 0);
    assert_eq!((&landing(&report)["unchanged"], &landing(&report)["gone"]), (&1.into(), &1.into()));
    assert_eq!(landing(&report)["records"], 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_landing_file_that_has_changed_since_is_a_note() {
    let project = made();
    project.write("landing/events/1.csv", SECOND);
    project.write("landing/events/2.csv", SECOND.replace("3.30", "3.31"));
    project.write("landing/events/new.csv", "ID,kind\n1,a\n");
    let report = project.verify(&["--deep", "bronze"], 0);
    all_equal(&report);
    let changed = faults(&landing(&report)["changed"]);
    assert!(changed[0].starts_with("events/1.csv: it had ") && changed[0].ends_with(" now"), "{changed:?}");
    assert_eq!(changed[1..], ["events/2.csv: it has other bytes than when it was taken in"]);
    assert_eq!(landing(&report)["unchanged"], 0);
}

#[test]
fn without_a_landing_folder_the_rest_is_verified() {
    let project = made();
    fs::remove_dir_all(project.path("landing")).unwrap();
    let report = project.verify(&["--deep"], 0);
    all_equal(&report);
    assert_eq!(landing(&report)["gone"], 2);
    assert!(landing(&report)["note"].as_str().unwrap().contains("landing folder"), "{report:#}");
}
