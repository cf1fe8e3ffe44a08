//! What the crate odcs says of a contract, at its lines.

use std::path::Path;

use odcs::{Diagnostic, DiagnosticStage, DocumentFormat, Severity};

use super::plain::is_plain;
use crate::project::reader::File;
use crate::project::yaml::{Mark, Node, Value};

/// Validates the file as a whole. `known_faulty`: faults were found in it already, so that a document that odcs cannot
/// even parse needs no second word.
pub(super) fn report(root: &Path, file: &File, node: &Node, known_faulty: bool) {
    let Ok(bytes) = std::fs::read(root.join(&file.path)) else { return };
    if !known_faulty && std::str::from_utf8(&bytes).is_ok_and(|text| is_plain(text, node)) {
        return;
    }
    let (follow_ups, findings): (Vec<Diagnostic>, Vec<Diagnostic>) =
        odcs::parse_and_validate(&bytes, DocumentFormat::Yaml).diagnostics.into_iter().partition(is_follow_up);
    let deepest = follow_ups.into_iter().max_by_key(|d| d.object_ref.as_ref().map_or(0, String::len));
    let deepest = deepest.filter(|_| findings.is_empty() && !known_faulty);
    for diagnostic in findings.into_iter().chain(deepest) {
        let unparsed = diagnostic.stage == DiagnosticStage::Parse;
        if unparsed && known_faulty || is_nameless_item(&diagnostic) {
            continue;
        }
        let mark = place(&diagnostic, node);
        if file.has_fault_on(mark.line) {
            continue;
        }
        let message = format!("not a valid data contract: {}", diagnostic.message);
        match diagnostic.severity {
            Severity::Error => file.hinted(mark, message, diagnostic.remediation),
            Severity::Warning | Severity::Information => file.warn(mark, message, diagnostic.remediation),
        }
    }
}

/// JSON Schema repeats a fault for every object around it, as properties that were "not evaluated".
pub(super) fn is_follow_up(diagnostic: &Diagnostic) -> bool {
    diagnostic.message.starts_with("Unevaluated properties are not allowed")
}

/// odcs 0.9.1 wants a name for the items of an array, which the standard does not.
pub(super) fn is_nameless_item(diagnostic: &Diagnostic) -> bool {
    let path = diagnostic.object_ref.as_deref().unwrap_or_default();
    path.ends_with(".items.properties[0].name")
}

/// The value that a diagnostic speaks of, or the nearest that can be found.
fn place(diagnostic: &Diagnostic, root: &Node) -> Mark {
    let path = diagnostic.object_ref.as_deref().unwrap_or_default().replace(".items.properties[0]", ".items");
    let segments: Vec<&str> = path.split(['.', '/', '[', ']']).filter(|segment| !segment.is_empty()).collect();
    let (mark, whole) = walk(root, &segments);
    if whole && !segments.is_empty() {
        return mark;
    }
    line_in(&diagnostic.message).or_else(|| segments.last().and_then(|last| find_key(root, last))).unwrap_or(mark)
}

/// As far along the path as it goes, and whether that was all of it.
fn walk(root: &Node, segments: &[&str]) -> (Mark, bool) {
    let mut node = root;
    let mut mark = root.mark;
    for segment in segments {
        let next = match &node.value {
            Value::Mapping(entries) => entries.iter().find(|(key, _)| key.text == *segment).map(|(key, value)| {
                mark = key.mark;
                value
            }),
            Value::Sequence(items) => {
                segment.parse::<usize>().ok().and_then(|index| items.get(index)).inspect(|item| {
                    mark = item.mark;
                })
            }
            Value::Scalar(_) => None,
        };
        match next {
            Some(next) => node = next,
            None => return (mark, false),
        }
    }
    (mark, true)
}

/// `… at line 12 column 5`
fn line_in(message: &str) -> Option<Mark> {
    let (_, rest) = message.split_once(" at line ")?;
    let mut words = rest.split_whitespace();
    let line = words.next()?.parse().ok()?;
    let column = words.nth(1)?.parse().ok()?;
    Some(Mark { line, column })
}

fn find_key(node: &Node, wanted: &str) -> Option<Mark> {
    match &node.value {
        Value::Mapping(entries) => entries
            .iter()
            .find_map(|(key, value)| if key.text == wanted { Some(key.mark) } else { find_key(value, wanted) }),
        Value::Sequence(items) => items.iter().find_map(|item| find_key(item, wanted)),
        Value::Scalar(_) => None,
    }
}
