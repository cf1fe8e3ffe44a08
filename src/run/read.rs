//! Rows for people: the first of a table, the answer to a question.

use polars::prelude::DataFrame;

use super::error::Result;
use super::stream;
use crate::delta::{self, Lake, Snapshot};
use crate::project::Project;

/// The first `limit` rows of a version.
pub async fn head(snapshot: &Snapshot, limit: usize) -> Result<DataFrame> {
    let frame = snapshot.scan()?.limit(u32::try_from(limit).unwrap_or(u32::MAX));
    tokio::task::spawn_blocking(move || stream::collect(frame)).await?
}

/// The answer to one SQL question over all tables of the project's lake. Read only.
pub async fn query(project: &Project, sql: &str) -> Result<DataFrame> {
    let lake = Lake::open(&project.environment.lake, &project.environment.storage)?;
    Ok(delta::query(&lake, &project.order, sql).await?)
}
