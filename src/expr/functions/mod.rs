//! The table of scalar functions: what each takes and gives, and how Polars carries it out.

mod number;
mod pattern;
mod text;
mod time;

use std::fmt;

use polars::prelude as pl;
use serde::{Serialize, Serializer};

use super::tree::{Expr, Literal};
use super::types::Type;

/// What an argument must be.
#[derive(Clone, Copy, Debug)]
pub(super) enum Parameter {
    /// a string
    Text,
    /// an integer, taken as bigint
    Integer,
    /// a number, taken as it is
    Number,
    /// a number, taken as double
    Double,
    /// a date or a timestamp, taken as it is
    Time,
    /// a timestamp; a date is taken as its midnight
    Timestamp,
    /// a string literal that the function accepts
    Constant(fn(&str) -> Result<(), String>),
    /// an integer literal
    Places,
}

/// One row of the table.
pub(super) struct Definition {
    pub(super) name: &'static str,
    /// as documented, e.g. `substring(text, start[, length])`
    pub(super) usage: &'static str,
    pub(super) parameters: &'static [Parameter],
    /// how many of them must be there
    pub(super) required: usize,
    /// the type of the result; an error says why the arguments do not do
    pub(super) result: fn(&[Expr]) -> Result<Type, String>,
    pub(super) lower: fn(Call) -> pl::Expr,
    /// why the result can be null though no argument is; `None`: it cannot, or that null is its meaning
    pub(super) fault: Option<&'static str>,
}

/// A call that is being lowered.
pub(super) struct Call<'a> {
    /// the arguments, typed
    pub(super) arguments: &'a [Expr],
    /// the arguments, lowered
    pub(super) inputs: Vec<pl::Expr>,
    /// the type of the result
    pub(super) ty: &'a Type,
}

impl Call<'_> {
    /// The argument, if it is there.
    fn input(&self, at: usize) -> Option<pl::Expr> {
        self.inputs.get(at).cloned()
    }

    /// The argument, or a text.
    fn text_or(&self, at: usize, default: &str) -> pl::Expr {
        self.input(at).unwrap_or_else(|| Expr::text(default).lower().value)
    }

    /// The argument, or an integer.
    fn integer_or(&self, at: usize, default: i64) -> pl::Expr {
        self.input(at).unwrap_or_else(|| Expr::integer(default).lower().value)
    }

    /// A string literal.
    fn constant(&self, at: usize) -> Option<&str> {
        match self.arguments.get(at).and_then(Expr::literal) {
            Some(Literal::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// The first two arguments.
    fn two(&self) -> (pl::Expr, pl::Expr) {
        (self.text_or(0, ""), self.text_or(1, ""))
    }

    fn first(&self) -> pl::Expr {
        self.text_or(0, "")
    }
}

/// A function of the table.
#[derive(Clone, Copy)]
pub(super) struct Function(&'static Definition);

impl Function {
    /// The function of that name, in lower case.
    pub(super) fn find(name: &str) -> Option<Self> {
        all().find(|definition| definition.name == name).map(Function)
    }

    pub(super) fn definition(&self) -> &'static Definition {
        self.0
    }

    pub(super) fn fault(&self) -> Option<&'static str> {
        self.0.fault
    }

    pub(super) fn lower(&self, arguments: &[Expr], inputs: Vec<pl::Expr>, ty: &Type) -> pl::Expr {
        (self.0.lower)(Call { arguments, inputs, ty })
    }
}

impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        self.0.name == other.0.name
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name)
    }
}

impl Serialize for Function {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.name)
    }
}

/// Every function, family by family.
pub(super) fn all() -> impl Iterator<Item = &'static Definition> {
    text::FUNCTIONS.iter().chain(pattern::FUNCTIONS).chain(number::FUNCTIONS).chain(time::FUNCTIONS)
}

fn boolean(_: &[Expr]) -> Result<Type, String> {
    Ok(Type::Boolean)
}

fn string(_: &[Expr]) -> Result<Type, String> {
    Ok(Type::String)
}

fn int(_: &[Expr]) -> Result<Type, String> {
    Ok(Type::Int)
}

fn double(_: &[Expr]) -> Result<Type, String> {
    Ok(Type::Double)
}
