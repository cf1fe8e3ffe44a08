//! What OpenLineage calls facets, each by the version of its schema at <https://openlineage.io/spec/facets/>. Names of
//! datasets are those of its naming conventions, <https://openlineage.io/docs/spec/naming>.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::delta::{DataFile, Snapshot};
use crate::name::TableName;
use crate::project::{Events, Project, Property, Rule};
use crate::report::TableReport;
use crate::run::{Commits, Refusals};

/// Who makes the events.
pub const PRODUCER: &str = concat!("https://crates.io/crates/lakesmith/", env!("CARGO_PKG_VERSION"));

/// A facet and its name.
pub type Facet = (&'static str, Value);

fn facet(name: &'static str, schema: &str, content: Value) -> Facet {
    let mut facet = Map::new();
    facet.insert("_producer".into(), json!(PRODUCER));
    facet.insert("_schemaURL".into(), json!(format!("https://openlineage.io/spec/facets/{schema}")));
    if let Value::Object(content) = content {
        facet.extend(content);
    }
    (name, Value::Object(facet))
}

/// Puts a facet into an object's map of facets.
pub fn add(object: &mut Map<String, Value>, key: &str, facet: Option<Facet>) {
    let Some((name, content)) = facet else { return };
    if let Value::Object(facets) = object.entry(key).or_insert_with(|| json!({})) {
        facets.insert(name.into(), content);
    }
}

/// Puts what is known of a dataset beside what it has: facets to facets.
pub fn merge(dataset: &mut Map<String, Value>, more: Map<String, Value>) {
    for (key, more) in more {
        match (dataset.get_mut(&key), more) {
            (Some(Value::Object(there)), Value::Object(more)) => there.extend(more),
            (_, more) => _ = dataset.insert(key, more),
        }
    }
}

/// Namespace and path of a folder: `file` and `/srv/lake`, or `s3://bucket` and `path`.
pub fn place(uri: &str) -> (String, String) {
    let Some((scheme, rest)) = uri.split_once("://") else {
        return ("file".into(), uri.trim_end_matches('/').into());
    };
    // neither user nor options belong into a name
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let is_user = !scheme.starts_with("abfs");
    let authority = authority.rsplit_once('@').filter(|_| is_user).map_or(authority, |(_, host)| host);
    match scheme {
        "file" => ("file".into(), format!("/{}", path.trim_matches('/'))),
        scheme => (format!("{scheme}://{authority}"), path.trim_matches('/').into()),
    }
}

/// Of the run of one table: which run of lakesmith it is part of, by what, and why it failed.
pub fn of_run(run_id: &str, namespace: &str, project: &str, command: &str, error: Option<&str>) -> Value {
    let mut facets = Map::new();
    let parent = json!({ "run": { "runId": run_id }, "job": { "namespace": namespace, "name": format!("{project}.{command}") } });
    let engine = json!({ "name": "lakesmith", "version": env!("CARGO_PKG_VERSION") });
    let told = error.map(|error| json!({ "message": error, "programmingLanguage": "Rust" }));
    let all = [
        Some(facet("parent", "1-2-0/ParentRunFacet.json", parent)),
        Some(facet("processing_engine", "1-1-1/ProcessingEngineRunFacet.json", engine)),
        told.map(|told| facet("errorMessage", "1-0-1/ErrorMessageRunFacet.json", told)),
    ];
    facets.extend(all.into_iter().flatten().map(|(name, content)| (name.to_owned(), content)));
    Value::Object(facets)
}

/// Of a job: what it is, and whose.
pub fn of_job(project: &Project, table: &TableName) -> Value {
    let mut facets = Map::new();
    let kind = json!({ "processingType": "BATCH", "integration": "LAKESMITH", "jobType": "TABLE" });
    let owner = project.tables.get(table).and_then(|table| table.owner.as_deref());
    let all = [
        Some(facet("jobType", "2-0-4/JobTypeJobFacet.json", kind)),
        owner.map(|name| facet("ownership", "1-0-1/OwnershipJobFacet.json", json!({ "owners": [{ "name": name }] }))),
    ];
    facets.extend(all.into_iter().flatten().map(|(name, content)| (name.to_owned(), content)));
    Value::Object(facets)
}

/// A version of a table.
pub fn version(version: i64) -> Facet {
    facet("version", "1-0-1/DatasetVersionDatasetFacet.json", json!({ "datasetVersion": version.to_string() }))
}

/// A table's columns.
pub fn schema(snapshot: &Snapshot) -> Facet {
    let fields: Vec<Value> = (1..)
        .zip(&snapshot.schema().columns)
        .map(|(n, column)| json!({ "name": column.name, "type": column.ty.to_string(), "ordinal_position": n }))
        .collect();
    facet("schema", "1-2-0/SchemaDatasetFacet.json", json!({ "fields": fields }))
}

/// From which columns each column is computed; none for bronze, whose columns come from files.
pub fn column_lineage(project: &Project, table: &TableName) -> Option<Facet> {
    let (namespace, lake) = place(&project.environment.lake);
    let lineage = project.column_lineage(table);
    let field = |(input, column): &(TableName, String)| json!({ "namespace": namespace, "name": format!("{lake}/{}", crate::run::folder(input)), "field": column });
    let fields: Map<String, Value> = lineage
        .iter()
        .map(|(column, from)| (column.clone(), json!({ "inputFields": from.iter().map(field).collect::<Vec<_>>() })))
        .collect();
    let content = json!({ "fields": fields });
    (!lineage.is_empty()).then(|| facet("columnLineage", "1-2-0/ColumnLineageDatasetFacet.json", content))
}

/// What a run wrote: rows, bytes, files.
pub fn statistics(report: &TableReport, commits: &Commits) -> Facet {
    let mut content = Map::new();
    content.insert("rowCount".into(), json!(report.rows.inserted + report.rows.updated));
    content.extend(commits.bytes_written.map(|bytes| ("size".to_owned(), json!(bytes))));
    content.extend(commits.files_written.map(|files| ("fileCount".to_owned(), json!(files))));
    facet("outputStatistics", "1-0-2/OutputStatisticsOutputDatasetFacet.json", Value::Object(content))
}

/// The table as a whole: rows, bytes, files, and the NULLs of columns where all files tell.
pub fn quality(snapshot: &Snapshot) -> Facet {
    let nulls =
        |column: &str| snapshot.files().iter().map(|file: &DataFile| file.null_count(column)).sum::<Option<u64>>();
    let columns: Map<String, Value> = snapshot
        .schema()
        .columns
        .iter()
        .filter_map(|column| Some((column.name.clone(), json!({ "nullCount": nulls(&column.name)? }))))
        .collect();
    let mut content = Map::new();
    content.extend(snapshot.rows().map(|rows| ("rowCount".to_owned(), json!(rows))));
    content.insert("bytes".into(), json!(snapshot.bytes()));
    content.insert("fileCount".into(), json!(snapshot.files().len()));
    content.insert("columnMetrics".into(), Value::Object(columns));
    facet("dataQualityMetrics", "1-0-0/DataQualityMetricsDatasetFacet.json", Value::Object(content))
}

/// The rules of a contract, each with whether all rows of an input kept it; and what else rows were refused for.
pub fn assertions(events: &Events, refused: &Refusals) -> Facet {
    let mut rules: Refusals = BTreeMap::new();
    for property in &events.contract.properties {
        rules.insert((Some(property.name.clone()), "type".into()), 0);
        rules.extend(names(property).map(|rule| ((Some(property.name.clone()), rule.to_owned()), 0)));
    }
    rules.extend(refused.clone());
    let told = rules.iter().map(|((column, rule), rows)| {
        let mut assertion = Map::new();
        assertion.insert("assertion".into(), json!(rule));
        assertion.insert("success".into(), json!(*rows == 0));
        assertion.extend(column.as_ref().map(|column| ("column".to_owned(), json!(column))));
        assertion.insert("expected".into(), json!("0"));
        assertion.insert("actual".into(), json!(rows.to_string()));
        Value::Object(assertion)
    });
    let assertions: Vec<Value> = told.collect();
    let content = json!({ "assertions": assertions });
    facet("dataQualityAssertions", "1-1-0/DataQualityAssertionsDatasetFacet.json", content)
}

/// The rules of a property as the quarantine calls them, see docs/silver.md.
fn names(property: &Property) -> impl Iterator<Item = &'static str> {
    property.rules.iter().filter_map(|rule| match rule {
        Rule::Required => Some("required"),
        Rule::Minimum(_) => Some("minimum"),
        Rule::Maximum(_) => Some("maximum"),
        Rule::ExclusiveMinimum(_) => Some("exclusiveMinimum"),
        Rule::ExclusiveMaximum(_) => Some("exclusiveMaximum"),
        Rule::MinLength(_) => Some("minLength"),
        Rule::MaxLength(_) => Some("maxLength"),
        Rule::Pattern(_) => Some("pattern"),
        Rule::ValidValues(_) => Some("validValues"),
        Rule::AllowNan => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_named_as_the_conventions_have_it() {
        let named = |uri| {
            let (namespace, name) = place(uri);
            format!("{namespace} {name}")
        };
        assert_eq!(named("/srv/lake/"), "file /srv/lake");
        assert_eq!(named("file:///srv/lake"), "file /srv/lake");
        assert_eq!(named("s3://bucket/a/b"), "s3://bucket a/b");
        assert_eq!(named("s3://bucket"), "s3://bucket ");
        assert_eq!(named("https://user:secret@host/a?sig=x"), "https://host a");
        let azure = "abfss://container@account.dfs.core.windows.net/a";
        assert_eq!(named(azure), "abfss://container@account.dfs.core.windows.net a");
    }
}
