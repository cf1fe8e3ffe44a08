//! The columns of a source before its files are read.

use super::fit::fit;
use super::landing::{FileStat, Landing};
use super::lineage::VALUE;
use super::read::{ReadOptions, read};
use crate::expr::{Column, Columns, Type};
use crate::project::{Format, Source};

/// More files than this are not looked at: the first and the last half, by path.
const MAX_FILES: usize = 200;

/// The columns that a bronze table has once the files in `landing` are in it: those of `table`, which it has now, and
/// those that the headers and footers of the files add, without the five that every bronze table has. A column that is
/// null in all files stands last. A file that would be set aside counts for nothing. `None`: no column is known.
pub fn known_columns(landing: &str, source: &Source, table: &Columns) -> Option<Columns> {
    if source.format == Format::Ndjson {
        return Some(vec![Column::new(VALUE, Type::String)]);
    }
    let mut known = table.clone();
    let mut nulls = Columns::new();
    if let Ok(landing) = Landing::open(landing) {
        let files = landing.list(&source.path).map(|listing| listing.files).unwrap_or_default();
        for file in looked_at(&files) {
            let Some((columns, wider)) = widened(&landing, file, &source.format, &known) else { continue };
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

fn looked_at(files: &[FileStat]) -> impl Iterator<Item = &FileStat> {
    let skipped = MAX_FILES / 2..files.len().saturating_sub(MAX_FILES / 2);
    files.iter().enumerate().filter(move |(at, _)| !skipped.contains(at)).map(|(_, file)| file)
}

/// A file's columns, and the table's with them.
fn widened(landing: &Landing, file: &FileStat, format: &Format, table: &Columns) -> Option<(Columns, Columns)> {
    let names: Vec<String> = table.iter().map(|column| column.name.clone()).collect();
    let names = (!names.is_empty()).then_some(names.as_slice());
    let reader = read(landing, file, format, names, &ReadOptions::default()).ok()?;
    let fitted = fit(reader.columns(), table).ok()?;
    Some((reader.columns().clone(), fitted.columns))
}
