//! Azure Blob Storage.

use std::sync::Arc;

use object_store::ObjectStore;
use object_store::azure::{AzureConfigKey as Key, MicrosoftAzureBuilder};
use url::Url;

use super::options::{Kind, Options, is_for_another};
use super::{Failure, Server};

pub(super) fn open(url: &Url, options: &Options) -> Result<(Arc<dyn ObjectStore>, Server), Failure> {
    let mut builder = MicrosoftAzureBuilder::from_env().with_url(url.as_str());
    for (key, value) in options.known(|name| name.parse::<Key>().ok(), is_for_another)? {
        builder = builder.with_config(key, value);
    }
    let container = if url.username().is_empty() { url.host_str().unwrap_or_default() } else { url.username() };
    let account = builder.get_config_value(&Key::AccountName);
    let account = account.or_else(|| Some(url.host_str()?.split_once('.')?.0.to_owned()));
    let account = account.ok_or_else(|| {
        Failure::settings(
            "Azure needs the name of an account: set `azure_storage_account_name` in `storage`".to_owned(),
        )
    })?;
    let server = Server {
        kind: Kind::Azure,
        bucket: container.to_owned(),
        endpoint: format!("Azure account `{account}`"),
        credentials: "the credentials that were found".to_owned(),
    };
    let store = builder.with_retry(options.retry.clone()).build();
    let store = store.map_err(|error| Failure::settings(format!("the options of Azure are wrong: {error}")))?;
    Ok((Arc::new(store), server))
}
