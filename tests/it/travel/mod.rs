//! Time travel, put to the test by random lives of a lake: files arrive, tables are run and made anew, definitions go
//! back and forth, other programs delete rows, processes die at any of their changes. Whatever happened, a table holds
//! what it says of itself, every version reads as it did, and in the end all is as if it had been made at once.
//!
//! `PROPTEST_CASES=200` tries more lives; `LAKESMITH_SEED=…` repeats one.

mod act;
mod check;
mod chunks;
mod definitions;
mod end;
mod memory;
mod optimize;
mod rehearse;
mod restore;
mod step;
mod vacuum;
mod verify;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use lakesmith::delta::Snapshot;
use lakesmith::project::definition_hash;
use lakesmith::run::{LEDGER, folder, quarantine_folder};
use proptest::test_runner::{Config, TestRunner};

use self::definitions::Definitions;
use self::memory::Memory;
use self::step::Fate;
use crate::promises::check::World;
use crate::promises::dice::Dice;
use crate::promises::history::History;
use crate::promises::model::Rules;

/// The lives that every test run lives through; each takes some seconds.
const SEEDS: [u64; 3] = [5, 8, 11];
/// So many things happen in a life; new files come before every other of them.
const STEPS: usize = 10;

#[test]
fn whatever_happens_tables_hold_what_they_say_and_end_as_if_made_at_once() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    if let Ok(seed) = std::env::var("LAKESMITH_SEED") {
        return runtime.block_on(live(seed.parse().unwrap()));
    }
    if std::env::var_os("PROPTEST_CASES").is_none() {
        return SEEDS.into_iter().for_each(|seed| runtime.block_on(live(seed)));
    }
    let config = Config { max_shrink_iters: 0, failure_persistence: None, ..Config::default() };
    let lived = TestRunner::new(config).run(&proptest::num::u64::ANY, |seed| {
        println!("seed {seed}");
        runtime.block_on(live(seed));
        Ok(())
    });
    lived.unwrap_or_else(|failure| panic!("{failure}; repeat it by LAKESMITH_SEED=<the seed above>"));
}

/// A lake on its way.
pub struct Travel<'a> {
    pub world: World<'a>,
    pub memory: Memory,
    pub dice: Dice,
    pub definitions: Definitions,
    /// when each step began
    pub times: Vec<DateTime<Utc>>,
    /// what each definition means, by folder and hash
    rules: BTreeMap<(String, String), Rules>,
}

async fn live(seed: u64) {
    let mut dice = Dice::new(seed);
    let history = History::of(&mut dice, STEPS / 2);
    let world = World::new(&history);
    let definitions = Definitions::first();
    let (memory, times, rules) = (Memory::default(), Vec::new(), BTreeMap::new());
    let mut travel = Travel { world, memory, dice, definitions, times, rules };
    println!("{:?}", history.variant);
    travel.write_definitions();
    for n in 0..STEPS {
        if n % 2 == 0 {
            travel.world.arrive(&history.rounds[n / 2]);
        }
        let fate = if n == 0 { Fate { step: step::Step::Run, death: None } } else { Fate::random(&mut travel.dice) };
        println!("{n} {fate:?}");
        travel.times.push(Utc::now());
        travel.act(&fate).await;
        travel.check().await;
    }
    travel.end().await;
}

impl Travel<'_> {
    /// The definitions of today go into the project.
    fn write_definitions(&mut self) {
        self.definitions.write(&self.world.project, self.world.history.variant);
        let project = self.project();
        for name in self.made() {
            self.rules.insert((folder(&name), definition_hash(&project, &name)), self.definitions.rules());
        }
    }

    /// What the definition means that a table bears.
    fn rules_of(&self, at: &str, snapshot: &Snapshot) -> Rules {
        let hash = snapshot.property("lakesmith.definition").unwrap().to_owned();
        self.rules[&(at.to_owned(), hash)]
    }

    async fn learn(&mut self) {
        let project = self.project();
        let mut folders = vec![LEDGER.to_owned()];
        for name in &project.order {
            folders.extend([folder(name), quarantine_folder(name)]);
        }
        self.memory.learn(&self.world.lake, &folders).await;
    }
}
