//! The columns of a source before its files are read.

use super::fit::fit;
use super::landing::{FileStat, Landing};
use super::lineage::VALUE;
use super::read::{ReadOptions, read};
use crate::expr::{Column, Columns, Type};
use crate::project::{Format, Source};

/// More files than this are not looked at: the first and the last half, by path.
const MAX_FILES: usize = 200;
/// As many, where each costs a request.
const MAX_OBJECTS: usize = 20;

/// The columns that a bronze table has once the files in `landing` are in it: those of `table`, which it has now, and
/// those that the headers and footers of the files add, without the five that every bronze table has. A column that is
/// null in all files stands last. A file that would be set aside counts for nothing. `None`: no column is known.
pub fn known_columns(landing: Option<&Landing>, source: &Source, table: &Columns) -> Option<Columns> {
    if source.format == Format::Ndjson {
        return Some(vec![Column::new(VALUE, Type::String)]);
    }
    let mut known = table.clone();
    let mut nulls = Columns::new();
    if let Some(landing) = landing {
        let most = if landing.is_remote() { MAX_OBJECTS } else { MAX_FILES };
        let files = landing.first_and_last(&source.path, most).unwrap_or_else(|error| {
            if landing.is_remote() {
                tracing::warn!("{error}");
            }
            Vec::new()
        });
        for file in &files {
            let Some((columns, wider)) = widened(landing, file, source, &known) else { continue };
            known = wider;
            nulls.extend(columns.into_iter().filter(|column| column.ty == Type::Null));
        }
    }
    for column in nulls {
        if !known.iter().any(|other| other.name == column.name) {
            known.push(column);
        }
    }
    (!known.is_empty()).then_some(known)
}

/// A file's columns, and the table's with them.
fn widened(landing: &Landing, file: &FileStat, source: &Source, table: &Columns) -> Option<(Columns, Columns)> {
    let names: Vec<String> = table.iter().map(|column| column.name.clone()).collect();
    let names = (!names.is_empty()).then_some(names.as_slice());
    let options = ReadOptions { limits: source.limits, ..ReadOptions::default() };
    let reader = read(landing, file, &source.format, names, &options).ok()?;
    let fitted = fit(reader.columns(), table).ok()?;
    Some((reader.columns().clone(), fitted.columns))
}
