//! Which columns of two sides can be compared, and by which key.

use super::{Comparison, LINEAGE};
use crate::delta::{TableSchema, common};
use crate::expr::{Column, Columns, Type};
use crate::report::ColumnDiff;

/// The columns of two sides.
#[derive(Clone, Debug)]
pub struct Compared {
    /// those whose values are compared, with the type that holds both sides'
    pub columns: Columns,
    /// by which rows are told apart, if they can be
    pub key: Vec<String>,
    /// why not, if they should be
    pub note: Option<String>,
    both: Vec<Both>,
}

/// A column of either side.
#[derive(Clone, Debug)]
struct Both {
    name: String,
    was: Option<Type>,
    is: Option<Type>,
}

impl Both {
    fn compared(&self) -> Option<Type> {
        match (&self.was, &self.is) {
            (Some(was), Some(is)) => common(was, is),
            (one, other) => one.clone().or(other.clone()),
        }
    }
}

impl Compared {
    /// The columns of the later side, then those that only the earlier one has.
    pub fn new(before: &TableSchema, after: &TableSchema, how: &Comparison) -> Self {
        let gone = before.columns.iter().filter(|column| after.ty(&column.name).is_none());
        let all = after.columns.iter().chain(gone).filter(|column| !how.left_out.contains(&column.name));
        let both: Vec<Both> = all
            .map(|Column { name, .. }| Both {
                name: name.clone(),
                was: before.ty(name).cloned(),
                is: after.ty(name).cloned(),
            })
            .collect();
        let columns = both.iter().filter_map(|both| Some(Column::new(&both.name, both.compared()?))).collect();
        let unfit = how.key.iter().find_map(|name| Some((name, unfit(both.iter().find(|both| &both.name == name))?)));
        let note = unfit.map(|(name, why)| format!("`{name}` of the key {why}, so rows are compared as multisets"));
        let key = if note.is_some() { Vec::new() } else { how.key.clone() };
        Compared { columns, key, note, both }
    }

    /// Whether a column is on the earlier side.
    pub fn was(&self, name: &str) -> bool {
        self.both.iter().any(|both| both.name == name && both.was.is_some())
    }

    /// Whether a column is on the later side.
    pub fn is(&self, name: &str) -> bool {
        self.both.iter().any(|both| both.name == name && both.is.is_some())
    }

    /// The numeric columns of either side whose sums mean something: neither the key's nor those that say where a row
    /// came from.
    pub fn numeric(&self) -> impl Iterator<Item = &str> {
        let numeric = |ty: &Option<Type>| ty.as_ref().is_some_and(Type::is_numeric);
        let summed = move |both: &&Both| {
            (numeric(&both.was) || numeric(&both.is))
                && !self.key.contains(&both.name)
                && !LINEAGE.contains(&both.name.as_str())
        };
        self.both.iter().filter(summed).map(|both| both.name.as_str())
    }

    /// As it is told; `changed` are the numbers of changed rows by column that was compared.
    pub fn report(&self, changed: &[u64]) -> Vec<ColumnDiff> {
        let count = |name: &str| self.columns.iter().zip(changed).find(|(column, _)| column.name == name);
        let text = |ty: &Option<Type>| ty.as_ref().map(ToString::to_string);
        let one = |both: &Both| ColumnDiff {
            name: both.name.clone(),
            changed: count(&both.name).map_or(0, |(_, changed)| *changed),
            was: text(&both.was),
            is: text(&both.is),
            compared: both.compared().is_some(),
        };
        self.both.iter().map(one).collect()
    }
}

/// Why rows cannot be told apart by a column.
fn unfit(column: Option<&Both>) -> Option<&'static str> {
    match column {
        None => Some("is on neither side"),
        Some(Both { was: None, .. }) => Some("is not on the earlier side"),
        Some(Both { is: None, .. }) => Some("is not on the later side"),
        Some(both) => match both.compared() {
            None => Some("has types that cannot be compared"),
            Some(Type::Array(_) | Type::Struct(_)) => Some("is nested"),
            Some(_) => None,
        },
    }
}
