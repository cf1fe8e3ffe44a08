//! `lakesmith.yaml`.

use std::collections::BTreeMap;
use std::path::Path;

use super::expand::{Lookup, expand, is_credential, is_reference, password_in};
use super::model::{Environment, Guard, Optimize, Secret};
use super::observe::Observe;
use super::reader::{File, Map, Text};
use super::spelling::did_you_mean;
use super::yaml::{Mark, Node};
use super::{guard, observe, optimize};
use crate::memory::Memory;
use crate::secrets;

/// The file's name.
pub(super) const FILE: &str = "lakesmith.yaml";
const KEYS: [&str; 6] = ["name", "environment", "timezone", "guard", "optimize", "environments"];
const ENVIRONMENT_KEYS: [&str; 5] = ["lake", "landing", "storage", "memory", "observe"];

/// `lakesmith.yaml`, for one environment.
pub(super) struct Settings {
    pub name: String,
    pub timezone: chrono_tz::Tz,
    pub guard: Guard,
    pub optimize: Optimize,
    pub environment: Environment,
}

/// Reads the file's tree; `chosen` overrules its `environment:`.
pub(super) fn read(file: &File, node: &Node, root: &Path, chosen: Option<&str>, vars: Lookup) -> Option<Settings> {
    let map = file.map(node, "`lakesmith.yaml`", &KEYS)?;
    let name = map.required("name", "a name for the project, e.g. `name: shop`").and(map.text("name"));
    if let Some(name) = name.as_ref().filter(|name| name.value.trim().is_empty()) {
        file.fault(name.mark, "the project's `name` is empty");
    }
    let timezone = timezone(&map);
    let guard = guard::read(&map).unwrap_or_default();
    let optimize = optimize::of_project(&map);
    let environment = environments(&map, root, chosen, vars);
    Some(Settings { name: name?.value, timezone: timezone?, guard, optimize, environment: environment? })
}

fn timezone(map: &Map) -> Option<chrono_tz::Tz> {
    if map.get("timezone").is_none() {
        return Some(chrono_tz::UTC);
    }
    let text = map.text("timezone")?;
    let found = text.value.parse().ok();
    if found.is_none() {
        let names = chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name());
        let hint = did_you_mean(&text.value, names)
            .unwrap_or_else(|| "an IANA name such as `UTC` or `Europe/Paris`".to_owned());
        map.file.hinted(text.mark, format!("`{}` is no time zone", text.value), Some(hint));
    }
    found
}

fn environments(map: &Map, root: &Path, chosen: Option<&str>, vars: Lookup) -> Option<Environment> {
    let example = "e.g. `environments: { dev: { lake: ./lake, landing: ./landing } }`";
    let environments = map.file.open_map(map.required("environments", example)?, "`environments`")?;
    let name = chosen_name(map, &environments, chosen);
    let project = map.get("name").and_then(|_| map.text("name")).map(|text| text.value).unwrap_or_default();
    let mut found = None;
    for (key, node) in environments.entries {
        let what = format!("environment `{}`", key.text);
        let Some(entry) = map.file.map(node, &what, &ENVIRONMENT_KEYS) else { continue };
        literal_secrets(&entry);
        let lake = entry.required("lake", "a folder or URL, e.g. `lake: ./lake`").and(entry.text("lake"));
        let landing =
            entry.required("landing", "a folder or URL, e.g. `landing: ./landing`").and(entry.text("landing"));
        let memory = memory(&entry);
        let is_chosen = name.as_deref() == Some(key.text.as_str());
        let place = observe::Place { root, vars, project: &project, is_chosen };
        let observe = observe::read(&entry, &place);
        if is_chosen {
            found = environment(&entry, &key.text, root, lake.zip(landing), vars);
            found = found.map(|found| Environment { memory, observe, ..found });
        }
    }
    found
}

/// The environment that was asked for, if there is one of that name.
fn chosen_name(map: &Map, environments: &Map, chosen: Option<&str>) -> Option<String> {
    let default = map.text("environment");
    let names: Vec<&str> = environments.entries.iter().map(|(key, _)| key.text.as_str()).collect();
    let (name, mark) = match (chosen, default, names.as_slice()) {
        (Some(name), _, _) => (name.to_owned(), environments.mark),
        (None, Some(text), _) => (text.value, text.mark),
        (None, None, [only]) => ((*only).to_owned(), environments.mark),
        (None, None, _) => {
            let hint = "the one to use when none is asked for, e.g. `environment: dev`".to_owned();
            map.file.hinted(map.mark, "`lakesmith.yaml` has no `environment`", Some(hint));
            return None;
        }
    };
    if names.contains(&name.as_str()) {
        return Some(name);
    }
    let hint = did_you_mean(&name, names.iter().copied()).unwrap_or_else(|| format!("there is: {}", names.join(", ")));
    map.file.hinted(mark, format!("there is no environment `{name}`"), Some(hint));
    None
}

fn environment(
    entry: &Map,
    name: &str,
    root: &Path,
    places: Option<(Text, Text)>,
    vars: Lookup,
) -> Option<Environment> {
    let storage = storage(entry, vars);
    let (lake, landing) = places?;
    let lake_place = expand(entry.file, &lake, vars).map(|text| place(root, &text));
    let landing_place = expand(entry.file, &landing, vars).map(|text| place(root, &text));
    let (lake_place, landing_place) = (lake_place?, landing_place?);
    [&lake_place, &landing_place].into_iter().for_each(|place| secrets::keep_url(place));
    if overlaps(&lake_place, &landing_place) {
        let hint = "keep the lake and the landing folder side by side".to_owned();
        entry.file.hinted(lake.mark, "the lake and the landing folder stand one within the other", Some(hint));
    }
    let (name, storage) = (name.to_owned(), storage?);
    Some(Environment {
        name,
        lake: lake_place,
        landing: landing_place,
        storage,
        memory: None,
        observe: Observe::default(),
    })
}

fn memory(entry: &Map) -> Option<Memory> {
    entry.get("memory")?;
    let text = entry.text("memory")?;
    let fault = |why| entry.file.hinted(text.mark, format!("`{}` is no memory to work with", text.value), Some(why));
    text.value.parse().map_err(fault).ok()
}

fn storage(entry: &Map, vars: Lookup) -> Option<BTreeMap<String, Secret>> {
    let Some(node) = entry.get("storage") else { return Some(BTreeMap::new()) };
    let map = entry.file.open_map(node, "`storage`")?;
    let mut options = BTreeMap::new();
    let mut complete = true;
    for (key, value) in map.entries {
        let text = entry.file.text(value, &format!("`{}`", key.text));
        match text.and_then(|text| expand(entry.file, &text, vars).map(|value| (value, is_reference(&text.value)))) {
            Some((value, variable)) => {
                let address = value.contains("://");
                secrets::keep_url(&value);
                if is_credential(&key.text) || (variable && !address) {
                    secrets::keep(&value);
                }
                options.insert(key.text.clone(), Secret(value));
            }
            None => complete = false,
        }
    }
    complete.then_some(options)
}

/// Secrets may come from the process environment only; a file ends in version control.
fn literal_secrets(entry: &Map) {
    if let Some(node) = entry.get("storage")
        && let Some(map) = entry.file.open_map(node, "`storage`")
    {
        for (key, value) in map.entries {
            if is_credential(&key.text)
                && let Some(text) = entry.file.text(value, &format!("`{}`", key.text))
                && !is_reference(&text.value)
            {
                secret_fault(entry.file, text.mark, &format!("`{}`", key.text), &key.text.to_uppercase());
            }
        }
    }
    for key in ["lake", "landing"] {
        if let Some(text) = entry.get(key).and_then(|node| entry.file.text(node, &format!("`{key}`")))
            && password_in(&text.value)
        {
            secret_fault(entry.file, text.mark, &format!("the URL of `{key}`"), "PASSWORD");
        }
    }
}

fn secret_fault(file: &File, mark: Mark, what: &str, variable: &str) {
    let hint = format!("put it into the process environment and write `${{{variable}}}`");
    file.hinted(mark, format!("{what} holds a secret in plain text"), Some(hint));
}

/// A relative path stands within the project's root; a URL or an absolute path is taken as it is.
fn place(root: &Path, text: &str) -> String {
    if text.contains("://") {
        return text.to_owned();
    }
    let path = root.join(text);
    let path = std::path::absolute(&path).unwrap_or(path);
    path.components().collect::<std::path::PathBuf>().to_string_lossy().into_owned()
}

fn overlaps(a: &str, b: &str) -> bool {
    let (a, b) = (a.trim_end_matches('/'), b.trim_end_matches('/'));
    a == b || a.starts_with(&format!("{b}/")) || b.starts_with(&format!("{a}/"))
}
