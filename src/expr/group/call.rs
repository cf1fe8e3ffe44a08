//! Calls of aggregate functions: the table, and the types.

use serde::Serialize;

use super::super::tree::{Expr, Node};
use super::super::types::Type;

/// An aggregate function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::expr) enum Function {
    /// `count(*)`
    Rows,
    Count,
    CountDistinct,
    Sum,
    Min,
    Max,
    Avg,
    Median,
    Stddev,
    BoolAnd,
    BoolOr,
    /// also `last`, which is the first of the opposite order
    First,
}

/// The names that users write.
pub(in crate::expr) const AGGREGATES: &[&str] =
    &["count", "sum", "min", "max", "avg", "median", "stddev", "bool_and", "bool_or", "first", "last"];

/// One call. Without an argument it counts rows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(in crate::expr) struct Call {
    pub(in crate::expr) function: Function,
    pub(in crate::expr) argument: Option<Expr>,
    /// of `first`
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::expr) order: Vec<Order>,
    /// `last`: ties too are broken from the other end
    pub(in crate::expr) last: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::expr) filter: Option<Expr>,
}

/// One expression of `by`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(in crate::expr) struct Order {
    pub(in crate::expr) by: Expr,
    pub(in crate::expr) descending: bool,
    pub(in crate::expr) nulls_first: bool,
}

impl Function {
    /// The function of that name with one argument.
    pub(in crate::expr) fn find(name: &str, distinct: bool) -> Option<Self> {
        Some(match (name, distinct) {
            ("count", true) => Function::CountDistinct,
            (_, true) => return None,
            ("count", _) => Function::Count,
            ("sum", _) => Function::Sum,
            ("min", _) => Function::Min,
            ("max", _) => Function::Max,
            ("avg", _) => Function::Avg,
            ("median", _) => Function::Median,
            ("stddev", _) => Function::Stddev,
            ("bool_and", _) => Function::BoolAnd,
            ("bool_or", _) => Function::BoolOr,
            ("first" | "last", _) => Function::First,
            _ => return None,
        })
    }

    /// The argument as it wants it, and the type of the result.
    pub(in crate::expr) fn fit(self, e: Expr) -> Result<(Expr, Type), String> {
        let e = match (self, &e.ty) {
            (Function::BoolAnd | Function::BoolOr, Type::Null) => e.implied(&Type::Boolean),
            (_, Type::Null) => e.implied(&Type::Int),
            _ => e,
        };
        let ty = match self {
            Function::Rows | Function::Count => Type::BigInt,
            Function::CountDistinct => comparable(&e.ty).map(|()| Type::BigInt)?,
            Function::Sum => sum(&e.ty)?,
            Function::Avg => average(&e.ty)?,
            Function::Median => median(&e.ty)?,
            Function::Stddev => number(&e.ty).map(|()| Type::Double)?,
            Function::Min | Function::Max => comparable(&e.ty).map(|()| e.ty.clone())?,
            Function::First => e.ty.clone(),
            Function::BoolAnd | Function::BoolOr if e.ty == Type::Boolean => Type::Boolean,
            Function::BoolAnd | Function::BoolOr => return Err(format!("{} where true or false is expected", e.ty)),
        };
        let wide = e.ty == Type::Float && !matches!(self, Function::Min | Function::Max | Function::First);
        let e = if self == Function::Stddev || wide { e.implied(&Type::Double) } else { e };
        Ok((e, ty))
    }
}

fn number(ty: &Type) -> Result<(), String> {
    if ty.is_numeric() { Ok(()) } else { Err(format!("{ty} where a number is expected")) }
}

fn comparable(ty: &Type) -> Result<(), String> {
    match ty {
        Type::Binary | Type::Array(_) | Type::Struct(_) => Err(format!("{ty} cannot be compared")),
        _ => Ok(()),
    }
}

fn sum(ty: &Type) -> Result<Type, String> {
    number(ty)?;
    Ok(match ty {
        Type::Decimal { scale, .. } => Type::Decimal { precision: 38, scale: *scale },
        ty if ty.is_integer() => Type::BigInt,
        _ => Type::Double,
    })
}

fn average(ty: &Type) -> Result<Type, String> {
    number(ty)?;
    Ok(match ty {
        Type::Decimal { scale, .. } => Type::Decimal { precision: 38, scale: (scale + 6).min(37).max(*scale) },
        _ => Type::Double,
    })
}

/// The middle between two decimals has one place more.
fn median(ty: &Type) -> Result<Type, String> {
    number(ty)?;
    match ty {
        Type::Decimal { scale: 38, .. } => Err("a median of 38 places would have 39; CAST it to fewer".to_owned()),
        Type::Decimal { scale, .. } => Ok(Type::Decimal { precision: 38, scale: scale + 1 }),
        _ => Ok(Type::Double),
    }
}

impl Call {
    /// The call as part of an expression.
    pub(in crate::expr) fn into_expr(self, ty: Type) -> Expr {
        Expr::new(ty, Node::Aggregate(Box::new(self)))
    }

    /// The expressions directly within it.
    pub(in crate::expr) fn parts(&self) -> Vec<&Expr> {
        self.argument.iter().chain(self.order.iter().map(|order| &order.by)).chain(&self.filter).collect()
    }

    /// The column that holds its result while a frame is grouped: equal calls share it. No column of a table has such a
    /// name, since Delta allows no blanks and parentheses in one.
    pub(in crate::expr) fn column(&self) -> String {
        format!("({self:?})")
    }
}
