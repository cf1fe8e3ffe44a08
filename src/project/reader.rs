//! Reads values out of a YAML tree and collects what is wrong with them.

use std::cell::RefCell;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::Fault;
use super::spelling::did_you_mean;
use super::yaml::{self, Key, Kind, Mark, Node, Scalar, Value};
use crate::regular;

/// All that was found wrong so far.
#[derive(Default)]
pub(super) struct Faults {
    faults: RefCell<Vec<Fault>>,
    warnings: RefCell<Vec<Fault>>,
}

impl Faults {
    /// Faults and warnings in the order of files and lines, each once.
    pub(super) fn into_parts(self) -> (Vec<Fault>, Vec<Fault>) {
        (in_order(self.faults.into_inner()), in_order(self.warnings.into_inner()))
    }

    pub(super) fn push(&self, fault: Fault) {
        self.faults.borrow_mut().push(fault);
    }

    pub(super) fn count(&self) -> usize {
        self.faults.borrow().len()
    }
}

/// A file that someone has written is far smaller.
const MAX_BYTES: u64 = 10_000_000;

fn bytes_of(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    regular::open(path)?.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_BYTES { Err(io::Error::other("it has more than 10 MB")) } else { Ok(bytes) }
}

fn in_order(mut faults: Vec<Fault>) -> Vec<Fault> {
    faults.sort_by(|a, b| (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column)));
    faults.dedup();
    faults
}

/// A file of the project, to speak of what is wrong in it.
#[derive(Clone)]
pub(super) struct File<'a> {
    /// relative to the project's root
    pub path: PathBuf,
    pub faults: &'a Faults,
}

/// A text and where it, or its first character, stands.
#[derive(Clone, Debug)]
pub(super) struct Text {
    pub value: String,
    pub mark: Mark,
    pub verbatim: Option<Mark>,
}

impl Text {
    /// Where the character `offset` of the text stands; the text's beginning if that cannot be told.
    pub(super) fn at(&self, offset: usize) -> Mark {
        match self.verbatim {
            Some(Mark { line, column }) => Mark { line, column: column + offset },
            None => self.mark,
        }
    }
}

impl<'a> File<'a> {
    /// The file's tree, if it can be read at all.
    pub(super) fn open(root: &Path, path: PathBuf, faults: &'a Faults) -> (Self, Option<Node>) {
        let file = File { path, faults };
        let node = match bytes_of(&root.join(&file.path)) {
            Ok(bytes) => file.parse(bytes),
            Err(error) => {
                file.fault(Mark::START, format!("`{}` cannot be read: {error}", file.path.display()));
                None
            }
        };
        (file, node)
    }

    fn parse(&self, bytes: Vec<u8>) -> Option<Node> {
        let Ok(text) = String::from_utf8(bytes) else {
            self.fault(Mark::START, "the file is not UTF-8 text".to_owned());
            return None;
        };
        let (node, errors) = yaml::parse(&text);
        for error in errors {
            self.fault(error.mark, format!("not valid YAML: {}", error.message));
        }
        node
    }

    /// Whether something wrong was found on that line.
    pub(super) fn has_fault_on(&self, line: usize) -> bool {
        self.faults.faults.borrow().iter().any(|fault| fault.file == self.path && fault.line == line)
    }

    pub(super) fn fault(&self, mark: Mark, message: impl Into<String>) {
        self.hinted(mark, message, None);
    }

    pub(super) fn hinted(&self, mark: Mark, message: impl Into<String>, hint: Option<String>) {
        self.faults.push(self.fault_at(mark, message.into(), hint));
    }

    pub(super) fn warn(&self, mark: Mark, message: impl Into<String>, hint: Option<String>) {
        self.faults.warnings.borrow_mut().push(self.fault_at(mark, message.into(), hint));
    }

    fn fault_at(&self, mark: Mark, message: String, hint: Option<String>) -> Fault {
        Fault { file: self.path.clone(), line: mark.line, column: mark.column, message, hint }
    }

    /// `node` as a mapping with no keys but `known`; `what` it is, e.g. `` `source` ``.
    pub(super) fn map<'n>(&'n self, node: &'n Node, what: &str, known: &[&str]) -> Option<Map<'n, 'a>> {
        let map = self.open_map(node, what)?;
        for (key, _) in map.entries {
            if !known.contains(&key.text.as_str()) {
                let hint = did_you_mean(&key.text, known.iter().copied())
                    .unwrap_or_else(|| format!("known here: {}", known.join(", ")));
                self.hinted(key.mark, format!("{what} has no key `{}`", key.text), Some(hint));
            }
        }
        Some(map)
    }

    /// `node` as a mapping with keys of the user's choice.
    pub(super) fn open_map<'n>(&'n self, node: &'n Node, what: &str) -> Option<Map<'n, 'a>> {
        match &node.value {
            Value::Mapping(entries) => Some(Map { file: self, mark: node.mark, what: what.to_owned(), entries }),
            _ => {
                self.wrong_kind(node, what, "a mapping of keys to values");
                None
            }
        }
    }

    /// `node` as text; a number or boolean is taken as it is written.
    pub(super) fn text(&self, node: &Node, what: &str) -> Option<Text> {
        match &node.value {
            Value::Scalar(Scalar { text, kind, verbatim }) if *kind != Kind::Null => {
                Some(Text { value: text.clone(), mark: node.mark, verbatim: *verbatim })
            }
            _ => {
                self.wrong_kind(node, what, "text");
                None
            }
        }
    }

    /// `node` as the text of an expression, in which `null` is a word.
    pub(super) fn sql(&self, node: &Node, what: &str) -> Option<Text> {
        match &node.value {
            Value::Scalar(Scalar { text, verbatim, .. }) if text.eq_ignore_ascii_case("null") => {
                Some(Text { value: text.clone(), mark: node.mark, verbatim: *verbatim })
            }
            _ => self.text(node, what),
        }
    }

    /// `node` as a list of texts; a single text is a list of one.
    pub(super) fn texts(&self, node: &Node, what: &str) -> Option<Vec<Text>> {
        match &node.value {
            Value::Sequence(items) => Some(items.iter().filter_map(|item| self.text(item, what)).collect()),
            Value::Scalar(scalar) if scalar.kind != Kind::Null => Some(self.text(node, what).into_iter().collect()),
            _ => {
                self.wrong_kind(node, what, "a name or a list of names");
                None
            }
        }
    }

    pub(super) fn boolean(&self, node: &Node, what: &str) -> Option<bool> {
        match &node.value {
            Value::Scalar(Scalar { text, kind: Kind::Boolean, .. }) => Some(text.eq_ignore_ascii_case("true")),
            _ => {
                self.wrong_kind(node, what, "true or false");
                None
            }
        }
    }

    pub(super) fn wrong_kind(&self, node: &Node, what: &str, expected: &str) {
        let found = match &node.value {
            Value::Mapping(_) => "a mapping",
            Value::Sequence(_) => "a list",
            Value::Scalar(scalar) => match scalar.kind {
                Kind::Null => "nothing",
                Kind::Boolean => "true or false",
                Kind::Number => "a number",
                Kind::Text => "text",
            },
        };
        self.fault(node.mark, format!("{what} must be {expected}, but here is {found}"));
    }
}

/// A mapping of a file.
pub(super) struct Map<'n, 'a> {
    pub file: &'n File<'a>,
    pub mark: Mark,
    what: String,
    pub entries: &'n [(Key, Node)],
}

impl<'n> Map<'n, '_> {
    pub(super) fn get(&self, key: &str) -> Option<&'n Node> {
        self.entry(key).map(|(_, node)| node)
    }

    pub(super) fn entry(&self, key: &str) -> Option<&'n (Key, Node)> {
        self.entries.iter().find(|(k, _)| k.text == key)
    }

    /// The value, or a fault.
    pub(super) fn required(&self, key: &str, hint: &str) -> Option<&'n Node> {
        let found = self.get(key);
        if found.is_none() {
            self.file.hinted(self.mark, format!("{} has no `{key}`", self.what), Some(hint.to_owned()));
        }
        found
    }

    pub(super) fn text(&self, key: &str) -> Option<Text> {
        self.file.text(self.get(key)?, &format!("`{key}`"))
    }

    pub(super) fn texts(&self, key: &str) -> Option<Vec<Text>> {
        self.file.texts(self.get(key)?, &format!("`{key}`"))
    }

    pub(super) fn boolean(&self, key: &str) -> Option<bool> {
        self.file.boolean(self.get(key)?, &format!("`{key}`"))
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(&self, key: &str, choices: &[(&str, T)]) -> Option<T> {
        let text = self.text(key)?;
        let found = choices.iter().find(|(word, _)| *word == text.value).map(|(_, choice)| *choice);
        if found.is_none() {
            let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
            let hint = did_you_mean(&text.value, words.iter().copied())
                .unwrap_or_else(|| format!("one of: {}", words.join(", ")));
            self.file.hinted(text.mark, format!("`{key}` cannot be `{}`", text.value), Some(hint));
        }
        found
    }
}
