//! `lakesmith query SQL`

use super::args::{Global, QueryArgs};
use super::failure::Outcome;
use super::{frame, show};
use crate::run;

pub async fn carry_out(global: &Global, args: &QueryArgs) -> Outcome {
    let project = super::project(global)?;
    let rows = run::query(&project, &args.sql).await?;
    frame::print(&rows, show::format(global, args.format));
    Ok(0)
}
