//! Steps carried out.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::LocalBoxFuture;
use lakesmith::delta::{At, Change, Lake, Operation};
use lakesmith::name::{Layer, TableName};
use lakesmith::plan::Request;
use lakesmith::project::Project;
use lakesmith::report::{Action, Proof, RunReport, Status};
use lakesmith::run::{Run, folder};
use polars::prelude::{IntoLazy, col, lit};

use super::Travel;
use super::step::{Fate, Step};
use crate::faulty::Faulty;
use crate::lake::{let_claims_expire, load};
use crate::support::assert_accounted;

impl Travel<'_> {
    /// Does what is to be done, or dies half-way.
    pub async fn act(&mut self, fate: &Fate) {
        let at = self.world.project.path("lake");
        if let Some(death) = fate.death {
            let lake = Faulty::dying(death).lake(&at);
            match &fate.step {
                Step::Vacuum { since } => self.vacuum(&lake, *since, true).await,
                Step::Pin { table, back } => self.pin(&lake, *table, *back, true).await,
                Step::Unpin { pin } => self.unpin(&lake, *pin, true).await,
                step => {
                    self.work(step, lake).await.iter().for_each(tell);
                }
            }
            return let_claims_expire(&at);
        }
        let lake = self.world.lake.clone();
        match &fate.step {
            Step::Define => self.define(),
            Step::Foreign { table, row } => self.delete(*table, *row).await,
            Step::Verify => self.verify().await,
            Step::Rehearsed(step) => self.rehearse(step).await,
            Step::Vacuum { since } => self.vacuum(&lake, *since, false).await,
            Step::Pin { table, back } => self.pin(&lake, *table, *back, false).await,
            Step::Unpin { pin } => self.unpin(&lake, *pin, false).await,
            Step::Optimize { z_order } => self.optimize(*z_order).await,
            Step::Restore { table, back, below, hold } => {
                if let Some(restore) = self.restoration(*table, *back, *below, *hold) {
                    self.restore(&restore).await;
                }
            }
            Step::Backfill { table, below, from, days, daily } => {
                self.backfill(&self.backfill_request(*table, *below, *from, *days, *daily)).await;
            }
            Step::Together(first, second) => {
                let lake = Faulty::without_claims().lake(&at);
                let done = futures::join!(self.work(first, lake.clone()), self.work(second, lake));
                for (step, report) in [(first, done.0), (second, done.1)] {
                    report.iter().for_each(|report| judge(step, report));
                }
            }
            step => {
                let report = self.work(step, lake).await;
                report.iter().for_each(|report| judge(step, report));
                if matches!(step, Step::Run) {
                    self.ran().await;
                }
            }
        }
    }

    /// The work alone; nothing if there is nothing to do it with.
    pub fn work<'b>(&'b self, step: &'b Step, lake: Lake) -> LocalBoxFuture<'b, Option<RunReport>> {
        async move {
            let run = self.as_run_in(&lake);
            match step {
                Step::Run | Step::Rebuild { .. } => Some(self.carry_out(&lake, &self.request(step)).await),
                Step::Backfill { table, below, from, days, daily } => {
                    let request = self.backfill_request(*table, *below, *from, *days, *daily);
                    Some(run.backfill(&request, 2).await)
                }
                Step::Restore { table, back, below, hold } => {
                    let restore = self.restoration(*table, *back, *below, *hold)?;
                    Some(run.restore(&restore).await)
                }
                Step::Release => {
                    let held = self.held_back().await;
                    Some(run.release(&held).await)
                }
                Step::Optimize { z_order } => {
                    let report = self.put_in_order(&lake, *z_order).await;
                    println!("    {:?}", report.status);
                    None
                }
                other => panic!("{other:?}"),
            }
        }
        .boxed_local()
    }

    pub fn as_run(&self) -> Run {
        self.as_run_in(&self.world.lake)
    }

    pub fn as_run_in(&self, lake: &Lake) -> Run {
        Run::in_lake(self.project(), lake.clone(), Arc::new(|_| ()))
    }

    /// A run of all tables.
    pub async fn run(&self) -> RunReport {
        self.carry_out(&self.world.lake, &self.request(&Step::Run)).await
    }

    /// Makes these tables anew.
    pub async fn rebuild(&self, tables: BTreeSet<TableName>) -> RunReport {
        let request = Request { tables: tables.clone(), rebuild: tables, ..Request::default() };
        self.carry_out(&self.world.lake, &request).await
    }

    async fn carry_out(&self, lake: &Lake, request: &Request) -> RunReport {
        let request = Request { unguarded: true, ..request.clone() };
        let report = self.as_run_in(lake).carry_out(&request, 2).await;
        assert_accounted(&serde_json::to_value(&report).unwrap());
        report
    }

    pub fn project(&self) -> Arc<Project> {
        load(self.world.project.root())
    }

    /// Tables that can be made anew.
    pub fn made(&self) -> Vec<TableName> {
        self.project().order.iter().filter(|name| name.layer != Layer::Bronze).cloned().collect()
    }

    /// Adds what is made from these.
    pub fn with_below(&self, tables: &mut BTreeSet<TableName>) {
        let project = self.project();
        // They stand in the order in which they are made.
        for name in &project.order {
            if project.inputs(name).iter().any(|input| tables.contains(input)) {
                tables.insert(name.clone());
            }
        }
    }

    /// What a run or a rebuild is asked for.
    pub fn request(&self, step: &Step) -> Request {
        let Step::Rebuild { table, below, from } = step else {
            return Request { tables: self.project().order.iter().cloned().collect(), ..Request::default() };
        };
        let (project, made) = (self.project(), self.made());
        let mut rebuild = BTreeSet::from([made[table % made.len()].clone()]);
        if *below {
            self.with_below(&mut rebuild);
        }
        let mut request = Request { tables: rebuild.clone(), rebuild, ..Request::default() };
        let inputs = request.rebuild.iter().flat_map(|name| project.inputs(name));
        let bronze: Vec<TableName> = inputs.filter(|input| input.layer == Layer::Bronze).collect();
        if let (Some(from), Some(source)) = (from, bronze.get(from.unwrap_or_default() % bronze.len().max(1))) {
            let at = folder(source);
            let readable = self.memory.of(&at).filter(|(_, version)| !version.is_gone);
            let versions: Vec<i64> = readable.map(|(number, _)| number).collect();
            if !versions.is_empty() {
                request.from.insert(source.clone(), At::Version(versions[from % versions.len()]));
            }
        }
        request
    }

    fn define(&mut self) {
        self.definitions = self.definitions.other(&mut self.dice);
        self.write_definitions();
        println!("    {:?}", self.definitions);
    }

    /// What a program does that knows nothing of us. Where all was well, `verify` sees it.
    async fn delete(&mut self, table: usize, row: usize) {
        let rows = |name: &TableName| self.memory.of(&folder(name)).last().map_or(0, |(_, last)| last.rows.len());
        let made: Vec<TableName> = self.made().into_iter().filter(|name| rows(name) > 0).collect();
        let Some(name) = made.get(table % made.len().max(1)) else { return };
        let doomed = u32::try_from(row % rows(name)).unwrap();
        let table = self.world.lake.table(&folder(name));
        let base = table.snapshot().await.unwrap().unwrap();
        let kept = base.scan().unwrap().with_row_index("doomed", None).filter(col("doomed").neq(lit(doomed)));
        let kept = kept.select([polars::prelude::all().exclude_cols(["doomed"]).as_expr()]);
        let kept = tokio::task::spawn_blocking(move || kept.collect().unwrap()).await.unwrap();
        let adds = table.write(kept.lazy(), base.schema()).await.unwrap();
        let removes = base.files().to_vec();
        let change = Change { adds, removes, operation: Operation::Delete, ..Change::default() };
        let was_equal = self.proof(name).await == Proof::Equal;
        let version = table.commit(&base, change).await.unwrap();
        println!("    {name}@{version} lacks a row");
        if was_equal {
            assert_eq!(self.proof(name).await, Proof::Different, "{name}@{version}");
        }
    }

    /// After a run that nothing disturbed: all that has come is in the lake, and running again writes nothing (I7).
    async fn ran(&mut self) {
        let batches = self.world.check_bronze().await;
        self.world.check_taken(&batches).await;
        let before = self.world.project.lake_files();
        let report = self.run().await;
        if report.tables.iter().all(|table| table.error.is_none()) {
            assert_eq!(report.status, Status::Unchanged, "{report:?}");
            assert_eq!(self.world.project.lake_files(), before);
            self.check_watermarks().await;
        } else if self.dice.percent(50) {
            let report = self.rebuild(left(&report)).await;
            tell(&report);
            sound(&report);
        }
    }
}

/// What nobody disturbed must have succeeded, but for what only the user can decide.
pub fn judge(step: &Step, report: &RunReport) {
    tell(report);
    for table in &report.tables {
        assert!(table.error.as_deref().is_none_or(is_for_the_user), "{step:?}: {table:?}");
        assert!(table.rows.adds_up(), "{table:?}");
        if matches!(step, Step::Rebuild { .. }) && table.status == Status::Succeeded {
            assert_eq!(table.action, Action::Rebuild, "{table:?}");
        }
    }
}

/// The tables whose definition only a rebuild brings back.
pub fn left(report: &RunReport) -> BTreeSet<TableName> {
    let left = |error: &Option<String>| error.as_ref().is_some_and(|error| error.contains(LEFT));
    report.tables.iter().filter(|table| left(&table.error)).map(|table| table.table.clone()).collect()
}

const LEFT: &str = "has left this definition";

pub fn is_for_the_user(error: &str) -> bool {
    error.contains(LEFT) || error.contains("follows an earlier definition") || error.starts_with("skipped: ")
}

/// No table has failed.
pub fn sound(report: &RunReport) {
    for table in &report.tables {
        assert!(table.error.is_none(), "{table:?}");
    }
}

/// For whoever looks into a failure.
pub fn tell(report: &RunReport) {
    for table in report.tables.iter().filter(|table| table.status != Status::Unchanged) {
        let (name, action, version) = (&table.table, table.action.as_str(), table.version);
        println!("    {name} {action} {:?} {version:?} {}", table.status, table.error.as_deref().unwrap_or_default());
    }
}
