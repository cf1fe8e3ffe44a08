//! Sending: to a file, or by HTTP. Addresses and tokens are never told.

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use reqwest::header::LOCATION;
use reqwest::redirect::Policy;

use crate::project::Secret;

/// Why something could not be sent, for people.
pub type Trouble = String;

/// Adds a line to a file, which is made if it is not there. One write, so that the lines of two runs do not mix.
pub fn append(path: &Path, line: &str) -> Result<(), Trouble> {
    let write = || {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let mut file = std::fs::OpenOptions::new().append(true).create(true).open(path)?;
        file.write_all(format!("{line}\n").as_bytes())
    };
    write().map_err(|error: std::io::Error| format!("{}: {error}", path.display()))
}

/// What POSTs JSON, each within a time.
pub struct Post {
    client: reqwest::Client,
    url: Secret,
    token: Option<Secret>,
}

impl Post {
    /// Connects to nobody yet.
    ///
    /// # Errors
    /// There are no roots of trust on this machine, or the like.
    pub fn new(url: &Secret, token: Option<&Secret>, timeout: Duration) -> Result<Self, Trouble> {
        let client = reqwest::Client::builder()
            .timeout(timeout)
            .connect_timeout(timeout)
            // to follow one by its rules is to ask again without a body (301, 302, 303): all would be lost in silence
            .redirect(Policy::none())
            .user_agent(concat!("lakesmith/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| why(error, timeout))?;
        Ok(Post { client, url: url.clone(), token: token.cloned() })
    }

    /// Sends a body; any answer of 200 to 299 is a yes.
    ///
    /// # Errors
    /// There was no such answer in time.
    pub async fn send(&self, body: String, timeout: Duration) -> Result<(), Trouble> {
        let request = self.client.post(&self.url.0).header("content-type", "application/json").body(body);
        let request = match &self.token {
            Some(token) => request.bearer_auth(&token.0),
            None => request,
        };
        let answer = request.send().await.map_err(|error| why(error, timeout))?;
        match answer.status() {
            status if status.is_success() => Ok(()),
            status if status.is_redirection() => Err(format!("the answer was {status}{}", whither(&answer))),
            status => Err(format!("the answer was {status}")),
        }
    }
}

/// Where a redirect leads to, without its path, which may hold a secret.
fn whither(answer: &reqwest::Response) -> String {
    let to = answer.headers().get(LOCATION).and_then(|to| to.to_str().ok());
    let Some(to) = to.and_then(|to| answer.url().join(to).ok()) else { return String::new() };
    let (there, here) = (to.origin(), answer.url().origin());
    let place = if there == here { "another path there".into() } else { there.ascii_serialization() };
    format!(", to {place}; redirects are not followed, so `url` must be the address that they end at")
}

/// Without the address, which may hold a secret.
fn why(error: reqwest::Error, timeout: Duration) -> Trouble {
    if error.is_timeout() {
        return format!("there was no answer within {timeout:?}");
    }
    let error = error.without_url();
    let mut told = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        told = format!("{told}: {cause}");
        source = cause.source();
    }
    told
}
