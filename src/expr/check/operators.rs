//! Operators: arithmetic, comparisons, logic, casts.

use sqlparser::ast::{self, BinaryOperator, CastKind, UnaryOperator, Value, ValueWithSpan};
use sqlparser::tokenizer::Span;

use super::{Checked, Checker, cast_hint, start};
use crate::expr::coerce::{common, exact, wider};
use crate::expr::decimal::MAX_PRECISION;
use crate::expr::functions::Function;
use crate::expr::tree::{Comparison, Expr, Node, Operator};
use crate::expr::types::Type;

impl Checker<'_> {
    pub(super) fn unary(&self, op: UnaryOperator, e: &ast::Expr, span: Span) -> Checked {
        match (op, e) {
            (UnaryOperator::Not, e) => Ok(super::not(self.boolean(e)?)),
            (UnaryOperator::Minus, ast::Expr::Value(ValueWithSpan { value: Value::Number(text, false), span })) => {
                self.number(&format!("-{text}"), *span)
            }
            (UnaryOperator::Minus, e) => {
                let checked = self.check(e)?;
                let ty = checked.ty.clone();
                let negated = self.arithmetic(Operator::Subtract, Expr::integer(0), checked, start(e))?;
                // no more digits than before
                Ok(if matches!(ty, Type::Decimal { .. }) { Expr { ty, ..negated } } else { negated })
            }
            (UnaryOperator::Plus, e) => {
                let checked = self.check(e)?;
                if checked.ty.is_numeric() || checked.ty == Type::Null {
                    return Ok(checked);
                }
                Err(self.error(span, format!("`+` of {}", checked.ty), None))
            }
            _ => Err(self.error(span, format!("the operator `{op}` is not known"), None)),
        }
    }

    pub(super) fn binary(&self, left: &ast::Expr, op: &BinaryOperator, right: &ast::Expr) -> Checked {
        use BinaryOperator as B;
        let arithmetic = |operator| self.arithmetic(operator, self.check(left)?, self.check(right)?, start(left));
        match op {
            B::Plus => arithmetic(Operator::Add),
            B::Minus => arithmetic(Operator::Subtract),
            B::Multiply => arithmetic(Operator::Multiply),
            B::Divide => arithmetic(Operator::Divide),
            B::MyIntegerDivide => arithmetic(Operator::Quotient),
            B::Modulo => arithmetic(Operator::Remainder),
            B::Eq => self.compare(Comparison::Equal, left, right),
            B::NotEq => self.compare(Comparison::NotEqual, left, right),
            B::Lt => self.compare(Comparison::Less, left, right),
            B::LtEq => self.compare(Comparison::LessOrEqual, left, right),
            B::Gt => self.compare(Comparison::Greater, left, right),
            B::GtEq => self.compare(Comparison::GreaterOrEqual, left, right),
            B::And => self.chain(left, op, right, &|checker, e| checker.boolean(e), &|_, a, b| {
                Ok(Expr::boolean(Node::And(a, b)))
            }),
            B::Or => self
                .chain(left, op, right, &|checker, e| checker.boolean(e), &|_, a, b| Ok(Expr::boolean(Node::Or(a, b)))),
            B::StringConcat => self.chain(left, op, right, &|checker, e| checker.text(e), &|checker, a, b| {
                checker.call("||", vec![a, b], start(left))
            }),
            _ => Err(self.error(start(left), format!("the operator `{op}` is not known"), None)),
        }
    }

    fn arithmetic(&self, operator: Operator, a: Expr, b: Expr, span: Span) -> Checked {
        for e in [&a, &b] {
            if !e.ty.is_numeric() && e.ty != Type::Null {
                let hint = match e.ty {
                    Type::String => Some("CAST the text to a number first; `||` joins texts".to_owned()),
                    Type::Date | Type::Timestamp => {
                        Some("`date_add('day', n, x)` and `date_diff('day', x, y)` reckon with time".to_owned())
                    }
                    _ => None,
                };
                return Err(self.error(span, format!("{} in arithmetic", e.ty), hint));
            }
        }
        let (a, b) = match (a.ty == Type::Null, b.ty == Type::Null) {
            (true, true) => (a.implied(&Type::Int), b.implied(&Type::Int)),
            (true, false) => (a.implied(&b.ty), b),
            (false, true) => {
                let b = b.implied(&a.ty);
                (a, b)
            }
            (false, false) => (a, b),
        };
        if a.ty.is_floating() || b.ty.is_floating() {
            return self.double_arithmetic(operator, a, b, span);
        }
        if a.ty.is_integer() && b.ty.is_integer() {
            return self.integer_arithmetic(operator, a, b, span);
        }
        self.decimal_arithmetic(operator, a, b, span)
    }

    fn double_arithmetic(&self, operator: Operator, a: Expr, b: Expr, span: Span) -> Checked {
        if operator == Operator::Quotient {
            let hint = Some("`floor(a / b)` takes doubles".to_owned());
            return Err(self.error(span, "`div` of a double".to_owned(), hint));
        }
        let (a, b) = (a.implied(&Type::Double), b.implied(&Type::Double));
        Ok(Expr::new(Type::Double, Node::Arithmetic(operator, a, b)))
    }

    fn integer_arithmetic(&self, operator: Operator, a: Expr, b: Expr, span: Span) -> Checked {
        let ty = match operator {
            Operator::Divide => return self.double_arithmetic(operator, a, b, span),
            Operator::Quotient => Type::BigInt,
            _ => wider(&a.ty, &b.ty),
        };
        let (a, b) = (a.implied(&ty), b.implied(&ty));
        Ok(Expr::new(ty, Node::Arithmetic(operator, a, b)))
    }

    fn decimal_arithmetic(&self, operator: Operator, a: Expr, b: Expr, span: Span) -> Checked {
        let (Some((p1, s1)), Some((p2, s2))) = (exact(&a), exact(&b)) else {
            return Err(self.error(span, format!("arithmetic of {} and {}", a.ty, b.ty), None));
        };
        let Some(ty) = decimal_result(operator, (p1, s1), (p2, s2)) else {
            let message = format!("the product of {} and {} has more than 38 places", a.ty, b.ty);
            return Err(self.error(span, message, Some("CAST one of them to fewer places".to_owned())));
        };
        let a = a.implied(&Type::Decimal { precision: p1, scale: s1 });
        let b = b.implied(&Type::Decimal { precision: p2, scale: s2 });
        Ok(Expr::new(ty, Node::Arithmetic(operator, a, b)))
    }

    pub(super) fn compare(&self, comparison: Comparison, left: &ast::Expr, right: &ast::Expr) -> Checked {
        let (a, b) = (self.check(left)?, self.check(right)?);
        self.compared(comparison, a, b, start(left))
    }

    fn compared(&self, comparison: Comparison, a: Expr, b: Expr, span: Span) -> Checked {
        let Some(mut ty) = common(&[&a, &b]) else {
            let message = format!("{} compared with {}", a.ty, b.ty);
            return Err(self.error(span, message, Some(cast_hint(&[a, b]))));
        };
        if matches!(ty, Type::Array(_) | Type::Struct(_) | Type::Binary) {
            return Err(self.error(span, format!("{ty} cannot be compared"), None));
        }
        if ty == Type::Null {
            ty = Type::Boolean;
        }
        // a literal takes the column's type where it can, so that Polars compares and reads less of a file
        let (a, b) = if matches!(ty, Type::Decimal { .. }) { like_the_other(a, b) } else { (a, b) };
        let distinct = matches!(comparison, Comparison::DistinctFrom | Comparison::NotDistinctFrom);
        // decimals are compared exactly as they are: no type need hold the digits of both
        let side = |e: Expr| match (&ty, exact(&e)) {
            (Type::Decimal { .. }, Some((precision, scale))) if !distinct => {
                e.implied(&Type::Decimal { precision, scale })
            }
            _ => e.implied(&ty),
        };
        Ok(Expr::boolean(Node::Compare(comparison, side(a), side(b))))
    }

    pub(super) fn between(&self, e: &ast::Expr, low: &ast::Expr, high: &ast::Expr) -> Checked {
        let above = self.compare(Comparison::GreaterOrEqual, e, low)?;
        let below = self.compare(Comparison::LessOrEqual, e, high)?;
        Ok(Expr::boolean(Node::And(above, below)))
    }

    pub(super) fn in_list(&self, e: &ast::Expr, list: &[ast::Expr]) -> Checked {
        let mut exprs = vec![self.check(e)?];
        for item in list {
            exprs.push(self.check(item)?);
        }
        let (mut exprs, ty) = self.unify(exprs, start(e), "IN")?;
        if matches!(ty, Type::Array(_) | Type::Struct(_) | Type::Binary) {
            return Err(self.error(start(e), format!("{ty} cannot be compared"), None));
        }
        let list = exprs.split_off(1);
        match exprs.pop() {
            Some(e) if !list.is_empty() => Ok(Expr::boolean(Node::In(e, list))),
            _ => Err(self.error(start(e), "IN of no values".to_owned(), None)),
        }
    }

    pub(super) fn like(
        &self,
        name: &'static str,
        e: &ast::Expr,
        pattern: &ast::Expr,
        escape: Option<&ValueWithSpan>,
    ) -> Checked {
        let mut arguments = vec![self.text(e)?, self.text(pattern)?];
        if let Some(escape) = escape {
            arguments.push(self.literal(&escape.value, escape.span)?);
        }
        self.call(name, arguments, start(pattern))
    }

    /// `a AND b AND c AND …`: the order of pairing means nothing, so halves keep the tree flat.
    fn chain(
        &self,
        left: &ast::Expr,
        op: &BinaryOperator,
        right: &ast::Expr,
        operand: &dyn Fn(&Self, &ast::Expr) -> Checked,
        join: &dyn Fn(&Self, Expr, Expr) -> Checked,
    ) -> Checked {
        let mut operands = vec![operand(self, right)?];
        let mut rest = left;
        while let ast::Expr::BinaryOp { left, op: other, right } = rest
            && other == op
        {
            operands.push(operand(self, right)?);
            rest = left;
        }
        operands.push(operand(self, rest)?);
        operands.reverse();
        while operands.len() > 1 {
            let mut pairs = Vec::with_capacity(operands.len().div_ceil(2));
            let mut singles = operands.into_iter();
            while let Some(a) = singles.next() {
                pairs.push(match singles.next() {
                    Some(b) => join(self, a, b)?,
                    None => a,
                });
            }
            operands = pairs;
        }
        operands.pop().ok_or_else(|| self.error(start(left), "an operand is missing".to_owned(), None))
    }

    /// Text, and nothing that would have to be made text of.
    fn text(&self, e: &ast::Expr) -> Checked {
        let checked = self.check(e)?;
        match checked.ty {
            Type::String | Type::Null => Ok(checked.implied(&Type::String)),
            ty => {
                let hint = Some("`CAST(… AS string)` makes text of it".to_owned());
                Err(self.error(start(e), format!("{ty} where text is expected"), hint))
            }
        }
    }

    /// A call that an operator means.
    pub(super) fn call(&self, name: &str, arguments: Vec<Expr>, span: Span) -> Checked {
        match Function::find(name) {
            Some(function) => self.resolve(function, arguments, span),
            None => Err(self.error(span, format!("unknown function `{name}`"), None)),
        }
    }

    pub(super) fn cast(&self, kind: &CastKind, e: &ast::Expr, to: &ast::DataType) -> Checked {
        let input = self.check(e)?;
        let to = self.data_type(to, start(e))?;
        let null_on_failure = matches!(kind, CastKind::TryCast | CastKind::SafeCast);
        input
            .cast_to(&to, null_on_failure, self.settings.timezone)
            .map_err(|message| self.error(start(e), message, None))
    }
}

fn like_the_other(a: Expr, b: Expr) -> (Expr, Expr) {
    let retype = |literal: Expr, other: &Type| {
        let retyped = literal.clone().implied(other);
        if literal.literal().is_some() && retyped.literal().is_some() { retyped } else { literal }
    };
    match (matches!(a.ty, Type::Decimal { .. }), matches!(b.ty, Type::Decimal { .. })) {
        (true, _) if b.literal().is_some() => {
            let b = retype(b, &a.ty);
            (a, b)
        }
        (_, true) if a.literal().is_some() => {
            let a = retype(a, &b.ty);
            (a, b)
        }
        _ => (a, b),
    }
}

/// Spark's types, except that digits after the point are never given up but in a quotient: beyond 38 digits a value
/// overflows. `None`: a product with more than 38 places.
fn decimal_result(operator: Operator, (p1, s1): (u8, u8), (p2, s2): (u8, u8)) -> Option<Type> {
    let of = |precision: u8, scale| Type::Decimal { precision: precision.clamp(1, MAX_PRECISION), scale };
    let scale = s1.max(s2);
    Some(match operator {
        Operator::Add | Operator::Subtract => of((p1 - s1).max(p2 - s2) + scale + 1, scale),
        Operator::Multiply => (s1 + s2 <= MAX_PRECISION).then(|| of(p1 + p2 + 1, s1 + s2))?,
        Operator::Remainder => of((p1 - s1).min(p2 - s2) + scale, scale),
        Operator::Quotient => Type::BigInt,
        Operator::Divide => {
            let (whole, places) = (p1 - s1 + s2, (s1 + p2 + 1).max(6));
            let scale = if whole + places <= MAX_PRECISION {
                places
            } else {
                places.min(6).max(MAX_PRECISION.saturating_sub(whole))
            };
            of(whole.saturating_add(scale), scale)
        }
    })
}
