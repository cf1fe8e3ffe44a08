//! `lakesmith run`

use super::args::{Global, RunArgs};
use super::failure::Outcome;
use super::progress::Progress;
use super::ui;
use crate::plan::Request;
use crate::report::{Action, RowCounts, RunReport, Status, TableReport};
use crate::run::Run;

pub async fn carry_out(global: &Global, args: &RunArgs) -> Outcome {
    let project = super::project(global)?;
    let tables = super::selected(&project, &args.select.select)?;
    let request = Request { tables, rebuild: Default::default() };
    let progress = Progress::new(global);
    let run = Run::new(project, progress.listener())?;
    let report = run.carry_out(&request, jobs(args.jobs)).await;
    progress.finish();
    Ok(print(global, &report))
}

/// Tables at work at once.
pub fn jobs(asked: Option<u16>) -> usize {
    asked.map_or_else(|| std::thread::available_parallelism().map_or(1, usize::from), usize::from)
}

/// Prints what a run did and gives its exit code.
pub fn print(global: &Global, report: &RunReport) -> u8 {
    if global.json {
        ui::answer_json(report);
    } else if !global.quiet {
        let rows: Vec<Vec<String>> = report.tables.iter().map(row).collect();
        let header = ["table", "action", "version", "rows", "seconds"];
        ui::answer(&ui::table(&header, &rows, &[false, false, true, false, true]));
    }
    for table in &report.tables {
        if let Some(error) = &table.error {
            ui::tell(&format!("{} `{}`: {}", ui::paint("error:", "1;31"), table.table, ui::clean(error)));
        }
    }
    if !global.json && !global.quiet {
        ui::tell(&summary(report));
    }
    report.exit_code()
}

fn row(table: &TableReport) -> Vec<String> {
    let action = match (table.status, table.action) {
        (Status::Failed, _) => "failed".into(),
        (_, Action::None) => "–".into(),
        (_, action) => action.as_str().to_string(),
    };
    let rows = match table.action {
        Action::None => table.note.clone().unwrap_or_default(),
        _ => counts(&table.rows),
    };
    let version = table.version.map(|v| v.to_string()).unwrap_or_default();
    vec![table.table.to_string(), action, version, rows, format!("{:.2}", table.seconds)]
}

fn counts(rows: &RowCounts) -> String {
    let named = [
        (rows.inserted, "inserted"),
        (rows.updated, "updated"),
        (rows.deleted, "deleted"),
        (rows.unchanged, "unchanged"),
        (rows.superseded, "superseded"),
        (rows.filtered, "filtered"),
        (rows.quarantined, "quarantined"),
    ];
    let parts: Vec<_> =
        named.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{} {word}", ui::thousands(*n))).collect();
    if parts.is_empty() { "no rows".into() } else { parts.join(", ") }
}

fn summary(report: &RunReport) -> String {
    let count = |f: &dyn Fn(&TableReport) -> bool| report.tables.iter().filter(|t| f(t)).count();
    let failed = count(&|t| t.status == Status::Failed);
    let changed = count(&TableReport::changed);
    let aside: usize = report.tables.iter().map(|t| t.files.set_aside.len()).sum();
    let mut parts = vec![format!("{changed} of {} tables written", report.tables.len())];
    if failed > 0 {
        parts.push(format!("{failed} failed"));
    }
    if aside > 0 {
        parts.push(format!("{aside} files set aside (see `lakesmith files`)"));
    }
    format!("run {}: {}", report.run_id, parts.join(", "))
}
