//! Whole projects, good and bad.

mod contracts;
mod expressions;
mod good;
mod hashes;
mod known;
mod lineage;
mod random;
mod selection;
mod settings;
mod tables;
mod yaml;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::load::load_with;
use super::{Fault, Format, Project, Question};
use crate::expr::{Column, Columns, Type};

/// A small project without a fault.
const SHOP: [(&str, &str); 7] = [
    (
        "lakesmith.yaml",
        "name: shop
environment: dev
environments:
  dev: { lake: ./lake, landing: ./landing }
",
    ),
    (
        "layers/bronze/orders.yaml",
        "source:
  path: orders/*.csv
  format: csv
",
    ),
    (
        "layers/silver/orders.yaml",
        "from: bronze.orders
contract: schemas/orders.odcs.yaml
key: [order_id]
latest_by: [updated_at]
steps:
  - derive: { total: quantity * unit_price }
",
    ),
    (
        "layers/silver/big.yaml",
        "from: silver.orders
key: order_id
steps:
  - where: quantity > 10
",
    ),
    (
        "layers/gold/sums.yaml",
        "from: silver.orders
steps:
  - group_by: [status]
    aggregate: { orders: count(*), revenue: sum(total) }
",
    ),
    (
        "schemas/orders.odcs.yaml",
        "apiVersion: v3.1.0
kind: DataContract
id: orders
version: 1.0.0
status: active
schema:
  - name: orders
    logicalType: object
    properties:
      - name: order_id
        logicalType: integer
        required: true
      - name: status
        logicalType: string
      - name: quantity
        logicalType: integer
        physicalType: int
      - name: unit_price
        logicalType: number
        physicalType: decimal(10,2)
      - name: updated_at
        logicalType: timestamp
",
    ),
    ("landing/orders/1.csv", "order_id,status,quantity,unit_price,updated_at\n"),
];

/// Writes files into a new directory.
fn written(files: &[(&str, &str)]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (path, text) in files {
        write(dir.path(), path, text);
    }
    dir
}

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// The small project with some files changed; an empty text takes a file out.
fn shop(changes: &[(&str, &str)]) -> TempDir {
    let mut files: BTreeMap<&str, &str> = SHOP.into_iter().collect();
    files.extend(changes.iter().copied());
    let files: Vec<(&str, &str)> = files.into_iter().filter(|(_, text)| !text.is_empty()).collect();
    written(&files)
}

/// Stands in for bronze: a CSV source has the fields of the first lines of the files in `landing/TABLE`.
fn first_lines(question: &Question) -> Option<Columns> {
    let options = match &question.source.format {
        Format::Csv(options) => options,
        Format::Ndjson => return Some(vec![Column::new("value", Type::String)]),
        Format::Parquet => return None,
    };
    let folder = Path::new(&question.environment.landing).join(&question.table.name);
    let mut columns: Option<Columns> = None;
    for file in fs::read_dir(folder).into_iter().flatten() {
        let Ok(text) = fs::read_to_string(file.unwrap().path()) else { continue };
        let known = columns.get_or_insert_default();
        for (at, field) in text.lines().next().unwrap_or_default().split(char::from(options.delimiter)).enumerate() {
            let name = if options.header { field.to_owned() } else { format!("column_{}", at + 1) };
            if known.iter().all(|column| column.name != name) {
                known.push(Column::new(name, Type::String));
            }
        }
    }
    columns
}

/// Loads without any variable in the environment.
fn loaded(root: &Path) -> Result<Project, Vec<Fault>> {
    load_with(root, None, &first_lines, &|_| None)
}

/// The small project, changed and right.
fn good(changes: &[(&str, &str)]) -> Project {
    loaded(shop(changes).path()).map_err(|faults| shown(&faults)).unwrap()
}

/// The faults of the small project, changed.
fn faults(changes: &[(&str, &str)]) -> Vec<String> {
    shown(&loaded(shop(changes).path()).map(|project| project.order).unwrap_err())
}

/// One file of the small project with one piece of text replaced.
fn edited(path: &str, from: &str, to: &str) -> String {
    let (_, text) = SHOP.into_iter().find(|(p, _)| *p == path).unwrap();
    assert!(text.contains(from), "`{path}` has no `{from}`");
    text.replace(from, to)
}

/// Changes one file of the small project; the faults that come of it.
fn faults_of(path: &str, from: &str, to: &str) -> Vec<String> {
    faults(&[(path, &edited(path, from, to))])
}

/// `file:line:column message | hint`
fn shown(faults: &[Fault]) -> Vec<String> {
    faults
        .iter()
        .map(|f| {
            let hint = f.hint.as_ref().map(|hint| format!(" | {hint}")).unwrap_or_default();
            format!("{}:{}:{} {}{hint}", f.file.display(), f.line, f.column, f.message)
        })
        .collect()
}
