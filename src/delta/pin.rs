//! Pins: names that people give to versions of a table, kept in a property of the table.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{At, Error, Snapshot, Table};

/// The property: a JSON object from each name to a [`Pin`].
pub const PINS: &str = "lakesmith.pins";

/// A version that has a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// which
    pub version: i64,
    /// when it was given its name
    pub at: DateTime<Utc>,
}

impl Snapshot {
    /// The pins of its table as they were at this version: those that hold are the newest version's.
    ///
    /// # Errors
    /// [`Error::Unreadable`] if the property is not what lakesmith writes.
    pub fn pins(&self) -> Result<BTreeMap<String, Pin>, Error> {
        let Some(text) = self.property(PINS) else { return Ok(BTreeMap::new()) };
        let damaged = |error| Error::unreadable(self.table().folder(), format!("its property `{PINS}`: {error}"));
        serde_json::from_str(text).map_err(damaged)
    }
}

impl Table {
    /// Reads how people name a version, what follows the `@`: a number, a time with its zone, or a pin's name.
    ///
    /// # Errors
    /// [`Error::Gone`] if it is none of them; else as [`Table::snapshot`].
    pub async fn at(&self, text: &str) -> Result<At, Error> {
        if let Ok(version) = text.parse() {
            return Ok(At::Version(version));
        }
        if let Ok(time) = DateTime::parse_from_rfc3339(text) {
            return Ok(At::Time(time.to_utc()));
        }
        let newest = self.snapshot().await?;
        let pins = newest.map(|newest| newest.pins()).transpose()?.unwrap_or_default();
        match pins.get(text) {
            Some(pin) => Ok(At::Version(pin.version)),
            None => Err(Error::gone(self.folder(), not_named(text, &pins))),
        }
    }
}

fn not_named(text: &str, pins: &BTreeMap<String, Pin>) -> String {
    let form = "a number, a time with its zone such as 2026-11-01T00:00:00Z, or the name of a pin";
    let names: Vec<&str> = pins.keys().map(String::as_str).collect();
    match names.as_slice() {
        [] => format!("`@{text}` is no version; write {form}, of which the table has none"),
        names => format!("`@{text}` is no version; write {form}: {}", names.join(", ")),
    }
}
