//! SQL over all tables, for reading: DataFusion with a catalog of the lake and nothing else.

mod catalog;
mod checked;
mod refusal;
mod result;

use std::sync::Arc;

use arrow::error::ArrowError;
use deltalake::datafusion::error::DataFusionError;
use deltalake::datafusion::execution::context::SQLOptions;
use deltalake::datafusion::execution::memory_pool::FairSpillPool;
use deltalake::datafusion::execution::runtime_env::RuntimeEnvBuilder;
use deltalake::datafusion::prelude::{SessionConfig, SessionContext};
use polars::prelude::DataFrame;
use sqlparser::dialect::GenericDialect;
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, Tokenizer};

use self::catalog::{CATALOG, Layers};
use super::damage::with_advice;
use super::{Error, Lake};
use crate::memory::Memory;
use crate::name::TableName;

const MAX_OPERATORS: usize = 1_000;

/// Runs one SELECT (or EXPLAIN, SHOW TABLES, DESCRIBE) over the lake. Its schemas are `bronze`, `silver` and `gold`,
/// which hold `tables`, `quarantine` with a table for each silver one, and `lakesmith` with `ledger` and `runs`. A table
/// is opened when the query names it, at its newest version or at that of `silver."orders@3"` or
/// `silver."orders@2026-11-01T00:00:00Z"`. Names are case-sensitive. Must run within Tokio.
///
/// # Errors
/// [`Error::Query`] if the statement is none that only reads, names something that is not there, or fails;
/// [`Error::Gone`] for a version that cannot be had; [`Error::Memory`] where the lake's memory is not enough even though
/// what can be is spilled to the system's folder for temporary files.
pub async fn query(lake: &Lake, tables: &[TableName], sql: &str) -> Result<DataFrame, Error> {
    shallow(sql)?;
    if let Some(refusal) = refusal::of(sql) {
        return Err(Error::Query(refusal));
    }
    let layers = Arc::new(Layers::new(lake, tables));
    let session = session(&layers, lake.memory())?;
    let reads_only = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
    let planned = session.sql_with_options(sql, reads_only).await;
    let answer = planned.map_err(|error| layers.take_failure().unwrap_or_else(|| refused(&error)))?;
    let schema = Arc::clone(answer.schema().inner());
    match answer.collect().await {
        Ok(batches) => result::frame(&schema, &batches),
        Err(error) => {
            let cause = failed(lake, &error);
            Err(layers.find_damage(&cause).await.unwrap_or_else(|| advised(cause)))
        }
    }
}

/// More operators than anyone writes are refused: each may be a level of a tree that is walked recursively.
fn shallow(sql: &str) -> Result<(), Error> {
    let Ok(tokens) = Tokenizer::new(&GenericDialect {}, sql).tokenize() else { return Ok(()) };
    let operator = |token: &&Token| match token {
        Token::Whitespace(_) | Token::Comma | Token::Period | Token::EOF => false,
        Token::LParen | Token::RParen | Token::Number(..) | Token::SingleQuotedString(_) => false,
        Token::Word(word) => word.keyword != Keyword::NoKeyword,
        _ => true,
    };
    match tokens.iter().filter(operator).count() {
        0..=MAX_OPERATORS => Ok(()),
        many => Err(Error::Query(format!("the query has {many} operators and keywords; at most {MAX_OPERATORS}"))),
    }
}

fn session(layers: &Arc<Layers>, memory: Memory) -> Result<SessionContext, Error> {
    let pool = FairSpillPool::new(usize::try_from(memory.to_hold().bytes()).unwrap_or(usize::MAX));
    let runtime = RuntimeEnvBuilder::new().with_memory_pool(Arc::new(pool)).build_arc();
    let runtime = runtime.map_err(|error| Error::Query(text(&error)))?;
    let config = SessionConfig::new()
        .with_create_default_catalog_and_schema(false)
        .with_default_catalog_and_schema(CATALOG, "")
        .with_information_schema(true)
        .set_bool("datafusion.sql_parser.enable_ident_normalization", false);
    let session = SessionContext::new_with_config_rt(config, runtime);
    session.register_catalog(CATALOG, Arc::clone(layers) as _);
    session.add_analyzer_rule(Arc::new(checked::Checked));
    Ok(session)
}

/// Why a statement was not even planned.
fn refused(error: &DataFusionError) -> Error {
    let text = text(error);
    let refusal =
        text.split_once(" not supported: ").is_some_and(|(kind, _)| ["DDL", "DML", "Statement"].contains(&kind));
    Error::Query(if refusal { refusal::READS_ONLY.to_owned() } else { text })
}

/// What the lake has wrong is not the question's fault.
fn failed(lake: &Lake, error: &DataFusionError) -> Error {
    match error.find_root() {
        DataFusionError::ArrowError(cause, _)
            if matches!(**cause, ArrowError::ParquetError(_) | ArrowError::IoError(..)) =>
        {
            Error::Storage { location: lake.url().to_string(), what: text(error) }
        }
        DataFusionError::ObjectStore(_) | DataFusionError::ParquetError(_) | DataFusionError::IoError(_) => {
            Error::Storage { location: lake.url().to_string(), what: text(error) }
        }
        DataFusionError::ResourcesExhausted(_) => Error::Memory(format!(
            "the answer takes more memory than there is to work with ({}), though what can be is put on disk; \
             `--memory SIZE` gives more",
            lake.memory()
        )),
        _ => Error::Query(text(error)),
    }
}

/// The cause, with what can be done to know more.
fn advised(cause: Error) -> Error {
    match cause {
        Error::Storage { location, what } => {
            let what = with_advice(&what).unwrap_or(what);
            Error::Storage { location, what }
        }
        other => other,
    }
}

/// What DataFusion calls its errors says nothing to people.
const KINDS: [&str; 9] = [
    "Error during planning: ",
    "Execution error: ",
    "Arrow error: ",
    "External error: ",
    "Schema error: ",
    "This feature is not implemented: ",
    "Invalid or Unsupported Configuration: ",
    "sql parser error: ",
    "Parquet error: ",
];

/// What Arrow says of a number that does not fit.
const OVERFLOW: [&str; 4] = ["is out of range", "is too large to store", "verflow", "value to type"];

fn text(error: &DataFusionError) -> String {
    let text = match error.find_root() {
        DataFusionError::SQL(error, _) => error.to_string(),
        other => other.strip_backtrace(),
    };
    let text = KINDS.iter().fold(text.as_str(), |text, kind| text.strip_prefix(kind).unwrap_or(text));
    match OVERFLOW.iter().any(|sign| text.contains(sign)) {
        true => format!("{text}: it is more than its type holds; cast to decimal(38, 0) or double for more"),
        false => text.to_owned(),
    }
}

#[cfg(test)]
mod tests;
