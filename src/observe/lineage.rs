//! Events of lineage as OpenLineage has them, <https://openlineage.io/spec/2-0-2/OpenLineage.json>: a table's work is a
//! run of a job; what it reads and writes are datasets.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value, json};
use tokio::sync::mpsc::UnboundedReceiver;
use uuid::Uuid;

use super::deliver::append;
use super::facets::{self, Facet, PRODUCER};
use super::service::Service;
use crate::name::TableName;
use crate::project::{Definition, Events, OpenLineage, Project};
use crate::report::{InputVersion, Status, TableReport};
use crate::run::{self, Refusals, Run};

const SCHEMA: &str = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent";

/// What is heard of a run.
pub enum Told {
    /// a table is looked at
    Began(TableName, DateTime<Utc>),
    /// there is something to do
    Works(TableName),
    /// it is done with
    Ended(Box<TableReport>, DateTime<Utc>),
    /// all of it is over
    Over,
}

/// Makes events, writes them to a file and leaves them to a service, in the order in which things happen.
pub struct Lineage {
    run: Run,
    command: &'static str,
    settings: OpenLineage,
    open: BTreeMap<TableName, Begun>,
    service: Option<Service>,
    writes_file: bool,
}

/// A table that is at work.
struct Begun {
    id: Uuid,
    at: DateTime<Utc>,
    is_told: bool,
}

/// What there is to say of a table's work when it is done.
struct Done<'a> {
    report: &'a TableReport,
    /// of the output
    facets: Map<String, Value>,
    /// of the rows that came in from each bronze table
    assertions: BTreeMap<TableName, Facet>,
}

impl Lineage {
    /// Tells nothing yet. Must be called within Tokio.
    pub fn new(run: Run, command: &'static str, settings: OpenLineage) -> Self {
        let (service, writes_file) = (Service::new(&settings), settings.file.is_some());
        Lineage { run, command, settings, open: BTreeMap::new(), service, writes_file }
    }

    /// Tells events until the run is over. What the service has not taken by then is its own affair.
    pub async fn deliver(mut self, mut told: UnboundedReceiver<Told>) -> Option<Service> {
        while let Some(told) = told.recv().await {
            match told {
                Told::Began(table, at) => {
                    self.open.insert(table, Begun { id: Uuid::now_v7(), at, is_told: false });
                }
                Told::Works(table) => self.start(&table),
                Told::Ended(report, at) => self.end(&report, at).await,
                Told::Over => break,
            }
        }
        for (table, begun) in std::mem::take(&mut self.open) {
            if begun.is_told {
                let event = self.event("ABORT", &table, &begun, Utc::now(), None);
                self.send(&event);
            }
        }
        self.service
    }

    fn start(&mut self, table: &TableName) {
        let Some(begun) = self.open.get_mut(table).filter(|begun| !begun.is_told) else { return };
        begun.is_told = true;
        let begun = Begun { ..*begun };
        let event = self.event("START", table, &begun, begun.at, None);
        self.send(&event);
    }

    async fn end(&mut self, report: &TableReport, at: DateTime<Utc>) {
        let is_worth_telling = report.changed() || (report.error.is_some() && !report.is_skipped());
        if is_worth_telling {
            // a table may end before anything was heard of its work
            self.start(&report.table);
        }
        let Some(begun) = self.open.remove(&report.table).filter(|begun| begun.is_told) else { return };
        let kind = if report.status == Status::Failed { "FAIL" } else { "COMPLETE" };
        let mut done = Done { report, facets: Map::new(), assertions: BTreeMap::new() };
        if report.changed() {
            done.facets = self.written(report).await;
            done.assertions = self.assertions(report).await;
        }
        let event = self.event(kind, &report.table, &begun, at, Some(done));
        self.send(&event);
    }

    fn send(&mut self, event: &Value) {
        let line = event.to_string();
        if let Some(file) = self.settings.file.as_ref().filter(|_| self.writes_file)
            && let Err(error) = append(file, &line)
        {
            self.writes_file = false;
            tracing::warn!(error, "events of lineage could not be written");
        }
        if let Some(service) = &self.service {
            service.take(line);
        }
    }

    fn event(&self, kind: &str, table: &TableName, begun: &Begun, at: DateTime<Utc>, done: Option<Done>) -> Value {
        let project = &self.run.project;
        let error = done.as_ref().and_then(|done| done.report.error.as_deref());
        let inputs = inputs(project, table, done.as_ref());
        let mut output = dataset(project, table, done.as_ref().and_then(|done| done.report.version));
        facets::merge(&mut output, done.map(|done| done.facets).unwrap_or_default());
        facets::add(&mut output, "facets", facets::column_lineage(project, table));
        json!({
            "eventType": kind,
            "eventTime": at.to_rfc3339_opts(SecondsFormat::Micros, true),
            "producer": PRODUCER,
            "schemaURL": SCHEMA,
            "run": {
                "runId": begun.id,
                "facets": facets::of_run(&self.run.id, &self.settings.namespace, &project.name, self.command, error),
            },
            "job": {
                "namespace": self.settings.namespace,
                "name": table.to_string(),
                "facets": facets::of_job(project, table),
            },
            "inputs": inputs,
            "outputs": [output],
        })
    }

    /// What there is to say of a table that was written to: schema, quality, statistics.
    async fn written(&self, report: &TableReport) -> Map<String, Value> {
        let mut output = Map::new();
        let lake = &self.run.lake;
        let folder = run::folder(&report.table);
        match lake.table(&folder).snapshot().await {
            Ok(Some(snapshot)) => {
                facets::add(&mut output, "facets", Some(facets::schema(&snapshot)));
                facets::add(&mut output, "facets", Some(facets::quality(&snapshot)));
            }
            Ok(None) => {}
            Err(error) => tracing::debug!(table = %report.table, %error, "its schema is not in the event"),
        }
        let commits = run::Commits::of(lake, &self.run.id, self.run.started_at, &[folder]).await;
        facets::add(&mut output, "outputFacets", Some(facets::statistics(report, &commits)));
        output
    }

    /// How the rows that a silver table has read from each of its bronze tables kept its contract.
    async fn assertions(&self, report: &TableReport) -> BTreeMap<TableName, Facet> {
        let project = &self.run.project;
        let Some(Definition::Silver(events)) = project.tables.get(&report.table).map(|table| &table.definition) else {
            return BTreeMap::new();
        };
        let refused = match report.rows.quarantined {
            0 => Ok(BTreeMap::new()),
            _ => run::refusals(project, &self.run.lake, &report.table, &self.run.id).await,
        };
        let refused = match refused {
            Ok(refused) => refused,
            Err(error) => {
                tracing::debug!(table = %report.table, %error, "its reasons are not in the event");
                return BTreeMap::new();
            }
        };
        by_input(events, &report.inputs, &refused)
    }
}

/// Each input that was read, with what rows from it were refused for.
fn by_input(
    events: &Events,
    read: &[InputVersion],
    refused: &BTreeMap<String, Refusals>,
) -> BTreeMap<TableName, Facet> {
    let none = Refusals::new();
    let of = |input: &TableName| facets::assertions(events, refused.get(&input.to_string()).unwrap_or(&none));
    read.iter().map(|input| (input.table.clone(), of(&input.table))).collect()
}

/// What a table reads: other tables, or a pattern of landing files.
fn inputs(project: &Project, table: &TableName, done: Option<&Done>) -> Vec<Value> {
    if let Some(Definition::Bronze(source)) = project.tables.get(table).map(|table| &table.definition) {
        let (namespace, folder) = facets::place(&project.environment.landing);
        return vec![json!({ "namespace": namespace, "name": format!("{folder}/{}", source.path) })];
    }
    let input = |input: &TableName| {
        let read = done.and_then(|done| done.report.inputs.iter().find(|version| version.table == *input));
        let mut dataset = dataset(project, input, read.map(|read| read.version));
        facets::add(&mut dataset, "inputFacets", done.and_then(|done| done.assertions.get(input).cloned()));
        Value::Object(dataset)
    };
    project.inputs(table).iter().map(input).collect()
}

fn dataset(project: &Project, table: &TableName, version: Option<i64>) -> Map<String, Value> {
    let (namespace, lake) = facets::place(&project.environment.lake);
    let mut dataset = Map::new();
    dataset.insert("namespace".into(), json!(namespace));
    dataset.insert("name".into(), json!(format!("{lake}/{}", run::folder(table))));
    facets::add(&mut dataset, "facets", version.map(facets::version));
    dataset
}
