//! The plan of a run: looks at the lake and the landing folder, writes nothing.

use std::collections::BTreeMap;

use super::error::Result;
use super::extent::Inputs;
use super::landing;
use super::ledger::Book;
use super::look::{self, Looks};
use super::lost;
use crate::delta::{Lake, Snapshot};
use crate::name::TableName;
use crate::plan::{self, Decision, Full, LakeState, Landing, Plan, Request, Verdict, Wanted, decide};
use crate::project::{Definition, OnChange, Project, definition_hash};

/// What a run of `request` would do now.
pub async fn plan(project: &Project, request: &Request) -> Result<Plan> {
    let lake = Lake::open(&project.environment.lake, &project.environment.storage)?;
    let mut looks = look::all(project, &lake).await;
    let needed = |name: &TableName| project.inputs(name).into_iter().chain([name.clone()]);
    if let Some(error) = request.tables.iter().flat_map(needed).find_map(|name| looks.damaged.remove(&name)) {
        return Err(error);
    }
    plan_of(project, &lake, &looks, request).await
}

/// As [`plan`], of tables that were looked at and can be read.
pub(super) async fn plan_of(project: &Project, lake: &Lake, looks: &Looks, request: &Request) -> Result<Plan> {
    let Looks { snapshots, states, .. } = looks;
    let files = files(project, lake, request).await?;
    let rows = |name: &TableName, after: Option<i64>| rows_beyond(snapshots.get(name)?, after);
    let full = full(project, snapshots, states, request).await?;
    Ok(plan::plan(project, states, &files, request, &full, &rows))
}

/// The gold tables that a run would compute as a whole, as far as that is known before rows are read, and why.
async fn full(
    project: &Project,
    snapshots: &BTreeMap<TableName, Snapshot>,
    states: &LakeState,
    request: &Request,
) -> Result<Full> {
    let mut full = Full::new();
    for name in request.tables.iter().filter(|name| snapshots.contains_key(*name)) {
        let Some(table) = project.tables.get(name) else { continue };
        let Definition::Gold(derived) = &table.definition else { continue };
        let (definition, names) = (definition_hash(project, name), project.inputs(name));
        let on_change = table.definition.on_change().unwrap_or(OnChange::Rebuild);
        let wanted = Wanted { table: name, inputs: &names, definition: &definition, on_change };
        let Decision::Advance { from, mixed } = decide(wanted, states) else { continue };
        let inputs: BTreeMap<_, _> =
            names.iter().filter_map(|input| Some((input.clone(), snapshots.get(input)?.clone()))).collect();
        // what does not fit, the run will say
        let Ok(inputs) = Inputs::new(project, name, derived, &inputs) else { continue };
        let inputs = inputs.since(snapshots.get(name));
        full.extend(inputs.full(&from, mixed).await?.map(|why| (name.clone(), why)));
    }
    Ok(full)
}

async fn files(project: &Project, lake: &Lake, request: &Request) -> Result<Landing> {
    let (mut files, book) = (Landing::new(), Book::new(lake));
    for name in &request.tables {
        let Some(Definition::Bronze(source)) = project.tables.get(name).map(|t| &t.definition) else { continue };
        // the readers first, as a run does
        let readers = lost::readers(project, lake, name).await?;
        let seen = landing::look(project, &book, name, source).await?;
        lost::check(name, &readers, &seen)?;
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
