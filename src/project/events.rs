//! Silver tables that read bronze, typed.

use std::path::Path;

use super::columns;
use super::contract::{self, Loaded};
use super::declared::{Declared, DeclaredTable};
use super::events_columns::Properties;
use super::events_source::Sources;
use super::known::Asked;
use super::model::{ChangedFiles, Events, Guard, Optimize};
use super::reader::Faults;
use super::typing::Typing;
use crate::expr::{Column, Columns, Settings};

/// A table's events and what its contract says of it beside them.
pub(super) struct Typed {
    pub events: Events,
    pub owner: Option<String>,
    pub description: Option<String>,
}

/// What tables are read with.
pub(super) struct Reading<'r, 'a> {
    pub root: &'r Path,
    pub settings: Settings,
    /// of tables that have none of their own
    pub guard: Guard,
    /// likewise
    pub optimize: Optimize,
    pub faults: &'a Faults,
    pub asked: Asked<'r>,
    /// An expression over columns of unknown types is worth a warning: what is read will not be run.
    pub only_checks: bool,
}

/// Types a table over its bronze tables; `None` if its columns cannot be known.
pub(super) fn read<'a>(
    declared: &Declared<'a>,
    table: &DeclaredTable,
    sources: &Sources,
    reading: &Reading<'_, 'a>,
) -> Option<Typed> {
    let (file, settings) = (&declared.file, reading.settings);
    let loaded = contract(declared, table, reading)?;
    let typing = Typing { file, settings, tables: &|_| None, contract: Some(&loaded.contract) };
    let properties = Properties { typing: &typing, table, loaded: &loaded };
    let origin = sources.columns(file, table, &reading.asked, &|columns| properties.are_among(columns));
    let taken = properties.columns(sources.input, &origin, reading.only_checks);
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

fn contract<'a>(declared: &Declared<'a>, table: &DeclaredTable, reading: &Reading<'_, 'a>) -> Option<Loaded<'a>> {
    let Some(path) = &table.contract else {
        let hint = format!("e.g. `contract: schemas/{}.odcs.yaml`", declared.name.name);
        declared.file.hinted(table.mark, format!("`{}` has no `contract`", declared.name), Some(hint));
        return None;
    };
    let (root, timezone) = (reading.root, reading.settings.timezone);
    let wanted = contract::Reading { root, table: &declared.name, timezone };
    contract::load(&wanted, &declared.file, path, reading.faults)
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
