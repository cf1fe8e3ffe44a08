//! What a project means once it is read and found right. Plain data; nothing in here does I/O.
//!
//! The JSON form of [`Events`] and [`Derived`] is what the definition hash stands on: a field that is renamed, added or
//! moved makes every table anew.

mod source;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

use crate::expr::{Columns, Expr, Type};
use crate::memory::Memory;
use crate::name::TableName;
use crate::steps::Step;

pub use self::source::{ChangedFiles, CsvOptions, Format, Limits, SameContent, Source};
use super::observe::Observe;

/// A checked project: every name in it resolves, every expression has a type, no cycle.
#[derive(Clone, Debug)]
pub struct Project {
    /// `name:` of lakesmith.yaml
    pub name: String,
    /// The folder that holds lakesmith.yaml
    pub root: PathBuf,
    /// The environment that was chosen
    pub environment: Environment,
    /// The zone of timestamps written without one
    pub timezone: chrono_tz::Tz,
    /// All tables, by name
    pub tables: BTreeMap<TableName, Table>,
    /// All tables, each after those that it reads
    pub order: Vec<TableName>,
    /// What deserves a word but stops nothing, e.g. a rule of a contract that is not enforced
    pub warnings: Vec<super::Fault>,
}

/// Where an environment keeps its things.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// e.g. `dev`
    pub name: String,
    /// Path or URL of the lake; a relative path was joined to the project's root
    pub lake: String,
    /// Path or URL of the landing folder; likewise
    pub landing: String,
    /// Options of the object store. Their values are never printed.
    pub storage: BTreeMap<String, Secret>,
    /// How much memory to work with; `None`: half of the machine's
    pub memory: Option<Memory>,
    /// What others are told of runs
    pub observe: Observe,
}

impl Environment {
    /// How much memory to work with.
    pub fn memory(&self) -> Memory {
        self.memory.unwrap_or_else(Memory::of_machine)
    }
}

/// Text that Debug and Display do not show.
#[derive(Clone)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// One file of `layers/`.
#[derive(Clone, Debug)]
pub struct Table {
    /// from the file's path
    pub name: TableName,
    /// the file, relative to the project's root
    pub file: PathBuf,
    /// `owner:`, else the contract's
    pub owner: Option<String>,
    /// `description:`, else the contract's
    pub description: Option<String>,
    /// how many of its rows a run or a rebuild may take away
    pub guard: Guard,
    /// how its files are kept in order
    pub optimize: Optimize,
    /// how the table comes about
    pub definition: Definition,
}

/// How many of a table's rows a run or a rebuild may take away.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Guard {
    /// this share, from 0 to 1, but never all
    Share(f64),
    /// all
    Off,
}

impl Default for Guard {
    fn default() -> Self {
        Guard::Share(0.5)
    }
}

/// How a table's files are kept in order. No row changes by it, so it is no part of the definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Optimize {
    /// a run that leaves more small files than this makes few of them; `None`: no run does
    pub auto: Option<usize>,
    /// `optimize` brings rows that are near one another in all of these columns into the same files
    pub z_order: Vec<String>,
}

impl Default for Optimize {
    fn default() -> Self {
        Optimize { auto: Some(100), z_order: Vec::new() }
    }
}

/// How a table comes about.
#[derive(Clone, Debug)]
pub enum Definition {
    /// bronze: from files
    Bronze(Source),
    /// silver from bronze: from events
    Silver(Box<Events>),
    /// gold, and silver from silver: from tables
    Gold(Box<Derived>),
}

/// Silver from bronze: one event in, at most one row out.
#[derive(Clone, Debug, Serialize)]
pub struct Events {
    /// bronze tables, at least one
    pub from: Vec<TableName>,
    /// whether the sources are NDJSON (properties are decoded from `value`), Parquet or CSV (properties are columns)
    pub input: EventInput,
    /// texts that mean NULL, per source of `from`; CSV only
    pub null_values: Vec<Vec<String>>,
    /// what each row must be
    pub contract: Contract,
    /// the columns that come from the source, in the contract's order: name, type and where from
    pub columns: Vec<EventColumn>,
    /// derive, where, select
    pub steps: Vec<Step>,
    /// empty: append only
    pub key: Vec<String>,
    /// the greatest wins; `_batch`, table, file and row number break ties
    pub latest_by: Vec<String>,
    /// column for ranges of time
    #[serde(skip)]
    pub event_time: Option<String>,
    /// physical partitions
    pub partition_by: Vec<String>,
    /// what a changed definition does
    #[serde(skip)]
    pub on_change: OnChange,
    /// the zone of timestamps written without one, IANA name
    pub timezone: String,
    /// what the table holds in the end, without the lineage columns
    pub output: Columns,
}

/// The shape of the bronze rows that a silver table reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EventInput {
    /// every column is text
    Csv,
    /// one column `value`, a JSON document
    Ndjson,
    /// typed columns
    Parquet,
}

/// One column that silver takes from an event.
#[derive(Clone, Debug, Serialize)]
pub struct EventColumn {
    /// the contract's name
    pub name: String,
    /// the contract's type
    pub ty: Type,
    /// an expression over bronze's columns from `columns:`; `None`: the column (JSON: member) of the same name, cast
    pub expr: Option<Expr>,
}

/// Gold, and silver from silver.
#[derive(Clone, Debug, Serialize)]
pub struct Derived {
    /// the table that the steps begin with
    pub from: TableName,
    /// verbs, in order
    pub steps: Vec<Step>,
    /// the last group_by's keys, else `key:`, else empty: replaced as a whole when different
    pub key: Vec<String>,
    /// column for ranges of time
    #[serde(skip)]
    pub event_time: Option<String>,
    /// physical partitions
    pub partition_by: Vec<String>,
    /// what a changed definition does
    #[serde(skip)]
    pub on_change: OnChange,
    /// what the table holds in the end
    pub output: Columns,
}

/// What a changed definition does to a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OnChange {
    /// `run` rebuilds the table
    Rebuild,
    /// old rows stay as they are and the table is marked mixed
    ForwardOnly,
}

/// What a data contract says of a table's rows, as far as we enforce it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Contract {
    /// the contract's file, relative to the project's root
    #[serde(skip)]
    pub file: PathBuf,
    /// in the contract's order
    pub properties: Vec<Property>,
}

/// One property of a contract.
#[derive(Clone, Debug, Serialize)]
pub struct Property {
    /// the column's name
    pub name: String,
    /// from logicalType and physicalType
    pub ty: Type,
    /// what each value must be
    pub rules: Vec<Rule>,
    /// for people
    #[serde(skip)]
    pub description: Option<String>,
}

/// A rule on one value. NULL breaks `Required` alone.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// not NULL
    Required,
    /// at least this; a literal of the property's type, as text
    Minimum(String),
    /// at most this
    Maximum(String),
    /// more than this
    ExclusiveMinimum(String),
    /// less than this
    ExclusiveMaximum(String),
    /// at least so many characters (array: items)
    MinLength(u64),
    /// at most so many characters (array: items)
    MaxLength(u64),
    /// a regular expression found anywhere in the text (ODCS: ECMA-262, here the dialect of the crate regex)
    Pattern(String),
    /// one of these, as text
    ValidValues(Vec<String>),
    /// NaN is allowed in a float or double
    AllowNan,
}

impl Project {
    /// The tables that a table reads directly.
    pub fn inputs(&self, name: &TableName) -> Vec<TableName> {
        match self.tables.get(name).map(|t| &t.definition) {
            Some(Definition::Silver(events)) => events.from.clone(),
            Some(Definition::Gold(derived)) => derived.inputs(),
            _ => Vec::new(),
        }
    }

    /// The tables that read this one directly.
    pub fn readers(&self, name: &TableName) -> Vec<TableName> {
        self.order.iter().filter(|t| self.inputs(t).contains(name)).cloned().collect()
    }
}

impl Derived {
    /// Every table that it reads, the first being `from`, each once.
    pub fn inputs(&self) -> Vec<TableName> {
        let mut inputs = vec![self.from.clone()];
        for table in self.steps.iter().filter_map(Step::table) {
            if !inputs.contains(table) {
                inputs.push(table.clone());
            }
        }
        inputs
    }
}

impl Definition {
    /// The column that ranges of time are told by; bronze has none.
    pub fn event_time(&self) -> Option<&str> {
        match self {
            Definition::Bronze(_) => None,
            Definition::Silver(events) => events.event_time.as_deref(),
            Definition::Gold(derived) => derived.event_time.as_deref(),
        }
    }

    /// What a changed definition does; bronze has none that could change its rows.
    pub fn on_change(&self) -> Option<OnChange> {
        match self {
            Definition::Bronze(_) => None,
            Definition::Silver(events) => Some(events.on_change),
            Definition::Gold(derived) => Some(derived.on_change),
        }
    }
}
