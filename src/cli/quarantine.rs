//! `lakesmith quarantine TABLE`

use super::args::{Global, QuarantineArgs};
use super::failure::{Failure, Outcome};
use super::{frame, show, ui};
use crate::delta::Lake;
use crate::project::Definition;
use crate::run;

pub async fn carry_out(global: &Global, args: &QuarantineArgs) -> Outcome {
    let project = super::project(global)?;
    let name = show::known(&project, &args.table)?;
    if !matches!(project.tables.get(&name).map(|t| &t.definition), Some(Definition::Silver(_))) {
        return Err(Failure::wrong(format!(
            "`{name}` has no quarantine: only silver tables that read bronze refuse rows"
        )));
    }
    let lake = Lake::open(&project.environment.lake, &project.environment.storage)?;
    let format = show::format(global, args.format);
    let Some(snapshot) = lake.table(&run::quarantine_folder(&name)).snapshot().await? else {
        if format == super::args::Format::Json {
            ui::answer("[]");
        } else if !global.quiet {
            ui::tell(&format!("`{name}` has refused no row"));
        }
        return Ok(0);
    };
    let rows = run::head(&snapshot, args.limit).await?;
    frame::print(&rows, format);
    Ok(0)
}
