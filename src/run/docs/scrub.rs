//! No secret leaves by the page, whatever error text it may stand in.

use serde_json::Value;

use crate::project::Environment;

/// What stands for a secret.
const HIDDEN: &str = "***";
/// Shorter options of a store are words such as `true` and `eu`, which would be found everywhere.
const LEAST: usize = 6;

/// The same without the values of the store's options, and without user and password in any URL.
pub fn without_secrets(value: Value, environment: &Environment) -> Value {
    let secrets: Vec<&str> = environment.storage.values().map(|secret| secret.0.as_str()).collect();
    let secrets: Vec<&str> = secrets.into_iter().filter(|secret| secret.len() >= LEAST).collect();
    scrubbed(value, &secrets)
}

fn scrubbed(value: Value, secrets: &[&str]) -> Value {
    match value {
        Value::String(text) => Value::String(clean(&text, secrets)),
        Value::Array(values) => values.into_iter().map(|value| scrubbed(value, secrets)).collect(),
        Value::Object(map) => map.into_iter().map(|(key, value)| (key, scrubbed(value, secrets))).collect(),
        other => other,
    }
}

fn clean(text: &str, secrets: &[&str]) -> String {
    let hidden = |text: String, secret: &&str| text.replace(*secret, HIDDEN);
    without_users(&secrets.iter().fold(text.to_owned(), hidden))
}

/// `s3://user:password@host/` as `s3://***@host/`.
fn without_users(text: &str) -> String {
    let mut pieces = text.split("://");
    let mut clean = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let end = piece.find(|c: char| "/?#\"'`".contains(c) || c.is_whitespace()).unwrap_or(piece.len());
        clean.push_str("://");
        match piece[..end].rfind('@') {
            Some(at) => {
                clean.push_str(HIDDEN);
                clean.push_str(&piece[at..]);
            }
            None => clean.push_str(piece),
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;
    use crate::project::Secret;

    #[test]
    fn neither_keys_nor_passwords_are_told() {
        let storage = [("aws_secret_access_key", "AKIA/very+secret"), ("aws_region", "eu")];
        let storage: BTreeMap<_, _> = storage.map(|(key, value)| (key.to_owned(), Secret(value.to_owned()))).into();
        let environment = Environment { name: "prod".into(), storage, ..Environment::default() };
        let told = json!({ "a": ["no AKIA/very+secret here", "s3://u:p%40ss@host/x@y and abfss://c@acc/d"], "eu": 1 });
        let clean = without_secrets(told, &environment);
        assert_eq!(clean, json!({ "a": ["no *** here", "s3://***@host/x@y and abfss://***@acc/d"], "eu": 1 }));
    }
}
