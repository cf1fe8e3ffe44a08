//! Rows for people: the first of a table, the answer to a question.

use polars::prelude::DataFrame;

use super::error::{Error, Result};
use super::{damage, stream};
use crate::delta::{self, Lake, Snapshot};
use crate::project::Project;

/// The first `limit` rows of a version.
pub async fn head(snapshot: &Snapshot, limit: usize) -> Result<DataFrame> {
    let frame = match snapshot.scan() {
        Ok(frame) => frame.limit(u32::try_from(limit).unwrap_or(u32::MAX)),
        Err(error) => return Err(why(snapshot, error.into()).await),
    };
    match tokio::task::spawn_blocking(move || stream::collect(frame)).await? {
        Ok(rows) => Ok(rows),
        Err(error) => Err(why(snapshot, error).await),
    }
}

/// Why a version could not be read: that a vacuum has deleted files of it says more than the store's words.
async fn why(snapshot: &Snapshot, error: Error) -> Error {
    if let Ok(Some(damage)) = snapshot.find_damage(&error.to_string()).await {
        return damage.into();
    }
    match snapshot.require_files().await {
        Err(gone @ delta::Error::Gone { .. }) => gone.into(),
        _ => damage::advised(error),
    }
}

/// The answer to one SQL question over all tables of the project's lake. Read only.
pub async fn query(project: &Project, sql: &str) -> Result<DataFrame> {
    let environment = &project.environment;
    let lake = Lake::open(&environment.lake, &environment.storage)?.with_memory(environment.memory());
    Ok(delta::query(&lake, &project.order, sql).await?)
}
