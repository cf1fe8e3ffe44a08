//! Pins: names for versions that `vacuum` is to keep. They stand in a property of the table, so that each is one commit
//! of that table and gone with it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::claim::{Claimed, OLD_FILES, claim_named};
use super::error::{Error, Result};
use super::history::{self, Author, Line};
use super::protocol::{PINS, folder};
use super::retry;
use crate::delta::{At, Change, Lake, Operation, Pin, Snapshot};
use crate::name::TableName;
use crate::project::Project;

/// The longest name of a pin.
const LONGEST: usize = 64;

/// A version of a table that bears a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Pinned {
    /// whose
    pub table: TableName,
    /// the name
    pub name: String,
    /// Delta's version
    pub version: i64,
    /// when it was pinned
    pub pinned_at: DateTime<Utc>,
}

/// All pins of a project's tables, in its order, then by name.
pub async fn pins(project: &Project, lake: &Lake) -> Result<Vec<Pinned>> {
    let mut all = Vec::new();
    for table in &project.order {
        let Some(newest) = lake.table(&folder(table)).snapshot().await? else { continue };
        all.extend(newest.pins()?.into_iter().map(|(name, pin)| pinned(table, &name, &pin)));
    }
    Ok(all)
}

fn pinned(table: &TableName, name: &str, pin: &Pin) -> Pinned {
    Pinned { table: table.clone(), name: name.to_string(), version: pin.version, pinned_at: pin.at }
}

/// Gives a version of a table a name; the newest if `at` says nothing else. The flag: whether anything was written.
///
/// # Errors
/// [`Error::Refused`] if the name is none, is taken, or a vacuum is at work; `Gone` if the version cannot be read any
/// more.
pub async fn pin(lake: &Lake, table: &TableName, at: Option<At>, name: &str) -> Result<(Pinned, bool)> {
    check_name(name)?;
    let run_id = uuid::Uuid::now_v7().to_string();
    // A vacuum that has decided what it deletes would not see the pin.
    let lease = match claim_named(lake, OLD_FILES, &run_id, "pin").await? {
        Claimed::Ours(lease) => lease,
        Claimed::Theirs(theirs) => {
            let until = theirs.until.format("%H:%M:%S");
            return Err(Error::Refused(format!(
                "a vacuum, a restore or another pin is at work on this lake (its claim ends at {until} UTC); pin again \
                 when it is done"
            )));
        }
    };
    let started_at = Utc::now();
    let done = retry::until_won(&format!("`{table}`"), || try_pin(lake, table, at, name, &run_id)).await;
    lease.release().await;
    if let Ok((pinned, true)) = &done {
        let author = Author { run_id, started_at, command: "pin" };
        record(lake, author, pinned, "is now").await;
    }
    done
}

async fn record(lake: &Lake, author: Author, pinned: &Pinned, how: &str) {
    let Pinned { table, name, version, .. } = pinned;
    let line = Line::remark(&table.to_string(), author.command, None, format!("version {version} {how} {name}"));
    history::record(lake, author, std::iter::once(line)).await;
}

async fn try_pin(lake: &Lake, table: &TableName, at: Option<At>, name: &str, run_id: &str) -> Result<(Pinned, bool)> {
    let newest = newest(lake, table).await?;
    let version = match at {
        None => newest.version(),
        Some(at) => {
            let version = newest.table().snapshot_at(&at).await?;
            version.require_files().await?;
            version.version()
        }
    };
    let mut pins = newest.pins()?;
    if let Some(pin) = pins.get(name).filter(|pin| pin.version == version) {
        return Ok((pinned(table, name, pin), false));
    }
    if let Some((taken, pin)) = pins.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)) {
        return Err(Error::Refused(format!(
            "`{taken}` is already the name of `{table}@{}`; choose another, or first: lakesmith unpin {table} {taken}",
            pin.version
        )));
    }
    let pin = Pin { version, at: Utc::now() };
    pins.insert(name.to_string(), pin.clone());
    publish(&newest, &pins, note(run_id, "pin", name, version)).await?;
    Ok((pinned(table, name, &pin), true))
}

/// Takes the name from a version again.
///
/// # Errors
/// [`Error::Refused`] if the table has no such pin.
pub async fn unpin(lake: &Lake, table: &TableName, name: &str) -> Result<Pinned> {
    let run_id = uuid::Uuid::now_v7().to_string();
    let started_at = Utc::now();
    let done = retry::until_won(&format!("`{table}`"), || try_unpin(lake, table, name, &run_id)).await;
    if let Ok(pinned) = &done {
        record(lake, Author { run_id, started_at, command: "unpin" }, pinned, "is no longer").await;
    }
    done
}

async fn try_unpin(lake: &Lake, table: &TableName, name: &str, run_id: &str) -> Result<Pinned> {
    let newest = newest(lake, table).await?;
    let mut pins = newest.pins()?;
    let Some(pin) = pins.remove(name) else {
        let names: Vec<_> = pins.keys().map(|name| format!("`{name}`")).collect();
        let there = if names.is_empty() { "it has none".to_string() } else { format!("it has {}", names.join(", ")) };
        return Err(Error::Refused(format!("`{table}` has no pin `{name}`; {there}")));
    };
    publish(&newest, &pins, note(run_id, "unpin", name, pin.version)).await?;
    Ok(pinned(table, name, &pin))
}

async fn newest(lake: &Lake, table: &TableName) -> Result<Snapshot> {
    let newest = lake.table(&folder(table)).snapshot().await?;
    newest.ok_or_else(|| Error::Refused(format!("`{table}` has not been made yet; `lakesmith run` makes it")))
}

async fn publish(
    newest: &Snapshot,
    pins: &BTreeMap<String, Pin>,
    note: serde_json::Map<String, serde_json::Value>,
) -> Result<()> {
    let text = serde_json::to_string(pins).map_err(|error| Error::Internal(error.to_string()))?;
    let properties = BTreeMap::from([(PINS.to_string(), text)]);
    let change = Change { properties, operation: Operation::SetProperties, note, ..Change::default() };
    newest.table().commit(newest, change).await?;
    Ok(())
}

fn note(run_id: &str, action: &str, name: &str, version: i64) -> serde_json::Map<String, serde_json::Value> {
    let pin = serde_json::json!({ "name": name, "version": version });
    [("run_id".to_string(), run_id.into()), ("action".to_string(), action.into()), ("pin".to_string(), pin)]
        .into_iter()
        .collect()
}

/// A name begins with a letter, so that it is never taken for a version or a time.
fn check_name(name: &str) -> Result<()> {
    let inner = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let sound = name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(inner);
    if sound && name.len() <= LONGEST {
        return Ok(());
    }
    Err(Error::Refused(format!(
        "`{name}` is no name for a pin: a letter, then letters, digits, `-`, `_` and `.`, at most {LONGEST} of them"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_never_taken_for_versions_or_times() {
        for name in ["before-vat-fix", "a", "Q3.closed", "v12", &"x".repeat(64)] {
            assert!(check_name(name).is_ok(), "{name}");
        }
        for name in ["", "12", "2026-11-01T00:00:00Z", "-1", "a b", "a@b", "a/b", "é", &"x".repeat(65), "_x", "a\n"] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }
}
