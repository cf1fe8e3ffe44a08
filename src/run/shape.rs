//! What a bronze table's columns are once some files have widened it.

use std::collections::{BTreeMap, BTreeSet};

use super::Run;
use super::error::Result;
use super::intake::{Intake, own_columns};
use super::landing::Judged;
use crate::bronze::{self, FileReader, FileStat, Landing, ReadError, ReadOptions};
use crate::delta::{Snapshot, Table, TableSchema};
use crate::expr::Columns;
use crate::project::{Limits, Source};

/// Key of a column's metadata: its name in the files.
const ORIGINAL_NAME: &str = "lakesmith.original_name";

/// A bronze table's columns, and how files are read beside them.
#[derive(Clone)]
pub struct Shape {
    /// where the files are
    pub landing: Landing,
    source: Source,
    options: ReadOptions,
    table: Table,
    stats_columns: Vec<String>,
    /// the columns that came with files
    columns: Columns,
    /// what Delta cannot store as it is named, by the name that it is stored under
    originals: BTreeMap<String, BTreeMap<String, String>>,
    /// the files that have brought a column
    widened_by: BTreeSet<String>,
}

impl Shape {
    /// As the table is.
    pub fn new(run: &Run, source: &Source, landing: Landing, table: &Table, bronze: Option<&Snapshot>) -> Self {
        let options = ReadOptions {
            timezone: run.project.timezone,
            limits: source.limits,
            // not of the share of one table, which depends on what else is worked on
            row_group: run.project.environment.memory().bytes(),
            ..ReadOptions::default()
        };
        let schema = bronze.map(|b| b.schema().clone()).unwrap_or_default();
        let first_four = || bronze::ADDED.iter().take(4).map(|c| (*c).to_string()).collect();
        Shape {
            landing,
            source: source.clone(),
            options,
            table: table.clone(),
            columns: own_columns(&schema),
            stats_columns: if bronze.is_some() { schema.stats_columns } else { first_four() },
            originals: schema.metadata,
            widened_by: BTreeSet::new(),
        }
    }

    /// The columns that came with files.
    pub fn columns(&self) -> &Columns {
        &self.columns
    }

    /// Whether a file has brought a column.
    pub fn is_widened_by(&self, file: &FileStat) -> bool {
        self.widened_by.contains(&file.path)
    }

    /// The whole table's schema.
    pub fn schema(&self) -> TableSchema {
        let mut columns = bronze::added_columns();
        columns.extend(self.columns.clone());
        TableSchema {
            columns,
            metadata: self.originals.clone(),
            stats_columns: self.stats_columns.clone(),
            ..TableSchema::default()
        }
    }

    /// Widens the table by the columns of these files, and gives those that fit; the others are noted.
    ///
    /// # Errors
    /// The store of the files cannot be used.
    pub fn fit_all(&mut self, files: Vec<Judged>, intake: &mut Intake) -> Result<Vec<Judged>> {
        self.landing.expect(files.iter().map(|file| &file.stat));
        let mut fitting = Vec::new();
        for file in files {
            match self.fitted(&file.stat) {
                Ok(wider) => {
                    *self = wider;
                    fitting.push(file);
                }
                Err(error) => intake.refuse(&self.landing, file, error)?,
            }
        }
        Ok(fitting)
    }

    /// Opens a file for its columns; those that Delta cannot store under their own name keep it as metadata.
    fn fitted(&self, stat: &FileStat) -> Result<Self, ReadError> {
        let reader = self.open(stat)?;
        let unfit = |reason| ReadError::Unreadable { path: stat.path.clone(), reason };
        let fitted = bronze::fit(reader.columns(), &self.columns).map_err(unfit)?;
        self.check_width(&fitted.columns).map_err(unfit)?;
        let mut wider = Shape { columns: fitted.columns, ..self.clone() };
        for header in reader.headers().iter().filter(|h| h.stored != h.original) {
            let named = wider.originals.entry(header.stored.clone()).or_default();
            named.entry(ORIGINAL_NAME.to_string()).or_insert_with(|| header.original.clone());
        }
        if wider.columns != self.columns || wider.originals != self.originals {
            wider.widened_by.insert(stat.path.clone());
            // What Delta cannot hold is the file's fault, not that of the others.
            self.table.writer(&wider.schema()).map_err(|error| unfit(error.to_string()))?;
        }
        Ok(wider)
    }

    /// What was taken in is read again, though the limits are others now.
    pub fn unlimited(mut self) -> Self {
        self.options.limits = Limits { line: self.options.limits.line, ..Limits::NONE };
        self.options.row_group = u64::MAX;
        self
    }

    fn check_width(&self, columns: &Columns) -> Result<(), String> {
        let (most, many) = (self.source.limits.columns, columns.len());
        if columns.len() == self.columns.len() || many as u64 <= most {
            return Ok(());
        }
        Err(format!("with its columns the table would have {many}; `limits: {{ columns: … }}` allows {most}"))
    }

    /// Opens a file to read its records.
    pub fn open(&self, stat: &FileStat) -> Result<FileReader, ReadError> {
        let known: Vec<String> = self.columns.iter().map(|c| c.name.clone()).collect();
        let known = (!known.is_empty()).then_some(known.as_slice());
        bronze::read(&self.landing, stat, &self.source.format, known, &self.options)
    }
}
