//! Amazon S3 and what speaks its protocol.

use std::sync::Arc;

use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey as Key, S3ConditionalPut};
use object_store::{ClientConfigKey, ObjectStore, RetryConfig};
use url::Url;

use super::options::{Kind, Options, is_for_another};
use super::profile::Profile;
use super::{Failure, Server};

pub(super) fn open(url: &Url, options: &Options) -> Result<(Arc<dyn ObjectStore>, Server), Failure> {
    let bucket = url.host_str().filter(|bucket| !bucket.is_empty());
    let bucket =
        bucket.ok_or_else(|| Failure::settings(format!("`{url}` names no bucket; write `s3://BUCKET/FOLDER`")))?;
    let profile = Profile::read(options.get(&["aws_profile"]))?;
    let mut builder = AmazonS3Builder::from_env();
    for (key, value) in options.known(|name| name.parse::<Key>().ok(), is_for_another)? {
        builder = builder.with_config(key, value);
    }
    let unset =
        |builder: &AmazonS3Builder, keys: &[Key]| keys.iter().all(|key| builder.get_config_value(key).is_none());
    if let Some(region) = profile.region().filter(|_| unset(&builder, &[Key::Region, Key::DefaultRegion])) {
        builder = builder.with_region(region);
    }
    if let Some(endpoint) = profile.endpoint().filter(|_| unset(&builder, &[Key::Endpoint, Key::S3Endpoint])) {
        builder = builder.with_endpoint(endpoint);
    }
    let builder = builder.with_bucket_name(bucket).with_conditional_put(S3ConditionalPut::ETagMatch);
    let endpoint = endpoint(&builder)?;
    let (builder, credentials) = with_credentials(builder, options, profile)?;
    let store = build(builder, options.retry.clone())?;
    let server = Server { kind: Kind::S3, bucket: bucket.to_owned(), endpoint, credentials };
    Ok((Arc::new(store), server))
}

fn build(builder: AmazonS3Builder, retry: RetryConfig) -> Result<AmazonS3, Failure> {
    builder
        .with_retry(retry)
        .build()
        .map_err(|error| Failure::settings(format!("the options of S3 are wrong: {error}")))
}

fn endpoint(builder: &AmazonS3Builder) -> Result<String, Failure> {
    let value = |key: Key| builder.get_config_value(&key);
    let Some(endpoint) = value(Key::S3Endpoint).or_else(|| value(Key::Endpoint)) else {
        let region = value(Key::Region).unwrap_or_else(|| "us-east-1".to_owned());
        return Ok(format!("AWS S3 in {region}"));
    };
    let shown = shown(&endpoint);
    let plain = value(Key::Client(ClientConfigKey::AllowHttp)).is_some_and(|allow| allow == "true");
    if endpoint.starts_with("http://") && !plain {
        return Err(Failure::settings(format!(
            "the endpoint {shown} is not encrypted; if that is meant, set `aws_allow_http: \"true\"` in `storage` or \
             AWS_ALLOW_HTTP=true in the environment"
        )));
    }
    Ok(shown)
}

/// An address without what may be secret in it.
fn shown(endpoint: &str) -> String {
    match Url::parse(endpoint) {
        Ok(mut url) => {
            let _ = (url.set_username(""), url.set_password(None));
            url.set_query(None);
            url.to_string().trim_end_matches('/').to_owned()
        }
        Err(_) => "the endpoint".to_owned(),
    }
}

/// Keys that are set go first, then a profile's, then what a machine gives: a web identity, a container, an instance.
fn with_credentials(
    builder: AmazonS3Builder,
    options: &Options,
    profile: Profile,
) -> Result<(AmazonS3Builder, String), Failure> {
    let is_set = |key: Key| builder.get_config_value(&key).is_some();
    if builder.get_config_value(&Key::SkipSignature).is_some_and(|skip| skip == "true") {
        return Ok((builder, "nobody (requests are not signed)".to_owned()));
    }
    if is_set(Key::AccessKeyId) || is_set(Key::SecretAccessKey) {
        let given = options.get(&["aws_access_key_id", "access_key_id"]).is_some();
        let place = if given { "`storage`" } else { "AWS_ACCESS_KEY_ID" };
        return Ok((builder, format!("the key of {place}")));
    }
    if let Some((provider, source)) = profile.credentials()? {
        return Ok((builder.with_credentials(provider), source));
    }
    if is_set(Key::WebIdentityTokenFile) && is_set(Key::RoleArn) {
        return Ok((builder, "the web identity of AWS_ROLE_ARN".to_owned()));
    }
    if is_set(Key::ContainerCredentialsRelativeUri)
        || (is_set(Key::ContainerCredentialsFullUri) && is_set(Key::ContainerAuthorizationTokenFile))
    {
        return Ok((builder, "the container's role".to_owned()));
    }
    // Most machines have no metadata service, and finding that out must not take half a minute.
    let retry = RetryConfig { max_retries: 1, ..options.retry.clone() };
    let instance = build(builder.clone(), retry)?;
    Ok((builder.with_credentials(Arc::clone(instance.credentials())), "the instance's role".to_owned()))
}
