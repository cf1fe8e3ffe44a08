//! What a backfill is asked for: which tables, which range, and what follows.

use std::collections::BTreeSet;

use super::ranges::{Chunk, Range};
use crate::name::{Layer, TableName};
use crate::project::{Definition, Project};

/// A range of some tables that is to be computed anew.
#[derive(Clone, Debug)]
pub struct BackfillRequest {
    /// which range of their event time
    pub range: Range,
    /// in pieces of this length, each a commit; none: in one
    pub chunk: Option<Chunk>,
    /// tables that are run before
    pub first: BTreeSet<TableName>,
    /// the tables; each has an event time
    pub tables: BTreeSet<TableName>,
    /// tables that are run afterwards; of [`BackfillRequest::tables`] those below another one of them
    pub after: BTreeSet<TableName>,
    /// only tables that are not there yet, or of which only ranges are; all others are run afterwards
    pub loads: bool,
    /// tables may lose more rows than their guard allows
    pub unguarded: bool,
}

impl BackfillRequest {
    /// Computes the range of the selected tables anew; those below another selected one follow by a run.
    ///
    /// # Errors
    /// One message and hint for each table that cannot be backfilled.
    pub fn new(
        project: &Project,
        selected: &BTreeSet<TableName>,
        range: Range,
        chunk: Option<Chunk>,
    ) -> Result<Self, Vec<(String, String)>> {
        let made = || selected.iter().filter(|name| name.layer != Layer::Bronze);
        let below = |name: &&TableName| {
            project.inputs(name).iter().any(|input| input.layer != Layer::Bronze && selected.contains(input))
        };
        let after: BTreeSet<TableName> = made().filter(below).cloned().collect();
        let (tables, others): (BTreeSet<_>, BTreeSet<_>) =
            made().cloned().partition(|name| has_event_time(project, name));
        if tables.is_empty() && others.is_empty() {
            let hint = "select silver or gold tables with an `event_time`";
            return Err(vec![("bronze is never made anew: all else is made from it".into(), hint.into())]);
        }
        let wrong = others.difference(&after).map(|name| {
            let message = format!("`{name}` has no `event_time`, so there are no ranges of it");
            (message, format!("name its column in `event_time`, or make all of it anew: lakesmith rebuild {name}"))
        });
        let wrong: Vec<_> = wrong.collect();
        if !wrong.is_empty() {
            return Err(wrong);
        }
        let first = BTreeSet::new();
        Ok(BackfillRequest { range, chunk, first, tables, after, loads: false, unguarded: false })
    }

    /// Takes in files, loads the range into silver tables that are not complete yet, and runs the other tables.
    ///
    /// # Errors
    /// No selected table can be loaded by ranges.
    pub fn load(
        project: &Project,
        selected: &BTreeSet<TableName>,
        range: Range,
        chunk: Option<Chunk>,
    ) -> Result<Self, Vec<(String, String)>> {
        let is_loaded = |name: &TableName| {
            let definition = project.tables.get(name).map(|table| &table.definition);
            matches!(definition, Some(Definition::Silver(_))) && has_event_time(project, name)
        };
        let (first, made): (BTreeSet<_>, BTreeSet<_>) =
            selected.iter().cloned().partition(|name| name.layer == Layer::Bronze);
        let (tables, after): (BTreeSet<_>, BTreeSet<_>) = made.into_iter().partition(is_loaded);
        if tables.is_empty() {
            let hint = "only a silver table that reads bronze and has an `event_time` is loaded by ranges";
            return Err(vec![("none of these tables can be loaded by ranges".into(), hint.into())]);
        }
        Ok(BackfillRequest { range, chunk, first, tables, after, loads: true, unguarded: false })
    }

    /// All tables that it may write to.
    pub fn all(&self) -> BTreeSet<TableName> {
        self.first.iter().chain(&self.tables).chain(&self.after).cloned().collect()
    }
}

fn has_event_time(project: &Project, name: &TableName) -> bool {
    project.tables.get(name).is_some_and(|table| table.definition.event_time().is_some())
}
