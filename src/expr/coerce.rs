//! Which types meet, and the implicit casts that bring them together.

use super::decimal::{self, MAX_PRECISION};
use super::tree::{Cast, Expr, Literal, Node, Zone};
use super::types::Type;

/// The digits that an integer type can have.
fn integer_digits(ty: &Type) -> Option<u8> {
    Some(match ty {
        Type::TinyInt => 3,
        Type::SmallInt => 5,
        Type::Int => 10,
        Type::BigInt => 19,
        _ => return None,
    })
}

/// Precision and scale of an exact number; an integer literal has the digits that it has.
pub(super) fn exact(e: &Expr) -> Option<(u8, u8)> {
    if let Some(Literal::Integer(value)) = e.literal() {
        let digits = value.unsigned_abs().checked_ilog10().map_or(1, |log| log + 1);
        return Some((u8::try_from(digits).ok()?, 0));
    }
    match &e.ty {
        Type::Decimal { precision, scale } => Some((*precision, *scale)),
        ty => integer_digits(ty).map(|digits| (digits, 0)),
    }
}

/// The wider of two integer types.
pub(super) fn wider(a: &Type, b: &Type) -> Type {
    if integer_digits(a) >= integer_digits(b) { a.clone() } else { b.clone() }
}

/// The type that holds the values of all of them, as CASE, COALESCE, IN and comparisons want it.
pub(super) fn common(exprs: &[&Expr]) -> Option<Type> {
    let known: Vec<&Expr> = exprs.iter().copied().filter(|e| e.ty != Type::Null).collect();
    let Some(first) = known.first() else { return Some(Type::Null) };
    if known.iter().all(|e| e.ty == first.ty) {
        return Some(first.ty.clone());
    }
    if known.iter().all(|e| e.ty.is_integer()) {
        return Some(known.iter().fold(first.ty.clone(), |ty, e| wider(&ty, &e.ty)));
    }
    if known.iter().all(|e| e.ty.is_numeric()) {
        if known.iter().any(|e| e.ty.is_floating()) {
            return Some(Type::Double);
        }
        return Some(common_decimal(&known));
    }
    known.iter().all(|e| matches!(e.ty, Type::Date | Type::Timestamp)).then_some(Type::Timestamp)
}

/// All digits before the point and all after it; beyond 38 those before the point give way, checked.
fn common_decimal(exprs: &[&Expr]) -> Type {
    let (mut whole, mut scale) = (0, 0);
    for (p, s) in exprs.iter().filter_map(|e| exact(e)) {
        whole = whole.max(p - s);
        scale = scale.max(s);
    }
    Type::Decimal { precision: (whole + scale).clamp(1, MAX_PRECISION), scale }
}

/// Whether the first type has a cast to the second. Whether a value has one is seen row by row.
pub(super) fn castable(from: &Type, to: &Type) -> bool {
    match (from, to) {
        _ if from == to => true,
        (Type::Null, _) => true,
        (_, Type::Null | Type::Binary | Type::Array(_) | Type::Struct(_)) => false,
        (Type::String, _) => true,
        (Type::Binary | Type::Array(_) | Type::Struct(_), _) => false,
        (_, Type::String) => true,
        (Type::Date, Type::Timestamp) | (Type::Timestamp, Type::Date) => true,
        (Type::Boolean, to) => to.is_integer(),
        (from, Type::Boolean) => from.is_integer(),
        (from, to) => from.is_numeric() && to.is_numeric(),
    }
}

impl Expr {
    /// A cast, or the expression itself if there is nothing to do.
    pub(super) fn cast_to(self, to: &Type, null_on_failure: bool, timezone: chrono_tz::Tz) -> Result<Self, String> {
        if !castable(&self.ty, to) {
            return Err(format!("there is no cast from {} to {to}", self.ty));
        }
        // a cast of a double to double makes 0.0 of -0.0
        if self.ty == *to && !to.is_floating() {
            return Ok(self);
        }
        if self.is_null_literal() {
            return Ok(Expr::new(to.clone(), Node::Literal(Literal::Null)));
        }
        let timezone = (self.ty == Type::String && *to == Type::Timestamp).then_some(Zone(timezone));
        Ok(Expr::new(to.clone(), Node::Cast(Cast { input: self, null_on_failure, timezone })))
    }

    /// The cast that an operator implies, where [`common`] or a function's parameter says that it fits.
    pub(super) fn implied(self, to: &Type) -> Self {
        if self.ty == *to {
            return self;
        }
        if self.is_null_literal() {
            return Expr::new(to.clone(), Node::Literal(Literal::Null));
        }
        if let Some(literal) = self.literal().and_then(|literal| retyped(literal, &self.ty, to)) {
            return Expr::new(to.clone(), Node::Literal(literal));
        }
        Expr::new(to.clone(), Node::Cast(Cast { input: self, null_on_failure: false, timezone: None }))
    }
}

/// The same number as a literal of another type, if it fits.
fn retyped(literal: &Literal, from: &Type, to: &Type) -> Option<Literal> {
    let (value, scale) = match (literal, from) {
        (Literal::Integer(value), _) => (i128::from(*value), 0),
        (Literal::Decimal(value), Type::Decimal { scale, .. }) => (*value, *scale),
        _ => return None,
    };
    match to {
        Type::Decimal { precision, scale: places } => decimal::rescale(value, scale, *places)
            .filter(|value| decimal::fits(*value, *precision))
            .map(Literal::Decimal),
        Type::Double => Some(Literal::Double(decimal::to_double(value, scale))),
        to if to.is_integer() && scale == 0 => {
            let digits = u32::from(integer_digits(to)?);
            // the operators only ever widen integers
            (value.unsigned_abs() < 10u128.pow(digits))
                .then(|| i64::try_from(value).ok())
                .flatten()
                .map(Literal::Integer)
        }
        _ => None,
    }
}
