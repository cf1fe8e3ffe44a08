//! YAML text as a tree in which every key and value knows its place.

use std::collections::{HashMap, HashSet};

use saphyr_parser::{Event, Parser, ScalarStyle, Span, Tag};

/// Deeper trees are refused, so that walking one cannot exhaust the stack.
const MAX_DEPTH: usize = 64;
/// Larger trees are refused: aliases of aliases grow exponentially.
const MAX_NODES: usize = 100_000;

/// A place in a file, both 1-based, in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mark {
    pub line: usize,
    pub column: usize,
}

impl Mark {
    pub(crate) const START: Mark = Mark { line: 1, column: 1 };
}

#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub mark: Mark,
    pub value: Value,
}

#[derive(Clone, Debug)]
pub(crate) enum Value {
    Scalar(Scalar),
    Sequence(Vec<Node>),
    /// In the order written; a key occurs once.
    Mapping(Vec<(Key, Node)>),
}

#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub text: String,
    pub mark: Mark,
}

/// A scalar keeps its text whatever it means, so that `00123` or `1.10` can be read as written.
#[derive(Clone, Debug)]
pub(crate) struct Scalar {
    pub text: String,
    pub kind: Kind,
    /// Where the text begins if it stands in the file character by character on one line; else `None`.
    pub verbatim: Option<Mark>,
}

/// What YAML 1.2's core schema takes a scalar for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    Boolean,
    Number,
    Text,
}

/// What is wrong with the YAML itself.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct YamlError {
    pub mark: Mark,
    pub message: String,
}

/// The tree of a text with one document, as far as it could be read, and what is wrong with it. An empty text is null.
pub(crate) fn parse(text: &str) -> (Option<Node>, Vec<YamlError>) {
    let mut builder = Builder::new(text);
    for event in Parser::new_from_str(text) {
        let step = match event {
            Ok((event, span)) => builder.event(event, span),
            Err(error) => Err(YamlError { mark: mark_of(*error.marker()), message: error.info().to_owned() }),
        };
        if let Err(error) = step {
            builder.errors.push(error);
            return (None, builder.errors);
        }
    }
    let null = Scalar { text: String::new(), kind: Kind::Null, verbatim: None };
    let root = builder.root.unwrap_or(Node { mark: Mark::START, value: Value::Scalar(null) });
    (Some(root), builder.errors)
}

fn mark_of(marker: saphyr_parser::Marker) -> Mark {
    Mark { line: marker.line().max(1), column: marker.col() + 1 }
}

/// A collection whose end has not been seen.
struct Open {
    mark: Mark,
    anchor: usize,
    items: Items,
}

enum Items {
    Sequence(Vec<Node>),
    Mapping { entries: Vec<(Key, Node)>, keys: HashSet<String>, key: Option<Key> },
}

struct Builder<'a> {
    lines: Vec<&'a str>,
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    nodes: usize,
    documents: usize,
    root: Option<Node>,
    errors: Vec<YamlError>,
}

impl<'a> Builder<'a> {
    fn new(text: &'a str) -> Self {
        Builder {
            lines: text.lines().collect(),
            open: Vec::new(),
            anchors: HashMap::new(),
            nodes: 0,
            documents: 0,
            root: None,
            errors: Vec::new(),
        }
    }

    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), YamlError> {
        let mark = mark_of(span.start);
        match event {
            Event::DocumentStart(_) => self.document(mark)?,
            Event::Scalar(text, style, anchor, tag) => {
                let scalar = self.scalar(text.into_owned(), style, tag.as_deref(), span);
                self.insert(Node { mark, value: Value::Scalar(scalar) }, anchor)?;
            }
            Event::SequenceStart(anchor, _) => self.start(mark, anchor, Items::Sequence(Vec::new()))?,
            Event::MappingStart(anchor, _) => {
                self.start(mark, anchor, Items::Mapping { entries: Vec::new(), keys: HashSet::new(), key: None })?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.end()?,
            Event::Alias(anchor) => self.alias(anchor, mark)?,
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        Ok(())
    }

    fn document(&mut self, mark: Mark) -> Result<(), YamlError> {
        self.documents += 1;
        match self.documents {
            1 => Ok(()),
            _ => Err(YamlError { mark, message: "a second YAML document begins here; a file holds one".to_owned() }),
        }
    }

    fn start(&mut self, mark: Mark, anchor: usize, items: Items) -> Result<(), YamlError> {
        if self.open.len() == MAX_DEPTH {
            return Err(YamlError { mark, message: format!("nested more than {MAX_DEPTH} levels deep") });
        }
        self.open.push(Open { mark, anchor, items });
        Ok(())
    }

    fn end(&mut self) -> Result<(), YamlError> {
        let Some(open) = self.open.pop() else { return Ok(()) };
        let value = match open.items {
            Items::Sequence(items) => Value::Sequence(items),
            Items::Mapping { entries, .. } => Value::Mapping(entries),
        };
        self.insert(Node { mark: open.mark, value }, open.anchor)
    }

    fn alias(&mut self, anchor: usize, mark: Mark) -> Result<(), YamlError> {
        let Some(node) = self.anchors.get(&anchor) else {
            return Err(YamlError { mark, message: "an alias within its own anchor".to_owned() });
        };
        let copy = node.clone();
        self.nodes += count(&copy);
        self.insert(copy, 0)
    }

    fn insert(&mut self, node: Node, anchor: usize) -> Result<(), YamlError> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(YamlError { mark: node.mark, message: format!("more than {MAX_NODES} values") });
        }
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut().map(|open| &mut open.items) {
            None => self.root = Some(node),
            Some(Items::Sequence(items)) => items.push(node),
            Some(Items::Mapping { entries, keys, key }) => match key.take() {
                None => *key = Some(key_of(node)?),
                Some(key) if !keys.insert(key.text.clone()) => {
                    let message = format!("the key `{}` stands here twice", key.text);
                    self.errors.push(YamlError { mark: key.mark, message });
                }
                Some(key) => entries.push((key, node)),
            },
        }
        Ok(())
    }

    fn scalar(&self, text: String, style: ScalarStyle, tag: Option<&Tag>, span: Span) -> Scalar {
        let plain = style == ScalarStyle::Plain && tag.is_none();
        let kind = if plain { kind_of(&text) } else { Kind::Text };
        let verbatim = self.verbatim(&text, style, span);
        Scalar { text, kind, verbatim }
    }

    fn verbatim(&self, text: &str, style: ScalarStyle, span: Span) -> Option<Mark> {
        let quote = match style {
            ScalarStyle::Plain => 0,
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => 1,
            ScalarStyle::Literal | ScalarStyle::Folded => return None,
        };
        let start = mark_of(span.start);
        let mark = Mark { line: start.line, column: start.column + quote };
        let line = self.lines.get(mark.line - 1)?;
        let (at, _) = line.char_indices().nth(mark.column - 1)?;
        line.get(at..)?.starts_with(text).then_some(mark)
    }
}

fn key_of(node: Node) -> Result<Key, YamlError> {
    match node.value {
        Value::Scalar(scalar) => Ok(Key { text: scalar.text, mark: node.mark }),
        _ => Err(YamlError { mark: node.mark, message: "a key must be text".to_owned() }),
    }
}

fn count(node: &Node) -> usize {
    match &node.value {
        Value::Scalar(_) => 1,
        Value::Sequence(items) => 1 + items.iter().map(count).sum::<usize>(),
        Value::Mapping(entries) => 1 + entries.iter().map(|(_, value)| 1 + count(value)).sum::<usize>(),
    }
}

/// YAML 1.2, 10.3.2, but numbers only in base 10.
fn kind_of(text: &str) -> Kind {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Kind::Null,
        "true" | "True" | "TRUE" | "false" | "False" | "FALSE" => Kind::Boolean,
        _ if is_number(text) => Kind::Number,
        _ => Kind::Text,
    }
}

fn is_number(text: &str) -> bool {
    let digits_first = text.trim_start_matches(['+', '-', '.']).starts_with(|c: char| c.is_ascii_digit());
    digits_first && text.parse::<f64>().is_ok()
}
