//! The last commit written again, where the checkpoint of its version says what it came to. Readers do without the
//! commit; writers do not.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::delta::commit::{COMMIT_ID, NOTE};
use crate::delta::log::{ACTIONS, Replay, Wanted, commit_name};
use crate::delta::{Error, Table};

impl Table {
    /// Writes the commit of a version that has a checkpoint: what this says beyond the version before.
    ///
    /// # Errors
    /// The checkpoint cannot be read, or not in a way that tells; [`Error::Storage`].
    pub(super) async fn write_commit(&self, version: i64, run_id: &str, now: DateTime<Utc>) -> Result<(), Error> {
        let (log, file) = (self.log()?, commit_name(version));
        let listing = log.list().await?;
        let untold = |what: &str| {
            let what = format!("what _delta_log/{file} said cannot be told: {what}; bring it back from a copy");
            Error::unreadable(self.folder(), what)
        };
        let names = listing.checkpoints().get(&version).ok_or_else(|| untold("its checkpoint is gone"))?;
        let after = log.read_checkpoint(names).await?.map_err(|what| untold(&what))?;
        let before = match self.replayed(&log, &listing, version - 1, Wanted::Files).await {
            Ok(replayed) => replayed.replay,
            // the log was cleaned up, and no earlier version is to be had: the commit says all that there is
            Err(_) => Replay::new(Wanted::Files),
        };
        let now = now.timestamp_millis();
        let actions = after.since(before, now).ok_or_else(|| untold("its checkpoint lists the files elsewhere"))?;
        let info = json!({ "commitInfo": {
            "timestamp": now,
            "operation": "REPAIR",
            "operationParameters": {},
            "engineInfo": concat!("lakesmith/", env!("CARGO_PKG_VERSION")),
            NOTE: {
                "run_id": run_id,
                "action": "repair",
                COMMIT_ID: uuid::Uuid::now_v7().to_string(),
                ACTIONS: actions.len() + 1,
            },
        }});
        let text: String = std::iter::once(info).chain(actions).map(|action: Value| format!("{action}\n")).collect();
        let path = format!("{}/_delta_log/{file}", self.folder());
        self.lake().put_if_absent(&path, text.into_bytes()).await.map(drop)
    }
}
