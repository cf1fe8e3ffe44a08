//! What an aggregate's parts make together: checked, and NULL where there was no value.

use polars::prelude as pl;
use polars::prelude::{DataType, PolarsResult, Series};

use super::super::decimal;
use super::super::kernel::{Double, Exact, Long, Output as _, columns, map2, map3};
use super::super::lower::{Lowered, finite, overflow_if};
use super::super::types::Type;

/// NULL is no value, but Polars counts it as one.
pub(super) fn distinct(distinct: pl::Expr, nulls: pl::Expr) -> pl::Expr {
    map2::<Long, Long, i64>((distinct, nulls), DataType::Int64, |distinct, nulls| Some(distinct - nulls.min(1)))
}

pub(super) fn integer_sum(sum: pl::Expr, count: pl::Expr) -> Lowered {
    let value = map2::<Exact, Long, i64>((sum, count.clone()), DataType::Int64, |sum, count| {
        if count == 0 { None } else { i64::try_from(sum).ok() }
    });
    overflow_if(value, nonzero(count))
}

#[allow(clippy::cast_precision_loss)]
pub(super) fn integer_average(sum: pl::Expr, count: pl::Expr) -> Lowered {
    let value = map2::<Exact, Long, f64>((sum, count), DataType::Float64, |sum, count| {
        if count == 0 { None } else { finite(decimal::to_double(sum, 0) / count as f64) }
    });
    Lowered { value, fault: None }
}

#[allow(clippy::cast_precision_loss)]
pub(super) fn doubles(sum: pl::Expr, count: pl::Expr, average: bool) -> Lowered {
    let value = map2::<Double, Long, f64>((sum, count.clone()), DataType::Float64, move |sum, count| match count {
        0 => None,
        _ if average => finite(sum / count as f64),
        _ => finite(sum),
    });
    overflow_if(value, nonzero(count))
}

pub(super) fn decimal_sum(high: Option<pl::Expr>, low: pl::Expr, count: pl::Expr, scale: u8) -> Lowered {
    let to = Type::Decimal { precision: 38, scale }.to_polars();
    let value = map3::<Exact, Exact, Long, i128>((high_or_zero(high), low, count.clone()), to, |high, low, count| {
        if count == 0 { None } else { whole(high, low) }
    });
    overflow_if(value, nonzero(count))
}

pub(super) fn decimal_average(high: Option<pl::Expr>, low: pl::Expr, count: pl::Expr, scale: u8) -> Lowered {
    let places = (scale + 6).min(37).max(scale);
    let to = Type::Decimal { precision: 38, scale: places }.to_polars();
    let shift = u32::from(places - scale);
    let inputs = (high_or_zero(high), low, count.clone());
    let value = map3::<Exact, Exact, Long, i128>(inputs, to, move |high, low, count| {
        decimal::divide(whole(high, low)?, i128::from(count), shift)
    });
    overflow_if(value, nonzero(count))
}

fn high_or_zero(high: Option<pl::Expr>) -> pl::Expr {
    high.unwrap_or_else(|| pl::lit(pl::Scalar::new(DataType::Decimal(38, 0), pl::AnyValue::Decimal(0, 38, 0))))
}

/// `high * 2^64 + low`, if it has at most 38 digits.
fn whole(high: i128, low: i128) -> Option<i128> {
    high.checked_mul(1 << 64)?.checked_add(low).filter(|sum| decimal::fits(*sum, decimal::MAX_PRECISION))
}

fn nonzero(count: pl::Expr) -> pl::Expr {
    count.gt(pl::lit(0))
}

/// One value has no deviation.
pub(super) fn deviation(count: pl::Expr, deviation: pl::Expr) -> Lowered {
    let several = count.clone().gt(pl::lit(1));
    let value = map2::<Double, Long, f64>((deviation, count), DataType::Float64, |deviation, count| {
        if count < 2 { None } else { finite(deviation) }
    });
    overflow_if(value, several)
}

/// The middle of each list, or half way between the two in the middle.
pub(super) fn median(list: pl::Expr, count: pl::Expr, ty: &Type) -> Lowered {
    let (ty, to) = (
        ty.clone(),
        match ty {
            Type::Decimal { scale, .. } => Type::Decimal { precision: 38, scale: scale + 1 }.to_polars(),
            _ => DataType::Float64,
        },
    );
    let value = columns(vec![list], to.clone(), move |columns| {
        let lists = columns[0].as_materialized_series().list()?;
        if let Type::Decimal { .. } = ty {
            let middles: PolarsResult<Vec<Option<i128>>> = lists
                .amortized_iter()
                .map(|list| list.map_or(Ok(None), |list| middle_decimal(list.as_ref())))
                .collect();
            return i128::column(middles?.into_iter(), &to);
        }
        let middles: PolarsResult<Vec<Option<f64>>> =
            lists.amortized_iter().map(|list| list.map_or(Ok(None), |list| middle_double(list.as_ref()))).collect();
        f64::column(middles?.into_iter(), &to)
    });
    overflow_if(value, nonzero(count))
}

fn middle_decimal(list: &Series) -> PolarsResult<Option<i128>> {
    let mut cells: Vec<i128> = list.drop_nulls().to_physical_repr().i128()?.into_no_null_iter().collect();
    cells.sort_unstable();
    let half = cells.len() / 2;
    Ok(match (cells.len() % 2, cells.get(half), half.checked_sub(1).and_then(|at| cells.get(at))) {
        (1, Some(middle), _) => middle.checked_mul(10),
        (_, Some(above), Some(below)) => above.checked_add(*below).and_then(|both| both.checked_mul(5)),
        _ => None,
    }
    .filter(|middle| decimal::fits(*middle, decimal::MAX_PRECISION)))
}

fn middle_double(list: &Series) -> PolarsResult<Option<f64>> {
    let mut cells: Vec<f64> = list.drop_nulls().cast(&DataType::Float64)?.f64()?.into_no_null_iter().collect();
    cells.sort_unstable_by(f64::total_cmp);
    let half = cells.len() / 2;
    Ok(match (cells.len() % 2, cells.get(half), half.checked_sub(1).and_then(|at| cells.get(at))) {
        (1, Some(middle), _) => finite(*middle),
        (_, Some(above), Some(below)) => finite(above / 2.0 + below / 2.0),
        _ => None,
    })
}
