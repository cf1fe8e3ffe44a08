//! Events of lineage as OpenLineage has them, <https://openlineage.io/spec/2-0-2/OpenLineage.json>: a table's work is a
//! run of a job; what it reads and writes are datasets.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value, json};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::Instant;
use uuid::Uuid;

use super::deliver::{Post, append};
use super::facets::{self, PRODUCER};
use crate::name::TableName;
use crate::project::{Definition, OpenLineage, Project};
use crate::report::{InputVersion, Status, TableReport};
use crate::run::{self, Run};

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

/// Makes events and sends them, in the order in which things happen.
pub struct Lineage {
    run: Run,
    command: &'static str,
    settings: OpenLineage,
    open: BTreeMap<TableName, Begun>,
    /// none: there is no service, or it has failed once in this run
    post: Option<Post>,
    writes_file: bool,
    unsent: u64,
}

/// A table that is at work.
struct Begun {
    id: Uuid,
    at: DateTime<Utc>,
    is_told: bool,
}

impl Lineage {
    /// Sends nothing yet.
    pub fn new(run: Run, command: &'static str, settings: OpenLineage) -> Self {
        let post = settings.url.as_ref().map(|url| Post::new(url, settings.api_key.as_ref(), settings.timeout));
        let post = post.and_then(|post| {
            post.map_err(|error| tracing::warn!(error, "events of lineage cannot be sent to the service")).ok()
        });
        let writes_file = settings.file.is_some();
        Lineage { run, command, settings, open: BTreeMap::new(), post, writes_file, unsent: 0 }
    }

    /// Sends events until the run is over. A service that is slow holds nobody up for longer than twice what one event
    /// may take.
    pub async fn deliver(mut self, mut told: UnboundedReceiver<Told>) {
        while let Some(told) = told.recv().await {
            match told {
                Told::Began(table, at) => {
                    self.open.insert(table, Begun { id: Uuid::now_v7(), at, is_told: false });
                }
                Told::Works(table) => self.start(&table).await,
                Told::Ended(report, at) => self.end(&report, at).await,
                Told::Over => break,
            }
        }
        for (table, begun) in std::mem::take(&mut self.open) {
            if begun.is_told {
                let event = self.event("ABORT", &table, &begun, Utc::now(), &[], None);
                self.send(event).await;
            }
        }
        if self.unsent > 0 {
            tracing::warn!(events = self.unsent, "events of lineage were not sent to the service");
        }
    }

    async fn start(&mut self, table: &TableName) {
        let Some(begun) = self.open.get_mut(table).filter(|begun| !begun.is_told) else { return };
        begun.is_told = true;
        let begun = Begun { ..*begun };
        let event = self.event("START", table, &begun, begun.at, &[], None);
        self.send(event).await;
    }

    async fn end(&mut self, report: &TableReport, at: DateTime<Utc>) {
        let is_worth_telling = report.changed() || (report.error.is_some() && !report.is_skipped());
        if is_worth_telling {
            // a table may end before anything was heard of its work
            self.start(&report.table).await;
        }
        let Some(begun) = self.open.remove(&report.table).filter(|begun| begun.is_told) else { return };
        let kind = if report.status == Status::Failed { "FAIL" } else { "COMPLETE" };
        let output = match report.changed() {
            true => self.written(report).await,
            false => Map::new(),
        };
        let event = self.event(kind, &report.table, &begun, at, &report.inputs, Some((report, output)));
        self.send(event).await;
    }

    async fn send(&mut self, event: Value) {
        let line = event.to_string();
        if let Some(file) = self.settings.file.as_ref().filter(|_| self.writes_file)
            && let Err(error) = append(file, &line)
        {
            self.writes_file = false;
            tracing::warn!(error, "events of lineage could not be written");
        }
        let Some(post) = &self.post else {
            self.unsent += u64::from(self.settings.url.is_some());
            return;
        };
        let began = Instant::now();
        if let Err(error) = post.send(line, self.settings.timeout).await {
            tracing::warn!(error, "an event of lineage could not be sent; the service is left alone for this run");
            self.post = None;
            self.unsent += 1;
        }
        tracing::trace!(seconds = began.elapsed().as_secs_f64(), "an event of lineage");
    }

    fn event(
        &self,
        kind: &str,
        table: &TableName,
        begun: &Begun,
        at: DateTime<Utc>,
        versions: &[InputVersion],
        done: Option<(&TableReport, Map<String, Value>)>,
    ) -> Value {
        let project = &self.run.project;
        let (report, written) = done.unzip();
        let error = report.and_then(|report| report.error.as_deref());
        let version = report.and_then(|report| report.version);
        let inputs: Vec<Value> = inputs(project, table, versions);
        let mut output = dataset(project, table, version);
        facets::merge(&mut output, written.unwrap_or_default());
        facets::add(&mut output, "facets", facets::column_lineage(project, table));
        let assertions = output.remove(facets::ASSERTIONS);
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
            "inputs": with_assertions(inputs, assertions),
            "outputs": [output],
        })
    }

    /// What there is to say of a table that was written to: schema, statistics, quality.
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
        if let Some(Definition::Silver(events)) = self.run.project.tables.get(&report.table).map(|t| &t.definition) {
            let refused = match report.rows.quarantined {
                0 => Ok(BTreeMap::new()),
                _ => run::refusals(&self.run.project, lake, &report.table, &self.run.id).await,
            };
            match refused {
                Ok(refused) => _ = output.insert(facets::ASSERTIONS.into(), facets::assertions(events, &refused)),
                Err(error) => tracing::debug!(table = %report.table, %error, "its reasons are not in the event"),
            }
        }
        output
    }
}

/// What a table reads: other tables, or a pattern of landing files.
fn inputs(project: &Project, table: &TableName, versions: &[InputVersion]) -> Vec<Value> {
    if let Some(Definition::Bronze(source)) = project.tables.get(table).map(|table| &table.definition) {
        let (namespace, folder) = facets::place(&project.environment.landing);
        return vec![json!({ "namespace": namespace, "name": format!("{folder}/{}", source.path) })];
    }
    let version = |input: &TableName| versions.iter().find(|version| version.table == *input).map(|v| v.version);
    project.inputs(table).iter().map(|input| Value::Object(dataset(project, input, version(input)))).collect()
}

/// The assertions of a contract speak of the rows that came in.
fn with_assertions(mut inputs: Vec<Value>, assertions: Option<Value>) -> Vec<Value> {
    if let (Some(Value::Object(first)), Some(assertions)) = (inputs.first_mut(), assertions) {
        first.insert("inputFacets".into(), json!({ "dataQualityAssertions": assertions }));
    }
    inputs
}

fn dataset(project: &Project, table: &TableName, version: Option<i64>) -> Map<String, Value> {
    let (namespace, lake) = facets::place(&project.environment.lake);
    let mut dataset = Map::new();
    dataset.insert("namespace".into(), json!(namespace));
    dataset.insert("name".into(), json!(format!("{lake}/{}", run::folder(table))));
    facets::add(&mut dataset, "facets", version.map(facets::version));
    dataset
}
