//! A fresh look at a table and its inputs: snapshots pinned, state read, decision made. Each attempt begins with one.

use std::collections::BTreeMap;

use super::Run;
use super::error::{Error, Result};
use super::protocol::{folder, table_state};
use crate::delta::{Lake, Snapshot};
use crate::name::TableName;
use crate::plan::{Backfill, Decision, LakeState, Wanted, backfill, decide};
use crate::project::{OnChange, Project, definition_hash};

/// What a look at a table has shown.
pub struct Seen {
    /// the table itself, if it exists
    pub own: Option<Snapshot>,
    /// its inputs, as far as they exist, each at the one version that the attempt uses
    pub inputs: BTreeMap<TableName, Snapshot>,
    /// what it needs
    pub decision: Decision,
    /// what a backfill may do with it
    pub backfill: Backfill,
}

impl Seen {
    /// The table's version, if it exists.
    pub fn version(&self) -> Option<i64> {
        self.own.as_ref().map(Snapshot::version)
    }

    /// Whether there is nothing to do for now.
    pub fn is_idle(&self) -> bool {
        matches!(self.decision, Decision::Nothing | Decision::Wait(_) | Decision::Held(_))
    }

    /// Why there is something to do, in words.
    pub fn reason(&self) -> String {
        match &self.decision {
            Decision::Rebuild(why) | Decision::Wait(why) | Decision::Held(why) | Decision::Refuse(why) => why.clone(),
            Decision::Nothing => "its inputs have nothing new".into(),
            Decision::Advance { .. } if self.own.is_none() => "first load".into(),
            Decision::Advance { from, .. } => {
                let news: Vec<_> = from.keys().map(|i| format!("`{i}`")).collect();
                format!("new in {}", news.join(", "))
            }
        }
    }
}

impl Run {
    /// Looks at a silver or gold table and what it reads.
    pub(super) async fn look(&self, name: &TableName) -> Result<Seen> {
        // The table first: another run may move it on meanwhile, and then its watermarks would be ahead of inputs that
        // were looked at before.
        let own = self.lake.table(&folder(name)).snapshot().await?;
        let mut inputs = BTreeMap::new();
        for input in self.project.inputs(name) {
            if let Some(snapshot) = self.lake.table(&folder(&input)).snapshot().await? {
                inputs.insert(input, snapshot);
            }
        }
        let mut lake: LakeState = inputs.iter().map(|(n, s)| (n.clone(), table_state(s))).collect();
        lake.extend(own.as_ref().map(|own| (name.clone(), table_state(own))));
        let definition = definition_hash(&self.project, name);
        let on_change =
            self.project.tables.get(name).and_then(|t| t.definition.on_change()).unwrap_or(OnChange::Rebuild);
        let names = self.project.inputs(name);
        let wanted = Wanted { table: name, inputs: &names, definition: &definition, on_change };
        Ok(Seen { decision: decide(wanted, &lake), backfill: backfill(wanted, &lake), own, inputs })
    }
}

/// What a look at all tables of a project has shown.
pub(super) struct Looks {
    /// those that exist
    pub snapshots: BTreeMap<TableName, Snapshot>,
    /// how they are
    pub states: LakeState,
    /// those that cannot be opened
    pub damaged: BTreeMap<TableName, Error>,
}

/// Looks at every table of a project. The tables that read others come first: a run that goes on meanwhile could else
/// make them look as if they were ahead of what they read.
pub(super) async fn all(project: &Project, lake: &Lake) -> Looks {
    let mut looks = Looks { snapshots: BTreeMap::new(), states: LakeState::new(), damaged: BTreeMap::new() };
    for name in project.order.iter().rev() {
        match lake.table(&folder(name)).snapshot().await {
            Ok(None) => {}
            Ok(Some(snapshot)) => {
                looks.states.insert(name.clone(), table_state(&snapshot));
                looks.snapshots.insert(name.clone(), snapshot);
            }
            Err(error) => {
                looks.damaged.insert(name.clone(), error.into());
            }
        }
    }
    looks
}
