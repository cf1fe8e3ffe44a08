//! A plan for the whole request: the decisions of each table, given that those above it will have run.

use std::collections::{BTreeMap, BTreeSet};

use super::{Decision, LakeState, Mode, Plan, Request, Task, Verdict, Wanted, ahead, decide};
use crate::gold::Strategy;
use crate::name::TableName;
use crate::project::{Definition, Derived, Events, OnChange, Project, Table, definition_hash};
use crate::report::{Action, FileNote};

/// The files of each bronze table, by path, and what is to be done with them.
pub type Landing = BTreeMap<TableName, Vec<(String, Verdict)>>;

/// Why all of a gold table would be computed anew, of those for which the log tells.
pub type Full = BTreeMap<TableName, String>;

/// What `run` would do for `request`. `rows_beyond` tells how many rows of a bronze table lie beyond a batch, where
/// statistics know.
pub fn plan(
    project: &Project,
    lake: &LakeState,
    landing: &Landing,
    request: &Request,
    full: &Full,
    rows_beyond: &dyn Fn(&TableName, Option<i64>) -> Option<u64>,
) -> Plan {
    let mut tasks: Vec<Task> = Vec::new();
    for name in project.order.iter().filter(|n| request.tables.contains(*n)) {
        let Some(table) = project.tables.get(name) else { continue };
        let changing: BTreeSet<_> =
            tasks.iter().filter(|t| t.action != Action::None).map(|t| t.table.clone()).collect();
        let mut task = match &table.definition {
            Definition::Bronze(_) => bronze(name, landing.get(name).map_or(&[], Vec::as_slice)),
            definition => Downstream { project, lake, changing: &changing, full, rows_beyond }.task(table, definition),
        };
        task.needs = project.inputs(name).into_iter().filter(|i| request.tables.contains(i)).collect();
        tasks.push(task);
    }
    Plan { tasks }
}

fn task(table: &TableName, action: Action, why: impl Into<String>) -> Task {
    Task {
        table: table.clone(),
        action,
        mode: None,
        why: why.into(),
        rows: None,
        files: Vec::new(),
        set_aside: Vec::new(),
        error: None,
        needs: Vec::new(),
    }
}

fn bronze(name: &TableName, files: &[(String, Verdict)]) -> Task {
    let note = |path: &String, reason: &str| FileNote { path: path.clone(), reason: reason.into() };
    let mut taken = Vec::new();
    let mut set_aside = Vec::new();
    for (file, verdict) in files {
        match verdict {
            Verdict::Take => taken.push(note(file, "new")),
            Verdict::SetAside(why) | Verdict::StillAside(why) => set_aside.push(note(file, why)),
            _ => {}
        }
    }
    let (action, why) = match taken.len() {
        0 => (Action::None, "no new files".to_string()),
        1 => (Action::Append, "1 new file".to_string()),
        n => (Action::Append, format!("{n} new files")),
    };
    Task { files: taken, set_aside, ..task(name, action, why) }
}

/// What a silver or gold table's task depends on.
struct Downstream<'a> {
    project: &'a Project,
    lake: &'a LakeState,
    changing: &'a BTreeSet<TableName>,
    full: &'a Full,
    rows_beyond: &'a dyn Fn(&TableName, Option<i64>) -> Option<u64>,
}

impl Downstream<'_> {
    fn task(&self, table: &Table, definition: &Definition) -> Task {
        let name = &table.name;
        let inputs = self.project.inputs(name);
        let hash = definition_hash(self.project, name);
        let on_change = definition.on_change().unwrap_or(OnChange::Rebuild);
        let wanted = Wanted { table: name, inputs: &inputs, definition: &hash, on_change };
        let above: Vec<_> = inputs.iter().filter(|i| self.changing.contains(*i)).collect();
        match (decide(wanted, self.lake), above.first()) {
            (Decision::Refuse(why), _) => Task { error: Some(why), ..task(name, Action::None, "refused") },
            (Decision::Held(why), _) => task(name, Action::None, why),
            (Decision::Rebuild(why), _) => task(name, Action::Rebuild, why),
            (Decision::Advance { from, .. }, _) => self.advance(table, definition, &from),
            (_, Some(input)) => self.below(name, definition, input),
            (Decision::Wait(why), None) => task(name, Action::None, why),
            (Decision::Nothing, None) => task(name, Action::None, "its inputs have nothing new"),
        }
    }

    fn advance(&self, table: &Table, definition: &Definition, from: &BTreeMap<TableName, Option<i64>>) -> Task {
        let name = &table.name;
        let first = !self.lake.contains_key(name);
        let news: Vec<_> = from.keys().map(|i| format!("`{i}`")).collect();
        let why = if first { "first load".into() } else { format!("new in {}", news.join(", ")) };
        match definition {
            Definition::Gold(derived) => {
                // what is about to change will tell otherwise, unless what was read is no more
                let inputs = self.project.inputs(name);
                let is_ahead = self.lake.get(name).is_some_and(|own| ahead(own, &inputs, self.lake).is_some());
                let is_settled = is_ahead || inputs.iter().all(|input| !self.changing.contains(input));
                match self.full.get(name).filter(|_| is_settled && !first) {
                    Some(full) => {
                        Task { mode: Some(Mode::Full), ..task(name, Action::Merge, format!("{why}; {full}")) }
                    }
                    None => gold(name, derived, first, why),
                }
            }
            Definition::Silver(events) => {
                let rows = from.iter().map(|(input, w)| (self.rows_beyond)(input, *w)).sum();
                Task { rows, ..task(name, silver_action(events), why) }
            }
            Definition::Bronze(_) => task(name, Action::None, why),
        }
    }

    fn below(&self, name: &TableName, definition: &Definition, input: &TableName) -> Task {
        let why = format!("`{input}` is about to change");
        match definition {
            Definition::Gold(derived) => gold(name, derived, !self.lake.contains_key(name), why),
            Definition::Silver(events) => task(name, silver_action(events), why),
            Definition::Bronze(_) => task(name, Action::None, why),
        }
    }
}

fn silver_action(events: &Events) -> Action {
    if events.key.is_empty() { Action::Append } else { Action::Merge }
}

fn gold(name: &TableName, derived: &Derived, first: bool, why: String) -> Task {
    let (mode, why) = match crate::gold::strategy(derived) {
        _ if first => (Mode::Full, format!("{why}; there is no table yet")),
        Strategy::Full { why: reason } => (Mode::Full, format!("{why}; {reason}")),
        Strategy::Groups { .. } => (Mode::Incremental, format!("{why}; only the groups touched")),
    };
    Task { mode: Some(mode), ..task(name, Action::Merge, why) }
}
