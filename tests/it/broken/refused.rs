//! Rows that silver refused, and that are gone: nothing is added to a quarantine that lacks some, and whoever looks is
//! told. Lakes in which none is missing stay quiet.

use super::*;

const ADVICE: &str = "lakesmith rebuild silver.events";

/// Three runs that refuse a row each.
fn refusing() -> Project {
    let project = Project::small();
    for file in 1..=3 {
        refuse_one(&project, file);
        project.run(0);
    }
    project
}

fn refuse_one(project: &Project, file: usize) {
    let rows = format!("id,kind,amount,at\n{file},a,1.10,2026-01-01T00:00:00Z\nx{file},b,2.20,\n");
    project.write(&format!("landing/events/{file}.csv"), rows);
}

fn refused(project: &Project) -> usize {
    project.json(&["quarantine", "silver.events"], 0).as_array().unwrap().len()
}

fn stale(project: &Project) -> Value {
    project.json(&["status", "silver.events"], 0)["tables"][0]["stale"].clone()
}

#[test]
fn refused_rows_that_are_gone_are_told_and_a_rebuild_brings_them_back() {
    for how in ["gone", "emptied", "another", "older"] {
        let project = refusing();
        let folder = project.path("lake/quarantine/events");
        match how {
            "gone" => fs::remove_dir_all(&folder).unwrap(),
            "emptied" => {
                fs::remove_dir_all(&folder).unwrap();
                fs::create_dir_all(folder.join("_delta_log")).unwrap();
            }
            "another" => {
                fs::remove_dir_all(&folder).unwrap();
                replaced::copy_table(&project.path("lake/gold/totals"), &folder);
            }
            _ => fs::remove_file(folder.join("_delta_log/00000000000000000002.json")).unwrap(),
        }
        let is_told = |text: &str| says(text, &["rows that `silver.events` refused are gone", ADVICE]);
        is_told(error(&project.run(1), "silver.events"));
        is_told(stale(&project).as_str().unwrap());
        is_told(&project.lakesmith(&["plan", "--json"]).stdout);
        for args in [&["quarantine", "silver.events"][..], &["repair", "quarantine.events"]] {
            let said = project.lakesmith(args);
            assert_eq!(said.code, 1, "{said:?}");
            is_told(&said.stderr);
        }
        let before = fs::read_dir(&folder).map(Iterator::count).unwrap_or(0);
        refuse_one(&project, 4);
        is_told(error(&project.run(1), "silver.events"));
        assert_eq!(fs::read_dir(&folder).map(Iterator::count).unwrap_or(0), before, "{how}: nothing is added");

        let trial = project.json(&["rebuild", "silver.events", "--dry-run"], i32::from(how == "another"));
        if how == "another" {
            says(error(&trial, "silver.events"), &["quarantine/events", "move its folder away"]);
            fs::rename(&folder, project.path("away")).unwrap();
        }
        project.json(&["rebuild", "silver.events", "--yes"], 0);
        assert_eq!(refused(&project), 4, "{how}");
        project.run(0);
        assert_eq!(project.run(0)["status"], "unchanged");
        assert_eq!(stale(&project), Value::Null);
        assert_eq!(project.json(&["verify"], 0)["status"], "equal");

        let back = project.lakesmith(&["restore", "silver.events@2", "--yes"]);
        assert_eq!(back.code, 1, "{how}: {back:?}");
        says(&back.stderr, &["silver.events@2` refused cannot be had any more", "rebuild silver.events"]);
        if how == "older" {
            project.json(&["restore", "silver.events@1", "--yes"], 0);
            assert_eq!(refused(&project), 2, "what the copy still had");
        }
    }
}

/// The quarantine of a table that refuses nothing any more is not missed.
#[test]
fn a_rebuild_that_refuses_no_row_ends_the_matter() {
    let contract = |project: &Project, required: bool| {
        let text = fs::read_to_string(project.path("schemas/events.odcs.yaml")).unwrap();
        let kind = |required| {
            format!("{{ name: kind, logicalType: string{} }}", if required { ", required: true" } else { "" })
        };
        project.write("schemas/events.odcs.yaml", text.replace(&kind(!required), &kind(required)));
    };
    let project = Project::small();
    contract(&project, true);
    project.write("landing/events/1.csv", "id,kind,amount,at\n1,a,1.10,\n2,,2.20,\n");
    project.run(0);
    assert_eq!(refused(&project), 1);
    fs::remove_dir_all(project.path("lake/quarantine/events")).unwrap();
    contract(&project, false);
    says(error(&project.run(1), "silver.events"), &["refused are gone", ADVICE]);
    project.json(&["rebuild", "silver.events", "--yes"], 0);
    project.run(0);
    assert!(!project.path("lake/quarantine/events").exists());
    for _ in 0..2 {
        assert_eq!((refused(&project), stale(&project)), (0, Value::Null));
        assert_eq!(project.run(0)["status"], "unchanged");
        assert_eq!(project.json(&["verify"], 0)["status"], "equal");
        // a table that refuses again has a quarantine again, which belongs to it alone
        contract(&project, true);
        project.json(&["rebuild", "silver.events", "--yes"], 0);
        project.run(0);
        assert_eq!(refused(&project), 1);
        contract(&project, false);
        project.json(&["rebuild", "silver.events", "--yes"], 0);
        project.run(0);
    }
}

#[test]
fn a_table_that_goes_back_before_its_first_refusal_needs_no_quarantine() {
    let project = Project::small();
    project.write("landing/events/0.csv", "id,kind,amount,at\n0,a,1.10,\n");
    project.run(0);
    refuse_one(&project, 1);
    project.run(0);
    let back = || project.json(&["restore", "silver.events@0", "--yes"], 0);
    back();
    assert_eq!((refused(&project), stale(&project)), (0, Value::Null));
    project.run(0);
    assert_eq!(refused(&project), 1);

    fs::remove_dir_all(project.path("lake/quarantine/events")).unwrap();
    back();
    assert_eq!((refused(&project), stale(&project)), (0, Value::Null));
    project.run(0);
    assert_eq!(refused(&project), 1, "what came after version 0 was read again");
    assert_eq!(project.json(&["verify"], 0)["status"], "equal");
}

/// Its log comes first: as long as that cannot be read, nothing can make the rows anew.
#[test]
fn a_quarantine_whose_last_commit_is_cut_off_is_mended_and_then_made_anew() {
    let project = refusing();
    let last = project.path("lake/quarantine/events/_delta_log/00000000000000000002.json");
    fs::write(&last, "").unwrap();
    let (report, stale) = (project.run(1), stale(&project));
    for text in [error(&report, "silver.events"), stale.as_str().unwrap()] {
        says(text, &["00000000000000000002.json is empty", "lakesmith repair quarantine.events"]);
    }
    let report = project.json(&["repair", "quarantine.events", "--yes"], 0);
    assert_eq!((&report["status"], &report["version"]), (&json!("mended"), &json!(1)), "{report:#}");
    says(&report["notes"].to_string(), &["ends at version 1", ADVICE]);
    says(error(&project.run(1), "silver.events"), &["rows that `silver.events` refused are gone", ADVICE]);
    project.json(&["rebuild", "silver.events+", "--yes"], 0);
    assert_eq!(refused(&project), 3);
    assert_eq!(project.json(&["verify"], 0)["status"], "equal");
}
