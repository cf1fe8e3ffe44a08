//! `lakesmith pin`, `lakesmith unpin`

use super::args::{Global, PinArgs, UnpinArgs};
use super::failure::{Failure, Outcome};
use super::table::{Column, table};
use super::{interrupt, show, ui};
use crate::delta::Lake;
use crate::run::{self, Pinned};

pub async fn carry_out(global: &Global, args: &PinArgs) -> Outcome {
    let project = super::project(global)?;
    let lake = Lake::open(&project.environment.lake, &project.environment.storage)?;
    let (Some(text), Some(name)) = (&args.table, &args.name) else {
        let pins = run::pins(&project, &lake).await?;
        list(global, &pins);
        return Ok(0);
    };
    let (of, at) = show::table_at(&project, &lake, text).await?;
    // whether the table has been made and has such a version
    show::snapshot(global, &lake, &of, at).await?;
    let work = interrupt::or(run::pin(&lake, &of, at, name), "it may be done already; `pin` lists the pins");
    let (pinned, written) = work.await?.map_err(|error| refusal(global, &of, error))?;
    if global.json {
        let mut answer = serde_json::to_value(&pinned).unwrap_or_default();
        answer["written"] = written.into();
        ui::answer_json(&answer);
    } else if !global.quiet {
        let told = if written { "is now" } else { "was already" };
        ui::answer(&format!("{of}@{} {told} {of}@{}", pinned.version, pinned.name));
    }
    Ok(0)
}

pub async fn unpin(global: &Global, args: &UnpinArgs) -> Outcome {
    let project = super::project(global)?;
    let lake = Lake::open(&project.environment.lake, &project.environment.storage)?;
    let of = show::known(&project, &args.table)?;
    show::snapshot(global, &lake, &of, None).await?;
    let work = interrupt::or(run::unpin(&lake, &of, &args.name), "it may be done already; `pin` lists the pins");
    let pinned = work.await?.map_err(|error| refusal(global, &of, error))?;
    if global.json {
        ui::answer_json(&pinned);
    } else if !global.quiet {
        ui::answer(&format!("{of}@{} is no longer {of}@{}", pinned.version, pinned.name));
    }
    Ok(0)
}

fn refusal(global: &Global, of: &crate::name::TableName, error: run::Error) -> Failure {
    match error {
        run::Error::Refused(why) => Failure::wrong(why),
        other => show::unreadable(global, of, other),
    }
}

fn list(global: &Global, pins: &[Pinned]) {
    if global.json {
        ui::answer_json(&serde_json::json!({ "pins": pins }));
        return;
    }
    if pins.is_empty() {
        if !global.quiet {
            ui::tell(&format!("no pins; to set one: {}", ui::command(global, "pin TABLE@VERSION --as NAME")));
        }
        return;
    }
    let row = |pin: &Pinned| {
        let at = pin.pinned_at.format("%Y-%m-%d %H:%M:%S").to_string();
        vec![pin.table.to_string(), pin.version.to_string(), pin.name.clone(), at]
    };
    let rows: Vec<Vec<String>> = pins.iter().map(row).collect();
    let columns =
        [Column::Name("table"), Column::Number("version"), Column::Name("name"), Column::Name("pinned at (UTC)")];
    ui::answer(&table(&columns, &rows, ui::width()));
}
