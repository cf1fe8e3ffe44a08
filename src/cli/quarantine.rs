//! `lakesmith quarantine TABLE`

use polars::prelude::{AnyValue, DataFrame};

use super::args::{Format, Global, QuarantineArgs};
use super::failure::{Failure, Outcome};
use super::table::{Column, records};
use super::{frame, show, ui};
use crate::delta::Lake;
use crate::name::Layer;
use crate::project::Definition;
use crate::run;

pub async fn carry_out(global: &Global, args: &QuarantineArgs) -> Outcome {
    let project = super::project(global)?;
    let name = show::known(&project, &args.table)?;
    if !matches!(project.tables.get(&name).map(|t| &t.definition), Some(Definition::Silver(_))) {
        let silver: Vec<_> = project.order.iter().filter(|t| t.layer == Layer::Silver).map(|t| t.to_string()).collect();
        let error = super::failure::Complaint::from(format!("`{name}` has no quarantine"))
            .with_hint(format!("silver tables that read bronze refuse rows; silver tables are {}", silver.join(", ")));
        return Err(Failure::wrong(error));
    }
    let lake = Lake::open(&project.environment.lake, &project.environment.storage)?;
    let format = show::format(global, args.rows.format);
    let snapshot = run::quarantined(&lake, &name).await?;
    let Some(snapshot) = snapshot.filter(|s| s.rows() != Some(0)) else {
        match format {
            Format::Json => ui::answer("[]"),
            _ if global.quiet => {}
            _ => ui::tell(&format!("`{name}` has refused no row")),
        }
        return Ok(0);
    };
    let rows = run::head(&snapshot, args.rows.limit).await?;
    match format {
        Format::Table => print(&rows),
        other => frame::print(&rows, other),
    }
    show::tell_of_rest(global, &rows, snapshot.rows(), format);
    Ok(0)
}

/// For people: where the row stands, why it was refused, and the row. CSV and JSON have the other columns too.
fn print(rows: &DataFrame) {
    let values = |name: &str| -> Vec<String> {
        let Ok(column) = rows.column(name) else { return vec![String::new(); rows.height()] };
        (0..rows.height()).map(|i| column.get(i).map(|v| value(name, &v)).unwrap_or_default()).collect()
    };
    let columns = [
        Column::Number("batch"),
        Column::Name("file"),
        Column::Number("row"),
        Column::Text("reasons"),
        Column::Text("as received"),
    ];
    let shown = ["_batch", "_source_file", "_source_row", "_reasons", "_row"].map(values);
    let lines: Vec<Vec<String>> = (0..rows.height()).map(|i| shown.iter().map(|c| c[i].clone()).collect()).collect();
    ui::answer(&records(&columns, &lines, ui::width()));
}

fn value(column: &str, value: &AnyValue<'_>) -> String {
    if column == "_reasons" { reasons(&frame::to_json(value)) } else { frame::shown(value) }
}

/// `[{"column": "amount", "rule": "type", "value": "1.005"}]` as `amount: type '1.005'`.
fn reasons(json: &serde_json::Value) -> String {
    let one = |reason: &serde_json::Value| {
        let text = |key: &str| reason.get(key).and_then(serde_json::Value::as_str);
        let column = text("column").map(|c| format!("{c}: ")).unwrap_or_default();
        let value = text("value").map(|v| format!(" '{v}'")).unwrap_or_default();
        format!("{column}{}{value}", text("rule").unwrap_or_default())
    };
    json.as_array().map(|all| all.iter().map(one).collect::<Vec<_>>().join("; ")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_read_easily() {
        let json = serde_json::json!([
            { "column": "amount", "rule": "type", "value": "1.005" },
            { "column": "id", "rule": "required", "value": null },
            { "column": null, "rule": "malformed", "value": "4" },
        ]);
        assert_eq!(reasons(&json), "amount: type '1.005'; id: required; malformed '4'");
    }
}
