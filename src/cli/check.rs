//! `lakesmith check`

use super::args::Global;
use super::failure::Outcome;
use super::ui;

pub fn carry_out(global: &Global) -> Outcome {
    let project = super::project(global)?;
    if global.json {
        let warnings: Vec<String> = project.warnings.iter().map(ToString::to_string).collect();
        ui::answer_json(&serde_json::json!({
            "project": project.name,
            "environment": project.environment.name,
            "tables": project.order,
            "warnings": warnings,
        }));
    } else if !global.quiet {
        let tables = match project.order.len() {
            1 => "1 table".into(),
            n => format!("{n} tables"),
        };
        ui::answer(&format!("{}: {tables}, no faults", project.name));
    }
    Ok(0)
}
