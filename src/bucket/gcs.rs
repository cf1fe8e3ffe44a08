//! Google Cloud Storage.

use std::sync::Arc;

use object_store::ObjectStore;
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey as Key};
use url::Url;

use super::options::{Kind, Options, is_for_another};
use super::{Failure, Server};

pub(super) fn open(url: &Url, options: &Options) -> Result<(Arc<dyn ObjectStore>, Server), Failure> {
    let mut builder = GoogleCloudStorageBuilder::from_env().with_url(url.as_str());
    for (key, value) in options.known(|name| name.parse::<Key>().ok(), is_for_another)? {
        builder = builder.with_config(key, value);
    }
    let server = Server {
        kind: Kind::Gcs,
        bucket: url.host_str().unwrap_or_default().to_owned(),
        endpoint: "Google Cloud Storage".to_owned(),
        credentials: "the credentials that were found".to_owned(),
    };
    let store = builder.with_retry(options.retry.clone()).build();
    let store = store.map_err(|error| Failure::settings(format!("the options of GCS are wrong: {error}")))?;
    Ok((Arc::new(store), server))
}
