//! A fresh look at a table and its inputs: snapshots pinned, state read, decision made. Each attempt begins with one.

use std::collections::BTreeMap;

use futures::stream::{self, StreamExt};

use super::Run;
use super::error::{Error, Result};
use super::protocol::{LEDGER, folder, head_state, table_state};
use super::quarantine;
use crate::delta::{Head, Lake, Snapshot};
use crate::name::TableName;
use crate::plan::{Backfill, Decision, LakeState, TableState, Wanted, backfill, decide};
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

    /// Why there is something to do, in words.
    pub fn reason(&self) -> String {
        reason(&self.decision, self.own.is_none())
    }
}

/// What a glance at a table has shown: a look that does not ask for the files of any table.
pub struct Glance {
    /// the table's version, if it exists
    pub version: Option<i64>,
    /// what it needs
    pub decision: Decision,
}

impl Glance {
    /// Whether there is nothing to do for now.
    pub fn is_idle(&self) -> bool {
        matches!(self.decision, Decision::Nothing | Decision::Wait(_) | Decision::Held(_))
    }

    /// Why.
    pub fn reason(&self) -> String {
        reason(&self.decision, self.version.is_none())
    }
}

fn reason(decision: &Decision, first: bool) -> String {
    match decision {
        Decision::Rebuild(why) | Decision::Wait(why) | Decision::Held(why) | Decision::Refuse(why) => why.clone(),
        Decision::Nothing => "its inputs have nothing new".into(),
        Decision::Advance { .. } if first => "first load".into(),
        Decision::Advance { from, .. } => {
            let news: Vec<_> = from.keys().map(|i| format!("`{i}`")).collect();
            format!("new in {}", news.join(", "))
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
        if let Some(own) = &own {
            let lost_refusals = quarantine::look(&self.lake, name, own.head()).await;
            lake.insert(name.clone(), TableState { lost_refusals, ..table_state(own) });
        }
        let (decision, backfill) = self.wanted(name, |wanted| (decide(wanted, &lake), backfill(wanted, &lake)));
        Ok(Seen { decision, backfill, own, inputs })
    }

    /// As [`Run::look`], for a table that probably needs nothing.
    pub(super) async fn glance(&self, name: &TableName) -> Result<Glance> {
        let (mut lake, mut version) = (LakeState::new(), None);
        // the table first, for the same reason
        for table in std::iter::once(name.clone()).chain(self.project.inputs(name)) {
            if let Some(head) = self.lake.table(&folder(&table)).head().await? {
                let mut state = head_state(&head);
                if table == *name {
                    version = Some(head.version());
                    state.lost_refusals = quarantine::look(&self.lake, name, &head).await;
                }
                lake.insert(table, state);
            }
        }
        Ok(Glance { version, decision: self.wanted(name, |wanted| decide(wanted, &lake)) })
    }

    fn wanted<T>(&self, name: &TableName, tell: impl Fn(Wanted<'_>) -> T) -> T {
        let definition = definition_hash(&self.project, name);
        let on_change =
            self.project.tables.get(name).and_then(|t| t.definition.on_change()).unwrap_or(OnChange::Rebuild);
        let inputs = self.project.inputs(name);
        tell(Wanted { table: name, inputs: &inputs, definition: &definition, on_change })
    }
}

/// What a look at all tables of a project has shown.
pub(super) struct Looks {
    /// the ledger, looked at before them, as far as it can be read
    pub ledger: Option<Head>,
    /// those that exist
    pub snapshots: BTreeMap<TableName, Snapshot>,
    /// how they are
    pub states: LakeState,
    /// those that cannot be opened
    pub damaged: BTreeMap<TableName, Error>,
}

/// So many tables are looked at together.
pub(super) const AT_ONCE: usize = 16;

/// Looks at every table of a project. The tables that read others come first: a run that goes on meanwhile could else
/// make them look as if they were ahead of what they read.
pub(super) async fn all(project: &Project, lake: &Lake) -> Looks {
    let ledger = lake.table(LEDGER).head().await.ok().flatten();
    let mut looks = Looks { ledger, snapshots: BTreeMap::new(), states: LakeState::new(), damaged: BTreeMap::new() };
    for rank in ranks(project).into_iter().rev() {
        let look = |name: TableName| async move {
            let table = lake.table(&folder(&name));
            let snapshot = tokio::spawn(async move { table.snapshot().await }).await;
            let snapshot = snapshot.map_err(Error::from).and_then(|snapshot| Ok(snapshot?));
            let lost_refusals = match &snapshot {
                Ok(Some(snapshot)) => quarantine::look(lake, &name, snapshot.head()).await,
                _ => None,
            };
            (name, snapshot, lost_refusals)
        };
        let seen: Vec<_> = stream::iter(rank).map(look).buffer_unordered(AT_ONCE).collect().await;
        for (name, snapshot, lost_refusals) in seen {
            match snapshot {
                Ok(None) => {}
                Ok(Some(snapshot)) => {
                    looks.states.insert(name.clone(), TableState { lost_refusals, ..table_state(&snapshot) });
                    looks.snapshots.insert(name, snapshot);
                }
                Err(error) => _ = looks.damaged.insert(name, error),
            }
        }
    }
    looks
}

/// The tables by how many stand above them at most: none reads one of its own rank.
fn ranks(project: &Project) -> Vec<Vec<TableName>> {
    let mut rank_of: BTreeMap<TableName, usize> = BTreeMap::new();
    let mut ranks: Vec<Vec<TableName>> = Vec::new();
    for name in &project.order {
        let above = project.inputs(name).into_iter().filter_map(|input| rank_of.get(&input).map(|rank| rank + 1));
        let rank = above.max().unwrap_or(0);
        rank_of.insert(name.clone(), rank);
        ranks.resize(ranks.len().max(rank + 1), Vec::new());
        ranks[rank].push(name.clone());
    }
    ranks
}
