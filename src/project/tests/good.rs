use std::path::Path;

use super::*;
use crate::expr::Type;
use crate::name::{Layer, TableName};
use crate::project::{ChangedFiles, Definition, Derived, Events, Format, OnChange, SameContent, init};

fn events(project: &Project, name: &str) -> Events {
    let name = TableName { layer: Layer::Silver, name: name.to_owned() };
    let Definition::Silver(events) = &project.tables[&name].definition else { panic!("{name} reads no bronze") };
    (**events).clone()
}

fn derived(project: &Project, layer: Layer, name: &str) -> Derived {
    let name = TableName { layer, name: name.to_owned() };
    let Definition::Gold(derived) = &project.tables[&name].definition else { panic!("{name} reads bronze") };
    (**derived).clone()
}

fn order(project: &Project) -> Vec<String> {
    project.order.iter().map(ToString::to_string).collect()
}

#[test]
fn the_small_project_means_what_it_says() {
    let project = good(&[]);
    assert_eq!(shown(&project.warnings), Vec::<String>::new());
    assert_eq!(order(&project), ["bronze.orders", "silver.orders", "silver.big", "gold.sums"]);
    let orders = events(&project, "orders");
    let taken: Vec<&str> = orders.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(taken, ["order_id", "status", "quantity", "unit_price", "updated_at"]);
    let output: Vec<String> = orders.output.iter().map(|c| format!("{} {}", c.name, c.ty)).collect();
    assert_eq!(output[..2], ["order_id bigint", "status string"]);
    assert!(output[5].starts_with("total decimal("), "{output:?}");
    assert_eq!((orders.key, orders.latest_by), (vec!["order_id".to_owned()], vec!["updated_at".to_owned()]));
    assert_eq!(derived(&project, Layer::Gold, "sums").key, ["status"]);
    assert_eq!(derived(&project, Layer::Silver, "big").key, ["order_id"]);
}

#[test]
fn every_key_is_read() {
    let project = good(&[
        (
            "layers/bronze/orders.yaml",
            "owner: us
description: what comes
source:
  path: orders/**/*.csv
  format: csv
  csv: { delimiter: ';', quote: null, header: false, encoding: windows-1252, null_values: [NA, 0] }
  changed_files: new_version
  same_content: skip
  settle: 2m
",
        ),
        (
            "layers/silver/orders.yaml",
            "owner: them
description: what is
from: [bronze.orders]
contract: schemas/orders.odcs.yaml
columns:
  order_id: column_1
  status: column_2
  quantity: column_3
  unit_price: column_4
  updated_at: column_5
key: order_id
latest_by: updated_at
event_time: updated_at
partition_by: [status]
on_change: forward_only
steps:
  - select: { order_id: order_id, status: status, quantity: quantity, total: quantity * unit_price, updated_at: updated_at }
",
        ),
        ("landing/orders/1.csv", "1;open;2;3;2026-01-01"),
    ]);
    let bronze = &project.tables[&project.order[0]];
    assert_eq!((bronze.owner.as_deref(), bronze.description.as_deref()), (Some("us"), Some("what comes")));
    let Definition::Bronze(source) = &bronze.definition else { panic!() };
    let Format::Csv(csv) = &source.format else { panic!() };
    assert_eq!((csv.delimiter, csv.quote, csv.header, csv.encoding.as_str()), (b';', None, false, "windows-1252"));
    assert_eq!(csv.null_values, ["NA", "0"]);
    assert_eq!((source.changed_files, source.same_content), (ChangedFiles::NewVersion, SameContent::Skip));
    assert_eq!(source.settle.as_secs(), 120);
    let orders = events(&project, "orders");
    assert_eq!(orders.null_values, [["NA", "0"]]);
    assert_eq!((orders.event_time.as_deref(), orders.on_change), (Some("updated_at"), OnChange::ForwardOnly));
    assert_eq!(orders.partition_by, ["status"]);
    assert!(orders.columns.iter().all(|column| column.expr.as_ref().unwrap().ty() == &column.ty));
}

#[test]
fn a_group_key_that_a_later_step_changes_is_no_key() {
    let gold = |steps: &str| {
        let text = format!(
            "from: silver.orders\nsteps:\n  - group_by: [status]\n    aggregate: {{ orders: count(*) }}\n{steps}"
        );
        derived(&good(&[("layers/gold/sums.yaml", &text)]), Layer::Gold, "sums").key
    };
    assert_eq!(gold("  - select: [orders, status]\n"), ["status"]);
    assert_eq!(gold("  - derive: { orders: orders + 1 }\n"), ["status"]);
    assert_eq!(gold("  - select: [orders]\n"), Vec::<String>::new());
    assert_eq!(gold("  - derive: { status: upper(status) }\n"), Vec::<String>::new());
    assert_eq!(gold("  - derive: { status: upper(status) }\nkey: status\n"), ["status"]);
    assert_eq!(gold("key: status\n"), ["status"]);
}

#[test]
fn a_property_that_a_step_makes_does_not_come_from_the_file() {
    let contract =
        format!("{}      - {{ name: total, logicalType: number, physicalType: 'decimal(14,2)' }}\n", SHOP[5].1);
    let orders = events(&good(&[("schemas/orders.odcs.yaml", &contract)]), "orders");
    assert!(orders.columns.iter().all(|column| column.name != "total"));
    assert_eq!(orders.output.last().unwrap().ty, Type::Decimal { precision: 14, scale: 2 });
}

#[test]
fn a_property_that_a_step_reads_and_replaces_comes_from_the_file() {
    let text = edited("layers/silver/orders.yaml", "total: quantity * unit_price", "status: upper(status)");
    let sums = edited("layers/gold/sums.yaml", ", revenue: sum(total)", "");
    let orders = events(&good(&[("layers/silver/orders.yaml", &text), ("layers/gold/sums.yaml", &sums)]), "orders");
    assert!(orders.columns.iter().any(|column| column.name == "status"));
}

#[test]
fn the_project_of_init_is_right_and_overwrites_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("shop");
    let files = init(&root).unwrap();
    assert!(files.iter().all(|file| root.join(file).is_file()) && root.join(".gitignore").is_file());
    let project = loaded(&root).map_err(|faults| shown(&faults)).unwrap();
    assert_eq!(shown(&project.warnings), Vec::<String>::new());
    assert_eq!(
        order(&project),
        ["bronze.customers", "bronze.orders", "silver.customers", "silver.orders", "gold.daily_revenue"]
    );
    assert_eq!(derived(&project, Layer::Gold, "daily_revenue").key, ["order_date", "region"]);
    assert_eq!(project.tables[&project.order[3]].owner.as_deref(), Some("orders-team"));
    let again = init(&root).unwrap_err().to_string();
    assert!(again.contains("lakesmith.yaml` is there already"), "{again}");
    assert_eq!(fs::read_to_string(root.join("layers/bronze/orders.yaml")).unwrap().lines().count(), 4);
}

#[test]
fn init_leaves_a_gitignore_and_files_of_its_user_alone() {
    let dir = written(&[(".gitignore", "mine\n")]);
    init(dir.path()).unwrap();
    assert_eq!(fs::read_to_string(dir.path().join(".gitignore")).unwrap(), "mine\n");
    let dir = written(&[("schemas/orders.odcs.yaml", "mine\n")]);
    assert!(init(dir.path()).is_err());
    assert!(!dir.path().join("lakesmith.yaml").exists());
}

#[test]
fn the_sample_project_is_right() {
    let project = loaded(Path::new(env!("CARGO_MANIFEST_DIR"))).map_err(|faults| shown(&faults)).unwrap();
    assert_eq!(derived(&project, Layer::Gold, "customer_lifetime_value").key, ["customer_id"]);
    assert_eq!(derived(&project, Layer::Gold, "customers_without_orders").key, ["customer_id"]);
}

#[test]
fn the_project_of_the_bench_is_right() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/lineitem");
    let nowhere = |name: &str| (name == "BENCH_FOLDER").then(|| "/nowhere".to_owned());
    load_with(&root, None, &first_lines, &nowhere).map_err(|faults| shown(&faults)).unwrap();
}
