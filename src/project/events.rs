//! Silver tables that read bronze, typed.

use std::path::Path;

use super::columns::{self, known_hint};
use super::contract::{self, Loaded};
use super::declared::{Declared, DeclaredTable, NamedSql};
use super::declared_step::Verb;
use super::events_source::{Origin, Sources};
use super::model::{ChangedFiles, EventColumn, EventInput, Events, Property};
use super::reader::{Faults, Text};
use super::spelling::did_you_mean;
use super::sql_names;
use super::typing::Typing;
use super::yaml::Mark;
use crate::expr::{Column, Columns, Expr, Settings, Type};

/// A table's events and what its contract says of it beside them.
pub(super) struct Typed {
    pub events: Events,
    pub owner: Option<String>,
    pub description: Option<String>,
}

/// Types a table over its bronze tables; `None` if its columns cannot be known.
pub(super) fn read<'a>(
    declared: &Declared<'a>,
    table: &DeclaredTable,
    sources: &Sources,
    root: &Path,
    settings: Settings,
    faults: &'a Faults,
) -> Option<Typed> {
    let file = &declared.file;
    let loaded = contract(declared, table, root, settings, faults)?;
    let typing = Typing { file, settings, tables: &|_| None, contract: Some(&loaded.contract) };
    let taken = event_columns(&typing, table, sources, &loaded);
    let input: Columns = taken.iter().map(|column| Column::new(&column.name, column.ty.clone())).collect();
    let (steps, output) = typing.steps(input, &table.steps)?;
    if table.key.as_ref().is_none_or(Vec::is_empty) {
        without_key(declared, table, sources);
    }
    let events = Events {
        from: table.from.iter().map(|reference| reference.table.clone()).collect(),
        input: sources.input,
        null_values: sources.null_values.clone(),
        columns: taken,
        steps,
        key: columns::key(file, &output, table.key.as_deref().unwrap_or_default()),
        latest_by: columns::latest_by(file, &output, &table.latest_by),
        event_time: columns::event_time(file, &output, table.event_time.as_ref()),
        partition_by: columns::partition_by(file, &output, &table.partition_by),
        on_change: table.on_change,
        timezone: settings.timezone.name().to_owned(),
        contract: loaded.contract.clone(),
        output,
    };
    against_key(&loaded, &events.key);
    Some(Typed { events, owner: loaded.owner, description: loaded.description })
}

fn contract<'a>(
    declared: &Declared<'a>,
    table: &DeclaredTable,
    root: &Path,
    settings: Settings,
    faults: &'a Faults,
) -> Option<Loaded<'a>> {
    let Some(path) = &table.contract else {
        let hint = format!("e.g. `contract: schemas/{}.odcs.yaml`", declared.name.name);
        declared.file.hinted(table.mark, format!("`{}` has no `contract`", declared.name), Some(hint));
        return None;
    };
    let reading = contract::Reading { root, table: &declared.name, timezone: settings.timezone };
    contract::load(&reading, &declared.file, path, faults)
}

/// A table without a key only ever grows.
fn without_key(declared: &Declared, table: &DeclaredTable, sources: &Sources) {
    if let Some(first) = table.latest_by.first() {
        let hint = "name the `key` of which the latest row stays".to_owned();
        declared.file.hinted(first.mark, "`latest_by` without a `key` chooses nothing", Some(hint));
    }
    for (reference, source) in table.from.iter().zip(&sources.sources) {
        if source.changed_files == ChangedFiles::NewVersion {
            let message = format!(
                "`{}` has no `key`, but `{}` takes changed files in again: their rows would be there twice",
                declared.name, reference.table
            );
            let hint = format!("give `{}` a `key`, or set `changed_files: reject`", declared.name);
            declared.file.hinted(reference.mark, message, Some(hint));
        }
    }
}

/// What the contract says of keys, beside what the table says.
fn against_key(loaded: &Loaded, key: &[String]) {
    if let Some((primary, mark)) = &loaded.primary_key
        && !columns::same(primary, key)
    {
        let (primary, key) = (primary.join(", "), key.join(", "));
        let message = format!("the contract's primary key ({primary}) is not the table's `key` ({key})");
        loaded.file.warn(*mark, message, Some("the table's `key` is what counts".to_owned()));
    }
    for (name, mark) in &loaded.unique {
        if key != std::slice::from_ref(name) {
            let hint = "only a `key` of this one column makes it so".to_owned();
            loaded.file.warn(*mark, format!("that `{name}` is unique is not enforced"), Some(hint));
        }
    }
}

/// The properties that come from the source, in the contract's order.
fn event_columns(typing: &Typing, table: &DeclaredTable, sources: &Sources, loaded: &Loaded) -> Vec<EventColumn> {
    unknown_columns(typing, table, loaded);
    let mut taken = Vec::new();
    for (property, mark) in loaded.contract.properties.iter().zip(&loaded.marks) {
        let entry = table.columns.iter().find(|entry| entry.name.value == property.name);
        if entry.is_none() && is_derived(table, &property.name) {
            continue;
        }
        let expr = match entry {
            Some(entry) => expression(typing, sources, property, entry),
            None => {
                exists(typing, sources, property, loaded, *mark);
                None
            }
        };
        taken.push(EventColumn { name: property.name.clone(), ty: property.ty.clone(), expr });
    }
    taken
}

fn unknown_columns(typing: &Typing, table: &DeclaredTable, loaded: &Loaded) {
    for entry in &table.columns {
        let names = loaded.contract.properties.iter().map(|property| property.name.as_str());
        if !names.clone().any(|name| name == entry.name.value) {
            let hint = did_you_mean(&entry.name.value, names)
                .unwrap_or_else(|| "add it to the contract, or make it by a `derive` step".to_owned());
            let message = format!("the contract has no property `{}`", entry.name.value);
            typing.file.hinted(entry.name.mark, message, Some(hint));
        }
    }
}

/// Whether a step makes the column anew, before anything has read it.
fn is_derived(table: &DeclaredTable, name: &str) -> bool {
    for step in &table.steps {
        let reads = |sql: Option<&Text>| sql.is_some_and(|sql| sql_names::candidates(&sql.value).contains(name));
        match &step.verb {
            Verb::Where(sql) if reads(Some(sql)) => return false,
            Verb::Select(named) => {
                return !named.iter().any(|e| selects(e, name)) && named.iter().any(|e| e.name.value == name);
            }
            Verb::Derive(named) => {
                if named.iter().any(|entry| reads(entry.sql.as_ref())) {
                    return false;
                }
                if named.iter().any(|entry| entry.name.value == name) {
                    return true;
                }
            }
            _ => {}
        }
    }
    false
}

/// Whether an entry of `select` reads the column.
fn selects(entry: &NamedSql, name: &str) -> bool {
    match &entry.sql {
        Some(sql) => sql_names::candidates(&sql.value).contains(name),
        None => entry.name.value == name,
    }
}

/// The expression in `columns:`, cast to the contract's type.
fn expression(typing: &Typing, sources: &Sources, property: &Property, entry: &NamedSql) -> Option<Expr> {
    let sql = entry.sql.as_ref()?;
    let input = match &sources.columns {
        Origin::Known(_) => sources.expression_columns(),
        Origin::Unknown if sources.input == EventInput::Csv => sources.guessed_columns(&sql.value),
        Origin::Unknown => {
            let hint = "put one file into the landing folder, or name the column as the source does".to_owned();
            let message = "no file is there yet from which the types of its columns could be known";
            typing.file.hinted(sql.mark, message, Some(hint));
            return None;
        }
    };
    typing.cast(typing.scalar(sql, &input)?, &property.ty, sql.mark)
}

/// A property without an expression must be a column of every source, of a type that can be cast.
fn exists(typing: &Typing, sources: &Sources, property: &Property, loaded: &Loaded, mark: Mark) {
    let Origin::Known(known) = &sources.columns else { return };
    if sources.input == EventInput::Ndjson {
        return;
    }
    for (table, columns) in known {
        match columns.iter().find(|column| column.name == property.name) {
            // Silver casts arrays and structs member by member.
            Some(column) if is_nested(&column.ty) && is_nested(&property.ty) => {}
            Some(column) => {
                let cast = Expr::column(&column.name, column.ty.clone()).cast(&property.ty, typing.settings);
                if let Err(message) = cast {
                    loaded.file.fault(mark, format!("`{}` of `{table}`: {message}", column.name));
                }
            }
            None => {
                let hint = format!(
                    "{}; or say where it comes from, e.g. `columns: {{ {}: … }}`",
                    known_hint(&property.name, columns).trim_end_matches('?'),
                    property.name
                );
                loaded.file.hinted(mark, format!("`{table}` has no column `{}`", property.name), Some(hint));
            }
        }
    }
}

fn is_nested(ty: &Type) -> bool {
    matches!(ty, Type::Array(_) | Type::Struct(_))
}
