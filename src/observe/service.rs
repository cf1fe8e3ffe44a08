//! The service that takes events of lineage. It has its own queue: however slow it is, neither the run nor the file of
//! events waits for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::deliver::Post;
use crate::project::OpenLineage;

/// Sends events one after the other. After the first that fails it is left alone.
pub struct Service {
    queue: mpsc::UnboundedSender<String>,
    task: JoinHandle<()>,
    unsent: Arc<AtomicU64>,
    /// nobody waits longer for it when the run is over
    patience: Duration,
}

impl Service {
    /// None if the settings name none. Must be called within Tokio.
    pub fn new(settings: &OpenLineage) -> Option<Self> {
        let (url, timeout) = (settings.url.as_ref()?, settings.timeout);
        let post = Post::new(url, settings.api_key.as_ref(), timeout)
            .map_err(|error| tracing::warn!(error, "events of lineage cannot be sent to the service"));
        let (queue, events) = mpsc::unbounded_channel();
        let unsent = Arc::new(AtomicU64::new(0));
        let task = tokio::spawn(send(post.ok(), events, timeout, unsent.clone()));
        Some(Service { queue, task, unsent, patience: timeout * 2 })
    }

    /// Leaves an event to it.
    pub fn take(&self, event: String) {
        self.unsent.fetch_add(1, Ordering::Relaxed);
        // whoever has stopped listening has sent nothing
        let _ = self.queue.send(event);
    }

    /// Waits for what is still to be sent, though not for long, and warns of what was not.
    pub async fn finish(self) {
        let Service { queue, mut task, unsent, patience } = self;
        drop(queue);
        let is_slow = tokio::time::timeout(patience, &mut task).await.is_err();
        task.abort();
        match unsent.load(Ordering::Relaxed) {
            0 => {}
            events if is_slow => {
                tracing::warn!(events, "the service takes too long; the last events of lineage were not sent to it");
            }
            events => tracing::warn!(events, "events of lineage were not sent to the service"),
        }
    }
}

async fn send(
    post: Option<Post>,
    mut events: mpsc::UnboundedReceiver<String>,
    timeout: Duration,
    unsent: Arc<AtomicU64>,
) {
    let Some(post) = post else { return };
    while let Some(event) = events.recv().await {
        if let Err(error) = post.send(event, timeout).await {
            tracing::warn!(error, "an event of lineage could not be sent; the service is left alone for this run");
            return;
        }
        unsent.fetch_sub(1, Ordering::Relaxed);
    }
}
