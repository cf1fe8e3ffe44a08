//! Files that may hold rows of touched groups.

use std::collections::BTreeMap;

use polars::prelude::{DataFrame, Series};
use proptest::prelude::{ProptestConfig, any, prop, prop_assert, proptest};

use super::definitions::{
    derived, from, inner_join, joined_with_itself, renamed_key, union_then_join, united_with_itself,
};
use crate::gold::Input;
use crate::gold::{may_hold, recompute, telling_columns};
use crate::project::Derived;
use crate::spread::Spread;
use crate::steps::testing::{Chain, rows, silver};

const EVENTS: &str = "id:bigint d:date name:string";

fn by_month() -> Derived {
    let chain = Chain::over(EVENTS)
        .derive(&[("day", "cast(d as timestamp)"), ("id", "id + 0")])
        .filter("id >= 0")
        .select(&[("at", "day"), ("who", "name"), ("id", "id")])
        .group_by(&[("month", "date_trunc('month', at)"), ("who", "who"), ("id", "id")], &[("n", "count(*)")]);
    derived("events", chain, &["month", "who", "id"])
}

/// A file of these days, with names that begin by the file's number.
fn file(number: usize, days: &[Option<u32>]) -> Vec<String> {
    let date = |day: &u32| format!("2024-{:02}-{:02}", day / 28 + 1, day % 28 + 1);
    let line = |day: &Option<u32>| format!("{number} {} n{number}", day.as_ref().map_or("-".to_owned(), date));
    days.iter().map(line).collect()
}

fn frame(lines: &[String]) -> DataFrame {
    super::world::collected(rows(EVENTS, &lines.iter().map(String::as_str).collect::<Vec<_>>()).frame)
}

fn spread(column: &str, files: &[Vec<String>]) -> Spread {
    let columns: Vec<Series> =
        files.iter().map(|file| frame(file).column(column).unwrap().as_materialized_series().clone()).collect();
    let joined = |of: &dyn Fn(&Series) -> Series| {
        let mut all = columns[0].clear();
        for series in &columns {
            all.append(&of(series)).unwrap();
        }
        all
    };
    let sorted = |series: &Series| series.drop_nulls().sort(Default::default()).unwrap();
    let none = |series: &Series| Series::full_null("".into(), 1, series.dtype());
    Spread {
        least: joined(&|series| if sorted(series).is_empty() { none(series) } else { sorted(series).head(Some(1)) }),
        greatest: joined(&|series| if sorted(series).is_empty() { none(series) } else { sorted(series).tail(Some(1)) }),
        nulls: columns.iter().map(|series| series.null_count() > 0).collect(),
        values: columns.iter().map(|series| series.null_count() < series.len()).collect(),
    }
}

fn groups(files: &[Vec<String>]) -> DataFrame {
    let columns = rows(EVENTS, &[]).columns;
    let new = polars::prelude::IntoLazy::lazy(frame(&files.concat()));
    let input = Input { table: silver("events"), columns, new, change: None };
    super::world::collected(recompute(&by_month(), &[input], None).unwrap())
}

fn asked(files: &[Vec<String>], touched: &DataFrame, columns: &[&str]) -> Vec<bool> {
    let spreads: BTreeMap<String, Spread> =
        columns.iter().map(|column| ((*column).to_owned(), spread(column, files))).collect();
    may_hold(&by_month(), &silver("events"), touched, &spreads, files.len()).unwrap()
}

#[test]
fn a_file_is_read_where_a_key_lies_between_its_bounds() {
    let files = [
        file(0, &[Some(0), Some(20)]),
        file(1, &[Some(30), Some(90)]),
        file(2, &[None, Some(27)]),
        file(3, &[None]),
        file(4, &[Some(28 * 6)]),
    ];
    let touched = groups(&[file(0, &[Some(3)])]);
    assert_eq!(asked(&files, &touched, &["d"]), [true, false, true, false, false]);
    assert_eq!(asked(&files, &touched, &["d", "name"]), [true, false, false, false, false]);
    assert_eq!(asked(&files, &touched, &[]), [true; 5], "nothing is known");
    let unknown = groups(&[file(9, &[None])]);
    assert_eq!(asked(&files, &unknown, &["d"]), [false, false, true, true, false]);
    let apart = groups(&[file(0, &[Some(0)]), file(1, &[Some(28 * 6 + 3)])]);
    assert_eq!(asked(&files, &apart, &["d"]), [true, false, true, false, true], "no key lies between the two");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn no_file_with_a_row_of_a_touched_group_is_left_out(
        days in prop::collection::vec(prop::collection::vec(prop::option::of(0..300u32), 1..5), 1..6),
        picks in prop::collection::vec(any::<prop::sample::Index>(), 1..4),
    ) {
        let files: Vec<Vec<String>> = days.iter().enumerate().map(|(number, days)| file(number % 3, days)).collect();
        let all = groups(&files);
        let mut picked: Vec<u32> = picks.iter().map(|pick| pick.index(all.height()) as u32).collect();
        picked.sort_unstable();
        picked.dedup();
        let touched = all.take(&polars::prelude::IdxCa::from_vec("".into(), picked)).unwrap();
        let may = asked(&files, &touched, &["d", "name"]);
        let wanted = |line: &[String]| {
            let of_file = groups(&[line.to_vec()]);
            let keys = ["month", "who", "id"];
            let words = |frame: &DataFrame| -> Vec<String> {
                let keys = frame.select(keys).unwrap();
                (0..keys.height()).map(|i| format!("{:?}", keys.get(i).unwrap())).collect()
            };
            let touched = words(&touched);
            words(&of_file).iter().any(|key| touched.contains(key))
        };
        for (file, may) in files.iter().zip(may) {
            prop_assert!(may || !wanted(file));
        }
    }
}

#[test]
fn a_column_tells_if_the_key_grows_with_it_alone() {
    let telling = |derived: &Derived, table| telling_columns(derived, &silver(table));
    assert_eq!(telling(&by_month(), "events"), ["d", "name"], "id + 0 may be anything");
    assert_eq!(telling(&inner_join(), "orders"), [""; 0], "the key comes from the joined table");
    assert_eq!(telling(&inner_join(), "customers"), [""; 0], "other groups' rows join it too");
    assert_eq!(telling(&union_then_join(), "orders"), ["kind"]);
    assert_eq!(telling(&union_then_join(), "returns"), ["kind"]);
    assert_eq!(telling(&joined_with_itself(), "orders"), [""; 0]);
    assert_eq!(telling(&united_with_itself(), "orders"), [""; 0]);
    assert_eq!(telling(&renamed_key(), "orders"), [""; 0]);
    let kinds = from("orders").group_by(&[("kind", "kind"), ("k", "amount > 1")], &[("n", "count(*)")]);
    assert_eq!(telling(&derived("orders", kinds, &["kind", "k"]), "orders"), ["kind"]);
    assert_eq!(telling(&derived("orders", from("orders"), &["id"]), "orders"), [""; 0], "no groups");
}
