//! Optimistic concurrency: whoever loses a commit looks again.

use std::time::Duration;

use super::error::{Error, Result};

const ATTEMPTS: u32 = 20;

/// Repeats `attempt`, which plans on a fresh snapshot each time, until it does not lose against another writer.
///
/// # Errors
/// What the attempt fails with; after 20 losses, that `what` has too many writers.
pub async fn until_won<T, F: Future<Output = Result<T>>>(what: &str, mut attempt: impl FnMut() -> F) -> Result<T> {
    for n in 1.. {
        match attempt().await {
            Ok(done) => return Ok(done),
            Err(error) => after(what, n, error).await?,
        }
    }
    Err(Error::Internal(format!("{what} was given up")))
}

/// Waits, after the `n`th attempt has failed with `error`, for the time of the next one.
///
/// # Errors
/// The attempt did not fail because another writer was faster; or it was the twentieth loss.
pub async fn after(what: &str, n: u32, error: Error) -> Result<()> {
    if !error.is_lost() {
        return Err(error);
    }
    if n >= ATTEMPTS {
        return Err(Error::Refused(format!(
            "{what} is being written by others without pause: {ATTEMPTS} attempts lost, the last one because {error}; run \
             again when they are done"
        )));
    }
    tracing::debug!(what, n, %error, "another writer was faster");
    tokio::time::sleep(pause(n)).await;
    Ok(())
}

/// Grows to half a second, with jitter so that losers do not meet again.
fn pause(n: u32) -> Duration {
    let jitter = u64::from(uuid::Uuid::new_v4().as_bytes()[0]);
    Duration::from_millis((10 << n.min(5)) + jitter * u64::from(n.min(5)) / 5)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delta;

    #[tokio::test]
    async fn whoever_gives_up_names_the_other_writer() {
        let lost = || {
            let by = "run r-1 (merge)".to_owned();
            Error::Delta(delta::Error::Lost { table: "silver/orders".into(), version: 7, by })
        };
        assert!(after("`silver.orders`", 1, lost()).await.is_ok());
        let told = after("`silver.orders`", ATTEMPTS, lost()).await.unwrap_err().to_string();
        assert!(
            told.contains("`silver.orders` is being written by others") && told.contains("run r-1 (merge)"),
            "{told}"
        );
        let other = after("`silver.orders`", 1, Error::Refused("no".into())).await.unwrap_err();
        assert_eq!(other.to_string(), "no");
    }

    #[test]
    fn pauses_grow_and_are_seldom_the_same() {
        assert!(pause(1) < Duration::from_millis(100) && pause(20) >= Duration::from_millis(320));
        let pauses: std::collections::BTreeSet<Duration> = (0..50).map(|_| pause(5)).collect();
        assert!(pauses.len() > 10, "{pauses:?}");
    }
}
