//! What a derived table needs in memory. Groups are computed in lots where all at once would be too much; what cannot be
//! divided and is too large is told before any work is done.

use std::collections::BTreeMap;

use polars::prelude::LazyFrame;

use super::anew::Rows;
use super::error::{Error, Result};
use super::gold::Gold;
use super::stream;
use crate::gold::{self, Input, Lot};
use crate::memory::Memory;
use crate::name::TableName;
use crate::steps::{Join, JoinKind, Step};

/// The rows that a table is made from.
type Inputs = BTreeMap<TableName, Rows>;

/// Groups are counted in one lot of so many, and taken to be as many in each.
const SAMPLE: u64 = 64;
/// What a row takes in a join's hash table beside its values.
const PLACE: u64 = 48;

/// Whether the joins of a table can be carried out in the memory that there is.
///
/// # Errors
/// [`Error::Refused`] if not: which join, how much it would take, what to do.
pub fn check(gold: Gold, inputs: &Inputs) -> Result<()> {
    let memory = gold.run.lake.memory();
    let first = inputs.get(&gold.derived.from).map_or(u64::MAX, |rows| held(rows, None));
    for (i, step) in gold.derived.steps.iter().enumerate() {
        let Step::Join(join) = step else { continue };
        let second = inputs.get(&join.with).map_or(0, |rows| held(rows, Some(join)));
        // The engine holds the smaller side, where rows of both come out.
        let needed = if matches!(join.how, JoinKind::Semi | JoinKind::Anti) { second } else { second.min(first) };
        if needed > memory.to_hold().bytes() {
            return Err(Error::Refused(too_large(i, join, needed, memory)));
        }
    }
    Ok(())
}

fn too_large(i: usize, join: &Join, needed: u64, memory: Memory) -> String {
    format!(
        "step {} (join) would hold about {} of `{}`, more than half of the {memory} that there is to work with; \
         `--memory {}` would do, with `--jobs 1` if other tables are worked on at once",
        i + 1,
        Memory::of_bytes(needed),
        join.with,
        Memory::that_holds(needed)
    )
}

/// Bytes that the columns of a join, or all columns, take in a hash table, if the files tell how many rows there are.
fn held(rows: &Rows, join: Option<&Join>) -> u64 {
    let is_read = |name: &String| match join {
        Some(join) => join.on.iter().any(|(_, on)| on == name) || join.columns.iter().any(|(column, _)| column == name),
        None => true,
    };
    let columns = rows.schema.columns.iter().filter(|column| is_read(&column.name));
    let width = PLACE + columns.map(|column| column.ty.width()).sum::<u64>();
    rows.count().unwrap_or_default().saturating_mul(width)
}

/// All rows of a table, in frames to be computed one after the other: as few as there is memory for.
pub async fn in_lots(gold: Gold<'_>, inputs: &[Input], rows: &Inputs) -> Result<Vec<LazyFrame>> {
    match lots(gold, inputs, rows).await? {
        1 => Ok(vec![gold::recompute(gold.derived, inputs, None)?]),
        of => {
            tracing::debug!(table = %gold.name, lots = of, "groups are computed in lots");
            (0..of).map(|number| Ok(gold::recompute_lot(gold.derived, inputs, Lot { number, of })?)).collect()
        }
    }
}

async fn lots(gold: Gold<'_>, inputs: &[Input], rows: &Inputs) -> Result<u64> {
    let Some(weight) = gold::weight(gold.derived) else { return Ok(1) };
    let hold = gold.run.lake.memory().to_hold().bytes().max(1);
    let rows: Option<u64> = rows.values().map(Rows::count).sum();
    // There are no more groups than rows.
    if rows.is_some_and(|rows| weight.of(rows, rows) <= hold) {
        return Ok(1);
    }
    let sample = gold::count_groups(gold.derived, inputs, Lot { number: 0, of: SAMPLE })?;
    let counted = tokio::task::spawn_blocking(move || stream::collect(sample)).await??;
    let groups = counted.columns()[0].u64()?.get(0).unwrap_or(0).saturating_mul(SAMPLE);
    Ok(weight.of(groups, rows.unwrap_or(groups)) / hold + 1)
}
