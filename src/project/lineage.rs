//! From which columns of its inputs each column of a table is made: what its values are computed from. What only decides
//! which rows there are (`where`, `on`, `having`) is not told.

use std::collections::{BTreeMap, BTreeSet};

use super::model::{Definition, Derived, EventColumn, EventInput, Events, Project};
use crate::expr::{Columns, Expr};
use crate::name::TableName;
use crate::steps::Step;

/// By column of a table: the columns of its inputs that its values are computed from.
pub type ColumnLineage = BTreeMap<String, Origins>;

type Origins = BTreeSet<(TableName, String)>;

/// The one column of a bronze table of JSON documents.
const DOCUMENT: &str = "value";

impl Project {
    /// Where the columns of a silver or gold table come from; empty for a bronze one, whose columns come from files, and
    /// for a name that is not in the project.
    pub fn column_lineage(&self, name: &TableName) -> ColumnLineage {
        match self.tables.get(name).map(|table| &table.definition) {
            Some(Definition::Silver(events)) => of_events(events),
            Some(Definition::Gold(derived)) => self.of_derived(derived),
            Some(Definition::Bronze(_)) | None => ColumnLineage::new(),
        }
    }

    fn of_derived(&self, derived: &Derived) -> ColumnLineage {
        let begin = self.own(&derived.from);
        only(derived.steps.iter().fold(begin, |now, step| self.after(now, step)), &derived.output)
    }

    /// Every column of a table as coming from itself.
    fn own(&self, table: &TableName) -> ColumnLineage {
        let columns = match self.tables.get(table).map(|t| &t.definition) {
            Some(Definition::Silver(events)) => events.output.as_slice(),
            Some(Definition::Gold(derived)) => derived.output.as_slice(),
            Some(Definition::Bronze(_)) | None => &[],
        };
        let own = |name: &String| (name.clone(), Origins::from([(table.clone(), name.clone())]));
        columns.iter().map(|column| own(&column.name)).collect()
    }

    fn after(&self, mut now: ColumnLineage, step: &Step) -> ColumnLineage {
        match step {
            Step::Derive(columns) => {
                let made = computed(&now, columns);
                now.extend(made);
                now
            }
            Step::Select(columns) => computed(&now, columns),
            Step::GroupBy { keys, aggregate } => {
                let mut grouped = computed(&now, keys);
                grouped.extend(aggregate.iter().map(|(name, a)| (name.clone(), of_all(&now, &a.columns()))));
                grouped
            }
            Step::Join(join) => {
                let of = |column: &String| Origins::from([(join.with.clone(), column.clone())]);
                now.extend(join.columns.iter().map(|(column, name)| (name.clone(), of(column))));
                now
            }
            Step::Union(table) => {
                for (name, origins) in self.own(table) {
                    now.entry(name).or_default().extend(origins);
                }
                now
            }
            Step::Rank(rank) => {
                let read = rank.by.iter().map(|key| key.column.clone()).chain(rank.within.iter().cloned()).collect();
                let origins = of_all(&now, &read);
                now.insert(rank.name.clone(), origins);
                now
            }
            Step::Where(_) | Step::Having(_) => now,
        }
    }
}

fn of_events(events: &Events) -> ColumnLineage {
    let taken = |column: &EventColumn| {
        let read: BTreeSet<String> = match (&column.expr, events.input) {
            (Some(expr), _) => expr.inputs().into_keys().collect(),
            (None, EventInput::Ndjson) => BTreeSet::from([DOCUMENT.to_owned()]),
            (None, EventInput::Csv | EventInput::Parquet) => BTreeSet::from([column.name.clone()]),
        };
        let from = |table: &TableName| read.iter().map(|name| (table.clone(), name.clone())).collect::<Vec<_>>();
        (column.name.clone(), events.from.iter().flat_map(from).collect())
    };
    let mut now: ColumnLineage = events.columns.iter().map(taken).collect();
    for step in &events.steps {
        match step {
            Step::Derive(columns) => {
                let made = computed(&now, columns);
                now.extend(made);
            }
            Step::Select(columns) => now = computed(&now, columns),
            _ => {}
        }
    }
    only(now, &events.output)
}

fn computed(now: &ColumnLineage, columns: &[(String, Expr)]) -> ColumnLineage {
    let read = |expr: &Expr| expr.inputs().into_keys().collect();
    columns.iter().map(|(name, expr)| (name.clone(), of_all(now, &read(expr)))).collect()
}

fn of_all(now: &ColumnLineage, columns: &BTreeSet<String>) -> Origins {
    columns.iter().filter_map(|name| now.get(name)).flatten().cloned().collect()
}

fn only(mut lineage: ColumnLineage, output: &Columns) -> ColumnLineage {
    lineage.retain(|name, _| output.iter().any(|column| column.name == *name));
    lineage
}
