//! The names of layers, tables and their versions.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::Serialize;

/// Characters that stand in no column's name: Delta refuses them where column mapping is off, and a carriage return ends
/// a line for some readers. <https://github.com/delta-io/delta/blob/master/PROTOCOL.md#column-mapping>
pub const REFUSED_IN_COLUMNS: [char; 11] = [' ', ',', ';', '{', '}', '(', ')', '\n', '\r', '\t', '='];

/// bronze, silver or gold
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Layer {
    /// files as received
    Bronze,
    /// typed, judged, deduplicated
    Silver,
    /// joined, grouped
    Gold,
}

impl Layer {
    /// All, in the order of the flow of data.
    pub const ALL: [Layer; 3] = [Layer::Bronze, Layer::Silver, Layer::Gold];

    /// The name as users write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Layer::Bronze => "bronze",
            Layer::Silver => "silver",
            Layer::Gold => "gold",
        }
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Which version of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// this one
    Version(i64),
    /// the last one that was committed then or before, by commitInfo: file times change when a lake is copied
    Time(DateTime<Utc>),
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            At::Version(version) => write!(f, "{version}"),
            At::Time(time) => write!(f, "{}", time.to_rfc3339()),
        }
    }
}

/// `silver.orders`
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableName {
    /// the part before the dot
    pub layer: Layer,
    /// the part after it: `[a-z][a-z0-9_]{0,62}`
    pub name: String,
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.layer, self.name)
    }
}

impl Serialize for TableName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl std::str::FromStr for TableName {
    type Err = String;

    /// Reads `layer.name`.
    fn from_str(text: &str) -> Result<Self, String> {
        let (layer, name) = text.split_once('.').ok_or_else(|| format!("`{text}` is not of the form layer.table"))?;
        let layer = Layer::ALL
            .into_iter()
            .find(|l| l.as_str() == layer)
            .ok_or_else(|| format!("`{layer}` is no layer; layers are bronze, silver and gold"))?;
        Ok(TableName { layer, name: name.to_string() })
    }
}
