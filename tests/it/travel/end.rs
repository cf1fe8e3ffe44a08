//! How a life ends: all is brought up to date and compared with a lake that was made at once.

use std::collections::BTreeSet;

use lakesmith::name::{Layer, TableName};
use lakesmith::plan::Request;
use lakesmith::report::{Action, Status};
use lakesmith::run::{LEDGER, Run, folder, quarantine_folder};

use super::Travel;
use super::act::{left, sound};
use super::check::columns;
use crate::faulty::Faulty;
use crate::lake::{Rows, assert_rows, let_claims_expire, load, rows};
use crate::promises::project::QUARANTINE;
use crate::support::Project;

impl Travel<'_> {
    /// Brings all up to date, makes anew only what must be, and compares.
    pub async fn end(&mut self) {
        println!("end");
        let_claims_expire(&self.world.project.path("lake"));
        sound(&self.release().await);
        self.bring_up_to_date().await;
        self.check().await;
        let unclean = self.unclean().await;
        if !unclean.is_empty() {
            println!("  anew: {unclean:?}");
            sound(&self.rebuild(unclean).await);
            self.bring_up_to_date().await;
            self.check().await;
            assert!(self.unclean().await.is_empty());
        }
        let before = self.world.project.lake_files();
        assert_eq!(self.run().await.status, Status::Unchanged);
        assert_eq!(self.world.project.lake_files(), before);
        self.all_is_equal().await;
        self.a_fresh_lake_is_the_same().await;
        self.a_rebuild_changes_nothing().await;
        self.learn().await;
        self.memory.check(&self.world.lake).await;
    }

    async fn bring_up_to_date(&mut self) {
        // What only the user can decide; one table may then show it of another below.
        for _ in 0..3 {
            let left = left(&self.run().await);
            if left.is_empty() {
                break;
            }
            println!("  back to a definition: {left:?}");
            sound(&self.rebuild(left).await);
        }
        sound(&self.run().await);
        let batches = self.world.check_bronze().await;
        self.world.check_taken(&batches).await;
        self.check_watermarks().await;
    }

    /// Tables of two definitions, and those that another writer has changed.
    async fn unclean(&self) -> BTreeSet<TableName> {
        let newest = self.world.newest().await;
        let is_unclean =
            |name: &TableName| newest.0.get(&folder(name)).is_some_and(|snapshot| self.is_unclean(name, snapshot));
        self.made().into_iter().filter(is_unclean).collect()
    }

    /// The rows of every silver and gold table, and of what silver has refused.
    async fn held(&self, lake: &lakesmith::delta::Lake) -> Vec<(String, Rows)> {
        let mut held = Vec::new();
        for name in self.made() {
            let at = folder(&name);
            held.push((at.clone(), rows(lake, &at, columns(&at)).await));
            if name.layer == Layer::Silver {
                let at = quarantine_folder(&name);
                held.push((at.clone(), rows(lake, &at, &QUARANTINE).await));
            }
        }
        held
    }

    /// I4: another lake, whose bronze takes in the same files in the same batches, and whose tables are made at once.
    async fn a_fresh_lake_is_the_same(&self) {
        let fresh = Project::empty();
        copy(self.world.project.root(), &fresh, "");
        for folder in ["web", "shop", "customers"] {
            std::fs::create_dir_all(fresh.path("landing").join(folder)).unwrap();
        }
        let lake = Faulty::healthy().lake(&fresh.path("lake"));
        let mut taken = rows(&self.world.lake, LEDGER, &["batch", "path", "state"]).await;
        taken.retain(|row| row[2] == "taken");
        taken.sort_by_key(|row| row[0].parse::<i64>().unwrap());
        let project = load(fresh.root());
        let bronze = project.order.iter().filter(|name| name.layer == Layer::Bronze).cloned().collect();
        let bronze = Request { tables: bronze, ..Request::default() };
        let all = Request { tables: project.order.iter().cloned().collect(), ..Request::default() };
        for batch in taken.chunk_by(|a, b| a[0] == b[0]) {
            for row in batch {
                let (from, to) = (self.world.project.path("landing").join(&row[1]), format!("landing/{}", row[1]));
                fresh.write(&to, std::fs::read(from).unwrap());
            }
            let run = Run::in_lake(load(fresh.root()), lake.clone(), std::sync::Arc::new(|_| ()));
            assert_eq!(run.carry_out(&bronze, 2).await.exit_code(), 0);
        }
        let run = Run::in_lake(load(fresh.root()), lake.clone(), std::sync::Arc::new(|_| ()));
        let report = run.carry_out(&all, 2).await;
        assert_eq!(report.exit_code(), 0, "{report:?}");
        let here = self.held(&self.world.lake).await;
        for ((at, here), (_, there)) in here.iter().zip(self.held(&lake).await) {
            assert_rows(&format!("{at}, beside a fresh lake"), here, &there);
        }
    }

    /// I4: made anew from the same bronze.
    async fn a_rebuild_changes_nothing(&mut self) {
        let before = self.held(&self.world.lake).await;
        let report = self.rebuild(self.made().into_iter().collect()).await;
        sound(&report);
        assert!(report.tables.iter().all(|t| t.version.is_none() || t.action == Action::Rebuild), "{report:?}");
        for ((at, before), (_, after)) in before.iter().zip(self.held(&self.world.lake).await) {
            assert_rows(&format!("{at}, made anew"), &after, before);
        }
    }
}

/// All but the lake and the landing files.
fn copy(from: &std::path::Path, to: &Project, below: &str) {
    for entry in std::fs::read_dir(from.join(below)).unwrap() {
        let entry = entry.unwrap();
        let path = std::path::Path::new(below).join(entry.file_name()).to_str().unwrap().to_owned();
        match entry.file_type().unwrap().is_dir() {
            true if path == "lake" || path == "landing" => {}
            true => copy(from, to, &path),
            false => to.write(&path, std::fs::read(entry.path()).unwrap()),
        }
    }
}
