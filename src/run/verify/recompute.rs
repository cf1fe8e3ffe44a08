//! A table computed anew from what its own watermarks say it was made from, and compared with what is there.

use super::difference;
use super::files::{has_left, moved_on};
use super::pins::Pins;
use super::scratch::Scratch;
use crate::delta::{DataFile, Snapshot, remedy};
use crate::name::TableName;
use crate::plan::TableState;
use crate::project::definition_hash;
use crate::report::{EventsProof, Proof, QuarantineProof, RowCounts, TableProof};
use crate::run::anew::Anew;
use crate::run::error::{Error, Result};
use crate::run::protocol::table_state;
use crate::run::survey::lag;

/// Computes tables anew in a scratch folder.
pub struct Recompute<'a> {
    /// the tables as they were pinned
    pub pins: &'a Pins,
    /// where the rows go
    pub scratch: &'a Scratch,
}

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
    pub fn unproved(&self, name: &TableName, state: &TableState) -> Option<(Proof, String)> {
        let today = definition_hash(&self.scratch.run().project, name);
        let stale = |why: String| Some((Proof::Stale, why));
        match &state.definition {
            None => stale(format!("lakesmith did not make it; to replace all its rows: lakesmith rebuild {name}")),
            _ if state.mixed => {
                let why = "some of its rows follow an earlier definition, or only ranges of it are loaded";
                Some((Proof::Mixed, why.to_string()))
            }
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
    let (n, remedy) = (missing.len(), remedy(snapshot.table().folder()));
    Error::Refused(format!("data files of `{name}` are not there: {n}, the first being {first}; {remedy}"))
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
