//! What a table is to be once it is back, beside its rows: properties, watermarks, what the commit says.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::back::Back;
use crate::name::{Layer, TableName};
use crate::plan::{Hold, TableState};
use crate::report::{Action, InputVersion, RowCounts};
use crate::run::error::Result;
use crate::run::protocol::{self, HOLD, LEFT, PINS, RESTORED, read_txn, table_state, watermark_txn};

/// Properties that are about a table's log and not about its rows: they stay as they are, with all that begin so.
const STAYS: [&str; 6] = [
    "delta.logRetentionDuration",
    "delta.deletedFileRetentionDuration",
    "delta.setTransactionRetentionDuration",
    "delta.enableExpiredLogCleanup",
    "delta.checkpoint",
    "delta.inCommitTimestamp",
];

/// Commits before a version among which its inputs' versions are looked for.
const COMMITS_LOOKED_AT: i64 = 50;

impl Back<'_> {
    /// What the table will be for planning.
    pub fn state(&self) -> TableState {
        let mut state = table_state(&self.target);
        state.version = self.base.version() + 1;
        state.mark = None;
        state.left = self.left();
        state.hold = self.wanted_hold();
        state
    }

    /// Those of the version that comes back, but for what is about the log and what people have said of the table.
    pub(super) fn properties(&self) -> BTreeMap<String, String> {
        let mut properties = self.base.properties().clone();
        if self.base.version() != self.target.version() {
            let stays = |key: &String| {
                [HOLD, PINS].contains(&key.as_str()) || STAYS.iter().any(|prefix| key.starts_with(prefix))
            };
            properties.retain(|key, _| stays(key));
            let back = self.target.properties().iter().filter(|(key, _)| !stays(key) && *key != LEFT);
            properties.extend(back.map(|(key, value)| (key.clone(), value.clone())));
            let left = self.left();
            if !left.is_empty() {
                properties.insert(LEFT.to_string(), left.join(","));
            }
        }
        match self.wanted_hold() {
            Some(hold) if Some(&hold) != table_state(&self.base).hold.as_ref() => {
                properties.insert(HOLD.to_string(), json!(hold).to_string());
            }
            _ => {}
        }
        properties
    }

    /// The definitions that the version had left. Whoever takes a table back does not say that today's has been left: the
    /// next run may go on with it.
    fn left(&self) -> Vec<String> {
        let mut left = table_state(&self.target).left;
        if self.base.version() != self.target.version() {
            left.retain(|hash| *hash != self.today);
        }
        left
    }

    /// A table on hold stays on hold, at the version to which it goes now.
    fn wanted_hold(&self) -> Option<Hold> {
        let version = self.target.version();
        match table_state(&self.base).hold {
            Some(hold) if hold.version == version || self.base.version() == version => Some(hold),
            None if !self.hold => None,
            _ => Some(Hold { run_id: self.run.id.clone(), at: self.run.started_at, version }),
        }
    }

    /// How far the inputs were read, as txns. Of an input that the version had not read a later watermark may stay in
    /// the log: it does not count, since the inputs of that version do not name it.
    pub(super) fn watermarks(&self, above: &BTreeMap<String, i64>) -> Vec<(String, i64)> {
        let marks = table_state(&self.target).watermarks;
        let now = |(id, mark): (&String, &i64)| {
            // which version an input has just made is known by its number alone
            let seen = match above.contains_key(id) {
                true => 0,
                false => self.target.txn(&read_txn(id)).unwrap_or(0),
            };
            let read = (self.base.txn(&read_txn(id)).is_some()).then(|| (read_txn(id), seen));
            [Some((watermark_txn(id), above.get(id).copied().unwrap_or(*mark))), read]
        };
        marks.iter().flat_map(now).flatten().collect()
    }

    pub(super) async fn note(&self, above: &BTreeMap<String, i64>) -> Result<Map<String, Value>> {
        let definition = self.target.property(protocol::DEFINITION).unwrap_or_default();
        let inputs = self.inputs(above).await?;
        let action = Action::Restore.as_str();
        let mut note = protocol::note(&self.run.id, action, definition, &inputs, &RowCounts::default());
        // No row was read; the files that came and went stand in the commit.
        note.remove("rows");
        note.insert(RESTORED.into(), self.target.version().into());
        Ok(note)
    }
    /// What the rows were made from.
    pub async fn inputs(&self, above: &BTreeMap<String, i64>) -> Result<Vec<InputVersion>> {
        let state = table_state(&self.target);
        let mut inputs = Vec::new();
        for (table, id) in &state.inputs {
            let Some(mark) = state.watermarks.get(id) else { continue };
            let mark = above.get(id).copied().unwrap_or(*mark);
            let input = match table.layer {
                Layer::Bronze => self.bronze_version(table, mark).await?,
                _ => Some(InputVersion { table: table.clone(), version: mark, batch: None }),
            };
            inputs.extend(input);
        }
        Ok(inputs)
    }

    /// The version of a bronze table at a batch, as the commits up to the one that comes back have noted it.
    async fn bronze_version(&self, bronze: &TableName, batch: i64) -> Result<Option<InputVersion>> {
        let version = self.target.version();
        let commits = self.table.history((version - COMMITS_LOOKED_AT).max(0)).await?;
        let noted = commits.iter().rev().filter(|commit| commit.version <= version).find_map(|commit| {
            let inputs = commit.note.as_ref()?.get("inputs")?.as_array()?;
            let is_this = |input: &&Value| input["table"] == bronze.to_string() && input["batch"] == batch;
            inputs.iter().find(is_this)?["version"].as_i64()
        });
        Ok(noted.map(|version| InputVersion { table: bronze.clone(), version, batch: Some(batch) }))
    }
}
