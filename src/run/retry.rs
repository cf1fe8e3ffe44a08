//! Optimistic concurrency: whoever loses a commit looks again.

use std::time::Duration;

use super::error::{Error, Result};

const ATTEMPTS: u32 = 20;

/// Repeats `attempt`, which plans on a fresh snapshot each time, until it does not lose against another writer.
///
/// # Errors
/// What the attempt fails with; after 20 losses, that `what` has too many writers.
pub async fn until_won<T, F: Future<Output = Result<T>>>(what: &str, mut attempt: impl FnMut() -> F) -> Result<T> {
    for n in 1..=ATTEMPTS {
        match attempt().await {
            Err(error) if error.is_lost() => {
                tracing::debug!(what, n, %error, "another writer was faster");
                tokio::time::sleep(pause(n)).await;
            }
            done => return done,
        }
    }
    Err(Error::Refused(format!(
        "{what} is being written by others without pause ({ATTEMPTS} attempts lost); run again later"
    )))
}

/// Grows to half a second, with jitter so that losers do not meet again.
fn pause(n: u32) -> Duration {
    let jitter = u64::from(uuid::Uuid::new_v4().as_bytes()[0]);
    Duration::from_millis((10 << n.min(5)) + jitter * u64::from(n.min(5)) / 5)
}
