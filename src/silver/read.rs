//! Bronze rows as columns of the contract's types, whatever the format they came in.

use polars::prelude::{self as pl, LazyFrame, PolarsResult, Scalar, lit};

use crate::expr::{Column, Settings, Type};
use crate::project::{EventColumn, EventInput, Events, Rule};

use super::cast::{checked, invalid};
use super::columns::column;
use super::flow::{Finding, Flow, Mark, Others};
use super::land::{Bronze, VALUE};
use super::reason::TYPE;
use super::verdict::RowText;
use super::{json, nested};

const DOCUMENT: &str = "(document)";

/// The events with the contract's columns, those that cannot be cast refused, and how a row is kept as text.
pub(super) fn read(
    events: &Events,
    source: usize,
    mut frame: LazyFrame,
    settings: Settings,
) -> PolarsResult<(Flow, RowText)> {
    let schema = frame.collect_schema()?;
    let bronze = Bronze { events, source, schema: &schema, settings };
    let (landed, mut kept) = bronze.land()?;
    frame = frame.select(landed);
    let mut findings = bronze.misread()?;
    if events.input == EventInput::Ndjson {
        frame = decode(frame, events, &mut kept);
        let reasons = column(DOCUMENT).struct_().field_by_name(&json::field_reasons());
        findings.push(Finding { column: None, mark: Mark::Told(reasons), shown: Vec::new() });
    }
    let mut values = Vec::new();
    for (position, wanted) in events.columns.iter().enumerate() {
        let read = match &wanted.expr {
            Some(expr) => bronze.compute(expr, wanted)?,
            None => bronze.cast(position, wanted)?,
        };
        if let Some(prior) = read.prior {
            frame = frame.with_column(prior);
        }
        values.push((Column::new(&wanted.name, wanted.ty.clone()), read.value));
        findings.extend(read.finding);
    }
    let mut flow = Flow::new(frame, kept);
    flow.set(values, findings, Others::Go);
    Ok((flow, bronze.row_text()))
}

/// Adds the members of the documents, each as a column.
fn decode(frame: LazyFrame, events: &Events, kept: &mut Vec<String>) -> LazyFrame {
    let wanted = events.columns.iter().enumerate().filter(|(_, c)| c.expr.is_none());
    let (positions, members): (Vec<usize>, Vec<(String, Type)>) =
        wanted.map(|(position, c)| (position, (c.name.clone(), c.ty.clone()))).unzip();
    let dtype = json::document_dtype(&members);
    let document = column(VALUE).map(
        move |documents| json::decode(&documents, &members),
        move |_, field| Ok(pl::Field::new(field.name().clone(), dtype.clone())),
    );
    let fields = positions.iter().enumerate().map(|(i, position)| {
        kept.push(member(*position));
        column(DOCUMENT).struct_().field_by_name(&json::field(i)).alias(member(*position))
    });
    let fields: Vec<pl::Expr> = fields.collect();
    frame.with_column(document.alias(DOCUMENT)).with_columns(fields)
}

/// The member of the documents that a column of the contract is read from.
fn member(position: usize) -> String {
    format!("(member {position})")
}

/// How a column of the contract comes about.
struct Read {
    /// a column that must be there before the others
    prior: Option<pl::Expr>,
    value: pl::Expr,
    finding: Option<Finding>,
}

impl Bronze<'_> {
    /// By an expression over bronze's columns.
    fn compute(&self, expr: &crate::expr::Expr, wanted: &EventColumn) -> PolarsResult<Read> {
        let shown = expr.columns().into_iter().filter_map(|name| Some((name.clone(), self.kept(&name)?)));
        let shown: Vec<(String, String)> = shown.collect();
        let cast = expr.clone().cast(&wanted.ty, self.settings);
        let lowered = cast.map_err(|what| invalid(format!("`{}`: {what}", wanted.name)))?.lower();
        Ok(Read { prior: None, value: lowered.value, finding: unfit(wanted, lowered.fault, shown) })
    }

    /// From the column or member of the same name.
    fn cast(&self, position: usize, wanted: &EventColumn) -> PolarsResult<Read> {
        let Some((input, from, shown)) = self.input(position, wanted)? else {
            let value = lit(Scalar::null(wanted.ty.to_polars()));
            return Ok(Read { prior: None, value, finding: None });
        };
        if is_nested(&from) || is_nested(&wanted.ty) {
            nested::check(&wanted.name, &from, &wanted.ty, self.settings)?;
            return Ok(self.cast_nested(position, wanted, &input));
        }
        let lowered = checked(&input, &from, &wanted.ty, self.settings)?;
        let shown = vec![(wanted.name.clone(), shown)];
        Ok(Read { prior: None, value: lowered.value, finding: unfit(wanted, lowered.fault, shown) })
    }

    fn cast_nested(&self, position: usize, wanted: &EventColumn, input: &str) -> Read {
        let prior = format!("(nested {position})");
        let field = |name| column(&prior).struct_().field_by_name(name);
        let property = self.events.contract.properties.iter().find(|p| p.name == wanted.name);
        let allow_nan = property.is_some_and(|p| p.rules.contains(&Rule::AllowNan));
        let cast = nested::cast(column(input), &wanted.name, &wanted.ty, allow_nan, self.settings);
        let finding = Finding { column: None, mark: Mark::Told(field(nested::REASONS)), shown: Vec::new() };
        Read { value: field(nested::VALUE), prior: Some(cast.alias(prior.as_str())), finding: Some(finding) }
    }

    /// The column to cast, its type, and the column that a reason shows; `None`: no file had it yet.
    fn input(&self, position: usize, wanted: &EventColumn) -> PolarsResult<Option<(String, Type, String)>> {
        if self.events.input == EventInput::Ndjson {
            let input = member(position);
            return Ok(Some((input.clone(), json::text_type(&wanted.ty), input)));
        }
        let (Some(from), Some(kept)) = (self.type_of(&wanted.name)?, self.kept(&wanted.name)) else {
            return Ok(None);
        };
        let is_text = self.events.input == EventInput::Csv;
        Ok(Some((if is_text { wanted.name.clone() } else { kept.clone() }, from, kept)))
    }
}

fn unfit(wanted: &EventColumn, fault: Option<pl::Expr>, shown: Vec<(String, String)>) -> Option<Finding> {
    let mark = Mark::Broken(TYPE, fault?.is_not_null());
    Some(Finding { column: Some(wanted.name.clone()), mark, shown })
}

fn is_nested(ty: &Type) -> bool {
    matches!(ty, Type::Array(_) | Type::Struct(_))
}
