//! Whether a server keeps two writers apart: commits rest on it that what is there is never overwritten.

use object_store::path::Path;
use object_store::{Error as StoreError, ObjectStore, ObjectStoreExt, PutMode, PutPayload};

use super::failure::{Cause, Failure};
use super::{Server, failure};

/// Puts an object where there is none and again; the second time must be refused. The object is deleted after that.
pub(super) async fn run(store: &dyn ObjectStore, server: &Server, near: &Path) -> Result<(), StoreError> {
    let key = beside(near);
    let put =
        |text: &'static str| store.put_opts(&key, PutPayload::from_static(text.as_bytes()), PutMode::Create.into());
    let first = match put("1").await {
        // its acknowledgement may have been lost: the key is nobody else's
        Err(StoreError::AlreadyExists { .. }) | Ok(_) => Ok(()),
        Err(error) => Err(error),
    };
    let second = match first {
        Ok(()) => put("2").await.map(|_| ()),
        Err(error) => Err(error),
    };
    let deleted = store.delete(&key).await;
    if let Err(error) = deleted {
        tracing::debug!(%error, %key, "the object of a probe could not be deleted");
    }
    match second {
        Err(StoreError::AlreadyExists { .. }) => Ok(()),
        Ok(()) => Err(ignored(server).into_error()),
        Err(error @ (StoreError::NotImplemented { .. } | StoreError::NotSupported { .. })) => {
            Err(unknown(server, &error.to_string()).into_error())
        }
        Err(error) if failure::is_status(&error, 501) || failure::is_status(&error, 400) => {
            Err(unknown(server, &failure::status_of(&error)).into_error())
        }
        Err(error) => Err(failure::explained(server, error)),
    }
}

/// Beside the object that is to be written, for the same rights to hold, yet in no log; readers of Delta skip such names.
fn beside(near: &Path) -> Path {
    let folder = near.as_ref().rsplit_once('/').map_or("", |(folder, _)| folder);
    let folder = folder.strip_suffix("/_delta_log").unwrap_or(folder);
    Path::parse(folder).unwrap_or_default().join(format!("_lakesmith-probe-{}", uuid::Uuid::new_v4().simple()))
}

fn ignored(server: &Server) -> Failure {
    let Server { bucket, endpoint, .. } = server;
    Failure::new(
        Cause::Unsafe,
        format!(
            "{endpoint} ignores `If-None-Match: *` (an object of bucket `{bucket}` was overwritten that had to be new), \
             so two writers would overwrite each other's commits; lakesmith does not write there. \
             docs/object-storage.md names servers that can"
        ),
    )
}

fn unknown(server: &Server, answer: &str) -> Failure {
    let Server { bucket, endpoint, .. } = server;
    Failure::new(
        Cause::Unsafe,
        format!(
            "{endpoint} does not know `If-None-Match: *` (bucket `{bucket}`: {answer}), so two writers could not be kept \
             apart; lakesmith does not write there. docs/object-storage.md names servers that can"
        ),
    )
}
