//! Joins, typed: which columns must be equal and which are added under which name.

use super::columns;
use super::declared_step::{DeclaredJoin, JoinColumns};
use super::reader::Text;
use super::typing::Typing;
use crate::expr::{Column, Columns};
use crate::steps::{Join, JoinKind};

/// The join, or faults.
pub(super) fn join(typing: &Typing, declared: &DeclaredJoin, input: &Columns) -> Option<Join> {
    let right = (typing.tables)(&declared.with.table)?;
    let on = equal(typing, declared, input, &right);
    let columns = added(typing, declared, &right)?;
    let on = on?;
    for (new, _, at) in &columns {
        if let Some(taken) = input.iter().find(|column| column.name.to_lowercase() == new.to_lowercase()) {
            let message = format!("the join would add `{new}`, but there is `{}` already", taken.name);
            let hint = "choose or rename what it adds: `columns: { new_name: name }` or `prefix: text`".to_owned();
            typing.file.hinted(at.mark, message, Some(hint));
            return None;
        }
    }
    let columns = columns.into_iter().map(|(new, old, _)| (old, new)).collect();
    Some(Join { with: declared.with.table.clone(), on, how: declared.how, columns })
}

/// The pairs of columns that must be equal.
fn equal(typing: &Typing, declared: &DeclaredJoin, left: &Columns, right: &Columns) -> Option<Vec<(String, String)>> {
    let mut pairs = Vec::with_capacity(declared.on.len());
    for (one, other) in &declared.on {
        let found = columns::find(typing.file, left, one);
        if of_right(typing, declared, right, other).is_none() {
            continue;
        }
        if found.is_some() {
            pairs.push((one.value.clone(), other.value.clone()));
        }
    }
    (pairs.len() == declared.on.len()).then_some(pairs)
}

/// New name, right side's name, and where it is written.
fn added(typing: &Typing, declared: &DeclaredJoin, right: &Columns) -> Option<Vec<(String, String, Text)>> {
    let at = Text { value: String::new(), mark: declared.with.mark, verbatim: None };
    let prefix = declared.prefix.as_ref().map(|text| text.value.as_str()).unwrap_or_default();
    if matches!(declared.how, JoinKind::Semi | JoinKind::Anti) {
        if declared.prefix.is_some() || !matches!(declared.columns, JoinColumns::All) {
            let hint = "take `columns` and `prefix` out".to_owned();
            typing.file.hinted(at.mark, "a semi or anti join adds no columns", Some(hint));
            return None;
        }
        return Some(Vec::new());
    }
    let added: Vec<Option<(String, String, Text)>> = match &declared.columns {
        JoinColumns::All => right
            .iter()
            .filter(|column| !declared.on.iter().any(|(_, other)| other.value == column.name))
            .map(|column| Some((format!("{prefix}{}", column.name), column.name.clone(), at.clone())))
            .collect(),
        JoinColumns::Listed(names) => names
            .iter()
            .map(|name| {
                let column = of_right(typing, declared, right, name)?;
                Some((format!("{prefix}{}", column.name), column.name.clone(), name.clone()))
            })
            .collect(),
        JoinColumns::Renamed(pairs) => pairs
            .iter()
            .map(|(new, old)| {
                let column = of_right(typing, declared, right, old)?;
                Some((format!("{prefix}{}", new.value), column.name.clone(), new.clone()))
            })
            .collect(),
    };
    let added = added.into_iter().collect::<Option<Vec<_>>>()?;
    for (position, (new, _, at)) in added.iter().enumerate() {
        typing.good_name(&Text { value: new.clone(), ..at.clone() })?;
        if added[..position].iter().any(|(other, _, _)| other.to_lowercase() == new.to_lowercase()) {
            typing.file.fault(at.mark, format!("the join would add `{new}` twice"));
            return None;
        }
    }
    Some(added)
}

fn of_right<'c>(typing: &Typing, declared: &DeclaredJoin, right: &'c Columns, name: &Text) -> Option<&'c Column> {
    let found = right.iter().find(|column| column.name == name.value);
    if found.is_none() {
        let message = format!("`{}` has no column `{}`", declared.with.table, name.value);
        typing.file.hinted(name.mark, message, Some(columns::known_hint(&name.value, right)));
    }
    found
}
