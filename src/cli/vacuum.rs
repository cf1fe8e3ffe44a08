//! `lakesmith vacuum`

use std::io::{BufRead, IsTerminal};

use chrono::Utc;

use super::args::{Global, VacuumArgs};
use super::failure::{Complaint, FAILED, Failure, Outcome};
use super::table::{Column, table};
use super::{interrupt, ui, words};
use crate::delta::Lake;
use crate::report::{Keeper, KeptVersion, Status, VacuumReport, VacuumedTable};
use crate::run::{Error, Vacuum};

pub async fn carry_out(global: &Global, args: &VacuumArgs) -> Outcome {
    let project = super::project(global)?;
    let lake = Lake::open(&project.environment.lake, &project.environment.storage)?;
    let tables = super::selected(&project, &args.select.select)?;
    let records = args.select.select.is_empty();
    let (retain, force) = (args.retain, args.force);
    let vacuum = Vacuum { project, lake, tables, records, retain, force, now: Utc::now() };
    let shown = vacuum.survey().await.map_err(refusal)?;
    if args.dry_run || shown.total().0 == 0 {
        return Ok(tell(global, &VacuumReport { dry_run: args.dry_run, ..shown }));
    }
    if !args.yes && !confirmed(global, &shown)? {
        return Err(Failure::wrong("nothing was done"));
    }
    let done = interrupt::or(vacuum.carry_out(&shown), "what was deleted is gone, and no table needed it")
        .await?
        .map_err(refusal)?;
    Ok(tell(global, &done))
}

fn refusal(error: Error) -> Failure {
    match error {
        Error::Refused(why) => Failure::wrong(why),
        other => other.into(),
    }
}

/// Shows what would go, and asks.
fn confirmed(global: &Global, shown: &VacuumReport) -> Result<bool, Failure> {
    if !std::io::stdin().is_terminal() {
        let error = Complaint::from("a vacuum deletes files for good, and there is nobody here to ask");
        return Err(Failure::wrong(error.with_hint("say --yes; --dry-run shows what it would delete")));
    }
    if !global.json {
        print(shown);
    }
    let (files, bytes) = shown.total();
    let (files, bytes) = (words::count(files, "file"), words::count(bytes, "byte"));
    ui::tell(&format!("Delete {files}, {bytes}, for good? [y/N]"));
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    Ok(matches!(line.trim(), "y" | "Y" | "yes"))
}

fn tell(global: &Global, report: &VacuumReport) -> u8 {
    if global.json {
        ui::answer_json(report);
    } else {
        print(report);
    }
    for table in &report.tables {
        if let Some(error) = &table.error {
            let folder = format!("{}: ", table.table.replacen('.', "/", 1));
            let error = error.strip_prefix(&folder).unwrap_or(error);
            ui::print_error(&format!("`{}`: {error}", table.table).into());
        }
    }
    if !global.json && !global.quiet {
        ui::tell(&summary(report));
    }
    if report.status == Status::Failed { FAILED } else { 0 }
}

fn summary(report: &VacuumReport) -> String {
    let (files, bytes) = report.total();
    let lot = format!("{}, {}", words::count(files, "file"), words::count(bytes, "byte"));
    match report.dry_run {
        _ if files == 0 => "nothing to delete".into(),
        true => format!("a vacuum would delete {lot}"),
        false => format!("deleted {lot}"),
    }
}

fn print(report: &VacuumReport) {
    let made = |table: &&VacuumedTable| table.newest.is_some() || table.error.is_some();
    let rows: Vec<Vec<String>> = report.tables.iter().filter(made).map(row).collect();
    let columns = [
        Column::Name("table"),
        Column::Number(if report.dry_run { "files to delete" } else { "files deleted" }),
        Column::Number("bytes"),
        Column::Number("readable"),
        Column::Text("kept besides"),
        Column::Text("left alone"),
    ];
    ui::answer(&table(&columns, &rows, ui::width()));
}

fn row(table: &VacuumedTable) -> Vec<String> {
    let readable = match (table.oldest, table.newest) {
        (Some(oldest), Some(newest)) if oldest < newest => format!("{oldest}–{newest}"),
        (_, Some(newest)) => newest.to_string(),
        _ => String::new(),
    };
    let beyond = |kept: &&KeptVersion| table.oldest.is_none_or(|oldest| kept.version < oldest);
    let besides: Vec<String> = table.kept.iter().filter(beyond).map(keeper).collect();
    let mut left = Vec::new();
    if table.unnamed > 0 {
        left.push(format!("{} that no commit names yet", words::count(table.unnamed as u64, "file")));
    }
    if table.unknown > 0 {
        left.push(format!("{} of no known kind", words::count(table.unknown as u64, "file")));
    }
    if table.error.is_some() {
        left.push("see the error".into());
    }
    vec![
        table.table.clone(),
        words::thousands(table.files as u64),
        words::thousands(table.bytes),
        readable,
        besides.join(", "),
        left.join(", "),
    ]
}

fn keeper(kept: &KeptVersion) -> String {
    match kept.why {
        Keeper::Pin => format!("{} (pin {})", kept.version, kept.by),
        Keeper::Watermark => format!("{} (read by {})", kept.version, kept.by),
        Keeper::Silver => format!("{} (of {})", kept.version, kept.by),
    }
}
