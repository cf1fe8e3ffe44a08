//! Ctrl-C and a polite kill: what is not committed is left undone, and nobody has to wait for our claims to expire.

use std::collections::BTreeSet;

use super::failure::Failure;
use crate::name::TableName;
use crate::run::Run;

/// Exit code of a process that Ctrl-C ended, as shells have it.
pub const INTERRUPTED: u8 = 130;

/// What comes of `work`, which `run` does to `tables`, unless the user interrupts it.
pub async fn or_done<T>(run: &Run, tables: &BTreeSet<TableName>, work: impl Future<Output = T>) -> Result<T, Failure> {
    tokio::select! {
        done = work => Ok(done),
        () = interrupted() => {
            run.give_up(tables).await;
            let message = "interrupted: what was committed stays, the next run does the rest";
            Err(Failure { errors: vec![message.into()], code: INTERRUPTED })
        }
    }
}

/// What `work` gives, unless the user interrupts it: then the work is dropped and `message` says so.
pub async fn or<T>(work: impl Future<Output = T>, message: &str) -> Result<T, Failure> {
    tokio::select! {
        done = work => Ok(done),
        () = interrupted() => Err(Failure { errors: vec![message.into()], code: INTERRUPTED }),
    }
}

#[cfg(unix)]
async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        },
        Err(_) => {
            let _ = tokio::signal::ctrl_c().await;
        }
    }
}

#[cfg(not(unix))]
async fn interrupted() {
    let _ = tokio::signal::ctrl_c().await;
}
