//! Calls of scalar functions, and the forms that SQL has for some of them.

use sqlparser::ast::{
    self, CeilFloorKind, DateTimeField, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, ObjectNamePart,
    Spanned as _, TrimWhereField,
};
use sqlparser::tokenizer::Span;

use super::{Checked, Checker, did_you_mean, start};
use crate::expr::ExprError;
use crate::expr::functions::{self, Function, Parameter};
use crate::expr::group::AGGREGATES;
use crate::expr::tree::{Comparison, Expr, Literal, Node};
use crate::expr::types::Type;

/// Functions with a rule of their own for types or NULL.
pub(super) const SPECIAL: &[&str] = &["coalesce", "nullif", "greatest", "least", "date"];

/// Each value is a level of the expression.
const MANY: usize = 101;

/// Names that users know from elsewhere, and ours.
const ALIASES: &[(&str, &str)] =
    &[("substr", "substring"), ("ceiling", "ceil"), ("pow", "power"), ("ifnull", "coalesce"), ("nvl", "coalesce")];

/// Whether a function of that name gives another value each time.
pub(super) fn never_repeats(name: &str) -> bool {
    let names = ["now", "current_timestamp", "current_date", "current_time", "localtimestamp", "localtime", "random"];
    let more = ["rand", "randn", "uuid", "gen_random_uuid", "today", "getdate", "sysdate", "unix_timestamp"];
    names.iter().chain(&more).any(|n| n.eq_ignore_ascii_case(name))
}

impl Checker<'_> {
    pub(super) fn never_repeats(&self, name: &Ident) -> ExprError {
        let message = format!("`{}` is refused: it never repeats, so a rebuild would give other values", name.value);
        self.error(name.span, message, Some("use a column, e.g. `_ingested_at`".to_owned()))
    }

    pub(super) fn function(&self, f: &ast::Function) -> Checked {
        let [ObjectNamePart::Identifier(ident)] = f.name.0.as_slice() else {
            return Err(self.error(f.name.span(), format!("unknown function `{}`", f.name), None));
        };
        let name = ident.value.to_lowercase();
        if never_repeats(&name) {
            return Err(self.never_repeats(ident));
        }
        if f.over.is_some() {
            let message = "a window function cannot stand in an expression".to_owned();
            return Err(self.error(ident.span, message, Some("the step `rank` numbers rows".to_owned())));
        }
        let name = ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name.as_str(), |(_, name)| name);
        if AGGREGATES.contains(&name) {
            return self.aggregate_call(name, ident, f);
        }
        let arguments = self.arguments(ident, f)?;
        if SPECIAL.contains(&name) {
            return self.special_call(name, arguments, ident.span);
        }
        match Function::find(name) {
            Some(function) => self.resolve(function, arguments, ident.span),
            None => {
                let known = functions::all().map(|d| d.name).chain(SPECIAL.iter().chain(AGGREGATES).copied());
                let hint = did_you_mean(name, known);
                Err(self.error(ident.span, format!("unknown function `{}`", ident.value), hint))
            }
        }
    }

    fn arguments(&self, name: &Ident, f: &ast::Function) -> Result<Vec<Expr>, ExprError> {
        let plain = f.filter.is_none() && f.null_treatment.is_none() && f.within_group.is_empty();
        let FunctionArguments::List(list) = &f.args else {
            return Err(self.error(name.span, format!("`{}` has no arguments", name.value), None));
        };
        if !plain || list.duplicate_treatment.is_some() || !list.clauses.is_empty() {
            let message = format!("`{}` is no aggregate: FILTER, DISTINCT and ORDER BY do not go with it", name.value);
            return Err(self.error(name.span, message, None));
        }
        list.args.iter().map(|argument| self.check(self.argument(name, argument)?)).collect()
    }

    pub(super) fn argument<'e>(&self, name: &Ident, argument: &'e FunctionArg) -> Result<&'e ast::Expr, ExprError> {
        match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(e)) => Ok(e),
            other => Err(self.error(name.span, format!("`{other}` is no argument of `{}`", name.value), None)),
        }
    }

    fn special_call(&self, name: &str, arguments: Vec<Expr>, span: Span) -> Checked {
        let usage = |usage: &str| self.error(span, format!("the arguments do not fit: `{usage}`"), None);
        match (name, arguments.len()) {
            ("nullif", 2) => self.nullif(arguments, span),
            ("nullif", _) => Err(usage("nullif(a, b)")),
            ("date", 1) => {
                let cast = |e: Expr| e.cast_to(&Type::Date, false, self.settings.timezone);
                let date = arguments.into_iter().next().map(cast);
                date.transpose().map_err(|message| self.error(span, message, None))?.ok_or_else(|| usage("date(x)"))
            }
            ("date", _) => Err(usage("date(x)")),
            (_, 0) => Err(usage(&format!("{name}(a, …)"))),
            (_, MANY..) => Err(self.error(span, format!("`{name}` of {MANY} values or more"), None)),
            _ => {
                let (list, ty) = self.unify(arguments, span, &format!("`{name}`"))?;
                let nested = matches!(ty, Type::Array(_) | Type::Struct(_) | Type::Binary);
                if name != "coalesce" && nested {
                    return Err(self.error(span, format!("{ty} cannot be compared"), None));
                }
                let node = match name {
                    "coalesce" => Node::Coalesce(list),
                    "greatest" => Node::Greatest(list),
                    _ => Node::Least(list),
                };
                Ok(Expr::new(ty, node))
            }
        }
    }

    /// `nullif(a, b)` is `CASE WHEN a = b THEN NULL ELSE a END`.
    fn nullif(&self, arguments: Vec<Expr>, span: Span) -> Checked {
        let ty = arguments.first().map_or(Type::Null, |a| a.ty.clone());
        let value = arguments.first().cloned();
        let (mut both, _) = self.unify(arguments, span, "`nullif`")?;
        let (Some(b), Some(a)) = (both.pop(), both.pop()) else { return Ok(Expr::null()) };
        let equal = Expr::boolean(Node::Compare(Comparison::Equal, a, b));
        let null = Expr::new(ty.clone(), Node::Literal(Literal::Null));
        Ok(Expr::new(ty, Node::Case(vec![(equal, null)], value)))
    }

    /// Arguments as the function wants them.
    pub(super) fn resolve(&self, function: Function, mut arguments: Vec<Expr>, span: Span) -> Checked {
        let definition = function.definition();
        // the project's zone is part of what the call means
        if definition.name == "to_timestamp" && arguments.len() == 2 {
            arguments.push(Expr::text(self.settings.timezone.name()));
        }
        let wrong = |why: &str| self.error(span, format!("`{}`: {why}", definition.usage), None);
        if arguments.len() < definition.required || arguments.len() > definition.parameters.len() {
            return Err(wrong(&format!("{} arguments do not fit", arguments.len())));
        }
        let mut fitted = Vec::with_capacity(arguments.len());
        for (place, (parameter, argument)) in definition.parameters.iter().zip(arguments).enumerate() {
            let argument = fit(*parameter, argument).map_err(|why| wrong(&format!("argument {} {why}", place + 1)))?;
            fitted.push(argument);
        }
        let ty = (definition.result)(&fitted).map_err(|why| wrong(&why))?;
        Ok(Expr::new(ty, Node::Call(function, fitted)))
    }

    /// SQL's own forms: `trim(both 'x' from y)`, `substring(x from 1 for 2)`, `extract(year from x)`, `ceil(x)`.
    pub(super) fn special(&self, e: &ast::Expr) -> Checked {
        use ast::Expr as E;
        let span = start(e);
        match e {
            E::Ceil { expr, field: CeilFloorKind::DateTimeField(DateTimeField::NoDateTime) } => {
                self.call("ceil", vec![self.check(expr)?], span)
            }
            E::Floor { expr, field: CeilFloorKind::DateTimeField(DateTimeField::NoDateTime) } => {
                self.call("floor", vec![self.check(expr)?], span)
            }
            E::Trim { trim_where, trim_what, expr, trim_characters } => {
                let name = match trim_where {
                    None | Some(TrimWhereField::Both) => "trim",
                    Some(TrimWhereField::Leading) => "ltrim",
                    Some(TrimWhereField::Trailing) => "rtrim",
                };
                let mut arguments = vec![self.check(expr)?];
                for what in trim_what.iter().map(Box::as_ref).chain(trim_characters.iter().flatten()) {
                    arguments.push(self.check(what)?);
                }
                self.call(name, arguments, span)
            }
            E::Substring { expr, substring_from, substring_for, .. } => {
                let mut arguments = vec![self.check(expr)?];
                arguments.push(substring_from.as_ref().map_or_else(|| Ok(Expr::integer(1)), |from| self.check(from))?);
                if let Some(length) = substring_for {
                    arguments.push(self.check(length)?);
                }
                self.call("substring", arguments, span)
            }
            E::Extract { field, expr, .. } => {
                let unit = Expr::text(&field.to_string().to_lowercase());
                self.call("date_part", vec![unit, self.check(expr)?], span)
            }
            _ => Err(self.error(span, format!("`{e}` is not known in this form"), None)),
        }
    }
}

fn fit(parameter: Parameter, e: Expr) -> Result<Expr, String> {
    let ty = e.ty.clone();
    let as_type = |wanted: Type, fits: bool, what: &str| {
        if fits || ty == Type::Null { Ok(e.clone().implied(&wanted)) } else { Err(format!("is {ty}, not {what}")) }
    };
    match parameter {
        Parameter::Text => as_type(Type::String, ty == Type::String, "text; CAST makes text of it"),
        Parameter::Integer => as_type(Type::BigInt, ty.is_integer(), "an integer"),
        Parameter::Double => as_type(Type::Double, ty.is_numeric(), "a number"),
        Parameter::Number => {
            as_type(if ty == Type::Null { Type::Int } else { ty.clone() }, ty.is_numeric(), "a number")
        }
        Parameter::Timestamp => {
            as_type(Type::Timestamp, matches!(ty, Type::Timestamp | Type::Date), "a timestamp or a date")
        }
        Parameter::Time => {
            let wanted = if ty == Type::Date { Type::Date } else { Type::Timestamp };
            as_type(wanted, matches!(ty, Type::Timestamp | Type::Date), "a timestamp or a date")
        }
        Parameter::Constant(accepts) => match e.literal() {
            Some(Literal::Text(text)) => accepts(text).map(|()| e.clone()),
            _ => Err("must be text in single quotes".to_owned()),
        },
        Parameter::Places => match e.literal() {
            Some(Literal::Integer(places)) if (-38..=38).contains(places) => Ok(e),
            _ => Err("must be a whole number from -38 to 38".to_owned()),
        },
    }
}
