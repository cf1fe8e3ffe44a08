//! Whether rows that stay in a table can be read under a new schema.

use super::{Error, TableSchema};
use crate::expr::Type;

/// What a decimal can hold.
const MAX_DIGITS: u8 = 38;

/// Columns may come and grow wider; none may go or become something else while rows stay that have it. Partitions stay.
///
/// # Errors
/// [`Error::Invalid`], naming the column or the partitions.
pub(super) fn check(table: &str, before: &TableSchema, after: &TableSchema) -> Result<(), Error> {
    if before.partition_by != after.partition_by {
        return Err(Error::invalid(
            table,
            "partitions cannot change while rows stay; rebuild the table to change them",
        ));
    }
    for column in &before.columns {
        let what = match after.ty(&column.name) {
            Some(ty) if widens(&column.ty, ty) => continue,
            Some(ty) => format!(
                "the column `{}` is {} and cannot become {ty} while rows stay; rebuild the table to change it",
                column.name, column.ty
            ),
            None => {
                format!("the column `{}` would be dropped while rows stay; rebuild the table to drop it", column.name)
            }
        };
        return Err(Error::invalid(table, what));
    }
    Ok(())
}

/// Whether the scan reads values of one type as the other without loss.
pub(super) fn widens(from: &Type, to: &Type) -> bool {
    let rank = |ty: &Type| [Type::TinyInt, Type::SmallInt, Type::Int, Type::BigInt].iter().position(|t| t == ty);
    from == to
        || rank(from).zip(rank(to)).is_some_and(|(from, to)| from <= to)
        || (from, to) == (&Type::Float, &Type::Double)
}

/// The type that holds the values of both without loss: one of them, or a decimal with the digits of both.
pub fn common(a: &Type, b: &Type) -> Option<Type> {
    match (widens(a, b), widens(b, a)) {
        (true, _) => Some(b.clone()),
        (_, true) => Some(a.clone()),
        _ => {
            let ((whole, scale), (other_whole, other_scale)) = (digits(a)?, digits(b)?);
            let (whole, scale) = (whole.max(other_whole), scale.max(other_scale));
            (whole + scale <= MAX_DIGITS).then_some(Type::Decimal { precision: whole + scale, scale })
        }
    }
}

/// Digits before and after the point.
fn digits(ty: &Type) -> Option<(u8, u8)> {
    match ty {
        Type::TinyInt => Some((3, 0)),
        Type::SmallInt => Some((5, 0)),
        Type::Int => Some((10, 0)),
        Type::BigInt => Some((19, 0)),
        Type::Decimal { precision, scale } => Some((precision - scale, *scale)),
        _ => None,
    }
}
