//! Bronze against its ledger: each file's records are there as often as it was taken in, numbered 1, 2, 3, …

use std::collections::BTreeMap;

use polars::prelude::*;

use super::numbering::Records;
use crate::bronze::{BATCH, MALFORMED, SOURCE_FILE, SOURCE_ROW};
use crate::delta::Snapshot;
use crate::name::TableName;
use crate::plan::{FileState, LedgerEntry};
use crate::report::{FileNote, LedgerProof};
use crate::run::error::{Error, Result};
use crate::run::ledger::{Owner, Page};
use crate::run::protocol;
use crate::run::{Event, Run, stream};

/// A bronze table at one version and what the ledger says of it.
pub struct Listed<'a> {
    /// which
    pub name: &'a TableName,
    /// as it was pinned
    pub bronze: &'a Snapshot,
    /// the files that were taken in, as often as they were, in the order in which they were noted
    pub taken: Vec<LedgerEntry>,
    /// the last batch that the ledger lists
    listed: i64,
    /// the last batch that bronze has committed
    last: i64,
}

/// A file in one batch.
type Place = (i64, String);

/// The batch of rows that bear no batch or no file.
const NOWHERE: i64 = i64::MIN;

impl<'a> Listed<'a> {
    /// Reads the ledger, which was pinned before bronze.
    pub async fn new(name: &'a TableName, bronze: &'a Snapshot, ledger: Option<&Snapshot>) -> Result<Self> {
        let last = bronze.txn(protocol::BATCH).ok_or_else(|| {
            Error::Refused(format!("`{name}` is a table that lakesmith did not make (it has no batches)"))
        })?;
        let owner = Owner { table: name.clone(), id: bronze.table_id().to_string() };
        let page = match ledger {
            Some(ledger) => Some(Page::read(ledger.clone()).await?),
            None => None,
        };
        let listed = page.as_ref().and_then(|page| page.listed(&owner)).unwrap_or(0);
        let mut taken = page.map(|page| page.lines(&owner)).transpose()?.unwrap_or_default();
        taken.retain(|line| line.state == FileState::Taken);
        taken.sort_by_key(|line| line.entry);
        Ok(Listed { name, bronze, taken, listed, last })
    }

    /// Compares the ledger with the rows that bronze holds.
    pub async fn check(&self, run: &Run) -> Result<LedgerProof> {
        let held = self.held(run).await?;
        let mut faults: BTreeMap<Place, Vec<String>> = BTreeMap::new();
        for (place, records) in held.iter().filter(|((batch, _), _)| *batch != NOWHERE) {
            faults.entry(place.clone()).or_default().extend(records.faults());
        }
        for (place, fault) in self.unlike_the_ledger(&held) {
            faults.entry(place).or_default().push(fault);
        }
        let note = |((_, path), reasons): (Place, Vec<String>)| FileNote { path, reason: reasons.join("; ") };
        let faults = faults.into_iter().filter(|(_, reasons)| !reasons.is_empty()).map(note).collect();
        let unlisted_after = (self.listed < self.last).then_some(self.listed);
        Ok(LedgerProof { files: self.taken.len() as u64, unlisted_after, faults })
    }

    fn unlike_the_ledger(&self, held: &BTreeMap<Place, Records>) -> Vec<(Place, String)> {
        let mut faults = Vec::new();
        let mut told = BTreeMap::new();
        for line in &self.taken {
            let place = (line.batch.unwrap_or(0), line.path.clone());
            let found = held.get(&place).map_or((0, 0), |records| (records.rows(), records.malformed()));
            faults.extend(self.unlike(line, found).map(|fault| (place.clone(), fault)));
            if told.insert(place.clone(), ()).is_some() {
                faults.push((place, "the ledger lists it twice in the same batch".to_string()));
            }
        }
        for (place, records) in held.iter().filter(|(place, _)| !told.contains_key(*place)) {
            let (batch, _) = place;
            let rows = records.rows();
            if *batch == NOWHERE {
                faults.push((place.clone(), format!("{rows} rows without batch or file, which another program added")));
            } else if *batch > self.last {
                let last = self.last;
                faults.push((place.clone(), format!("{rows} records of batch {batch}, but batch {last} is the last")));
            } else if *batch <= self.listed {
                faults.push((place.clone(), format!("{rows} records in batch {batch} that the ledger does not list")));
            }
        }
        faults
    }

    fn unlike(&self, line: &LedgerEntry, (rows, malformed): (u64, u64)) -> Option<String> {
        let batch = line.batch.unwrap_or(0);
        if batch > self.last {
            let last = self.last;
            return Some(format!(
                "the ledger lists it in batch {batch}, but bronze ends at batch {last}: commits of bronze were lost, which \
                 `lakesmith repair {}` takes note of",
                self.name
            ));
        }
        let unlike = |noted: Option<i64>, found: u64| noted.filter(|noted| u64::try_from(*noted) != Ok(found));
        let told = |what: &str, noted: i64, found: u64| {
            format!("{what} in batch {batch}: {noted} by the ledger, {found} in bronze")
        };
        let records = unlike(line.rows, rows).map(|noted| told("records", noted, rows));
        records.or_else(|| unlike(line.malformed, malformed).map(|noted| told("malformed", noted, malformed)))
    }

    /// The records that bronze holds, by batch and file.
    async fn held(&self, run: &Run) -> Result<BTreeMap<Place, Records>> {
        let columns = [col(BATCH), col(SOURCE_FILE), col(SOURCE_ROW), col(MALFORMED).is_not_null()];
        let frame = self.bronze.scan()?.select(columns);
        let noted = self.taken.iter().filter_map(|line| u64::try_from(line.rows?).ok()).max();
        let most = self.bronze.rows().unwrap_or(u64::from(u32::MAX)).max(noted.unwrap_or(0));
        let (run, name) = (run.clone(), self.name.clone());
        tokio::task::spawn_blocking(move || {
            let held = std::sync::Arc::new(std::sync::Mutex::new(BTreeMap::new()));
            let filled = held.clone();
            stream::for_each_batch(frame, move |batch| {
                run.tell(Event::Progress { table: name.clone(), rows: batch.height() as u64 });
                let mut held = filled.lock().map_err(|_| Error::Internal("a batch failed".into()))?;
                count(&batch, most, &mut held)
            })?;
            let mut held = held.lock().map_err(|_| Error::Internal("a batch failed".into()))?;
            Ok(std::mem::take(&mut *held))
        })
        .await?
    }
}

/// Counts the records of a batch of rows; `most`: no file can have more.
fn count(rows: &DataFrame, most: u64, held: &mut BTreeMap<Place, Records>) -> Result<()> {
    let (batches, files) = (rows.column(BATCH)?.i64()?, rows.column(SOURCE_FILE)?.str()?);
    let (numbers, malformed) = (rows.column(SOURCE_ROW)?.i64()?, rows.column(MALFORMED)?.bool()?);
    // Rows of a file stand together: it is looked up when the next begins.
    let mut at = 0;
    while at < rows.height() {
        let (batch, file) = (batches.get(at), files.get(at));
        let mut end = at + 1;
        while end < rows.height() && batches.get(end) == batch && files.get(end) == file {
            end += 1;
        }
        let place = match (batch, file) {
            (Some(batch), Some(file)) => (batch, file.to_string()),
            _ => (NOWHERE, String::new()),
        };
        let records = held.entry(place).or_default();
        for row in at..end {
            records.add(numbers.get(row), malformed.get(row) == Some(true), most);
        }
        at = end;
    }
    Ok(())
}
