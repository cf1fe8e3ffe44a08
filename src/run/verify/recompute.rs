//! A table computed anew from what its own watermarks say it was made from, and compared with what is there.

use std::collections::BTreeMap;

use futures::FutureExt;
use futures::future::BoxFuture;

use super::difference;
use super::files::{has_left, moved_on};
use super::pins::Pins;
use super::scratch::Scratch;
use crate::delta::{At, DataFile, Error as DeltaError, Snapshot};
use crate::name::TableName;
use crate::plan::TableState;
use crate::project::{Definition, Derived, Events, definition_hash};
use crate::report::{EventsProof, InputVersion, Proof, QuarantineProof, RowCounts, TableProof};
use crate::run::anew::{Anew, Rows};
use crate::run::error::{Error, Result};
use crate::run::gold::Gold;
use crate::run::judge::Bronze;
use crate::run::protocol::{self, folder, quarantine_folder, table_state};
use crate::run::quarantine::Reach;
use crate::run::silver::{Silver, versions};
use crate::run::survey::lag;

/// Computes tables anew in a scratch folder.
pub struct Recompute<'a> {
    /// the tables as they were pinned
    pub pins: &'a Pins,
    /// where the rows go
    pub scratch: &'a Scratch,
}

/// What a version of a table was made from gives now.
struct Given {
    anew: Anew,
    inputs: Vec<InputVersion>,
    /// what is worth a word
    notes: Vec<String>,
}

/// What was computed; or why it cannot be, since something that it was made from is no longer there.
type Possible<T> = std::result::Result<T, String>;

impl Recompute<'_> {
    /// Verifies one table at its pinned version.
    pub async fn proof(&self, name: &TableName, own: &Snapshot) -> Result<TableProof> {
        let state = table_state(own);
        let behind = lag(&self.scratch.run().project, name, Some(&state), &self.pins.looks.states);
        let proof = |status, note| TableProof { behind, ..TableProof::new(name.clone(), status, note) };
        if let Some((status, why)) = self.unproved(name, &state) {
            return Ok(proof(status, Some(why)));
        }
        let given = match self.given(name, own).await {
            Ok(Ok(given)) => given,
            Ok(Err(why)) => return Ok(proof(Proof::Unverifiable, Some(why))),
            Err(error) => return Err(self.explained(name, own, error).await),
        };
        let mut proof = proof(Proof::Equal, Some(given.notes.join("; ")).filter(|notes| !notes.is_empty()));
        proof.inputs = given.inputs;
        match self.compare(name, own, &given.anew, &mut proof).await {
            Ok(()) => Ok(proof),
            Err(error) => Err(self.explained(name, own, error).await),
        }
    }

    /// Why there is nothing to compare a table with, if its rows do not follow today's definition alone.
    fn unproved(&self, name: &TableName, state: &TableState) -> Option<(Proof, String)> {
        let today = definition_hash(&self.scratch.run().project, name);
        let stale = |why: String| Some((Proof::Stale, why));
        match &state.definition {
            None => stale(format!("lakesmith did not make it; to replace all its rows: lakesmith rebuild {name}")),
            _ if state.mixed => Some((Proof::Mixed, "some of its rows follow an earlier definition".to_string())),
            Some(definition) if *definition == today => None,
            Some(_) if state.left.contains(&today) => stale(format!(
                "it has left today's definition for a later one; if today's is to hold again: lakesmith rebuild {name}"
            )),
            Some(_) => stale("its definition has changed since its rows were computed".to_string()),
        }
    }

    async fn compare(&self, name: &TableName, own: &Snapshot, anew: &Anew, proof: &mut TableProof) -> Result<()> {
        proof.diff = difference::of_table(&self.scratch.run().project, name, own, &anew.rows).await?;
        let mut equal = proof.diff.is_none();
        if let Some(refused) = &anew.refused {
            proof.events = Some(events(&anew.counts));
            let held = self.pins.quarantine(name)?;
            let diff = difference::of_quarantine(name, held, refused).await?;
            equal &= diff.is_none();
            proof.quarantine = Some(QuarantineProof {
                status: if diff.is_none() { Proof::Equal } else { Proof::Different },
                version: held.map(Snapshot::version),
                rows: held.and_then(Snapshot::rows),
                diff,
            });
        }
        proof.status = if equal { Proof::Equal } else { Proof::Different };
        Ok(())
    }

    /// The rows that a version of a table should hold by today's definition, which must be its own.
    fn given<'b>(&'b self, name: &'b TableName, own: &'b Snapshot) -> BoxFuture<'b, Result<Possible<Given>>> {
        async move {
            match self.scratch.run().project.tables.get(name).map(|table| &table.definition) {
                Some(Definition::Silver(events)) => self.given_by_events(name, events, &table_state(own)).await,
                Some(Definition::Gold(derived)) => self.given_by_tables(name, derived, &table_state(own)).await,
                _ => Err(Error::Internal(format!("`{name}` is not made from other tables"))),
            }
        }
        .boxed()
    }

    async fn given_by_events(&self, name: &TableName, events: &Events, state: &TableState) -> Result<Possible<Given>> {
        let mut sources = Vec::new();
        for (index, source) in events.from.iter().enumerate() {
            // A source that had no rows yet when the table read last is none of its inputs.
            let Some(id) = state.inputs.get(source) else { continue };
            match self.source(index, source, id, state.watermarks.get(id).copied())? {
                Ok(bronze) => sources.push(bronze),
                Err(why) => return Ok(Err(why)),
            }
        }
        let silver = Silver { run: self.scratch.run(), name, events };
        let (target, refused) = (self.scratch.lake().table(&folder(name)), quarantine_folder(name));
        let anew = silver.compute(&sources, &target, &self.scratch.lake().table(&refused)).await?;
        Ok(Ok(Given { anew, inputs: versions(&sources), notes: Vec::new() }))
    }

    /// The events of a bronze table up to a watermark. Bronze only grows, so its newest version holds them all.
    fn source(&self, index: usize, source: &TableName, id: &str, watermark: Option<i64>) -> Result<Possible<Bronze>> {
        let bronze = match (self.pins.looks.snapshots.get(source), self.pins.looks.damaged.get(source)) {
            (_, Some(error)) => return Err(Error::Refused(format!("`{source}` cannot be read: {error}"))),
            (None, None) => return Ok(Err(format!("`{source}`, which it was made from, is no longer in the lake"))),
            (Some(bronze), None) => bronze,
        };
        if bronze.table_id() != id {
            return Ok(Err(format!("`{source}` is another table than the one that it was made from")));
        }
        let Some(upto) = watermark else {
            return Ok(Err(format!("it no longer says how far it has read `{source}`")));
        };
        let last = bronze.txn(protocol::BATCH).unwrap_or(0);
        if upto > last {
            return Ok(Err(format!("it has read `{source}` up to batch {upto}, and that table ends at batch {last}")));
        }
        let reach = Reach { source: source.clone(), id: id.to_string(), after: None, upto };
        Ok(Ok(Bronze { index, reach, snapshot: bronze.clone(), only: None }))
    }

    async fn given_by_tables(
        &self,
        name: &TableName,
        derived: &Derived,
        state: &TableState,
    ) -> Result<Possible<Given>> {
        let (mut rows, mut inputs, mut notes) = (BTreeMap::new(), Vec::new(), Vec::new());
        for input in derived.inputs() {
            if let Some(error) = self.pins.looks.damaged.get(&input) {
                return Err(Error::Refused(format!("`{input}` cannot be read: {error}")));
            }
            let version = match self.version(&input, state) {
                Ok(version) => version,
                Err(why) => return Ok(Err(why)),
            };
            match self.read(&input, version).await? {
                Ok((read, note)) => {
                    rows.insert(input.clone(), read);
                    notes.extend(note);
                }
                Err(why) => return Ok(Err(why)),
            }
            inputs.push(InputVersion { table: input, version, batch: None });
        }
        let gold = Gold { run: self.scratch.run(), name, derived };
        let anew = gold.compute(&rows, &self.scratch.lake().table(&folder(name))).await?;
        Ok(Ok(Given { anew, inputs, notes }))
    }

    /// The version of an input that a table was last made from.
    fn version(&self, input: &TableName, state: &TableState) -> Possible<i64> {
        let Some(id) = state.inputs.get(input) else {
            return Err(format!("it does not say that it has read `{input}`"));
        };
        if self.pins.looks.states.get(input).is_none_or(|now| now.id != *id) {
            return Err(format!("`{input}` is another table than the one that it was made from, or is gone"));
        }
        let version = state.watermarks.get(id).copied();
        version.ok_or_else(|| format!("it no longer says which version of `{input}` it has read"))
    }

    /// A version of an input; where its files are gone, what it was made from gives its rows.
    async fn read(&self, input: &TableName, version: i64) -> Result<Possible<(Rows, Option<String>)>> {
        let newest = self.pins.looks.snapshots.get(input).filter(|newest| newest.version() == version);
        let snapshot = match newest {
            Some(newest) => newest.clone(),
            None => {
                let table = self.scratch.live().table(&folder(input));
                match table.snapshot_at(&At::Version(version)).await {
                    Ok(snapshot) => snapshot,
                    Err(DeltaError::Gone { what, .. }) => {
                        return Ok(Err(format!("`{input}@{version}`, which it was made from, is gone: {what}")));
                    }
                    Err(error) => return Err(error.into()),
                }
            }
        };
        if snapshot.missing_files().await?.is_empty() {
            return Ok(Ok((Rows::from(&snapshot), None)));
        }
        let gone = format!("the files of `{input}@{version}`, which it was made from, are gone");
        if let Some((_, why)) = self.unproved(input, &table_state(&snapshot)) {
            return Ok(Err(format!("{gone}, and they cannot be made again: {why}")));
        }
        match self.given(input, &snapshot).await? {
            Ok(given) => Ok(Ok((given.anew.rows, Some(format!("{gone}: it was computed anew too"))))),
            Err(why) => Ok(Err(format!("{gone}, and they cannot be made again: {why}"))),
        }
    }

    /// An error in the words of what is behind it, where that is files which are not there.
    async fn explained(&self, name: &TableName, own: &Snapshot, error: Error) -> Error {
        let inputs = self.scratch.run().project.inputs(name);
        let read = inputs.iter().filter_map(|input| Some((input, self.pins.looks.snapshots.get(input)?)));
        for (name, snapshot) in std::iter::once((name, own)).chain(read) {
            match snapshot.missing_files().await {
                Ok(missing) if missing.is_empty() => {}
                Ok(missing) => return absent(name, snapshot, &missing).await,
                Err(_) => return error,
            }
        }
        error
    }
}

/// What is said of data files that are not there.
async fn absent(name: &TableName, snapshot: &Snapshot, missing: &[DataFile]) -> Error {
    if has_left(snapshot, missing).await.unwrap_or(false) {
        return moved_on(snapshot);
    }
    let first = missing.first().map(DataFile::path).unwrap_or_default();
    Error::Refused(format!("data files of `{name}` are not there: {}, the first being {first}", missing.len()))
}

fn events(counts: &RowCounts) -> EventsProof {
    EventsProof {
        read: counts.read,
        kept: counts.inserted,
        superseded: counts.superseded,
        filtered: counts.filtered,
        quarantined: counts.quarantined,
    }
}
