//! The lake as a catalog of DataFusion. It can open tables of the project and nothing else: no file by its path, no URL.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use deltalake::datafusion::catalog::{CatalogProvider, SchemaProvider, TableProvider};
use deltalake::datafusion::error::DataFusionError;
use deltalake::datafusion::logical_expr::TableType;
use deltalake::delta_datafusion::TableProviderBuilder;
use futures::future::{BoxFuture, FutureExt};

use crate::delta::{Error, Lake, Snapshot};
use crate::name::{Layer, TableName};

/// The one catalog.
pub(super) const CATALOG: &str = "lake";

/// Schemas and the tables of each, by name; those that were opened; and why the last one could not be had.
#[derive(Clone)]
pub(super) struct Layers {
    lake: Lake,
    tables: BTreeMap<String, Vec<String>>,
    opened: Arc<Mutex<Vec<Snapshot>>>,
    failure: Arc<Mutex<Option<Error>>>,
}

/// One schema, which need not exist: then each table of it is a failure that says so.
struct Tables {
    schema: String,
    layers: Layers,
}

impl Layers {
    pub(super) fn new(lake: &Lake, names: &[TableName]) -> Self {
        let of = |layer| names.iter().filter(|name| name.layer == layer).map(|name| name.name.clone()).collect();
        let mut tables: BTreeMap<String, Vec<String>> =
            Layer::ALL.into_iter().map(|layer| (layer.as_str().to_owned(), of(layer))).collect();
        tables.insert("quarantine".into(), of(Layer::Silver));
        tables.insert("lakesmith".into(), vec!["ledger".into(), "runs".into()]);
        Layers { lake: lake.clone(), tables, opened: Arc::default(), failure: Arc::default() }
    }

    /// Why the last table could not be had; says more than DataFusion's `table not found`.
    pub(super) fn take_failure(&self) -> Option<Error> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// The first table of those opened whose version has lost files, or has damaged ones, as an error that says so.
    pub(super) async fn find_damage(&self, cause: &Error) -> Option<Error> {
        let of_files = matches!(cause, Error::Storage { .. }).then(|| cause.to_string());
        let opened = std::mem::take(&mut *self.opened.lock().unwrap_or_else(PoisonError::into_inner));
        for snapshot in &opened {
            if let Some(error) = &of_files
                && let Ok(Some(damage)) = snapshot.find_damage(error).await
            {
                return Some(damage);
            }
            if let Err(gone @ Error::Gone { .. }) = snapshot.require_files().await {
                return Some(gone);
            }
        }
        None
    }

    async fn open(&self, schema: &str, name: &str) -> Result<Snapshot, Error> {
        let (base, version) = name.split_once('@').map_or((name, None), |(base, version)| (base, Some(version)));
        let known = self.tables.get(schema).is_some_and(|tables| tables.iter().any(|table| table == base));
        if !known {
            return Err(Error::Query(self.unknown(schema, base)));
        }
        let folder = if schema == "lakesmith" { "_lakesmith" } else { schema };
        let table = self.lake.table(&format!("{folder}/{base}"));
        match version {
            Some(version) => {
                let at = table.at(version).await.map_err(|error| match error {
                    Error::Gone { what, .. } => Error::Query(what),
                    other => other,
                })?;
                table.snapshot_at(&at).await
            }
            None => {
                let missing = || Error::gone(&format!("`{schema}.{base}`"), "it holds nothing yet");
                table.snapshot().await?.ok_or_else(missing)
            }
        }
    }

    /// What is wrong with a name, and which one may have been meant.
    fn unknown(&self, schema: &str, name: &str) -> String {
        let wanted = if schema.is_empty() { name.to_owned() } else { format!("{schema}.{name}") };
        let all: Vec<String> = self
            .tables
            .iter()
            .flat_map(|(schema, tables)| tables.iter().map(move |table| format!("{schema}.{table}")))
            .collect();
        let same_table = |candidate: &&String| candidate.split_once('.').is_some_and(|(_, table)| table == name);
        let likeness = |candidate: &String| strsim::jaro_winkler(&wanted, candidate);
        let near = all.iter().filter(|candidate| likeness(candidate) > 0.85);
        let meant = near.max_by(|a, b| likeness(a).total_cmp(&likeness(b))).or_else(|| all.iter().find(same_table));
        match meant {
            Some(meant) => format!("there is no table `{wanted}`; did you mean `{meant}`?"),
            None => format!("there is no table `{wanted}`; there are {}", all.join(", ")),
        }
    }
}

impl CatalogProvider for Layers {
    fn schema_names(&self) -> Vec<String> {
        self.tables.keys().cloned().collect()
    }

    fn schema(&self, name: &str) -> Option<Arc<dyn SchemaProvider>> {
        Some(Arc::new(Tables { schema: name.to_owned(), layers: self.clone() }))
    }
}

impl SchemaProvider for Tables {
    fn table_names(&self) -> Vec<String> {
        self.layers.tables.get(&self.schema).cloned().unwrap_or_default()
    }

    fn table<'life0, 'life1, 'async_trait>(
        &'life0 self,
        name: &'life1 str,
    ) -> BoxFuture<'async_trait, Result<Option<Arc<dyn TableProvider>>, DataFusionError>>
    where
        'life0: 'async_trait,
        'life1: 'async_trait,
        Self: 'async_trait,
    {
        async move {
            match self.layers.open(&self.schema, name).await {
                Ok(snapshot) => {
                    let provider = provider(&snapshot).await?;
                    self.layers.opened.lock().unwrap_or_else(PoisonError::into_inner).push(snapshot);
                    Ok(Some(provider))
                }
                Err(error) => {
                    // A list of all tables goes over those that hold nothing yet, so this is no error by itself.
                    *self.layers.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                    Ok(None)
                }
            }
        }
        .boxed()
    }

    fn table_type<'life0, 'life1, 'async_trait>(
        &'life0 self,
        _name: &'life1 str,
    ) -> BoxFuture<'async_trait, Result<Option<TableType>, DataFusionError>>
    where
        'life0: 'async_trait,
        'life1: 'async_trait,
        Self: 'async_trait,
    {
        async move { Ok(Some(TableType::Base)) }.boxed()
    }

    fn table_exist(&self, name: &str) -> bool {
        self.table_names().iter().any(|table| table == name)
    }
}

async fn provider(snapshot: &Snapshot) -> Result<Arc<dyn TableProvider>, DataFusionError> {
    let failed = |error| DataFusionError::External(Box::new(error));
    let log_store = snapshot.log_store().map_err(failed)?;
    let replay = snapshot.replay().await.map_err(failed)?.clone();
    let scan = TableProviderBuilder::default().with_log_store(log_store);
    Ok(Arc::new(scan.with_eager_snapshot(replay).build().await?))
}

impl std::fmt::Debug for Layers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Layers").field("tables", &self.tables).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Tables {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tables").field("schema", &self.schema).finish_non_exhaustive()
    }
}
