//! `lakesmith show TABLE[@VERSION]`

use polars::prelude::DataFrame;

use super::args::{Format, Global, ShowArgs};
use super::failure::{Complaint, Failure, Outcome};
use super::{frame, ui, words};
use crate::delta::{At, Error, Lake, Snapshot, Table};
use crate::name::TableName;
use crate::project::Project;
use crate::run;

pub async fn carry_out(global: &Global, args: &ShowArgs) -> Outcome {
    let project = super::project(global)?;
    let lake = Lake::open(&project.environment.lake, &project.environment.storage)?;
    let (name, at) = table_at(&project, &lake, &args.table).await?;
    let snapshot = snapshot(global, &lake, &name, at).await?;
    let rows = run::head(&snapshot, args.rows.limit).await.map_err(|error| unreadable(global, &name, error))?;
    let format = format(global, args.rows.format);
    frame::print(&rows, format);
    tell_of_rest(global, &rows, snapshot.rows(), format);
    Ok(0)
}

/// `--json` is short for `--format json`.
pub fn format(global: &Global, asked: Format) -> Format {
    if global.json { Format::Json } else { asked }
}

/// Says so if there are more rows than were printed.
pub fn tell_of_rest(global: &Global, printed: &DataFrame, all: Option<u64>, format: Format) {
    let printed = printed.height() as u64;
    if let Some(all) = all.filter(|all| *all > printed && format == Format::Table && !global.quiet) {
        let (printed, all) = (words::thousands(printed), words::thousands(all));
        ui::tell(&format!("{printed} of {all} rows, in no particular order; -n shows more"));
    }
}

/// Reads `silver.orders`, `silver.orders@3`, `silver.orders@2026-11-01T00:00:00Z` or `silver.orders@before-vat-fix`,
/// which is a pin of the table.
pub async fn table_at(project: &Project, lake: &Lake, text: &str) -> Result<(TableName, Option<At>), Failure> {
    let Some((name, at)) = text.split_once('@') else { return Ok((known(project, text)?, None)) };
    let name = known(project, name)?;
    let at = version(&lake.table(&run::folder(&name)), at).await?;
    Ok((name, Some(at)))
}

/// Reads what stands behind the `@`.
pub async fn version(table: &Table, text: &str) -> Result<At, Failure> {
    table.at(text).await.map_err(|error| match error {
        Error::Gone { what, .. } => match what.split_once("; ") {
            Some((what, hint)) => Failure::wrong(Complaint::from(what).with_hint(hint)),
            None => Failure::wrong(what),
        },
        other => other.into(),
    })
}

/// A table of the project.
pub fn known(project: &Project, text: &str) -> Result<TableName, Failure> {
    let found = text.parse::<TableName>().ok().filter(|name| project.tables.contains_key(name));
    found.ok_or_else(|| {
        let names: Vec<String> = project.order.iter().map(ToString::to_string).collect();
        let hint = match (crate::project::closest(text, names.iter().map(String::as_str)), text.split_once('.')) {
            (_, Some(("lakesmith", _))) => format!("`lakesmith query` reads it: SELECT * FROM {text}"),
            (_, Some(("quarantine", name))) => format!("`lakesmith quarantine silver.{name}` shows what was refused"),
            (Some(near), _) => format!("did you mean `{near}`?"),
            (None, _) => format!("tables are {}", names.join(", ")),
        };
        Failure::wrong(Complaint::from(format!("there is no table `{text}`")).with_hint(hint))
    })
}

/// A table as it is, or as it was.
pub async fn snapshot(global: &Global, lake: &Lake, name: &TableName, at: Option<At>) -> Result<Snapshot, Failure> {
    let table = lake.table(&run::folder(name));
    let Some(newest) = table.snapshot().await? else { return Err(nothing_yet(global, name)) };
    let Some(at) = at else { return Ok(newest) };
    table.snapshot_at(&at).await.map_err(|error| unreadable(global, name, error.into()))
}

/// Why a version of a table cannot be had.
pub fn unreadable(global: &Global, name: &TableName, error: run::Error) -> Failure {
    match error {
        run::Error::Delta(Error::Gone { what, .. }) => {
            Failure::failed(Complaint::from(format!("`{name}`: {what}")).with_hint(versions(global, name)))
        }
        other => other.into(),
    }
}

fn versions(global: &Global, name: &TableName) -> String {
    format!("its versions: {}", ui::command(global, &format!("history {name}")))
}

/// No run has made the table.
pub fn nothing_yet(global: &Global, name: &TableName) -> Failure {
    let hint = format!("to make it: {}", ui::command(global, &format!("run +{name}")));
    Failure::failed(Complaint::from(format!("`{name}` has not been made yet")).with_hint(hint))
}
