//! Choosing tables on the command line, as in dbt.

use std::collections::BTreeSet;

use globset::GlobBuilder;

use super::Project;
use super::spelling::did_you_mean;
use crate::name::{Layer, TableName};

/// The tables that the selectors name together; all tables if there is none. A selector is a layer (`silver`), a table
/// (`silver.orders`) or a pattern (`gold.*`), with `+` before it for all that it is made from and `+` after it for all
/// that is made from it.
///
/// # Errors
/// One message for each selector that names nothing.
pub fn select(project: &Project, selectors: &[String]) -> Result<BTreeSet<TableName>, Vec<String>> {
    if selectors.is_empty() {
        return Ok(project.tables.keys().cloned().collect());
    }
    let mut chosen = BTreeSet::new();
    let mut errors = Vec::new();
    for selector in selectors {
        match one(project, selector) {
            Ok(tables) => chosen.extend(tables),
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok(chosen) } else { Err(errors) }
}

fn one(project: &Project, selector: &str) -> Result<BTreeSet<TableName>, String> {
    let (above, rest) = selector.strip_prefix('+').map_or((false, selector), |rest| (true, rest));
    let (below, body) = rest.strip_suffix('+').map_or((false, rest), |body| (true, body));
    let named = matching(project, body)?;
    let mut chosen = named.clone();
    if above {
        chosen.extend(closure(&named, |name| project.inputs(name)));
    }
    if below {
        chosen.extend(closure(&named, |name| project.readers(name)));
    }
    Ok(chosen)
}

fn matching(project: &Project, body: &str) -> Result<BTreeSet<TableName>, String> {
    let of_layer = |layer: Layer| project.tables.keys().filter(move |name| name.layer == layer).cloned().collect();
    if let Some(layer) = Layer::ALL.into_iter().find(|layer| layer.as_str() == body) {
        return Ok(of_layer(layer));
    }
    if body.contains(['*', '?', '[', '{']) {
        return pattern(project, body);
    }
    let found = project.tables.keys().find(|name| name.to_string() == body);
    found.map(|name| BTreeSet::from([name.clone()])).ok_or_else(|| unknown(project, body))
}

fn pattern(project: &Project, body: &str) -> Result<BTreeSet<TableName>, String> {
    let glob = GlobBuilder::new(body).build().map_err(|error| format!("`{body}` is no pattern: {}", error.kind()))?;
    let matcher = glob.compile_matcher();
    let found: BTreeSet<TableName> =
        project.tables.keys().filter(|name| matcher.is_match(name.to_string())).cloned().collect();
    if found.is_empty() { Err(format!("no table's name matches `{body}`")) } else { Ok(found) }
}

fn unknown(project: &Project, body: &str) -> String {
    let names: Vec<String> = project.tables.keys().map(TableName::to_string).collect();
    let bare = names.iter().find(|name| name.ends_with(&format!(".{body}")));
    let layers = Layer::ALL.map(Layer::as_str);
    let hint = did_you_mean(body, names.iter().map(String::as_str).chain(layers))
        .or_else(|| bare.map(|name| format!("did you mean `{name}`?")))
        .unwrap_or_else(|| "a layer, or a layer, a dot and a name, e.g. `silver.orders`".to_owned());
    format!("there is no table `{body}`; {hint}")
}

fn closure(from: &BTreeSet<TableName>, next: impl Fn(&TableName) -> Vec<TableName>) -> BTreeSet<TableName> {
    let mut found = BTreeSet::new();
    let mut open: Vec<TableName> = from.iter().flat_map(&next).collect();
    while let Some(name) = open.pop() {
        if found.insert(name.clone()) {
            open.extend(next(&name));
        }
    }
    found
}
