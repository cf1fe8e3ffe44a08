//! `steps:` as it is written.

use super::declared::{NamedSql, Reference, known_hint, named, reference};
use super::reader::{File, Map, Text};
use super::yaml::{Mark, Node, Value};
use crate::steps::JoinKind;

const VERBS: [&str; 8] = ["derive", "where", "select", "join", "union", "group_by", "having", "rank"];
const JOIN_KEYS: [&str; 5] = ["with", "on", "how", "columns", "prefix"];
const RANK_KEYS: [&str; 3] = ["by", "within", "as"];

/// One item of `steps:`.
pub(super) struct DeclaredStep {
    pub mark: Mark,
    pub verb: Verb,
}

pub(super) enum Verb {
    Derive(Vec<NamedSql>),
    Where(Text),
    Select(Vec<NamedSql>),
    Join(DeclaredJoin),
    Union(Reference),
    GroupBy {
        keys: Vec<NamedSql>,
        aggregate: Vec<NamedSql>,
    },
    Having(Text),
    Rank {
        by: Vec<Text>,
        within: Vec<Text>,
        name: Text,
    },
    /// What stands there could not be read; the steps after it cannot be checked.
    Broken,
}

pub(super) struct DeclaredJoin {
    pub with: Reference,
    /// left, right
    pub on: Vec<(Text, Text)>,
    pub how: JoinKind,
    pub columns: JoinColumns,
    pub prefix: Option<Text>,
}

/// Which columns of the right side a join adds.
pub(super) enum JoinColumns {
    /// all that are not in `on`
    All,
    /// the right side's name, and where the name stands
    Listed(Vec<Text>),
    /// new name, right side's name
    Renamed(Vec<(Text, Text)>),
}

impl Verb {
    /// The table that it brings in.
    pub(super) fn reference(&self) -> Option<&Reference> {
        match self {
            Verb::Join(join) => Some(&join.with),
            Verb::Union(table) => Some(table),
            _ => None,
        }
    }
}

pub(super) fn read_all(file: &File, node: &Node) -> Vec<DeclaredStep> {
    match &node.value {
        Value::Sequence(items) => items.iter().map(|item| read(file, item)).collect(),
        _ => {
            file.wrong_kind(node, "`steps`", "a list of steps, each beginning with `-`");
            vec![DeclaredStep { mark: node.mark, verb: Verb::Broken }]
        }
    }
}

fn read(file: &File, node: &Node) -> DeclaredStep {
    let verb = file.open_map(node, "a step").and_then(|map| verb(&map)).unwrap_or(Verb::Broken);
    DeclaredStep { mark: node.mark, verb }
}

fn verb(map: &Map) -> Option<Verb> {
    let grouped = map.get("group_by").is_some();
    let (verbs, others): (Vec<_>, Vec<_>) = map
        .entries
        .iter()
        .filter(|(key, _)| !(grouped && key.text == "aggregate"))
        .partition(|(key, _)| VERBS.contains(&key.text.as_str()));
    for (key, _) in &others {
        let hint = match key.text.as_str() {
            "aggregate" => "`aggregate` stands beside `group_by`".to_owned(),
            word => known_hint(word, &VERBS),
        };
        map.file.hinted(key.mark, format!("`{}` is no step here", key.text), Some(hint));
    }
    match verbs.as_slice() {
        [(key, node)] if others.is_empty() => body(map, &key.text, node),
        [_, (second, _), ..] => {
            let hint = "begin another step with `-`".to_owned();
            map.file.hinted(second.mark, "two verbs in one step", Some(hint));
            None
        }
        [] if others.is_empty() => {
            map.file.hinted(map.mark, "a step without a verb", Some(format!("one of: {}", VERBS.join(", "))));
            None
        }
        _ => None,
    }
}

fn body(map: &Map, word: &str, node: &Node) -> Option<Verb> {
    let file = map.file;
    Some(match word {
        "derive" => Verb::Derive(some(file, node, "`derive`", named(file, node, "`derive`"))?),
        "where" => Verb::Where(file.text(node, "`where`")?),
        "select" => Verb::Select(some(file, node, "`select`", columns(file, node, "`select`"))?),
        "join" => Verb::Join(join(file, node)?),
        "union" => Verb::Union(reference(file, &file.text(node, "`union`")?)?),
        "group_by" => {
            let keys = columns(file, node, "`group_by`");
            let aggregate = map.get("aggregate").map(|node| named(file, node, "`aggregate`")).unwrap_or_default();
            if keys.is_empty() && aggregate.is_empty() {
                file.fault(map.mark, "`group_by` without keys needs `aggregate`");
                return None;
            }
            Verb::GroupBy { keys, aggregate }
        }
        "having" => Verb::Having(file.text(node, "`having`")?),
        _ => rank(file, node)?,
    })
}

fn some(file: &File, node: &Node, what: &str, found: Vec<NamedSql>) -> Option<Vec<NamedSql>> {
    let none = matches!(&node.value, Value::Mapping(entries) if entries.is_empty())
        || matches!(&node.value, Value::Sequence(items) if items.is_empty());
    if none {
        file.fault(node.mark, format!("{what} names no column"));
    }
    (!found.is_empty()).then_some(found)
}

/// `{name: sql}` or a list of columns
fn columns(file: &File, node: &Node, what: &str) -> Vec<NamedSql> {
    if matches!(node.value, Value::Mapping(_)) {
        return named(file, node, what);
    }
    let names = file.texts(node, what).unwrap_or_default();
    names.into_iter().map(|name| NamedSql { name, sql: None }).collect()
}

fn join(file: &File, node: &Node) -> Option<DeclaredJoin> {
    let map = file.map(node, "`join`", &JOIN_KEYS)?;
    let with = map.required("with", "the other table, e.g. `with: silver.customers`");
    let with = with.and(map.text("with")).and_then(|text| reference(file, &text));
    let on = map.required("on", "the columns that must be equal, e.g. `on: customer_id`").map(|node| on(file, node));
    let hows =
        [("inner", JoinKind::Inner), ("left", JoinKind::Left), ("semi", JoinKind::Semi), ("anti", JoinKind::Anti)];
    let how = map.get("how").map_or(Some(JoinKind::Inner), |_| map.choice("how", &hows));
    let columns = map.get("columns").map_or(JoinColumns::All, |node| join_columns(file, node));
    let on = on?;
    if on.is_empty() {
        file.fault(map.mark, "`on` names no column");
        return None;
    }
    Some(DeclaredJoin { with: with?, on, how: how?, columns, prefix: map.text("prefix") })
}

fn on(file: &File, node: &Node) -> Vec<(Text, Text)> {
    match node.value {
        Value::Mapping(_) => pairs(file, node, "`on`"),
        _ => file.texts(node, "`on`").unwrap_or_default().into_iter().map(|text| (text.clone(), text)).collect(),
    }
}

fn join_columns(file: &File, node: &Node) -> JoinColumns {
    match node.value {
        Value::Mapping(_) => JoinColumns::Renamed(pairs(file, node, "`columns`")),
        _ => JoinColumns::Listed(file.texts(node, "`columns`").unwrap_or_default()),
    }
}

/// `{key: value}`, both names
fn pairs(file: &File, node: &Node, what: &str) -> Vec<(Text, Text)> {
    let named = named(file, node, what);
    named.into_iter().filter_map(|entry| Some((entry.name, entry.sql?))).collect()
}

fn rank(file: &File, node: &Node) -> Option<Verb> {
    let map = file.map(node, "`rank`", &RANK_KEYS)?;
    let by = map.required("by", "what to sort by, e.g. `by: [revenue desc]`").and(map.texts("by"));
    let name = map.required("as", "the new column, e.g. `as: position`").and(map.text("as"));
    let within = map.texts("within").unwrap_or_default();
    Some(Verb::Rank { by: by?, within, name: name? })
}
