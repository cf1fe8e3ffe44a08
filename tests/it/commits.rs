//! Commits that others made: runs that died or lost, other engines. Silver and its quarantine are one unit all the same.
//! Made here by hand.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::FutureExt;
use lakesmith::delta::{Change, Lake, Operation, Table};
use polars::prelude::{IntoLazy, df};
use serde_json::json;

use crate::faulty::Faulty;
use crate::lake::{let_claims_expire, rows, run};
use crate::support::{Project, table};

const GOOD_AND_BAD: &str = "id,kind,amount,at\n1,a,1.10,\nx,b,2.20,\n";

fn lake(project: &Project) -> Lake {
    Lake::open(project.path("lake").to_str().unwrap(), &BTreeMap::new()).unwrap()
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(work)
}

/// What a run leaves that has replaced the quarantine and then dies before silver's commit.
async fn replace_and_die(quarantine: &Table, from: &Table) {
    let note = [("run_id".to_owned(), json!("dead")), ("action".to_owned(), json!("quarantine"))].into_iter().collect();
    let source = from.snapshot().await.unwrap().unwrap();
    let rows = source.scan().unwrap();
    let rows = polars::prelude::concat([rows.clone(), rows], Default::default()).unwrap();
    let adds = quarantine.write(rows, source.schema()).await.unwrap();
    let change = Change { adds, operation: Operation::Merge, note, ..Change::default() };
    match quarantine.snapshot().await.unwrap() {
        Some(base) => {
            let removes = base.files().to_vec();
            quarantine.commit(&base, Change { removes, ..change }).await.unwrap()
        }
        None => quarantine.create(source.schema(), change).await.unwrap(),
    };
}

fn refused(project: &Project) -> usize {
    project.json(&["quarantine", "silver.events"], 0).as_array().unwrap().len()
}

#[test]
fn what_a_dead_run_put_into_the_quarantine_never_counts() {
    let project = Project::small();
    project.write("landing/events/1.csv", GOOD_AND_BAD);
    project.run(0);
    let quarantine = lake(&project).table("quarantine/events");
    block_on(replace_and_die(&quarantine, &quarantine));
    assert_eq!(project.value("SELECT count(*) FROM quarantine.events"), 2, "the dead run's rows are there");
    assert_eq!(refused(&project), 1, "and do not count");
    assert_eq!(project.json(&["status", "silver.events"], 0)["tables"][0]["quarantined"], 1);
    project.write("landing/events/2.csv", "id,kind,amount,at\ny,c,3.30,\n");
    project.run(0);
    assert_eq!(refused(&project), 2);
    assert_eq!(project.value("SELECT count(*) FROM quarantine.events"), 2);
    project.write("landing/events/3.csv", "id,kind,amount,at\n3,c,3.30,\n");
    block_on(replace_and_die(&quarantine, &quarantine));
    project.run(0);
    assert_eq!(project.value("SELECT count(*) FROM quarantine.events"), 2, "also where no row is refused");
}

#[test]
fn a_compaction_of_the_quarantine_changes_nothing_about_what_counts() {
    let project = Project::small();
    for file in 1..=2 {
        project.write(&format!("landing/events/{file}.csv"), GOOD_AND_BAD);
        project.run(0);
    }
    let quarantine = lake(&project).table("quarantine/events");
    let files = || block_on(async { quarantine.snapshot().await.unwrap().unwrap().files().len() });
    assert_eq!((files(), refused(&project)), (2, 2));
    // compacted before a run dies, and after
    project.json(&["optimize", "silver.events"], 0);
    assert_eq!((files(), refused(&project)), (1, 2));
    block_on(replace_and_die(&quarantine, &quarantine));
    assert_eq!(refused(&project), 2);
    project.json(&["optimize", "silver.events"], 0);
    assert_eq!((files(), refused(&project)), (1, 2));
    project.write("landing/events/3.csv", "id,kind,amount,at\ny,c,3.30,\n");
    project.run(0);
    assert_eq!(refused(&project), 3);
    assert_eq!(project.value("SELECT count(*) FROM quarantine.events"), 3);
}

#[test]
fn a_quarantine_that_a_dead_run_made_holds_nothing() {
    let project = Project::small();
    project.write("landing/events/1.csv", "id,kind,amount,at\n1,a,1.10,\n");
    project.run(0);
    let other = Project::small();
    other.write("landing/events/1.csv", GOOD_AND_BAD);
    other.run(0);
    block_on(replace_and_die(&lake(&project).table("quarantine/events"), &lake(&other).table("quarantine/events")));
    assert_eq!(refused(&project), 0);
    project.write("landing/events/2.csv", "id,kind,amount,at\n2,a,1.10,\n");
    project.run(0);
    assert_eq!(project.value("SELECT count(*) FROM quarantine.events"), 0);
}

/// Two checkouts with different definitions at once: the one that loses has put its own rows into the quarantine after the
/// one that wins, and dies of it.
#[tokio::test(flavor = "multi_thread")]
async fn the_quarantine_of_the_run_that_wins_stands() {
    let theirs = Arc::new(Project::small());
    theirs.write("landing/events/1.csv", "id,kind,amount,at\n1,a,1.10,\n2,a,1.10,\nx,b,2.20,\n");
    let lake = theirs.path("lake");
    assert_eq!(run(theirs.root(), &Faulty::healthy().lake(&lake), 1, false).await.exit_code(), 0);
    theirs.write("landing/events/2.csv", "id,kind,amount,at\n3,a,1.10,\ny,b,2.20,\n");
    let ours = Project::small();
    let yaml = std::fs::read_to_string(ours.path("lakesmith.yaml")).unwrap();
    let landing = theirs.path("landing");
    ours.write("lakesmith.yaml", yaml.replace("./landing", landing.to_str().unwrap()));
    let silver = std::fs::read_to_string(ours.path("layers/silver/events.yaml")).unwrap();
    let step = "steps:\n  - derive: { share: cast(1 / (id - 2) as double) }\n";
    ours.write("layers/silver/events.yaml", format!("{silver}{step}"));

    let others = theirs.clone();
    let meanwhile = move || {
        let project = others.clone();
        async move {
            let lake = project.path("lake");
            let_claims_expire(&lake);
            let dying = Faulty::refusing("/silver/events/_delta_log/").lake(&lake);
            assert_eq!(run(project.root(), &dying, 1, false).await.exit_code(), 1);
            let refused = rows(&Faulty::healthy().lake(&lake), "quarantine/events", &["_row"]).await;
            assert_eq!(refused.len(), 2, "theirs, for now: {refused:?}");
        }
        .boxed()
    };
    let disk = Faulty::meanwhile("/silver/events/_delta_log/", Box::new(meanwhile)).lake(&lake);
    let report = run(ours.root(), &disk, 1, false).await;
    assert!(report.tables[1].error.is_none(), "{report:?}");
    let refused = rows(&Faulty::healthy().lake(&lake), "quarantine/events", &["_source_file", "_source_row"]).await;
    assert_eq!(refused, [["events/1.csv", "2"], ["events/1.csv", "3"], ["events/2.csv", "2"]]);
}

#[test]
fn what_others_deleted_from_the_quarantine_stays_deleted() {
    let project = Project::small();
    project.write("landing/events/1.csv", GOOD_AND_BAD);
    project.run(0);
    block_on(async {
        let quarantine = lake(&project).table("quarantine/events");
        let base = quarantine.snapshot().await.unwrap().unwrap();
        let change = Change { removes: base.files().to_vec(), operation: Operation::Delete, ..Change::default() };
        quarantine.commit(&base, change).await.unwrap();
    });
    assert_eq!(refused(&project), 0);
    project.write("landing/events/2.csv", "id,kind,amount,at\ny,c,3.30,\n");
    project.run(0);
    assert_eq!(refused(&project), 1);
}

#[test]
fn a_table_that_another_made_is_not_overwritten() {
    let project = Project::small();
    project.write("landing/events/1.csv", GOOD_AND_BAD);
    block_on(async {
        let theirs = df!["mine" => ["precious"]].unwrap().lazy();
        let schema = lakesmith::delta::TableSchema::new(vec![lakesmith::expr::Column::new(
            "mine",
            lakesmith::expr::Type::String,
        )]);
        for folder in ["silver/events", "bronze/other"] {
            let table = lake(&project).table(folder);
            let adds = table.write(theirs.clone(), &schema).await.unwrap();
            table.create(&schema, Change { adds, ..Change::default() }).await.unwrap();
        }
    });
    project.write("layers/bronze/other.yaml", "source:\n  path: events/*.csv\n  format: csv\n");
    let report = project.json(&["run"], 1);
    for name in ["silver.events", "bronze.other"] {
        let error = table(&report, name)["error"].as_str().unwrap();
        assert!(error.contains("lakesmith did not make"), "{error}");
    }
    assert_eq!(project.value("SELECT mine FROM silver.events"), "precious");
    project.json(&["rebuild", "silver.events", "--yes"], 0);
    assert_eq!(project.value("SELECT count(*) FROM silver.events"), 1);
}
