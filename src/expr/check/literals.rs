//! Literals and the names of types.

use sqlparser::ast::{self, DataType, ExactNumberInfo, Value};
use sqlparser::tokenizer::Span;

use super::{Checked, Checker};
use crate::expr::tree::{Expr, Literal, Node};
use crate::expr::types::Type;
use crate::expr::{ExprError, calendar, decimal};

impl Checker<'_> {
    pub(super) fn literal(&self, value: &Value, span: Span) -> Checked {
        match value {
            Value::Null => Ok(Expr::null()),
            Value::Boolean(b) => Ok(Expr::boolean(Node::Literal(Literal::Boolean(*b)))),
            Value::SingleQuotedString(text) => Ok(Expr::text(text)),
            Value::Number(text, false) => self.number(text, span),
            other => Err(self.error(span, format!("`{other}` is no literal that is known"), None)),
        }
    }

    /// `1` is an int, bigint or decimal by its size, `1.50` a decimal(3,2), `1e3` a double.
    pub(super) fn number(&self, text: &str, span: Span) -> Checked {
        let wrong = || self.error(span, format!("the number `{text}` has more than 38 digits"), None);
        if text.contains(['e', 'E']) {
            let value = text.parse::<f64>().ok().filter(|value| value.is_finite()).ok_or_else(wrong)?;
            return Ok(Expr::new(Type::Double, Node::Literal(Literal::Double(value))));
        }
        if let Ok(value) = text.parse::<i64>() {
            return Ok(Expr::integer(value));
        }
        let scale = text.split_once('.').map_or(0, |(_, fraction)| fraction.len());
        let scale = u8::try_from(scale).ok().filter(|scale| *scale <= decimal::MAX_PRECISION).ok_or_else(wrong)?;
        let value = decimal::parse(text, scale).ok_or_else(wrong)?;
        let digits = value.unsigned_abs().checked_ilog10().map_or(1, |log| log + 1);
        let precision = u8::try_from(digits).unwrap_or(u8::MAX).max(scale).max(1);
        if precision > decimal::MAX_PRECISION {
            return Err(wrong());
        }
        Ok(Expr::new(Type::Decimal { precision, scale }, Node::Literal(Literal::Decimal(value))))
    }

    /// `DATE '2024-01-31'`, `TIMESTAMP '2024-01-31 12:00:00'`
    pub(super) fn typed_literal(&self, typed: &ast::TypedString) -> Checked {
        let span = typed.value.span;
        let Value::SingleQuotedString(text) = &typed.value.value else {
            return Err(self.error(span, "text in single quotes is expected".to_owned(), None));
        };
        let ty = self.data_type(&typed.data_type, span)?;
        let literal = match ty {
            Type::Date => calendar::parse_date(text).map(Literal::Date),
            Type::Timestamp => calendar::parse_timestamp(text, self.settings.timezone).map(Literal::Timestamp),
            _ => {
                let message = format!("a literal of {ty} is not written like this");
                return Err(self.error(span, message, Some("only DATE '…' and TIMESTAMP '…' are".to_owned())));
            }
        };
        let shape = if ty == Type::Date { "yyyy-mm-dd" } else { "yyyy-mm-dd hh:mm:ss" };
        let literal = literal
            .ok_or_else(|| self.error(span, format!("'{text}' is no {ty}"), Some(format!("it is written {shape}"))))?;
        Ok(Expr::new(ty, Node::Literal(literal)))
    }

    /// Our type of that name.
    pub(super) fn data_type(&self, data_type: &DataType, span: Span) -> Result<Type, ExprError> {
        use DataType as D;
        Ok(match data_type {
            D::Boolean | D::Bool => Type::Boolean,
            D::TinyInt(None) => Type::TinyInt,
            D::SmallInt(None) => Type::SmallInt,
            D::Int(None) | D::Integer(None) => Type::Int,
            D::BigInt(None) => Type::BigInt,
            D::Float(ExactNumberInfo::None) | D::Real => Type::Float,
            D::Double(ExactNumberInfo::None) | D::DoublePrecision => Type::Double,
            D::Decimal(size) | D::Numeric(size) => return self.decimal_type(*size, span),
            D::String(None) | D::Text | D::Varchar(None) => Type::String,
            D::Date => Type::Date,
            D::Timestamp(None, _) => Type::Timestamp,
            other => {
                let hint = "the types are boolean, tinyint, smallint, int, bigint, decimal(p,s), float, double, string, \
                            date and timestamp";
                return Err(self.error(span, format!("unknown type `{other}`"), Some(hint.to_owned())));
            }
        })
    }

    fn decimal_type(&self, size: ExactNumberInfo, span: Span) -> Result<Type, ExprError> {
        let (precision, scale) = match size {
            ExactNumberInfo::PrecisionAndScale(precision, scale) => (precision, scale),
            ExactNumberInfo::Precision(precision) => (precision, 0),
            ExactNumberInfo::None => {
                let hint = Some("e.g. `decimal(12,2)`".to_owned());
                return Err(self.error(span, "decimal needs its digits".to_owned(), hint));
            }
        };
        match (u8::try_from(precision), u8::try_from(scale)) {
            (Ok(precision @ 1..=38), Ok(scale)) if scale <= precision => Ok(Type::Decimal { precision, scale }),
            _ => {
                let hint = "1 to 38 digits, of which at most all stand after the point".to_owned();
                Err(self.error(span, format!("there is no decimal({precision},{scale})"), Some(hint)))
            }
        }
    }
}
