//! No secret leaves by the page, whatever error text it may stand in.

use serde_json::Value;

use crate::secrets;

/// What stands for a user and his password.
const HIDDEN: &str = "***";

/// The same without secrets in messages, and without user and password in any URL. What is no message (names of tables,
/// of columns, of regions) may be the same word as a secret by chance, and stays.
pub fn without_secrets(mut value: Value) -> Value {
    secrets::mask_messages(&mut value);
    hide_users(&mut value);
    value
}

fn hide_users(value: &mut Value) {
    match value {
        Value::String(text) => *text = without_users(text),
        Value::Array(values) => values.iter_mut().for_each(hide_users),
        Value::Object(members) => members.values_mut().for_each(hide_users),
        _ => {}
    }
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
    use serde_json::json;

    use super::*;

    #[test]
    fn neither_keys_nor_passwords_are_told() {
        secrets::keep("scrubbed/very+secret");
        let told = json!({
            "error": "no scrubbed/very+secret here, nor scrubbed%2Fvery%2Bsecret",
            "task": { "files": [{ "path": "a.csv", "reason": "denied to scrubbed/very+secret" }] },
            "reasons": ["cannot be read: scrubbed/very+secret in eu-west-1"],
            "lake": "s3://u:p%40ss@host/x@y and abfss://c@acc/d",
            "description": "a column that is called scrubbed/very+secret",
            "eu": 1,
        });
        let expected = json!({
            "error": "no *** here, nor ***",
            "task": { "files": [{ "path": "a.csv", "reason": "denied to ***" }] },
            "reasons": ["cannot be read: *** in eu-west-1"],
            "lake": "s3://***@host/x@y and abfss://***@acc/d",
            "description": "a column that is called scrubbed/very+secret",
            "eu": 1,
        });
        assert_eq!(without_secrets(told), expected);
    }
}
