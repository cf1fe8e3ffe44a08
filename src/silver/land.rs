//! What is taken from a bronze table.

use std::collections::BTreeMap;

use polars::prelude::{self as pl, PolarsResult, Scalar, Schema, lit};

use crate::expr::{Settings, Type};
use crate::name::TableName;
use crate::project::{EventInput, Events};

use super::cast::{checked, invalid};
use super::columns::{BATCH, MALFORMED, SOURCE_FILE, SOURCE_ROW, SOURCE_TABLE, column, is_added_by_bronze};
use super::flow::{Finding, Mark};
use super::nulls;
use super::reason::TYPE;
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
        for (name, ty) in self.wanted() {
            if !ALWAYS.contains(&name.as_str()) {
                landed.push(self.take(&name, &ty)?);
            }
        }
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

    /// The columns that are cast or that expressions read, and as which type.
    fn wanted(&self) -> BTreeMap<String, Type> {
        let mut wanted = BTreeMap::new();
        for read in &self.events.columns {
            match (&read.expr, self.events.input) {
                (Some(expr), _) => wanted.extend(expr.inputs()),
                (None, EventInput::Csv) => _ = wanted.insert(read.name.clone(), Type::String),
                (None, EventInput::Ndjson | EventInput::Parquet) => {}
            }
        }
        if self.events.input == EventInput::Ndjson {
            wanted.insert(VALUE.to_owned(), Type::String);
        }
        wanted
    }

    /// A column under its own name; one that no file had yet is NULL.
    fn take(&self, name: &str, ty: &Type) -> PolarsResult<pl::Expr> {
        let Some(from) = self.type_of(name)? else {
            return Ok(lit(Scalar::null(ty.to_polars())).alias(name));
        };
        if self.events.input == EventInput::Csv && !is_added_by_bronze(name) {
            let null_values = self.events.null_values.get(self.source).map_or(&[][..], Vec::as_slice);
            return Ok(nulls::without(column(name), null_values));
        }
        if from == *ty {
            return Ok(column(name));
        }
        Ok(checked(name, &from, ty, self.settings)?.value.alias(name))
    }

    /// The type of one of bronze's columns; `None`: there is no such column.
    pub(super) fn type_of(&self, name: &str) -> PolarsResult<Option<Type>> {
        let Some(dtype) = self.schema.get(name) else { return Ok(None) };
        let ty = Type::from_polars(dtype);
        Ok(Some(ty.ok_or_else(|| invalid(format!("`{name}`: no table can hold a {dtype}")))?))
    }

    /// Expressions take a column for what the files say that are there when the project is read; the table may be wider
    /// by files that came before. Values that are beyond that are found here.
    pub(super) fn misread(&self) -> PolarsResult<Vec<Finding>> {
        let mut findings = Vec::new();
        for (name, ty) in self.wanted() {
            let (Some(from), Some(kept)) = (self.type_of(&name)?, self.kept(&name)) else { continue };
            if from != ty {
                let fault = checked(&kept, &from, &ty, self.settings)?.fault;
                let mark = fault.map(|fault| Mark::Broken(TYPE, fault.is_not_null()));
                let shown = vec![(name.clone(), kept)];
                findings.extend(mark.map(|mark| Finding { column: Some(name), mark, shown }));
            }
        }
        Ok(findings)
    }
}

/// A bronze column under a name that nothing overwrites.
fn raw(name: &str) -> String {
    format!("(raw {name})")
}
