//! SQL scalar expressions: text -> typed tree -> Polars expressions. One meaning, whatever carries it out.

mod calendar;
mod check;
mod coerce;
mod decimal;
mod dialect;
mod functions;
mod group;
mod json;
mod kernel;
mod lower;
#[cfg(test)]
mod tests;
mod tree;
mod types;

use std::collections::BTreeSet;

pub use group::{Addable, Aggregate, exact_cells, exact_column, group};
use polars::prelude as pl;
pub use tree::Expr;
use tree::Node;
pub use types::{Column, Columns, Type};

/// What the text of an expression does not say itself.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// the zone of timestamps written without one
    pub timezone: chrono_tz::Tz,
}

/// What is wrong with the text of an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExprError {
    /// what is wrong; names in backquotes
    pub message: String,
    /// 0-based, in characters of the text
    pub offset: usize,
    /// what to do
    pub hint: Option<String>,
}

/// An expression as Polars carries it out. No row can make it fail: a value that cannot be had is null, and `fault`
/// says why.
#[derive(Clone, Debug)]
pub struct Lowered {
    /// has the expression's type
    pub value: pl::Expr,
    /// String: null where the value is right, else the reason, e.g. `overflow`; `None`: no row can fail
    pub fault: Option<pl::Expr>,
}

/// Reads a scalar expression over `columns`.
///
/// # Errors
/// The first thing that is wrong with it: syntax, unknown name, types that do not fit, a function that never repeats.
pub fn scalar(sql: &str, columns: &Columns, settings: Settings) -> Result<Expr, ExprError> {
    check::Checker::scalar(sql, columns, settings).check(&dialect::parse(sql)?)
}

/// Reads an expression in which every column stands within an aggregate function.
///
/// # Errors
/// As [`scalar`].
pub fn aggregate(sql: &str, columns: &Columns, settings: Settings) -> Result<Aggregate, ExprError> {
    let expr = check::Checker::aggregate(sql, columns, settings).check(&dialect::parse(sql)?)?;
    Ok(Aggregate { expr })
}

impl Expr {
    /// A bare column.
    pub fn column(name: &str, ty: Type) -> Self {
        Expr::new(ty, Node::Column(name.to_owned()))
    }

    /// The type of its values.
    pub fn ty(&self) -> &Type {
        &self.ty
    }

    /// The same value as another type, checked: what does not fit is a fault. `CAST` means this. The settings are for
    /// text without a zone that becomes a timestamp.
    ///
    /// # Errors
    /// There is no cast between the two types.
    pub fn cast(self, to: &Type, settings: Settings) -> Result<Self, String> {
        self.cast_to(to, false, settings.timezone)
    }

    /// The columns that it reads.
    pub fn columns(&self) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        self.collect_columns(&mut names);
        names
    }
}
