//! Why rows were refused, counted.

use std::collections::BTreeMap;

use super::error::Result;
use crate::delta::{self, Lake};
use crate::name::TableName;
use crate::project::Project;

/// Rows by column (none: the row as a whole) and the rule that they broke.
pub type Refusals = BTreeMap<(Option<String>, String), u64>;

/// How many rows a run has put into the quarantine of a silver table, by the bronze table that they came from.
///
/// # Errors
/// The quarantine cannot be read.
pub async fn refusals(
    project: &Project,
    lake: &Lake,
    table: &TableName,
    run_id: &str,
) -> Result<BTreeMap<String, Refusals>> {
    let (name, run_id) = (table.name.replace('"', "\"\""), run_id.replace('\'', "''"));
    let sql = format!(
        "SELECT source, reason['column'] AS col, reason['rule'] AS rule, count(*) AS n \
         FROM (SELECT _source_table AS source, unnest(_reasons) AS reason FROM quarantine.\"{name}\" \
         WHERE _run_id = '{run_id}') GROUP BY 1, 2, 3"
    );
    let counted = delta::query(lake, &project.order, &sql).await?;
    let (source, n) = (counted.column("source")?.str()?, counted.column("n")?.i64()?);
    let (column, rule) = (counted.column("col")?.str()?, counted.column("rule")?.str()?);
    let mut refused: BTreeMap<String, Refusals> = BTreeMap::new();
    for at in 0..counted.height() {
        let rows = n.get(at).and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
        let broken = (column.get(at).map(str::to_owned), rule.get(at).unwrap_or_default().to_owned());
        refused.entry(source.get(at).unwrap_or_default().to_owned()).or_default().insert(broken, rows);
    }
    Ok(refused)
}
