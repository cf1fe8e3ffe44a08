//! The versions of a table, with its size at each of them.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;

use crate::run::past::Past;

/// A version of a table.
#[derive(Debug, Serialize)]
pub struct VersionDocs {
    /// Delta's number
    pub version: i64,
    /// when it was committed
    pub at: DateTime<Utc>,
    /// what was done
    pub action: String,
    /// the run that did it
    pub run_id: Option<String>,
    /// whether rows came or went
    pub changed: bool,
    /// rows of the table then, if every later commit tells what it added and took away
    pub rows: Option<u64>,
    /// bytes of its files then, likewise
    pub bytes: Option<u64>,
    /// rows accounted for, as the commit says
    pub counts: Option<Value>,
    /// files that came and went
    pub files: (usize, usize),
    /// the versions that it was computed from
    pub inputs: Option<Value>,
    /// whether it follows today's definition
    pub current: Option<bool>,
    /// another writer changed rows
    pub foreign: bool,
    /// the program that wrote it, if that was another
    pub engine: Option<String>,
    /// names of its pins
    pub pins: Vec<String>,
}

/// The versions, the newest first, which has so many rows and bytes.
pub fn told(past: Vec<Past>, rows: Option<u64>, bytes: u64) -> Vec<VersionDocs> {
    let (mut rows, mut bytes) = (rows, Some(bytes));
    let mut told = Vec::with_capacity(past.len());
    for one in past {
        let files = &one.files;
        let (came, went) = ((files.rows_added, files.rows_removed), (Some(files.bytes_added), files.bytes_removed));
        told.push(VersionDocs {
            version: one.version,
            at: one.at,
            changed: files.added + files.removed > 0 && !files.rearranged,
            rows,
            bytes,
            counts: one.rows,
            files: (files.added, files.removed),
            inputs: one.inputs,
            current: one.current,
            foreign: one.foreign,
            engine: one.engine.filter(|_| one.run_id.is_none()),
            action: one.action,
            run_id: one.run_id,
            pins: one.pins,
        });
        rows = before(rows, came.0, came.1);
        bytes = before(bytes, went.0, went.1);
    }
    told
}

fn before(now: Option<u64>, added: Option<u64>, removed: Option<u64>) -> Option<u64> {
    (now? + removed?).checked_sub(added?)
}
