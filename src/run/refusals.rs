//! Why rows were refused, counted.

use std::collections::BTreeMap;

use super::error::Result;
use crate::delta::{self, Lake};
use crate::name::TableName;
use crate::project::Project;

/// How many rows a run has put into the quarantine of a silver table, by column (none: the row as a whole) and rule.
///
/// # Errors
/// The quarantine cannot be read.
pub async fn refusals(
    project: &Project,
    lake: &Lake,
    table: &TableName,
    run_id: &str,
) -> Result<BTreeMap<(Option<String>, String), u64>> {
    let (name, run_id) = (table.name.replace('"', "\"\""), run_id.replace('\'', "''"));
    let sql = format!(
        "SELECT reason['column'] AS col, reason['rule'] AS rule, count(*) AS n \
         FROM (SELECT unnest(_reasons) AS reason FROM quarantine.\"{name}\" WHERE _run_id = '{run_id}') GROUP BY 1, 2"
    );
    let counted = delta::query(lake, &project.order, &sql).await?;
    let (column, rule, n) =
        (counted.column("col")?.str()?, counted.column("rule")?.str()?, counted.column("n")?.i64()?);
    let each = (0..counted.height()).map(|at| {
        let rows = n.get(at).and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
        ((column.get(at).map(str::to_owned), rule.get(at).unwrap_or_default().to_owned()), rows)
    });
    Ok(each.collect())
}
