//! Whether the lake is what its history says it is: every table is computed anew from what it was made from and compared
//! with what is there (I4), bronze is compared with the ledger and, in depth, data files with their hashes and bronze
//! with the landing files. Nothing is written into the lake: what is computed goes to a folder that goes away.

mod bronze;
mod difference;
mod files;
mod given;
mod landing;
mod numbering;
mod pins;
mod recompute;
mod scratch;

use std::collections::BTreeSet;
use std::time::Instant;

use self::bronze::Listed;
use self::files::Hashed;
use self::pins::Pins;
use self::recompute::Recompute;
use self::scratch::Scratch;
pub use self::scratch::sweep;
use super::error::{Error, Result};
use super::protocol::{LEDGER, RUNS, table_state};
use super::schedule::explained;
use super::{Event, Run};
use crate::delta::{At, Snapshot};
use crate::name::{Layer, TableName};
use crate::project::{Definition, Source};
use crate::report::{DeepProof, FileNote, FilesProof, Proof, TableProof, TableReport, VerifyReport};

impl Run {
    /// Verifies these tables, one after the other, each at the version that it had at the beginning. `deep`: every data
    /// file is read and hashed too, and bronze is compared with the landing files that are still there. Writes nothing
    /// into the lake.
    pub async fn verify(&self, tables: &BTreeSet<TableName>, deep: bool) -> VerifyReport {
        let pins = Pins::new(self, tables).await;
        let verification = Verification { run: self, pins, deep, hashed: Hashed::default() };
        let mut proofs = Vec::new();
        for name in self.project.order.iter().filter(|name| tables.contains(*name)) {
            proofs.push(verification.table(name).await);
        }
        let lakesmith = if deep { verification.lakesmith().await } else { Vec::new() };
        VerifyReport::new(proofs, lakesmith)
    }
}

/// The verification of some tables, pinned at their versions.
struct Verification<'a> {
    run: &'a Run,
    pins: Pins,
    deep: bool,
    hashed: Hashed,
}

impl Verification<'_> {
    async fn table(&self, name: &TableName) -> TableProof {
        let began = Instant::now();
        self.run.tell(Event::Started(name.clone()));
        let mut proof = self.proved(name).await;
        proof.seconds = began.elapsed().as_secs_f64();
        let mut told = TableReport::unchanged(name.clone(), proof.version, proof.status.as_str());
        (told.error, told.seconds) = (proof.error.clone(), proof.seconds);
        self.run.tell(Event::Finished(Box::new(told)));
        proof
    }

    async fn proved(&self, name: &TableName) -> TableProof {
        if let Some(error) = self.pins.looks.damaged.get(name) {
            return failed(TableProof::new(name.clone(), Proof::Failed, None), error);
        }
        let Some(own) = self.pins.looks.snapshots.get(name) else {
            return TableProof::new(name.clone(), Proof::Missing, Some("it has not been made yet".to_string()));
        };
        let looked = match self.run.project.tables.get(name).map(|table| &table.definition) {
            Some(Definition::Bronze(source)) => self.bronze(name, source, own).await,
            _ => self.made(name, own).await,
        };
        let blank = || TableProof::new(name.clone(), Proof::Equal, None);
        let mut proof = match looked {
            Ok(proof) => proof,
            Err(error) => failed(blank(), &explained(self.run, name, error).await),
        };
        let lost = self.pins.looks.states.get(name).and_then(|state| state.lost_refusals.clone());
        proof.note = proof.note.into_iter().chain(lost).reduce(|note, lost| format!("{note}; {lost}"));
        proof.version = Some(own.version());
        proof.rows = own.rows();
        if self.deep {
            proof = self.files(name, own, proof).await.unwrap_or_else(|error| failed(blank(), &error));
        }
        proof
    }

    /// Bronze against the ledger, in depth against the landing files too.
    async fn bronze(&self, name: &TableName, source: &Source, own: &Snapshot) -> Result<TableProof> {
        let listed = Listed::new(name, own, self.pins.ledger()?).await?;
        let ledger = listed.check(self.run).await?;
        let mut proof = TableProof::new(name.clone(), Proof::Equal, None);
        let mut sound = ledger.faults.is_empty();
        if let Some(after) = ledger.unlisted_after {
            proof.note = Some(format!(
                "the ledger does not list the batches after {after}: a run is between its two commits, or has died \
                 there; the next completes it"
            ));
        }
        if self.deep {
            let scratch = Scratch::new(self.run)?;
            let landing = landing::check(self.run, &listed, source, scratch.lake()).await?;
            sound &= landing.is_sound();
            proof.deep = Some(DeepProof { landing: Some(landing), ..DeepProof::default() });
        }
        proof.ledger = Some(ledger);
        proof.status = if sound { Proof::Equal } else { Proof::Different };
        Ok(proof)
    }

    /// A table that is made from others: computed anew and compared.
    async fn made(&self, name: &TableName, own: &Snapshot) -> Result<TableProof> {
        let scratch = Scratch::new(self.run)?;
        Recompute { pins: &self.pins, scratch: &scratch }.proof(name, own).await
    }

    /// Adds what the hashes of the data files say.
    async fn files(&self, name: &TableName, own: &Snapshot, mut proof: TableProof) -> Result<TableProof> {
        let deep = proof.deep.get_or_insert_default();
        deep.files.push(self.hashed.check(own).await?);
        if let Some(quarantine) = self.pins.quarantine(name)? {
            deep.files.push(self.hashed.check(quarantine).await?);
        }
        if deep.has_damaged_data() {
            // a reader that stumbles over such a file tells less
            proof.error = None;
        }
        if deep.is_damaged() {
            proof.status = Proof::Damaged;
        } else if proof.status >= Proof::Different
            && let Some(damage) = self.damaged_input(name, own).await
        {
            // what a damaged input gives is nothing to compare with, and nothing to make the table anew from
            (proof.status, proof.error) = (Proof::Failed, Some(damage));
            (proof.diff, proof.events, proof.quarantine) = (None, None, None);
        }
        Ok(proof)
    }

    /// Which data file of an input is damaged, at the version that the table was made from.
    async fn damaged_input(&self, name: &TableName, own: &Snapshot) -> Option<String> {
        let watermarks = table_state(own).watermarks;
        for input in self.run.project.inputs(name) {
            let Some(newest) = self.pins.looks.snapshots.get(&input) else { continue };
            // bronze only grows
            let version = watermarks.get(newest.table_id()).filter(|_| input.layer != Layer::Bronze).copied();
            let read = match version.filter(|version| *version != newest.version()) {
                Some(version) => newest.table().snapshot_at(&At::Version(version)).await.ok(),
                None => Some(newest.clone()),
            };
            let Some(read) = read else { continue };
            if let Ok(FilesProof { faults, remedy: Some(remedy), .. }) = self.hashed.check(&read).await
                && let Some(FileNote { path, reason }) = faults.first()
            {
                return Some(format!("`{input}`, which it is made from, is damaged: {path}: {reason}; {remedy}"));
            }
        }
        None
    }

    /// The files of the ledger and of the history of runs.
    async fn lakesmith(&self) -> Vec<FilesProof> {
        let mut proofs = Vec::new();
        for folder in [LEDGER, RUNS] {
            let checked = async {
                match self.run.lake.table(folder).snapshot().await? {
                    Some(snapshot) => files::check(&snapshot).await.map(Some),
                    None => Ok(None),
                }
            };
            match checked.await {
                Ok(proof) => proofs.extend(proof),
                Err(error) => proofs.push(files::unreadable(folder, &error)),
            }
        }
        proofs
    }
}

fn failed(mut proof: TableProof, error: &Error) -> TableProof {
    proof.status = Proof::Failed;
    proof.error = Some(error.to_string());
    proof
}
