//! A table as its project defines it; the lake is not asked.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::columns::{self, ColumnDocs};
use super::files::FilesDocs;
use super::inputs::InputDocs;
use super::refused::QuarantineDocs;
use super::state::State;
use super::versions::VersionDocs;
use crate::name::{Layer, TableName};
use crate::plan::Task;
use crate::project::{Definition, Format, OnChange, Project, Source, Table};
use crate::run::error::Error;
use crate::run::survey::TableStatus;

/// Of a file that defines something, so much is shown.
const SHOWN_BYTES: usize = 64 << 10;

/// A table: its definition, and what the lake tells of it.
#[derive(Debug, Serialize)]
pub struct TableDocs {
    /// which
    pub table: TableName,
    /// bronze, silver or gold
    pub layer: Layer,
    /// who answers for it
    pub owner: Option<String>,
    /// what it is
    pub description: Option<String>,
    /// the files that define it, as they are written
    pub written: Vec<Written>,
    /// bronze: what its files are
    pub source: Option<String>,
    /// what makes a row the same
    pub key: Vec<String>,
    /// the greatest wins
    pub latest_by: Vec<String>,
    /// column for ranges of time
    pub event_time: Option<String>,
    /// physical partitions
    pub partition_by: Vec<String>,
    /// what a changed definition does; none for bronze
    pub on_change: Option<OnChange>,
    /// the tables that it reads
    pub inputs: Vec<InputDocs>,
    /// in the definition's order, then those of the table alone
    pub columns: Vec<ColumnDocs>,
    /// in a word
    pub state: State,
    /// why it is not current
    pub reasons: Vec<String>,
    /// what else there is to say
    pub remarks: Vec<String>,
    /// what `status` shows
    pub status: Option<TableStatus>,
    /// what a run would do now
    pub task: Option<Task>,
    /// least and greatest event time, by the statistics
    pub event_range: Option<(String, String)>,
    /// the newest first
    pub versions: Vec<VersionDocs>,
    /// rows that silver refused
    pub quarantine: Option<QuarantineDocs>,
    /// bronze: its landing files
    pub files: Option<FilesDocs>,
}

/// A file of the project.
#[derive(Debug, Serialize)]
pub struct Written {
    /// relative to the project's root
    pub path: PathBuf,
    /// its text, or its beginning
    pub text: String,
    /// it is longer
    pub cut: bool,
}

impl TableDocs {
    /// Why it cannot be read, if so.
    pub fn error(&self) -> Option<&str> {
        self.status.as_ref()?.error.as_deref()
    }

    /// A part of it cannot be read.
    pub(super) fn fail(&mut self, part: &str, error: &Error) {
        self.state = State::Unreadable;
        let why = format!("{part} cannot be read: {error}");
        self.reasons.insert(0, why.clone());
        if let Some(status) = &mut self.status {
            status.error.get_or_insert(why);
        }
    }

    /// Whether rows of it can be refused.
    pub(super) fn judges(&self) -> bool {
        self.layer == Layer::Silver && self.inputs.iter().any(|input| input.table.layer == Layer::Bronze)
    }
}

/// What the project says of a table.
pub fn of(project: &Project, name: &TableName) -> TableDocs {
    let table = project.tables.get(name);
    let mut docs = TableDocs {
        table: name.clone(),
        layer: name.layer,
        owner: table.and_then(|t| t.owner.clone()),
        description: table.and_then(|t| t.description.clone()),
        written: table.map(|t| written(project, t)).unwrap_or_default(),
        source: None,
        key: Vec::new(),
        latest_by: Vec::new(),
        event_time: None,
        partition_by: Vec::new(),
        on_change: table.and_then(|t| t.definition.on_change()),
        inputs: project.inputs(name).into_iter().map(InputDocs::unread).collect(),
        columns: columns::declared(project, name),
        state: State::Missing,
        reasons: Vec::new(),
        remarks: Vec::new(),
        status: None,
        task: None,
        event_range: None,
        versions: Vec::new(),
        quarantine: None,
        files: None,
    };
    match table.map(|t| &t.definition) {
        Some(Definition::Bronze(source)) => docs.source = Some(told(source)),
        Some(Definition::Silver(events)) => {
            docs.key.clone_from(&events.key);
            docs.latest_by.clone_from(&events.latest_by);
            docs.event_time.clone_from(&events.event_time);
            docs.partition_by.clone_from(&events.partition_by);
        }
        Some(Definition::Gold(derived)) => {
            docs.key.clone_from(&derived.key);
            docs.event_time.clone_from(&derived.event_time);
            docs.partition_by.clone_from(&derived.partition_by);
        }
        None => {}
    }
    docs
}

fn told(source: &Source) -> String {
    let format = match &source.format {
        Format::Csv(_) => "CSV",
        Format::Ndjson => "NDJSON",
        Format::Parquet => "Parquet",
    };
    format!("{format} files: {}", source.path)
}

fn written(project: &Project, table: &Table) -> Vec<Written> {
    let contract = match &table.definition {
        Definition::Silver(events) => Some(&events.contract.file),
        Definition::Bronze(_) | Definition::Gold(_) => None,
    };
    [Some(&table.file), contract].into_iter().flatten().filter_map(|path| read(&project.root, path)).collect()
}

/// A file that has gone since the project was read is not shown.
fn read(root: &Path, path: &Path) -> Option<Written> {
    let text = std::fs::read_to_string(root.join(path)).ok()?;
    let end = text.floor_char_boundary(SHOWN_BYTES);
    Some(Written { path: path.to_owned(), cut: end < text.len(), text: text[..end].to_owned() })
}
