//! Requests from threads that may block, whether they belong to an async runtime or not.

use std::io;
use std::sync::LazyLock;
use std::sync::mpsc::{Receiver, sync_channel};

use tokio::runtime::{Builder, Runtime};

/// Runs requests of blocking readers; made when the first one asks.
static RUNTIME: LazyLock<io::Result<Runtime>> =
    LazyLock::new(|| Builder::new_multi_thread().worker_threads(1).thread_name("landing").enable_all().build());

/// Starts work whose outcome will be in the channel.
pub(super) fn start<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> io::Result<Receiver<T>> {
    let (sender, receiver) = sync_channel(1);
    let runtime = RUNTIME.as_ref().map_err(|error| io::Error::new(error.kind(), error.to_string()))?;
    runtime.spawn(async move {
        // nobody may be waiting any more
        let _ = sender.send(work.await);
    });
    Ok(receiver)
}

/// Does work and waits for it.
///
/// # Errors
/// There are no threads to do it, or it died.
pub fn wait<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> io::Result<T> {
    start(work)?.recv().map_err(io::Error::other)
}
