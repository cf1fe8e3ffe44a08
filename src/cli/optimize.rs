//! `lakesmith optimize`

use super::args::{Global, OptimizeArgs};
use super::failure::{Complaint, Outcome};
use super::progress::Progress;
use super::table::{Column, table};
use super::{interrupt, run, ui, words};
use crate::report::{Action, BeforeAfter, OptimizeReport, Optimized, Status};
use crate::run::Run;

pub async fn carry_out(global: &Global, args: &OptimizeArgs) -> Outcome {
    let project = super::project(global)?;
    let tables = super::selected(&project, &args.select.select)?;
    let progress = Progress::new(global);
    let run = Run::new(project, progress.listener())?;
    let work = run.clone().optimize(&tables, args.z_order.as_deref(), run::at_once(args.jobs));
    let report = interrupt::or_done(work).await;
    progress.finish();
    let report = report?;
    print(global, &report);
    Ok(report.exit_code())
}

fn print(global: &Global, report: &OptimizeReport) {
    let for_people = !global.json && !global.quiet;
    if global.json {
        ui::answer_json(report);
    } else if for_people {
        let columns = [
            Column::Name("table"),
            Column::Number("version"),
            Column::Text("files"),
            Column::Text("size"),
            Column::Number("seconds"),
        ];
        ui::answer(&table(&columns, &report.tables.iter().map(row).collect::<Vec<_>>(), ui::width()));
    }
    for table in &report.tables {
        if let Some(error) = &table.error {
            let folder = format!("{}: ", table.table.replacen('.', "/", 1));
            let error = error.strip_prefix(&folder).unwrap_or(error);
            ui::print_error(&Complaint::from(format!("`{}`: {error}", table.table)));
        }
    }
    if for_people {
        let rewritten = report.tables.iter().filter(|table| table.status == Status::Succeeded).count() as u64;
        let all = words::count(report.tables.len() as u64, "table");
        ui::tell(&match report.status {
            Status::Unchanged => format!("run {}: nothing to do", report.run_id),
            _ => format!("run {}: {rewritten} of {all} rewritten", report.run_id),
        });
    }
}

fn row(table: &Optimized) -> Vec<String> {
    let change = |change: BeforeAfter, shown: fn(u64) -> String| match (table.status, table.action) {
        (Status::Failed, _) => "failed".to_owned(),
        (_, Action::None) => shown(change.after),
        _ => format!("{} → {}", shown(change.before), shown(change.after)),
    };
    let files = match (&table.note, table.version) {
        (Some(note), None) => note.clone(),
        _ => change(table.files, words::thousands),
    };
    let size = if table.version.is_some() { change(table.bytes, words::bytes) } else { String::new() };
    let version = table.version.map(|v| v.to_string()).unwrap_or_default();
    vec![table.table.clone(), version, files, size, format!("{:.2}", table.seconds)]
}
