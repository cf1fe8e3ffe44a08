use polars::prelude::LazyFrame;
use proptest::prelude::*;

use super::testing::{Chain, columns, failure, join, lines, rank, rows, silver};
use super::{JoinKind, Step};
use crate::expr::Columns;
use crate::name::TableName;

fn refused(step: &Step, input: &str, other: &str) -> String {
    let tables = |name: &TableName| (*name == silver("other")).then(|| columns(other));
    step.output(&columns(input), &tables).unwrap_err()
}

fn names(columns: &Columns) -> Vec<&str> {
    columns.iter().map(|c| c.name.as_str()).collect()
}

#[test]
fn derive_replaces_in_place_and_appends() {
    let chain = Chain::over("a:bigint b:bigint").derive(&[("c", "a + b"), ("a", "b")]);
    assert_eq!(names(&chain.output), ["a", "b", "c"]);
    let got = chain.apply(rows("a:bigint b:bigint", &["1 2", "- 5"]), &[]);
    assert_eq!(lines(&got), ["2 2 3", "5 5 -"], "all expressions read the columns that came in");
}

#[test]
fn names_that_differ_only_in_case_are_refused() {
    let chain = Chain::over("a:bigint");
    let tables = |_: &TableName| None;
    let upper = Step::Derive(chain.named(&[("A", "1")])).output(&chain.output, &tables);
    assert_eq!(upper.unwrap_err(), "the names `a` and `A` differ only in case");
    let twice = Step::Select(chain.named(&[("x", "a"), ("x", "1")])).output(&chain.output, &tables);
    assert_eq!(twice.unwrap_err(), "two columns have the name `x`");
    let group = Step::GroupBy { keys: chain.named(&[("n", "a"), ("N", "a")]), aggregate: vec![] };
    assert!(group.output(&chain.output, &tables).unwrap_err().contains("differ only in case"));
}

#[test]
fn what_does_not_fit_is_named() {
    let (left, right) = ("id:bigint name:string", "id:bigint Name:string");
    let clash = join(JoinKind::Left, "other", &[("id", "id")], &[("Name", "Name")]);
    assert_eq!(
        refused(&clash, left, right),
        "the join with `silver.other` would bring in `Name` beside `name`; choose with `columns:` or set `prefix:`"
    );
    let unknown = join(JoinKind::Left, "other", &[("id", "idd")], &[]);
    assert_eq!(refused(&unknown, left, right), "`silver.other` has no column `idd`");
    let types = join(JoinKind::Left, "other", &[("name", "id")], &[]);
    assert!(
        refused(&types, left, right).contains("`name` is of type string and `id` of `silver.other` of type bigint")
    );
    let adds = join(JoinKind::Semi, "other", &[("id", "id")], &[("Name", "x")]);
    assert!(refused(&adds, left, right).contains("semi or anti join adds no column"));
    let no_on = join(JoinKind::Inner, "other", &[], &[]);
    assert!(refused(&no_on, left, right).contains("has no `on:`"));
    let missing = Step::Union(silver("nowhere"));
    assert_eq!(refused(&missing, left, right), "there is no table `silver.nowhere`");
    let union = Step::Union(silver("other"));
    assert!(refused(&union, "id:bigint", "id:bigint x:int").contains("has a column `x`"));
    assert!(refused(&union, "id:bigint x:int", "id:bigint").contains("has no column `x`"));
    assert!(refused(&union, "id:bigint", "id:int").contains("is of type bigint here and int in `silver.other`"));
    assert!(refused(&rank("name:asc", "", "ID"), left, right).contains("beside `id`"));
    assert_eq!(refused(&rank("nme:asc", "", "r"), left, right), "there is no column `nme`");
    assert_eq!(refused(&rank("name:asc", "nme", "r"), left, right), "there is no column `nme`");
    assert!(refused(&rank("tags:asc", "", "r"), "tags:strings", right).contains("cannot be ranked"));
    let number = Step::Where(Chain::over(left).scalar("id + 1"));
    assert_eq!(refused(&number, left, right), "the condition is of type bigint; it must be boolean");
    let tags = Chain::over("tags:strings");
    let group = Step::GroupBy { keys: tags.named(&[("tags", "tags")]), aggregate: vec![] };
    assert!(refused(&group, "tags:strings", right).contains("cannot be grouped"));
}

#[test]
fn where_keeps_only_what_is_true() {
    let chain = Chain::over("a:bigint").filter("a > 1");
    assert_eq!(lines(&chain.apply(rows("a:bigint", &["1", "2", "-", "2"]), &[])), ["2", "2"]);
    let null = Chain::over("a:bigint").filter("null");
    assert!(lines(&null.apply(rows("a:bigint", &["1"]), &[])).is_empty());
    let all = Chain::over("a:bigint").filter("true");
    assert_eq!(lines(&all.apply(rows("a:bigint", &["1", "-"]), &[])), ["-", "1"]);
}

#[test]
fn a_selection_of_literals_has_as_many_rows_as_came_in() {
    let chain = Chain::over("a:bigint b:bigint").select(&[("x", "1"), ("y", "'t'")]);
    assert_eq!(lines(&chain.apply(rows("a:bigint b:bigint", &["1 1", "2 2"]), &[])), ["1 t", "1 t"]);
    assert!(lines(&chain.apply(rows("a:bigint b:bigint", &[]), &[])).is_empty());
    let counted = chain.group_by(&[], &[("n", "count(*)")]);
    assert_eq!(lines(&counted.apply(rows("a:bigint b:bigint", &["1 1", "2 2", "- -"]), &[])), ["3"]);
}

#[test]
fn select_can_swap_names() {
    let chain = Chain::over("a:bigint b:string").select(&[("b", "a"), ("a", "b")]);
    assert_eq!(lines(&chain.apply(rows("a:bigint b:string", &["1 x"]), &[])), ["1 x"]);
    assert_eq!(names(&chain.output), ["b", "a"]);
}

#[test]
fn a_fault_fails_the_query_and_names_the_step() {
    let declared = "a:bigint b:bigint";
    let with_zero = || rows(declared, &["1 0", "4 2"]);
    let derive = Chain::over(declared).filter("a > 0").derive(&[("x", "a / b")]);
    let message = failure(&derive.apply(with_zero(), &[]));
    assert!(message.contains("step 2 (derive), `x`"), "{message}");
    let filter = failure(&Chain::over(declared).filter("a / b > 1").apply(with_zero(), &[]));
    assert!(filter.contains("step 1 (where)"), "{filter}");
    let group = Chain::over(declared).group_by(&[("k", "a / b")], &[("n", "count(*)")]);
    let message = failure(&group.apply(with_zero(), &[]));
    assert!(message.contains("step 1 (group_by), `k`"), "{message}");
}

/// Polars makes one filter of neighbouring ones and pushes filters down; neither may bring a guarded fault back.
#[test]
fn a_filter_guards_the_steps_after_it() {
    let declared = "a:bigint b:bigint";
    let input = || rows(declared, &["1 0", "4 2", "9 -"]);
    let filters = Chain::over(declared).filter("b <> 0").filter("a / b > 1");
    assert_eq!(lines(&filters.apply(input(), &[])), ["4 2"]);
    let derived = Chain::over(declared).filter("b <> 0").derive(&[("x", "a div b")]).filter("x = 2");
    assert_eq!(lines(&derived.apply(input(), &[])), ["4 2 2"]);
    let joined = Chain::over(declared)
        .beside("other", "b:bigint")
        .join(JoinKind::Semi, "other", &[("b", "b")], &[])
        .filter("a / b > 1");
    assert_eq!(lines(&joined.apply(input(), &[("other", rows("b:bigint", &["2"]))])), ["4 2"]);
}

fn joined(how: JoinKind, columns: &[(&str, &str)]) -> Vec<String> {
    let (left, right) = ("id:bigint v:string", "id:bigint w:string");
    let chain = Chain::over(left).beside("other", right).join(how, "other", &[("id", "id")], columns);
    let first = rows(left, &["1 a", "1 b", "2 c", "3 d", "- e"]);
    lines(&chain.apply(first, &[("other", rows(right, &["1 x", "1 y", "3 -", "4 z", "- n"]))]))
}

#[test]
fn joins_mean_what_sql_means() {
    let w = [("w", "w")];
    assert_eq!(joined(JoinKind::Inner, &w), ["1 a x", "1 a y", "1 b x", "1 b y", "3 d -"]);
    assert_eq!(joined(JoinKind::Left, &w), ["- e -", "1 a x", "1 a y", "1 b x", "1 b y", "2 c -", "3 d -"]);
    assert_eq!(
        joined(JoinKind::Left, &[("id", "other_id")]),
        ["- e -", "1 a 1", "1 a 1", "1 b 1", "1 b 1", "2 c -", "3 d 3"]
    );
    assert_eq!(joined(JoinKind::Semi, &[]), ["1 a", "1 b", "3 d"]);
    assert_eq!(joined(JoinKind::Anti, &[]), ["- e", "2 c"]);
    assert_eq!(joined(JoinKind::Inner, &[]), ["1 a", "1 a", "1 b", "1 b", "3 d"]);
}

#[test]
fn joins_compare_different_widths() {
    let (left, right) = ("a:int b:decimal6.2 k:string", "a:bigint b:decimal9.3 v:string");
    let chain = Chain::over(left).beside("other", right).join(
        JoinKind::Inner,
        "other",
        &[("a", "a"), ("b", "b")],
        &[("v", "v"), ("a", "other_a")],
    );
    let first = rows(left, &["1 1.50 x", "2 1.50 y", "3 - z"]);
    let other = rows(right, &["1 1.500 p", "2 1.501 q", "3 - r"]);
    assert_eq!(lines(&chain.apply(first, &[("other", other)])), ["1 1.50 x p 1"]);
}

#[test]
fn a_table_can_be_joined_with_itself() {
    let declared = "id:bigint boss:bigint name:string";
    let chain = Chain::over(declared).beside("staff", declared).join(
        JoinKind::Left,
        "staff",
        &[("boss", "id")],
        &[("id", "boss_id"), ("name", "boss_name")],
    );
    let staff = rows(declared, &["1 - ann", "2 1 bob", "3 9 eve"]);
    let got = lines(&chain.apply(staff.clone(), &[("staff", staff)]));
    assert_eq!(got, ["1 - ann - -", "2 1 bob 1 ann", "3 9 eve - -"]);
}

#[test]
fn union_goes_by_name_and_keeps_duplicates() {
    let chain = Chain::over("a:bigint b:string").beside("other", "b:string a:bigint").union("other");
    let got =
        chain.apply(rows("a:bigint b:string", &["1 x"]), &[("other", rows("b:string a:bigint", &["x 1", "- 2"]))]);
    assert_eq!(lines(&got), ["1 x", "1 x", "2 -"]);
}

#[test]
fn a_group_key_may_hide_a_column_that_an_aggregate_reads() {
    let declared = "k:string v:bigint";
    let chain = Chain::over(declared)
        .group_by(&[("v", "v div 10"), ("k", "k")], &[("top", "max(v)"), ("n", "count(*)")])
        .having("n > 1");
    let got = chain.apply(rows(declared, &["a 11", "a 12", "- 20", "- 21", "- -", "- -", "b 1"]), &[]);
    assert_eq!(lines(&got), ["- - - 2", "1 a 12 2", "2 - 21 2"], "NULL is a group of its own");
}

#[test]
fn a_group_without_aggregates_is_its_key() {
    let chain = Chain::over("k:string").group_by(&[("k", "k")], &[]);
    assert_eq!(lines(&chain.apply(rows("k:string", &["a", "a", "-", "-"]), &[])), ["-", "a"]);
}

#[test]
fn the_tie_of_first_is_broken_whatever_the_order_of_rows() {
    let declared = "k:string t:bigint v:string";
    let chain = Chain::over(declared).group_by(&[("k", "k")], &[("v", "first(v by t)"), ("w", "last(v by t)")]);
    let ahead = chain.apply(rows(declared, &["a 1 x", "a 1 y", "a 1 z"]), &[]);
    let back = chain.apply(rows(declared, &["a 1 z", "a 1 y", "a 1 x"]), &[]);
    assert_eq!(lines(&ahead), ["a x z"]);
    assert_eq!(lines(&back), ["a x z"]);
}

fn ranked(declared: &str, input: &[&str], step: Step) -> Vec<String> {
    let frame: LazyFrame = Chain::over(declared).push(step).apply(rows(declared, input), &[]);
    lines(&frame)
}

#[test]
fn rank_shares_numbers_and_skips() {
    let input = ["a 1.50", "a 1.50", "a 2.00", "a -", "a -", "b 0.10", "- 7.00", "- 8.00"];
    let ascending = ranked("k:string v:decimal6.2", &input, rank("v:asc", "k", "r"));
    assert_eq!(ascending, ["- 7.00 1", "- 8.00 2", "a - 4", "a - 4", "a 1.50 1", "a 1.50 1", "a 2.00 3", "b 0.10 1"]);
    let descending = ranked("k:string v:decimal6.2", &input, rank("v:desc", "k", "r"));
    assert_eq!(
        descending,
        ["- 7.00 2", "- 8.00 1", "a - 4", "a - 4", "a 1.50 2", "a 1.50 2", "a 2.00 1", "b 0.10 1"],
        "NULL comes last either way"
    );
    let whole = ranked("k:string v:decimal6.2", &input, rank("v:desc k:asc", "", "r"));
    assert_eq!(whole, ["- 7.00 2", "- 8.00 1", "a - 7", "a - 7", "a 1.50 4", "a 1.50 4", "a 2.00 3", "b 0.10 6"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn rank_is_one_more_than_the_rows_before(
        cells in prop::collection::vec((prop::option::of(0i64..3), prop::option::of(0i64..4), prop::option::of(0i64..3)), 0..14),
        within in any::<bool>(),
    ) {
        let word = |v: Option<i64>| v.map_or("-".to_owned(), |v| v.to_string());
        let written: Vec<String> = cells.iter().map(|(k, a, b)| format!("{} {} {}", word(*k), word(*a), word(*b))).collect();
        let input: Vec<&str> = written.iter().map(String::as_str).collect();
        let got = ranked("k:bigint a:bigint b:bigint", &input, rank("a:desc b:asc", if within { "k" } else { "" }, "r"));

        // NULL last: a pair whose first part is true comes after all others
        let place = |a: Option<i64>, b: Option<i64>| ((a.is_none(), a.map(|a| -a)), (b.is_none(), b));
        let mut wanted: Vec<String> = cells.iter().zip(&written).map(|((k, a, b), line)| {
            let before = cells.iter().filter(|(l, c, d)| (!within || l == k) && place(*c, *d) < place(*a, *b)).count();
            format!("{line} {}", before + 1)
        }).collect();
        wanted.sort();
        prop_assert_eq!(got, wanted);
    }
}
