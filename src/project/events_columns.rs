//! Where the properties of a contract come from: expressions over bronze's columns, or the columns of their names.

use super::columns::known_hint;
use super::contract::Loaded;
use super::declared::{DeclaredTable, NamedSql};
use super::declared_step::Verb;
use super::events_source::{Origin, expression_columns, guessed_columns};
use super::model::{EventColumn, EventInput, Property};
use super::reader::Text;
use super::spelling::did_you_mean;
use super::sql_names;
use super::typing::Typing;
use super::yaml::Mark;
use crate::expr::{self, Columns, Expr, Type};

/// The properties of a table that reads bronze.
pub(super) struct Properties<'p, 'a> {
    pub typing: &'p Typing<'p, 'a>,
    pub table: &'p DeclaredTable,
    pub loaded: &'p Loaded<'a>,
}

impl Properties<'_, '_> {
    /// Whether all of them can be had from these columns of one source.
    pub(super) fn are_among(&self, columns: &Columns) -> bool {
        let input = expression_columns(std::iter::once(columns));
        self.loaded.contract.properties.iter().all(|property| match self.entry(property) {
            Some(NamedSql { sql: Some(sql), .. }) => expr::scalar(&sql.value, &input, self.typing.settings).is_ok(),
            Some(NamedSql { sql: None, .. }) => true,
            None => is_derived(self.table, &property.name) || columns.iter().any(|c| c.name == property.name),
        })
    }

    /// Those that come from the source, in the contract's order. `only_checks`: an expression over columns of unknown
    /// types is worth a warning and not a fault.
    pub(super) fn columns(&self, input: EventInput, origin: &Origin, only_checks: bool) -> Vec<EventColumn> {
        self.unknown();
        let mut taken = Vec::new();
        for (property, mark) in self.loaded.contract.properties.iter().zip(&self.loaded.marks) {
            let entry = self.entry(property);
            if entry.is_none() && is_derived(self.table, &property.name) {
                continue;
            }
            let expr = match entry {
                Some(entry) => self.expression(input, origin, property, entry, only_checks),
                None => {
                    self.exists(input, origin, property, *mark);
                    None
                }
            };
            taken.push(EventColumn { name: property.name.clone(), ty: property.ty.clone(), expr });
        }
        taken
    }

    /// The entry of `columns:` for a property.
    fn entry(&self, property: &Property) -> Option<&NamedSql> {
        self.table.columns.iter().find(|entry| entry.name.value == property.name)
    }

    fn unknown(&self) {
        for entry in &self.table.columns {
            let names = self.loaded.contract.properties.iter().map(|property| property.name.as_str());
            if !names.clone().any(|name| name == entry.name.value) {
                let hint = did_you_mean(&entry.name.value, names)
                    .unwrap_or_else(|| "add it to the contract, or make it by a `derive` step".to_owned());
                let message = format!("the contract has no property `{}`", entry.name.value);
                self.typing.file.hinted(entry.name.mark, message, Some(hint));
            }
        }
    }

    /// The expression in `columns:`, cast to the contract's type.
    fn expression(
        &self,
        input: EventInput,
        origin: &Origin,
        property: &Property,
        entry: &NamedSql,
        only_checks: bool,
    ) -> Option<Expr> {
        let sql = entry.sql.as_ref()?;
        let columns = match origin {
            Origin::Known(known) => expression_columns(known.iter().map(|(_, columns)| columns)),
            Origin::Unknown if input == EventInput::Csv => guessed_columns(&sql.value),
            Origin::Unknown => {
                self.untyped(sql, only_checks);
                return None;
            }
        };
        self.typing.cast(self.typing.scalar(sql, &columns)?, &property.ty, sql.mark)
    }

    fn untyped(&self, sql: &Text, only_checks: bool) {
        if only_checks {
            let hint = "put one file into the landing folder to have it checked; `run` goes by the bronze table";
            let message = "this expression was not checked: the types of the columns that it reads are not known here";
            self.typing.file.warn(sql.mark, message, Some(hint.to_owned()));
        } else {
            let hint = "put one file into the landing folder, or name the column as the source does";
            let message = "no file is there yet from which the types of its columns could be known";
            self.typing.file.hinted(sql.mark, message, Some(hint.to_owned()));
        }
    }

    /// A property without an expression must be a column of every source, of a type that can be cast.
    fn exists(&self, input: EventInput, origin: &Origin, property: &Property, mark: Mark) {
        let Origin::Known(known) = origin else { return };
        if input == EventInput::Ndjson {
            return;
        }
        let file = &self.loaded.file;
        for (table, columns) in known {
            match columns.iter().find(|column| column.name == property.name) {
                // Silver casts arrays and structs member by member.
                Some(column) if is_nested(&column.ty) && is_nested(&property.ty) => {}
                Some(column) => {
                    let read = Expr::column(&column.name, column.ty.clone());
                    if let Err(message) = read.cast(&property.ty, self.typing.settings) {
                        file.fault(mark, format!("`{}` of `{table}`: {message}", column.name));
                    }
                }
                None => {
                    let hint = format!(
                        "{}; or say where it comes from, e.g. `columns: {{ {}: … }}`",
                        known_hint(&property.name, columns).trim_end_matches('?'),
                        property.name
                    );
                    file.hinted(mark, format!("`{table}` has no column `{}`", property.name), Some(hint));
                }
            }
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

fn is_nested(ty: &Type) -> bool {
    matches!(ty, Type::Array(_) | Type::Struct(_))
}
