//! Puts aside what cannot be used, and writes a checkpoint in its place.

use chrono::{DateTime, Utc};
use deltalake::DeltaTable;
use deltalake::checkpoints::create_checkpoint;

use super::{LogHealth, Remedy};
use crate::delta::log::HINT;
use crate::delta::{Error, Table};

/// Where files go that were put aside, by their table's folder.
pub(super) const ASIDE: &str = "_lakesmith/aside";

impl Table {
    /// Mends what can be mended of `health`, which must be how the log is now: nobody else may be at work on the table.
    /// What goes is kept in the lake, under `_lakesmith/aside`.
    ///
    /// # Errors
    /// [`Error::Storage`]; what is done so far stays, and the rest may be tried again.
    pub async fn mend_log(&self, health: &LogHealth, run_id: &str, now: DateTime<Utc>) -> Result<(), Error> {
        // A last commit first: a new checkpoint is then one of what is left.
        let order = |remedy: &Remedy| !matches!(remedy, Remedy::TakeBack(_) | Remedy::Again);
        let mut faults: Vec<_> = health.faults.iter().collect();
        faults.sort_by_key(|fault| order(&fault.remedy));
        for fault in &faults {
            if matches!(fault.remedy, Remedy::Anew | Remedy::Again | Remedy::TakeBack(_)) {
                for file in &fault.files {
                    self.put_aside(file, now).await?;
                }
            }
            if let (Remedy::Again, Some(version)) = (fault.remedy, health.newest) {
                self.write_commit(version, run_id, now).await?;
            }
        }
        match health.left() {
            Some(version) if faults.iter().any(|fault| fault.remedy == Remedy::Anew) && !health.is_lost() => {
                self.write_checkpoint(version).await
            }
            _ => Ok(()),
        }
    }

    async fn put_aside(&self, file: &str, now: DateTime<Utc>) -> Result<(), Error> {
        let (lake, from) = (self.lake(), format!("{}/_delta_log/{file}", self.folder()));
        let Some((bytes, _)) = lake.get(&from).await? else { return Ok(()) };
        let to = format!("{ASIDE}/{}/{file}.{}", self.folder(), now.format("%Y%m%dT%H%M%S%3fZ"));
        lake.put_if_absent(&to, bytes).await?;
        lake.delete(&from).await
    }

    async fn write_checkpoint(&self, version: i64) -> Result<(), Error> {
        let failed = |error| Error::delta(self.folder(), &error);
        // what names the last checkpoint may name the one that has just gone
        let log_store = self.lake().log_store_hiding(self.folder(), [HINT.to_owned()].into())?;
        let mut table = DeltaTable::new(log_store);
        let number = u64::try_from(version).map_err(|error| Error::invalid(self.folder(), error.to_string()))?;
        table.load_version(number).await.map_err(failed)?;
        create_checkpoint(&table, None).await.map_err(failed)
    }
}
