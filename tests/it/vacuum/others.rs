//! A vacuum beside the other commands that know old versions.

use std::sync::Arc;

use chrono::Utc;
use lakesmith::delta::{At, Change, Operation};
use lakesmith::run::Vacuum;

use super::*;

const FORCED: [&str; 5] = ["vacuum", "--retain", "0s", "--force", "--yes"];

#[test]
fn what_a_commit_brought_back_since_it_was_shown_stays() {
    let project = grown();
    let first = silver(&project, 0);
    block_on(async {
        let checked = crate::lake::load(project.root());
        let tables = checked.order.iter().cloned().collect();
        let (lake, now) = (lake(&project), Utc::now());
        let retain = Some(Duration::ZERO);
        let vacuum = Vacuum { project: Arc::clone(&checked), lake, tables, records: true, retain, force: true, now };
        let shown = vacuum.survey().await.unwrap();
        let table = vacuum.lake.table("silver/events");
        let (old, newest) =
            (table.snapshot_at(&At::Version(0)).await.unwrap(), table.snapshot().await.unwrap().unwrap());
        let (adds, removes) = (old.files().to_vec(), newest.files().to_vec());
        let change = Change { adds, removes, operation: Operation::Restore(0), ..Change::default() };
        table.commit(&newest, change).await.unwrap();
        let done = vacuum.carry_out(&shown).await.unwrap();
        assert!(done.total().0 > 0 && done.total().0 < shown.total().0, "{done:?}");
    });
    assert_eq!(silver(&project, 4), first);
}

#[test]
fn compacted_tables_lose_their_small_files_and_nothing_else() {
    let project = grown();
    project.json(&["optimize"], 0);
    let rows = (silver(&project, 3), gold(&project, 3));
    let report = project.json(&FORCED, 0);
    assert_eq!(table(&report, "bronze.events")["files"], 4, "one of each run: {report}");
    assert_eq!(files(&project, "bronze/events").len(), 1);
    // gold has read version 3 of silver, so that one stays
    assert_eq!(silver(&project, 3), rows.0);
    assert_eq!(project.json(&["verify"], 0)["status"], "equal");
    project.write("landing/events/9.csv", events(&["9,a,9.00"]));
    let run = project.run(0);
    let silver = table(&run, "silver.events");
    assert_eq!((&silver["action"], &silver["rows"]["read"]), (&"merge".into(), &1.into()), "{silver}");
    let gold = table(&run, "gold.totals");
    assert!(gold["note"].as_str().unwrap().contains("incremental"), "{gold}");
    assert_eq!(project.json(&["verify"], 0)["status"], "equal");
}

#[test]
fn versions_that_lost_files_are_no_ground_to_go_back_to_or_compare_with() {
    let project = grown();
    project.json(&["optimize", "bronze"], 0);
    project.json(&["pin", "silver.events@1", "--as", "second"], 0);
    project.json(&FORCED, 0);
    let before = project.lake_files();
    for args in [
        &["diff", "silver.events@0"][..],
        &["diff", "silver.events@0", "@second"],
        &["rebuild", "silver.events", "--from", "bronze.events@1", "--yes"],
    ] {
        let said = project.lakesmith(args);
        assert_eq!(said.code, 1, "{args:?}: {said:?}");
        assert!((said.stdout + &said.stderr).contains("were deleted"), "{args:?}");
    }
    let diff = project.json(&["diff", "silver.events@second", "@3"], 0);
    assert_eq!(diff["rows"]["added"], 2, "{diff}");
    let data = |files: &[(PathBuf, u64)]| {
        files.iter().filter(|(path, _)| !path.to_str().unwrap().contains("_lakesmith")).count()
    };
    assert_eq!(data(&project.lake_files()), data(&before));
}
