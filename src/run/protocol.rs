//! The names that stand in the lake's tables: txn actions, table properties, notes of commits. docs/lake.md describes
//! them; what is written once stays.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::delta::{Head, Operation, Snapshot};
use crate::name::TableName;
use crate::plan::{Gap, TableState};
use crate::report::{Action, InputVersion, RowCounts};

/// txn of a bronze table: its last batch.
pub const BATCH: &str = "lakesmith/batch";
/// Property of a silver or gold table: hash of the definition that its rows follow.
pub const DEFINITION: &str = "lakesmith.definition";
/// Property: hashes of the definitions that it has left, by commas, the latest last.
pub const LEFT: &str = "lakesmith.left";
/// Property: `true` while some rows follow an earlier definition.
pub const MIXED: &str = "lakesmith.mixed";
/// Property of any table: JSON object from each pin's name to its version and when it was set.
pub use crate::delta::PINS;
/// Property: JSON object from each input's name to its table id.
pub const INPUTS: &str = "lakesmith.inputs";
/// Property: JSON object of the run, time and version since which runs leave the table alone.
pub const HOLD: &str = "lakesmith.hold";
/// Key of a commit's note: the version that came back.
pub const RESTORED: &str = "restored";

/// txn of the ledger: the last batch of a bronze table that it lists.
pub fn ledger_txn(bronze_id: &str) -> String {
    format!("lakesmith/ledger/{bronze_id}")
}

/// txn of a silver table: the version of its quarantine that belongs to it. Two tables have no commit in common; this
/// makes one unit of them.
pub fn quarantine_txn(quarantine_id: &str) -> String {
    format!("lakesmith/quarantine/{quarantine_id}")
}

/// What the txns of a bronze table begin with that tell of lost batches.
const LOST: &str = "lakesmith/lost/";

/// txn of a bronze table: the batches between this number and the one in the txn's name were lost. Each loss has its
/// own, for a table that was made anew between two has read nothing of the first.
pub fn lost_txn(gap: Gap) -> (String, i64) {
    (format!("{LOST}{}", gap.before), gap.after)
}

fn gap((txn, after): (&String, &i64)) -> Option<Gap> {
    Some(Gap { after: *after, before: txn.strip_prefix(LOST)?.parse().ok()? })
}

/// txn of a table made from tables: the mark of the version that the watermark in an input names; 0: it is not known.
pub fn read_txn(input_id: &str) -> String {
    format!("lakesmith/read/{input_id}")
}

/// txn of a silver or gold table: how far it has got in an input (a batch of bronze, else a version).
pub fn watermark_txn(input_id: &str) -> String {
    format!("lakesmith/from/{input_id}")
}

/// Where a table lies in the lake.
pub fn folder(table: &TableName) -> String {
    format!("{}/{}", table.layer, table.name)
}

/// Where the rows lie that a silver table refused.
pub fn quarantine_folder(table: &TableName) -> String {
    format!("quarantine/{}", table.name)
}

/// The ledger.
pub const LEDGER: &str = "_lakesmith/ledger";
/// The history of runs.
pub const RUNS: &str = "_lakesmith/runs";

/// What a snapshot says of its table, for planning.
pub fn table_state(snapshot: &Snapshot) -> TableState {
    TableState {
        rows: snapshot.rows(),
        files: snapshot.files().len(),
        bytes: snapshot.bytes(),
        ..head_state(snapshot.head())
    }
}

/// What decides over what a table needs; nothing is known of its files. A watermark counts only for an input that the
/// table's rows were made from: of an input that a rebuild has left out, the txn stays behind for ever.
pub fn head_state(head: &Head) -> TableState {
    let inputs: BTreeMap<String, String> =
        head.property(INPUTS).and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let watermarks = inputs.values().filter_map(|id| Some((id.clone(), head.txn(&watermark_txn(id))?))).collect();
    let read = inputs.values().filter_map(|id| Some((id.clone(), head.txn(&read_txn(id)).filter(|at| *at != 0)?)));
    let read = read.collect();
    TableState {
        version: head.version(),
        id: head.table_id().to_string(),
        definition: head.property(DEFINITION).map(str::to_string),
        left: head.property(LEFT).map(left_list).unwrap_or_default(),
        mixed: head.property(MIXED) == Some("true"),
        inputs: inputs.into_iter().filter_map(|(name, id)| Some((name.parse().ok()?, id))).collect(),
        read,
        watermarks,
        mark: head.mark(),
        lost: head.txns().iter().filter_map(gap).collect(),
        hold: head.property(HOLD).and_then(|text| serde_json::from_str(text).ok()),
        batch: head.txn(BATCH),
        ..TableState::default()
    }
}

fn left_list(text: &str) -> Vec<String> {
    text.split(',').filter(|h| !h.is_empty()).map(str::to_string).collect()
}

/// Table properties after a commit whose rows follow `definition`.
pub fn definition_properties(
    before: Option<&TableState>,
    definition: &str,
    inputs: &[(TableName, String)],
    mixed: bool,
) -> BTreeMap<String, String> {
    let ids: Map<String, Value> = inputs.iter().map(|(name, id)| (name.to_string(), json!(id))).collect();
    let mut properties = BTreeMap::from([
        (DEFINITION.to_string(), definition.to_string()),
        (INPUTS.to_string(), Value::Object(ids).to_string()),
    ]);
    if mixed || before.is_some_and(|before| before.mixed) {
        properties.insert(MIXED.to_string(), mixed.to_string());
    }
    let Some(before) = before else { return properties };
    let mut left: Vec<_> = before.left.iter().filter(|h| *h != definition).cloned().collect();
    left.extend(before.definition.clone().filter(|h| h != definition));
    if !left.is_empty() {
        properties.insert(LEFT.to_string(), left.join(","));
    }
    properties
}

/// What Delta's history calls an action.
pub fn operation(action: Action) -> Operation {
    match action {
        Action::Append => Operation::Append,
        Action::Rebuild => Operation::Overwrite,
        _ => Operation::Merge,
    }
}

/// Table properties that a commit takes off: what is made anew has left the version that it was held at.
pub fn taken_off(action: Action) -> BTreeSet<String> {
    if action == Action::Rebuild { BTreeSet::from([HOLD.to_string()]) } else { BTreeSet::new() }
}

/// The note of a commit to a silver or gold table.
pub fn note(
    run_id: &str,
    action: &str,
    definition: &str,
    inputs: &[InputVersion],
    rows: &RowCounts,
) -> Map<String, Value> {
    let mut note = Map::new();
    note.insert("run_id".into(), json!(run_id));
    note.insert("action".into(), json!(action));
    note.insert("definition".into(), json!(definition));
    note.insert("inputs".into(), json!(inputs));
    note.insert("rows".into(), json!(rows));
    note
}

/// The note of a commit that says something of a table and changes no row.
pub fn remark(run_id: &str, action: &str) -> Map<String, Value> {
    [("run_id", run_id), ("action", action)].map(|(key, value)| (key.to_string(), json!(value))).into_iter().collect()
}
