//! What is taken from a bronze table.

use std::collections::BTreeSet;

use polars::prelude::{self as pl, DataType, PolarsResult, Scalar, Schema, lit};

use crate::expr::Settings;
use crate::name::TableName;
use crate::project::{EventInput, Events};

use super::cast::invalid;
use super::columns::{BATCH, MALFORMED, SOURCE_FILE, SOURCE_ROW, SOURCE_TABLE, column, is_added_by_bronze};
use super::nulls;
use super::verdict::RowText;

/// Bronze's column of JSON documents.
pub(super) const VALUE: &str = "value";

/// The columns of bronze's that each row brings along, whatever is wrong with it.
const ALWAYS: [&str; 4] = [BATCH, SOURCE_FILE, SOURCE_ROW, MALFORMED];

/// One of a silver table's bronze tables.
pub(super) struct Bronze<'a> {
    pub events: &'a Events,
    /// its position in `events.from`
    pub source: usize,
    pub schema: &'a Schema,
    pub settings: Settings,
}

impl Bronze<'_> {
    pub(super) fn table(&self) -> PolarsResult<&TableName> {
        let table = self.events.from.get(self.source);
        table.ok_or_else(|| invalid(format!("there is no source {}", self.source)))
    }

    /// What to select from bronze, and the names of what travels to the end.
    pub(super) fn land(&self) -> PolarsResult<(Vec<pl::Expr>, Vec<String>)> {
        let mut landed: Vec<pl::Expr> = ALWAYS.map(column).into();
        let mut kept: Vec<String> = ALWAYS.map(str::to_owned).into();
        if self.events.from.len() > 1 {
            landed.push(lit(self.table()?.to_string()).alias(SOURCE_TABLE));
            kept.push(SOURCE_TABLE.to_owned());
        }
        for name in self.files_columns() {
            landed.push(column(name).alias(raw(name)));
            kept.push(raw(name));
        }
        let wanted = self.wanted();
        landed.extend(wanted.iter().filter(|name| !ALWAYS.contains(&name.as_str())).map(|name| self.take(name)));
        Ok((landed, kept))
    }

    /// How a refused row is kept: a document as it is, the columns of other files as one.
    pub(super) fn row_text(&self) -> RowText {
        match self.events.input {
            EventInput::Ndjson => RowText::Text(raw(VALUE)),
            _ => RowText::Json(self.files_columns().map(|name| (name.to_owned(), raw(name))).collect()),
        }
    }

    /// Where the value that came from a file stands to the end, if there is one.
    pub(super) fn kept(&self, name: &str) -> Option<String> {
        if self.files_columns().any(|c| c == name) {
            return Some(raw(name));
        }
        ALWAYS.contains(&name).then(|| name.to_owned())
    }

    /// The columns that came from the files.
    fn files_columns(&self) -> impl Iterator<Item = &str> {
        self.schema.iter_names().map(|name| name.as_str()).filter(|name| !is_added_by_bronze(name))
    }

    /// The columns that are cast or that expressions read.
    fn wanted(&self) -> BTreeSet<String> {
        let mut wanted = BTreeSet::new();
        for read in &self.events.columns {
            match &read.expr {
                Some(expr) => wanted.extend(expr.columns()),
                None if self.events.input == EventInput::Ndjson => {}
                None => _ = wanted.insert(read.name.clone()),
            }
        }
        if self.events.input == EventInput::Ndjson {
            wanted.insert(VALUE.to_owned());
        }
        wanted
    }

    /// A column under its own name; one that no file had yet is NULL.
    fn take(&self, name: &str) -> pl::Expr {
        let is_text = self.events.input != EventInput::Parquet;
        if self.schema.get(name).is_none() {
            return lit(Scalar::null(if is_text { DataType::String } else { DataType::Null })).alias(name);
        }
        match self.events.input {
            EventInput::Csv if !is_added_by_bronze(name) => {
                let null_values = self.events.null_values.get(self.source).map_or(&[][..], Vec::as_slice);
                nulls::without(column(name), null_values)
            }
            _ => column(name),
        }
    }
}

/// A bronze column under a name that nothing overwrites.
fn raw(name: &str) -> String {
    format!("(raw {name})")
}
