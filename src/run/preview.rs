//! The plan of a run: looks at the lake and the landing folder, writes nothing.

use super::error::Result;
use super::landing;
use super::ledger::Book;
use super::look::{self, Looks};
use crate::delta::{Lake, Snapshot};
use crate::name::TableName;
use crate::plan::{self, Landing, Plan, Request, Verdict};
use crate::project::{Definition, Project};

/// What a run of `request` would do now.
pub async fn plan(project: &Project, request: &Request) -> Result<Plan> {
    let lake = Lake::open(&project.environment.lake, &project.environment.storage)?;
    let Looks { snapshots, states, mut damaged } = look::all(project, &lake).await;
    let needed = |name: &TableName| project.inputs(name).into_iter().chain([name.clone()]);
    if let Some(error) = request.tables.iter().flat_map(needed).find_map(|name| damaged.remove(&name)) {
        return Err(error);
    }
    let files = files(project, &lake, request).await?;
    let rows = |name: &TableName, after: Option<i64>| rows_beyond(snapshots.get(name)?, after);
    Ok(plan::plan(project, &states, &files, request, &rows))
}

async fn files(project: &Project, lake: &Lake, request: &Request) -> Result<Landing> {
    let (mut files, book) = (Landing::new(), Book::new(lake));
    for name in &request.tables {
        let Some(Definition::Bronze(source)) = project.tables.get(name).map(|t| &t.definition) else { continue };
        let seen = landing::look(project, &book, name, source).await?;
        let mut judged: Vec<_> = seen.files.into_iter().map(|f| (f.stat.path, f.verdict)).collect();
        judged.extend(seen.refused.into_iter().map(|f| (f.path, Verdict::StillAside(f.reason))));
        files.insert(name.clone(), judged);
    }
    Ok(files)
}

fn rows_beyond(bronze: &Snapshot, after: Option<i64>) -> Option<u64> {
    match after {
        None => bronze.rows(),
        Some(after) => bronze.files_above("_batch", after).iter().map(crate::delta::DataFile::rows).sum(),
    }
}
