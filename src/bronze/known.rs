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
        let listed = landing.list(&source.path);
        if let Err(error) = &listed
            && landing.is_remote()
        {
            tracing::warn!("{error}");
        }
        let files = listed.map(|listing| listing.files).unwrap_or_default();
        let most = if landing.is_remote() { MAX_OBJECTS } else { MAX_FILES };
        for file in looked_at(&files, most) {
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

fn looked_at(files: &[FileStat], most: usize) -> impl Iterator<Item = &FileStat> {
    let skipped = most / 2..files.len().saturating_sub(most / 2);
    files.iter().enumerate().filter(move |(at, _)| !skipped.contains(at)).map(|(_, file)| file)
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
