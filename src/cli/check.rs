//! `lakesmith check`

use super::args::Global;
use super::failure::{Complaint, Outcome};
use super::{ui, words};

pub fn carry_out(global: &Global) -> Outcome {
    let project = super::project(global)?;
    let warnings: Vec<Complaint> = project.warnings.iter().map(Complaint::from).collect();
    if global.json {
        ui::answer_json(&serde_json::json!({
            "project": project.name,
            "environment": project.environment.name,
            "tables": project.order,
            "warnings": warnings,
        }));
        return Ok(0);
    }
    warnings.iter().for_each(ui::print_warning);
    if !global.quiet {
        let tables = words::count(project.order.len() as u64, "table");
        let warned = match warnings.len() {
            0 => String::new(),
            n => format!(", {}", words::count(n as u64, "warning")),
        };
        ui::answer(&format!("{}: {tables}, no faults{warned}", project.name));
    }
    Ok(0)
}
