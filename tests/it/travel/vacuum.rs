//! Old files deleted: what is kept reads as it did, what is gone is an error and never other rows.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use lakesmith::delta::{At, Lake};
use lakesmith::name::{Layer, TableName};
use lakesmith::report::Status;
use lakesmith::run::{Vacuum, folder, pin, pins, quarantine_folder, unpin};

use super::Travel;
use super::memory::read;
use crate::lake::now;

impl Travel<'_> {
    /// Deletes what was not the newest at the beginning of that step or since. Whatever has become of it, nothing else
    /// may be missing.
    pub async fn vacuum(&mut self, lake: &Lake, since: usize, dies: bool) {
        let since = self.times[self.times.len() - 1 - since % self.times.len()];
        self.learn().await;
        let needed = self.needed(since).await;
        // In forty days, so that what dead runs have left is old enough.
        let now = Utc::now() + TimeDelta::days(40);
        let vacuum = Vacuum {
            project: self.project(),
            lake: lake.clone(),
            tables: self.project().order.iter().cloned().collect(),
            records: true,
            retain: Some((now - since).to_std().unwrap()),
            force: true,
            now,
        };
        match vacuum.survey().await {
            Ok(shown) => match vacuum.carry_out(&shown).await {
                Ok(done) => {
                    assert!(dies || done.status != Status::Failed, "{done:#?}");
                    println!("    {} files", done.tables.iter().map(|table| table.files).sum::<usize>());
                }
                Err(error) => assert!(dies, "{error}"),
            },
            Err(error) => assert!(dies, "{error}"),
        }
        self.memory.lose(&self.world.lake, &needed).await;
    }

    /// The versions that must be kept, by folder.
    async fn needed(&self, since: DateTime<Utc>) -> BTreeSet<(String, i64)> {
        let (project, lake) = (self.project(), &self.world.lake);
        let mut needed = BTreeSet::new();
        for name in &project.order {
            needed.extend(self.memory.newest_since(&folder(name), since));
            if let Some(snapshot) = now(lake, &folder(name)).await {
                for input in project.inputs(name).iter().filter(|input| input.layer != Layer::Bronze) {
                    let Some(seen) = now(lake, &folder(input)).await else { continue };
                    let seen = snapshot.txn(&format!("lakesmith/from/{}", seen.table_id()));
                    needed.extend(seen.map(|version| (folder(input), version)));
                }
            }
        }
        needed.extend(pins(&project, lake).await.unwrap().into_iter().map(|pin| (folder(&pin.table), pin.version)));
        // What a table read that has gone back since may be gone already.
        needed.retain(|(at, version)| self.memory.of(at).any(|(number, then)| number == *version && !then.is_gone));
        for name in project.order.iter().filter(|name| name.layer == Layer::Silver) {
            let at = quarantine_folder(name);
            needed.extend(self.memory.newest_since(&at, since));
            for (version, then) in self.memory.of(&folder(name)) {
                if needed.contains(&(folder(name), version)) {
                    needed.extend(then.quarantine.map(|named| (at.clone(), named)));
                }
            }
        }
        needed.retain(|(at, version)| self.memory.of(at).any(|(number, then)| number == *version && !then.is_gone));
        needed
    }

    /// Gives a version a name, if it is still there.
    pub async fn pin(&mut self, lake: &Lake, table: usize, back: usize, dies: bool) {
        let Some((name, version)) = self.version(&self.project().order.clone(), table, back) else { return };
        let is_there = read(&self.world.lake, &folder(&name), version).await.is_ok();
        let named = format!("p{}", self.times.len());
        println!("    {name}@{version} {named}");
        let pinned = pin(lake, &name, Some(At::Version(version)), &named).await;
        assert!(dies || pinned.is_ok() == is_there, "{is_there} {pinned:?}");
    }

    pub async fn unpin(&mut self, lake: &Lake, one: usize, dies: bool) {
        let pins = pins(&self.project(), &self.world.lake).await.unwrap();
        let Some(pin) = pins.get(one % pins.len().max(1)) else { return };
        let (table, name): (&TableName, &str) = (&pin.table, &pin.name);
        let done = unpin(lake, table, name).await;
        assert!(dies || done.is_ok(), "{done:?}");
    }
}
