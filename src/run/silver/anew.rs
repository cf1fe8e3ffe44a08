//! All rows of a silver table, from all events.

use super::Silver;
use crate::delta::{self, DataFile, Table};
use crate::report::RowCounts;
use crate::run::anew::{Anew, Rows, discard};
use crate::run::error::Result;
use crate::run::judge::{Bronze, Judged};
use crate::run::quarantine;

impl Silver<'_> {
    /// Computes the table from these events, into files of `target` and `refused` that no commit names.
    pub async fn compute(&self, sources: &[Bronze], target: &Table, refused: &Table) -> Result<Anew> {
        let Judged { good, bad, mut rows } = self.judge(sources, target, refused).await?;
        match self.merge(None, target, good, &mut rows).await {
            Ok((files, _)) => Ok(Anew {
                rows: Rows { table: target.clone(), schema: self.schema(), files },
                refused: Some(Rows { table: refused.clone(), schema: quarantine::schema(), files: bad }),
                counts: rows,
            }),
            Err(error) => {
                discard(refused, &bad).await;
                Err(error)
            }
        }
    }

    /// Adds later events to what was computed. If it fails, what was computed is as it was.
    pub async fn add(&self, anew: &mut Anew, later: &[Bronze]) -> Result<()> {
        let Some(refused) = &mut anew.refused else { return Ok(()) };
        let target = anew.rows.table.clone();
        let Judged { good, bad, rows } = self.judge(later, &target, &refused.table).await?;
        let added = match self.winners(&target, &anew.rows.files, good, &anew.counts, rows).await {
            Ok(added) => added,
            Err(error) => {
                discard(&refused.table, &bad).await;
                return Err(error);
            }
        };
        (anew.rows.files, anew.counts) = added;
        refused.files.extend(bad);
        Ok(())
    }

    /// The winners of two sets of rows. Merging is associative, so the order in which events came does not matter.
    async fn winners(
        &self,
        target: &Table,
        earlier: &[DataFile],
        later: Vec<DataFile>,
        before: &RowCounts,
        mut rows: RowCounts,
    ) -> Result<(Vec<DataFile>, RowCounts)> {
        let all = [earlier, &later].concat();
        rows.read += before.read;
        rows.filtered += before.filtered;
        rows.quarantined += before.quarantined;
        rows.superseded = before.superseded;
        if self.events.key.is_empty() {
            rows.inserted = all.iter().filter_map(DataFile::rows).sum();
            return Ok((all, rows));
        }
        match delta::merge(None, target, &self.schema(), all, &self.spec()).await {
            Ok(merged) => {
                rows.inserted = merged.rows.inserted;
                rows.superseded += merged.rows.superseded;
                Ok((merged.adds, rows))
            }
            Err(error) => {
                discard(target, &later).await;
                Err(error.into())
            }
        }
    }
}
