//! `${VAR}` in a text, from the process environment.

use super::reader::{File, Text};

/// A variable of the process environment.
pub(super) type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// One piece of a text.
enum Piece<'a> {
    Literal(&'a str),
    Variable {
        name: &'a str,
        /// in characters of the text
        offset: usize,
    },
    Broken {
        offset: usize,
    },
}

/// The text with its variables replaced, or faults. Never shows a value.
pub(super) fn expand(file: &File, text: &Text, vars: Lookup) -> Option<String> {
    let mut expanded = String::new();
    let mut whole = true;
    for piece in pieces(&text.value) {
        match piece {
            Piece::Literal(literal) => expanded.push_str(literal),
            Piece::Variable { name, offset } => match vars(name) {
                Some(value) => expanded.push_str(&value),
                None => {
                    let hint = format!("export {name}=… before you run lakesmith, or choose another environment");
                    file.hinted(text.at(offset), format!("the variable `{name}` is not set"), Some(hint));
                    whole = false;
                }
            },
            Piece::Broken { offset } => {
                let hint = "write `${NAME}`, with letters, digits and underscores".to_owned();
                file.hinted(text.at(offset), "`${` begins no variable", Some(hint));
                whole = false;
            }
        }
    }
    whole.then_some(expanded)
}

/// Nothing but variables.
pub(super) fn is_reference(text: &str) -> bool {
    let mut pieces = pieces(text).into_iter().peekable();
    pieces.peek().is_some() && pieces.all(|piece| matches!(piece, Piece::Variable { .. }))
}

/// Whether an option of that name most likely holds a secret.
pub(super) fn is_credential(key: &str) -> bool {
    let key = key.to_lowercase();
    let contains = ["key", "secret", "token", "password", "passwd", "credential"].iter().any(|word| key.contains(word));
    contains || key.split(|c: char| !c.is_alphanumeric()).any(|word| word == "sas")
}

/// Whether a URL holds a password that is no variable.
pub(super) fn password_in(text: &str) -> bool {
    let Some((_, rest)) = text.split_once("://") else { return false };
    let authority = rest.split('/').next().unwrap_or_default();
    let Some((userinfo, _)) = authority.rsplit_once('@') else { return false };
    userinfo.split_once(':').is_some_and(|(_, password)| !password.is_empty() && !is_reference(password))
}

fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let offset = text[..text.len() - rest.len() + start].chars().count();
        if start > 0 {
            pieces.push(Piece::Literal(&rest[..start]));
        }
        let after = &rest[start + 2..];
        match after.split_once('}') {
            Some((name, tail)) if is_name(name) => {
                pieces.push(Piece::Variable { name, offset });
                rest = tail;
            }
            _ => {
                pieces.push(Piece::Broken { offset });
                rest = after;
            }
        }
    }
    if !rest.is_empty() {
        pieces.push(Piece::Literal(rest));
    }
    pieces
}

fn is_name(name: &str) -> bool {
    let first = name.chars().next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    first && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
