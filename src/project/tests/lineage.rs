use super::*;
use crate::name::TableName;

/// `column <- table.column, …`, in the order of names.
fn lineage(project: &Project, table: &str) -> Vec<String> {
    let table: TableName = table.parse().unwrap();
    let origins = |from: &std::collections::BTreeSet<(TableName, String)>| {
        from.iter().map(|(table, column)| format!("{table}.{column}")).collect::<Vec<_>>().join(", ")
    };
    project.column_lineage(&table).iter().map(|(column, from)| format!("{column} <- {}", origins(from))).collect()
}

#[test]
fn columns_of_silver_come_from_those_of_bronze() {
    let project = good(&[]);
    assert_eq!(
        lineage(&project, "silver.orders"),
        [
            "order_id <- bronze.orders.order_id",
            "quantity <- bronze.orders.quantity",
            "status <- bronze.orders.status",
            "total <- bronze.orders.quantity, bronze.orders.unit_price",
            "unit_price <- bronze.orders.unit_price",
            "updated_at <- bronze.orders.updated_at",
        ]
    );
    assert!(lineage(&project, "bronze.orders").is_empty());
    let documents = edited("layers/bronze/orders.yaml", "format: csv", "format: ndjson");
    let project = good(&[("layers/bronze/orders.yaml", &documents)]);
    assert_eq!(lineage(&project, "silver.orders")[0], "order_id <- bronze.orders.value");
}

#[test]
fn each_verb_hands_on_what_its_columns_are_computed_from() {
    let steps = "from: silver.orders
key: order_id
steps:
  - where: updated_at IS NOT NULL
  - derive: { worth: total * 2, status: upper(status) }
  - join: { with: silver.big, on: order_id, how: left, columns: { big: quantity } }
  - rank: { by: [worth desc], within: [status], as: place }
  - select: { order_id: order_id, worth: \"CAST(coalesce(worth, big) AS decimal(38, 2))\", place: place, always: \"'1'\" }
  - union: silver.same
";
    let same = "from: silver.orders
key: order_id
steps:
  - select: { order_id: order_id, worth: \"CAST(total * 2 AS decimal(38, 2))\", place: \"CAST(quantity AS bigint)\", always: status }
";
    let files = [("layers/silver/made.yaml", steps), ("layers/silver/same.yaml", same)];
    let project = good(&files);
    assert_eq!(
        lineage(&project, "silver.made"),
        [
            "always <- silver.same.always",
            "order_id <- silver.orders.order_id, silver.same.order_id",
            "place <- silver.orders.status, silver.orders.total, silver.same.place",
            "worth <- silver.big.quantity, silver.orders.total, silver.same.worth",
        ]
    );
    assert_eq!(
        lineage(&project, "gold.sums"),
        ["orders <- ", "revenue <- silver.orders.total", "status <- silver.orders.status"]
    );
}
