//! What the things that a version of a table was made from give now, by today's definition.

use std::collections::BTreeMap;

use futures::FutureExt;
use futures::future::BoxFuture;

use super::recompute::Recompute;
use crate::delta::{At, Error as DeltaError, Snapshot};
use crate::name::TableName;
use crate::plan::{Gap, TableState, ahead};
use crate::project::{Definition, Derived, Events};
use crate::report::InputVersion;
use crate::run::anew::{Anew, Rows};
use crate::run::error::{Error, Result};
use crate::run::gold::Gold;
use crate::run::judge::Bronze;
use crate::run::protocol::{self, folder, quarantine_folder, table_state};
use crate::run::quarantine::Reach;
use crate::run::silver::{Silver, versions};

/// What a version of a table was made from gives now.
pub struct Given {
    /// its rows
    pub anew: Anew,
    /// what was read
    pub inputs: Vec<InputVersion>,
    /// what is worth a word
    pub notes: Vec<String>,
}

/// What was computed; or why it cannot be, since something that it was made from is no longer there.
pub type Possible<T> = std::result::Result<T, String>;

impl Recompute<'_> {
    /// The rows that a version of a table should hold by today's definition, which must be its own.
    pub fn given<'b>(&'b self, name: &'b TableName, own: &'b Snapshot) -> BoxFuture<'b, Result<Possible<Given>>> {
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
            return Ok(Err(format!(
                "it has read `{source}` up to batch {upto}, and that table ends at batch {last}: it has lost commits, which \
                 `lakesmith repair {source}` takes note of"
            )));
        }
        if let Some(Gap { after, before }) = self.pins.looks.states.get(source).and_then(|now| now.lost_under(upto)) {
            return Ok(Err(format!("it has read batches of `{source}` between {after} and {before}, which were lost")));
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
            if let Some(why) = ahead(state, std::slice::from_ref(&input), &self.pins.looks.states) {
                return Ok(Err(format!("{why}; the next `lakesmith run` computes all of it anew")));
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
}
