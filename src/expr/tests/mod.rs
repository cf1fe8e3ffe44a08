//! Every expression of these tests is carried out by both of Polars' engines.

mod aggregates;
mod arithmetic;
mod casts;
mod docs;
mod exact;
mod functions;
mod groups;
mod growing;
mod logic;
mod meanings;
mod reading;

use polars::prelude::{
    self as pl, DataFrame, DataType, Engine, IntoColumn as _, IntoLazy as _, NamedFrom as _, Series,
};

use super::{Column, Columns, Expr, ExprError, Settings, Type, scalar};

pub(super) const UTC: Settings = Settings { timezone: chrono_tz::Tz::UTC };

/// A frame and the types of its columns.
pub(super) struct Table {
    pub(super) frame: DataFrame,
    pub(super) columns: Columns,
}

/// Columns from SQL: each cell is an expression, cast to the type.
pub(super) fn table(columns: &[(&str, Type, &[&str])]) -> Table {
    let series = columns.iter().map(|(name, ty, cells)| {
        let cells: Vec<Series> = cells
            .iter()
            .map(|sql| {
                let e = scalar(sql, &Vec::new(), UTC).unwrap().cast(ty, UTC).unwrap();
                one_row().lazy().select([e.lower().strict(sql)]).collect().unwrap().columns()[0]
                    .as_materialized_series()
                    .clone()
            })
            .collect();
        let mut all = Series::new_empty((*name).into(), &ty.to_polars());
        for cell in cells {
            all.append(&cell.cast(&ty.to_polars()).unwrap()).unwrap();
        }
        all.into_column()
    });
    let series: Vec<_> = series.collect();
    let frame = DataFrame::new(series[0].len(), series).unwrap();
    let columns = columns.iter().map(|(name, ty, _)| Column::new(*name, ty.clone())).collect();
    Table { frame, columns }
}

fn one_row() -> DataFrame {
    DataFrame::new(1, vec![Series::new("row".into(), [1i64]).into_column()]).unwrap()
}

/// The value of each row as text, `NULL`, or `fault: …`.
pub(super) fn rows(sql: &str, table: &Table) -> Vec<String> {
    let e = scalar(sql, &table.columns, UTC).unwrap_or_else(|e| panic!("{sql}: {e:?}"));
    let in_memory = carry_out(&e, &table.frame, Engine::InMemory);
    assert_eq!(in_memory, carry_out(&e, &table.frame, Engine::Streaming), "the engines differ on {sql}");
    in_memory
}

/// Every row alone gives what it gives among others.
fn carry_out(e: &Expr, frame: &DataFrame, engine: Engine) -> Vec<String> {
    let lowered = e.lower();
    let fault = lowered.fault.unwrap_or_else(|| pl::lit(pl::NULL).cast(DataType::String));
    let out = frame
        .clone()
        .lazy()
        .with_columns([lowered.value.alias("the value"), fault.alias("the fault")])
        .collect_with_engine(engine)
        .unwrap()
        .unwrap_single();
    let (value, fault) = (out.column("the value").unwrap(), out.column("the fault").unwrap());
    assert_eq!(*value.dtype(), e.ty().to_polars(), "not the type that was promised");
    (0..frame.height())
        .map(|row| {
            let (value, fault) = (value.get(row).unwrap(), fault.get(row).unwrap());
            match fault.get_str() {
                Some(fault) => {
                    assert!(value.is_null(), "{value} beside a fault");
                    format!("fault: {fault}")
                }
                None if value.is_null() => "NULL".to_owned(),
                None => match value.get_str() {
                    Some(text) => text.to_owned(),
                    None => value.to_string(),
                },
            }
        })
        .collect()
}

/// The value of an expression without columns.
pub(super) fn value(sql: &str) -> String {
    let table = Table { frame: one_row(), columns: Vec::new() };
    rows(sql, &table).remove(0)
}

pub(super) fn type_of(sql: &str) -> String {
    scalar(sql, &Vec::new(), UTC).unwrap().ty().to_string()
}

pub(super) fn error(sql: &str, columns: &Columns) -> ExprError {
    scalar(sql, columns, UTC).expect_err(sql)
}

/// Each left side gives its right side.
pub(super) fn all(expected: &[(&str, &str)]) {
    for (sql, wanted) in expected {
        assert_eq!(value(sql), *wanted, "{sql}");
    }
}
