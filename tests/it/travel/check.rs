//! What must hold at any moment, also after a death: what a table holds follows from what it says of itself.

use lakesmith::delta::Snapshot;
use lakesmith::name::TableName;
use lakesmith::project::definition_hash;
use lakesmith::run::{folder, quarantined};

use super::Travel;
use super::memory::Version;
use crate::lake::{Rows, assert_rows, load, rows_at, rows_of};
use crate::promises::check::{Batches, Newest};
use crate::promises::model::{Rules, Silver, Spender, ranking, read_money};
use crate::promises::project::{self, BY_CUSTOMER, CUSTOMERS, ORDERS};

impl Travel<'_> {
    /// I2, I4, I5: bronze holds whole files, each once; silver what a naive model says of the events that its watermarks
    /// cover, by the definition that it bears; gold what the model makes of the very versions that it was made from. Of
    /// tables of two definitions, and of those that another writer has changed, no model speaks.
    pub async fn check(&mut self) {
        let batches = self.world.check_bronze().await;
        self.learn().await;
        let newest = self.world.newest().await;
        for name in &load(self.world.project.root()).order {
            let Some(snapshot) = newest.0.get(&folder(name)) else { continue };
            if name.layer.to_string() != "bronze" && !self.is_unclean(name, snapshot) {
                self.check_table(name, snapshot, &newest, &batches).await;
            }
        }
    }

    /// Whether its rows need not follow from its inputs.
    pub fn is_unclean(&self, name: &TableName, snapshot: &Snapshot) -> bool {
        is_mixed(snapshot) || self.memory.is_tainted(&folder(name))
    }

    async fn check_table(&self, name: &TableName, snapshot: &Snapshot, newest: &Newest, batches: &Batches<'_>) {
        let at = folder(name);
        let rules = self.rules_of(&at, snapshot);
        let what = || format!("{at}@{} under {rules:?}", snapshot.version());
        let expected = if at.starts_with("silver/") {
            let horizon = newest.horizon(snapshot).await;
            let covered = |table: &str, batch| horizon.get(table).is_some_and(|last| batch <= *last);
            let mut model = Silver::under(rules, &self.world.events(batches, &covered));
            let refused = model.refused.remove(&*name.name).unwrap_or_default();
            let what = format!("quarantine of {}, which covers {horizon:?}", what());
            assert_rows(&what, &self.refused(name).await, &refused);
            model.rows(&at)
        } else {
            let Some(expected) = self.of_inputs(&at, rules, snapshot, newest).await else { return };
            expected
        };
        assert_rows(&what(), &rows_of(snapshot, columns(&at)).await, &expected);
    }

    /// What the rows refused of a silver table have broken, with their places.
    async fn refused(&self, name: &TableName) -> Rows {
        let columns = ["_batch", "_source_table", "_source_file", "_source_row", "_reasons"];
        let Some(snapshot) = quarantined(&self.world.lake, name).await.unwrap() else { return Rows::new() };
        let rules = |mut row: Vec<String>| {
            let rules: Vec<_> = row[4].split(" | ").map(|reason| reason.split('~').nth(1).unwrap()).collect();
            row[4] = rules.join(" ");
            row
        };
        rows_of(&snapshot, &columns).await.into_iter().map(rules).collect()
    }

    /// Whether its rows follow today's definition.
    pub fn is_current(&self, name: &TableName, snapshot: &Snapshot) -> bool {
        snapshot.property("lakesmith.definition") == Some(&definition_hash(&self.project(), name))
    }

    /// A table that went back may speak of a version that a vacuum has taken since.
    pub fn reads_what_is_gone(&self, name: &TableName, snapshot: &Snapshot) -> bool {
        self.project().inputs(name).iter().any(|input| {
            let input = folder(input);
            let gone =
                |(number, version): (i64, &Version)| version.is_gone && snapshot.txns().values().any(|v| *v == number);
            !input.starts_with("bronze/") && self.memory.of(&input).any(gone)
        })
    }

    /// What gold makes of the versions that it names.
    async fn of_inputs(&self, at: &str, rules: Rules, snapshot: &Snapshot, newest: &Newest) -> Option<Rows> {
        let seen = async |input: &str, columns: &[&str]| {
            let input_now = newest.0.get(input)?;
            let version = snapshot.txn(&format!("lakesmith/from/{}", input_now.table_id()))?;
            // A table that went back may speak of a version that a vacuum has taken since.
            if self.memory.of(input).any(|(number, input)| number == version && input.is_gone) {
                return None;
            }
            Some(rows_at(&self.world.lake, input, version, columns).await)
        };
        if at == "gold/ranking" {
            let spender = |row: Vec<String>| -> Spender {
                let spent = read_money(&row[2]);
                (row, spent)
            };
            let customers: Vec<_> = seen("gold/by_customer", &BY_CUSTOMER).await?.into_iter().map(spender).collect();
            return Some(ranking(&customers));
        }
        let orders = seen("silver/orders", &ORDERS).await?;
        let customers = match at {
            "gold/by_status" => Rows::new(),
            _ => seen("silver/customers", &CUSTOMERS).await?,
        };
        Some(Silver::holding(rules, &orders, &customers).rows(at))
    }
}

pub fn is_mixed(snapshot: &Snapshot) -> bool {
    snapshot.property("lakesmith.mixed") == Some("true")
}

/// Those by which a table is compared.
pub fn columns(folder: &str) -> &'static [&'static str] {
    match folder {
        "silver/orders" => &ORDERS,
        "silver/visits" => &project::VISITS,
        "silver/customers" => &CUSTOMERS,
        "gold/by_region" => &project::BY_REGION,
        "gold/by_customer" => &BY_CUSTOMER,
        "gold/ranking" => &project::RANKING,
        "gold/open" => &project::OPEN,
        "gold/by_status" => &project::BY_STATUS,
        other => panic!("no {other}"),
    }
}
