use super::*;
use crate::expr::Type;
use crate::project::{Definition, Property, Rule, definition_hash};

const FILE: &str = "schemas/orders.odcs.yaml";

/// The small project with one more property, which the source has.
fn with_property(property: &str) -> TempDir {
    let contract = format!("{}      - name: extra\n{property}", SHOP[5].1);
    shop(&[(FILE, &contract), ("landing/orders/1.csv", "order_id,status,quantity,unit_price,updated_at,extra\n")])
}

fn property(text: &str) -> (Property, Vec<String>) {
    let project = loaded(with_property(text).path()).map_err(|faults| shown(&faults)).unwrap();
    let Definition::Silver(orders) = &project.tables[&project.order[1]].definition else { panic!() };
    (orders.contract.properties.last().unwrap().clone(), shown(&project.warnings))
}

fn property_faults(text: &str) -> Vec<String> {
    let found = loaded(with_property(text).path()).map(|p| p.order).unwrap_err();
    shown(&found).into_iter().map(|fault| fault.strip_prefix("schemas/orders.odcs.yaml:").unwrap().to_owned()).collect()
}

#[test]
fn types_come_from_logical_and_physical_type() {
    let decimal = |precision, scale| Type::Decimal { precision, scale };
    let cases = [
        ("string", "", Type::String),
        ("integer", "tinyint", Type::TinyInt),
        ("integer", "SMALLINT", Type::SmallInt),
        ("integer", "int", Type::Int),
        ("integer", "bigint", Type::BigInt),
        ("integer", "", Type::BigInt),
        ("number", "\"decimal(12, 2)\"", decimal(12, 2)),
        ("number", "\"NUMERIC(38,0)\"", decimal(38, 0)),
        ("number", "double", Type::Double),
        ("number", "float", Type::Float),
        ("boolean", "", Type::Boolean),
        ("date", "", Type::Date),
        ("timestamp", "", Type::Timestamp),
    ];
    for (logical, physical, ty) in cases {
        let physical = if physical.is_empty() { String::new() } else { format!("        physicalType: {physical}\n") };
        let (found, warnings) = property(&format!("        logicalType: {logical}\n{physical}"));
        assert_eq!((found.ty, warnings), (ty, Vec::new()));
    }
}

#[test]
fn types_that_are_not_said_or_not_known_are_faults() {
    let fault = |text: &str| property_faults(&format!("        {text}\n"));
    assert_eq!(
        fault("logicalType: number"),
        [
            "24:22 a `number` needs a `physicalType` | `physicalType: decimal(12,2)` for exact values such as money, else `double`"
        ]
    );
    assert_eq!(
        fault("description: what?"),
        [
            "23:9 the property has no `logicalType` | one of: string, integer, number, boolean, date, timestamp, array, object"
        ]
    );
    assert_eq!(fault("logicalType: timestmp"), ["24:22 lakesmith has no type `timestmp` | did you mean `timestamp`?"]);
    for (logical, physical) in [
        ("number", "decimal"),
        ("number", "'decimal(39,2)'"),
        ("number", "'decimal(2,3)'"),
        ("number", "int"),
        ("integer", "int32"),
    ] {
        let found = fault(&format!("logicalType: {logical}\n        physicalType: {physical}"));
        assert!(
            found.len() == 1 && found[0].starts_with("25:23 ") && found[0].contains(" is no type of "),
            "{found:?}"
        );
    }
}

#[test]
fn rules_are_read_and_brought_to_one_form() {
    let rules = |text: &str| {
        let (found, warnings) = property(text);
        assert_eq!(warnings, Vec::<String>::new(), "{text}");
        found.rules
    };
    use Rule::*;
    assert_eq!(
        rules(
            "        logicalType: integer\n        required: true\n        logicalTypeOptions: { minimum: -5, exclusiveMaximum: 10 }\n"
        ),
        [Required, Minimum("-5".into()), ExclusiveMaximum("10".into())]
    );
    assert_eq!(
        rules(
            "        logicalType: number\n        physicalType: decimal(5,2)\n        logicalTypeOptions: { maximum: 99.50, exclusiveMinimum: 0 }\n"
        ),
        [Maximum("99.5".into()), ExclusiveMinimum("0".into())]
    );
    assert_eq!(
        rules(
            "        logicalType: timestamp\n        logicalTypeOptions: { minimum: '2026-01-01 10:00:00', maximum: '2026-02-01T00:00:00+02:00', timezone: true, format: 'yyyy-MM-dd HH:mm:ss' }\n"
        ),
        [Minimum("2026-01-01T10:00:00.000000Z".into()), Maximum("2026-01-31T22:00:00.000000Z".into())]
    );
    assert_eq!(
        rules("        logicalType: date\n        logicalTypeOptions: { minimum: '2026-01-01', format: yyyy-MM-dd }\n"),
        [Minimum("2026-01-01".into())]
    );
    assert_eq!(
        rules(
            "        logicalType: string\n        logicalTypeOptions: { minLength: 1, maxLength: 5, pattern: '^[a-z]+$' }\n"
        ),
        [MinLength(1), MaxLength(5), Pattern("^[a-z]+$".into())]
    );
    assert_eq!(
        rules(
            "        logicalType: number\n        physicalType: double\n        customProperties: [{ property: allowNaN, value: true }]\n"
        ),
        [AllowNan]
    );
}

#[test]
fn library_rules_that_must_be_zero_are_rules_on_values() {
    let rules = |text: &str| {
        let (found, warnings) = property(&format!("        logicalType: string\n        quality:\n{text}"));
        (found.rules, warnings)
    };
    let (found, warnings) = rules(
        "          - { type: library, metric: invalidValues, arguments: { validValues: [a, 1, true], pattern: '^.$' }, mustBe: 0 }
          - { metric: nullValues, mustBe: 0 }
",
    );
    let values = ["a", "1", "true"].map(str::to_owned).to_vec();
    assert_eq!(found, [Rule::ValidValues(values), Rule::Pattern("^.$".into()), Rule::Required]);
    assert_eq!(warnings, Vec::<String>::new());
    let (found, warnings) = rules(
        "          - { metric: invalidValues, arguments: { validValues: [a] }, mustBeLessThan: 5 }
          - { metric: invalidValues, arguments: { validValues: [a] }, mustBe: 0, severity: warning }
          - { name: fresh, type: sql, query: SELECT 1, mustBe: 0 }
          - { type: text, description: looks good }
          - { metric: duplicateValues, mustBe: 0 }
          - { metric: rowCount, mustBeGreaterThan: 1 }
",
    );
    assert_eq!(found, []);
    assert_eq!(
        warnings,
        [
            "schemas/orders.odcs.yaml:26:13 the quality rule `invalidValues` is not enforced: only `mustBe: 0` can be held against each row",
            "schemas/orders.odcs.yaml:27:13 the quality rule `invalidValues` is not enforced: its severity asks for less than quarantine",
            "schemas/orders.odcs.yaml:28:13 the quality rule `fresh` is not enforced: only library metrics are",
            "schemas/orders.odcs.yaml:29:13 a quality rule is not enforced: only library metrics are",
            "schemas/orders.odcs.yaml:30:13 that `extra` is unique is not enforced | only a `key` of this one column makes it so",
            "schemas/orders.odcs.yaml:31:13 the quality rule `rowCount` is not enforced: only `mustBe: 0` can be held against each row",
        ]
    );
}

#[test]
fn rules_that_fit_no_value_are_faults() {
    let fault = |text: &str| property_faults(&format!("        {}\n", text.replace('\n', "\n        ")));
    assert_eq!(
        fault("logicalType: integer\nphysicalType: tinyint\nlogicalTypeOptions: { minimum: 1.5, maximum: 200 }"),
        ["26:40 `minimum: 1.5` is no value of type tinyint", "26:54 `maximum: 200` is no value of type tinyint"]
    );
    assert_eq!(
        fault("logicalType: number\nphysicalType: decimal(4,2)\nlogicalTypeOptions: { minimum: 0.001, maximum: 100 }")
            .len(),
        2
    );
    let found = fault("logicalType: string\nlogicalTypeOptions: { pattern: 'a(?=b)', maximum: 3 }");
    assert!(found[0].starts_with("25:40 `a(?=b)` is no regular expression: ") && found[0].contains("RE2"), "{found:?}");
    assert_eq!(found[1], "25:50 `maximum` does not fit a column of type string");
    assert_eq!(
        fault("logicalType: string\nlogicalTypeOptions: { maxLenght: 3 }"),
        ["25:31 `logicalTypeOptions` has no key `maxLenght` | did you mean `maxLength`?"]
    );
}

#[test]
fn what_is_not_enforced_is_a_warning() {
    let warnings = |text: &str| {
        let found = property(&format!("        {}\n", text.replace('\n', "\n        "))).1;
        found.into_iter().map(|w| w.strip_prefix("schemas/orders.odcs.yaml:").unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        warnings("logicalType: date\nlogicalTypeOptions: { format: dd.MM.yyyy }"),
        [
            "25:39 `format: dd.MM.yyyy` is not enforced | say how to read it, e.g. `columns: { day: \"to_date(day, '%d.%m.%Y')\" }`"
        ]
    );
    assert_eq!(
        warnings("logicalType: integer\nlogicalTypeOptions: { multipleOf: 5 }"),
        ["25:31 `multipleOf` is not enforced"]
    );
    assert_eq!(warnings("logicalType: string\nphysicalType: varchar(20)").len(), 1);
    assert_eq!(warnings("logicalType: string\nunique: true").len(), 1);
    assert_eq!(
        warnings("logicalType: timestamp\nlogicalTypeOptions: { defaultTimezone: Europe/Paris }"),
        [
            "25:48 `defaultTimezone: Europe/Paris` is not used | texts without a zone are read in the project's `timezone: UTC`"
        ]
    );
    assert_eq!(
        warnings("logicalType: string\nprimaryKey: true"),
        [
            "23:15 the contract's primary key (extra) is not the table's `key` (order_id) | the table's `key` is what counts"
        ]
    );
    let sla = format!("{}slaProperties: [{{ property: latency, value: 4 }}]\n", SHOP[5].1);
    assert_eq!(shown(&good(&[(FILE, &sla)]).warnings), Vec::<String>::new());
}

#[test]
fn nested_types_are_read_and_their_rules_are_not_enforced() {
    let text = "        logicalType: array
        logicalTypeOptions: { minItems: 1, maxItems: 3 }
        items:
          logicalType: object
          properties:
            - name: city
              logicalType: string
              required: true
            - { name: zip, logicalType: integer, required: false }
";
    let bronze = edited("layers/bronze/orders.yaml", "*.csv\n  format: csv", "*.ndjson\n  format: ndjson");
    let contract = format!("{}      - name: extra\n{text}", SHOP[5].1);
    let project = good(&[(FILE, &contract), ("layers/bronze/orders.yaml", &bronze)]);
    let Definition::Silver(orders) = &project.tables[&project.order[1]].definition else { panic!() };
    let extra = orders.contract.properties.last().unwrap();
    assert_eq!(extra.ty.to_string(), "array<struct<city: string, zip: bigint>>");
    assert_eq!(extra.rules, [Rule::MinLength(1), Rule::MaxLength(3)]);
    assert_eq!(
        shown(&project.warnings),
        [
            "schemas/orders.odcs.yaml:31:15 `required` of a nested property is not enforced | take the value into a column of its own by `columns:`, e.g. with get_json"
        ]
    );
}

#[test]
fn a_contract_that_is_none_is_told_in_full() {
    let text = "apiVersion: v9.9.9
kind: DataContrct
id: orders
version: 1.0.0
schem: []
schema:
  - name: orders
    propertes: []
    properties:
      - name: order_id
        logicalType: integer
        requird: true
        required: maybe
      - logicalType: string
      - { name: Order_ID, logicalType: integer }
      - { name: _x, logicalType: integer }
";
    let found = faults(&[(FILE, text)]);
    let about_contract: Vec<&String> = found.iter().filter(|fault| fault.starts_with(FILE)).collect();
    assert_eq!(
        about_contract,
        [
            "schemas/orders.odcs.yaml:1:1 the contract has no `status` | the Open Data Contract Standard requires it",
            "schemas/orders.odcs.yaml:5:1 the contract has no key `schem` | did you mean `schema`?",
            "schemas/orders.odcs.yaml:8:5 the schema object has no key `propertes` | did you mean `properties`?",
            "schemas/orders.odcs.yaml:12:9 the property has no key `requird` | did you mean `required`?",
            "schemas/orders.odcs.yaml:13:19 `required` must be true or false, but here is text",
            "schemas/orders.odcs.yaml:14:9 the property has no `name` | the column's name",
            "schemas/orders.odcs.yaml:15:17 the property `Order_ID` comes twice | line 10 has it too; the case of letters does not count",
            "schemas/orders.odcs.yaml:16:17 `_x` cannot be the name of a column | names that begin with `_` belong to lakesmith",
        ]
    );
}

#[test]
fn what_odcs_finds_stands_at_its_line() {
    let wrong = |from: &str, to: &str| faults_of(FILE, from, to);
    let found = wrong("kind: DataContract", "kind: DataContrct");
    assert_eq!(
        found,
        ["schemas/orders.odcs.yaml:2:1 not a valid data contract: expected kind 'DataContract', got 'DataContrct'"]
    );
    let found = wrong("apiVersion: v3.1.0", "apiVersion: v2.2.2");
    assert!(
        found.len() == 1 && found[0].starts_with("schemas/orders.odcs.yaml:1:1 not a valid data contract: "),
        "{found:?}"
    );
    let found = wrong("status: active\n", "status: active\nteam: { members: [{ username: '' }] }\n");
    assert!(found.len() == 1 && found[0].starts_with("schemas/orders.odcs.yaml:6:21 "), "{found:?}");
    let found = wrong("        required: true\n", "        quality: [{ metric: invalidVals, mustBe: 0 }]\n");
    assert!(found.len() == 1 && found[0].starts_with("schemas/orders.odcs.yaml:12:21 "), "{found:?}");
    let found = wrong("status: active\n", "status: active\nservers: [{ server: a, typ: s3 }]\n");
    assert!(found.len() == 1 && found[0].starts_with("schemas/orders.odcs.yaml:6:"), "{found:?}");
}

#[test]
fn a_contract_of_several_objects_needs_one_with_the_tables_name() {
    let two = format!("{}  - name: refunds\n    properties: [{{ name: a, logicalType: string }}]\n", SHOP[5].1);
    good(&[(FILE, &two)]);
    let found = faults(&[(FILE, &two.replace("- name: orders", "- name: order"))]);
    assert_eq!(
        found,
        [
            "schemas/orders.odcs.yaml:7:3 the contract has no schema object for `silver.orders` | with several objects, one must have `name: orders`"
        ]
    );
}

#[test]
fn the_contract_must_be_there() {
    let path = "layers/silver/orders.yaml";
    assert_eq!(
        faults_of(path, "schemas/orders.odcs.yaml", "schemas/order.odcs.yaml"),
        [
            "layers/silver/orders.yaml:2:11 the contract `schemas/order.odcs.yaml` does not exist | did you mean `schemas/orders.odcs.yaml`?"
        ]
    );
    assert_eq!(
        faults_of(path, "contract: schemas/orders.odcs.yaml\n", ""),
        ["layers/silver/orders.yaml:1:1 `silver.orders` has no `contract` | e.g. `contract: schemas/orders.odcs.yaml`"]
    );
}

#[test]
fn columns_must_be_properties() {
    assert_eq!(
        faults_of("layers/silver/orders.yaml", "steps:", "columns: { stats: status, other: status }\nsteps:"),
        [
            "layers/silver/orders.yaml:5:12 the contract has no property `stats` | did you mean `status`?",
            "layers/silver/orders.yaml:5:27 the contract has no property `other` | add it to the contract, or make it by a `derive` step",
        ]
    );
}

#[test]
fn a_description_is_for_people_alone() {
    let (found, warnings) = property("        logicalType: string\n        description: What it is\n");
    assert_eq!((found.description.as_deref(), warnings), (Some("What it is"), Vec::new()));
    let hash = |text: &str| {
        let project = good(&[(FILE, &edited(FILE, "      - name: status\n", text))]);
        definition_hash(&project, &project.order[1])
    };
    assert_eq!(hash("      - name: status\n"), hash("      - name: status\n        description: How far it is\n"));
}
