//! Ranges made anew, and files brought into order: under a table's own definition neither changes a row.

use std::collections::BTreeSet;

use lakesmith::name::TableName;
use lakesmith::plan::{BackfillRequest, Moment, Range};
use lakesmith::report::{RunReport, Status, TableReport};
use lakesmith::run::folder;

use super::Travel;
use super::act::{is_for_the_user, tell};
use crate::lake::{assert_rows, now, rows_of};

impl Travel<'_> {
    /// What is asked for; tables that have no event time follow.
    pub fn backfill_request(
        &self,
        table: usize,
        below: bool,
        from: usize,
        days: usize,
        daily: bool,
    ) -> BackfillRequest {
        let project = self.project();
        let timed: Vec<TableName> = self.made().into_iter().filter(has_event_time).collect();
        let mut tables = BTreeSet::from([timed[table % timed.len()].clone()]);
        if below {
            self.with_below(&mut tables);
        }
        let moment = |day: usize| Moment::parse(&format!("2026-01-{day:02}"), project.timezone).unwrap();
        let range = Range { from: moment(1 + from), to: moment(1 + from + days) };
        let chunk = daily.then(|| "1d".parse().unwrap());
        let request = BackfillRequest::new(&project, &tables, range, chunk).unwrap();
        BackfillRequest { unguarded: true, ..request }
    }

    /// Days of a table made anew.
    pub async fn backfill(&self, request: &BackfillRequest) {
        let (mut clean, project) = (Vec::new(), self.project());
        for name in &request.tables {
            let Some(snapshot) = now(&self.world.lake, &folder(name)).await else { continue };
            let follows = project.inputs(name).iter().any(|input| request.tables.contains(input));
            if !follows && self.is_current(name, &snapshot) && !self.is_unclean(name, &snapshot) {
                clean.push((name.clone(), snapshot));
            }
        }
        let report = self.as_run().backfill(request, 2).await;
        self.judge_backfill(&report);
        for (name, before) in clean {
            let after = now(&self.world.lake, &folder(&name)).await.unwrap();
            // One of several chunks is noted in a commit though it changes no row: so is it not done twice.
            let unchanged = |table: &TableReport| table.table == name && table.status == Status::Unchanged;
            if request.chunk.is_none() && report.tables.iter().any(unchanged) {
                assert_eq!(after.version(), before.version(), "{report:#?}");
            }
            let what = format!("{name} under its own definition: {report:#?}");
            assert_rows(&what, &rows_of(&after, &["*"]).await, &rows_of(&before, &["*"]).await);
        }
    }

    fn judge_backfill(&self, report: &RunReport) {
        tell(report);
        for table in &report.tables {
            let refused = |error: &str| is_for_the_user(error) || error.starts_with("held at version ");
            assert!(table.error.as_deref().is_none_or(refused), "{table:?}");
        }
    }
}

/// By [`super::definitions`].
fn has_event_time(name: &TableName) -> bool {
    ["silver.orders", "silver.visits", "silver.customers", "gold.by_region"].contains(&name.to_string().as_str())
}
