//! Aggregates whose value over a group follows from the values over the rows that came to it and that left it.

use polars::prelude::{Column, DataType, IntoColumn, PolarsResult};

use super::super::decimal;
use super::super::kernel::{Cell, Exact, Long, Output};
use super::super::tree::Node;
use super::super::types::Type;
use super::{Aggregate, Call, Function};

/// How a value follows. Sums of doubles do not: they would drift with each change.
#[derive(Clone, Debug, PartialEq)]
pub enum Addable {
    /// `count(*)`: how many rows the group has; it is gone when it has none
    Rows,
    /// how many rows pass a filter, or have a value that is not NULL
    Count,
    /// the exact sum; NULL where no value is summed
    Sum {
        /// how many values are summed
        values: Aggregate,
    },
}

impl Aggregate {
    /// How it follows a change of its group's rows; `None`: only from all rows.
    pub fn addable(&self) -> Option<Addable> {
        let Node::Aggregate(call) = self.expr.node.as_ref() else { return None };
        match (call.function, &call.argument, &call.filter) {
            (Function::Rows, None, None) => Some(Addable::Rows),
            (Function::Rows, None, Some(_)) | (Function::Count, Some(_), _) => Some(Addable::Count),
            (Function::Sum, Some(argument), _) if !argument.ty.is_floating() => {
                let values = Call { function: Function::Count, ..call.as_ref().clone() };
                Some(Addable::Sum { values: Aggregate { expr: values.into_expr(Type::BigInt) } })
            }
            _ => None,
        }
    }
}

impl Type {
    /// Whether a whole number has room in this integer type, or among the digits of this decimal type.
    pub fn has_room(&self, value: i128) -> bool {
        match self {
            Type::Decimal { precision, .. } => decimal::fits(value, *precision),
            Type::BigInt => i64::try_from(value).is_ok(),
            _ => false,
        }
    }
}

/// The cells of a bigint or decimal column; of decimals the digits.
///
/// # Errors
/// A column of another type.
pub fn exact_cells(column: &Column) -> PolarsResult<Vec<Option<i128>>> {
    if let DataType::Decimal(..) = column.dtype() {
        return Ok(Exact::cells(&Exact::prepare(column)?)?.collect());
    }
    Ok(Long::cells(column.i64()?.clone().into_column().as_materialized_series())?.map(|v| v.map(i128::from)).collect())
}

/// A bigint or decimal column of such cells; what has no room in it is NULL.
///
/// # Errors
/// Another type.
pub fn exact_column(name: &str, cells: &[Option<i128>], ty: &Type) -> PolarsResult<Column> {
    let cells = cells.iter().copied();
    let series = match ty {
        Type::Decimal { .. } => i128::column(cells, &ty.to_polars())?,
        _ => i64::column(cells.map(|value| i64::try_from(value?).ok()), &ty.to_polars())?,
    };
    Ok(series.with_name(name.into()).into_column())
}
