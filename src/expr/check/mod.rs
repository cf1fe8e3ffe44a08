//! The parser's tree -> ours: a whitelist. Every name is known, every type fits, before any row is read.

mod aggregates;
mod calls;
mod literals;
mod operators;

use std::cell::Cell;

use sqlparser::ast::{self, Ident, Spanned as _};
use sqlparser::tokenizer::Span;

use super::tree::{Comparison, Expr, Literal, Node};
use super::types::{Column, Type};
use super::{ExprError, Settings, coerce, dialect};

type Checked = Result<Expr, ExprError>;

/// Operators and calls within one another. A fault is looked for at each level, so Polars' plan grows with its square.
const MAX_DEPTH: usize = 50;

/// Where an expression stands.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    /// it is of a row
    Row,
    /// it is of a group, so columns stand within aggregate functions
    Group,
    /// it is of a row, within an aggregate function
    Argument,
}

/// What an expression may name.
pub(super) struct Checker<'a> {
    sql: &'a str,
    columns: &'a [Column],
    settings: Settings,
    place: Place,
    depth: Cell<usize>,
}

impl<'a> Checker<'a> {
    pub(super) fn scalar(sql: &'a str, columns: &'a [Column], settings: Settings) -> Self {
        Checker { sql, columns, settings, place: Place::Row, depth: Cell::new(0) }
    }

    pub(super) fn aggregate(sql: &'a str, columns: &'a [Column], settings: Settings) -> Self {
        Checker { place: Place::Group, ..Checker::scalar(sql, columns, settings) }
    }

    pub(super) fn check(&self, e: &ast::Expr) -> Checked {
        if self.depth.get() >= MAX_DEPTH {
            let hint = Some("make it of several columns, in two `derive` steps".to_owned());
            return Err(self.error(start(e), format!("the expression is nested more than {MAX_DEPTH} deep"), hint));
        }
        self.depth.set(self.depth.get() + 1);
        let checked = self.check_any(e);
        self.depth.set(self.depth.get() - 1);
        checked
    }

    fn check_any(&self, e: &ast::Expr) -> Checked {
        use ast::Expr as E;
        match e {
            E::Identifier(name) => self.column(name),
            E::CompoundIdentifier(names) => self.fields(names),
            E::Nested(e) => self.check(e),
            E::Value(value) => self.literal(&value.value, value.span),
            E::TypedString(typed) => self.typed_literal(typed),
            E::UnaryOp { op, expr } => self.unary(*op, expr, start(e)),
            E::BinaryOp { left, op, right } => self.binary(left, op, right),
            E::IsNull(e) => Ok(Expr::boolean(Node::IsNull(self.check(e)?))),
            E::IsNotNull(e) => Ok(not(Expr::boolean(Node::IsNull(self.check(e)?)))),
            E::IsTrue(e) => self.is_boolean(e, true, Comparison::NotDistinctFrom),
            E::IsNotTrue(e) => self.is_boolean(e, true, Comparison::DistinctFrom),
            E::IsFalse(e) => self.is_boolean(e, false, Comparison::NotDistinctFrom),
            E::IsNotFalse(e) => self.is_boolean(e, false, Comparison::DistinctFrom),
            E::IsDistinctFrom(a, b) => self.compare(Comparison::DistinctFrom, a, b),
            E::IsNotDistinctFrom(a, b) => self.compare(Comparison::NotDistinctFrom, a, b),
            E::Between { expr, negated, low, high } => self.between(expr, low, high).map(|e| not_if(*negated, e)),
            E::InList { expr, list, negated } => self.in_list(expr, list).map(|e| not_if(*negated, e)),
            E::Like { negated, any: false, expr, pattern, escape_char } => {
                self.like("like", expr, pattern, escape_char.as_ref()).map(|e| not_if(*negated, e))
            }
            E::ILike { negated, any: false, expr, pattern, escape_char } => {
                self.like("ilike", expr, pattern, escape_char.as_ref()).map(|e| not_if(*negated, e))
            }
            E::Case { operand, conditions, else_result, .. } => {
                self.case(operand.as_deref(), conditions, else_result.as_deref())
            }
            E::Cast { kind, expr, data_type, array: false, format: None } => self.cast(kind, expr, data_type),
            E::Function(function) => self.function(function),
            E::Ceil { .. } | E::Floor { .. } | E::Trim { .. } | E::Substring { .. } | E::Extract { .. } => {
                self.special(e)
            }
            _ => Err(self.refuse(e)),
        }
    }

    fn refuse(&self, e: &ast::Expr) -> ExprError {
        use ast::Expr as E;
        let (message, hint) = match e {
            E::Subquery(_) | E::InSubquery { .. } | E::Exists { .. } | E::AnyOp { .. } | E::AllOp { .. } => {
                ("a subquery cannot stand in an expression", Some("join the other table with a `join` step"))
            }
            E::Lambda(_) => ("a lambda cannot stand in an expression", None),
            E::Interval(_) => {
                ("an INTERVAL cannot stand in an expression", Some("`date_add('day', 7, x)` adds seven days"))
            }
            E::AtTimeZone { .. } => (
                "AT TIME ZONE is not known",
                Some("date_trunc, date_part and format_timestamp take a zone as last argument"),
            ),
            E::RLike { .. } | E::SimilarTo { .. } => {
                ("this operator is not known", Some("use `regexp_like(text, pattern)`"))
            }
            E::Position { .. } | E::Overlay { .. } | E::Convert { .. } => ("this function is not known", None),
            E::Wildcard(_) | E::QualifiedWildcard(..) => ("`*` can only stand in `count(*)`", None),
            _ => return self.error(start(e), format!("`{e}` cannot stand in an expression"), None),
        };
        self.error(start(e), message.to_owned(), hint.map(str::to_owned))
    }

    fn column(&self, name: &Ident) -> Checked {
        if self.place == Place::Group {
            let message = format!("the column `{}` does not stand within an aggregate function", name.value);
            let hint = format!("e.g. `max({0})`, or make `{0}` a key of group_by", name.value);
            return Err(self.error(name.span, message, Some(hint)));
        }
        if let Some(column) = self.columns.iter().find(|c| c.name == name.value) {
            return Ok(Expr::column(&column.name, column.ty.clone()));
        }
        if name.quote_style.is_none() && calls::never_repeats(&name.value) {
            return Err(self.never_repeats(name));
        }
        let mut hint = did_you_mean(&name.value, self.columns.iter().map(|c| c.name.as_str()));
        if name.quote_style == Some('"') && hint.is_none() {
            hint = Some("text stands in single quotes, double quotes are for names".to_owned());
        }
        Err(self.error(name.span, format!("unknown column `{}`", name.value), hint))
    }

    /// `a.b.c`: members of structs.
    fn fields(&self, names: &[Ident]) -> Checked {
        let Some((first, rest)) = names.split_first() else {
            return Err(self.error(Span::empty(), "a name is missing".to_owned(), None));
        };
        rest.iter().try_fold(self.column(first)?, |of, name| {
            let Type::Struct(fields) = &of.ty else {
                return Err(self.error(name.span, format!("{} has no field `{}`", of.ty, name.value), None));
            };
            let Some(field) = fields.iter().find(|field| field.name == name.value) else {
                let hint = did_you_mean(&name.value, fields.iter().map(|field| field.name.as_str()));
                return Err(self.error(name.span, format!("unknown field `{}`", name.value), hint));
            };
            let ty = field.ty.clone();
            Ok(Expr::new(ty, Node::Field(of, name.value.clone())))
        })
    }

    fn is_boolean(&self, e: &ast::Expr, value: bool, comparison: Comparison) -> Checked {
        let checked = self.boolean(e)?;
        let literal = Expr::boolean(Node::Literal(Literal::Boolean(value)));
        Ok(Expr::boolean(Node::Compare(comparison, checked, literal)))
    }

    /// A condition.
    fn boolean(&self, e: &ast::Expr) -> Checked {
        let checked = self.check(e)?;
        match checked.ty {
            Type::Boolean | Type::Null => Ok(checked.implied(&Type::Boolean)),
            ty => Err(self.error(start(e), format!("{ty} where true or false is expected"), None)),
        }
    }

    /// All of them as one type.
    fn unify(&self, exprs: Vec<Expr>, span: Span, what: &str) -> Result<(Vec<Expr>, Type), ExprError> {
        let Some(ty) = coerce::common(&exprs.iter().collect::<Vec<_>>()) else {
            let mut types: Vec<String> = Vec::new();
            for e in &exprs {
                let ty = e.ty.to_string();
                if !types.contains(&ty) {
                    types.push(ty);
                }
            }
            return Err(self.error(span, format!("{what} of {}", types.join(" and ")), Some(cast_hint(&exprs))));
        };
        Ok((exprs.into_iter().map(|e| e.implied(&ty)).collect(), ty))
    }

    fn case(
        &self,
        operand: Option<&ast::Expr>,
        conditions: &[ast::CaseWhen],
        otherwise: Option<&ast::Expr>,
    ) -> Checked {
        let mut whens = Vec::new();
        let mut results = Vec::new();
        for when in conditions {
            whens.push(match operand {
                Some(operand) => self.compare(Comparison::Equal, operand, &when.condition)?,
                None => self.boolean(&when.condition)?,
            });
            results.push(self.check(&when.result)?);
        }
        if let Some(otherwise) = otherwise {
            results.push(self.check(otherwise)?);
        }
        let span = conditions.first().map_or_else(Span::empty, |when| start(&when.result));
        let (mut results, ty) = self.unify(results, span, "CASE has branches")?;
        let otherwise = otherwise.and_then(|_| results.pop());
        Ok(Expr::new(ty, Node::Case(whens.into_iter().zip(results).collect(), otherwise)))
    }

    fn error(&self, span: Span, message: String, hint: Option<String>) -> ExprError {
        let offset = if span.start.line == 0 { 0 } else { dialect::offset(self.sql, span.start) };
        ExprError { message, offset, hint }
    }
}

/// Where it begins. The parser's own `span` goes down every branch, which takes much of the stack.
fn start(e: &ast::Expr) -> Span {
    let mut first = e;
    while let ast::Expr::BinaryOp { left, .. } = first {
        first = left;
    }
    first.span()
}

fn not(e: Expr) -> Expr {
    Expr::boolean(Node::Not(e))
}

fn not_if(negated: bool, e: Expr) -> Expr {
    if negated { not(e) } else { e }
}

fn cast_hint(exprs: &[Expr]) -> String {
    let target = exprs.iter().map(|e| &e.ty).find(|ty| !matches!(ty, Type::String | Type::Null));
    match target {
        Some(ty @ (Type::Date | Type::Timestamp)) => {
            format!("write a literal as {} '…', or CAST the text to {ty}", ty.to_string().to_uppercase())
        }
        Some(ty) => format!("CAST one of them, e.g. `CAST(… AS {ty})`"),
        None => "CAST one of them".to_owned(),
    }
}

/// The known name that is most like it.
fn did_you_mean<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    let likeness = |known: &str| {
        if known.eq_ignore_ascii_case(name) { 1.0 } else { strsim::jaro_winkler(known, name) }
    };
    known
        .map(|known| (likeness(known), known))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, known)| format!("did you mean `{known}`?"))
}
