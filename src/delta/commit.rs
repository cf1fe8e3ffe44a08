//! Changes of a table, each one commit of the Delta log or nothing.
//!
//! delta-rs tries a refused commit again on top of the winner's, and its check for conflicts lets an overwrite pass
//! beside an append and a compaction beside a compaction, which doubles rows. So a commit here is made against exactly
//! one snapshot and never tried again.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::Utc;
use deltalake::DeltaTableError;
use deltalake::kernel::transaction::{CommitBuilder, CommitProperties, TransactionError};
use deltalake::kernel::{Action, CommitInfo, Transaction};
use deltalake::protocol::{DeltaOperation, SaveMode};
use serde_json::{Map, Value, json};

use super::error::is_unsettled;
use super::log::{ACTIONS, missing_commit};
use super::{DataFile, Error, Snapshot, Table, TableSchema, evolve, schema};

/// What one commit does.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// files that come
    pub adds: Vec<DataFile>,
    /// files that go; each is one of the snapshot's
    pub removes: Vec<DataFile>,
    /// applications and the versions that they note with the commit
    pub txns: Vec<(String, i64)>,
    /// the schema from now on, if it changes
    pub schema: Option<TableSchema>,
    /// table properties to set
    pub properties: BTreeMap<String, String>,
    /// table properties to take off, where they are set
    pub unset: BTreeSet<String>,
    /// the rows stay the same, only their files change (dataChange = false)
    pub rearranges: bool,
    /// what commitInfo calls it
    pub operation: Operation,
    /// stands in commitInfo under [`NOTE`]
    pub note: Map<String, Value>,
}

/// What commitInfo calls a commit, in Delta's own words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Operation {
    /// rows are added
    #[default]
    Append,
    /// rows are added, replaced, deleted by key
    Merge,
    /// all rows are replaced
    Overwrite,
    /// rows are deleted
    Delete,
    /// files are rewritten, rows stay
    Optimize,
    /// this earlier version comes back
    Restore(i64),
    /// nothing but properties, schema or txns
    SetProperties,
}

/// The key of commitInfo that holds a [`Change::note`].
pub(super) const NOTE: &str = "lakesmith";
/// The key of a note that tells one commit from all others, so that a writer whose acknowledgement was lost knows its
/// own commit.
pub(super) const COMMIT_ID: &str = "commit";

/// What each new table is given, unless [`Change::properties`] says otherwise. See docs/lake.md.
const DEFAULT_PROPERTIES: [(&str, &str); 4] = [
    ("delta.logRetentionDuration", "interval 365 days"),
    ("delta.deletedFileRetentionDuration", "interval 30 days"),
    ("delta.enableExpiredLogCleanup", "false"),
    ("delta.checkpointInterval", "10"),
];

impl Operation {
    pub(super) fn name(self) -> &'static str {
        match self {
            Operation::Append | Operation::Overwrite => "WRITE",
            Operation::Merge => "MERGE",
            Operation::Delete => "DELETE",
            Operation::Optimize => "OPTIMIZE",
            Operation::Restore(_) => "RESTORE",
            Operation::SetProperties => "SET TBLPROPERTIES",
        }
    }

    fn parameters(self) -> HashMap<String, Value> {
        match self {
            Operation::Append => HashMap::from([("mode".to_owned(), json!("Append"))]),
            Operation::Overwrite => HashMap::from([("mode".to_owned(), json!("Overwrite"))]),
            Operation::Restore(version) => HashMap::from([("version".to_owned(), json!(version.to_string()))]),
            _ => HashMap::new(),
        }
    }

    /// delta-rs looks at it to judge appendOnly and conflicts; commitInfo is ours.
    fn to_delta(self) -> DeltaOperation {
        let mode = if self == Operation::Append { SaveMode::Append } else { SaveMode::Overwrite };
        DeltaOperation::Write { mode, partition_by: None, predicate: None }
    }
}

impl Table {
    /// Makes the table: protocol, metadata, properties, files and txns in the one commit of version 0. The protocol is
    /// 1/2, which every reader knows.
    ///
    /// # Errors
    /// [`Error::Lost`] if the table exists; [`Error::Invalid`] if Delta cannot store it; [`Error::Storage`].
    pub async fn create(&self, schema: &TableSchema, change: Change) -> Result<i64, Error> {
        let folder = self.folder();
        schema.check(folder)?;
        if !change.removes.is_empty() {
            return Err(Error::invalid(folder, "a new table has no files to remove"));
        }
        if self.log()?.list_recent().await?.latest().is_some() {
            return Err(Error::lost(folder, 0));
        }
        let defaults = DEFAULT_PROPERTIES.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let mut properties: BTreeMap<String, String> = defaults.into();
        properties.extend(schema.stats_property().map(|value| ("delta.dataSkippingStatsColumns".to_owned(), value)));
        properties.extend(change.properties.clone());
        let metadata = json!({ "metaData": {
            "id": uuid::Uuid::new_v4().to_string(),
            "format": { "provider": "parquet", "options": {} },
            "schemaString": schema.to_json(None).to_string(),
            "partitionColumns": schema.partition_by,
            "createdTime": Utc::now().timestamp_millis(),
            "configuration": properties,
        }});
        let protocol = json!({ "protocol": { "minReaderVersion": 1, "minWriterVersion": 2 } });
        let (id, note) = with_commit_id(change.note.clone());
        let mut actions = vec![commit_info(&change, note, "CREATE TABLE", None)];
        for action in [protocol, metadata] {
            actions.push(serde_json::from_value(action).map_err(|e| Error::invalid(folder, e.to_string()))?);
        }
        actions.extend(file_actions(&change));
        self.try_commit(None, actions, 0, &id, change.operation).await
    }

    /// Commits against exactly `base`.
    ///
    /// # Errors
    /// [`Error::Lost`] if another writer has committed meanwhile; [`Error::Invalid`] if the change does not fit the
    /// table; [`Error::Storage`].
    pub async fn commit(&self, base: &Snapshot, change: Change) -> Result<i64, Error> {
        self.check(base, &change)?;
        let (id, note) = with_commit_id(change.note.clone());
        let mut actions = vec![commit_info(&change, note, change.operation.name(), Some(base.version()))];
        actions.extend(self.metadata_action(base, &change)?);
        actions.extend(file_actions(&change));
        self.try_commit(Some(base), actions, base.version() + 1, &id, change.operation).await
    }

    pub(super) async fn try_commit(
        &self,
        base: Option<&Snapshot>,
        actions: Vec<Action>,
        version: i64,
        id: &str,
        operation: Operation,
    ) -> Result<i64, Error> {
        let actions = counted(actions);
        let properties = CommitProperties::default().with_max_retries(0).with_cleanup_expired_logs(Some(false));
        let (replay, log_store) = match base {
            Some(base) => (Some(base.replay().await?), base.log_store()?),
            None => (None, self.log_store()?),
        };
        let replay = replay.map(|replay| replay as &dyn deltalake::kernel::transaction::TableReference);
        let commit =
            CommitBuilder::from(properties).with_actions(actions).build(replay, log_store, operation.to_delta());
        match commit.await {
            Ok(done) if u64::try_from(version) == Ok(done.version()) => Ok(version),
            Ok(done) => {
                Err(Error::unreadable(self.folder(), format!("the commit came out as version {}", done.version())))
            }
            Err(error) => self.judge(version, id, &error).await,
        }
    }

    /// An error does not mean that nothing was committed: the log alone tells.
    async fn judge(&self, version: i64, id: &str, error: &DeltaTableError) -> Result<i64, Error> {
        let folder = self.folder();
        if is_unsettled(error) {
            return Err(Error::storage(folder, error));
        }
        if let Some(commit) = self.log()?.read(version).await? {
            let info = commit.commit_info(folder)?;
            if info.get(NOTE).and_then(|note| note.get(COMMIT_ID)).and_then(Value::as_str) == Some(id) {
                tracing::debug!(table = folder, version, %error, "the commit stands in spite of an error");
                return Ok(version);
            }
            return Err(Error::Lost { table: folder.to_owned(), version, by: writer(&info) });
        }
        match error {
            DeltaTableError::VersionAlreadyExists(_)
            | DeltaTableError::Transaction { source: TransactionError::MaxCommitAttempts(_) } => {
                Err(Error::lost(folder, version))
            }
            DeltaTableError::Transaction {
                source:
                    TransactionError::UnsupportedTableFeatures(_)
                    | TransactionError::TableFeaturesRequired(_)
                    | TransactionError::DeltaTableAppendOnly,
            } => Err(Error::invalid(folder, error.to_string())),
            // a writer needs the commit of the version that it goes on from, a reader only its checkpoint
            DeltaTableError::InvalidVersion(_) => Err(missing_commit(folder, version - 1)),
            other => Err(Error::storage(folder, other)),
        }
    }

    fn check(&self, base: &Snapshot, change: &Change) -> Result<(), Error> {
        let folder = self.folder();
        if base.table().folder() != folder {
            return Err(Error::invalid(folder, format!("a snapshot of {} was given", base.table().folder())));
        }
        let files: BTreeSet<_> = base.files().iter().map(DataFile::id).collect();
        let mut removed = BTreeSet::new();
        for file in &change.removes {
            if !files.contains(&file.id()) || !removed.insert(file.id()) {
                let what = format!("`{}` is no file of version {}, or goes twice", file.path(), base.version());
                return Err(Error::invalid(folder, what));
            }
        }
        let paths: BTreeSet<_> = base.files().iter().map(DataFile::path).collect();
        let mut added = BTreeSet::new();
        for file in &change.adds {
            if paths.contains(file.path()) || !added.insert(file.path()) {
                return Err(Error::invalid(folder, format!("`{}` is already a file of the table", file.path())));
            }
        }
        if !change.adds.is_empty() && !change.rearranges {
            check_unguarded(folder, base)?;
        }
        if let Some(schema) = &change.schema {
            schema.check(folder)?;
            if removed.len() != base.files().len() {
                evolve::check(folder, base.schema(), schema)?;
            }
        }
        Ok(())
    }

    fn metadata_action(&self, base: &Snapshot, change: &Change) -> Result<Option<Action>, Error> {
        let mut metadata = base.metadata().clone();
        let mut properties = base.properties().clone();
        properties.extend(change.properties.clone());
        properties.retain(|key, _| !change.unset.contains(key));
        let mut changed = &properties != base.properties();
        if let Some(schema) = change.schema.as_ref().filter(|schema| *schema != base.schema()) {
            properties
                .extend(schema.stats_property().map(|value| ("delta.dataSkippingStatsColumns".to_owned(), value)));
            metadata["schemaString"] = Value::String(schema.to_json(Some(base.schema_json())).to_string());
            metadata["partitionColumns"] = json!(schema.partition_by);
            changed = true;
        }
        if !changed {
            return Ok(None);
        }
        metadata["configuration"] = json!(properties);
        let action = serde_json::from_value(json!({ "metaData": metadata }));
        action.map(Some).map_err(|error| Error::invalid(self.folder(), error.to_string()))
    }
}

/// Nobody here checks what another engine has asked of a table's rows, so rows are not added to such a table.
fn check_unguarded(table: &str, base: &Snapshot) -> Result<(), Error> {
    let constraint = base.properties().keys().find(|key| key.starts_with("delta.constraints."));
    if let Some(constraint) = constraint {
        return Err(Error::invalid(
            table,
            format!("the table has a CHECK constraint ({constraint}), which is not enforced"),
        ));
    }
    if schema::has_not_null(base.schema_json()) {
        return Err(Error::invalid(table, "the table has a NOT NULL column, which is not enforced"));
    }
    let text = base.schema_json().to_string();
    for rule in ["delta.invariants", "delta.generationExpression", "delta.identity"] {
        if text.contains(rule) {
            return Err(Error::invalid(table, format!("a column of the table has {rule}, which is not enforced")));
        }
    }
    Ok(())
}

/// Who has made a commit, by its commitInfo.
fn writer(info: &Value) -> String {
    let text = |of: &Value, key: &str| of.get(key).and_then(Value::as_str).map(str::to_owned);
    let note = info.get(NOTE).unwrap_or(&Value::Null);
    match (text(note, "run_id"), text(note, "action"), text(info, "engineInfo")) {
        (Some(run), Some(action), _) => format!("run {run} ({action})"),
        (Some(run), None, _) => format!("run {run}"),
        (None, _, Some(engine)) => format!("another program ({engine})"),
        (None, _, None) => "another writer".to_owned(),
    }
}

pub(super) fn with_commit_id(mut note: Map<String, Value>) -> (String, Map<String, Value>) {
    let id = uuid::Uuid::now_v7().to_string();
    note.insert(COMMIT_ID.to_owned(), Value::String(id.clone()));
    (id, note)
}

/// A commit that tells how many actions it has.
fn counted(mut actions: Vec<Action>) -> Vec<Action> {
    let count = actions.len();
    for action in &mut actions {
        if let Action::CommitInfo(info) = action
            && let Some(Value::Object(note)) = info.info.get_mut(NOTE)
        {
            note.insert(ACTIONS.to_owned(), count.into());
        }
    }
    actions
}

pub(super) fn commit_info(change: &Change, note: Map<String, Value>, operation: &str, base: Option<i64>) -> Action {
    let rows = |files: &[DataFile]| files.iter().map(DataFile::rows).sum::<Option<u64>>();
    // Spark writes metrics as texts
    let mut metrics = Map::new();
    for (name, value) in [
        ("numAddedFiles", Some(change.adds.len() as u64)),
        ("numRemovedFiles", Some(change.removes.len() as u64)),
        ("numOutputRows", rows(&change.adds)),
        (REMOVED_ROWS, rows(&change.removes)),
    ] {
        metrics.extend(value.map(|value| (name.to_owned(), Value::String(value.to_string()))));
    }
    Action::CommitInfo(CommitInfo {
        timestamp: Some(Utc::now().timestamp_millis()),
        operation: Some(operation.to_owned()),
        operation_parameters: Some(change.operation.parameters()),
        read_version: base.and_then(|version| u64::try_from(version).ok()),
        is_blind_append: Some(change.operation == Operation::Append && change.removes.is_empty()),
        engine_info: Some(concat!("lakesmith/", env!("CARGO_PKG_VERSION")).to_owned()),
        info: HashMap::from([(NOTE.to_owned(), Value::Object(note)), (METRICS.to_owned(), Value::Object(metrics))]),
        ..CommitInfo::default()
    })
}

pub(super) const METRICS: &str = "operationMetrics";
pub(super) const REMOVED_ROWS: &str = "numRemovedRows";

pub(super) fn file_actions(change: &Change) -> Vec<Action> {
    let (now, data_change) = (Utc::now().timestamp_millis(), !change.rearranges);
    let txn = |(app, version): &(String, i64)| Action::Txn(Transaction::new_with_last_update(app, *version, Some(now)));
    let mut actions: Vec<Action> = change.txns.iter().map(txn).collect();
    actions.extend(change.removes.iter().map(|file| Action::Remove(file.to_remove(data_change, now))));
    actions.extend(change.adds.iter().map(|file| Action::Add(file.to_add(data_change))));
    actions
}
