//! The typed tree that text becomes and that Polars expressions are made of. Its serialized form is what a definition's
//! hash is made of, so every name in it stays as it is.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Serialize, Serializer};

use super::functions::Function;
use super::group::Call;
use super::types::Type;

/// A typed scalar expression.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Expr {
    pub(super) ty: Type,
    pub(super) node: Box<Node>,
}

/// What an expression is, its parts typed.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Node {
    Column(String),
    Literal(Literal),
    /// a member of a struct
    Field(Expr, String),
    Cast(Cast),
    Arithmetic(Operator, Expr, Expr),
    Compare(Comparison, Expr, Expr),
    And(Expr, Expr),
    Or(Expr, Expr),
    Not(Expr),
    IsNull(Expr),
    /// the value, and what it may be
    In(Expr, Vec<Expr>),
    Case(Vec<(Expr, Expr)>, Option<Expr>),
    Coalesce(Vec<Expr>),
    Greatest(Vec<Expr>),
    Least(Vec<Expr>),
    Call(Function, Vec<Expr>),
    /// only within an aggregate expression
    Aggregate(Box<Call>),
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Literal {
    Null,
    Boolean(bool),
    Integer(i64),
    /// without its scale, which the type has
    Decimal(#[serde(serialize_with = "as_text")] i128),
    Double(f64),
    Text(String),
    /// days since 1970-01-01
    Date(i64),
    /// microseconds since then
    Timestamp(i64),
}

fn as_text<S: Serializer>(value: &i128, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Cast {
    pub(super) input: Expr,
    /// `TRY_CAST`: NULL instead of a fault
    pub(super) null_on_failure: bool,
    /// of text without a zone; only where it matters
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) timezone: Option<Zone>,
}

/// An IANA time zone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Zone(pub(super) chrono_tz::Tz);

impl Serialize for Zone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.name())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    /// `div`
    Quotient,
    Remainder,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    DistinctFrom,
    NotDistinctFrom,
}

impl Expr {
    pub(super) fn new(ty: Type, node: Node) -> Self {
        Expr { ty, node: Box::new(node) }
    }

    pub(super) fn null() -> Self {
        Expr::new(Type::Null, Node::Literal(Literal::Null))
    }

    pub(super) fn boolean(node: Node) -> Self {
        Expr::new(Type::Boolean, node)
    }

    pub(super) fn text(value: &str) -> Self {
        Expr::new(Type::String, Node::Literal(Literal::Text(value.to_owned())))
    }

    pub(super) fn integer(value: i64) -> Self {
        let ty = if i32::try_from(value).is_ok() { Type::Int } else { Type::BigInt };
        Expr::new(ty, Node::Literal(Literal::Integer(value)))
    }

    /// The literal that it is, if it is one.
    pub(super) fn literal(&self) -> Option<&Literal> {
        match self.node.as_ref() {
            Node::Literal(literal) => Some(literal),
            _ => None,
        }
    }

    pub(super) fn is_null_literal(&self) -> bool {
        matches!(self.literal(), Some(Literal::Null))
    }

    /// The expressions directly within it.
    pub(super) fn parts(&self) -> Vec<&Expr> {
        match self.node.as_ref() {
            Node::Column(_) | Node::Literal(_) => Vec::new(),
            Node::Field(e, _) | Node::Not(e) | Node::IsNull(e) => vec![e],
            Node::Cast(cast) => vec![&cast.input],
            Node::Arithmetic(_, a, b) | Node::Compare(_, a, b) | Node::And(a, b) | Node::Or(a, b) => vec![a, b],
            Node::In(e, list) => std::iter::once(e).chain(list).collect(),
            Node::Case(branches, otherwise) => branches.iter().flat_map(|(c, v)| [c, v]).chain(otherwise).collect(),
            Node::Aggregate(call) => call.parts(),
            Node::Coalesce(list) | Node::Greatest(list) | Node::Least(list) | Node::Call(_, list) => {
                list.iter().collect()
            }
        }
    }

    /// The columns that it reads, with the type that it takes each for.
    pub fn inputs(&self) -> BTreeMap<String, Type> {
        let mut inputs: BTreeMap<String, Type> = self.parts().into_iter().flat_map(Expr::inputs).collect();
        if let Node::Column(name) = self.node.as_ref() {
            inputs.insert(name.clone(), self.ty.clone());
        }
        inputs
    }

    /// The one column that it reads, if it never decreases while that column grows, and is NULL where that is: the
    /// column itself, the start of its day, month or year in UTC, its date.
    pub fn grows_with(&self) -> Option<&str> {
        match self.node.as_ref() {
            Node::Column(name) => Some(name),
            Node::Cast(Cast { input, .. }) => match (&input.ty, &self.ty) {
                (Type::Date, Type::Timestamp) | (Type::Timestamp, Type::Date) => input.grows_with(),
                (from, to) if from.is_integer() && to.is_integer() => input.grows_with(),
                _ => None,
            },
            // in a zone whose clocks go back over midnight, a day may begin twice
            Node::Call(function, arguments) => match (function.definition().name, arguments.as_slice()) {
                ("date_trunc", [_, x]) => x.grows_with(),
                ("date_part", [part, x]) if *part == Expr::text("year") => x.grows_with(),
                _ => None,
            },
            _ => None,
        }
    }

    pub(super) fn collect_columns(&self, names: &mut BTreeSet<String>) {
        if let Node::Column(name) = self.node.as_ref() {
            names.insert(name.clone());
        }
        for part in self.parts() {
            part.collect_columns(names);
        }
    }
}
