//! What happened to a table, version by version, from its log.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;

use super::error::{Error, Result};
use super::protocol::{DEFINITION, RESTORED, folder};
use crate::delta::{self, At, CommitRecord, Lake, Snapshot, Table};
use crate::name::{Layer, TableName};
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
    /// the version that came back
    pub restored: Option<i64>,
    /// rows accounted for, as the commit says
    pub rows: Option<Value>,
    /// what became of the files
    pub files: Files,
    /// the versions that it was computed from
    pub inputs: Option<Value>,
    /// hash of the definition that it follows
    pub definition: Option<String>,
    /// whether that is today's; none for bronze
    pub current: Option<bool>,
    /// rows were changed by another writer
    pub foreign: bool,
    /// the program that wrote it
    pub engine: Option<String>,
    /// names of the pins that keep it
    pub pins: Vec<String>,
}

/// Files that came and went with a commit, and their rows as far as their writer counted them.
#[derive(Clone, Debug, Serialize)]
pub struct Files {
    /// files that came
    pub added: usize,
    /// files that went
    pub removed: usize,
    /// rows of those that came
    pub rows_added: Option<u64>,
    /// rows of those that went
    pub rows_removed: Option<u64>,
    /// bytes of those that came
    pub bytes_added: u64,
    /// bytes of those that went
    pub bytes_removed: Option<u64>,
    /// the rows are the same, only their files are others
    pub rearranged: bool,
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
    of(project, name, &newest, limit).await
}

/// As [`history`], up to a version that was looked at.
pub(super) async fn of(project: &Project, name: &TableName, newest: &Snapshot, limit: usize) -> Result<Vec<Past>> {
    let table = newest.table();
    let from = (newest.version() + 1 - i64::try_from(limit).unwrap_or(i64::MAX)).max(0);
    let pins = newest.pins()?;
    let mut past: Vec<Past> = table.history(from).await?.into_iter().map(version).collect();
    for one in &mut past {
        let named = pins.iter().filter(|(_, pin)| pin.version == one.version);
        one.pins = named.map(|(name, _)| name.clone()).collect();
    }
    if name.layer != Layer::Bronze {
        let before = before(table, &past).await?;
        follow(&mut past, before, &definition_hash(project, name));
    }
    past.reverse();
    Ok(past)
}

fn version(commit: CommitRecord) -> Past {
    let foreign = is_foreign(&commit);
    let note = commit.note.unwrap_or_default();
    let text = |key: &str| note.get(key).and_then(Value::as_str).map(str::to_string);
    Past {
        version: commit.version,
        at: commit.timestamp,
        run_id: text("run_id"),
        action: text("action").unwrap_or(commit.operation),
        restored: note.get(RESTORED).and_then(Value::as_i64),
        rows: note.get("rows").cloned(),
        files: Files {
            added: commit.files_added,
            removed: commit.files_removed,
            rows_added: commit.rows_added,
            rows_removed: commit.rows_removed,
            bytes_added: commit.bytes_added,
            bytes_removed: commit.bytes_removed,
            rearranged: !commit.data_change && commit.files_added + commit.files_removed > 0,
        },
        inputs: note.get("inputs").cloned(),
        current: None,
        definition: text("definition"),
        foreign,
        engine: commit.engine,
        pins: Vec::new(),
    }
}

/// The definition that the oldest of these versions follows, where its own commit does not say so.
async fn before(table: &Table, past: &[Past]) -> Result<Option<String>> {
    let Some(oldest) = past.first().filter(|oldest| oldest.definition.is_none()) else { return Ok(None) };
    match table.snapshot_at(&At::Version(oldest.version)).await {
        Ok(snapshot) => Ok(snapshot.property(DEFINITION).map(str::to_string)),
        Err(delta::Error::Gone { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// A commit that says nothing of a definition leaves the table's as it was.
fn follow(past: &mut [Past], mut definition: Option<String>, today: &str) {
    for version in past {
        definition = version.definition.take().or(definition);
        version.definition.clone_from(&definition);
        version.current = definition.as_deref().map(|hash| hash == today);
    }
}

/// Whether a commit changed rows and bears no run id of ours.
pub fn is_foreign(commit: &CommitRecord) -> bool {
    commit.data_change && !commit.note.as_ref().is_some_and(|note| note.contains_key("run_id"))
}
