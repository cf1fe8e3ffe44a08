//! `lakesmith rebuild`

use std::io::{BufRead, IsTerminal};

use super::args::{Global, RebuildArgs};
use super::failure::{Complaint, Failure, Outcome};
use super::{run, ui};
use crate::name::{Layer, TableName};
use crate::plan::Request;

pub async fn carry_out(global: &Global, args: &RebuildArgs) -> Outcome {
    let project = super::project(global)?;
    super::mention_warnings(global, &project);
    let mut tables = super::selected(&project, &args.select)?;
    tables.retain(|t| t.layer != Layer::Bronze);
    if tables.is_empty() {
        let error = Complaint::from("bronze tables cannot be rebuilt: everything else is rebuilt from them");
        return Err(Failure::wrong(error.with_hint("select silver or gold tables")));
    }
    if !args.yes && !confirmed(&tables)? {
        return Err(Failure::wrong("nothing was done"));
    }
    let request = Request { rebuild: tables.clone(), tables };
    run::carry_out_request(global, project, &request, args.jobs).await
}

fn confirmed(tables: &std::collections::BTreeSet<TableName>) -> Result<bool, Failure> {
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
