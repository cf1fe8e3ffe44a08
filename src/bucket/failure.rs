//! What is wrong with a store, in words for whoever runs lakesmith. What a server answers is quoted by its error code and
//! message alone: the rest of an answer may repeat what was sent, credentials too, and so may the URL of a request.

use std::error::Error as StdError;

use object_store::Error as StoreError;

use super::Server;

/// Why a store could not be used.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{text}")]
pub struct Failure {
    text: String,
    cause: Cause,
}

/// Kinds of failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// an option or an address is wrong
    Settings,
    /// no answer, or none in time
    Unreachable,
    /// there are no credentials, or they are not accepted
    Denied,
    /// there is no such bucket
    NoBucket,
    /// the server cannot keep two writers apart
    Unsafe,
    /// any other answer
    Refused,
}

impl Failure {
    pub(super) fn settings(text: String) -> Self {
        Failure { text, cause: Cause::Settings }
    }

    pub(super) fn new(cause: Cause, text: String) -> Self {
        Failure { text, cause }
    }

    /// What kind it is.
    pub fn cause(&self) -> Cause {
        self.cause
    }

    /// The failure that an error bears, however deep.
    pub fn within<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a Self> {
        let mut error = Some(error);
        while let Some(this) = error {
            if let Some(failure) = this.downcast_ref::<Failure>() {
                return Some(failure);
            }
            // io::Error gives the source of what it wraps, not that itself
            if let Some(inner) = this.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref)
                && let Some(failure) = Failure::within(inner)
            {
                return Some(failure);
            }
            error = this.source();
        }
        None
    }

    pub(super) fn into_error(self) -> StoreError {
        StoreError::Generic { store: "bucket", source: Box::new(self) }
    }
}

/// The error in words, unless it is one that callers decide by.
pub(super) fn explained(server: &Server, error: StoreError) -> StoreError {
    let text = whole(&error);
    match &error {
        StoreError::NotFound { .. } if is_no_bucket(&text) => no_bucket(server).into_error(),
        StoreError::NotFound { .. }
        | StoreError::AlreadyExists { .. }
        | StoreError::Precondition { .. }
        | StoreError::NotModified { .. }
        | StoreError::NotImplemented { .. }
        | StoreError::NotSupported { .. } => error,
        _ if Failure::within(&error).is_some() => error,
        _ => failure(server, &error, &text).into_error(),
    }
}

/// A listing of what is not there is empty, so this can only mean the bucket.
pub(super) fn explained_listing(server: &Server, error: StoreError) -> StoreError {
    match error {
        StoreError::NotFound { .. } => no_bucket(server).into_error(),
        error if is_status(&error, 404) => no_bucket(server).into_error(),
        error => explained(server, error),
    }
}

fn failure(server: &Server, error: &StoreError, text: &str) -> Failure {
    let Server { bucket, endpoint, credentials, .. } = server;
    if text.contains("169.254.169.254") || text.contains("metadata.google.internal") {
        return no_credentials(server);
    }
    let answer = said(text);
    if matches!(error, StoreError::PermissionDenied { .. } | StoreError::Unauthenticated { .. }) {
        let answer = answer.unwrap_or_else(|| "no reason is given".to_owned());
        return Failure::new(
            Cause::Denied,
            format!(
                "bucket `{bucket}` at {endpoint} denies access to {credentials} ({answer}); docs/object-storage.md lists \
                 the permissions that are needed"
            ),
        );
    }
    if text.contains("redirect without LOCATION") || answer.as_deref().is_some_and(|a| a.contains("PermanentRedirect"))
    {
        return Failure::new(
            Cause::Refused,
            format!("bucket `{bucket}` is in another region than the one asked ({endpoint}); set `aws_region`"),
        );
    }
    if let Some(status) = status(text) {
        let answer = answer.map(|answer| format!(" ({answer})")).unwrap_or_default();
        let after = tries(text).map(|tries| format!(" after {tries} tries")).unwrap_or_default();
        return Failure::new(
            Cause::Refused,
            format!("{endpoint} answered {status}{answer} for bucket `{bucket}`{after}; {}", advice(status)),
        );
    }
    Failure::new(
        Cause::Unreachable,
        format!(
            "{endpoint} cannot be reached for bucket `{bucket}`: {}; check the network and the endpoint in `storage` or \
             the environment",
            innermost(error)
        ),
    )
}

/// What to do about a status.
fn advice(status: &str) -> &'static str {
    match status.starts_with('5') || status.starts_with("429") || status.starts_with("409") {
        true => "run again later",
        false => "docs/object-storage.md tells what lakesmith asks of a server",
    }
}

fn no_bucket(server: &Server) -> Failure {
    let Server { bucket, endpoint, .. } = server;
    Failure::new(
        Cause::NoBucket,
        format!("there is no bucket `{bucket}` at {endpoint}; make it, or correct the address in lakesmith.yaml"),
    )
}

pub(super) fn no_credentials(server: &Server) -> Failure {
    let Server { bucket, endpoint, kind, .. } = server;
    Failure::new(
        Cause::Denied,
        format!(
            "there are no credentials for bucket `{bucket}` at {endpoint}: none in `storage`, in the environment, in the \
             files of a profile, nor from this machine's metadata service; docs/object-storage.md tells where {} \
             credentials are looked for",
            kind.name()
        ),
    )
}

/// An error and all that caused it.
fn whole(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

fn innermost(error: &dyn StdError) -> String {
    let mut last = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        last = error.to_string();
        cause = error.source();
    }
    last
}

fn is_no_bucket(text: &str) -> bool {
    ["NoSuchBucket", "ContainerNotFound", "The specified bucket does not exist"].iter().any(|code| text.contains(code))
}

/// `503 Service Unavailable`
fn status(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("status code: ")?;
    Some(rest.split([':', '<', '\n']).next().unwrap_or(rest).trim())
}

/// The status that a server answered with, if it did.
pub(super) fn status_of(error: &StoreError) -> String {
    status(&whole(error)).unwrap_or("no status").to_owned()
}

/// Whether no answer came though the request may have arrived.
pub(super) fn is_unanswered(error: &StoreError) -> bool {
    let text = whole(error);
    matches!(error, StoreError::Generic { .. })
        && status(&text).is_none()
        && text.contains("Error performing")
        && !text.contains("169.254.169.254")
        && !text.contains("tcp connect error")
        && !text.contains("dns error")
}

/// Whether a server answered with this status.
pub(super) fn is_status(error: &StoreError, code: u16) -> bool {
    status(&whole(error)).is_some_and(|status| status.starts_with(&code.to_string()))
}

fn tries(text: &str) -> Option<u32> {
    let (_, rest) = text.split_once(", after ")?;
    rest.split_once(" retries")?.0.parse::<u32>().ok().map(|retries| retries + 1)
}

/// The code and the message of an XML answer.
fn said(text: &str) -> Option<String> {
    let element = |name: &str| {
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        let (inside, _) = rest.split_once(&format!("</{name}>"))?;
        Some(inside.trim().chars().filter(|c| !c.is_control()).take(200).collect::<String>())
    };
    match (element("Code"), element("Message")) {
        (Some(code), Some(message)) => Some(format!("{code}: {message}")),
        (code, message) => code.or(message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_quoted_by_code_and_message_alone() {
        let text = "Server returned non-2xx status code: 403 Forbidden: <?xml version=\"1.0\"?><Error><Code>Signature\
                    DoesNotMatch</Code><Message>The signature does not match</Message><CanonicalRequest>x-amz-security-\
                    token:CANARY</CanonicalRequest></Error>";
        assert_eq!(status(text), Some("403 Forbidden"));
        assert_eq!(said(text).unwrap(), "SignatureDoesNotMatch: The signature does not match");
        assert_eq!(tries("Error performing GET in 1s, after 8 retries, max_retries: 8"), Some(9));
        assert_eq!(said("nothing"), None);
    }
}
