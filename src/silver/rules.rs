//! The rules of a contract as expressions that are true for a row that breaks them.

use polars::prelude::{AnyValue, DataFrame, DataType, Expr, IntoLazy, NamedFrom, PolarsResult, Scalar, Series, lit};

use crate::expr::{Settings, Type};
use crate::project::{Property, Rule};

use super::cast::{checked, invalid};
use super::columns::column;

/// The rule of a floating-point value that is no number.
pub(super) const NAN: &str = "nan";
/// The rule of a NULL in a key column.
pub(super) const KEY: &str = "key";

/// Each rule of a property by name, with what is true where it is broken. NULL breaks `required` alone.
pub(super) fn broken(property: &Property, settings: Settings) -> PolarsResult<Vec<(&'static str, Expr)>> {
    let mut found = Vec::new();
    if property.ty.is_floating() && !property.rules.contains(&Rule::AllowNan) {
        found.push((NAN, column(&property.name).is_nan()));
    }
    for rule in &property.rules {
        if let Some(breaks) = breaks(rule, property, settings)? {
            found.push((name(rule), breaks));
        }
    }
    Ok(found)
}

/// As the contract (ODCS) calls it.
fn name(rule: &Rule) -> &'static str {
    match rule {
        Rule::Required => "required",
        Rule::Minimum(_) => "minimum",
        Rule::Maximum(_) => "maximum",
        Rule::ExclusiveMinimum(_) => "exclusiveMinimum",
        Rule::ExclusiveMaximum(_) => "exclusiveMaximum",
        Rule::MinLength(_) => "minLength",
        Rule::MaxLength(_) => "maxLength",
        Rule::Pattern(_) => "pattern",
        Rule::ValidValues(_) => "validValues",
        Rule::AllowNan => NAN,
    }
}

fn breaks(rule: &Rule, property: &Property, settings: Settings) -> PolarsResult<Option<Expr>> {
    let value = || column(&property.name);
    let literal = |text: &String| literal(text, property, settings);
    Ok(Some(match rule {
        Rule::Required => value().is_null(),
        Rule::Minimum(least) => value().lt(literal(least)?),
        Rule::Maximum(most) => value().gt(literal(most)?),
        Rule::ExclusiveMinimum(below) => value().lt_eq(literal(below)?),
        Rule::ExclusiveMaximum(above) => value().gt_eq(literal(above)?),
        Rule::MinLength(least) => length(property)?.lt(lit(*least)),
        Rule::MaxLength(most) => length(property)?.gt(lit(*most)),
        Rule::Pattern(pattern) => value().str().contains(lit(pattern.as_str()), true).not(),
        Rule::ValidValues(texts) => {
            let values = AnyValue::List(literals(texts, property, settings)?);
            let dtype = DataType::List(Box::new(property.ty.to_polars()));
            value().is_in(lit(Scalar::new(dtype, values)), false).not()
        }
        Rule::AllowNan => return Ok(None),
    }))
}

fn length(property: &Property) -> PolarsResult<Expr> {
    match property.ty {
        Type::String => Ok(column(&property.name).str().len_chars()),
        Type::Array(_) => Ok(column(&property.name).list().len()),
        _ => Err(invalid(format!("`{}` is {}, which has no length", property.name, property.ty))),
    }
}

/// A literal in the property's type, read as a value of a CSV file would be.
fn literal(text: &str, property: &Property, settings: Settings) -> PolarsResult<Expr> {
    let value = literals(&[text.to_owned()], property, settings)?;
    Ok(lit(Scalar::new(property.ty.to_polars(), value.get(0)?.into_static())))
}

fn literals(texts: &[String], property: &Property, settings: Settings) -> PolarsResult<Series> {
    let lowered = checked("literal", &Type::String, &property.ty, settings)?;
    let rows = Series::new("literal".into(), texts);
    let rows =
        DataFrame::new(texts.len(), vec![rows.into()])?.lazy().select([lowered.value.alias("value")]).collect()?;
    let values = rows.column("value")?.as_materialized_series().clone();
    let failed = values.is_null();
    if let Some((text, _)) = texts.iter().zip(failed.iter()).find(|(_, failed)| *failed == Some(true)) {
        return Err(invalid(format!("`{}`: {text:?} is no {}", property.name, property.ty)));
    }
    Ok(values)
}
