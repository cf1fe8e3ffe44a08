//! The shared files of AWS, `~/.aws/credentials` and `~/.aws/config`, which object_store does not read.
//!
//! See <https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html>.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use object_store::aws::{AwsCredential, AwsCredentialProvider};
use object_store::{CredentialProvider, Result};
use serde::Deserialize;

use super::Failure;
use super::failure::Cause;

/// Sections of a file by name, each with its settings.
type Sections = BTreeMap<String, BTreeMap<String, String>>;

/// One profile of the shared files; empty if there are none.
#[derive(Clone)]
pub(super) struct Profile {
    name: String,
    settings: BTreeMap<String, String>,
}

/// How a profile gives credentials.
#[derive(Clone)]
enum How {
    /// they stand in a file, which others may write anew
    Keys,
    /// a program prints them
    Process(String),
}

/// Keys that are read again: after this time, or before they expire.
const FRESH: Duration = Duration::from_secs(60);
const BEFORE_EXPIRY: Duration = Duration::from_secs(300);
/// What a profile has that only AWS' own tool can turn into keys.
const BY_AWS: [&str; 4] = ["role_arn", "sso_session", "sso_start_url", "login_session"];

impl Profile {
    /// The profile of that name, else of `AWS_PROFILE`, else `default`.
    ///
    /// # Errors
    /// A profile that was asked for is not there.
    pub(super) fn read(name: Option<&str>) -> Result<Self, Failure> {
        let from_environment = ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"].iter().find_map(|name| variable(name));
        let asked = name.map(str::to_owned).or(from_environment);
        let (credentials, config) =
            (file("AWS_SHARED_CREDENTIALS_FILE", "credentials"), file("AWS_CONFIG_FILE", "config"));
        let text = |path: &Option<PathBuf>| path.as_ref().and_then(|path| std::fs::read_to_string(path).ok());
        let (credentials, config) = (text(&credentials).unwrap_or_default(), text(&config).unwrap_or_default());
        let name = asked.clone().unwrap_or_else(|| "default".to_owned());
        let settings = settings(&sections(&credentials), &sections(&config), &name);
        if settings.is_empty() && asked.is_some() {
            let what = format!("there is no profile `{name}` in ~/.aws/credentials or ~/.aws/config (AWS_PROFILE)");
            return Err(Failure::new(Cause::Denied, what));
        }
        Ok(Profile { name, settings })
    }

    pub(super) fn region(&self) -> Option<&String> {
        self.settings.get("region")
    }

    pub(super) fn endpoint(&self) -> Option<&String> {
        self.settings.get("endpoint_url")
    }

    /// Where credentials come from, if the profile has any, and what to call it.
    ///
    /// # Errors
    /// The profile needs AWS' own tool, which is not there.
    pub(super) fn credentials(self) -> Result<Option<(AwsCredentialProvider, String)>, Failure> {
        let called = format!("profile `{}`", self.name);
        let how = if self.settings.contains_key("aws_access_key_id") {
            How::Keys
        } else if let Some(program) = self.settings.get("credential_process") {
            How::Process(program.clone())
        } else if BY_AWS.iter().any(|key| self.settings.contains_key(*key)) {
            if !is_installed("aws") {
                return Err(Failure::new(
                    Cause::Denied,
                    format!(
                        "profile `{}` signs in or takes a role, for which lakesmith asks the AWS CLI, and there is no \
                         `aws` to be run; install it, or export the keys by \
                         `aws configure export-credentials --format env`",
                        self.name
                    ),
                ));
            }
            How::Process(format!("aws configure export-credentials --format process --profile '{}'", self.name))
        } else {
            return Ok(None);
        };
        let provider = Keys { profile: self.name, how, last: Mutex::new(None) };
        Ok(Some((Arc::new(provider), called)))
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn file(name: &str, usual: &str) -> Option<PathBuf> {
    match variable(name) {
        Some(path) => Some(PathBuf::from(path)),
        None => std::env::home_dir().map(|home| home.join(".aws").join(usual)),
    }
}

fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

fn sections(text: &str) -> Sections {
    let mut sections = Sections::new();
    let mut current = None;
    for line in text.lines() {
        let nested = line.starts_with([' ', '\t']);
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) || nested {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.split(']').next()) {
            let name = name.trim();
            let name = name.strip_prefix("profile ").unwrap_or(name).trim().trim_matches('"').to_owned();
            current = Some(name);
        } else if let (Some(section), Some((key, value))) = (&current, line.split_once('=')) {
            let value = value.split(" #").next().unwrap_or(value).trim().to_owned();
            sections.entry(section.clone()).or_default().insert(key.trim().to_lowercase(), value);
        }
    }
    sections
}

/// Of what stands in both files, the one of the credentials counts.
fn settings(credentials: &Sections, config: &Sections, name: &str) -> BTreeMap<String, String> {
    let mut settings = config.get(name).cloned().unwrap_or_default();
    settings.extend(credentials.get(name).cloned().unwrap_or_default());
    settings
}

/// Keys of a profile, kept for a while.
struct Keys {
    profile: String,
    how: How,
    last: Mutex<Option<(Arc<AwsCredential>, Option<Instant>)>>,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Keys of profile {}", self.profile)
    }
}

#[async_trait]
impl CredentialProvider for Keys {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> Result<Arc<AwsCredential>> {
        let kept = self.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((keys, until)) = kept
            && until.is_none_or(|until| Instant::now() < until)
        {
            return Ok(keys);
        }
        let (profile, how) = (self.profile.clone(), self.how.clone());
        let got = tokio::task::spawn_blocking(move || fetch(&profile, &how)).await;
        let got = got.unwrap_or_else(|error| Err(error.to_string()));
        let (keys, until) = got.map_err(|why| {
            let what = format!("profile `{}` gives no credentials: {why}", self.profile);
            Failure::new(Cause::Denied, what).into_error()
        })?;
        let keys = Arc::new(keys);
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((Arc::clone(&keys), until));
        Ok(keys)
    }
}

/// Keys, and until when they are good.
fn fetch(profile: &str, how: &How) -> Result<(AwsCredential, Option<Instant>), String> {
    match how {
        How::Keys => {
            let settings = Profile::read(Some(profile)).map_err(|failure| failure.to_string())?.settings;
            let get = |name: &str| settings.get(name).filter(|value| !value.is_empty()).cloned();
            let keys = AwsCredential {
                key_id: get("aws_access_key_id").ok_or("it has no aws_access_key_id")?,
                secret_key: get("aws_secret_access_key").ok_or("it has no aws_secret_access_key")?,
                token: get("aws_session_token"),
            };
            Ok((keys, Some(Instant::now() + FRESH)))
        }
        How::Process(program) => printed(program),
    }
}

/// What such a program prints:
/// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html>.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Printed {
    access_key_id: String,
    secret_access_key: String,
    session_token: Option<String>,
    expiration: Option<DateTime<Utc>>,
}

fn printed(program: &str) -> Result<(AwsCredential, Option<Instant>), String> {
    let shell = if cfg!(windows) { ["cmd", "/C"] } else { ["sh", "-c"] };
    let out = Command::new(shell[0]).args([shell[1], program]).stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let out = out.map_err(|error| format!("its credential_process cannot be run: {error}"))?;
    if !out.status.success() {
        return Err(format!("its credential_process ended with {}", out.status));
    }
    // the answer is not quoted: it holds keys
    let printed: Printed = serde_json::from_slice(&out.stdout)
        .map_err(|_| "its credential_process printed no credentials in JSON".to_owned())?;
    let left = printed.expiration.map(|at| (at - Utc::now()).to_std().unwrap_or_default());
    let until = left.map(|left| Instant::now() + left.saturating_sub(BEFORE_EXPIRY));
    let Printed { access_key_id: key_id, secret_access_key: secret_key, session_token: token, .. } = printed;
    Ok((AwsCredential { key_id, secret_key, token }, until))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = "[default]\nregion = eu-west-1\n\n[profile \"ci\"]\n; what runs there\nregion=us-east-2 # near\ns3 =\n  \
                          addressing_style = path\ncredential_process = /bin/x --y=z\n[sso-session a]\nsso_region = x\n";
    const CREDENTIALS: &str =
        "[default]\naws_access_key_id=AKIA\naws_secret_access_key = a=b/c\n[ci]\nAWS_SESSION_TOKEN=t\n";

    #[test]
    fn a_profile_is_put_together_from_both_files() {
        let (credentials, config) = (sections(CREDENTIALS), sections(CONFIG));
        let default = settings(&credentials, &config, "default");
        assert_eq!(default["region"], "eu-west-1");
        assert_eq!(default["aws_secret_access_key"], "a=b/c");
        let ci = settings(&credentials, &config, "ci");
        assert_eq!((ci["region"].as_str(), ci["credential_process"].as_str()), ("us-east-2", "/bin/x --y=z"));
        assert_eq!(ci["aws_session_token"], "t");
        assert!(!ci.contains_key("addressing_style"));
        assert!(settings(&credentials, &config, "other").is_empty());
    }

    #[test]
    #[cfg(unix)]
    fn a_program_prints_keys_and_is_not_quoted() {
        let (keys, until) = printed(
            r#"echo '{"Version":1,"AccessKeyId":"a","SecretAccessKey":"s","Expiration":"2999-01-01T00:00:00Z"}'"#,
        )
        .unwrap();
        assert_eq!((keys.key_id.as_str(), keys.secret_key.as_str(), keys.token), ("a", "s", None));
        assert!(until.unwrap() > Instant::now());
        let error = printed("echo CANARY").unwrap_err();
        assert!(!error.contains("CANARY"), "{error}");
        assert!(printed("exit 3").unwrap_err().contains('3'));
    }
}
