//! `lakesmith rebuild`

use std::io::{BufRead, IsTerminal};

use super::args::{Global, RebuildArgs};
use super::failure::{Failure, Outcome};
use super::progress::Progress;
use super::{run, ui};
use crate::name::{Layer, TableName};
use crate::plan::Request;
use crate::run::Run;

pub async fn carry_out(global: &Global, args: &RebuildArgs) -> Outcome {
    let project = super::project(global)?;
    let mut tables = super::selected(&project, &args.select)?;
    tables.retain(|t| t.layer != Layer::Bronze);
    if tables.is_empty() {
        return Err(Failure::wrong("bronze is what everything is rebuilt from; select silver or gold tables"));
    }
    if !args.yes && !confirmed(&tables)? {
        return Err(Failure::wrong("nothing was done"));
    }
    let request = Request { rebuild: tables.clone(), tables };
    let progress = Progress::new(global);
    let report = Run::new(project, progress.listener())?.carry_out(&request, run::jobs(args.jobs)).await;
    progress.finish();
    Ok(run::print(global, &report))
}

fn confirmed(tables: &std::collections::BTreeSet<TableName>) -> Result<bool, Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::wrong("a rebuild publishes every row anew; say --yes where nobody can be asked"));
    }
    let names: Vec<_> = tables.iter().map(ToString::to_string).collect();
    ui::tell(&format!("Compute {} anew and publish? [y/N]", names.join(", ")));
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    Ok(matches!(line.trim(), "y" | "Y" | "yes"))
}
