//! How one call is carried out: columns before the grouping, aggregates within it, one value after it.

use polars::prelude as pl;
use polars::prelude::{Column, DataType, IntoSeries as _};

use super::super::kernel::{Exact, columns, map1};
use super::super::lower::column;
use super::super::tree::{Expr, Node};
use super::super::types::Type;
use super::call::{Call, Function, Order};
use super::finish;

/// A sum of so many digits cannot leave 128 bits within 10^11 rows.
const SAFE_PRECISION: u8 = 27;

/// One call, in three stages.
pub(super) struct Partial {
    /// the column of its result
    pub(super) column: String,
    pub(super) before: Vec<pl::Expr>,
    pub(super) within: Vec<pl::Expr>,
    pub(super) after: pl::Expr,
}

/// Columns of one call, numbered.
struct Stages<'a> {
    column: &'a str,
    before: Vec<pl::Expr>,
    within: Vec<pl::Expr>,
}

impl Stages<'_> {
    /// A column that is there before the grouping.
    fn prepare(&mut self, e: pl::Expr) -> pl::Expr {
        let name = format!("{} before {}", self.column, self.before.len());
        self.before.push(e.alias(name.as_str()));
        column(&name)
    }

    /// An aggregate, and the column that it is after the grouping.
    fn aggregate(&mut self, e: pl::Expr) -> pl::Expr {
        let name = format!("{} within {}", self.column, self.within.len());
        self.within.push(e.alias(name.as_str()));
        column(&name)
    }
}

impl Partial {
    /// `what` begins the message of a fault; `ties` are the columns that decide between equals.
    pub(super) fn of(call: &Call, what: &str, ties: &[&str]) -> Self {
        let name = call.column();
        let mut stages = Stages { column: &name, before: Vec::new(), within: Vec::new() };
        let after = match (&call.argument, &call.filter) {
            (None, None) => stages.aggregate(pl::len()).cast(DataType::Int64),
            (None, Some(_)) => count(&mut stages, call, &Expr::integer(1), what),
            (Some(argument), _) => of_argument(&mut stages, call, argument, what, ties),
        };
        let (before, within) = (stages.before, stages.within);
        Partial { column: name, before, within, after }
    }
}

/// The argument, NULL where the filter is not true; a fault fails the query.
fn masked(call: &Call, argument: &Expr, what: &str) -> pl::Expr {
    let masked = match &call.filter {
        None => argument.clone(),
        Some(filter) => Expr::new(argument.ty.clone(), Node::Case(vec![(filter.clone(), argument.clone())], None)),
    };
    masked.lower().strict(what)
}

fn count(stages: &mut Stages<'_>, call: &Call, argument: &Expr, what: &str) -> pl::Expr {
    let x = stages.prepare(masked(call, argument, what));
    stages.aggregate(x.count()).cast(DataType::Int64)
}

fn of_argument(stages: &mut Stages<'_>, call: &Call, argument: &Expr, what: &str, ties: &[&str]) -> pl::Expr {
    let ty = &argument.ty;
    match call.function {
        Function::Rows | Function::Count => count(stages, call, argument, what),
        Function::CountDistinct => {
            let x = stages.prepare(masked(call, argument, what));
            let distinct = stages.aggregate(x.clone().n_unique());
            let nulls = stages.aggregate(x.null_count());
            finish::distinct(distinct, nulls)
        }
        Function::Sum | Function::Avg => {
            let x = stages.prepare(masked(call, argument, what));
            sum_or_average(stages, call.function, x, ty, what)
        }
        Function::Min | Function::BoolAnd => {
            let x = stages.prepare(masked(call, argument, what));
            stages.aggregate(x.min())
        }
        Function::Max | Function::BoolOr => {
            let x = stages.prepare(masked(call, argument, what));
            if !ty.is_floating() {
                return stages.aggregate(x.max());
            }
            // Polars' max passes over NaN, which is greater than any other
            let nan = x.clone().is_nan();
            let (greatest, nan) = (stages.aggregate(x.max()), stages.aggregate(nan.max()));
            pl::when(nan).then(pl::lit(f64::NAN).cast(ty.to_polars())).otherwise(greatest)
        }
        Function::Median => {
            let x = stages.prepare(masked(call, argument, what));
            let (count, list) = (stages.aggregate(x.clone().count()), stages.aggregate(x.implode(false)));
            finish::median(list, count, ty).strict(what)
        }
        Function::Stddev => {
            let x = stages.prepare(masked(call, argument, what));
            let (count, deviation) = (stages.aggregate(x.clone().count()), stages.aggregate(x.std(1)));
            finish::deviation(count, deviation).strict(what)
        }
        Function::First => {
            let x = stages.prepare(masked(call, argument, what));
            let key = stages.prepare(key(call, ties, what));
            stages.aggregate(x.min_by(key))
        }
    }
}

fn sum_or_average(stages: &mut Stages<'_>, function: Function, x: pl::Expr, ty: &Type, what: &str) -> pl::Expr {
    let count = stages.aggregate(x.clone().count());
    let average = function == Function::Avg;
    if ty.is_floating() {
        let sum = stages.aggregate(x.sum());
        return finish::doubles(sum, count, average).strict(what);
    }
    let (precision, scale) = match ty {
        Type::Decimal { precision, scale } => (*precision, *scale),
        _ => (19, 0),
    };
    let (high, low) = if precision <= SAFE_PRECISION {
        let wide = DataType::Decimal(38, usize::from(scale));
        let x = if ty.is_integer() { x.cast(DataType::Decimal(19, 0)) } else { x };
        (None, stages.aggregate(x.cast(wide).sum()))
    } else {
        let (high, low) = halves(x);
        (Some(stages.aggregate(high.sum())), stages.aggregate(low.sum()))
    };
    match (average, ty.is_integer()) {
        (false, true) => finish::integer_sum(low, count),
        (true, true) => finish::integer_average(low, count),
        (false, false) => finish::decimal_sum(high, low, count, scale),
        (true, false) => finish::decimal_average(high, low, count, scale),
    }
    .strict(what)
}

/// `x = high * 2^64 + low`, so that neither half's sum can leave 128 bits.
fn halves(x: pl::Expr) -> (pl::Expr, pl::Expr) {
    let wide = || DataType::Decimal(38, 0);
    let high = map1::<Exact, i128>(x.clone(), wide(), |v| Some(v >> 64));
    (high, map1::<Exact, i128>(x, wide(), |v| Some(v & i128::from(u64::MAX))))
}

/// One binary key per row whose order is that of `by`, then of the ties; NULL where the filter is not true.
fn key(call: &Call, ties: &[&str], what: &str) -> pl::Expr {
    let filter = call.filter.as_ref().map(|filter| filter.lower().strict(what));
    let filtered = filter.is_some();
    let mut descending: Vec<bool> = call.order.iter().map(|order| order.descending).collect();
    let mut nulls_last: Vec<bool> = call.order.iter().map(|order| !order.nulls_first).collect();
    descending.resize(call.order.len() + ties.len(), call.last);
    nulls_last.resize(call.order.len() + ties.len(), true);
    let by = call.order.iter().map(|Order { by, .. }| by.lower().strict(what));
    let inputs = filter.into_iter().chain(by).chain(ties.iter().map(|name| column(name))).collect();
    columns(inputs, DataType::Binary, move |columns: &[Column]| {
        let (filter, by) = columns.split_at(usize::from(filtered));
        let encoded = pl::row_encode::_get_rows_encoded_ca("key".into(), by, &descending, &nulls_last, false)?;
        let encoded = encoded.into_series().cast(&DataType::Binary)?;
        match filter.first() {
            None => Ok(encoded),
            Some(filter) => {
                let none = pl::Series::full_null("key".into(), encoded.len(), &DataType::Binary);
                encoded.zip_with(filter.as_materialized_series().bool()?, &none)
            }
        }
    })
}
