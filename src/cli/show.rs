//! `lakesmith show TABLE[@VERSION]`

use chrono::{DateTime, Utc};

use super::args::{Format, Global, ShowArgs};
use super::failure::{Failure, Outcome};
use super::frame;
use crate::delta::{At, Lake, Snapshot};
use crate::name::TableName;
use crate::project::Project;
use crate::run;

pub async fn carry_out(global: &Global, args: &ShowArgs) -> Outcome {
    let project = super::project(global)?;
    let lake = Lake::open(&project.environment.lake, &project.environment.storage)?;
    let (name, at) = table_at(&project, &args.table)?;
    let snapshot = snapshot(&lake, &run::folder(&name), &name.to_string(), at).await?;
    let rows = run::head(&snapshot, args.limit).await?;
    frame::print(&rows, format(global, args.format));
    Ok(0)
}

/// `--json` is short for `--format json`.
pub fn format(global: &Global, asked: Format) -> Format {
    if global.json { Format::Json } else { asked }
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
        let hint = match crate::project::closest(text, names.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("tables are {}", names.join(", ")),
        };
        Failure::wrong(format!("there is no table `{text}` in this project\nhint: {hint}"))
    })
}

fn version(text: &str) -> Result<At, Failure> {
    if let Ok(version) = text.parse::<i64>() {
        return Ok(At::Version(version));
    }
    let time = DateTime::parse_from_rfc3339(text).map(|t| t.with_timezone(&Utc)).map_err(|_| {
        Failure::wrong(format!("`@{text}` is no version: write a number or a time such as 2026-11-01T00:00:00Z"))
    })?;
    Ok(At::Time(time))
}

/// Opens a table of the lake.
pub async fn snapshot(lake: &Lake, folder: &str, name: &str, at: Option<At>) -> Result<Snapshot, Failure> {
    let table = lake.table(folder);
    let missing = || Failure::failed(format!("`{name}` has no rows yet; `lakesmith run` makes it"));
    let Some(newest) = table.snapshot().await? else { return Err(missing()) };
    match at {
        None => Ok(newest),
        Some(at) => Ok(table.snapshot_at(&at).await?),
    }
}
