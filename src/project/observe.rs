//! `observe:` of an environment: what others are told of runs.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::expand::{Lookup, expand, is_credential, is_reference, password_in};
use super::model::Secret;
use super::reader::{File, Map, Text};
use super::source::span;

const KEYS: [&str; 5] = ["openlineage", "metrics", "alerts", "stale_after", "quarantine_over"];
const LINEAGE_KEYS: [&str; 6] = ["file", "url", "endpoint", "api_key", "namespace", "timeout"];
const METRICS_KEYS: [&str; 1] = ["file"];
const ALERT_KEYS: [&str; 4] = ["url", "form", "on", "timeout"];
/// Where OpenLineage's own clients send events to, below the address that is given them.
const ENDPOINT: &str = "api/v1/lineage";
const TIMEOUT: Duration = Duration::from_secs(5);
/// Refused rows of a run, as a share of those that it read, that are worth an alert.
const QUARANTINE_OVER: f64 = 0.05;
/// Its webhooks carry their secret in the path.
const SLACK: &str = "hooks.slack.com";

/// What others are told of runs, in one environment.
#[derive(Clone, Debug)]
pub struct Observe {
    /// events of lineage
    pub openlineage: Option<OpenLineage>,
    /// a file for the textfile collector of Prometheus' node_exporter
    pub metrics: Option<PathBuf>,
    /// who is called when something is amiss
    pub alerts: Vec<Webhook>,
    /// a table whose rows have not changed for longer is stale; `None`: none ever is
    pub stale_after: Option<Duration>,
    /// refused rows of a run, as a share of those that it read, that are too many
    pub quarantine_over: f64,
}

/// Where events of lineage go: to a file, to a service, or to both.
#[derive(Clone, Debug)]
pub struct OpenLineage {
    /// JSON, an event a line
    pub file: Option<PathBuf>,
    /// what events are POSTed to, whole
    pub url: Option<Secret>,
    /// goes along as a bearer token
    pub api_key: Option<Secret>,
    /// of jobs
    pub namespace: String,
    /// for one event
    pub timeout: Duration,
}

/// Who is called when something is amiss.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// is POSTed to
    pub url: Secret,
    /// what the body is
    pub form: AlertForm,
    /// what it is called for
    pub on: Vec<Occasion>,
    /// for one call
    pub timeout: Duration,
}

/// What a webhook takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlertForm {
    /// an object with all that there is to say
    Json,
    /// a message for a channel of Slack, or of what takes the same
    Slack,
}

/// What is worth an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Occasion {
    /// a table failed, or the guard stopped it
    Failure,
    /// the rows of a table have not changed for too long
    Stale,
    /// a file could not be taken in
    SetAside,
    /// too large a share of the rows was refused
    Quarantine,
}

/// As they are written.
const OCCASIONS: [(&str, Occasion); 4] = [
    ("failure", Occasion::Failure),
    ("stale", Occasion::Stale),
    ("set_aside", Occasion::SetAside),
    ("quarantine", Occasion::Quarantine),
];

impl Occasion {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        OCCASIONS.iter().find(|(_, occasion)| *occasion == self).map_or("", |(word, _)| word)
    }
}

impl Default for Observe {
    fn default() -> Self {
        Observe {
            openlineage: None,
            metrics: None,
            alerts: Vec::new(),
            stale_after: None,
            quarantine_over: QUARANTINE_OVER,
        }
    }
}

/// What stands for values that may come from the process environment.
pub(super) struct Place<'a> {
    /// relative paths are within it
    pub root: &'a Path,
    /// of the process environment
    pub vars: Lookup<'a>,
    /// the project's name, of which jobs' namespace is made if none is given
    pub project: &'a str,
    /// whether this environment is the one to be used: only then are its variables wanted
    pub is_chosen: bool,
}

/// Reads `observe:` of an environment's entry.
pub(super) fn read(entry: &Map, place: &Place) -> Observe {
    let mut observe = Observe::default();
    let map = entry.get("observe").and_then(|node| entry.file.map(node, "`observe`", &KEYS));
    if let Some(map) = map {
        observe.openlineage = section(&map, "openlineage", &LINEAGE_KEYS).and_then(|map| openlineage(&map, place));
        observe.metrics = section(&map, "metrics", &METRICS_KEYS).and_then(|map| {
            map.required("file", "e.g. `file: /var/lib/node_exporter/lakesmith.prom`")?;
            path(&map, "file", place)
        });
        observe.alerts = alerts(&map, place);
        observe.stale_after = duration(&map, "stale_after");
        observe.quarantine_over = share(&map, "quarantine_over").unwrap_or(QUARANTINE_OVER);
    }
    if place.is_chosen && observe.openlineage.is_none() {
        observe.openlineage = of_variables(place);
    }
    observe
}

fn section<'n, 'a>(map: &Map<'n, 'a>, key: &str, known: &[&str]) -> Option<Map<'n, 'a>> {
    map.file.map(map.get(key)?, &format!("`{key}`"), known)
}

fn openlineage(map: &Map, place: &Place) -> Option<OpenLineage> {
    if map.get("file").is_none() && map.get("url").is_none() {
        let hint = "`file:` or `url:`, or both".to_owned();
        map.file.hinted(map.mark, "`openlineage` says nowhere to send events to", Some(hint));
        return None;
    }
    let file = path(map, "file", place);
    let endpoint = map.get("endpoint").and_then(|_| map.text("endpoint")).map(|text| text.value);
    let url = secret_url(map, "url", place);
    let api_key = secret(map, "api_key", place);
    let namespace = map.get("namespace").and_then(|_| map.text("namespace"));
    let timeout = duration(map, "timeout").unwrap_or(TIMEOUT);
    let url = url.map(|url| below(&url.0, endpoint.as_deref().unwrap_or(ENDPOINT)));
    let namespace = namespace.map_or_else(|| place.project.to_owned(), |text| text.value);
    (file.is_some() || url.is_some()).then_some(OpenLineage { file, url, api_key, namespace, timeout })
}

/// What OpenLineage's own clients take from the process environment.
fn of_variables(place: &Place) -> Option<OpenLineage> {
    let variable = |name: &str| (place.vars)(name).filter(|value| !value.is_empty());
    if variable("OPENLINEAGE_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        return None;
    }
    let endpoint = variable("OPENLINEAGE_ENDPOINT").unwrap_or_else(|| ENDPOINT.to_owned());
    Some(OpenLineage {
        file: None,
        url: Some(below(&variable("OPENLINEAGE_URL")?, &endpoint)),
        api_key: variable("OPENLINEAGE_API_KEY").map(Secret),
        namespace: variable("OPENLINEAGE_NAMESPACE").unwrap_or_else(|| place.project.to_owned()),
        timeout: TIMEOUT,
    })
}

fn below(url: &str, endpoint: &str) -> Secret {
    Secret(
        format!("{}/{}", url.trim_end_matches('/'), endpoint.trim_start_matches('/')).trim_end_matches('/').to_owned(),
    )
}

fn alerts(map: &Map, place: &Place) -> Vec<Webhook> {
    let Some(node) = map.get("alerts") else { return Vec::new() };
    let nodes: Vec<_> = match &node.value {
        super::yaml::Value::Sequence(items) => items.iter().collect(),
        _ => vec![node],
    };
    let entries = nodes.into_iter().filter_map(|node| map.file.map(node, "an entry of `alerts`", &ALERT_KEYS));
    entries.filter_map(|entry| webhook(&entry, place)).collect()
}

fn webhook(map: &Map, place: &Place) -> Option<Webhook> {
    map.required("url", "what to POST to, e.g. `url: \"${ALERT_URL}\"`")?;
    let url = secret_url(map, "url", place);
    let forms = [("json", AlertForm::Json), ("slack", AlertForm::Slack)];
    let form = map.get("form").map_or(Some(AlertForm::Json), |_| map.choice("form", &forms));
    let on = match map.get("on") {
        None => OCCASIONS.iter().map(|(_, occasion)| *occasion).collect(),
        Some(_) => map.texts("on")?.iter().filter_map(|text| occasion(map.file, text)).collect(),
    };
    let timeout = duration(map, "timeout").unwrap_or(TIMEOUT);
    Some(Webhook { url: url?, form: form?, on, timeout })
}

fn occasion(file: &File, text: &Text) -> Option<Occasion> {
    let found = OCCASIONS.iter().find(|(word, _)| *word == text.value).map(|(_, occasion)| *occasion);
    if found.is_none() {
        let words: Vec<&str> = OCCASIONS.iter().map(|(word, _)| *word).collect();
        let hint = super::did_you_mean(&text.value, words.iter().copied());
        let hint = hint.unwrap_or_else(|| format!("any of: {}", words.join(", ")));
        file.hinted(text.mark, format!("`on` cannot be `{}`", text.value), Some(hint));
    }
    found
}

fn path(map: &Map, key: &str, place: &Place) -> Option<PathBuf> {
    map.get(key)?;
    let text = map.text(key)?;
    if text.value.trim().is_empty() {
        map.file.fault(text.mark, format!("`{key}` is empty"));
    }
    let text = if place.is_chosen { expand(map.file, &text, place.vars)? } else { return None };
    Some(place.root.join(text))
}

/// An address, which may bear a secret: never shown.
fn secret_url(map: &Map, key: &str, place: &Place) -> Option<Secret> {
    map.get(key)?;
    let text = map.text(key)?;
    if holds_secret(&text.value) {
        let hint = "put it into the process environment and write e.g. `${ALERT_URL}`".to_owned();
        map.file.hinted(text.mark, format!("`{key}` holds a secret in plain text"), Some(hint));
        return None;
    }
    let address = if place.is_chosen { expand(map.file, &text, place.vars)? } else { return None };
    if !(address.starts_with("http://") || address.starts_with("https://")) || url::Url::parse(&address).is_err() {
        let hint = "it begins with `https://` or `http://`".to_owned();
        map.file.hinted(text.mark, format!("`{key}` is no address to send to"), Some(hint));
        return None;
    }
    Some(Secret(address))
}

fn holds_secret(address: &str) -> bool {
    let query = address.split_once('?').map_or("", |(_, query)| query);
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let in_query =
        pairs.into_iter().any(|(key, value)| is_credential(key) && !value.is_empty() && !is_reference(value));
    password_in(address) || in_query || (address.contains(SLACK) && !address.contains("${"))
}

/// A text that is one from the process environment alone.
fn secret(map: &Map, key: &str, place: &Place) -> Option<Secret> {
    map.get(key)?;
    let text = map.text(key)?;
    if !is_reference(&text.value) {
        let hint = format!("put it into the process environment and write `${{{}}}`", key.to_uppercase());
        map.file.hinted(text.mark, format!("`{key}` holds a secret in plain text"), Some(hint));
        return None;
    }
    if place.is_chosen { expand(map.file, &text, place.vars).map(Secret) } else { None }
}

fn duration(map: &Map, key: &str) -> Option<Duration> {
    map.get(key)?;
    let text = map.text(key)?;
    let found = span(&text.value).filter(|span| !span.is_zero());
    if found.is_none() {
        let hint = "a whole number and s, m, h, d or w, e.g. `30s` or `24h`".to_owned();
        map.file.hinted(text.mark, format!("`{key}` cannot be `{}`", text.value), Some(hint));
    }
    found
}

fn share(map: &Map, key: &str) -> Option<f64> {
    map.get(key)?;
    let text = map.text(key)?;
    let number = match text.value.strip_suffix('%') {
        Some(percent) => percent.trim().parse::<f64>().ok().map(|percent| percent / 100.0),
        None => text.value.parse().ok(),
    };
    let found = number.filter(|share| (0.0..=1.0).contains(share));
    if found.is_none() {
        let hint = "a share of the rows, such as `0.05` or `5%`".to_owned();
        map.file.hinted(text.mark, format!("`{key}` cannot be `{}`", text.value), Some(hint));
    }
    found
}
