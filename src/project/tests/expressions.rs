use super::*;

/// The faults of `gold.sums` with these steps over silver.orders.
fn steps(text: &str) -> Vec<String> {
    faults(&[("layers/gold/sums.yaml", &format!("from: silver.orders\nsteps:\n{text}"))])
}

fn first(text: &str) -> String {
    let found = steps(text);
    assert_eq!(found.len(), 1, "{found:?}");
    found[0].strip_prefix("layers/gold/sums.yaml:").unwrap().to_owned()
}

#[test]
fn steps_have_one_known_verb() {
    assert_eq!(
        steps(
            "  - dervie: { a: 1 }
  - where: status = 'a'
    derive: { a: 1 }
  - aggregate: { a: count(*) }
  - {}
  - where
  - derive: {}
  - select: []
  - group_by: {}
"
        ),
        [
            "layers/gold/sums.yaml:3:5 `dervie` is no step here | did you mean `derive`?",
            "layers/gold/sums.yaml:5:5 two verbs in one step | begin another step with `-`",
            "layers/gold/sums.yaml:6:5 `aggregate` is no step here | `aggregate` stands beside `group_by`",
            "layers/gold/sums.yaml:7:5 a step without a verb | one of: derive, where, select, join, union, group_by, having, rank",
            "layers/gold/sums.yaml:8:5 a step must be a mapping of keys to values, but here is text",
            "layers/gold/sums.yaml:9:13 `derive` names no column",
            "layers/gold/sums.yaml:10:13 `select` names no column",
            "layers/gold/sums.yaml:11:5 `group_by` without keys needs `aggregate`",
        ]
    );
    assert!(first("  where: true\n").starts_with("3:3 `steps` must be a list of steps"));
}

#[test]
fn an_expression_is_wrong_at_its_place_in_the_file() {
    assert!(first("  - where: status = 'a' and quantty > 1\n").starts_with("3:29 "));
    assert!(first("  - where: \"status = 'a' and quantty > 1\"\n").starts_with("3:30 "));
    let hint = first("  - derive: { a: total + 1, b: quantty + 1 }\n");
    assert!(hint.starts_with("3:32 ") && hint.contains("`quantity`"), "{hint}");
}

#[test]
fn all_expressions_of_a_step_are_checked() {
    let found = steps(
        "  - group_by: { a: stats, b: status }
    aggregate: { c: sum(totl), d: sum(total) }
",
    );
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].contains(":3:20 ") && found[1].contains(":4:25 "), "{found:?}");
}

#[test]
fn conditions_are_boolean_and_columns_have_a_type_and_a_name() {
    assert!(first("  - where: quantity + 1\n").starts_with("3:12 a condition cannot be of type "));
    assert!(first("  - derive: { a: null }\n").starts_with("3:18 `a` has no type | say which"));
    assert!(first("  - derive: { _a: 1 }\n").starts_with("3:15 `_a` cannot be the name of a column"));
    assert!(first("  - derive: { 'a b': 1 }\n").starts_with("3:15 `a b` cannot be the name of a column"));
    assert_eq!(first("  - select: [status, STATUS]\n").split(" | ").next(), Some("3:22 there is no column `STATUS`"));
    assert_eq!(first("  - select: { a: status, A: status }\n"), "3:26 `A` stands here twice");
    assert!(first("  - derive: { Status: status }\n").starts_with("3:5 "));
    assert!(first("  - having: quantity > 1\n").starts_with("3:5 `having` without a `group_by` before it"));
}

#[test]
fn joins_name_columns_that_are_there_and_add_none_twice() {
    assert_eq!(
        first("  - join: { with: silver.big, on: order_id }\n"),
        "3:19 the join would add `status`, but there is `status` already | choose or rename what it adds: `columns: { new_name: name }` or `prefix: text`"
    );
}

#[test]
fn joins_tell_every_wrong_name() {
    let found = steps("  - join: { with: silver.big, on: { ordr_id: order_id, order_id: id }, columns: [stat] }\n");
    assert_eq!(
        found,
        [
            "layers/gold/sums.yaml:3:37 there is no column `ordr_id` | did you mean `order_id`?",
            "layers/gold/sums.yaml:3:66 `silver.big` has no column `id` | the columns are: order_id, status, quantity, unit_price, updated_at, total",
            "layers/gold/sums.yaml:3:82 `silver.big` has no column `stat` | did you mean `status`?",
        ]
    );
    assert_eq!(
        first("  - join: { with: silver.big, on: order_id, how: semi, prefix: big_ }\n"),
        "3:19 a semi or anti join adds no columns | take `columns` and `prefix` out"
    );
}

#[test]
fn joins_rename_by_prefix_or_mapping() {
    let columns = |join: &str| {
        let text = format!("from: silver.orders\nsteps:\n  - join: {{ with: silver.big, on: order_id, {join} }}\n");
        let project = good(&[("layers/gold/sums.yaml", &text)]);
        let crate::project::Definition::Gold(sums) = &project.tables[project.order.last().unwrap()].definition else {
            panic!()
        };
        sums.output[6..].iter().map(|column| column.name.clone()).collect::<Vec<_>>()
    };
    let all = ["big_status", "big_quantity", "big_unit_price", "big_updated_at", "big_total"];
    assert_eq!(columns("how: left, prefix: big_"), all);
    assert_eq!(columns("columns: [total], prefix: big_"), ["big_total"]);
    assert_eq!(columns("columns: { much: total }"), ["much"]);
    assert_eq!(columns("how: anti"), Vec::<String>::new());
}

#[test]
fn unions_and_ranks_are_checked() {
    assert!(first("  - select: [order_id]\n  - union: silver.big\n").starts_with("4:5 "));
    assert_eq!(
        steps("  - rank: { by: [totl desc, total down], within: stats, as: total }\n"),
        [
            "layers/gold/sums.yaml:3:18 there is no column `totl` | did you mean `total`?",
            "layers/gold/sums.yaml:3:29 `total down` is no order | a column, then `asc` or `desc`, e.g. `revenue desc`",
            "layers/gold/sums.yaml:3:50 there is no column `stats` | did you mean `status`?",
        ]
    );
    assert!(first("  - rank: { by: total desc, as: total }\n").starts_with("3:5 "));
}

#[test]
fn silver_from_bronze_has_steps_on_single_rows() {
    assert_eq!(
        faults_of("layers/silver/orders.yaml", "  - derive", "  - group_by: [order_id]\n  - derive"),
        [
            "layers/silver/orders.yaml:6:5 a table that reads bronze has the steps derive, where and select only | make another table that reads this one"
        ]
    );
}
