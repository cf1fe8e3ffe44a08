//! A log read file by file, each checkpoint compared with what the commits before it come to.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Fault, LogHealth, Remedy};
use crate::delta::log::{HINT, Listing, Log, Replay, Wanted, commit_name};
use crate::delta::{Error, Table};

/// A log that is read from its first file to its last.
struct Reading<'a> {
    log: &'a Log,
    listing: &'a Listing,
    newest: i64,
    /// what the files so far come to; none: a commit is gone, and no checkpoint has come since
    told: Option<Replay>,
    /// commits that are not to be had, and that no later checkpoint makes up for
    open: Vec<Fault>,
    faults: Vec<Fault>,
}

impl Table {
    /// Reads all of the log and tells what is wrong with it. Writes nothing.
    ///
    /// # Errors
    /// [`Error::Storage`]
    pub async fn log_health(&self) -> Result<LogHealth, Error> {
        let log = self.log()?;
        let listing = log.list().await?;
        let Some(newest) = listing.latest() else { return Ok(LogHealth::default()) };
        let (told, open, faults) = (None, Vec::new(), Vec::new());
        let mut reading = Reading { log: &log, listing: &listing, newest, told, open, faults };
        let first = listing.versions().next().into_iter().chain(listing.checkpoints().keys().copied()).min();
        // The files that are there, not the numbers between them: a file may bear any number.
        let commits: BTreeSet<i64> = listing.versions().collect();
        let known: BTreeSet<i64> = commits.iter().chain(listing.checkpoints().keys()).copied().collect();
        let mut next = first.unwrap_or(newest);
        for version in known {
            let is_there = commits.contains(&version);
            reading.gap(next, if is_there { version - 1 } else { version });
            if is_there {
                reading.commit(version).await?;
            }
            reading.checkpoint(version).await?;
            next = version + 1;
        }
        reading.faults.append(&mut reading.open);
        if let Some(first) = first.filter(|first| *first > 0 && listing.checkpoints().is_empty()) {
            let what = format!("is missing: the log begins at version {first}, and no checkpoint says what was before");
            reading.faults.push(Fault { files: vec![commit_name(0)], what, remedy: Remedy::Copy });
        }
        if let Some(what) = hint(&log, &listing).await? {
            reading.faults.push(Fault { files: vec![HINT.to_owned()], what, remedy: Remedy::Anew });
        }
        Ok(LogHealth { newest: Some(newest), faults: reading.faults })
    }
}

impl Reading<'_> {
    async fn commit(&mut self, version: i64) -> Result<(), Error> {
        if version == 0 {
            self.told = Some(Replay::new(Wanted::Files));
        }
        let what = match self.log.read(version).await {
            Ok(Some(commit)) => {
                // where the log is not whole, the commit itself may still be
                let mut alone = Replay::new(Wanted::Files);
                match self.told.as_mut().unwrap_or(&mut alone).commit(&commit) {
                    Ok(()) => return Ok(()),
                    Err(what) => what,
                }
            }
            Ok(None) if self.is_begun(version) => "is missing".to_owned(),
            Ok(None) => return Ok(()),
            Err(Error::Unreadable { what, .. }) => what,
            Err(error) => return Err(error),
        };
        let last = version == self.newest && self.listing.versions().next_back() == Some(version);
        let remedy = match last {
            true => Remedy::TakeBack(self.before(version)),
            false => Remedy::Copy,
        };
        self.told = None;
        self.open.push(Fault { files: vec![commit_name(version)], what: sentence(&what), remedy });
        Ok(())
    }

    /// No commit is there from `first` to `last`.
    fn gap(&mut self, first: i64, last: i64) {
        // the newest is needed by whoever writes, even where a checkpoint says what it came to
        if first > last || !(self.is_begun(first) || last == self.newest) {
            return;
        }
        if first < last && last == self.newest {
            self.gap(first, last - 1);
            return self.gap(last, last);
        }
        let what = match first == last {
            true => "is missing".to_owned(),
            false => format!("is missing: versions {first} to {last} are not there"),
        };
        self.told = None;
        self.open.push(Fault { files: vec![commit_name(first)], what, remedy: Remedy::Copy });
    }

    /// Whether commits before `version`, or a checkpoint before it, are in the log: then its own belongs there too.
    fn is_begun(&self, version: i64) -> bool {
        let first = self.listing.versions().next();
        let checkpoint = self.listing.checkpoints().keys().next();
        first.is_some_and(|first| first < version) || checkpoint.is_some_and(|first| *first < version)
    }

    fn before(&self, version: i64) -> Option<i64> {
        let commit = self.listing.versions().rfind(|known| *known < version);
        let checkpoint = self.listing.checkpoints().range(..version).next_back().map(|(known, _)| *known);
        commit.max(checkpoint)
    }

    async fn checkpoint(&mut self, version: i64) -> Result<(), Error> {
        let Some(names) = self.listing.checkpoints().get(&version) else { return Ok(()) };
        let what = match self.log.read_checkpoint(names).await? {
            Err(what) => format!("cannot be read: {what}"),
            Ok(replay) => match &self.told {
                Some(told) => match told.unlike(&replay) {
                    Some(what) => format!("does not say what the commits before it say: {what}"),
                    None => return Ok(()),
                },
                None => {
                    self.told = Some(replay);
                    for mut fault in std::mem::take(&mut self.open) {
                        // the checkpoint of this very version says what its commit came to
                        let is_last = version == self.newest && fault.files.contains(&commit_name(version));
                        fault.remedy = if is_last { Remedy::Again } else { Remedy::Old };
                        self.faults.push(fault);
                    }
                    return Ok(());
                }
            },
        };
        let remedy = if self.told.is_some() { Remedy::Anew } else { Remedy::Copy };
        self.faults.push(Fault { files: names.clone(), what, remedy });
        Ok(())
    }
}

/// What the reader of a commit says of it, without the file's name and the command that is running.
fn sentence(what: &str) -> String {
    let what = what.split_once(".json ").map_or(what, |(_, what)| what);
    what.split_once(", so what version").map_or(what, |(what, _)| what).to_owned()
}

/// What is wrong with the file that names the last checkpoint.
async fn hint(log: &Log, listing: &Listing) -> Result<Option<String>, Error> {
    let Some(bytes) = log.hint().await? else {
        return Ok((!listing.checkpoints().is_empty()).then(|| "is missing".to_owned()));
    };
    let version = serde_json::from_slice::<Value>(&bytes).ok().and_then(|hint| hint.get("version")?.as_i64());
    Ok(match version {
        None => Some("names no version".to_owned()),
        Some(version) if listing.checkpoints().contains_key(&version) => None,
        Some(version) => Some(format!("names the checkpoint of version {version}, which is not there")),
    })
}
