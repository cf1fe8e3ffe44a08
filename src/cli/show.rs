//! `lakesmith show TABLE[@VERSION]`

use chrono::{DateTime, Utc};
use polars::prelude::DataFrame;

use super::args::{Format, Global, ShowArgs};
use super::failure::{Complaint, Failure, Outcome};
use super::{frame, ui, words};
use crate::delta::{At, Error, Lake, Snapshot};
use crate::name::TableName;
use crate::project::Project;
use crate::run;

pub async fn carry_out(global: &Global, args: &ShowArgs) -> Outcome {
    let project = super::project(global)?;
    let lake = Lake::open(&project.environment.lake, &project.environment.storage)?;
    let (name, at) = table_at(&project, &args.table)?;
    let snapshot = snapshot(global, &lake, &name, at).await?;
    let rows = run::head(&snapshot, args.rows.limit).await?;
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

/// Reads `silver.orders`, `silver.orders@3` or `silver.orders@2026-11-01T00:00:00Z`.
pub fn table_at(project: &Project, text: &str) -> Result<(TableName, Option<At>), Failure> {
    let (name, at) = match text.split_once('@') {
        Some((name, at)) => (name, Some(version(at)?)),
        None => (text, None),
    };
    Ok((known(project, name)?, at))
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

/// Reads what stands behind the `@`: `3`, or a time with its zone.
pub fn version(text: &str) -> Result<At, Failure> {
    if let Ok(version) = text.parse::<i64>() {
        return Ok(At::Version(version));
    }
    let time = DateTime::parse_from_rfc3339(text).map(|t| t.with_timezone(&Utc)).map_err(|_| {
        let hint = "write a number, or a time with its zone such as 2026-11-01T00:00:00Z";
        Failure::wrong(Complaint::from(format!("`@{text}` is no version")).with_hint(hint))
    })?;
    Ok(At::Time(time))
}

/// A version of a table, the newest if none is named.
pub async fn snapshot(global: &Global, lake: &Lake, name: &TableName, at: Option<At>) -> Result<Snapshot, Failure> {
    let table = lake.table(&run::folder(name));
    let Some(newest) = table.snapshot().await? else { return Err(nothing_yet(global, name)) };
    let Some(at) = at else { return Ok(newest) };
    table.snapshot_at(&at).await.map_err(|error| gone(global, name, error))
}

/// A version that is not there, or no more.
pub fn gone(global: &Global, name: &TableName, error: Error) -> Failure {
    match error {
        Error::Gone { what, .. } => {
            let hint = format!("its versions: {}", ui::command(global, &format!("history {name}")));
            Failure::failed(Complaint::from(format!("`{name}`: {what}")).with_hint(hint))
        }
        other => other.into(),
    }
}

/// No run has made the table.
pub fn nothing_yet(global: &Global, name: &TableName) -> Failure {
    let hint = format!("to make it: {}", ui::command(global, &format!("run +{name}")));
    Failure::failed(Complaint::from(format!("`{name}` has not been made yet")).with_hint(hint))
}
