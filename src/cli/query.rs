//! `lakesmith query SQL`

use super::args::{Global, QueryArgs};
use super::failure::{Failure, Outcome};
use super::{frame, interrupt, show};
use crate::delta;
use crate::run;

pub async fn carry_out(global: &Global, args: &QueryArgs) -> Outcome {
    let project = super::project(global)?;
    let rows = interrupt::or(run::query(&project, &args.sql), "nothing was answered").await?.map_err(failure)?;
    frame::print(&rows, show::format(global, args.format));
    Ok(0)
}

/// What the question itself has wrong is a wrong command.
fn failure(error: run::Error) -> Failure {
    match error {
        run::Error::Delta(delta::Error::Query(why)) => Failure::wrong(why),
        other => other.into(),
    }
}
