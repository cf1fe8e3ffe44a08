//! A leased claim lets a second run skip a table instead of doing its work twice. Nothing that is right rests on it:
//! commits decide. A claim that a crash left behind expires.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::error::Result;
use crate::delta::{ETag, Lake};
use crate::name::TableName;

const LEASE: TimeDelta = TimeDelta::seconds(60);
const RENEW: Duration = Duration::from_secs(20);

/// Where claims lie in the lake.
pub const FOLDER: &str = "_lakesmith/claims";

/// What a claim says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Claim {
    /// the run that works on the table
    pub run_id: String,
    /// the table, as `silver.orders`, or what else is claimed
    pub table: String,
    /// when it no longer counts
    pub until: DateTime<Utc>,
    /// what it does there, e.g. `rebuild`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// the machine that it runs on
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// its process there
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
}

impl Claim {
    fn new(run_id: &str, table: &str, action: &str) -> Self {
        Claim {
            run_id: run_id.to_owned(),
            table: table.to_owned(),
            until: Utc::now() + LEASE,
            action: Some(action.to_owned()),
            host: host(),
            pid: Some(std::process::id()),
        }
    }

    /// Whose it is: the run, what it does, and where.
    pub fn whose(&self) -> String {
        let process = self.pid.map(|pid| match &self.host {
            Some(host) => format!("process {pid} on {host}"),
            None => format!("process {pid}"),
        });
        let more: Vec<String> = self.action.iter().cloned().chain(process).collect();
        match more.is_empty() {
            true => self.run_id.clone(),
            false => format!("{} ({})", self.run_id, more.join(", ")),
        }
    }

    /// That another run is at work on a table, as a sentence.
    pub fn telling(&self) -> String {
        format!("run {} is at work on it; its claim ends at {}", self.whose(), self.until.format("%H:%M:%SZ"))
    }
}

/// The name of this machine, where it can be had without more ado.
fn host() -> Option<String> {
    let told = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let told = told.or_else(|| std::env::var("HOSTNAME").ok()).or_else(|| std::env::var("COMPUTERNAME").ok())?;
    Some(told.trim().to_owned()).filter(|name| !name.is_empty())
}

/// Who has the table.
pub enum Claimed {
    /// this run, until the lease is released or dropped
    Ours(Lease),
    /// another
    Theirs(Claim),
}

/// A claim that is renewed until it is released.
pub struct Lease {
    lake: Lake,
    path: String,
    run_id: String,
    renewal: tokio::task::JoinHandle<()>,
}

/// Claims a table for a run, which is to do `action` there.
pub async fn claim(lake: &Lake, table: &TableName, run_id: &str, action: &str) -> Result<Claimed> {
    claim_named(lake, &table.to_string(), run_id, action).await
}

/// The claim of whoever deletes old files of the lake or keeps some from being deleted: one at a time.
pub const OLD_FILES: &str = "old-files";

/// Claims something of the lake that is no table.
pub async fn claim_named(lake: &Lake, name: &str, run_id: &str, action: &str) -> Result<Claimed> {
    let path = path(name);
    let ours = || Claim::new(run_id, name, action);
    held::note(lake, &path, run_id);
    if lake.put_if_absent(&path, bytes(&ours())).await? {
        return Ok(Claimed::Ours(Lease::new(lake, path, ours())));
    }
    let Some((found, etag)) = lake.get(&path).await? else {
        return Ok(Claimed::Ours(Lease::new(lake, path, ours())));
    };
    match serde_json::from_slice::<Claim>(&found) {
        Ok(theirs) if theirs.until > Utc::now() => {
            held::forget(&path, run_id);
            Ok(Claimed::Theirs(theirs))
        }
        _ => take_over(lake, path, ours(), &etag).await,
    }
}

async fn take_over(lake: &Lake, path: String, ours: Claim, expired: &ETag) -> Result<Claimed> {
    if lake.put_if_unchanged(&path, bytes(&ours), expired).await? {
        return Ok(Claimed::Ours(Lease::new(lake, path, ours)));
    }
    Ok(Claimed::Theirs(Claim { run_id: "another run".into(), ..ours }))
}

fn bytes(claim: &Claim) -> Vec<u8> {
    serde_json::to_vec(claim).unwrap_or_default()
}

/// Gives free what this process has claimed, when it is stopped half-way; the claims of others stay.
pub async fn release_all() {
    for n in 0..2 {
        for (lake, path, run_id) in held::all() {
            give_up(&lake, &path, &run_id).await;
        }
        if n == 0 {
            // a claim may just be on its way to the disk
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Run and name of what this process has claimed and not given free.
pub fn at_work_here() -> Vec<(String, String)> {
    let name = |path: &str| Some(path.strip_prefix(FOLDER)?.strip_prefix('/')?.strip_suffix(".json")?.to_owned());
    let held = held::all().into_iter().filter_map(|(_, path, run_id)| Some((run_id, name(&path)?)));
    held.filter(|(_, name)| name != OLD_FILES).collect()
}

async fn give_up(lake: &Lake, path: &str, run_id: &str) {
    let Ok(Some((found, _))) = lake.get(path).await else { return };
    if serde_json::from_slice::<Claim>(&found).is_ok_and(|claim| claim.run_id == run_id) {
        let _ = lake.delete(path).await;
    }
}

/// What this process has claimed and not given free.
mod held {
    use std::collections::BTreeMap;
    use std::sync::{Mutex, MutexGuard, PoisonError};

    use super::Lake;

    static HELD: Mutex<BTreeMap<(String, String), Lake>> = Mutex::new(BTreeMap::new());

    fn locked() -> MutexGuard<'static, BTreeMap<(String, String), Lake>> {
        HELD.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn note(lake: &Lake, path: &str, run_id: &str) {
        locked().insert((path.to_owned(), run_id.to_owned()), lake.clone());
    }

    pub(super) fn forget(path: &str, run_id: &str) {
        locked().remove(&(path.to_owned(), run_id.to_owned()));
    }

    pub(super) fn all() -> Vec<(Lake, String, String)> {
        locked().iter().map(|((path, run_id), lake)| (lake.clone(), path.clone(), run_id.clone())).collect()
    }
}

/// The claim of a run that is at work on a table now.
pub async fn at_work(lake: &Lake, table: &TableName) -> Result<Option<Claim>> {
    let found = lake.get(&path(&table.to_string())).await?;
    let claim = found.and_then(|(bytes, _)| serde_json::from_slice::<Claim>(&bytes).ok());
    Ok(claim.filter(|claim| claim.until > Utc::now()))
}

fn path(name: &str) -> String {
    format!("{FOLDER}/{name}.json")
}

impl Lease {
    fn new(lake: &Lake, path: String, claim: Claim) -> Self {
        let run_id = claim.run_id.clone();
        let renewal = tokio::spawn(renew(lake.clone(), path.clone(), claim));
        Lease { lake: lake.clone(), path, run_id, renewal }
    }

    /// Whether it is the claim of this table.
    pub fn is_of(&self, table: &TableName) -> bool {
        self.path == path(&table.to_string())
    }

    /// Gives the table free. A failure is no failure of the run: the claim expires.
    pub async fn release(self) {
        self.renewal.abort();
        if let Err(error) = self.lake.delete(&self.path).await {
            tracing::warn!(path = self.path, %error, "a claim could not be deleted; it expires by itself");
        }
        held::forget(&self.path, &self.run_id);
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.renewal.abort();
    }
}

async fn renew(lake: Lake, path: String, mut claim: Claim) {
    loop {
        tokio::time::sleep(RENEW).await;
        let Ok(Some((found, etag))) = lake.get(&path).await else { continue };
        let ours = serde_json::from_slice::<Claim>(&found).is_ok_and(|c| c.run_id == claim.run_id);
        if !ours {
            return;
        }
        claim.until = Utc::now() + LEASE;
        if let Err(error) = lake.put_if_unchanged(&path, bytes(&claim), &etag).await {
            tracing::warn!(path, %error, "a claim could not be renewed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::Layer;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_run_gives_up_its_own_claims_and_no_others() {
        let dir = tempfile::tempdir().unwrap();
        let lake = Lake::open(&dir.path().display().to_string(), &Default::default()).unwrap();
        let table = TableName { layer: Layer::Silver, name: "orders".into() };
        let Claimed::Ours(lease) = claim(&lake, &table, "one", "run").await.unwrap() else {
            panic!("nobody else is here")
        };
        drop(lease);
        give_up(&lake, &path("silver.orders"), "two").await;
        assert!(matches!(claim(&lake, &table, "two", "run").await.unwrap(), Claimed::Theirs(c) if c.run_id == "one"));
        give_up(&lake, &path("silver.orders"), "one").await;
        assert!(matches!(claim(&lake, &table, "two", "run").await.unwrap(), Claimed::Ours(_)));
    }
}
