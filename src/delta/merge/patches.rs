//! Updated rows keep their place: a file that loses no row, and in which few are replaced, is patched. What was
//! clustered stays so, and columns in which nothing changes are not even decoded.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::stream::{self, StreamExt};
use polars::prelude::{Column, DataFrame, Expr, IdxCa, IdxSize, PolarsResult, col, polars_err};

use super::decide::{Decision, Replaced};
use super::rules::Rules;
use crate::delta::rewrite::at_once;
use crate::delta::rows::{Files, Marks, POSITION};
use crate::delta::write::{Original, Patch};
use crate::delta::{DataFile, Error, Table, TableSchema};

/// Values of the rows that come that are held at once; where there would be more, files are written anew.
const MOST_VALUES: usize = 1 << 24;

/// Files of the target that are patched, and with which rows.
pub(super) struct Patches(Vec<Planned>);

struct Planned {
    /// the file's number
    number: usize,
    file: DataFile,
    original: Original,
    pairs: Vec<(u64, u64)>,
    columns: Vec<String>,
}

/// Files that take the place of others.
#[derive(Default)]
pub(super) struct Patched {
    pub adds: Vec<DataFile>,
    pub removes: Vec<DataFile>,
}

impl Patches {
    /// Takes out of a decision what is to be done by patching: the rows that are replaced no longer leave the target,
    /// and those that come for them are left out of the source.
    pub(super) async fn plan(
        decision: &mut Decision,
        table: &Table,
        schema: &TableSchema,
        rules: &Rules,
        source: &[DataFile],
        target: &[DataFile],
    ) -> Result<Self, Error> {
        let (mut planned, mut values) = (Vec::new(), 0);
        for (number, replaced) in std::mem::take(&mut decision.replaced) {
            let file = &target[number];
            if !suits(decision, number, &replaced, source, file) {
                continue;
            }
            let columns = columns(&replaced, schema, rules);
            let more = replaced.pairs.len() * columns.len();
            if values + more > MOST_VALUES {
                continue;
            }
            let Some(original) = Original::open(table, schema, file).await? else { continue };
            values += more;
            for (theirs, ours) in &replaced.pairs {
                decision.removed.unset(*theirs);
                decision.left_out.set(*ours);
            }
            planned.push(Planned { number, file: file.clone(), original, pairs: replaced.pairs, columns });
        }
        Ok(Patches(planned))
    }

    /// Writes the patched files. If it fails, none is left.
    pub(super) async fn carry_out(self, table: &Table, source: &Files, target: &Files) -> Result<Patched, Error> {
        if self.0.is_empty() {
            return Ok(Patched::default());
        }
        let removes = self.0.iter().map(|planned| planned.file.clone()).collect();
        let (source, target) = (source.clone(), target.clone());
        let read = tokio::task::spawn_blocking(move || {
            let coming = Coming::read(&self.0, &source)?;
            let patch =
                |planned: Planned| Ok((target.frame(planned.number), coming.patch(&planned)?, planned.original));
            self.0.into_iter().map(patch).collect::<PolarsResult<Vec<_>>>()
        });
        let patches = read.await.map_err(|error| Error::Query(error.to_string()))??;
        let write = |(frame, patch, original): (_, Patch, Original)| async move {
            let written = tokio::task::spawn_blocking(move || original.patch(&frame, &patch)).await;
            written.map_err(|error| Error::Query(error.to_string()))?
        };
        let written: Vec<Result<DataFile, Error>> =
            stream::iter(patches).map(write).buffered(at_once(table.lake().memory())).collect().await;
        let (adds, failures): (Vec<_>, Vec<_>) = written.into_iter().partition(Result::is_ok);
        let adds: Vec<DataFile> = adds.into_iter().flatten().collect();
        match failures.into_iter().find_map(Result::err) {
            None => Ok(Patched { adds, removes }),
            Some(error) => {
                table.remove_uncommitted(&adds).await?;
                Err(error)
            }
        }
    }
}

/// Whether it is worth it: a file of which little is left is written anew in less time. A row whose partition changes
/// cannot stay.
fn suits(decision: &Decision, number: usize, replaced: &Replaced, source: &[DataFile], file: &DataFile) -> bool {
    let count = replaced.pairs.len() as u64;
    let moves = |(_, ours): &(u64, u64)| source[(ours >> 32) as usize].partition_values() != file.partition_values();
    decision.removed.count(number) == count
        && file.rows().is_some_and(|rows| 2 * count <= rows)
        && !replaced.pairs.iter().any(moves)
}

/// In which of the file's columns a row may change; lineage is not compared and always counts.
fn columns(replaced: &Replaced, schema: &TableSchema, rules: &Rules) -> Vec<String> {
    let compared = rules.comparison.as_ref().map_or(&[][..], |comparison| comparison.compared());
    let differs = |name: &String| match &replaced.columns {
        Some(columns) => columns.iter().any(|&number| compared.get(number) == Some(name)),
        None => !rules.key.iter().any(|column| &column.name == name),
    };
    let changes = |name: &String| rules.lineage.contains(name) || differs(name);
    schema.file_columns().map(|column| column.name.clone()).filter(changes).collect()
}

/// The rows of the source that are patched in, by their positions.
struct Coming {
    positions: Vec<u64>,
    rows: DataFrame,
}

impl Coming {
    fn read(planned: &[Planned], source: &Files) -> PolarsResult<Self> {
        let mut marks = Marks::default();
        planned.iter().flat_map(|planned| &planned.pairs).for_each(|(_, ours)| marks.set(*ours));
        let names: BTreeMap<&String, String> =
            planned.iter().flat_map(|p| &p.columns).enumerate().map(|(i, name)| (name, format!("column{i}"))).collect();
        // under names of ours, which do not clash with that of the position
        let columns: Vec<Expr> = names.iter().map(|(name, narrow)| col(name.as_str()).alias(narrow.as_str())).collect();
        let all: Vec<usize> = (0..source.len()).collect();
        let mut rows = source.marked(&all, &columns, &Arc::new(marks))?;
        let positions = rows.drop_in_place(POSITION)?.u64()?.into_no_null_iter().collect();
        for (name, narrow) in names {
            rows.rename(&narrow, name.as_str().into())?;
        }
        Ok(Coming { positions, rows })
    }

    fn patch(&self, planned: &Planned) -> PolarsResult<Patch> {
        let mut pairs = planned.pairs.clone();
        pairs.sort_unstable();
        let lost = |_| polars_err!(ComputeError: "a row of the source that was compared could not be read again");
        let row = |(_, ours): &(u64, u64)| Ok(self.positions.binary_search(ours).map_err(lost)? as IdxSize);
        let rows = IdxCa::from_vec("".into(), pairs.iter().map(row).collect::<PolarsResult<_>>()?);
        let columns: Vec<Column> =
            planned.columns.iter().map(|name| self.rows.column(name)?.take(&rows)).collect::<PolarsResult<_>>()?;
        let places = pairs.iter().map(|(theirs, _)| (theirs & u64::from(u32::MAX)) as u32).collect();
        Ok(Patch { places, rows: DataFrame::new(pairs.len(), columns)? })
    }
}
