//! The project whose promises are put to the test, in its variants.

use super::history::Variant;
use crate::support::Project;

/// Every table, with the columns by which it is compared: all but lineage.
pub fn tables(variant: Variant) -> Vec<(&'static str, &'static [&'static str])> {
    let mut tables: Vec<(&str, &[&str])> = vec![
        ("silver/orders", &ORDERS),
        ("silver/visits", &VISITS),
        ("silver/customers", &CUSTOMERS),
        ("gold/by_region", &BY_REGION),
        ("gold/by_customer", &BY_CUSTOMER),
        ("gold/regulars", &REGULARS),
        ("gold/ranking", &RANKING),
        ("gold/open", &OPEN),
        ("quarantine/orders", &QUARANTINE),
        ("quarantine/visits", &QUARANTINE),
        ("quarantine/customers", &QUARANTINE),
    ];
    // A partitioned gold table too, lest only silver's merge is put to the test.
    if variant.partitioned {
        tables.push(("gold/by_status", &BY_STATUS));
    }
    tables
}

pub const ORDERS: [&str; 9] =
    ["order_id", "customer_id", "quantity", "price", "weight", "status", "updated_at", "total", "unit_weight"];
pub const VISITS: [&str; 3] = ["order_id", "customer_id", "updated_at"];
pub const CUSTOMERS: [&str; 3] = ["customer_id", "region", "seen"];
pub const BY_REGION: [&str; 7] = ["region", "day", "orders", "revenue", "weight", "buyers", "latest"];
pub const BY_CUSTOMER: [&str; 4] = ["customer_id", "orders", "spent", "region"];
pub const REGULARS: [&str; 3] = ["customer_id", "orders", "unit_weight"];
pub const RANKING: [&str; 3] = ["customer_id", "spent", "position"];
pub const OPEN: [&str; 3] = ["customer_id", "total", "region"];
pub const BY_STATUS: [&str; 4] = ["status", "orders", "spent", "measured"];
pub const QUARANTINE: [&str; 5] = ["_source_table", "_source_file", "_source_row", "_reasons", "_row"];

/// Writes the project.
pub fn write(variant: Variant) -> Project {
    let project = Project::empty();
    project.write(
        "lakesmith.yaml",
        "name: promises\nenvironment: dev\nenvironments:\n  dev: { lake: ./lake, landing: ./landing }\n",
    );
    for folder in ["web", "shop", "customers"] {
        std::fs::create_dir_all(project.path("landing").join(folder)).unwrap();
    }
    project.write("layers/bronze/web.yaml", "source: { path: 'web/*.csv', format: csv }\n");
    let customers = if variant.ndjson { "ndjson" } else { "csv" };
    let source = format!("source: {{ path: 'customers/*.{customers}', format: {customers} }}\n");
    project.write("layers/bronze/customers.yaml", source);
    let mut from = "bronze.web";
    if variant.two_sources {
        project.write("layers/bronze/shop.yaml", SHOP);
        from = "[bronze.shop, bronze.web]";
    }
    let partitions = if variant.partitioned { "partition_by: [customer_id]\n" } else { "" };
    project.write("schemas/orders.odcs.yaml", ORDERS_CONTRACT);
    project.write("schemas/customers.odcs.yaml", CUSTOMERS_CONTRACT);
    project.write("layers/silver/orders.yaml", format!("from: {from}\n{partitions}{ORDERS_YAML}"));
    project.write("layers/silver/visits.yaml", format!("from: {from}\n{VISITS_YAML}"));
    project.write("layers/silver/customers.yaml", CUSTOMERS_YAML);
    for (name, yaml) in GOLD {
        project.write(&format!("layers/gold/{name}.yaml"), yaml);
    }
    if variant.partitioned {
        project.write("layers/gold/by_status.yaml", BY_STATUS_YAML);
    }
    project
}

const SHOP: &str = "source:
  path: 'shop/*.csv'
  format: csv
  csv: { delimiter: ';', null_values: [NA] }
";

const ORDERS_YAML: &str = "contract: schemas/orders.odcs.yaml
key: [order_id]
latest_by: [updated_at]
event_time: updated_at
steps:
  - where: status <> 'test'
  - derive: { total: quantity * price, unit_weight: weight / quantity }
";

const VISITS_YAML: &str = "contract: schemas/orders.odcs.yaml
steps:
  - select: [order_id, customer_id, updated_at]
";

const CUSTOMERS_YAML: &str = "from: bronze.customers
contract: schemas/customers.odcs.yaml
key: [customer_id]
latest_by: [seen]
";

const GOLD: [(&str, &str); 5] = [
    (
        "by_region",
        "from: silver.orders
steps:
  - join: { with: silver.customers, on: customer_id, how: left, columns: [region] }
  - group_by: { region: region, day: \"date_trunc('day', updated_at)\" }
    aggregate:
      orders: count(*)
      revenue: sum(total)
      weight: sum(weight)
      buyers: count(distinct customer_id)
      latest: max(updated_at)
",
    ),
    (
        "by_customer",
        "from: silver.orders
steps:
  - group_by: [customer_id]
    aggregate: { orders: count(*), spent: sum(total) }
  - join: { with: silver.customers, on: customer_id, how: left, columns: [region] }
",
    ),
    (
        "regulars",
        "from: silver.orders
steps:
  - where: status = 'open'
  - group_by: [customer_id]
    aggregate: { orders: count(*), unit_weight: sum(unit_weight) }
  - having: orders >= 2
",
    ),
    (
        "ranking",
        "from: gold.by_customer
key: [customer_id]
steps:
  - rank: { by: [spent desc], as: position }
  - select: [customer_id, spent, position]
",
    ),
    (
        "open",
        "from: silver.orders
steps:
  - where: status = 'open'
  - join: { with: silver.customers, on: customer_id, columns: [region] }
  - select: [customer_id, total, region]
",
    ),
];

const BY_STATUS_YAML: &str = "from: silver.orders
partition_by: [status]
steps:
  - group_by: [status]
    aggregate: { orders: count(*), spent: sum(total), measured: count(weight) }
";

const ORDERS_CONTRACT: &str = "apiVersion: v3.1.0
kind: DataContract
id: orders
version: 1.0.0
status: active
schema:
  - name: orders
    properties:
      - { name: order_id, logicalType: integer, required: true }
      - { name: customer_id, logicalType: string }
      - { name: quantity, logicalType: integer, physicalType: int, logicalTypeOptions: { minimum: 0 } }
      - { name: price, logicalType: number, physicalType: 'decimal(10,2)' }
      - { name: weight, logicalType: number, physicalType: double }
      - { name: status, logicalType: string }
      - { name: updated_at, logicalType: timestamp }
";

const CUSTOMERS_CONTRACT: &str = "apiVersion: v3.1.0
kind: DataContract
id: customers
version: 1.0.0
status: active
schema:
  - name: customers
    properties:
      - { name: customer_id, logicalType: string, required: true }
      - { name: region, logicalType: string }
      - { name: seen, logicalType: timestamp }
";
