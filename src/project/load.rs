//! Reading a project: from files to a checked [`Project`].

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::declared::{self, Body, Declared};
use super::events::{self, Reading};
use super::events_source::Sources;
use super::expand::Lookup;
use super::known::{Asked, Known};
use super::model::{Definition, Environment, Project, Table};
use super::reader::{Faults, File};
use super::resolve::{self, Tables};
use super::settings::{self, Settings};
use super::yaml::Mark;
use super::{Fault, columns, derived, layers};
use crate::expr::{self, Columns};
use crate::name::{Layer, TableName};

/// A project without faults, but for what could not be checked: nothing to run.
#[derive(Clone, Debug)]
pub struct Checked {
    /// `name:` of lakesmith.yaml
    pub name: String,
    /// the name of the environment that was chosen
    pub environment: String,
    /// all tables, each after those that it reads
    pub order: Vec<TableName>,
    /// what deserves a word but stops nothing, e.g. that the columns of a source are not known
    pub warnings: Vec<Fault>,
}

/// Reads the project in `root` for an environment (`None`: the project's default one). Touches neither the lake nor the
/// landing folder itself; `known` tells the columns of the bronze tables.
///
/// # Errors
/// Every fault that could be found in one pass, in the order of files and lines.
pub fn load(root: &Path, environment: Option<&str>, known: Known) -> Result<Project, Vec<Fault>> {
    load_with(root, environment, known, &of_process)
}

/// As [`load`], for a `known` that does not know all: what cannot be checked without it is worth a warning.
///
/// # Errors
/// As [`load`].
pub fn check(root: &Path, environment: Option<&str>, known: Known) -> Result<Checked, Vec<Fault>> {
    let Project { name, environment, order, warnings, .. } = read(root, environment, known, &of_process, true)?;
    Ok(Checked { name, environment: environment.name, order, warnings })
}

/// One environment of the project in `root`, by `lakesmith.yaml` alone.
///
/// # Errors
/// There is none of that name, or the file is faulty.
pub fn environment(root: &Path, name: &str) -> Result<Environment, Vec<Fault>> {
    let faults = Faults::default();
    let settings = read_settings(root, Some(name), &of_process, &faults);
    let (found, _) = faults.into_parts();
    match settings {
        Some(settings) if found.is_empty() => Ok(settings.environment),
        _ => Err(found),
    }
}

fn of_process(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// [`load`] with the process environment passed in.
pub(super) fn load_with(
    root: &Path,
    environment: Option<&str>,
    known: Known,
    vars: Lookup,
) -> Result<Project, Vec<Fault>> {
    read(root, environment, known, vars, false)
}

fn read(
    root: &Path,
    environment: Option<&str>,
    known: Known,
    vars: Lookup,
    only_checks: bool,
) -> Result<Project, Vec<Fault>> {
    let faults = Faults::default();
    let settings = read_settings(root, environment, vars, &faults);
    let project = read_tables(root, settings, known, only_checks, &faults);
    let (found, warnings) = faults.into_parts();
    match project {
        Some(project) if found.is_empty() => Ok(Project { warnings, ..project }),
        _ => Err(found),
    }
}

/// Without settings the bronze tables' columns are not known, but what is in the tables' files is still checked.
fn read_tables(
    root: &Path,
    settings: Option<Settings>,
    known: Known,
    only_checks: bool,
    faults: &Faults,
) -> Option<Project> {
    let files = layers::read(root, faults);
    let tables: Tables = files.into_iter().map(|file| (file.name.clone(), declared::read(file))).collect();
    if tables.is_empty() && root.join("layers").is_dir() {
        let hint = "begin with `layers/bronze/orders.yaml`, or see a project by `lakesmith init DIR`".to_owned();
        let file = File { path: PathBuf::from("layers"), faults };
        file.hinted(Mark::START, "the project has no tables", Some(hint));
    }
    let order = resolve::order(&tables);
    let timezone = settings.as_ref().map_or(chrono_tz::UTC, |s| s.timezone);
    let reading = Reading {
        root,
        settings: expr::Settings { timezone },
        guard: settings.as_ref().map(|s| s.guard).unwrap_or_default(),
        optimize: settings.as_ref().map(|s| s.optimize.clone()).unwrap_or_default(),
        faults,
        asked: Asked::new(known, settings.as_ref().map(|s| &s.environment)),
        only_checks: only_checks || settings.is_none(),
    };
    let mut typed: BTreeMap<TableName, Table> = BTreeMap::new();
    for name in &order {
        if let Some(table) = tables.get(name).and_then(|declared| reading.table(declared, &tables, &typed)) {
            typed.insert(name.clone(), table);
        }
    }
    let Settings { name, timezone, environment, .. } = settings?;
    Some(Project { name, root: root.to_owned(), environment, timezone, tables: typed, order, warnings: Vec::new() })
}

fn read_settings(root: &Path, environment: Option<&str>, vars: Lookup, faults: &Faults) -> Option<Settings> {
    if !root.join(settings::FILE).is_file() {
        let file = File { path: PathBuf::from(settings::FILE), faults };
        let hint = "run lakesmith in the project's folder, or name it with `-C DIR`".to_owned();
        file.hinted(Mark::START, "there is no `lakesmith.yaml`", Some(hint));
        return None;
    }
    let (file, node) = File::open(root, PathBuf::from(settings::FILE), faults);
    settings::read(&file, &node?, root, environment, vars)
}

impl<'a> Reading<'_, 'a> {
    /// The table, checked; `None` if so much of it or of a table that it reads is faulty that its columns cannot be
    /// known.
    fn table(&self, declared: &Declared<'a>, tables: &Tables<'a>, typed: &BTreeMap<TableName, Table>) -> Option<Table> {
        let (mut owner, mut description) = (declared.owner.clone(), declared.description.clone());
        let definition = match &declared.body {
            Body::Unreadable => return None,
            Body::Bronze(source) => Definition::Bronze(source.clone()?),
            Body::Table(table) if resolve::reads_bronze(table) && declared.name.layer == Layer::Gold => return None,
            Body::Table(table) if resolve::reads_bronze(table) => {
                let sources = Sources::read(&declared.file, table, tables)?;
                let read = events::read(declared, table, &sources, self)?;
                owner = owner.or(read.owner);
                description = description.or(read.description);
                Definition::Silver(Box::new(read.events))
            }
            Body::Table(table) => {
                let columns = |name: &TableName| output(typed.get(name)?);
                Definition::Gold(Box::new(derived::read(declared, table, self.settings, &columns)?))
            }
        };
        let guard = declared.guard().unwrap_or(self.guard);
        let optimize = declared.optimize.over(&self.optimize, z_order(declared, &definition));
        let (name, file) = (declared.name.clone(), declared.file.path.clone());
        Some(Table { name, file, owner, description, guard, optimize, definition })
    }
}

/// The names of `z_order:`; those of bronze columns are looked at when its rows are brought into order.
fn z_order(declared: &Declared, definition: &Definition) -> Vec<String> {
    let names = &declared.optimize.z_order;
    let (columns, partition_by) = match definition {
        Definition::Bronze(_) => return names.iter().map(|name| name.value.clone()).collect(),
        Definition::Silver(events) => (&events.output, &events.partition_by),
        Definition::Gold(derived) => (&derived.output, &derived.partition_by),
    };
    columns::z_order(&declared.file, columns, partition_by, names)
}

/// The columns that other tables can read.
fn output(table: &Table) -> Option<Columns> {
    match &table.definition {
        Definition::Bronze(_) => None,
        Definition::Silver(events) => Some(events.output.clone()),
        Definition::Gold(derived) => Some(derived.output.clone()),
    }
}
