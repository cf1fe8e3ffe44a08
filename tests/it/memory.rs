//! With little memory the same tables come about, in more lots; what cannot be divided is told before the work.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use lakesmith::delta::Lake;
use lakesmith::memory::Memory;
use lakesmith::plan::{BackfillRequest, Range, Request};
use lakesmith::report::{Proof, RunReport, Status};
use lakesmith::run::{Event, Run};

use crate::lake::{assert_rows, load, rows};
use crate::support::Project;

/// Room for two hundred keys, or a hundred groups.
const LITTLE: Memory = Memory::of_bytes(40_000);

const TABLES: [(&str, &[&str]); 3] = [
    ("silver/events", &["id", "kind", "amount", "at", "_batch", "_source_file", "_source_row"]),
    ("quarantine/events", &["_batch", "_source_row", "_row"]),
    ("gold/totals", &["kind", "events", "amount"]),
];

/// A lake beside others of the same project.
struct World<'a> {
    project: &'a Project,
    lake: Lake,
    /// in how many pieces the rows of gold came in the last run
    pieces: Arc<AtomicUsize>,
}

impl<'a> World<'a> {
    fn new(project: &'a Project, name: &str, memory: Memory) -> Self {
        let lake = Lake::open(project.path(name).to_str().unwrap(), &Default::default()).unwrap().with_memory(memory);
        World { project, lake, pieces: Arc::default() }
    }

    fn begin(&self) -> Run {
        let pieces = self.pieces.clone();
        pieces.store(0, Ordering::Relaxed);
        let count = move |event: Event| {
            if matches!(event, Event::Progress { table, .. } if table.to_string() == "gold.totals") {
                pieces.fetch_add(1, Ordering::Relaxed);
            }
        };
        Run::in_lake(load(self.project.root()), self.lake.clone(), Arc::new(count))
    }

    async fn run(&self, rebuild: bool) -> RunReport {
        let run = self.begin();
        let tables: BTreeSet<_> = run.project.order.iter().cloned().collect();
        let rebuilt = tables.iter().filter(|table| rebuild && table.layer.to_string() != "bronze").cloned().collect();
        let report = run.carry_out(&Request { tables, rebuild: rebuilt, ..Request::default() }, 2).await;
        assert_eq!(report.status, Status::Succeeded, "{report:?}");
        report
    }

    async fn assert_same(&self, other: &World<'_>) {
        for (table, columns) in TABLES {
            assert_rows(table, &rows(&self.lake, table, columns).await, &rows(&other.lake, table, columns).await);
        }
    }

    async fn assert_verified(&self) {
        let run = self.begin();
        let tables = run.project.order.iter().cloned().collect();
        let report = run.verify(&tables, false).await;
        assert!(report.tables.iter().all(|table| table.status == Proof::Equal), "{report:#?}");
    }
}

/// Of every id in `ids` a row, some twice, some of them no events.
fn events(ids: std::ops::Range<u32>, round: u32) -> String {
    let mut csv = "id,kind,amount,at\n".to_owned();
    for id in ids {
        let amount = if id % 97 == 0 { "much".to_owned() } else { format!("{}.{:02}", id + round, id % 100) };
        let line = format!("{id},kind {},{amount},2026-01-{:02}T00:00:00Z\n", id % 300, 1 + round);
        csv.push_str(&line);
        if id % 50 == 0 {
            csv.push_str(&line);
        }
        if id % 401 == 0 {
            writeln!(csv, "{id}").unwrap();
        }
    }
    csv
}

#[tokio::test(flavor = "multi_thread")]
async fn little_memory_gives_the_same_tables_in_more_lots() {
    let project = Project::small();
    let (little, much) = (World::new(&project, "little", LITTLE), World::new(&project, "much", Memory::LEAST));
    let rounds = [("1", 0..800), ("2", 500..1000)];
    for (round, (file, ids)) in (0..).zip(rounds) {
        project.write(&format!("landing/events/{file}.csv"), events(ids, round));
        let (ours, theirs) = (little.run(false).await, much.run(false).await);
        let counts = |report: &RunReport| report.tables.iter().map(|table| table.rows).collect::<Vec<_>>();
        assert_eq!(counts(&ours), counts(&theirs));
        if round == 0 {
            let pieces = |world: &World| world.pieces.load(Ordering::Relaxed);
            assert_eq!(pieces(&much), 1);
            assert!(pieces(&little) > 1, "one piece for each lot of groups");
        }
        little.assert_same(&much).await;
    }
    little.assert_verified().await;
    little.run(true).await;
    little.assert_same(&much).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_join_that_takes_too_much_memory_is_refused_before_the_work() {
    let project = Project::small();
    project.write("landing/events/1.csv", events(1..400, 0));
    let joined = "from: silver.events\nkey: [id]\nsteps:\n  - where: amount > 0\n  \
                  - join: { with: silver.events, on: id, how: left, columns: { other: kind } }\n";
    project.write("layers/gold/joined.yaml", joined);
    let world = World::new(&project, "lake", LITTLE);
    let run = world.begin();
    let tables: BTreeSet<_> = run.project.order.iter().cloned().collect();
    let report = run.carry_out(&Request { tables, ..Request::default() }, 1).await;
    let error = |name: &str| report.tables.iter().find(|t| t.table.to_string() == name).unwrap().error.clone();
    insta::assert_snapshot!(error("gold.joined").unwrap(), @"step 2 (join) would hold about 34.8 kB of `silver.events`, more than half of the 40 kB that there is to work with; `--memory 500MB` would do, with `--jobs 1` if other tables are worked on at once");
    assert_eq!((error("silver.events"), error("gold.totals")), (None, None), "others go on");
    assert!(!project.path("lake/gold/joined").exists(), "nothing was written");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_range_of_too_many_events_is_refused_before_the_work() {
    let project = Project::small();
    project.write("landing/events/1.csv", events(1..400, 0));
    let world = World::new(&project, "lake", LITTLE);
    world.run(false).await;
    let backfill = async |from: &str, to: &str| {
        let run = world.begin();
        let range = Range::parse(from, to, run.project.timezone).unwrap();
        let tables = run.project.order.iter().filter(|name| name.to_string() == "silver.events").cloned().collect();
        let request = BackfillRequest::new(&run.project, &tables, range, None).unwrap();
        run.backfill(&request, 1).await.tables.remove(0)
    };
    let all = backfill("2026-01-01", "2026-02-01").await;
    insta::assert_snapshot!(all.error.as_deref().unwrap(), @"the range has 406 events; their keys and places take about 42.2 kB, more than half of the 40 kB that there is to work with: take it in pieces (`--chunk 1mo`), or say `--memory 500MB`");
    assert_eq!((all.status, all.version), (Status::Failed, Some(0)), "the table is as it was");
    let none = backfill("2026-02-01", "2026-03-01").await;
    assert_eq!((none.status, none.error), (Status::Unchanged, None), "it is the range's events that count");
}

#[test]
fn polars_lets_little_wait() {
    let project = Project::small();
    project.write("landing/events/1.csv", events(1..20, 0));
    let told = |env: &[(&str, &str)]| {
        project
            .lakesmith_with(&[env, &[("POLARS_VERBOSE", "1")]].concat(), &["rebuild", "silver.events", "--yes"])
            .stderr
    };
    project.run(0);
    let said = told(&[]);
    assert!(
        said.contains("prefetch_limit: 2,"),
        "Polars no longer knows the setting, or tells of it otherwise: {said}"
    );
    assert!(
        told(&[("POLARS_ROW_GROUP_PREFETCH_SIZE", "5")]).contains("prefetch_limit: 5,"),
        "what the user says goes first"
    );
}
