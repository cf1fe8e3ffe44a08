//! One operation of the store goes wrong, whichever it is: it fails, or is done and its answer lost, or takes its time.
//! Whatever the work was, the tables open, a plain run does the rest, and nothing is lost, doubled or left for good.
//!
//! `LAKESMITH_FAULTS=all` tries every operation, not a sample; `LAKESMITH_FAULTS=15m` as many as fifteen minutes allow;
//! `LAKESMITH_SEED=…` takes others.

use std::any::Any;
use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use futures::FutureExt;
use lakesmith::delta::{At, Lake};
use lakesmith::report::{Proof, Status};
use lakesmith::run::{Restore, Run, Vacuum};

use crate::faulty::{Faulty, OneFault, Wrong};
use crate::lake::{Rows, assert_rows, let_claims_expire, load, rows, rows_of, run};
use crate::support::Project;

const COLUMNS: [(&str, &[&str]); 4] = [
    ("bronze/events", &["_batch", "_source_file", "_source_row", "id", "kind", "amount", "at"]),
    ("silver/events", &["id", "kind", "amount", "at"]),
    ("gold/totals", &["kind", "events", "amount"]),
    ("_lakesmith/ledger", &["path", "batch", "rows", "state"]),
];
/// How many operations of each work are tried.
const SAMPLE: usize = 5;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Work {
    FirstRun,
    Run,
    Rebuild,
    Optimize,
    Restore,
}

impl Work {
    const ALL: [Work; 5] = [Work::FirstRun, Work::Run, Work::Rebuild, Work::Optimize, Work::Restore];

    /// Gives the exit code and what became of it.
    async fn carry_out(self, root: &Path, lake: &Lake) -> (u8, Status) {
        let tables: BTreeSet<_> = load(root).order.iter().cloned().collect();
        let anew = || Run::in_lake(load(root), lake.clone(), Arc::new(|_| ()));
        let report = match self {
            Work::FirstRun | Work::Run => run(root, lake, 1, false).await,
            Work::Rebuild => run(root, lake, 1, true).await,
            Work::Optimize => {
                let report = anew().optimize(&tables, None, 1).await;
                return (report.exit_code(), report.status);
            }
            Work::Restore => {
                let table = "silver.events".parse().unwrap();
                anew().restore(&Restore { table, at: At::Version(1), below: true, hold: false }).await
            }
        };
        (report.exit_code(), report.status)
    }

    /// A project that has work of this kind to do.
    async fn project(self) -> Project {
        let project = Project::small();
        if self == Work::FirstRun {
            (1..=2).for_each(|file| arrive(&project, file));
            return project;
        }
        for file in 1..=3 {
            arrive(&project, file);
            let report = run(project.root(), &healthy(&project.path("lake")), 1, false).await;
            assert_eq!(report.exit_code(), 0, "{report:?}");
        }
        if self == Work::Run {
            arrive(&project, 4);
        }
        project
    }
}

/// A new event, one that replaces another, one that is refused, one that does not split.
fn arrive(project: &Project, file: u32) {
    let day = format!("2026-01-0{file}T00:00:00Z");
    let lines =
        format!("id,kind,amount,at\n{file},k{file},1.00,{day}\n0,first,{file}.00,{day}\nx,bad,1.00,\n9{file},k\n");
    project.write(&format!("landing/events/{file}.csv"), lines);
}

fn healthy(lake: &Path) -> Lake {
    Faulty::healthy().lake(lake)
}

async fn all(lake: &Lake) -> Vec<Rows> {
    let mut all = Vec::new();
    for (folder, columns) in COLUMNS {
        all.push(rows(lake, folder, columns).await);
    }
    let refused = lakesmith::run::quarantined(lake, &"silver.events".parse().unwrap()).await.unwrap();
    all.push(match refused {
        Some(refused) => rows_of(&refused, &["_source_file", "_source_row"]).await,
        None => Vec::new(),
    });
    all
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in walkdir::WalkDir::new(from).min_depth(1).into_iter().map(Result::unwrap) {
        let to = to.join(entry.path().strip_prefix(from).unwrap());
        match entry.file_type().is_dir() {
            true => std::fs::create_dir_all(to).unwrap(),
            false => _ = std::fs::copy(entry.path(), to).unwrap(),
        }
    }
}

/// A project with work to do, and what comes of it when nothing goes wrong.
struct Trial {
    work: Work,
    project: Project,
    operations: usize,
    expected: Vec<Rows>,
    files: usize,
}

impl Trial {
    async fn of(work: Work) -> Self {
        let project = work.project().await;
        let trial = Project::empty();
        let folder = trial.path("lake");
        let before = files(&project.path("lake"));
        copy_lake(&project, &folder);
        let disk = Faulty::healthy();
        let done = work.carry_out(project.root(), &disk.lake(&folder)).await;
        assert_eq!(done, (0, Status::Succeeded), "{work:?}");
        let (operations, files) = (disk.operations(), files(&folder) - before);
        assert_eq!(run(project.root(), &healthy(&folder), 1, false).await.exit_code(), 0);
        let expected = all(&healthy(&folder)).await;
        Trial { work, project, operations, expected, files }
    }

    /// Gives whether the work itself failed.
    async fn goes_wrong(&self, fault: OneFault) -> bool {
        let (trial, root) = (Project::empty(), self.project.root());
        let folder = trial.path("lake");
        copy_lake(&self.project, &folder);
        let before = files(&folder);
        let failed = self.work.carry_out(root, &Faulty::once(fault).lake(&folder)).await.0 != 0;
        let left = files(&folder).saturating_sub(before);
        assert!(left <= 2 * self.files, "{left} files where {} were expected", self.files);

        let_claims_expire(&folder);
        let lake = healthy(&folder);
        all(&lake).await;
        let report = run(root, &lake, 1, false).await;
        assert_eq!(report.exit_code(), 0, "{report:?}");
        let names = COLUMNS.map(|(folder, _)| folder).into_iter().chain(["refused"]);
        for (table, (found, expected)) in names.zip(all(&lake).await.iter().zip(&self.expected)) {
            assert_rows(table, found, expected);
        }
        let listed = trial.lake_files();
        let again = run(root, &lake, 1, false).await;
        assert_eq!(again.status, Status::Unchanged, "{again:?}");
        assert_eq!(trial.lake_files(), listed);
        verified(root, &lake).await;
        self.cleaned(&lake).await;
        failed
    }

    /// What no commit names goes when it is old enough, and nothing else.
    async fn cleaned(&self, lake: &Lake) {
        let project = load(self.project.root());
        let tables = project.order.iter().cloned().collect();
        let retain = Some(Duration::from_hours(365 * 24));
        let now = Utc::now() + TimeDelta::hours(25);
        let vacuum = Vacuum { project, lake: lake.clone(), tables, records: true, retain, force: false, now };
        vacuum.carry_out(&vacuum.survey().await.unwrap()).await.unwrap();
        let after = vacuum.survey().await.unwrap();
        assert!(after.tables.iter().all(|t| t.unnamed == 0 && t.files == 0 && t.error.is_none()), "{after:?}");
        for folder in COLUMNS.map(|(folder, _)| folder).into_iter().chain(["quarantine/events"]) {
            let table = lake.table(folder);
            let named = table.named_files().await.unwrap().unwrap();
            let all: BTreeSet<&String> = named.commits().values().flat_map(|commit| &commit.adds).collect();
            for file in table.stored().await.unwrap() {
                assert!(all.contains(&file.path), "{folder}/{} stays", file.path);
            }
        }
        all(lake).await;
    }
}

async fn verified(root: &Path, lake: &Lake) {
    let project = load(root);
    let tables: BTreeSet<_> = project.order.iter().cloned().collect();
    let report = Run::in_lake(project, lake.clone(), Arc::new(|_| ())).verify(&tables, true).await;
    for table in &report.tables {
        assert_eq!(table.status, Proof::Equal, "{table:#?}");
    }
}

fn copy_lake(project: &Project, to: &Path) {
    if project.path("lake").exists() {
        copy(&project.path("lake"), to);
    }
}

fn files(folder: &Path) -> usize {
    let entries = walkdir::WalkDir::new(folder).into_iter().flatten();
    entries.filter(|entry| entry.file_type().is_file()).count()
}

/// Which operations are tried, and what goes wrong with each.
fn chosen(operations: usize) -> Vec<OneFault> {
    let seed = std::env::var("LAKESMITH_SEED").map_or(0, |seed| seed.parse::<usize>().unwrap());
    let mut all: Vec<_> = (0..operations).flat_map(|at| Wrong::ALL.map(|wrong| OneFault { at, wrong })).collect();
    if asked().is_some() {
        all.sort_by_key(|fault| *blake3::hash(format!("{seed} {fault:?}").as_bytes()).as_bytes());
        return all;
    }
    // an odd step meets all three
    let step = (all.len() / SAMPLE).max(1) | 1;
    all.into_iter().skip((step / 2 + seed) % step).step_by(step).collect()
}

/// `all`, or how many minutes.
fn asked() -> Option<String> {
    std::env::var("LAKESMITH_FAULTS").ok()
}

/// For how long each kind of work is tried.
fn time() -> Duration {
    let minutes = asked().and_then(|asked| asked.strip_suffix('m')?.parse::<u64>().ok());
    minutes.map_or(Duration::MAX, |minutes| Duration::from_mins(minutes) / Work::ALL.len() as u32)
}

/// What a check that failed said.
fn said(panic: &(dyn Any + Send)) -> &str {
    panic.downcast_ref::<String>().map_or_else(|| *panic.downcast_ref::<&str>().unwrap_or(&""), String::as_str)
}

#[tokio::test(flavor = "multi_thread")]
async fn one_operation_goes_wrong_and_a_plain_run_does_the_rest() {
    let (mut tried, mut broken) = (0, Vec::new());
    for work in Work::ALL {
        let trial = Trial::of(work).await;
        let (mut count, mut failed, began) = (0, 0, Instant::now());
        for fault in chosen(trial.operations) {
            if began.elapsed() > time() {
                break;
            }
            count += 1;
            match AssertUnwindSafe(trial.goes_wrong(fault)).catch_unwind().await {
                Ok(work_failed) => failed += usize::from(work_failed),
                Err(panic) => broken.push(format!("{work:?}, {fault:?}: {}", said(panic.as_ref()))),
            }
        }
        println!("{work:?}: {count} faults in {} operations, {failed} made it fail", trial.operations);
        tried += count;
    }
    println!("{tried} faults tried, {} broke something", broken.len());
    assert!(broken.is_empty(), "{} of {tried} faults broke something:\n{}", broken.len(), broken.join("\n"));
}
