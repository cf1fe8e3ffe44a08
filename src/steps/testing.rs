//! Small tables and steps for tests, in few words.

use std::collections::BTreeMap;

use polars::prelude::*;

use super::{Join, JoinKind, OnFault, Rank, Rows, SortKey, Step};
use crate::expr::{self, Column, Columns, Settings, Type};
use crate::name::{Layer, TableName};

pub(crate) fn silver(name: &str) -> TableName {
    TableName { layer: Layer::Silver, name: name.into() }
}

/// `id:bigint name:string`
pub(crate) fn columns(declared: &str) -> Columns {
    let column = |text: &str| {
        let (name, ty) = text.split_once(':').unwrap();
        let ty = match ty {
            "int" => Type::Int,
            "smallint" => Type::SmallInt,
            "bigint" => Type::BigInt,
            "string" => Type::String,
            "boolean" => Type::Boolean,
            "double" => Type::Double,
            "date" => Type::Date,
            "strings" => Type::Array(Box::new(Type::String)),
            decimal => {
                let (precision, scale) = decimal.strip_prefix("decimal").unwrap().split_once('.').unwrap();
                Type::Decimal { precision: precision.parse().unwrap(), scale: scale.parse().unwrap() }
            }
        };
        Column::new(name, ty)
    };
    declared.split_whitespace().map(column).collect()
}

/// Rows of words; `-` is NULL.
pub(crate) fn rows(declared: &str, lines: &[&str]) -> Rows {
    let columns = columns(declared);
    let cells: Vec<Vec<Option<&str>>> =
        lines.iter().map(|line| line.split_whitespace().map(|word| (word != "-").then_some(word)).collect()).collect();
    assert!(cells.iter().all(|line| line.len() == columns.len()), "a line has not {} words", columns.len());
    let text = |i: usize| cells.iter().map(|line| line[i]).collect::<Vec<Option<&str>>>();
    let series = columns.iter().enumerate().map(|(i, c)| {
        let words = Series::new(c.name.as_str().into(), text(i));
        match c.ty {
            Type::Boolean => words.str().unwrap().iter().map(|w| w.map(|w| w == "true")).collect::<BooleanChunked>(),
            _ => return words.strict_cast(&c.ty.to_polars()).unwrap().into_column(),
        }
        .with_name(c.name.as_str().into())
        .into_column()
    });
    let frame = DataFrame::new(lines.len(), series.collect()).unwrap().lazy();
    Rows { frame, columns }
}

/// The rows, in any order; both ways of carrying out a query must agree.
pub(crate) fn both(frame: &LazyFrame) -> DataFrame {
    let [memory, streaming] = [Engine::InMemory, Engine::Streaming]
        .map(|engine| frame.clone().collect_with_engine(engine).unwrap().unwrap_single());
    assert_eq!(written(&memory), written(&streaming), "in memory and streaming");
    streaming
}

/// The rows as lines like those of [`rows`], sorted.
pub(crate) fn lines(frame: &LazyFrame) -> Vec<String> {
    written(&both(frame))
}

/// What makes the query fail.
pub(crate) fn failure(frame: &LazyFrame) -> String {
    let [memory, streaming] = [Engine::InMemory, Engine::Streaming]
        .map(|engine| frame.clone().collect_with_engine(engine).map(|_| ()).unwrap_err().to_string());
    assert_eq!(memory.split('\n').next(), streaming.split('\n').next(), "in memory and streaming");
    memory
}

fn written(frame: &DataFrame) -> Vec<String> {
    let word = |value: AnyValue| match value {
        AnyValue::Null => "-".to_owned(),
        AnyValue::String(text) => text.to_owned(),
        AnyValue::StringOwned(text) => text.to_string(),
        other => other.to_string(),
    };
    let line = |i: usize| {
        let words: Vec<String> = frame.columns().iter().map(|column| word(column.get(i).unwrap())).collect();
        words.join(" ")
    };
    let mut lines: Vec<String> = (0..frame.height()).map(line).collect();
    lines.sort();
    lines
}

/// Steps over a table, each checked against the columns that those before it leave.
#[derive(Clone)]
pub(crate) struct Chain {
    pub(crate) steps: Vec<Step>,
    pub(crate) output: Columns,
    pub(crate) tables: BTreeMap<TableName, Columns>,
}

fn settings() -> Settings {
    Settings { timezone: chrono_tz::UTC }
}

impl Chain {
    pub(crate) fn over(input: &str) -> Self {
        Chain { steps: Vec::new(), output: columns(input), tables: BTreeMap::new() }
    }

    /// Another table, which later steps may bring in.
    pub(crate) fn beside(mut self, name: &str, declared: &str) -> Self {
        self.tables.insert(silver(name), columns(declared));
        self
    }

    pub(crate) fn push(mut self, step: Step) -> Self {
        self.output = step.output(&self.output, &|name| self.tables.get(name).cloned()).unwrap();
        self.steps.push(step);
        self
    }

    pub(crate) fn scalar(&self, sql: &str) -> expr::Expr {
        expr::scalar(sql, &self.output, settings()).unwrap()
    }

    pub(crate) fn named(&self, exprs: &[(&str, &str)]) -> Vec<(String, expr::Expr)> {
        exprs.iter().map(|(name, sql)| ((*name).to_owned(), self.scalar(sql))).collect()
    }

    pub(crate) fn derive(self, exprs: &[(&str, &str)]) -> Self {
        let step = Step::Derive(self.named(exprs));
        self.push(step)
    }

    pub(crate) fn select(self, exprs: &[(&str, &str)]) -> Self {
        let step = Step::Select(self.named(exprs));
        self.push(step)
    }

    pub(crate) fn filter(self, sql: &str) -> Self {
        let step = Step::Where(self.scalar(sql));
        self.push(step)
    }

    pub(crate) fn having(self, sql: &str) -> Self {
        let step = Step::Having(self.scalar(sql));
        self.push(step)
    }

    pub(crate) fn union(self, table: &str) -> Self {
        self.push(Step::Union(silver(table)))
    }

    pub(crate) fn join(self, how: JoinKind, with: &str, on: &[(&str, &str)], columns: &[(&str, &str)]) -> Self {
        self.push(join(how, with, on, columns))
    }

    pub(crate) fn group_by(self, keys: &[(&str, &str)], aggregate: &[(&str, &str)]) -> Self {
        let aggregate = aggregate
            .iter()
            .map(|(name, sql)| ((*name).to_owned(), expr::aggregate(sql, &self.output, settings()).unwrap()))
            .collect();
        let step = Step::GroupBy { keys: self.named(keys), aggregate };
        self.push(step)
    }

    /// The steps applied, step by step, to `first`.
    pub(crate) fn apply(&self, first: Rows, tables: &[(&str, Rows)]) -> LazyFrame {
        let table = |name: &TableName| tables.iter().find(|(n, _)| silver(n) == *name).map(|(_, rows)| rows.clone());
        let mut rows = first;
        for (i, step) in self.steps.iter().enumerate() {
            rows = step.apply(i, rows, OnFault::Fail, &table).unwrap();
        }
        assert_eq!(rows.columns, self.output);
        let schema = rows.frame.clone().collect_schema().unwrap();
        let types: Vec<DataType> = rows.columns.iter().map(|c| c.ty.to_polars()).collect();
        assert_eq!(schema.iter_values().cloned().collect::<Vec<_>>(), types, "the types that were announced");
        rows.frame
    }
}

pub(crate) fn pairs(names: &[(&str, &str)]) -> Vec<(String, String)> {
    names.iter().map(|(l, r)| ((*l).to_owned(), (*r).to_owned())).collect()
}

pub(crate) fn join(how: JoinKind, with: &str, on: &[(&str, &str)], columns: &[(&str, &str)]) -> Step {
    Step::Join(Join { with: silver(with), on: pairs(on), how, columns: pairs(columns) })
}

/// `rank("amount:desc name:asc", "region", "position")`
pub(crate) fn rank(by: &str, within: &str, name: &str) -> Step {
    let key = |text: &str| {
        let (column, way) = text.split_once(':').unwrap();
        SortKey { column: column.into(), descending: way == "desc" }
    };
    Step::Rank(Rank {
        by: by.split_whitespace().map(key).collect(),
        within: within.split_whitespace().map(str::to_owned).collect(),
        name: name.into(),
    })
}
