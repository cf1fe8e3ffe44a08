//! Whether the rows that a silver table refused are still where its commits say. Nothing is added to a quarantine that
//! lacks some: the sum of what became of the rows would no longer be true.

use super::Published;
use crate::delta::{Head, Lake, Snapshot, TableSchema};
use crate::name::TableName;
use crate::run::error::{Error, Result};
use crate::run::protocol::{quarantine_folder, quarantine_txn};

/// In place of a version: nothing in this quarantine belongs to the table any more. txns cannot be taken away.
const NOTHING: i64 = -1;

/// The version of the quarantine with this id that belongs to a version of silver.
pub fn named(silver: &Head, id: &str) -> Option<i64> {
    silver.txn(&quarantine_txn(id)).filter(|version| *version != NOTHING)
}

/// What was lost, and what to do; the quarantine must have been looked at after silver, whose commits come later.
pub fn lost(table: &TableName, silver: &Head, quarantine: Option<&Head>) -> Option<String> {
    if !names_any(silver) {
        return None;
    }
    let place = format!("quarantine.{}", table.name);
    let what = match quarantine.map(|found| (found.version(), named(silver, found.table_id()))) {
        None => format!("the lake has no table `{place}`"),
        Some((_, None)) => format!("`{place}` is another table than the one that they were put into"),
        Some((newest, Some(named))) if newest < named => {
            format!(
                "`{place}` ends at version {newest}, but they are in its version {named}; it lost commits or is an older copy"
            )
        }
        Some(_) => return None,
    };
    Some(format!(
        "rows that `{table}` refused are gone: {what}. Bring its folder back from a copy or, to make the table and its \
         quarantine anew: lakesmith rebuild {table}"
    ))
}

/// As [`lost`], asking the lake if there is a reason to; a quarantine that cannot be read is lost for now.
pub async fn look(lake: &Lake, table: &TableName, silver: &Head) -> Option<String> {
    if !names_any(silver) {
        return None;
    }
    match lake.table(&quarantine_folder(table)).head().await {
        Ok(quarantine) => lost(table, silver, quarantine.as_ref()),
        Err(error) => Some(error.to_string()),
    }
}

/// Whether rows in a quarantine belong to a version of silver.
pub fn names_any(silver: &Head) -> bool {
    silver.txns().iter().any(|(app, version)| app.starts_with(&quarantine_txn("")) && *version != NOTHING)
}

/// What silver's commit notes: the version that belongs to it from now on, and that nothing else does.
pub fn txns(base: Option<&Snapshot>, published: Option<&Published>) -> Vec<(String, i64)> {
    let now = published.map(Published::txn);
    let others = base.into_iter().flat_map(|base| base.txns()).filter(|(app, version)| {
        let is_other = now.as_ref().is_none_or(|(is, _)| is != *app);
        app.starts_with(&quarantine_txn("")) && is_other && **version != NOTHING
    });
    others.map(|(app, _)| (app.clone(), NOTHING)).chain(now.clone()).collect()
}

/// # Errors
/// What stands in the place of the quarantine has other columns.
pub fn check_columns(table: &TableName, found: &Snapshot, wanted: &TableSchema) -> Result<()> {
    let columns = |schema: &TableSchema| schema.columns.iter().map(|c| c.name.clone()).collect::<Vec<_>>();
    if columns(found.schema()) == columns(wanted) && found.accepts(wanted).is_ok() {
        return Ok(());
    }
    let folder = quarantine_folder(table);
    Err(Error::Refused(format!(
        "{folder} in the lake is a table that lakesmith did not make; move its folder away, then: lakesmith rebuild {table}"
    )))
}
