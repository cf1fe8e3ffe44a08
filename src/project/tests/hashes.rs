use super::*;
use crate::name::{Layer, TableName};
use crate::project::definition_hash;

fn name(layer: Layer, name: &str) -> TableName {
    TableName { layer, name: name.to_owned() }
}

/// silver.orders, gold.sums
fn hashes(changes: &[(&str, &str)]) -> (String, String) {
    let project = good(changes);
    (definition_hash(&project, &name(Layer::Silver, "orders")), definition_hash(&project, &name(Layer::Gold, "sums")))
}

fn changed(path: &str, from: &str, to: &str) -> (String, String) {
    hashes(&[(path, &edited(path, from, to))])
}

#[test]
fn what_changes_no_row_keeps_the_hash() {
    let before = hashes(&[]);
    assert_eq!(before.0.len(), 64);
    assert_ne!(before.0, before.1);
    let silver = "layers/silver/orders.yaml";
    for (path, from, to) in [
        (
            silver,
            "from:",
            "# a remark\nowner: other\ndescription: other\non_change: forward_only\nevent_time: updated_at\nfrom:",
        ),
        (silver, "from:", "optimize: { auto: off, z_order: [status, order_id] }\nfrom:"),
        (silver, "key: [order_id]", "key:   order_id   # the same"),
        (silver, "quantity * unit_price", "quantity*unit_price"),
        ("schemas/orders.odcs.yaml", "id: orders\n", "id: other\nteam: { name: us }\n"),
        ("schemas/orders.odcs.yaml", "- name: status\n", "- name: status\n        description: where it is\n"),
        ("lakesmith.yaml", "lake: ./lake", "lake: ./elsewhere"),
        ("layers/gold/sums.yaml", "from:", "owner: us\nfrom:"),
        ("layers/bronze/orders.yaml", "format: csv", "format: csv\n  settle: 5m"),
    ] {
        assert_eq!(changed(path, from, to), before, "{path}: {to}");
    }
}

#[test]
fn what_changes_rows_changes_the_hash() {
    let before = hashes(&[]);
    let silver = "layers/silver/orders.yaml";
    let contract = "schemas/orders.odcs.yaml";
    let property = "- name: status\n        logicalType: string\n";
    for (path, from, to) in [
        (silver, "latest_by: [updated_at]", "latest_by: [updated_at, status]"),
        (silver, "key: [order_id]", "key: [order_id, status]"),
        (silver, "key:", "partition_by: status\nkey:"),
        (silver, "quantity * unit_price", "quantity * unit_price * 2"),
        (silver, "steps:", "columns: { status: upper(status) }\nsteps:"),
        (silver, "  - derive", "  - where: quantity > 0\n  - derive"),
        (contract, property, &format!("{property}        required: true\n")),
        (contract, property, &format!("{property}        logicalTypeOptions: {{ maxLength: 5 }}\n")),
        (contract, "physicalType: decimal(10,2)", "physicalType: decimal(12,2)"),
        ("lakesmith.yaml", "name:", "timezone: Europe/Paris\nname:"),
        ("layers/bronze/orders.yaml", "format: csv", "format: csv\n  csv: { null_values: [NA] }"),
    ] {
        assert_ne!(changed(path, from, to).0, before.0, "{path}: {to}");
    }
    assert_ne!(changed("layers/gold/sums.yaml", "count(*)", "count(status)").1, before.1);
    assert_ne!(changed("lakesmith.yaml", "name:", "timezone: Europe/Paris\nname:").1, before.1);
}

#[test]
fn the_hash_does_not_depend_on_landing_files() {
    let before = hashes(&[]);
    assert_eq!(hashes(&[("landing/orders/1.csv", "")]), before);
    let expression = edited("layers/silver/orders.yaml", "steps:", "columns: { status: upper(trim(status)) }\nsteps:");
    let silver = ("layers/silver/orders.yaml", expression.as_str());
    assert_eq!(hashes(&[silver]), hashes(&[silver, ("landing/orders/1.csv", "")]));
}

#[test]
fn bronze_has_no_hash() {
    assert_eq!(definition_hash(&good(&[]), &name(Layer::Bronze, "orders")), "");
}
