//! Every data file read and hashed.

use std::collections::BTreeMap;

use futures::StreamExt;
use futures::stream;
use tokio::sync::Mutex;

use crate::delta::{DataFile, Fault, FileHealth, Remedy, Snapshot, remedy, repair_command};
use crate::report::{FileNote, FilesProof};
use crate::run::error::{Error, Result};

/// Files that are hashed at once.
const FILES_AT_ONCE: usize = 4;

/// What the hashes of versions say. Each version is read once, whoever asks.
#[derive(Default)]
pub struct Hashed(Mutex<BTreeMap<(String, i64), FilesProof>>);

impl Hashed {
    /// See [`check`].
    pub async fn check(&self, snapshot: &Snapshot) -> Result<FilesProof> {
        let version = (snapshot.table().folder().to_owned(), snapshot.version());
        let mut known = self.0.lock().await;
        if let Some(proof) = known.get(&version) {
            return Ok(proof.clone());
        }
        let proof = check(snapshot).await?;
        known.insert(version, proof.clone());
        Ok(proof)
    }
}

/// Reads the data files of a version and compares their BLAKE3 with what their writers noted.
///
/// # Errors
/// Files were deleted meanwhile which the table has left: nothing can be said of the version.
pub async fn check(snapshot: &Snapshot) -> Result<FilesProof> {
    let table = snapshot.table();
    let each = |file: &DataFile| {
        let file = file.clone();
        async move { (table.check_file(&file).await, file) }
    };
    let mut checked = stream::iter(snapshot.files()).map(each).buffered(FILES_AT_ONCE);
    let mut proof = FilesProof {
        folder: table.folder().to_string(),
        version: Some(snapshot.version()),
        files: snapshot.files().len() as u64,
        bytes: snapshot.bytes(),
        unhashed: 0,
        faults: Vec::new(),
        remedy: None,
    };
    let mut missing = Vec::new();
    while let Some((health, file)) = checked.next().await {
        let health = health?;
        if health == FileHealth::Missing {
            missing.push(file.clone());
        }
        proof.unhashed += u64::from(file.blake3().is_none());
        let fault = health.fault(&file).map(|reason| FileNote { path: file.path().to_string(), reason });
        proof.faults.extend(fault);
    }
    proof.remedy = (!proof.faults.is_empty()).then(|| remedy(table.folder()));
    proof.faults.extend(of_log(snapshot).await?);
    if !missing.is_empty() && has_left(snapshot, &missing).await? {
        return Err(moved_on(snapshot));
    }
    Ok(proof)
}

/// What is wrong with the files of the log: each checkpoint is compared with the commits before it.
async fn of_log(snapshot: &Snapshot) -> Result<Vec<FileNote>> {
    let health = snapshot.table().log_health().await?;
    let counts = |fault: &&Fault| {
        matches!(fault.remedy, Remedy::Copy | Remedy::Again) || (fault.remedy == Remedy::Anew && fault.is_checkpoint())
    };
    let mend = format!("to mend it: {}", repair_command(snapshot.table().folder()));
    let note = |fault: &Fault| FileNote {
        path: format!("_delta_log/{}", fault.files.first().map(String::as_str).unwrap_or_default()),
        reason: format!("it {}; {mend}", fault.what),
    };
    Ok(health.faults.iter().filter(counts).map(note).collect())
}

/// The proof of a table that cannot be opened.
pub fn unreadable(folder: &str, error: &Error) -> FilesProof {
    let faults = vec![FileNote { path: "_delta_log".to_string(), reason: error.to_string() }];
    FilesProof { folder: folder.to_string(), version: None, files: 0, bytes: 0, unhashed: 0, faults, remedy: None }
}

/// Whether the newest version of the table has none of these files: then they were deleted after it had left them.
pub async fn has_left(snapshot: &Snapshot, files: &[DataFile]) -> Result<bool> {
    let Some(newest) = snapshot.table().snapshot().await? else { return Ok(false) };
    Ok(!files.iter().any(|file| newest.files().iter().any(|other| other.path() == file.path())))
}

/// What is said when a version goes away while it is looked at.
pub fn moved_on(snapshot: &Snapshot) -> Error {
    let (folder, version) = (snapshot.table().folder(), snapshot.version());
    Error::Refused(format!(
        "files of {folder}@{version} were deleted while they were looked at, as a vacuum does with those that the table \
         has left; verify again"
    ))
}
