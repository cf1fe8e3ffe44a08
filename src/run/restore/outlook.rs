//! What a restore will do, table by table, found out before anything is written.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::back::{Back, Need, no_such_version};
use super::choose::{made_from, same_rows};
use super::{Restore, Run};
use crate::delta::{self, At};
use crate::name::{Layer, TableName};
use crate::plan::{Decision, LakeState, TableState, Wanted, decide};
use crate::project::{OnChange, Project};
use crate::run::error::{Error, Result};
use crate::run::protocol::{folder, table_state, watermark_txn};

/// What a restore would do.
#[derive(Clone, Debug, Serialize)]
pub struct Outlook {
    /// the table that is asked for, then those below, each after those that it reads
    pub tables: Vec<Return>,
}

/// What a restore would do with one table.
#[derive(Clone, Debug, Serialize)]
pub struct Return {
    /// which
    pub table: TableName,
    /// its newest version; none: it has not been made
    pub version: Option<i64>,
    /// the version that it goes back to; none: it stays as it is
    pub to: Option<i64>,
    /// when that was committed
    pub at: Option<DateTime<Utc>>,
    /// whether it is as it is to be already
    pub unchanged: bool,
    /// rows now, if its files tell
    pub rows_before: Option<u64>,
    /// rows of the version that comes back, if its files tell
    pub rows_after: Option<u64>,
    /// what the next run will do, or why it stays as it is
    pub why: String,
}

/// What becomes of one table.
pub struct Choice {
    pub table: TableName,
    /// the version that it goes back to, or why it stays
    pub version: std::result::Result<i64, String>,
}

/// A table that goes back.
struct Gone {
    id: String,
    /// to this version
    version: i64,
    /// the versions that have the rows that come back
    versions: BTreeSet<i64>,
}

impl Outlook {
    /// Looks at what `restore` would do; writes nothing.
    ///
    /// # Errors
    /// It cannot be done: there is no such version, or it cannot be had any more.
    pub async fn of(run: &Run, restore: &Restore) -> Result<Self> {
        let mut tables = Vec::new();
        let mut above = BTreeMap::new();
        for Choice { table, version } in choose(run, restore).await? {
            tables.push(match version {
                Ok(version) => {
                    let back = Back::look(run, &table, version, restore.hold && table == restore.table).await?;
                    back.outlook(run, &table, &mut above).await?
                }
                Err(why) => stays(run, table, why).await?,
            });
        }
        Ok(Outlook { tables })
    }

    /// Whether there is nothing to do.
    pub fn changes_nothing(&self) -> bool {
        self.tables.iter().all(|table| table.unchanged || table.to.is_none())
    }
}

impl Back<'_> {
    async fn outlook(&self, run: &Run, table: &TableName, above: &mut BTreeMap<String, i64>) -> Result<Return> {
        let unchanged = self.needs(above).await? == Need::Nothing;
        let why = next_run(run, table, self, above).await?;
        let version = self.base.version();
        above.insert(self.base.table_id().to_string(), if unchanged { version } else { version + 1 });
        Ok(Return {
            table: table.clone(),
            version: Some(version),
            to: Some(self.target.version()),
            at: Some(self.target.timestamp()),
            unchanged,
            rows_before: self.base.rows(),
            rows_after: self.target.rows(),
            why,
        })
    }
}

async fn stays(run: &Run, table: TableName, why: String) -> Result<Return> {
    let now = run.lake.table(&folder(&table)).snapshot().await?;
    let rows = now.as_ref().and_then(delta::Snapshot::rows);
    let version = now.map(|now| now.version());
    Ok(Return { table, version, to: None, at: None, unchanged: true, rows_before: rows, rows_after: rows, why })
}

/// Which tables go back to which versions. All that must be there for that is there.
pub async fn choose(run: &Run, restore: &Restore) -> Result<Vec<Choice>> {
    let name = &restore.table;
    if name.layer == Layer::Bronze {
        return Err(Error::Refused(format!("`{name}` holds what was received and does not go back")));
    }
    let version = resolved(run, restore).await?;
    let back = look(run, name, version, restore.hold).await?;
    let mut choices = vec![Choice { table: name.clone(), version: Ok(version) }];
    if !restore.below {
        return Ok(choices);
    }
    let mut went = BTreeMap::from([(name.clone(), gone(&back).await?)]);
    for table in below(&run.project, name) {
        let version = match below_one(run, &table, &went).await {
            Ok((version, gone)) => {
                went.insert(table.clone(), gone);
                Ok(version)
            }
            Err(Error::Refused(why)) => Err(why),
            Err(error) => return Err(error),
        };
        choices.push(Choice { table, version });
    }
    Ok(choices)
}

/// The version that was asked for, which stays the one even if others write meanwhile.
async fn resolved(run: &Run, restore: &Restore) -> Result<i64> {
    match restore.at {
        At::Version(version) => Ok(version),
        At::Time(_) => {
            let table = run.lake.table(&folder(&restore.table));
            let then = table.snapshot_at(&restore.at).await.map_err(|error| no_such_version(&restore.table, error))?;
            Ok(then.version())
        }
    }
}

/// Looks at a table that is to go back, and whether all of it is still there.
async fn look<'a>(run: &'a Run, name: &'a TableName, version: i64, hold: bool) -> Result<Back<'a>> {
    let back = Back::look(run, name, version, hold).await?;
    back.check_files().await?;
    Ok(back)
}

/// What the tables below must know of it.
async fn gone(back: &Back<'_>) -> Result<Gone> {
    let (id, version) = (back.base.table_id().to_string(), back.target.version());
    let history = back.table.history(0).await?;
    Ok(Gone { id, version, versions: same_rows(&history, version) })
}

/// All tables that are made from this one, each after those that it reads.
fn below(project: &Project, name: &TableName) -> Vec<TableName> {
    let mut found = BTreeSet::from([name.clone()]);
    let mut tables = Vec::new();
    for table in &project.order {
        if project.inputs(table).iter().any(|input| found.contains(input)) {
            found.insert(table.clone());
            tables.push(table.clone());
        }
    }
    tables
}

/// The version of a table below that was made from those that its inputs go back to.
async fn below_one(run: &Run, name: &TableName, went: &BTreeMap<TableName, Gone>) -> Result<(i64, Gone)> {
    let inputs = run.project.inputs(name);
    let above: Vec<(&TableName, &Gone)> = inputs.iter().filter_map(|input| went.get_key_value(input)).collect();
    if above.is_empty() {
        return Err(Error::Refused(format!("stays as it is, since what it reads does; {FOLLOWS}")));
    }
    let wanted = above.iter().map(|(_, gone)| (watermark_txn(&gone.id), gone.versions.clone())).collect();
    let history = run.lake.table(&folder(name)).history(0).await?;
    let Some(version) = made_from(&history, &wanted) else {
        let from: Vec<_> = above.iter().map(|(table, gone)| format!("`{table}@{}`", gone.version)).collect();
        let from = from.join(" and ");
        return Err(Error::Refused(format!("stays as it is: no version of it was made from {from}; {FOLLOWS}")));
    };
    match look(run, name, version, false).await {
        Ok(back) => Ok((version, gone(&back).await?)),
        Err(Error::Refused(why)) => Err(Error::Refused(format!("stays as it is: {why}; {FOLLOWS}"))),
        Err(error) => Err(error),
    }
}

const FOLLOWS: &str = "the next run brings it up to date";

/// What the next run will do with a table that is back. `above`: the versions that its inputs have then that went back, by
/// their ids.
pub async fn next_run(run: &Run, name: &TableName, back: &Back<'_>, above: &BTreeMap<String, i64>) -> Result<String> {
    let inputs = run.project.inputs(name);
    let mut lake = LakeState::new();
    for input in &inputs {
        let Some(snapshot) = run.lake.table(&folder(input)).snapshot().await? else { continue };
        let mut state = table_state(&snapshot);
        if let Some(version) = above.get(&state.id) {
            // a version that is yet to come has no mark
            (state.version, state.mark) = (*version, None);
        }
        lake.insert(input.clone(), state);
    }
    let mut own = back.state();
    let moved = above.iter().filter(|(id, _)| own.watermarks.contains_key(*id));
    let moved: Vec<(String, i64)> = moved.map(|(id, version)| (id.clone(), *version)).collect();
    let follows = !moved.is_empty();
    own.watermarks.extend(moved);
    let marks = own.watermarks.clone();
    lake.insert(name.clone(), own);
    let on_change = run.project.tables.get(name).and_then(|t| t.definition.on_change()).unwrap_or(OnChange::Rebuild);
    let wanted = Wanted { table: name, inputs: &inputs, definition: &back.today, on_change };
    Ok(match decide(wanted, &lake) {
        Decision::Held(_) => format!("runs leave it alone until: lakesmith restore {name} --release"),
        Decision::Rebuild(why) => format!("the next run rebuilds it: {why}"),
        Decision::Refuse(why) => format!("the next run will refuse it: {why}"),
        Decision::Wait(why) => format!("the next run waits: {why}"),
        Decision::Nothing if follows => "the next run brings it along with what it reads".into(),
        Decision::Nothing => "nothing came after it that the next run would do again".into(),
        Decision::Advance { from, .. } => {
            let again: Vec<_> = from.keys().filter_map(|input| Some(again(input, lake.get(input)?, &marks))).collect();
            format!("the next run does again what came after: {}", again.join(", "))
        }
    })
}

fn again(input: &TableName, state: &TableState, marks: &BTreeMap<String, i64>) -> String {
    let Some(mark) = marks.get(&state.id) else { return format!("all of `{input}`") };
    let n = state.position() - mark;
    let unit = match (input.layer, n) {
        (Layer::Bronze, 1) => "batch",
        (Layer::Bronze, _) => "batches",
        (_, 1) => "version",
        _ => "versions",
    };
    format!("{n} {unit} of `{input}`")
}
