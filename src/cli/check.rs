//! `lakesmith check`

use super::args::Global;
use super::failure::{Complaint, Failure, Outcome};
use super::{ui, words};
use crate::{project, run};

pub fn carry_out(global: &Global) -> Outcome {
    super::folder(global)?;
    let checked = project::check(&global.project, global.environment.as_deref(), &run::columns_from_landing);
    let checked = checked.map_err(|faults| Failure::project(&faults))?;
    let warnings: Vec<Complaint> = checked.warnings.iter().map(Complaint::from).collect();
    if global.json {
        ui::answer_json(&serde_json::json!({
            "project": checked.name,
            "environment": checked.environment,
            "tables": checked.order,
            "warnings": warnings,
        }));
        return Ok(0);
    }
    warnings.iter().for_each(ui::print_warning);
    if !global.quiet {
        let tables = words::count(checked.order.len() as u64, "table");
        let warned = match warnings.len() {
            0 => String::new(),
            n => format!(", {}", words::count(n as u64, "warning")),
        };
        ui::answer(&format!("{}: {tables}, no faults{warned}", checked.name));
    }
    Ok(0)
}
