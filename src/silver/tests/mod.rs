//! Every frame of these tests goes through the streaming engine, batch by batch.

mod csv;
mod model;
mod ndjson;
mod parquet;
mod places;
mod rules;
mod steps;

use polars::prelude::*;

use crate::expr::{self, Columns, Settings, Type};
use crate::name::{Layer, TableName};
use crate::project::{Contract, EventColumn, EventInput, Events, OnChange, Property, Rule};
use crate::steps::Step;

use super::{prepare, quarantine_columns, split};

const UTC: Settings = Settings { timezone: chrono_tz::Tz::UTC };

/// `silver.t` from `bronze.t`: each property from the column of its name, no steps.
fn events(input: EventInput, properties: Vec<Property>) -> Events {
    let column = |p: &Property| EventColumn { name: p.name.clone(), ty: p.ty.clone(), expr: None };
    Events {
        from: vec![TableName { layer: Layer::Bronze, name: "t".to_owned() }],
        input,
        null_values: vec![Vec::new()],
        columns: properties.iter().map(column).collect(),
        output: properties.iter().map(|p| expr::Column::new(&p.name, p.ty.clone())).collect(),
        contract: Contract { properties, ..Contract::default() },
        steps: Vec::new(),
        key: Vec::new(),
        latest_by: Vec::new(),
        event_time: None,
        partition_by: Vec::new(),
        on_change: OnChange::Rebuild,
        timezone: "UTC".to_owned(),
    }
}

fn property(name: &str, ty: Type, rules: &[Rule]) -> Property {
    Property { name: name.to_owned(), ty, rules: rules.to_vec(), description: None }
}

fn decimal(precision: u8, scale: u8) -> Type {
    Type::Decimal { precision, scale }
}

/// One verb as a user writes it: `where: x > 1`, `derive: {a: x + 1}` and `select: {a: x}` take names and expressions.
fn with_steps(mut events: Events, steps: &[(&str, &[(&str, &str)])]) -> Events {
    let mut columns: Columns = events.columns.iter().map(|c| expr::Column::new(&c.name, c.ty.clone())).collect();
    for (verb, parts) in steps {
        let read = |sql: &str| expr::scalar(sql, &columns, UTC).unwrap_or_else(|e| panic!("{sql}: {e:?}"));
        let named: Vec<_> = parts.iter().map(|(name, sql)| ((*name).to_owned(), read(sql))).collect();
        let step = match *verb {
            "where" => Step::Where(named[0].1.clone()),
            "derive" => Step::Derive(named),
            "select" => Step::Select(named),
            other => panic!("no verb {other}"),
        };
        columns = step.output(&columns, &|_| None).unwrap();
        events.steps.push(step);
    }
    events.output = columns;
    events
}

/// A bronze table: its added columns, then those of the files.
fn bronze(files: Vec<Column>, malformed: &[Option<&str>]) -> DataFrame {
    let height = files.first().map_or(malformed.len(), Column::len);
    let numbers: Vec<i64> = (1..).take(height).collect();
    let malformed: Vec<Option<&str>> = malformed.iter().copied().chain(std::iter::repeat(None)).take(height).collect();
    let mut columns = vec![
        Column::new("_batch".into(), vec![7i64; height]),
        Column::new("_source_file".into(), vec!["f"; height]),
        Column::new("_source_row".into(), numbers),
        Column::new("_malformed".into(), malformed),
    ];
    columns.extend(files);
    DataFrame::new(height, columns).unwrap()
}

/// A bronze table of one CSV file: its columns, and the texts in them.
fn csv(columns: &[(&str, &[Option<&str>])]) -> DataFrame {
    bronze(columns.iter().map(|(name, texts)| Column::new((*name).into(), texts.to_vec())).collect(), &[])
}

/// A bronze table of one NDJSON file.
fn ndjson(documents: &[&str]) -> DataFrame {
    bronze(vec![Column::new("value".into(), documents.to_vec())], &[])
}

/// The good and the refused rows.
fn judge(events: &Events, bronze: DataFrame) -> (DataFrame, DataFrame) {
    let prepared = prepare(events, 0, bronze.lazy()).unwrap();
    let judged = prepared.frame.collect_with_engine(Engine::Streaming).unwrap().unwrap_single();
    let (good, bad) = split(judged).unwrap();
    let schema = |columns: Columns| -> Vec<(PlSmallStr, DataType)> {
        columns.into_iter().map(|c| (c.name.as_str().into(), c.ty.to_polars())).collect()
    };
    let found = |frame: &DataFrame| -> Vec<(PlSmallStr, DataType)> {
        frame.columns().iter().map(|c| (c.name().clone(), c.dtype().clone())).collect()
    };
    assert_eq!(found(&good), schema(super::output_columns(events)));
    assert_eq!(found(&bad), schema(quarantine_columns())[..6]);
    (good, bad)
}

/// The values of a column as text.
fn texts(frame: &DataFrame, column: &str) -> Vec<String> {
    let column = frame.column(column).unwrap();
    (0..column.len()).map(|row| super::text::text(&column.get(row).unwrap()).unwrap_or("NULL".to_owned())).collect()
}

/// The reasons of each refused row: `column: rule (value)`.
fn reasons(bad: &DataFrame) -> Vec<String> {
    let reasons = bad.column("_reasons").unwrap().list().unwrap();
    let of_row = |row| {
        let items = reasons.get_as_series(row).unwrap();
        let fields = items.struct_().unwrap().fields_as_series();
        let text = |field: usize, item| super::text::text(&fields[field].get(item).unwrap()).unwrap_or("-".to_owned());
        let one = |item| format!("{}: {} ({})", text(0, item), text(1, item), text(2, item));
        (0..items.len()).map(one).collect::<Vec<_>>().join("; ")
    };
    (0..bad.height()).map(of_row).collect()
}

/// The reasons why the rows of one CSV column are refused, beside what the good ones became.
fn cast_texts(ty: Type, given: &[&str]) -> (Vec<String>, Vec<String>) {
    let given: Vec<Option<&str>> = given.iter().copied().map(Some).collect();
    let (good, bad) = judge(&events(EventInput::Csv, vec![property("x", ty, &[])]), csv(&[("x", &given)]));
    (texts(&good, "x"), reasons(&bad))
}
