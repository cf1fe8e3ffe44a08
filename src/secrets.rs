//! What must not be told: words that this process was given as credentials are taken out of every message before it is
//! printed, logged or stored. It is a net below those who take care not to say them, and holds for what libraries say too.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::{PoisonError, RwLock};

use serde_json::Value;
use url::Url;
use url::form_urlencoded::byte_serialize;

/// A shorter word tells nobody anything, and stands in messages by chance.
const SHORTEST: usize = 6;
const HIDDEN: &str = "***";

static SECRETS: RwLock<BTreeSet<String>> = RwLock::new(BTreeSet::new());

/// From now on this value is told to nobody, nor are the parts of a connection string or a token of several.
pub fn keep(value: &str) {
    let mut secrets = SECRETS.write().unwrap_or_else(PoisonError::into_inner);
    let mut keep = |word: &str| {
        let encoded: String = byte_serialize(word.as_bytes()).collect();
        secrets.extend([word.to_owned(), encoded].into_iter().filter(|word| word.len() >= SHORTEST));
    };
    keep(value.trim());
    for (name, part) in url::form_urlencoded::parse(value.trim_start_matches('?').as_bytes()) {
        keep(if part.is_empty() { &name } else { &part });
    }
}

/// Keeps what a URL says beside the place: user, password and the values of its query.
pub fn keep_url(text: &str) {
    let Some((_, rest)) = text.split_once("://") else { return };
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let user = place.split('/').next().and_then(|authority| authority.rsplit_once('@'));
    if let Some((_, password)) = user.and_then(|(user, _)| user.split_once(':')) {
        keep(password);
    }
    if !query.is_empty() {
        keep(query);
    }
    if let Some(password) = Url::parse(text).ok().as_ref().and_then(Url::password) {
        keep(password); // as the library writes it
    }
}

/// Keeps the values of the variables of the environment that hold credentials by their names.
pub fn keep_environment() {
    let names_secret = |name: &str| {
        let name = name.to_uppercase();
        ["SECRET", "TOKEN", "PASSWORD", "PASSWD", "CREDENTIAL", "SAS_"].iter().any(|word| name.contains(word))
            || ["_KEY", "_SAS", "_KEY_ID", "CONNECTION_STRING"].iter().any(|end| name.ends_with(end))
    };
    for (name, value) in std::env::vars_os() {
        let (Some(name), Some(value)) = (name.to_str(), value.to_str()) else { continue };
        // A path leads to credentials and is none; a number is a setting such as MAX_TOKENS.
        if names_secret(name) && !value.starts_with(['/', '.', '~']) && value.parse::<f64>().is_err() {
            keep(value);
        }
    }
}

/// A message without what was kept.
pub fn masked(text: &str) -> Cow<'_, str> {
    let secrets = SECRETS.read().unwrap_or_else(PoisonError::into_inner);
    let mut masked = Cow::Borrowed(text);
    // the longest first: one may be a part of another
    let mut found: Vec<&String> = secrets.iter().filter(|secret| text.contains(secret.as_str())).collect();
    found.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    for secret in found {
        masked = Cow::Owned(masked.replace(secret.as_str(), HIDDEN));
    }
    masked
}

/// Members of JSON whose texts are messages or places, with all that is below them. Names, numbers and data are told as
/// they are: a weak credential that is also a table's name must not change what other programs read.
const MESSAGES: [&str; 17] = [
    "error", "errors", "hint", "hold", "lake", "landing", "log", "note", "notes", "reason", "reasons", "remarks",
    "remedy", "stale", "warnings", "what", "why",
];

/// Takes out of the messages of a JSON value what was kept.
pub fn mask_messages(value: &mut Value) {
    mask(value, false);
}

fn mask(value: &mut Value, is_message: bool) {
    match value {
        Value::String(text) if is_message => *text = masked(text).into_owned(),
        Value::Array(items) => items.iter_mut().for_each(|item| mask(item, is_message)),
        Value::Object(members) => {
            members.iter_mut().for_each(|(name, member)| mask(member, is_message || MESSAGES.contains(&name.as_str())));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_is_in_no_message() {
        keep("s3cr3t/with+odd=characters");
        keep("?sv=2024-01-01&sig=AbCdEf%2F123%3D");
        keep_url("https://user:pa55w0rd%21@host/place?token=tttooken");
        keep_url("foo://x:br0ken-url@[bad");
        keep("short");
        assert_eq!(masked("a short message"), "a short message");
        for (text, expected) in [
            ("key s3cr3t/with+odd=characters.", "key ***."),
            ("s3cr3t%2Fwith%2Bodd%3Dcharacters", "***"),
            ("sig=AbCdEf%2F123%3D&x", "sig=***&x"),
            ("AbCdEf/123=", "***"),
            ("https://user:pa55w0rd%21@host/place?token=tttooken", "https://user:***@host/place?***"),
            ("tttooken pa55w0rd!", "*** ***"),
            ("foo://x:br0ken-url@[bad", "foo://x:***@[bad"),
        ] {
            assert_eq!(masked(text), expected);
        }
    }

    #[test]
    fn credentials_are_taken_out_of_messages_and_change_no_name() {
        keep("a_weak_credential");
        let mut value = serde_json::json!({
            "table": "a_weak_credential", "a_weak_credential": 1, "error": "at a_weak_credential",
            "errors": [{ "message": "\"a_weak_credential\"" }], "tables": [{ "note": "a_weak_credential", "rows": 1 }],
        });
        mask_messages(&mut value);
        let expected = serde_json::json!({
            "table": "a_weak_credential", "a_weak_credential": 1, "error": "at ***",
            "errors": [{ "message": "\"***\"" }], "tables": [{ "note": "***", "rows": 1 }],
        });
        assert_eq!(value, expected);
    }
}
