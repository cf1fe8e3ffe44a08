//! What others are told of runs: events of lineage, metrics, alerts. Nobody waits long for it, and nothing fails by it:
//! what cannot be told is warned of.

mod alerts;
mod deliver;
mod facets;
mod lineage;
mod metrics;
mod service;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use tokio::sync::mpsc;

use self::lineage::{Lineage, Told};
use self::service::Service;
use crate::name::TableName;
use crate::project::{Occasion, Project};
use crate::report::RunReport;
use crate::run::{self, Event, Listener, Run, TableStatus};

/// Tells others of one run.
pub struct Observer {
    project: Arc<Project>,
    lineage: Option<(mpsc::UnboundedSender<Told>, mpsc::UnboundedReceiver<Told>)>,
}

/// An observer of a run that goes on.
pub struct Watch {
    project: Arc<Project>,
    run: Run,
    command: &'static str,
    lineage: Option<(mpsc::UnboundedSender<Told>, tokio::task::JoinHandle<Option<Service>>)>,
}

impl Observer {
    /// Tells nothing yet.
    pub fn new(project: &Arc<Project>) -> Self {
        let lineage = project.environment.observe.openlineage.is_some().then(mpsc::unbounded_channel);
        Observer { project: project.clone(), lineage }
    }

    /// Hears what a run tells, and lets `inner` hear it too.
    pub fn listener(&self, inner: Listener) -> Listener {
        let Some((sender, _)) = &self.lineage else { return inner };
        let (sender, working) = (sender.clone(), Mutex::new(BTreeSet::new()));
        Arc::new(move |event: Event| {
            hear(&sender, &working, &event);
            inner(event);
        })
    }

    /// Begins to tell of `run`, which is what the user asked for by `command`. Must be called within Tokio.
    pub fn watch(self, run: &Run, command: &'static str) -> Watch {
        let lineage = self.lineage.zip(self.project.environment.observe.openlineage.clone());
        let lineage = lineage.map(|((sender, receiver), settings)| {
            let lineage = Lineage::new(run.clone(), command, settings);
            (sender, tokio::spawn(lineage.deliver(receiver)))
        });
        Watch { project: self.project, run: run.clone(), command, lineage }
    }
}

/// Much of what a run tells is of how it goes on, and only the first of it is news.
fn hear(sender: &mpsc::UnboundedSender<Told>, working: &Mutex<BTreeSet<TableName>>, event: &Event) {
    let told = match event {
        Event::Started(table) => Told::Began(table.clone(), Utc::now()),
        Event::Finished(report) => Told::Ended(report.clone(), Utc::now()),
        Event::Progress { table, .. }
        | Event::Expected { table, .. }
        | Event::Share { table, .. }
        | Event::Chunk { table, .. } => {
            let is_new = working.lock().unwrap_or_else(PoisonError::into_inner).insert(table.clone());
            if !is_new {
                return;
            }
            Told::Works(table.clone())
        }
    };
    // nobody hears it once the run is over
    let _ = sender.send(told);
}

impl Watch {
    /// Tells the rest, when the run is over; without a report if it was stopped half-way.
    pub async fn finish(self, report: Option<&RunReport>) {
        if let Some((sender, task)) = self.lineage {
            let _ = sender.send(Told::Over);
            // all events are made and in the file before the service is given up
            if let Ok(Some(service)) = task.await {
                service.finish().await;
            }
        }
        let (observe, Some(report)) = (&self.project.environment.observe, report) else { return };
        let wants_stale = observe.alerts.iter().any(|webhook| webhook.on.contains(&Occasion::Stale));
        let statuses = match observe.metrics.is_some() || (wants_stale && observe.stale_after.is_some()) {
            true => survey(&self.project).await,
            false => Vec::new(),
        };
        let told = Finished {
            project: &self.project,
            command: self.command,
            report,
            names: report.tables.iter().map(|table| table.table.to_string()).collect(),
            statuses: &statuses,
            status_names: statuses.iter().map(|status| status.table.to_string()).collect(),
            started_at: self.run.started_at,
            at: Utc::now(),
        };
        if let Some(file) = &observe.metrics
            && let Err(error) = metrics::write(file, &metrics::text(&told))
        {
            tracing::warn!(file = %file.display(), %error, "the metrics could not be written");
        }
        alerts::send(&told, &observe.alerts).await;
    }
}

async fn survey(project: &Project) -> Vec<TableStatus> {
    let tables = project.order.iter().cloned().collect();
    run::survey(project, &tables).await.unwrap_or_else(|error| {
        tracing::warn!(%error, "how the tables are could not be looked at; metrics and alerts do without");
        Vec::new()
    })
}

/// What there is to tell when a run is over.
struct Finished<'a> {
    project: &'a Project,
    command: &'static str,
    report: &'a RunReport,
    /// of the report's tables
    names: Vec<String>,
    /// of all tables, where that is asked for
    statuses: &'a [TableStatus],
    status_names: Vec<String>,
    started_at: DateTime<Utc>,
    at: DateTime<Utc>,
}
