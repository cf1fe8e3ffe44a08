//! Arrays and objects as a contract's type: each scalar in them cast with a check.

use polars::prelude::{
    ChunkExplode as _, Column, DataFrame, DataType, Expr, Field, IntoColumn, IntoLazy, IntoSeries, ListChunked,
    PolarsResult, Series, StructChunked, lit,
};

use crate::expr::{Settings, Type};

use super::cast::{checked, invalid};
use super::columns::reasons_dtype;
use super::reason::{self, Reason, TYPE};
use super::rules::NAN;
use super::text::text;

pub(super) const VALUE: &str = "value";
pub(super) const REASONS: &str = "reasons";
const LEAF: &str = "leaf";
const FAULT: &str = "fault";

/// A nested column as a struct of two fields: [`VALUE`], of type `to`, and [`REASONS`] against the row, null where there
/// are none.
pub(super) fn cast(column: Expr, name: &str, to: &Type, allow_nan: bool, settings: Settings) -> Expr {
    let output =
        DataType::Struct(vec![Field::new(VALUE.into(), to.to_polars()), Field::new(REASONS.into(), reasons_dtype())]);
    let (name, to) = (name.to_owned(), to.clone());
    column.map(
        move |column| cast_column(&column, &name, &to, allow_nan, settings),
        move |_, field| Ok(Field::new(field.name().clone(), output.clone())),
    )
}

/// Whether `from` can become `to` at all, whatever the values.
pub(super) fn check(name: &str, from: &Type, to: &Type, settings: Settings) -> PolarsResult<()> {
    match (from, to) {
        (Type::Null, _) => Ok(()),
        (Type::Array(from), Type::Array(to)) => check(&format!("{name}[]"), from, to, settings),
        (Type::Struct(from), Type::Struct(to)) => {
            for member in to {
                if let Some(found) = from.iter().find(|c| c.name == member.name) {
                    check(&format!("{name}.{}", member.name), &found.ty, &member.ty, settings)?;
                }
            }
            Ok(())
        }
        (Type::Array(_) | Type::Struct(_), _) | (_, Type::Array(_) | Type::Struct(_)) => {
            Err(invalid(format!("`{name}` is {from} in bronze, the contract says {to}")))
        }
        _ => checked(name, from, to, settings).map(drop),
    }
}

fn cast_column(column: &Column, name: &str, to: &Type, allow_nan: bool, settings: Settings) -> PolarsResult<Column> {
    let mut reasons = vec![Vec::new(); column.len()];
    let series = column.as_materialized_series().rechunk();
    // what lies under a NULL or between lists is no value
    let series = series.propagate_nulls().unwrap_or(series);
    let series = series.trim_lists_to_normalized_offsets().unwrap_or(series);
    let mut walk = Walk { allow_nan, settings, reasons: &mut reasons };
    let value = walk.cast(&series, to, Place::Row(name))?.with_name(VALUE.into());
    let reasons = reason::series(REASONS, &reasons)?;
    Ok(StructChunked::from_series(column.name().clone(), column.len(), [value, reasons].iter())?.into_column())
}

/// How an element's position in a flattened column leads back to its row.
#[derive(Clone, Copy)]
enum Place<'a> {
    Row(&'a str),
    Member(&'a Place<'a>, &'a str),
    /// where each list of the column above begins, and where the last one ends
    Item(&'a Place<'a>, &'a [i64]),
}

impl Place<'_> {
    fn find(&self, position: usize) -> (usize, String) {
        match self {
            Place::Row(name) => (position, (*name).to_owned()),
            Place::Member(parent, name) => {
                let (row, path) = parent.find(position);
                (row, format!("{path}.{name}"))
            }
            Place::Item(parent, offsets) => {
                let at = i64::try_from(position).unwrap_or(i64::MAX);
                let list = offsets.partition_point(|begin| *begin <= at).saturating_sub(1);
                let (row, path) = parent.find(list);
                (row, format!("{path}[{}]", at - offsets[list]))
            }
        }
    }
}

struct Walk<'a> {
    allow_nan: bool,
    settings: Settings,
    reasons: &'a mut [Vec<Reason>],
}

impl Walk<'_> {
    fn cast(&mut self, series: &Series, to: &Type, place: Place) -> PolarsResult<Series> {
        match (series.dtype(), to) {
            (DataType::Null, _) => Ok(Series::full_null(series.name().clone(), series.len(), &to.to_polars())),
            (DataType::List(_), Type::Array(item)) => self.cast_list(series.list()?, item, place),
            (DataType::Struct(_), Type::Struct(_)) => self.cast_record(series.struct_()?, to, place),
            _ => self.cast_leaf(series, to, place),
        }
    }

    fn cast_list(&mut self, lists: &ListChunked, item: &Type, place: Place) -> PolarsResult<Series> {
        let offsets = lists.offsets()?;
        let items = self.cast(&lists.get_inner(), item, Place::Item(&place, offsets.as_slice()))?;
        reason::list_of(lists.name().clone(), &items, offsets.lengths(), lists.rechunk_validity())
    }

    fn cast_record(&mut self, records: &StructChunked, to: &Type, place: Place) -> PolarsResult<Series> {
        let Type::Struct(members) = to else {
            return Err(invalid(format!("{to} is no struct")));
        };
        let found = records.fields_as_series();
        let mut fields = Vec::with_capacity(members.len());
        for member in members {
            let field = match found.iter().find(|f| f.name().as_str() == member.name) {
                Some(field) => self.cast(&field.rechunk(), &member.ty, Place::Member(&place, &member.name))?,
                None => Series::full_null(member.name.as_str().into(), records.len(), &member.ty.to_polars()),
            };
            fields.push(field.with_name(member.name.as_str().into()));
        }
        let cast = StructChunked::from_series(records.name().clone(), records.len(), fields.iter())?;
        Ok(cast.with_outer_validity(records.rechunk_validity()).into_series())
    }

    fn cast_leaf(&mut self, series: &Series, to: &Type, place: Place) -> PolarsResult<Series> {
        let from = Type::from_polars(series.dtype())
            .ok_or_else(|| invalid(format!("no table can hold a {}", series.dtype())))?;
        if from == *to && !to.is_floating() {
            return Ok(series.clone());
        }
        let lowered = checked(LEAF, &from, to, self.settings)?;
        let mut value = lowered.value;
        let fault = lowered.fault.map_or_else(|| lit(false), Expr::is_not_null);
        if to.is_floating() {
            // -0.0 + 0.0 is 0.0
            value = value + lit(0.0).cast(to.to_polars());
        }
        let leaf = DataFrame::new(series.len(), vec![series.clone().with_name(LEAF.into()).into_column()])?;
        let cast = leaf.lazy().select([value.alias(VALUE), fault.alias(FAULT)]).collect()?;
        self.note(cast.column(FAULT)?, TYPE, series, place)?;
        let value = cast.column(VALUE)?.as_materialized_series().clone();
        if to.is_floating() && !self.allow_nan {
            self.note(&value.is_nan()?.into_column(), NAN, &value, place)?;
        }
        Ok(value)
    }

    /// Notes each element that is marked.
    fn note(&mut self, marks: &Column, rule: &str, values: &Series, place: Place) -> PolarsResult<()> {
        let marks = marks.bool()?;
        if !marks.any() {
            return Ok(());
        }
        for (position, _) in marks.iter().enumerate().filter(|(_, mark)| *mark == Some(true)) {
            let (row, path) = place.find(position);
            let value = text(&values.get(position)?);
            self.reasons[row].push(Reason::new(Some(path), rule, value.as_deref()));
        }
        Ok(())
    }
}
