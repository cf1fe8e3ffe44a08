//! `lakesmith rebuild`

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, IsTerminal};

use super::args::{Global, RebuildArgs};
use super::failure::{Complaint, Failure, Outcome};
use super::{rehearsal, run, show, ui};
use crate::delta::Lake;
use crate::name::{At, Layer, TableName};
use crate::plan::Request;
use crate::project::Project;

pub async fn carry_out(global: &Global, args: &RebuildArgs) -> Outcome {
    let project = super::project(global)?;
    super::mention_warnings(global, &project);
    let mut tables = super::selected(&project, &args.select)?;
    tables.retain(|t| t.layer != Layer::Bronze);
    if tables.is_empty() {
        let error = Complaint::from("bronze tables cannot be rebuilt: everything else is rebuilt from them");
        return Err(Failure::wrong(error.with_hint("select silver or gold tables")));
    }
    let from = from(&project, &tables, &args.from).await?;
    let request = Request { rebuild: tables.clone(), tables, from, unguarded: args.yes };
    if args.dry_run {
        let rehearsal = rehearsal::rehearse(global, project, &request, args.jobs).await?;
        rehearsal::print(global, &rehearsal);
        return Ok(rehearsal.exit_code());
    }
    if !args.yes && !confirmed(&request.tables)? {
        return Err(Failure::wrong("nothing was done"));
    }
    run::carry_out_request(global, project, (&request, "rebuild"), args.jobs).await
}

/// The versions of bronze tables to read instead of the newest.
async fn from(
    project: &Project,
    tables: &BTreeSet<TableName>,
    texts: &[String],
) -> Result<BTreeMap<TableName, At>, Failure> {
    let lake = Lake::open(&project.environment.lake, &project.environment.storage)?;
    let mut from = BTreeMap::new();
    for text in texts {
        let wrong = |why: String| Failure::wrong(Complaint::from(why).with_hint("e.g. `--from bronze.orders@12`"));
        let (name, Some(at)) = show::table_at(project, &lake, text).await? else {
            return Err(wrong(format!("`--from {text}` names no version")));
        };
        if name.layer != Layer::Bronze {
            return Err(wrong(format!("`{name}` is no bronze table: a rebuild begins with bronze")));
        }
        if !tables.iter().any(|table| project.inputs(table).contains(&name)) {
            return Err(wrong(format!("no table that is rebuilt reads `{name}`")));
        }
        if from.insert(name.clone(), at).is_some() {
            return Err(wrong(format!("`--from` names `{name}` twice")));
        }
    }
    Ok(from)
}

fn confirmed(tables: &BTreeSet<TableName>) -> Result<bool, Failure> {
    if !std::io::stdin().is_terminal() {
        let error = Complaint::from("a rebuild publishes every row anew, and there is nobody here to ask");
        return Err(Failure::wrong(error.with_hint("say --yes")));
    }
    let names: Vec<_> = tables.iter().map(ToString::to_string).collect();
    ui::tell(&format!("Compute {} anew and publish? [y/N]", names.join(", ")));
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    Ok(matches!(line.trim(), "y" | "Y" | "yes"))
}
