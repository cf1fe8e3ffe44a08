//! Work done for trial first: it leaves no trace, and tells what then happens.

use std::collections::BTreeMap;

use lakesmith::name::{Layer, TableName};
use lakesmith::plan::Request;
use lakesmith::run::folder;

use super::Travel;
use super::act::judge;
use super::step::Step;
use crate::lake::{Rows, now, rows_of};

/// The columns of a table but lineage, and its rows.
type Held = (Vec<String>, Rows);

impl Travel<'_> {
    /// Does a step for trial, then in earnest, and compares what was told with what happened.
    pub async fn rehearse(&mut self, step: &Step) {
        let files = self.world.project.lake_files();
        let before = self.all_held().await;
        let request = Request { unguarded: true, ..self.request(step) };
        let told =
            lakesmith::run::rehearse(&self.as_run(), async |run| run.carry_out(&request, 2).await).await.unwrap();
        assert_eq!(self.world.project.lake_files(), files, "a rehearsal leaves nothing");
        let done = self.work(step, self.world.lake.clone()).await;
        done.iter().for_each(|report| judge(step, report));
        let after = self.all_held().await;
        for (name, (columns, after)) in &after {
            let diff = told.diffs.get(name);
            let empty = (columns.clone(), Rows::new());
            let (columns_before, before) = before.get(name).unwrap_or(&empty);
            if columns != columns_before {
                assert!(diff.is_some(), "{name}");
                continue;
            }
            let (removed, added) = (only(before, after), only(after, before));
            let found = diff.map_or((0, 0), |d| (d.rows.removed + d.rows.changed, d.rows.added + d.rows.changed));
            assert_eq!(found, (removed, added), "{name}: {diff:#?}");
            let Some(diff) = diff else { continue };
            assert_eq!((diff.rows.before, diff.rows.after), (before.len() as u64, after.len() as u64), "{name}");
        }
    }

    async fn all_held(&self) -> BTreeMap<TableName, Held> {
        let mut all = BTreeMap::new();
        for name in self.project().order.iter().filter(|name| name.layer != Layer::Bronze) {
            let Some(snapshot) = now(&self.world.lake, &folder(name)).await else { continue };
            let names = snapshot.schema().columns.iter().map(|column| column.name.clone());
            let columns: Vec<String> = names.filter(|name| !name.starts_with('_')).collect();
            let by: Vec<&str> = columns.iter().map(String::as_str).collect();
            let rows = rows_of(&snapshot, &by).await;
            all.insert(name.clone(), (columns, rows));
        }
        all
    }
}

/// How many rows `these` have that `others` have not, as multisets.
fn only(these: &Rows, others: &Rows) -> u64 {
    let mut others = others.clone();
    let missing = |row: &&Vec<String>| match others.iter().position(|other| other == *row) {
        Some(at) => {
            others.swap_remove(at);
            false
        }
        None => true,
    };
    these.iter().filter(missing).count() as u64
}
