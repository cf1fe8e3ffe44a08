use super::*;

#[test]
fn what_is_no_table_under_layers_is_a_fault() {
    assert_eq!(
        faults(&[
            ("layers/README.md", "notes"),
            ("layers/bronze/.hidden", "x"),
            ("layers/silvr/orders.yaml", "x"),
            ("layers/gold/sums.sql", "x"),
            ("layers/gold/more/deep.yaml", "x"),
            ("layers/gold/sums.yml", "from: silver.orders\n"),
            ("layers/gold/Daily.yaml", "from: silver.orders\n"),
            ("layers/gold/quarantine.yaml", "from: silver.orders\n"),
        ]),
        [
            "layers/gold/Daily.yaml:1:1 `Daily` cannot be the name of a table | lower-case letters, digits and `_`, a letter first, at most 63",
            "layers/gold/more:1:1 `layers/gold/more` defines no table | a table is one file, e.g. `layers/silver/orders.yaml`; notes may end in `.md`",
            "layers/gold/quarantine.yaml:1:1 `quarantine` cannot be the name of a table | lakesmith keeps this name for itself",
            "layers/gold/sums.sql:1:1 `layers/gold/sums.sql` defines no table | a table is one file, e.g. `layers/silver/orders.yaml`; notes may end in `.md`",
            "layers/gold/sums.yml:1:1 `gold.sums` is defined twice | `layers/gold/sums.yaml` defines it too; remove one of them",
            "layers/silvr:1:1 `silvr` is no layer | did you mean `silver`?",
        ]
    );
}

#[test]
fn a_project_without_tables_is_a_fault() {
    let dir = written(&[SHOP[0]]);
    assert_eq!(
        shown(&loaded(dir.path()).map(|p| p.order).unwrap_err()),
        [
            "layers:1:1 the project has no folder `layers` | tables are defined in `layers/bronze`, `layers/silver` and `layers/gold`"
        ]
    );
    fs::create_dir(dir.path().join("layers")).unwrap();
    let found = shown(&loaded(dir.path()).map(|p| p.order).unwrap_err());
    assert!(found[0].starts_with("layers:1:1 the project has no tables | "), "{found:?}");
}

#[test]
fn all_faults_of_a_source_are_told() {
    let text = "ownr: us
source:
  path: ../orders/[a.csv
  format: cvs
  csv: { delimiter: ';;', quote: ü, header: maybe, encoding: utf8000, null_value: [] }
  changed_files: rejct
  same_content: keep
  settle: soon
";
    assert_eq!(
        faults(&[("layers/bronze/orders.yaml", text)]),
        [
            "layers/bronze/orders.yaml:1:1 `bronze.orders` has no key `ownr` | did you mean `owner`?",
            "layers/bronze/orders.yaml:3:9 `../orders/[a.csv` leads out of the landing folder | write it relative to `landing` of the environment",
            "layers/bronze/orders.yaml:4:11 `format` cannot be `cvs` | did you mean `csv`?",
            "layers/bronze/orders.yaml:5:21 `;;` cannot be the delimiter | one ASCII character, e.g. `\";\"`, or `\"\\t\"` for a tab",
            "layers/bronze/orders.yaml:5:34 `ü` cannot be the quote | one ASCII character, or null for files without quotes",
            "layers/bronze/orders.yaml:5:45 `header` must be true or false, but here is text",
            "layers/bronze/orders.yaml:5:62 `utf8000` is no known encoding | a WHATWG label such as `utf-8`, `windows-1252` or `utf-16le`",
            "layers/bronze/orders.yaml:5:71 `csv` has no key `null_value` | did you mean `null_values`?",
            "layers/bronze/orders.yaml:6:18 `changed_files` cannot be `rejct` | did you mean `reject`?",
            "layers/bronze/orders.yaml:7:17 `same_content` cannot be `keep` | one of: take, skip",
            "layers/bronze/orders.yaml:8:11 `settle` cannot be read | a whole number and s, m, h, d or w, e.g. `30s`",
        ]
        .map(|fault| fault.replace("`settle` cannot be read", "`soon` is no span of time"))
    );
    assert_eq!(
        faults_of("layers/bronze/orders.yaml", "format: csv", "format: ndjson\n  csv: {}"),
        ["layers/bronze/orders.yaml:4:3 `csv` describes files of `format: csv` only"]
    );
}

#[test]
fn references_must_lead_to_tables_of_the_right_layer() {
    assert_eq!(
        faults(&[
            ("layers/silver/orders.yaml", &edited("layers/silver/orders.yaml", "bronze.orders", "bronze.order")),
            ("layers/silver/big.yaml", "from: gold.sums\n"),
            ("layers/gold/sums.yaml", "from: bronze.orders\n"),
            ("layers/gold/other.yaml", "from: [silver.orders, silver.big]\nsteps:\n  - union: slver.big\n"),
            ("layers/gold/third.yaml", "from: orders\nsteps:\n  - join: { with: bronze.orders, on: order_id }\n"),
        ]),
        [
            "layers/gold/other.yaml:1:23 only a table that reads bronze can read several tables | begin with one table and add the other by `join` or `union`",
            "layers/gold/other.yaml:3:12 `slver.big` is no table's name | did you mean `silver.big`?",
            "layers/gold/sums.yaml:1:7 `gold.sums` reads `bronze.orders` | gold reads silver and gold; make a silver table of it first",
            "layers/gold/third.yaml:1:7 `orders` is no table's name | a layer, a dot and a name, e.g. `silver.orders`",
            "layers/gold/third.yaml:3:19 `gold.third` reads `bronze.orders` | gold reads silver and gold; make a silver table of it first",
            "layers/silver/big.yaml:1:7 `silver.big` reads `gold.sums` | silver reads bronze and silver; make this a gold table",
            "layers/silver/orders.yaml:1:7 `silver.orders` reads `bronze.order`, which is not defined | did you mean `bronze.orders`?",
        ]
    );
}

#[test]
fn a_cycle_is_one_fault_that_shows_the_path() {
    assert_eq!(
        faults(&[
            ("layers/silver/big.yaml", "from: silver.middle\n"),
            ("layers/silver/middle.yaml", "from: silver.small\n"),
            ("layers/silver/small.yaml", "from: silver.orders\nsteps:\n  - join: { with: silver.big, on: order_id }\n"),
        ]),
        [
            "layers/silver/big.yaml:1:7 the tables read one another: `silver.big` → `silver.middle` → `silver.small` → `silver.big` | a table cannot be made from itself; take one of these references out"
        ]
    );
    let found = faults(&[("layers/silver/big.yaml", "from: silver.big\n")]);
    assert_eq!(found.len(), 1);
    assert!(found[0].contains("`silver.big` → `silver.big`"), "{found:?}");
}

#[test]
fn what_fits_only_events_is_a_fault_elsewhere() {
    let text = "from: silver.orders\ncontract: schemas/orders.odcs.yaml\ncolumns: { a: b }\nlatest_by: [updated_at]\n";
    assert_eq!(
        faults(&[("layers/silver/big.yaml", text)]),
        [
            "layers/silver/big.yaml:2:1 `contract` stands only in a table that reads bronze | a contract judges events; give it to the silver table that reads bronze",
            "layers/silver/big.yaml:3:1 `columns` stands only in a table that reads bronze | name columns by a `select` or `derive` step",
            "layers/silver/big.yaml:4:1 `latest_by` stands only in a table that reads bronze | rows are chosen by key where events come in; here, use a `rank` step",
        ]
    );
}

#[test]
fn roles_need_columns_of_fitting_types() {
    let text = "from: bronze.orders
contract: schemas/orders.odcs.yaml
key: [ordr_id, unit_price, unit_price]
latest_by: [changed]
event_time: status
partition_by: [total]
on_change: keep
";
    assert_eq!(
        faults(&[("layers/silver/orders.yaml", text), ("layers/gold/sums.yaml", ""), ("layers/silver/big.yaml", "")]),
        [
            "layers/silver/orders.yaml:3:7 there is no column `ordr_id` | did you mean `order_id`?",
            "layers/silver/orders.yaml:3:28 `unit_price` stands twice in `key`",
            "layers/silver/orders.yaml:4:13 there is no column `changed` | the columns are: order_id, status, quantity, unit_price, updated_at",
            "layers/silver/orders.yaml:5:13 `status` of type string cannot stand in `event_time` | take a date or a timestamp",
            "layers/silver/orders.yaml:6:16 there is no column `total` | the columns are: order_id, status, quantity, unit_price, updated_at",
            "layers/silver/orders.yaml:7:12 `on_change` cannot be `keep` | one of: rebuild, forward_only",
        ]
    );
    let contract = edited("schemas/orders.odcs.yaml", "physicalType: decimal(10,2)", "physicalType: double");
    let silver = edited("layers/silver/orders.yaml", "key: [order_id]", "key: [unit_price]\npartition_by: total");
    assert_eq!(
        faults(&[("schemas/orders.odcs.yaml", &contract), ("layers/silver/orders.yaml", &silver)])[..2],
        [
            "layers/silver/orders.yaml:3:7 `unit_price` of type double cannot stand in `key` | a key is compared for equality; take text, integers, decimals or times",
            "layers/silver/orders.yaml:4:15 `total` of type double cannot stand in `partition_by` | each of its values becomes a folder",
        ]
    );
}

#[test]
fn new_versions_of_files_need_a_key_above_them() {
    let bronze = edited("layers/bronze/orders.yaml", "format: csv", "format: csv\n  changed_files: new_version");
    let silver = edited("layers/silver/orders.yaml", "key: [order_id]\n", "");
    let found = faults(&[("layers/bronze/orders.yaml", &bronze), ("layers/silver/orders.yaml", &silver)]);
    assert_eq!(
        found,
        [
            "layers/silver/orders.yaml:1:7 `silver.orders` has no `key`, but `bronze.orders` takes changed files in again: their rows would be there twice | give `silver.orders` a `key`, or set `changed_files: reject`",
            "layers/silver/orders.yaml:3:13 `latest_by` without a `key` chooses nothing | name the `key` of which the latest row stays",
        ]
    );
    good(&[("layers/bronze/orders.yaml", &bronze)]);
}

#[test]
fn the_sources_of_a_table_must_have_one_format() {
    assert_eq!(
        faults(&[
            ("layers/bronze/more.yaml", "source: { path: more/*.ndjson, format: ndjson }\n"),
            (
                "layers/silver/orders.yaml",
                &edited("layers/silver/orders.yaml", "from: bronze.orders", "from: [bronze.orders, bronze.more]")
            ),
        ]),
        [
            "layers/silver/orders.yaml:1:23 `bronze.orders` and `bronze.more` have files of different formats | make a silver table of each and `union` them"
        ]
    );
}

#[test]
fn a_key_that_is_not_the_groups_is_a_fault() {
    assert_eq!(
        faults_of("layers/gold/sums.yaml", "from: silver.orders", "from: silver.orders\nkey: orders"),
        ["layers/gold/sums.yaml:2:6 `key` is not what the last `group_by` groups by: status | leave `key` out"]
    );
}
