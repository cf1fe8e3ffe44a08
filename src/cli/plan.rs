//! `lakesmith plan`

use serde::Serialize;

use super::args::{Global, PlanArgs};
use super::failure::Outcome;
use super::table::{Column, table};
use super::{rehearsal, ui, words};
use crate::name::TableName;
use crate::plan::{Mode, Plan, Request, Task};
use crate::report::{Action, FileNote, Rehearsal};
use crate::run;

/// Files named per table; the rest is counted.
const FILES_SHOWN: usize = 10;

pub async fn carry_out(global: &Global, args: &PlanArgs) -> Outcome {
    let project = super::project(global)?;
    super::mention_warnings(global, &project);
    let tables = super::selected(&project, &args.select.select)?;
    let request = Request { tables, ..Request::default() };
    let plan = run::plan(&project, &request).await?;
    if args.diff {
        let rehearsal = rehearsal::rehearse(global, project, &request, args.jobs).await?;
        show(global, &plan, &rehearsal);
        return Ok(rehearsal.exit_code());
    }
    if global.json {
        ui::answer_json(&plan);
    } else {
        print(&plan);
        if !global.quiet {
            ui::tell(&summary(&plan));
        }
    }
    Ok(0)
}

/// A plan, and what it would bring.
#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    plan: &'a Plan,
    #[serde(flatten)]
    rehearsal: &'a Rehearsal,
}

fn show(global: &Global, plan: &Plan, rehearsal: &Rehearsal) {
    if global.json {
        ui::answer_json(&Shown { plan, rehearsal });
    } else {
        print(plan);
        ui::answer("");
        rehearsal::print_tables(rehearsal);
    }
    rehearsal::print_remarks(global, rehearsal);
}

fn print(plan: &Plan) {
    let rows: Vec<Vec<String>> = plan.tasks.iter().map(row).collect();
    let columns = [Column::Name("table"), Column::State("action"), Column::Number("rows"), Column::Text("why")];
    ui::answer(&table(&columns, &rows, ui::width()));
    for task in &plan.tasks {
        list(&task.table, "takes in", &task.files, |file| file.path.clone());
        list(&task.table, "has set aside", &task.set_aside, |file| format!("{}: {}", file.path, file.reason));
    }
}

fn row(task: &Task) -> Vec<String> {
    let action = match (task.action, task.mode) {
        _ if task.error.is_some() => "refused".into(),
        (Action::None, _) => "–".into(),
        (action, Some(Mode::Incremental)) => format!("{} (incremental)", action.as_str()),
        (action, Some(Mode::Full)) => format!("{} (full)", action.as_str()),
        (action, None) => action.as_str().to_string(),
    };
    let rows = task.rows.map(words::thousands).unwrap_or_default();
    vec![task.table.to_string(), action, rows, task.error.clone().unwrap_or_else(|| task.why.clone())]
}

fn list(table: &TableName, what: &str, files: &[FileNote], line: impl Fn(&FileNote) -> String) {
    if files.is_empty() {
        return;
    }
    ui::answer(&format!("\n{table} {what}:"));
    files.iter().take(FILES_SHOWN).for_each(|file| ui::answer(&format!("  {}", words::clean_line(&line(file)))));
    if files.len() > FILES_SHOWN {
        ui::answer(&format!("  … and {} more", words::thousands((files.len() - FILES_SHOWN) as u64)));
    }
}

fn summary(plan: &Plan) -> String {
    let count = |f: &dyn Fn(&Task) -> bool| plan.tasks.iter().filter(|t| f(t)).count() as u64;
    let written = count(&|t| t.action != Action::None);
    let refused = count(&|t| t.error.is_some());
    let aside: u64 = plan.tasks.iter().map(|t| t.set_aside.len() as u64).sum();
    let mut parts = vec![match written {
        0 => "a run would write nothing".to_string(),
        n => format!("a run would write {n} of {}", words::count(plan.tasks.len() as u64, "table")),
    }];
    if refused > 0 {
        parts.push(format!("{refused} would fail"));
    }
    if aside > 0 {
        parts.push(format!("{} set aside", words::count(aside, "file")));
    }
    parts.join(", ")
}
