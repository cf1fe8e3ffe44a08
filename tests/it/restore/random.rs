//! Random lives of a lake with restores in them: whatever goes back, the next run makes it what a rebuild gives (I4), and
//! every version reads as it did when it was made (I6).
//!
//! `PROPTEST_CASES=50` tries more lives; `LAKESMITH_SEED=…` repeats one.

use std::collections::BTreeMap;
use std::sync::Arc;

use lakesmith::delta::{At, Lake};
use lakesmith::run::{Restore, Run};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::faulty::Faulty;
use crate::lake::{Rows, assert_rows, load, now, rows, rows_at, run};
use crate::support::Project;

/// One thing that happens.
#[derive(Clone, Debug)]
enum Step {
    /// a file with events of these ids, then a run
    File(Vec<u8>),
    /// a run under a definition of silver with this number
    Define(u8),
    /// a table, by number, goes back to a share of its versions; with what is below it, on hold
    Back { table: u8, share: u8, below: bool, hold: bool },
}

const TABLES: [(&str, &[&str]); 3] = [
    ("silver/events", &["id", "kind", "amount", "at"]),
    ("gold/totals", &["kind", "events", "amount"]),
    ("gold/kinds", &["kind", "twice"]),
];
const NAMES: [&str; 3] = ["silver.events", "gold.totals", "gold.kinds"];
const CASES: u32 = 3;

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let file = proptest::collection::vec(0..12u8, 1..6).prop_map(Step::File);
    let back = (0..4u8, 0..100u8, any::<bool>(), 0..4u8).prop_map(|(table, share, below, hold)| Step::Back {
        table,
        share,
        below,
        hold: hold == 0,
    });
    proptest::collection::vec(prop_oneof![3 => file, 1 => (0..3u8).prop_map(Step::Define), 4 => back], 6..10)
}

#[test]
fn after_any_restore_a_run_gives_what_a_rebuild_gives() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let defaults = Config::default();
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { defaults.cases } else { CASES };
    let config = Config { cases, max_shrink_iters: 0, failure_persistence: None, ..defaults };
    let lived = TestRunner::new(config).run(&steps(), |steps| {
        println!("{steps:?}");
        runtime.block_on(live(&steps));
        Ok(())
    });
    lived.unwrap_or_else(|failure| panic!("{failure}"));
}

async fn live(steps: &[Step]) {
    let project = Project::small();
    project.write(
        "layers/gold/kinds.yaml",
        "from: gold.totals\nkey: [kind]\nsteps:\n  - select: { kind: kind, twice: events * 2 }\n",
    );
    let folder = project.path("lake");
    let lake = Faulty::healthy().lake(&folder);
    let mut seen: BTreeMap<(usize, i64), Rows> = BTreeMap::new();
    file(&project, 0, &[1, 2, 200]);
    sound(&project, &lake).await;
    for (n, step) in steps.iter().enumerate() {
        match step {
            Step::File(ids) => {
                file(&project, n + 1, ids);
                sound(&project, &lake).await;
            }
            Step::Define(number) => {
                define(&project, *number);
                // a definition that was left before comes back only by a rebuild
                let rebuilt = run(project.root(), &lake, 1, true).await;
                assert_eq!(rebuilt.exit_code(), 0, "{rebuilt:?}");
            }
            Step::Back { table, share, below, hold } => {
                // silver as often as both others
                let table = usize::from(table.saturating_sub(1));
                let newest = now(&lake, TABLES[table].0).await.unwrap().version();
                let version = newest * i64::from(*share) / 100;
                back(&project, &lake, table, version, (*below, *hold)).await;
                let (folder, columns) = TABLES[table];
                let then = rows_at(&lake, folder, version, columns).await;
                assert_rows(&format!("{folder}@{version}"), &rows(&lake, folder, columns).await, &then);
            }
        }
        for (i, (folder, columns)) in TABLES.iter().enumerate() {
            let snapshot = now(&lake, folder).await.unwrap();
            let found = rows(&lake, folder, columns).await;
            seen.entry((i, snapshot.version())).or_insert(found);
        }
    }
    for name in NAMES {
        let table = name.parse().unwrap();
        let released = new_run(&project, &lake).release(&[table]).await;
        assert_eq!(released.exit_code(), 0, "{released:?}");
    }
    sound(&project, &lake).await;
    let again = run(project.root(), &lake, 1, false).await;
    assert_eq!(again.status, lakesmith::report::Status::Unchanged, "{again:?}");
    let fresh = Faulty::healthy().lake(&project.path("fresh"));
    sound(&project, &fresh).await;
    for (folder, columns) in TABLES {
        assert_rows(folder, &rows(&lake, folder, columns).await, &rows(&fresh, folder, columns).await);
    }
    let refused = [&lake, &fresh].map(|lake| async move {
        let table = "silver.events".parse().unwrap();
        let refused = lakesmith::run::quarantined(lake, &table).await.unwrap().unwrap();
        crate::lake::rows_of(&refused, &["_source_file", "_source_row"]).await
    });
    let [found, expected] = futures::future::join_all(refused).await.try_into().unwrap();
    assert_rows("refused", &found, &expected);
    for ((i, version), rows_then) in seen {
        let (folder, columns) = TABLES[i];
        let found = rows_at(&lake, folder, version, columns).await;
        assert_rows(&format!("{folder}@{version} reads as ever"), &found, &rows_then);
    }
}

/// Events of these ids, of which every hundred and more is refused; what is later wins.
fn file(project: &Project, n: usize, ids: &[u8]) {
    let id = |id: &u8| if *id < 100 { id.to_string() } else { format!("x{id}") };
    let at = |i: usize| format!("2026-01-{:02}T00:00:{i:02}Z", n + 1);
    let line = |(i, n): (usize, &u8)| format!("{},k{},{n}.50,{}\n", id(n), n % 3, at(i));
    let lines: String = ids.iter().enumerate().map(line).collect();
    project.write(&format!("landing/events/{n:02}.csv"), format!("id,kind,amount,at\n{lines}y,bad,1.00,\n"));
}

fn define(project: &Project, number: u8) {
    let yaml = "from: bronze.events\ncontract: schemas/events.odcs.yaml\nkey: [id]\nlatest_by: [at]\nevent_time: at\n";
    let step = format!("steps:\n  - derive: {{ amount: \"cast(amount + {number} as decimal(12,2))\" }}\n");
    project.write("layers/silver/events.yaml", format!("{yaml}{step}"));
}

fn new_run(project: &Project, lake: &Lake) -> Run {
    Run::in_lake(load(project.root()), lake.clone(), Arc::new(|_| ()))
}

async fn back(project: &Project, lake: &Lake, table: usize, version: i64, (below, hold): (bool, bool)) {
    let restore = Restore { table: NAMES[table].parse().unwrap(), at: At::Version(version), below, hold };
    let report = new_run(project, lake).restore(&restore).await;
    assert_eq!(report.exit_code(), 0, "{restore:?}: {report:?}");
}

/// A run that goes well, in as many rounds as a table needs whose definition it has left.
async fn sound(project: &Project, lake: &Lake) {
    let report = run(project.root(), lake, 1, false).await;
    assert_eq!(report.exit_code(), 0, "{report:?}");
}
