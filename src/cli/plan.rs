//! `lakesmith plan`

use super::args::{Global, SelectArgs};
use super::failure::Outcome;
use super::ui;
use crate::name::TableName;
use crate::plan::{Mode, Plan, Request, Task};
use crate::report::Action;
use crate::run;

/// Files named per table; the rest is counted.
const FILES_SHOWN: usize = 10;

pub async fn carry_out(global: &Global, args: &SelectArgs) -> Outcome {
    let project = super::project(global)?;
    let tables = super::selected(&project, &args.select)?;
    let request = Request { tables, rebuild: Default::default() };
    let plan = run::plan(&project, &request).await?;
    if global.json {
        ui::answer_json(&plan);
    } else {
        print(&plan);
    }
    Ok(0)
}

fn print(plan: &Plan) {
    let rows: Vec<Vec<String>> = plan.tasks.iter().map(row).collect();
    ui::answer(&ui::table(&["table", "action", "rows", "why"], &rows, &[false, false, true, false]));
    for task in &plan.tasks {
        list(&task.table, "takes in", task.files.iter().map(|f| f.path.clone()).collect());
        let aside = task.set_aside.iter().map(|f| format!("{}: {}", f.path, f.reason)).collect();
        list(&task.table, "set aside", aside);
    }
}

fn row(task: &Task) -> Vec<String> {
    let action = match (task.action, task.mode) {
        (Action::None, _) => "–".into(),
        (action, Some(Mode::Incremental)) => format!("{} (incremental)", action.as_str()),
        (action, Some(Mode::Full)) => format!("{} (full)", action.as_str()),
        (action, None) => action.as_str().to_string(),
    };
    let rows = task.rows.map(ui::thousands).unwrap_or_default();
    vec![task.table.to_string(), action, rows, task.error.clone().unwrap_or_else(|| task.why.clone())]
}

fn list(table: &TableName, what: &str, lines: Vec<String>) {
    if lines.is_empty() {
        return;
    }
    ui::answer(&format!("\n{table} {what}:"));
    lines.iter().take(FILES_SHOWN).for_each(|line| ui::answer(&format!("  {}", ui::clean(line))));
    if lines.len() > FILES_SHOWN {
        ui::answer(&format!("  … and {} more", lines.len() - FILES_SHOWN));
    }
}
