//! What happened to a table, version by version, from its log.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;

use super::error::{Error, Result};
use super::protocol::folder;
use crate::delta::{CommitRecord, Lake};
use crate::name::TableName;
use crate::project::{Project, definition_hash};

/// One version of a table.
#[derive(Clone, Debug, Serialize)]
pub struct Past {
    /// Delta's version
    pub version: i64,
    /// when it was committed
    pub at: DateTime<Utc>,
    /// the run that made it
    pub run_id: Option<String>,
    /// what lakesmith did, or the operation of another writer
    pub action: String,
    /// rows accounted for, as the commit says
    pub rows: Option<Value>,
    /// the versions that it was computed from
    pub inputs: Option<Value>,
    /// hash of the definition that it follows
    pub definition: Option<String>,
    /// whether that is today's; none for bronze
    pub current: Option<bool>,
    /// rows were changed by another writer
    pub foreign: bool,
    /// names of the pins that keep it
    pub pins: Vec<String>,
}

/// The newest `limit` versions of a table that its log still tells of, the newest first.
///
/// # Errors
/// There is no such table in the lake.
pub async fn history(project: &Project, name: &TableName, limit: usize) -> Result<Vec<Past>> {
    let lake = Lake::open(&project.environment.lake, &project.environment.storage)?;
    let table = lake.table(&folder(name));
    let Some(newest) = table.snapshot().await? else {
        return Err(Error::Refused(format!("`{name}` has no rows yet; `lakesmith run` makes it")));
    };
    let from = (newest.version() + 1 - i64::try_from(limit).unwrap_or(i64::MAX)).max(0);
    let today = definition_hash(project, name);
    let pins = newest.pins()?;
    let mut past: Vec<Past> = table.history(from).await?.into_iter().map(|c| version(c, &today)).collect();
    for one in &mut past {
        let named = pins.iter().filter(|(_, pin)| pin.version == one.version);
        one.pins = named.map(|(name, _)| name.clone()).collect();
    }
    past.reverse();
    Ok(past)
}

fn version(commit: CommitRecord, today: &str) -> Past {
    let foreign = is_foreign(&commit);
    let note = commit.note.unwrap_or_default();
    let text = |key: &str| note.get(key).and_then(Value::as_str).map(str::to_string);
    let definition = text("definition");
    Past {
        version: commit.version,
        at: commit.timestamp,
        run_id: text("run_id"),
        action: text("action").unwrap_or(commit.operation),
        rows: note.get("rows").cloned(),
        inputs: note.get("inputs").cloned(),
        current: definition.as_deref().map(|d| d == today),
        definition,
        foreign,
        pins: Vec::new(),
    }
}

/// Whether a commit changed rows and bears no run id of ours.
pub fn is_foreign(commit: &CommitRecord) -> bool {
    commit.data_change && !commit.note.as_ref().is_some_and(|note| note.contains_key("run_id"))
}
