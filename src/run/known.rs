//! The columns of bronze tables, told to a project that is being read.

use tokio::runtime::Handle;
use tokio::task::block_in_place;

use super::error::Result;
use super::intake::own_columns;
use super::protocol::folder;
use crate::bronze::{self, Landing};
use crate::bucket;
use crate::delta::{Lake, Snapshot};
use crate::expr::Columns;
use crate::project::{Format, Question};

/// By the files in the landing folder alone; does not touch the lake.
pub fn columns_from_landing(question: &Question) -> Option<Columns> {
    with_files(question, &Columns::new())
}

/// By the bronze table and the files in the landing folder. Of Parquet the table's types count, whatever lies in the
/// landing folder now: they are part of the definitions of the tables above. Text has but one type, so the table is
/// opened only where the files do not tell enough; but files in a bucket cost a request each, and the table goes first.
///
/// Blocks; within a multi-thread Tokio runtime only.
///
/// # Errors
/// The lake or the table cannot be opened.
pub fn columns_from_lake(question: &Question) -> Result<Option<Columns>> {
    block_in_place(|| {
        let enough = |columns: &Columns| !columns.is_empty() && (question.enough)(columns);
        match question.source.format {
            Format::Ndjson => Ok(columns_from_landing(question)),
            Format::Csv(_) if !bucket::is_url(&question.environment.landing) => match columns_from_landing(question) {
                Some(columns) if enough(&columns) => Ok(Some(columns)),
                _ => Ok(with_files(question, &stored(question)?)),
            },
            Format::Csv(_) | Format::Parquet => match stored(question)? {
                columns if enough(&columns) => Ok(Some(columns)),
                columns => Ok(with_files(question, &columns)),
            },
        }
    })
}

fn with_files(question: &Question, table: &Columns) -> Option<Columns> {
    let landing = Landing::at(&question.environment.landing, &question.environment.storage);
    bronze::known_columns(landing.ok().as_ref(), question.source, table)
}

/// The columns of the bronze table; none if there is no table yet.
fn stored(question: &Question) -> Result<Columns> {
    let lake = Lake::open(&question.environment.lake, &question.environment.storage)?;
    let snapshot: Option<Snapshot> = Handle::current().block_on(lake.table(&folder(question.table)).snapshot())?;
    Ok(snapshot.map(|snapshot| own_columns(snapshot.schema())).unwrap_or_default())
}
