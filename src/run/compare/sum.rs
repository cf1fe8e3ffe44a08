//! Sums of columns that neither wrap nor depend on the order of the rows.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use polars::prelude::{Column, DataFrame, DataType, Expr, PolarsResult};
use serde_json::{Number, Value};

use super::Comparison;
use super::columns::Compared;
use crate::delta::Side;
use crate::expr::Type;
use crate::report::Total;
use crate::report::value::Cell;
use crate::run::error::{Error, Result};
use crate::run::stream;

/// Two sums of doubles are the same when they differ by no more than this share of what was summed.
const TOLERANCE: f64 = 1e-9;

/// The sum of a numeric column.
#[derive(Clone, Copy, Debug)]
pub enum Sum {
    /// of integers or decimals
    Exact {
        /// without the point; `None`: too large
        unscaled: Option<i128>,
        /// digits after the point
        scale: u8,
    },
    /// of floats or doubles
    Double {
        /// so far
        sum: f64,
        /// what rounding has lost of it (Neumaier's summation)
        lost: f64,
        /// the sum of all absolute values
        size: f64,
    },
}

impl Sum {
    /// Zero; `None` if the type is not numeric.
    pub fn of(ty: &Type) -> Option<Self> {
        match ty {
            Type::Decimal { scale, .. } => Some(Sum::Exact { unscaled: Some(0), scale: *scale }),
            ty if ty.is_integer() => Some(Sum::Exact { unscaled: Some(0), scale: 0 }),
            ty if ty.is_floating() => Some(Sum::Double { sum: 0.0, lost: 0.0, size: 0.0 }),
            _ => None,
        }
    }

    /// Adds the values of a column; NULL counts as nothing.
    pub fn add(&mut self, values: &Column) -> PolarsResult<()> {
        self.take(values, 1, 1.0)
    }

    /// Takes the values of a column away.
    pub fn subtract(&mut self, values: &Column) -> PolarsResult<()> {
        self.take(values, -1, -1.0)
    }

    fn take(&mut self, values: &Column, sign: i128, factor: f64) -> PolarsResult<()> {
        let values = values.as_materialized_series();
        match self {
            Sum::Exact { unscaled, .. } => {
                let whole = match values.dtype() {
                    DataType::Decimal(..) => values.to_physical_repr().into_owned(),
                    _ => values.cast(&DataType::Int64)?,
                };
                let mut add = |value: i128| *unscaled = unscaled.and_then(|sum| sum.checked_add(sign * value));
                match whole.dtype() {
                    DataType::Int64 => whole.i64()?.iter().flatten().for_each(|value| add(i128::from(value))),
                    _ => whole.i128()?.iter().flatten().for_each(add),
                }
            }
            Sum::Double { sum, lost, size } => {
                for value in values.cast(&DataType::Float64)?.f64()?.iter().flatten() {
                    let value = factor * value;
                    let next = *sum + value;
                    *lost += if sum.abs() >= value.abs() { (*sum - next) + value } else { (value - next) + *sum };
                    (*sum, *size) = (next, *size + value.abs());
                }
            }
        }
        Ok(())
    }

    /// As it is told; none if it is too large.
    pub fn cell(&self) -> Option<Cell> {
        match *self {
            Sum::Exact { unscaled, scale } => Some(Cell::decimal(unscaled?, usize::from(scale))),
            Sum::Double { sum, lost, .. } => {
                let value = if lost.is_finite() { sum + lost } else { sum };
                let number = Number::from_f64(value).map(Value::Number);
                Some(Cell::Plain(number.unwrap_or_else(|| Value::String(value.to_string()))))
            }
        }
    }

    /// Whether it is zero, but for what the order of the terms may do.
    fn is_zero(&self) -> bool {
        match *self {
            Sum::Exact { unscaled, .. } => unscaled == Some(0),
            Sum::Double { sum, lost, size } => (sum + lost).abs() <= TOLERANCE * size,
        }
    }
}

/// The sums of the numeric columns: what they differ by, and if that is wanted of all rows of both sides.
pub async fn totals(
    (before, after): (&Side, &Side),
    compared: &Compared,
    differences: &[Option<Sum>],
    how: &Comparison,
) -> Result<Vec<Total>> {
    let names: Vec<String> = compared.numeric().map(str::to_owned).collect();
    let (was, is) =
        if how.totals { (sums(before, &names).await?, sums(after, &names).await?) } else { Default::default() };
    let difference = |name: &str| {
        let columns = compared.columns.iter().zip(differences);
        columns.filter_map(|(column, sum)| (column.name == name).then_some((*sum)?)).next()
    };
    let total = |name: String| {
        let difference = difference(&name);
        let cell = |sums: &BTreeMap<String, Sum>| sums.get(&name).and_then(Sum::cell);
        let same = difference.is_some_and(|sum| sum.is_zero());
        let (before, after) = (cell(&was), cell(&is));
        Total { before, after, difference: difference.and_then(|sum| sum.cell()), same, name }
    };
    Ok(names.into_iter().map(total).collect())
}

/// The sums of all rows, of those of the columns that are numeric.
async fn sums(side: &Side, names: &[String]) -> Result<BTreeMap<String, Sum>> {
    let sum = |name: &String| Some((name.clone(), Sum::of(side.schema().ty(name)?)?));
    let zero: BTreeMap<String, Sum> = names.iter().filter_map(sum).collect();
    if zero.is_empty() {
        return Ok(zero);
    }
    let columns: Vec<Expr> = zero.keys().map(|name| Expr::Column(name.as_str().into())).collect();
    let frame = side.scan()?.select(columns);
    let sums = Arc::new(Mutex::new(zero));
    let shared = Arc::clone(&sums);
    let add = move |batch: DataFrame| {
        let mut sums = shared.lock().map_err(|_| died())?;
        sums.iter_mut().try_for_each(|(name, sum)| Ok(sum.add(batch.column(name)?)?))
    };
    tokio::task::spawn_blocking(move || stream::for_each_batch(frame, add)).await??;
    let sums = Arc::into_inner(sums).and_then(|sums| sums.into_inner().ok());
    sums.ok_or_else(died)
}

fn died() -> Error {
    Error::Internal("a sum died".into())
}
