//! Tables that read others, and what stands between them.

use super::*;

/// Gold has read the first version of silver, which then goes on for sixty days without it.
fn behind() -> Project {
    let project = Project::small();
    project.write("landing/events/0.csv", events(&["1,a,1.00", "2,b,1.00", "3,c,1.00", "4,d,1.00", "5,e,1.00"]));
    project.run(0);
    for (number, row) in ["1,a,2.00", "1,a,3.00", "6,b,4.00"].iter().enumerate() {
        pass(&project, 20);
        project.write(&format!("landing/events/{}.csv", number + 1), events(&[row]));
        project.json(&["run", "bronze", "silver"], 0);
    }
    pass(&project, 40);
    project
}

#[test]
fn a_table_that_is_far_behind_still_goes_on_from_where_it_was() {
    let project = behind();
    let first = silver(&project, 0);
    let report = project.json(&["vacuum", "--retain", "0s", "--force", "--yes"], 0);
    let told = table(&report, "silver.events");
    let expected = serde_json::json!([{ "version": 0, "why": "watermark", "by": "gold.totals" }]);
    assert_eq!(told["kept"], expected, "{told}");
    assert!(told["files"].as_u64().unwrap() > 0, "{told}");
    assert_eq!(silver(&project, 0), first);
    assert_eq!(project.lakesmith(&["show", "silver.events@1"]).code, 1, "nobody reads it");
    let run = project.run(0);
    let gold = table(&run, "gold.totals");
    assert!(gold["note"].as_str().unwrap().contains("incremental: 2 of 5 groups"), "{gold}");
    assert_eq!(project.value("SELECT sum(amount) FROM gold.totals"), 11.0);
    let report = project.json(&["vacuum", "--retain", "0s", "--force", "--yes"], 0);
    assert_eq!(table(&report, "silver.events")["kept"][0]["version"], 3);
    assert_eq!(project.lakesmith(&["show", "silver.events@0"]).code, 1, "gold has gone on");
}

#[test]
fn rows_below_are_the_same_with_and_without_vacuums() {
    let (with, without) = (Project::small(), Project::small());
    for number in 0..6i32 {
        let file =
            events(&[&format!("{},k{},1.00", number % 3, number % 2), &format!("{},k2,2.00", 10 + number), "x,k,1"]);
        for project in [&with, &without] {
            project.write(&format!("landing/events/{number}.csv"), &file);
            let gold_too = number % 2 == 1;
            project.json(if gold_too { &["run"] } else { &["run", "bronze", "silver"] }, 0);
        }
        pass(&with, 9);
        with.json(&["vacuum", "--retain", "7d", "--yes"], 0);
    }
    let rows = |project: &Project, folder: &str, columns: &[&str]| {
        block_on(crate::lake::rows(&lake(project), folder, columns))
    };
    for (folder, columns) in [
        ("silver/events", &["id", "kind", "amount", "_batch"][..]),
        ("gold/totals", &["kind", "events", "amount"]),
        ("quarantine/events", &["_row", "_batch"]),
        ("_lakesmith/ledger", &["path", "batch", "state"]),
    ] {
        assert_eq!(rows(&with, folder, columns), rows(&without, folder, columns), "{folder}");
    }
    assert!(files(&with, "silver/events").len() < files(&without, "silver/events").len());
    assert_eq!(gold(&with, 2), gold(&without, 2));
    assert_eq!(with.run(0)["status"], "unchanged");
}
