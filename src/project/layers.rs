//! The files under `layers/`: which tables there are.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::reader::{Faults, File};
use super::spelling::did_you_mean;
use super::yaml::{Mark, Node};
use crate::name::{Layer, TableName};

/// Names that lakesmith keeps for itself.
const RESERVED: [&str; 2] = ["lakesmith", "quarantine"];
const FOLDER: &str = "layers";

/// One table's file and its tree.
pub(super) struct LayerFile<'a> {
    pub name: TableName,
    pub file: File<'a>,
    pub node: Option<Node>,
}

/// Every table's file, in the order of layers and names.
pub(super) fn read<'a>(root: &Path, faults: &'a Faults) -> Vec<LayerFile<'a>> {
    let mut found: BTreeMap<TableName, LayerFile<'a>> = BTreeMap::new();
    for layer in layer_folders(root, faults) {
        let folder = Path::new(FOLDER).join(layer.as_str());
        for path in entries(root, &folder, faults) {
            let Some(name) = table_name(layer, root, &path, faults) else { continue };
            if let Some(other) = found.get(&name) {
                let message = format!("`{name}` is defined twice");
                let hint = format!("`{}` defines it too; remove one of them", other.file.path.display());
                File { path, faults }.hinted(Mark::START, message, Some(hint));
                continue;
            }
            let (file, node) = File::open(root, path, faults);
            found.insert(name.clone(), LayerFile { name, file, node });
        }
    }
    found.into_values().collect()
}

fn layer_folders(root: &Path, faults: &Faults) -> Vec<Layer> {
    let mut layers = Vec::new();
    if !root.join(FOLDER).is_dir() {
        let hint = "tables are defined in `layers/bronze`, `layers/silver` and `layers/gold`".to_owned();
        let file = File { path: PathBuf::from(FOLDER), faults };
        file.hinted(Mark::START, "the project has no folder `layers`", Some(hint));
        return layers;
    }
    for path in entries(root, Path::new(FOLDER), faults) {
        let name = file_name(&path);
        match Layer::ALL.into_iter().find(|layer| layer.as_str() == name) {
            Some(layer) if root.join(&path).is_dir() => layers.push(layer),
            _ => {
                let known = Layer::ALL.map(Layer::as_str);
                let hint = did_you_mean(&name, known)
                    .unwrap_or_else(|| "`layers` holds the folders bronze, silver and gold".to_owned());
                File { path, faults }.hinted(Mark::START, format!("`{name}` is no layer"), Some(hint));
            }
        }
    }
    layers
}

/// What a folder holds, by name, without hidden files and notes.
fn entries(root: &Path, folder: &Path, faults: &Faults) -> Vec<PathBuf> {
    let listing = fs::read_dir(root.join(folder)).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let mut paths: Vec<PathBuf> = match listing {
        Ok(listing) => listing.iter().map(|entry| folder.join(entry.file_name())).collect(),
        Err(error) => {
            let message = format!("`{}` cannot be read: {error}", folder.display());
            File { path: folder.to_owned(), faults }.fault(Mark::START, message);
            Vec::new()
        }
    };
    paths.retain(|path| !file_name(path).starts_with('.') && path.extension().is_none_or(|e| e != "md"));
    paths.sort();
    paths
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn table_name(layer: Layer, root: &Path, path: &Path, faults: &Faults) -> Option<TableName> {
    let file = File { path: path.to_owned(), faults };
    let yaml = path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
    if !yaml || !root.join(path).is_file() {
        let hint = "a table is one file, e.g. `layers/silver/orders.yaml`; notes may end in `.md`".to_owned();
        file.hinted(Mark::START, format!("`{}` defines no table", path.display()), Some(hint));
        return None;
    }
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    if let Some(hint) = bad_name(&name) {
        file.hinted(Mark::START, format!("`{name}` cannot be the name of a table"), Some(hint));
        return None;
    }
    Some(TableName { layer, name })
}

/// Why a name cannot be a table's.
fn bad_name(name: &str) -> Option<String> {
    if name.starts_with('_') || RESERVED.contains(&name) {
        return Some("lakesmith keeps this name for itself".to_owned());
    }
    let first = name.starts_with(|c: char| c.is_ascii_lowercase());
    let rest = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    let good = first && rest && name.len() <= 63;
    (!good).then(|| "lower-case letters, digits and `_`, a letter first, at most 63".to_owned())
}
