//! The bronze tables that a silver table reads, and the columns they have.

use super::declared::{Body, DeclaredTable};
use super::known::Asked;
use super::model::{EventInput, Format, Source};
use super::reader::File;
use super::resolve::Tables;
use super::sql_names;
use crate::expr::{Column, Columns, Type};
use crate::name::TableName;

/// Sources of one format.
pub(super) struct Sources<'t> {
    pub sources: Vec<&'t Source>,
    pub input: EventInput,
    pub null_values: Vec<Vec<String>>,
}

/// What is known of the columns.
pub(super) enum Origin {
    /// per source, without lakesmith's own columns
    Known(Vec<(TableName, Columns)>),
    /// nothing is known of one source at least
    Unknown,
}

impl<'t> Sources<'t> {
    /// The sources of `from`; `None` if one of them is faulty or they do not fit together.
    pub(super) fn read(file: &File, table: &DeclaredTable, tables: &'t Tables) -> Option<Self> {
        let mut sources = Vec::with_capacity(table.from.len());
        for reference in &table.from {
            match &tables.get(&reference.table)?.body {
                Body::Bronze(Some(source)) => sources.push(source),
                _ => return None,
            }
        }
        let input = input_of(&sources.first()?.format);
        if let Some(at) = sources.iter().position(|source| input_of(&source.format) != input) {
            let (first, other) = (&table.from[0], &table.from[at]);
            let message = format!("`{}` and `{}` have files of different formats", first.table, other.table);
            file.hinted(other.mark, message, Some("make a silver table of each and `union` them".to_owned()));
            return None;
        }
        let null_values = sources.iter().map(|source| null_values(source)).collect();
        Some(Sources { sources, input, null_values })
    }

    /// Asks for the columns of each source; a source of which nothing is known is worth a warning.
    pub(super) fn columns(
        &self,
        file: &File,
        table: &DeclaredTable,
        asked: &Asked,
        enough: &dyn Fn(&Columns) -> bool,
    ) -> Origin {
        let mut known = Vec::with_capacity(self.sources.len());
        for (reference, source) in table.from.iter().zip(&self.sources) {
            match asked.columns(&reference.table, source, enough) {
                Some(columns) => known.push((reference.table.clone(), columns)),
                None => {
                    let message = format!("the columns of `{}` could not be checked", reference.table);
                    let hint = format!("no file in the landing folder matches `{}`", source.path);
                    file.warn(reference.mark, message, Some(hint));
                }
            }
        }
        if known.len() == self.sources.len() { Origin::Known(known) } else { Origin::Unknown }
    }
}

/// What an expression in `columns:` can read: the columns that every source has, and where a row came from.
pub(super) fn expression_columns<'c>(mut sources: impl Iterator<Item = &'c Columns>) -> Columns {
    let mut columns = sources.next().cloned().unwrap_or_default();
    for other in sources {
        columns.retain(|column| other.contains(column));
    }
    columns.extend(lineage());
    columns
}

/// For texts of unknown columns: every name that the expression uses is one.
pub(super) fn guessed_columns(sql: &str) -> Columns {
    let lineage = lineage();
    let mut columns: Columns = sql_names::candidates(sql)
        .into_iter()
        .filter(|name| !lineage.iter().any(|column| &column.name == name))
        .map(|name| Column::new(name, Type::String))
        .collect();
    columns.extend(lineage);
    columns
}

/// Where a bronze row came from.
fn lineage() -> Columns {
    vec![
        Column::new("_batch", Type::BigInt),
        Column::new("_source_file", Type::String),
        Column::new("_source_row", Type::BigInt),
    ]
}

fn input_of(format: &Format) -> EventInput {
    match format {
        Format::Csv(_) => EventInput::Csv,
        Format::Ndjson => EventInput::Ndjson,
        Format::Parquet => EventInput::Parquet,
    }
}

fn null_values(source: &Source) -> Vec<String> {
    match &source.format {
        Format::Csv(options) => options.null_values.clone(),
        Format::Ndjson | Format::Parquet => Vec::new(),
    }
}
