//! A restore that dies at any of its changes, or meets a run: tables open, silver and its quarantine belong together, and
//! the same command does the rest.

use std::path::Path;
use std::sync::Arc;

use futures::FutureExt;
use lakesmith::delta::{At, Lake};
use lakesmith::report::{Action, RunReport};
use lakesmith::run::{Restore, Run};

use super::lived;
use crate::faulty::{Death, Faulty};
use crate::lake::{Rows, let_claims_expire, load, rows, rows_at, rows_of, run};
use crate::support::Project;

const COLUMNS: [(&str, &[&str]); 2] =
    [("silver/events", &["id", "kind", "amount", "_batch"]), ("gold/totals", &["kind", "events", "amount"])];

async fn back(root: &Path, lake: &Lake, version: i64) -> RunReport {
    let table = "silver.events".parse().unwrap();
    let restore = Restore { table, at: At::Version(version), below: true, hold: false };
    Run::in_lake(load(root), lake.clone(), Arc::new(|_| ())).restore(&restore).await
}

/// Silver, gold, and the refused rows that belong to silver as it is.
async fn all(lake: &Lake) -> Vec<Rows> {
    let mut all = Vec::new();
    for (folder, columns) in COLUMNS {
        all.push(rows(lake, folder, columns).await);
    }
    let table = "silver.events".parse().unwrap();
    let refused = lakesmith::run::quarantined(lake, &table).await.unwrap().unwrap();
    all.push(rows_of(&refused, &["_source_file", "_source_row"]).await);
    all
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_that_dies_anywhere_leaves_what_opens_and_is_done_by_the_same_command() {
    let lived = lived();
    let newest = all(&Faulty::healthy().lake(&lived.path("lake"))).await;
    let disk = Faulty::healthy();
    let trial = Project::empty();
    copy(&lived.path("lake"), &trial.path("lake"));
    assert_eq!(back(lived.root(), &disk.lake(&trial.path("lake")), 1).await.exit_code(), 0);
    let healthy = disk.lake(&trial.path("lake"));
    let expected = all(&healthy).await;
    assert_ne!(expected, newest);
    let changes = disk.changes();
    assert!(changes > 6, "{changes}");

    for after in 0..changes {
        for last_arrives in [false, true] {
            let trial = Project::empty();
            let folder = trial.path("lake");
            copy(&lived.path("lake"), &folder);
            let dying = Faulty::dying(Death { after, last_arrives, blind: after % 2 == 0 }).lake(&folder);
            back(lived.root(), &dying, 1).await;
            let_claims_expire(&folder);
            let healthy = Faulty::healthy().lake(&folder);
            let found = all(&healthy).await;
            let what = format!("death after {after} changes, last arrives: {last_arrives}");
            let is = |all: &[Rows]| (&found[0], &found[2]) == (&all[0], &all[2]);
            assert!(is(&newest) || is(&expected), "{what}: silver and what it refused belong together: {found:?}");
            assert!(found[1] == newest[1] || found[1] == expected[1], "{what}: {found:?}");
            if after % 2 == 0 {
                let report = back(lived.root(), &healthy, 1).await;
                assert_eq!(report.exit_code(), 0, "{what}: {report:?}");
                assert_eq!(all(&healthy).await, expected, "{what}");
            }
            let report = run(lived.root(), &healthy, 1, false).await;
            assert_eq!(report.exit_code(), 0, "{what}: {report:?}");
            assert_eq!(all(&healthy).await, newest, "{what}");
        }
    }
}

/// A run that takes in a further file right before silver, or gold, is to be committed.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_comes_between_is_taken_back_too_and_nothing_of_it_is_lost() {
    for moment in ["/quarantine/events/_delta_log/", "/silver/events/_delta_log/", "/gold/totals/_delta_log/"] {
        let project = Arc::new(lived());
        let others = project.clone();
        let meanwhile = move || {
            let project = others.clone();
            async move {
                project.write("landing/events/4.csv", super::events(4));
                let lake = project.path("lake");
                let_claims_expire(&lake);
                let report = run(project.root(), &Faulty::healthy().lake(&lake), 1, false).await;
                assert_eq!(report.exit_code(), 0, "{report:?}");
            }
            .boxed()
        };
        let lake = Faulty::meanwhile(moment, Box::new(meanwhile)).lake(&project.path("lake"));
        let report = back(project.root(), &lake, 1).await;
        assert!(report.tables.iter().all(|t| t.action == Action::Restore), "{moment}: {report:?}");
        let gold = rows(&lake, "gold/totals", COLUMNS[1].1).await;
        assert_eq!(gold, rows_at(&lake, "gold/totals", 1, COLUMNS[1].1).await, "{moment}");
        let silver = rows(&lake, "silver/events", COLUMNS[0].1).await;
        let before = rows_at(&lake, "silver/events", 1, COLUMNS[0].1).await;
        // what came after silver had gone back is no business of the restore
        assert_eq!(silver == before, moment != "/gold/totals/_delta_log/", "{moment}");

        assert_eq!(run(project.root(), &lake, 1, false).await.exit_code(), 0);
        let after = all(&lake).await;
        assert_eq!(after[2].len(), 4, "{moment}");
        assert_eq!(run(project.root(), &lake, 1, true).await.exit_code(), 0);
        let lineage_aside = |all: &[Rows]| {
            let silver = all[0].iter().map(|row| row[..3].to_vec()).collect::<Rows>();
            [vec![silver], all[1..].to_vec()].concat()
        };
        assert_eq!(lineage_aside(&all(&lake).await), lineage_aside(&after), "{moment}: a rebuild");
    }
}
