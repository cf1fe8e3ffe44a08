//! What `storage:` may say, and to which kind of store.

use std::collections::BTreeMap;
use std::time::Duration;

use object_store::{BackoffConfig, RetryConfig};

use super::Failure;

/// Kinds of object stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    S3,
    Azure,
    Gcs,
}

/// Options by their names in small letters.
pub(super) struct Options<'a> {
    given: &'a BTreeMap<String, String>,
    pub retry: RetryConfig,
}

/// What lakesmith itself takes.
const OWN: [&str; 3] = ["aws_profile", "max_retries", "retry_timeout"];
/// Options that would take away what commits rest on, and why.
const REFUSED: [(&str, &str); 4] = [
    ("aws_s3_allow_unsafe_rename", "without conditional writes two writers overwrite each other's commits"),
    ("allow_unsafe_rename", "without conditional writes two writers overwrite each other's commits"),
    ("aws_s3_locking_provider", "commits are conditional writes and need no lock"),
    ("aws_copy_if_not_exists", "commits are conditional writes, never copies"),
];
/// Names that people mean, to be suggested.
const USUAL: [&str; 19] = [
    "aws_region",
    "aws_endpoint",
    "aws_allow_http",
    "aws_access_key_id",
    "aws_secret_access_key",
    "aws_session_token",
    "aws_profile",
    "aws_virtual_hosted_style_request",
    "aws_skip_signature",
    "aws_server_side_encryption",
    "azure_storage_account_name",
    "azure_storage_account_key",
    "azure_storage_sas_key",
    "google_service_account",
    "google_application_credentials",
    "timeout",
    "connect_timeout",
    "max_retries",
    "retry_timeout",
];

impl Kind {
    pub(super) fn of(scheme: &str) -> Option<Self> {
        match scheme {
            "s3" | "s3a" => Some(Kind::S3),
            "az" | "azure" | "adl" | "abfs" | "abfss" => Some(Kind::Azure),
            "gs" => Some(Kind::Gcs),
            _ => None,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::S3 => "S3",
            Kind::Azure => "Azure Blob Storage",
            Kind::Gcs => "Google Cloud Storage",
        }
    }

    pub(super) fn feature(self) -> &'static str {
        match self {
            Kind::S3 => "s3",
            Kind::Azure => "azure",
            Kind::Gcs => "gcs",
        }
    }
}

impl<'a> Options<'a> {
    /// # Errors
    /// An option is refused or has no value that it can have.
    pub(super) fn new(given: &'a BTreeMap<String, String>) -> Result<Self, Failure> {
        for (name, why) in REFUSED {
            if given.contains_key(name) {
                return Err(Failure::settings(format!("`storage` has `{name}`, which is refused: {why}")));
            }
        }
        if given.get("aws_conditional_put").or(given.get("conditional_put")).is_some_and(|how| how != "etag") {
            let why = "without conditional writes two writers overwrite each other's commits";
            return Err(Failure::settings(format!("`storage` has `aws_conditional_put` other than `etag`: {why}")));
        }
        Ok(Options { given, retry: retry(given)? })
    }

    /// An option, by the first of its names that is given.
    pub(super) fn get(&self, names: &[&str]) -> Option<&'a str> {
        names.iter().find_map(|name| self.given.get(*name)).map(String::as_str)
    }

    /// The options that `parse` knows, for a builder; what neither it nor `others` nor lakesmith knows is a mistake.
    ///
    /// # Errors
    /// An option has no meaning.
    pub(super) fn known<K>(
        &self,
        parse: impl Fn(&str) -> Option<K>,
        others: impl Fn(&str) -> bool,
    ) -> Result<Vec<(K, &'a str)>, Failure> {
        let mut known = Vec::new();
        for (name, value) in self.given {
            match parse(name) {
                Some(key) => known.push((key, value.as_str())),
                None if OWN.contains(&name.as_str()) || others(name) => {}
                None => return Err(Failure::settings(unknown(name))),
            }
        }
        Ok(known)
    }
}

/// A server that stays away is given up on after half a minute.
fn retry(given: &BTreeMap<String, String>) -> Result<RetryConfig, Failure> {
    let mut retry = RetryConfig {
        backoff: BackoffConfig {
            init_backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(4),
            base: 2.,
        },
        max_retries: 8,
        retry_timeout: Duration::from_secs(25),
    };
    if let Some(text) = given.get("max_retries") {
        let wrong = |_| Failure::settings(format!("`max_retries` is `{text}`, which is no number"));
        retry.max_retries = text.trim().parse().map_err(wrong)?;
    }
    if let Some(text) = given.get("retry_timeout") {
        let wrong = || Failure::settings(format!("`retry_timeout` is `{text}`; write seconds, such as `25s`"));
        retry.retry_timeout = Duration::from_secs(text.trim().trim_end_matches('s').parse().map_err(|_| wrong())?);
    }
    Ok(retry)
}

fn unknown(name: &str) -> String {
    let likeness = |usual: &&str| strsim::jaro_winkler(name, usual);
    let near = USUAL.iter().copied().filter(|usual| likeness(usual) > 0.85);
    match near.max_by(|a, b| likeness(a).total_cmp(&likeness(b))) {
        Some(meant) => format!("`storage` has an unknown option `{name}`; did you mean `{meant}`?"),
        None => format!("`storage` has an unknown option `{name}`; see docs/object-storage.md"),
    }
}

/// Whether a kind of store other than the one at hand takes an option: a lake and its landing files share them.
pub(super) fn is_for_another(name: &str) -> bool {
    (name.starts_with("aws_") && aws(name))
        || (name.starts_with("azure_") && azure(name))
        || (name.starts_with("google_") && google(name))
}

#[cfg(feature = "s3")]
fn aws(name: &str) -> bool {
    name.parse::<object_store::aws::AmazonS3ConfigKey>().is_ok()
}

#[cfg(not(feature = "s3"))]
fn aws(_: &str) -> bool {
    true
}

#[cfg(feature = "azure")]
fn azure(name: &str) -> bool {
    name.parse::<object_store::azure::AzureConfigKey>().is_ok()
}

#[cfg(not(feature = "azure"))]
fn azure(_: &str) -> bool {
    true
}

#[cfg(feature = "gcs")]
fn google(name: &str) -> bool {
    name.parse::<object_store::gcp::GoogleConfigKey>().is_ok()
}

#[cfg(not(feature = "gcs"))]
fn google(_: &str) -> bool {
    true
}
