//! What the log says of a table, but for its files.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Error;
use super::log::{Replay, Unusable};

/// What the log says of a table at one version, but for its files: enough to tell whether there is anything to do.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    version: i64,
    table_id: String,
    properties: BTreeMap<String, String>,
    txns: BTreeMap<String, i64>,
    mark: Option<i64>,
    unusable: Unusable,
}

/// Reader features that change nothing of what a scan of ours must do.
const READ_RIGHTLY: [&str; 3] = ["deletionVectors", "v2Checkpoint", "vacuumProtocolCheck"];
/// The newest version of the protocol that says what a reader must know.
const READER_VERSION: i64 = 3;

impl Head {
    /// Of the table in the folder `table`.
    pub(super) fn new(table: &str, version: i64, replay: &Replay) -> Result<Self, Error> {
        for (action, name) in [(&replay.protocol, "protocol"), (&replay.metadata, "metaData")] {
            if !action.is_object() {
                return Err(Error::unreadable(table, format!("its log has no {name} action")));
            }
        }
        let configuration = replay.metadata.get("configuration").and_then(Value::as_object);
        let texts = configuration.into_iter().flatten();
        let properties = texts.filter_map(|(k, v)| Some((k.clone(), v.as_str()?.to_owned()))).collect();
        check_features(table, &replay.protocol, &properties)?;
        let table_id = replay.metadata.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
        Ok(Head { version, table_id, properties, txns: replay.txns.clone(), mark: None, unusable: Unusable::default() })
    }

    /// With its mark, and what of the log its reader did without.
    pub(super) fn with(self, mark: Option<i64>, unusable: Unusable) -> Self {
        Head { mark, unusable, ..self }
    }

    /// A number that tells the version's commit from others: where one was lost, another may have come in its place. It is
    /// made from the id that each commit of ours bears; of another writer's it is the time, in ms since 1970.
    pub fn mark(&self) -> Option<i64> {
        self.mark
    }

    /// What of the log its reader did without, because it cannot be used.
    pub fn unusable(&self) -> &Unusable {
        &self.unusable
    }

    /// 0 is the table's first.
    pub fn version(&self) -> i64 {
        self.version
    }

    /// Stays the same while the table lives; a table that was made anew has another.
    pub fn table_id(&self) -> &str {
        &self.table_id
    }

    /// A table property.
    pub fn property(&self, key: &str) -> Option<&str> {
        self.properties.get(key).map(String::as_str)
    }

    /// All table properties.
    pub fn properties(&self) -> &BTreeMap<String, String> {
        &self.properties
    }

    /// The last version that an application noted with its commits.
    pub fn txn(&self, app: &str) -> Option<i64> {
        self.txns.get(app).copied()
    }

    /// All applications and the versions that they noted.
    pub fn txns(&self) -> &BTreeMap<String, i64> {
        &self.txns
    }
}

/// A reader must refuse what it does not know: the rows could mean something else.
fn check_features(table: &str, protocol: &Value, properties: &BTreeMap<String, String>) -> Result<(), Error> {
    let mapping = properties.get("delta.columnMapping.mode").map_or("none", String::as_str);
    if !mapping.eq_ignore_ascii_case("none") {
        let what = format!(
            "the table uses column mapping (delta.columnMapping.mode = {mapping}), which lakesmith does not read. Rewrite \
             it without, e.g. with Spark's CREATE TABLE … AS SELECT"
        );
        return Err(Error::unreadable(table, what));
    }
    let wanted = protocol.get("minReaderVersion").and_then(Value::as_i64);
    if let Some(wanted) = wanted.filter(|wanted| *wanted > READER_VERSION) {
        return Err(Error::unreadable(table, format!("the table wants readers of version {wanted} of the protocol")));
    }
    let features = protocol.get("readerFeatures").and_then(Value::as_array).into_iter().flatten();
    let unknown: Vec<&str> = features
        .filter_map(Value::as_str)
        // column mapping was looked at above; types and columns tell by themselves whether timestamps have no zone
        .filter(|name| !READ_RIGHTLY.contains(name) && !["columnMapping", "timestampNtz"].contains(name))
        .collect();
    if unknown.is_empty() {
        return Ok(());
    }
    Err(Error::unreadable(table, format!("the table uses {}, which lakesmith does not read", unknown.join(", "))))
}
