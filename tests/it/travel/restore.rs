//! Tables that go back, and are let go again.

use lakesmith::delta::At;
use lakesmith::name::TableName;
use lakesmith::report::{RunReport, Status};
use lakesmith::run::{Restore, folder, quarantine_folder, quarantined};

use super::Travel;
use super::act::{sound, tell};
use super::memory::read;
use crate::lake::{Rows, assert_rows, now, rows_of};

impl Travel<'_> {
    /// What is asked for, if there is such a table.
    pub fn restoration(&self, table: usize, back: usize, below: bool, hold: bool) -> Option<Restore> {
        let (name, version) = self.version(&self.made(), table, back)?;
        Some(Restore { table: name, at: At::Version(version), below, hold })
    }

    /// A version of a table, counted from the newest.
    pub fn version(&self, tables: &[TableName], table: usize, back: usize) -> Option<(TableName, i64)> {
        let there = |name: &&TableName| self.memory.of(&folder(name)).next().is_some();
        let there: Vec<&TableName> = tables.iter().filter(there).collect();
        let name = *there.get(table % there.len().max(1))?;
        let versions: Vec<i64> = self.memory.of(&folder(name)).map(|(version, _)| version).collect();
        Some((name.clone(), versions[versions.len() - 1 - back % versions.len()]))
    }

    /// The table is as it was, with what it had refused; or, where a vacuum has taken that, nothing has changed.
    pub async fn restore(&mut self, restore: &Restore) {
        let name = &restore.table;
        let At::Version(version) = restore.at else { panic!("{restore:?}") };
        println!("    {name}@{version}");
        let is_whole = self.is_whole(name, version).await;
        let before = now(&self.world.lake, &folder(name)).await.unwrap().version();
        let report = self.as_run().restore(restore).await;
        tell(&report);
        if !is_whole {
            let error = report.tables[0].error.as_deref().unwrap_or_default();
            assert!(error.contains("cannot come back") || error.contains("lakesmith"), "{report:?}");
            assert_eq!(now(&self.world.lake, &folder(name)).await.unwrap().version(), before);
            return;
        }
        sound(&report);
        self.learn().await;
        let then = self.memory.of(&folder(name)).find(|(number, _)| *number == version).unwrap().1;
        let snapshot = now(&self.world.lake, &folder(name)).await.unwrap();
        assert_rows(&format!("{name} back at {version}"), &rows_of(&snapshot, &["*"]).await, &then.rows);
        let refused = match quarantined(&self.world.lake, name).await.unwrap() {
            Some(snapshot) => rows_of(&snapshot, &["*"]).await,
            None => Rows::new(),
        };
        assert_rows(&format!("refused of {name} back at {version}"), &refused, &self.refused_then(name, version));
        if restore.hold {
            assert!(snapshot.property("lakesmith.hold").is_some(), "{report:?}");
        }
        let again = self.as_run().restore(restore).await;
        assert_eq!(again.tables[0].status, Status::Unchanged, "{again:?}");
    }

    /// What silver had refused at a version.
    fn refused_then(&self, name: &TableName, version: i64) -> Rows {
        let then = self.memory.of(&folder(name)).find(|(number, _)| *number == version).unwrap().1;
        let at = quarantine_folder(name);
        let mut quarantine = self.memory.of(&at);
        let named = then.quarantine.and_then(|named| quarantine.find(|(number, _)| *number == named));
        named.map(|(_, quarantine)| quarantine.rows.clone()).unwrap_or_default()
    }

    /// Whether all of a version can be had: its rows and those that it refused.
    async fn is_whole(&self, name: &TableName, version: i64) -> bool {
        let then = self.memory.of(&folder(name)).find(|(number, _)| *number == version).unwrap().1;
        let refused = match then.quarantine {
            Some(named) => read(&self.world.lake, &quarantine_folder(name), named).await.is_ok(),
            None => true,
        };
        refused && read(&self.world.lake, &folder(name), version).await.is_ok()
    }

    /// Runs go on with every table.
    pub async fn release(&self) -> RunReport {
        let held = self.held_back().await;
        self.as_run().release(&held).await
    }

    /// Tables that runs leave as they are.
    pub async fn held_back(&self) -> Vec<TableName> {
        let mut held = Vec::new();
        for name in self.made() {
            let snapshot = now(&self.world.lake, &folder(&name)).await;
            held.extend(snapshot.filter(|s| s.property("lakesmith.hold").is_some()).map(|_| name));
        }
        held
    }

    /// No table but those on hold lags behind what it reads.
    pub async fn check_watermarks(&self) {
        let mut newest = self.world.newest().await;
        for name in self.held_back().await {
            // Neither it nor what cannot be told of it.
            newest.0.remove(&folder(&name));
        }
        let project = self.project();
        for name in self.made() {
            let Some(snapshot) = newest.0.get(&folder(&name)) else { continue };
            for input in project.inputs(&name) {
                let Some(input) = now(&self.world.lake, &folder(&input)).await else { continue };
                let position = input.txn("lakesmith/batch").unwrap_or(input.version());
                assert_eq!(snapshot.txn(&format!("lakesmith/from/{}", input.table_id())), Some(position), "{name}");
            }
        }
    }
}
