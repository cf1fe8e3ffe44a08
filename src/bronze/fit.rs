//! Whether a file's columns go into a table's, and bringing its rows into the table's shape.

use polars::prelude::{Column as Values, DataFrame, DataType, PolarsResult, polars_bail};

use crate::expr::{Column, Columns, Type};

/// How a file's columns go into a table's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fitted {
    /// the table's columns afterwards: those that it has, then the new ones
    pub columns: Columns,
    /// the new ones
    pub added: Columns,
}

/// Fits the columns of a file to those of a table, both without the added ones. New columns widen the table, missing
/// ones are null; a narrower number goes into a wider column. A column of type null fits any, and widens nothing.
///
/// # Errors
/// The reason to set the file aside: a type that does not go into the table's without loss, a name that differs from
/// the table's in case only.
pub fn fit(file: &Columns, table: &Columns) -> Result<Fitted, String> {
    let mut added = Columns::new();
    for column in file {
        match table.iter().find(|t| t.name == column.name) {
            Some(known) if widens(&column.ty, &known.ty) => {}
            Some(known) => {
                return Err(format!("column `{}` is {}, the table has {}", column.name, column.ty, known.ty));
            }
            None => {
                let lower = column.name.to_lowercase();
                if let Some(twin) = table.iter().find(|t| t.name.to_lowercase() == lower) {
                    return Err(format!(
                        "column `{0}` differs from the table's `{1}` in case only, and no table holds both: write \
                         `{1}` in the file, or give it another name",
                        column.name, twin.name
                    ));
                }
                if column.ty != Type::Null {
                    added.push(column.clone());
                }
            }
        }
    }
    let columns = table.iter().chain(&added).cloned().collect();
    Ok(Fitted { columns, added })
}

/// Brings a frame of a file that [`fit`] was asked about into the table's shape: the columns of `table` in their order,
/// cast to their types, null where the file has none. The columns named in `keep` stand before them as they are.
///
/// # Errors
/// A value does not go into the table's type, or the table lacks a column that holds something; [`fit`] rules out both.
pub fn conform(frame: &DataFrame, table: &Columns, keep: &[&str]) -> PolarsResult<DataFrame> {
    let placed = |name: &str| keep.contains(&name) || table.iter().any(|column| column.name == name);
    if let Some(lost) = frame.columns().iter().find(|c| !placed(c.name()) && *c.dtype() != DataType::Null) {
        polars_bail!(ColumnNotFound: "the table has no column `{}`", lost.name());
    }
    let rows = frame.height();
    let kept = keep.iter().map(|name| frame.column(name).cloned());
    let cast = table.iter().map(|column| {
        let dtype = column.ty.to_polars();
        match frame.column(&column.name) {
            Ok(values) if *values.dtype() == dtype => Ok(values.clone()),
            Ok(values) => values.strict_cast(&dtype),
            Err(_) => Ok(Values::full_null(column.name.as_str().into(), rows, &dtype)),
        }
    });
    DataFrame::new(rows, kept.chain(cast).collect::<PolarsResult<_>>()?)
}

/// Whether every value of `from` is a value of `to`.
fn widens(from: &Type, to: &Type) -> bool {
    let digits = |ty: &Type| match ty {
        Type::TinyInt => 1,
        Type::SmallInt => 2,
        Type::Int => 3,
        _ => 4,
    };
    match (from, to) {
        (Type::Null, _) | (Type::Float, Type::Double) => true,
        (a, b) if a.is_integer() && b.is_integer() => digits(a) <= digits(b),
        (Type::Decimal { precision: p1, scale: s1 }, Type::Decimal { precision: p2, scale: s2 }) => {
            s1 <= s2 && p1.saturating_sub(*s1) <= p2.saturating_sub(*s2)
        }
        (Type::Array(a), Type::Array(b)) => widens(a, b),
        (Type::Struct(a), Type::Struct(b)) => same_fields(a, b),
        (a, b) => a == b,
    }
}

/// Structs do not widen: same names in the same order.
fn same_fields(from: &[Column], to: &[Column]) -> bool {
    from.len() == to.len() && from.iter().zip(to).all(|(a, b)| a.name == b.name && widens(&a.ty, &b.ty))
}

#[cfg(test)]
mod tests {
    use polars::prelude::*;

    use super::*;
    use crate::expr::Type as T;

    fn columns(list: &[(&str, T)]) -> Columns {
        list.iter().map(|(name, ty)| crate::expr::Column::new(*name, ty.clone())).collect()
    }

    fn decimal(precision: u8, scale: u8) -> T {
        T::Decimal { precision, scale }
    }

    #[test]
    fn new_columns_widen_and_missing_ones_stay() {
        let fitted = fit(
            &columns(&[("b", T::Int), ("c", T::String), ("n", T::Null)]),
            &columns(&[("a", T::String), ("b", T::BigInt)]),
        );
        let added = columns(&[("c", T::String)]);
        assert_eq!(
            fitted,
            Ok(Fitted { columns: [columns(&[("a", T::String), ("b", T::BigInt)]), added.clone()].concat(), added })
        );
    }

    #[test]
    fn what_loses_digits_does_not_fit() {
        let fits = |from: T, to: T| fit(&columns(&[("x", from)]), &columns(&[("x", to)])).is_ok();
        assert!(fits(T::TinyInt, T::Int) && fits(T::Float, T::Double) && fits(decimal(9, 2), decimal(11, 4)));
        assert!(fits(T::Null, T::Date) && fits(T::Array(Box::new(T::Int)), T::Array(Box::new(T::BigInt))));
        assert!(!fits(T::BigInt, T::Int) && !fits(T::Double, T::Float) && !fits(decimal(9, 2), decimal(9, 4)));
        assert!(!fits(T::Int, T::Double) && !fits(T::Date, T::Timestamp) && !fits(T::Int, T::String));
        assert_eq!(
            fit(&columns(&[("x", T::String)]), &columns(&[("x", T::BigInt)])),
            Err("column `x` is string, the table has bigint".to_owned())
        );
        assert_eq!(
            fit(&columns(&[("ID", T::Int)]), &columns(&[("id", T::Int)])),
            Err("column `ID` differs from the table's `id` in case only, and no table holds both: write `id` in the file, or \
                 give it another name"
                .to_owned())
        );
    }

    #[test]
    fn frames_take_the_tables_shape() {
        let frame = df!["_source_row" => [1i64, 2], "b" => [7i32, 8], "z" => ["x", "y"]].unwrap();
        let shaped =
            conform(&frame, &columns(&[("a", T::Date), ("b", T::BigInt), ("z", T::String)]), &["_source_row"]).unwrap();
        assert_eq!(shaped.get_column_names(), ["_source_row", "a", "b", "z"]);
        assert_eq!(shaped.column("b").unwrap().i64().unwrap().to_vec(), [Some(7), Some(8)]);
        assert_eq!(shaped.column("a").unwrap().null_count(), 2);
        let without = conform(&frame, &columns(&[("b", T::BigInt)]), &["_source_row"]).unwrap_err();
        assert!(without.to_string().contains("no column `z`"), "{without}");
    }
}
