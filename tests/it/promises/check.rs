//! What must hold of a lake at any moment.

use std::collections::BTreeMap;

use futures::future::BoxFuture;
use lakesmith::delta::{At, Lake, Snapshot};

use super::events::{Form, ORDER_COLUMNS};
use super::history::{File, History, Round};
use super::model::{Event, Silver};
use super::project;
use crate::faulty::Faulty;
use crate::lake::{NULL, Rows, assert_rows, now, rows, rows_at, rows_of};
use crate::support::Project;

/// A project, its lake, and what has arrived so far.
pub struct World<'a> {
    pub history: &'a History,
    pub project: Project,
    pub lake: Lake,
    pub arrived: Vec<&'a File>,
}

/// The batch of each file that is in bronze.
pub type Batches<'a> = BTreeMap<&'a str, i64>;
/// How far a table has got: the last batch that it covers, by bronze table.
pub type Horizon = BTreeMap<String, i64>;
/// The newest version of every table, by folder.
pub struct Newest(pub BTreeMap<String, Snapshot>);

impl<'a> World<'a> {
    pub fn new(history: &'a History) -> Self {
        let project = project::write(history.variant);
        let lake = Faulty::healthy().lake(&project.path("lake"));
        World { history, project, lake, arrived: Vec::new() }
    }

    /// The files of a round come.
    pub fn arrive(&mut self, round: &'a Round) {
        for file in self.arrived.iter().filter(|_| round.touched) {
            self.project.write(&format!("landing/{}", file.path), file.form.file(&file.records));
        }
        for file in &round.files {
            self.project.write(&format!("landing/{}", file.path), file.form.file(&file.records));
            self.arrived.push(file);
        }
    }

    /// What silver and gold must be when all files come at once.
    pub fn model_at_once(&self) -> Silver {
        let batches = self.arrived.iter().map(|file| (file.path.as_str(), 1)).collect();
        Silver::of(&self.events(&batches, &|_, _| true))
    }

    /// I2, I4, I5 at any moment, also after a death: bronze holds whole files, each once; every other table holds what
    /// the model says of the events that its watermarks cover.
    pub async fn check(&self) {
        self.check_now(&self.newest().await).await;
    }

    async fn check_now(&self, newest: &Newest) -> Batches<'a> {
        let batches = self.check_bronze().await;
        for (folder, columns) in project::tables(self.history.variant) {
            match folder.strip_prefix("quarantine/") {
                Some(silver) => self.check_quarantine(newest, &batches, silver).await,
                None => {
                    let Some(snapshot) = newest.0.get(folder) else { continue };
                    let horizon = newest.horizon(snapshot).await;
                    let expected = self.model(&batches, &horizon).rows(folder);
                    let found = rows_of(snapshot, columns).await;
                    assert_rows(&format!("{folder}, which covers {horizon:?}"), &found, &expected);
                }
            }
        }
        batches
    }

    pub async fn newest(&self) -> Newest {
        let mut newest = BTreeMap::new();
        for table in &crate::lake::load(self.project.root()).order {
            let folder = lakesmith::run::folder(table);
            newest.extend(now(&self.lake, &folder).await.map(|snapshot| (folder, snapshot)));
        }
        Newest(newest)
    }

    /// All that has arrived is in bronze and in the ledger, and nothing lags behind it.
    pub async fn check_complete(&self) {
        let newest = self.newest().await;
        let batches = self.check_now(&newest).await;
        self.check_taken(&batches).await;
        self.check_watermarks(&newest);
    }

    /// All that has arrived is in bronze and in the ledger.
    pub async fn check_taken(&self, batches: &Batches<'_>) {
        let taken: Vec<_> = self.arrived.iter().filter(|f| !f.records.is_empty()).map(|f| f.path.as_str()).collect();
        assert!(taken.iter().all(|path| batches.contains_key(path)), "{taken:?} {batches:?}");
        self.check_ledger(batches).await;
    }

    /// No table lags behind what it reads.
    pub fn check_watermarks(&self, newest: &Newest) {
        let project = crate::lake::load(self.project.root());
        for table in &project.order {
            let inputs = project.inputs(table);
            let there: Vec<_> = inputs.iter().filter_map(|i| newest.0.get(&lakesmith::run::folder(i))).collect();
            let enough =
                if table.layer.to_string() == "silver" { !there.is_empty() } else { there.len() == inputs.len() };
            if inputs.is_empty() || !enough {
                continue;
            }
            let snapshot = &newest.0[&lakesmith::run::folder(table)];
            for input in there {
                let position = input.txn("lakesmith/batch").unwrap_or(input.version());
                assert_eq!(snapshot.txn(&format!("lakesmith/from/{}", input.table_id())), Some(position), "{table}");
            }
        }
    }

    pub async fn check_bronze(&self) -> Batches<'a> {
        let mut batches = Batches::new();
        for table in self.bronze_tables() {
            let found = self.bronze_rows(table).await;
            for file in self.arrived.iter().filter(|file| file.table == table) {
                let of_file: Vec<_> = found.iter().filter(|row| row[0] == file.path).collect();
                let Some(first) = of_file.first() else { continue };
                let mut expected: Rows =
                    (1..).zip(&file.records).map(|(n, record)| line(first, n, file, record)).collect();
                expected.sort();
                assert_rows(&file.path, &of_file.iter().map(|row| row.to_vec()).collect(), &expected);
                batches.insert(&file.path, first[2].parse().unwrap());
            }
            let known: usize = self
                .arrived
                .iter()
                .filter(|f| batches.contains_key(f.path.as_str()) && f.table == table)
                .map(|f| f.records.len())
                .sum();
            assert_eq!(found.len(), known, "bronze.{table}");
        }
        batches
    }

    fn bronze_tables(&self) -> impl Iterator<Item = &'static str> {
        ["web", "customers"].into_iter().chain(self.history.variant.two_sources.then_some("shop"))
    }

    /// File, row, batch and the text of the record.
    async fn bronze_rows(&self, table: &str) -> Rows {
        let form = match table {
            "web" => Form::Csv,
            "shop" => Form::Backwards,
            _ if self.history.variant.ndjson => Form::Ndjson,
            _ => Form::CustomersCsv,
        };
        let (columns, delimiter) = match form {
            Form::Csv => (ORDER_COLUMNS.to_vec(), ","),
            Form::Backwards => (ORDER_COLUMNS.iter().rev().copied().collect(), ";"),
            Form::CustomersCsv => (project::CUSTOMERS.to_vec(), ","),
            Form::Ndjson => (vec!["value"], ""),
        };
        let added = ["_source_file", "_source_row", "_batch", "_malformed"];
        let all: Vec<_> = added.into_iter().chain(columns).collect();
        let line = |row: Vec<String>| {
            let (place, rest) = row.split_at(3);
            let text = if rest[0] == NULL {
                rest[1..].join(delimiter)
            } else {
                assert!(rest[1..].iter().all(|value| value == NULL), "{rest:?}");
                rest[0].clone()
            };
            place.iter().cloned().chain([text]).collect()
        };
        let mut rows: Rows = rows(&self.lake, &format!("bronze/{table}"), &all).await.into_iter().map(line).collect();
        rows.sort();
        rows
    }

    async fn check_ledger(&self, batches: &Batches<'_>) {
        let mut expected: Rows = Vec::new();
        for file in &self.arrived {
            let Some(batch) = batches.get(file.path.as_str()) else { continue };
            let table = format!("bronze.{}", file.table);
            expected.push(vec![
                table,
                file.path.clone(),
                batch.to_string(),
                file.records.len().to_string(),
                "taken".into(),
            ]);
        }
        let found = rows(&self.lake, "_lakesmith/ledger", &["table", "path", "batch", "rows", "state"]).await;
        let found = found.into_iter().filter(|row| row[4] == "taken" && row[3] != "0").collect();
        assert_rows("the ledger", &found, &expected);
    }

    /// What is refused of the batches that silver covers; beyond them a dead run may have left anything.
    async fn check_quarantine(&self, newest: &Newest, batches: &Batches<'_>, silver: &'static str) {
        let Some(snapshot) = newest.0.get(&format!("silver/{silver}")) else { return };
        let horizon = newest.horizon(snapshot).await;
        let columns = ["_batch", "_source_table", "_source_file", "_source_row", "_reasons"];
        let found = rows(&self.lake, &format!("quarantine/{silver}"), &columns).await;
        let covered = |row: &Vec<String>| {
            let table = row[1].strip_prefix("bronze.").unwrap();
            horizon.get(table).is_some_and(|last| row[0].parse::<i64>().unwrap() <= *last)
        };
        let rules = |mut row: Vec<String>| {
            let rules: Vec<_> = row[4].split(" | ").map(|reason| reason.split('~').nth(1).unwrap()).collect();
            row[4] = rules.join(" ");
            row
        };
        let found = found.into_iter().filter(covered).map(rules).collect();
        let expected = self.model(batches, &horizon).refused.remove(silver).unwrap_or_default();
        assert_rows(&format!("quarantine/{silver}"), &found, &expected);
    }

    fn model(&self, batches: &Batches<'_>, horizon: &Horizon) -> Silver {
        let covered = |table: &str, batch| horizon.get(table).is_some_and(|last| batch <= *last);
        Silver::of(&self.events(batches, &covered))
    }

    pub fn events<'b>(&self, batches: &Batches<'_>, covered: &dyn Fn(&str, i64) -> bool) -> Vec<Event<'b>>
    where
        'a: 'b,
    {
        let mut events = Vec::new();
        for file in &self.arrived {
            let Some(&batch) = batches.get(file.path.as_str()).filter(|batch| covered(file.table, **batch)) else {
                continue;
            };
            for (row, record) in (1..).zip(&file.records) {
                events.push(Event { table: file.table, batch, file: &file.path, row, record });
            }
        }
        events
    }
}

impl Newest {
    /// Follows watermarks down to bronze.
    pub fn horizon<'b>(&'b self, snapshot: &'b Snapshot) -> BoxFuture<'b, Horizon> {
        Box::pin(async move {
            let mut horizon = Horizon::new();
            for (folder, input) in &self.0 {
                let Some(seen) = snapshot.txn(&format!("lakesmith/from/{}", input.table_id())) else { continue };
                // Of an input that a table had not read at the version to which it went back, the txn stays behind.
                if !snapshot.property("lakesmith.inputs").is_some_and(|inputs| inputs.contains(input.table_id())) {
                    continue;
                }
                if let Some(bronze) = folder.strip_prefix("bronze/") {
                    horizon.insert(bronze.to_owned(), seen);
                } else {
                    let then = input.table().snapshot_at(&At::Version(seen)).await.unwrap();
                    horizon.extend(self.horizon(&then).await);
                }
            }
            horizon
        })
    }
}

fn line(first: &[String], n: i64, file: &File, record: &super::events::Record) -> Vec<String> {
    vec![file.path.clone(), n.to_string(), first[2].clone(), file.form.line(record)]
}

/// All tables as they were at their versions (I6).
pub struct Memory {
    pub tables: Vec<(&'static str, i64, Rows)>,
    columns: BTreeMap<&'static str, &'static [&'static str]>,
}

impl Memory {
    pub async fn of(world: &World<'_>) -> Self {
        let mut tables = Vec::new();
        let columns: BTreeMap<_, _> = project::tables(world.history.variant).into_iter().collect();
        for (folder, columns) in &columns {
            if let Some(snapshot) = now(&world.lake, folder).await {
                tables.push((*folder, snapshot.version(), rows_of(&snapshot, columns).await));
            }
        }
        Memory { tables, columns }
    }

    pub async fn check(&self, world: &World<'_>) {
        for (folder, version, then) in &self.tables {
            let found = rows_at(&world.lake, folder, *version, self.columns[folder]).await;
            assert_rows(&format!("{folder}@{version}"), &found, then);
        }
    }
}
