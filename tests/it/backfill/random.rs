//! Random events, judged under two definitions, range by range, against a naive model.

use lakesmith::delta::Lake;
use lakesmith::report::{Action, RunReport};
use proptest::test_runner::{Config, TestRunner};

use super::model::{Definition, Event, HEADER, Place, Row, State};
use super::{Asked, backfill, lake, of, rebuild, run, sound};
use crate::lake::{now, rows};
use crate::promises::dice::Dice;
use crate::support::Project;

const CASES: u32 = 3;

#[derive(Clone, Copy, Debug)]
struct Variant {
    two_sources: bool,
    keyless: bool,
    partitioned: bool,
    /// every event has a time by both definitions
    timed: bool,
}

#[test]
fn ranges_of_a_table_become_what_their_events_say() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    if let Ok(seed) = std::env::var("LAKESMITH_SEED") {
        return runtime.block_on(live(seed.parse().unwrap()));
    }
    let asked = std::env::var_os("PROPTEST_CASES").is_some();
    let defaults = Config::default();
    let cases = if asked { defaults.cases } else { CASES };
    let config = Config { cases, max_shrink_iters: 0, failure_persistence: None, ..defaults };
    let lived = TestRunner::new(config).run(&proptest::num::u64::ANY, |seed| {
        println!("seed {seed}");
        runtime.block_on(live(seed));
        Ok(())
    });
    lived.unwrap_or_else(|failure| panic!("{failure}; repeat it by LAKESMITH_SEED=<the seed above>"));
}

async fn live(seed: u64) {
    let mut dice = Dice::new(seed);
    let variant = Variant {
        two_sources: dice.percent(40),
        keyless: dice.percent(30),
        partitioned: dice.percent(40),
        timed: dice.percent(50),
    };
    let first = Definition { dropped: "test", minimum: 1, factor: 2, time: 0, keyless: variant.keyless };
    let second = Definition { dropped: "void", minimum: 3, factor: dice.pick(&[2, 3]), time: dice.below(2), ..first };
    let world = World { project: Project::empty(), variant };
    world.write(first);
    let lake = lake(&world.project);
    let mut events = Vec::new();
    for batch in 1..=1 + dice.below(3) {
        events.extend(world.arrive(&mut dice, batch as i64));
        sound(run(world.project.root(), &lake, "bronze.*+").await);
    }
    nothing_changes(&world, &lake, &mut dice).await;

    // What the table has not read yet does not count.
    world.arrive(&mut dice, 9);
    sound(run(world.project.root(), &lake, "bronze").await);
    world.write(second);
    let mut state = world.state(&lake).await;
    for _ in 0..2 {
        let (from, days) = (dice.below(8) as i64, 1 + dice.below(4) as i64);
        let report = world.backfill(&lake, from, from + days, Some("1d")).await;
        for day in from..from + days {
            state = second.backfill(&state, &events, (day * 24, day * 24 + 24), variant.two_sources);
        }
        assert_eq!(world.state(&lake).await, state, "days {from} to {}: {report:#?}", from + days);
        assert_eq!(now(&lake, "silver/orders").await.unwrap().property("lakesmith.mixed"), Some("true"));
    }
    let report = sound(run(world.project.root(), &lake, "silver").await);
    assert!(matches!(of(&report, "silver.orders").action, Action::Merge | Action::Append), "{report:?}");
    if variant.timed {
        all_ranges_are_a_rebuild(&world, &lake).await;
    }
}

/// Under the definition that a table follows, a range of it is what it should be.
async fn nothing_changes(world: &World, lake: &Lake, dice: &mut Dice) {
    let before = world.versions(lake).await;
    let from = dice.below(8) as i64;
    let report = world.backfill(lake, from, from + 1 + dice.below(4) as i64, None).await;
    assert_eq!(world.versions(lake).await, before, "{report:#?}");
    let rows = of(&report, "silver.orders").rows;
    assert_eq!((rows.inserted, rows.updated, rows.deleted), (0, 0, 0), "{report:#?}");
}

async fn all_ranges_are_a_rebuild(world: &World, lake: &Lake) {
    world.backfill(lake, -10, 20, Some("1w")).await;
    let covered = world.state(lake).await;
    sound(rebuild(world.project.root(), lake, "silver").await);
    let anew = world.state(lake).await;
    let values = |state: &State| state.rows.iter().map(|row| row[..super::model::VALUES].to_vec()).collect::<Vec<_>>();
    let (mut found, mut expected) = (values(&covered), values(&anew));
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
    assert_eq!(covered.refused, anew.refused);
}

struct World {
    project: Project,
    variant: Variant,
}

impl World {
    fn write(&self, definition: Definition) {
        let (project, variant) = (&self.project, self.variant);
        project.write(
            "lakesmith.yaml",
            "name: ranges\nenvironment: dev\nenvironments:\n  dev: { lake: ./lake, landing: ./landing }\n",
        );
        for table in self.tables() {
            std::fs::create_dir_all(project.path("landing").join(table)).unwrap();
            let source = format!("source: {{ path: '{table}/*.csv', format: csv }}\n");
            project.write(&format!("layers/bronze/{table}.yaml"), source);
        }
        let from = if variant.two_sources { "[bronze.web, bronze.shop]" } else { "bronze.web" };
        let key = if variant.keyless { "" } else { "key: [id]\nlatest_by: [updated]\n" };
        let partitions = if variant.partitioned { "partition_by: [status]\n" } else { "" };
        let at = if definition.time == 1 { "columns: { at: at2 }\n" } else { "" };
        let Definition { dropped, factor, minimum, .. } = definition;
        project.write(
            "layers/silver/orders.yaml",
            format!(
                "from: {from}\ncontract: schemas/orders.odcs.yaml\n{key}{partitions}{at}event_time: at\nsteps:\n  \
                 - where: status <> '{dropped}'\n  - derive: {{ total: amount * {factor} }}\n"
            ),
        );
        project.write("schemas/orders.odcs.yaml", CONTRACT.replace("MINIMUM", &minimum.to_string()));
    }

    fn tables(&self) -> &[&'static str] {
        if self.variant.two_sources { &["web", "shop"] } else { &["web"] }
    }

    fn arrive(&self, dice: &mut Dice, batch: i64) -> Vec<Event> {
        let mut all = Vec::new();
        for &table in self.tables() {
            let mut events: Vec<Event> =
                (0..1 + dice.below(12)).map(|_| Event::random(dice, self.variant.timed)).collect();
            let file = format!("{table}/{:03}-{batch}.csv", dice.below(1000));
            for (row, event) in (1..).zip(&mut events) {
                (event.table, event.batch, event.file, event.row) = (table, batch, file.clone(), row);
            }
            let lines: String = events.iter().map(Event::line).collect();
            self.project.write(&format!("landing/{file}"), format!("{HEADER}{lines}"));
            all.extend(events);
        }
        all
    }

    /// Days since 2026-10-01.
    async fn backfill(&self, lake: &Lake, from: i64, to: i64, chunk: Option<&str>) -> RunReport {
        let day = |n: i64| {
            let day = chrono::NaiveDate::from_ymd_opt(2026, 10, 1).unwrap() + chrono::TimeDelta::days(n);
            day.to_string()
        };
        let asked = Asked { select: "silver.orders", from: &day(from), to: &day(to), chunk };
        sound(backfill(self.project.root(), lake, asked).await)
    }

    async fn versions(&self, lake: &Lake) -> Vec<Option<i64>> {
        let mut versions = Vec::new();
        for folder in ["silver/orders", "quarantine/orders"] {
            versions.push(now(lake, folder).await.map(|snapshot| snapshot.version()));
        }
        versions
    }

    async fn state(&self, lake: &Lake) -> State {
        let mut columns = vec!["id", "status", "amount", "total", "at", "updated", "_batch"];
        columns.extend(self.variant.two_sources.then_some("_source_table"));
        columns.extend(["_source_file", "_source_row"]);
        let mut rows_found = rows(lake, "silver/orders", &columns).await;
        if !self.variant.two_sources {
            rows_found.iter_mut().for_each(|row: &mut Row| row.insert(7, "bronze.web".into()));
        }
        let columns = ["_batch", "_source_table", "_source_file", "_source_row", "_reasons"];
        let refused = rows(lake, "quarantine/orders", &columns).await.into_iter().map(|mut row| {
            let reasons = row.pop().unwrap();
            let kind = if reasons.contains("~type~") { "type" } else { "rule" };
            (row as Place, kind)
        });
        State { rows: rows_found.into_iter().collect(), refused: refused.collect() }
    }
}

const CONTRACT: &str = "apiVersion: v3.1.0
kind: DataContract
id: orders
version: 1.0.0
status: active
schema:
  - name: orders
    properties:
      - { name: id, logicalType: integer, required: true }
      - { name: status, logicalType: string }
      - { name: amount, logicalType: integer, logicalTypeOptions: { minimum: MINIMUM } }
      - { name: at, logicalType: timestamp }
      - { name: updated, logicalType: integer }
";
