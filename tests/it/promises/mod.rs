//! The promises, put to the test by random lives of a lake: records of all sorts, files in any order, runs that die at
//! any of their changes. Whatever happened, the tables hold what a naive model says (I4), and at every moment what it
//! says of the events that their own watermarks cover (I5).
//!
//! `PROPTEST_CASES=200` tries more lives; `LAKESMITH_SEED=…` repeats one and prints it.

pub mod check;
pub mod dice;
pub mod events;
pub mod history;
pub mod model;
pub mod project;

use std::collections::BTreeSet;
use std::sync::Arc;

use lakesmith::report::{Action, Proof, RunReport, Status};
use lakesmith::run::Run;
use proptest::test_runner::{Config, TestRunner};

use self::check::{Memory, World};
use self::history::{History, Round};
use crate::faulty::Faulty;
use crate::lake::{assert_rows, let_claims_expire, load, rows, run};

/// A life takes some seconds.
const CASES: u32 = 5;

#[test]
fn whatever_happens_the_tables_hold_what_a_rebuild_gives() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    if let Ok(seed) = std::env::var("LAKESMITH_SEED") {
        let history = History::random(seed.parse().unwrap());
        println!("{history:#?}");
        return runtime.block_on(live(&history));
    }
    let asked = std::env::var_os("PROPTEST_CASES").is_some();
    let defaults = Config::default();
    let cases = if asked { defaults.cases } else { CASES };
    let config = Config { cases, max_shrink_iters: 0, failure_persistence: None, ..defaults };
    let lived = TestRunner::new(config).run(&proptest::num::u64::ANY, |seed| {
        println!("seed {seed}");
        runtime.block_on(live(&History::random(seed)));
        Ok(())
    });
    lived.unwrap_or_else(|failure| panic!("{failure}; repeat it by LAKESMITH_SEED=<the seed above>"));
}

async fn live(history: &History) {
    let mut world = World::new(history);
    let mut memories = Vec::new();
    for round in &history.rounds {
        world.arrive(round);
        runs(&world, round).await;
        world.check().await;
        if round.death.is_some() {
            verified(&world, false).await;
        }
        memories.push(Memory::of(&world).await);
    }
    world.check_complete().await;
    nothing_to_do(&world).await;
    verified(&world, true).await;
    a_fresh_lake_is_the_same(&world).await;
    a_rebuild_changes_nothing(&world).await;
    for memory in memories {
        memory.check(&world).await;
    }
}

/// The run of a round: one that dies and whose claims then expire, several at the same time that know nothing of one
/// another, or a plain one.
async fn runs(world: &World<'_>, round: &Round) {
    let (root, folder) = (world.project.root(), world.project.path("lake"));
    if let Some(death) = round.death {
        run(root, &Faulty::dying(death).lake(&folder), 1, false).await;
        return let_claims_expire(&folder);
    }
    if round.at_once == 1 {
        return assert_sound(&run(root, &world.lake, 2, false).await);
    }
    let lake = Faulty::without_claims().lake(&folder);
    let all = futures::future::join_all((0..round.at_once).map(|_| run(root, &lake, 2, false)));
    all.await.iter().for_each(assert_sound);
}

fn assert_sound(report: &RunReport) {
    for table in &report.tables {
        assert!(table.error.is_none(), "{table:?}");
        assert_ne!(table.action, Action::Rebuild, "{table:?}");
        assert!(table.rows.adds_up(), "{table:?}");
    }
}

/// I4: `verify` finds nothing wrong at any moment, also after a death, and writes nothing.
async fn verified(world: &World<'_>, deep: bool) {
    let before = world.project.lake_files();
    let project = load(world.project.root());
    let tables: BTreeSet<_> = project.order.iter().cloned().collect();
    let run = Run::in_lake(project, world.lake.clone(), Arc::new(|_| ()));
    let report = run.verify(&tables, deep).await;
    for table in &report.tables {
        assert!(matches!(table.status, Proof::Equal | Proof::Missing), "{table:#?}");
    }
    assert_eq!(world.project.lake_files(), before);
}

/// I7
async fn nothing_to_do(world: &World<'_>) {
    let before = world.project.lake_files();
    let report = run(world.project.root(), &world.lake, 2, false).await;
    assert_eq!(report.status, Status::Unchanged, "{report:?}");
    assert_eq!(world.project.lake_files(), before);
}

/// I4: a lake that takes in all files at once. Only where files did not arrive in the order of their names may another
/// row of those that tie have won; then the model alone can tell.
async fn a_fresh_lake_is_the_same(world: &World<'_>) {
    let lake = Faulty::healthy().lake(&world.project.path("fresh"));
    let report = run(world.project.root(), &lake, 2, false).await;
    assert_sound(&report);
    let expected = world.model_at_once();
    let orders = report.tables.iter().find(|t| t.table.to_string() == "silver.orders").unwrap();
    if orders.status == Status::Succeeded {
        let refused = expected.refused.get("orders").map_or(0, Vec::len) as u64;
        let found = (orders.rows.inserted, orders.rows.quarantined, orders.rows.filtered);
        assert_eq!(found, (expected.orders.len() as u64, refused, expected.filtered));
    }
    let variant = world.history.variant;
    for (folder, columns) in project::tables(variant) {
        let found = rows(&lake, folder, columns).await;
        if variant.in_order && !variant.two_sources || folder.starts_with("quarantine") {
            assert_rows(&format!("{folder} of a fresh lake"), &found, &rows(&world.lake, folder, columns).await);
        } else if !found.is_empty() {
            assert_rows(&format!("{folder} of a fresh lake"), &found, &expected.rows(folder));
        }
    }
}

/// I4: a rebuild from the same bronze.
async fn a_rebuild_changes_nothing(world: &World<'_>) {
    let before = Memory::of(world).await;
    let report = run(world.project.root(), &world.lake, 2, true).await;
    assert!(report.tables.iter().all(|t| t.error.is_none()), "{report:?}");
    let made = |t: &&lakesmith::report::TableReport| t.version.is_some() && t.table.layer.to_string() != "bronze";
    assert!(report.tables.iter().filter(made).all(|t| t.action == Action::Rebuild), "{report:?}");
    let after = Memory::of(world).await;
    for ((folder, _, before), (_, _, after)) in before.tables.iter().zip(&after.tables) {
        assert_rows(&format!("{folder} after a rebuild"), after, before);
    }
    assert_eq!(before.tables.len(), after.tables.len());
    world.check_complete().await;
    nothing_to_do(world).await;
}
