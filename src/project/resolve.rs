//! Which table reads which: names, layers, cycles, order.

use std::collections::{BTreeMap, BTreeSet};

use super::declared::{Body, Declared, DeclaredTable, Reference};
use super::spelling::did_you_mean;
use crate::name::{Layer, TableName};

/// All tables that the project declares.
pub(super) type Tables<'a> = BTreeMap<TableName, Declared<'a>>;

/// Checks every reference; gives all tables, each after those that it reads. Tables of a cycle are left out.
pub(super) fn order(tables: &Tables) -> Vec<TableName> {
    for table in tables.values() {
        check(table, tables);
    }
    let mut walk = Walk { tables, done: BTreeSet::new(), path: Vec::new(), order: Vec::new() };
    for name in tables.keys() {
        walk.visit(name);
    }
    walk.order
}

/// Every reference of a table, `from` first.
pub(super) fn references(table: &DeclaredTable) -> impl Iterator<Item = &Reference> {
    table.from.iter().chain(table.steps.iter().filter_map(|step| step.verb.reference()))
}

/// Whether a table takes events from bronze; otherwise it is derived from tables.
pub(super) fn reads_bronze(table: &DeclaredTable) -> bool {
    table.from.first().is_some_and(|reference| reference.table.layer == Layer::Bronze)
}

fn check(table: &Declared, tables: &Tables) {
    let Body::Table(body) = &table.body else { return };
    for reference in references(body) {
        if !tables.contains_key(&reference.table) {
            undefined(table, reference, tables);
        } else if let Some(hint) = wrong_layer(table, body, reference) {
            let message = format!("`{}` reads `{}`", table.name, reference.table);
            table.file.hinted(reference.mark, message, Some(hint));
        }
    }
    if let [_, second, ..] = body.from.as_slice()
        && !reads_bronze(body)
    {
        let hint = "begin with one table and add the other by `join` or `union`".to_owned();
        table.file.hinted(second.mark, "only a table that reads bronze can read several tables", Some(hint));
    }
}

fn undefined(table: &Declared, reference: &Reference, tables: &Tables) {
    let names: Vec<String> = tables.keys().map(TableName::to_string).collect();
    let wanted = reference.table.to_string();
    let elsewhere = names.iter().find(|name| name.ends_with(&format!(".{}", reference.table.name)));
    let hint = did_you_mean(&wanted, names.iter().map(String::as_str))
        .or_else(|| elsewhere.map(|name| format!("did you mean `{name}`?")));
    let message = format!("`{}` reads `{wanted}`, which is not defined", table.name);
    table.file.hinted(reference.mark, message, hint);
}

/// What to do about a reference to a layer that the table may not read.
fn wrong_layer(table: &Declared, body: &DeclaredTable, reference: &Reference) -> Option<String> {
    let is_from = body.from.iter().any(|from| from.mark == reference.mark);
    match (table.name.layer, reference.table.layer) {
        (Layer::Gold, Layer::Bronze) => Some("gold reads silver and gold; make a silver table of it first".to_owned()),
        (Layer::Silver, Layer::Gold) => Some("silver reads bronze and silver; make this a gold table".to_owned()),
        (_, Layer::Bronze) if !is_from => {
            Some("`join` and `union` read silver and gold; make a silver table of it first".to_owned())
        }
        (_, layer) if is_from && (layer == Layer::Bronze) != reads_bronze(body) => {
            Some("a table reads either bronze tables or one silver table".to_owned())
        }
        _ => None,
    }
}

struct Walk<'t, 'a> {
    tables: &'t Tables<'a>,
    done: BTreeSet<TableName>,
    path: Vec<TableName>,
    order: Vec<TableName>,
}

impl Walk<'_, '_> {
    /// True if the table and all that it reads are free of cycles.
    fn visit(&mut self, name: &TableName) -> bool {
        if self.done.contains(name) {
            return true;
        }
        let Some(table) = self.tables.get(name) else { return true };
        self.path.push(name.clone());
        let mut free = true;
        if let Body::Table(body) = &table.body {
            for reference in references(body) {
                free &= match self.path.iter().position(|on_path| on_path == &reference.table) {
                    Some(start) => self.cycle(start),
                    None => self.visit(&reference.table),
                };
            }
        }
        self.path.pop();
        if free && self.done.insert(name.clone()) {
            self.order.push(name.clone());
        }
        free
    }

    /// One fault per cycle, at the reference of its first table by name.
    fn cycle(&self, start: usize) -> bool {
        let mut members = self.path[start..].to_vec();
        let first = members.iter().enumerate().min_by_key(|(_, name)| *name).map_or(0, |(at, _)| at);
        members.rotate_left(first);
        let next = members.get(1).unwrap_or(&members[0]).clone();
        if let Some(Declared { file, body: Body::Table(body), .. }) = self.tables.get(&members[0])
            && let Some(reference) = references(body).find(|reference| reference.table == next)
        {
            let mut names: Vec<String> = members.iter().map(|name| format!("`{name}`")).collect();
            names.push(names[0].clone());
            let hint = "a table cannot be made from itself; take one of these references out".to_owned();
            file.hinted(reference.mark, format!("the tables read one another: {}", names.join(" → ")), Some(hint));
        }
        false
    }
}
