use std::cell::Cell;

use super::*;
use crate::name::{Layer, TableName};
use crate::project::load::check;
use crate::project::{Known, definition_hash};

const SILVER: &str = "layers/silver/orders.yaml";

/// The small project over Parquet, with an expression over one of its columns.
fn over_parquet(sql: &str) -> TempDir {
    let silver = edited(SILVER, "steps:", &format!("columns: {{ status: {sql} }}\nsteps:"));
    let bronze = edited("layers/bronze/orders.yaml", "format: csv", "format: parquet");
    shop(&[(SILVER, &silver), ("layers/bronze/orders.yaml", &bronze)])
}

fn parquet_columns() -> Columns {
    vec![
        Column::new("order_id", Type::Int),
        Column::new("state", Type::SmallInt),
        Column::new("quantity", Type::Int),
        Column::new("unit_price", Type::Double),
        Column::new("updated_at", Type::Timestamp),
    ]
}

fn silver_hash(root: &Path, known: Known) -> String {
    let project = load_with(root, None, known, &|_| None).map_err(|faults| shown(&faults)).unwrap();
    definition_hash(&project, &TableName { layer: Layer::Silver, name: "orders".to_owned() })
}

#[test]
fn a_column_that_no_file_has_is_a_fault_with_a_hint() {
    assert_eq!(
        faults(&[("landing/orders/1.csv", "order_id,state,quantity,unit_price,updated\n")]),
        [
            "schemas/orders.odcs.yaml:13:15 `bronze.orders` has no column `status` | did you mean `state`; or say where it comes from, e.g. `columns: { status: … }`",
            "schemas/orders.odcs.yaml:21:15 `bronze.orders` has no column `updated_at` | did you mean `updated`; or say where it comes from, e.g. `columns: { updated_at: … }`",
        ]
    );
}

#[test]
fn without_known_columns_there_is_a_warning_and_text_is_taken_on_trust() {
    let silver = edited(SILVER, "steps:", "columns: { status: lower(\"the state\") }\nsteps:");
    let project = good(&[("landing/orders/1.csv", ""), (SILVER, &silver)]);
    assert_eq!(
        shown(&project.warnings),
        [
            "layers/silver/orders.yaml:1:7 the columns of `bronze.orders` could not be checked | no file in the landing folder matches `orders/*.csv`"
        ]
    );
}

#[test]
fn an_expression_over_unknown_types_cannot_be_run_but_the_rest_can_be_checked() {
    let dir = over_parquet("upper(state)");
    let found = shown(&loaded(dir.path()).map(|project| project.order).unwrap_err());
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("layers/silver/orders.yaml:5:20 no file is there yet"), "{found:?}");
    let checked = check(dir.path(), None, &first_lines).map_err(|faults| shown(&faults)).unwrap();
    let warnings = shown(&checked.warnings);
    assert_eq!((checked.name.as_str(), checked.environment.as_str(), checked.order.len()), ("shop", "dev", 4));
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(warnings[1].starts_with("layers/silver/orders.yaml:5:20 this expression was not checked"), "{warnings:?}");
    write(dir.path(), "layers/gold/sums.yaml", "from: silver.orders\nsteps:\n  - where: totl > 1\n");
    let found = shown(&check(dir.path(), None, &first_lines).map(|checked| checked.order).unwrap_err());
    assert!(found.len() == 1 && found[0].contains("did you mean `total`"), "{found:?}");
}

#[test]
fn expressions_see_the_columns_of_every_source() {
    let silver = |sql: &str| {
        let text = edited(SILVER, "from: bronze.orders", "from: [bronze.orders, bronze.old]");
        text.replace("steps:", &format!("columns: {{ status: {sql} }}\nsteps:"))
    };
    let project = |sql: &str| {
        let dir = shop(&[
            (SILVER, &silver(sql)),
            ("layers/bronze/old.yaml", "source: { path: old/*.csv, format: csv }\n"),
            ("landing/old/1.csv", "order_id,state,quantity,unit_price,updated_at,only_old\n"),
        ]);
        loaded(dir.path()).map_err(|faults| shown(&faults))
    };
    let found = project("only_old").unwrap_err();
    assert!(found[0].starts_with("layers/silver/orders.yaml:5:20 ") && found[0].contains("only_old"), "{found:?}");
    project("concat_free").unwrap_err();
    project("_source_file").unwrap();
}

#[test]
fn only_sources_that_are_read_are_asked_for_and_each_once() {
    let again = edited(SILVER, "key: [order_id]", "key: [status]");
    let dir = shop(&[
        ("layers/silver/again.yaml", &again),
        ("layers/bronze/unread.yaml", "source: { path: unread/*.csv, format: csv }\n"),
    ]);
    let asked = Cell::new(0);
    let known = |question: &Question| {
        asked.set(asked.get() + 1);
        assert_eq!(question.table.name, "orders");
        first_lines(question)
    };
    load_with(dir.path(), None, &known, &|_| None).map_err(|faults| shown(&faults)).unwrap();
    assert_eq!(asked.get(), 1);
}

#[test]
fn columns_are_enough_if_all_that_is_read_is_among_them() {
    let enough = |sql: &str, columns: &Columns| {
        let found = Cell::new(None);
        let known = |question: &Question| {
            found.set(Some((question.enough)(columns)));
            Some(columns.clone())
        };
        let _ = load_with(over_parquet(sql).path(), None, &known, &|_| None);
        found.get().unwrap()
    };
    let columns = parquet_columns();
    assert!(enough("cast(state as string)", &columns));
    assert!(enough("_source_file", &columns));
    assert!(!enough("cast(status as string)", &columns));
    assert!(!enough("cast(state as string)", &columns[..4].to_vec()));
}

#[test]
fn the_types_of_the_columns_that_an_expression_reads_are_part_of_the_definition() {
    let dir = over_parquet("cast(state + 1 as string)");
    let columns = parquet_columns();
    let hash = silver_hash(dir.path(), &|_| Some(columns.clone()));
    let mut more = columns.clone();
    more.insert(0, Column::new("unread", Type::Date));
    assert_eq!(silver_hash(dir.path(), &|_| Some(more.clone())), hash);
    let mut wider = columns.clone();
    wider[1].ty = Type::BigInt;
    assert_ne!(silver_hash(dir.path(), &|_| Some(wider.clone())), hash);
}
