use std::sync::Arc;

use polars::df;
use polars::prelude::{AnyValue, DataFrame, IntoLazy};
use proptest::prelude::*;

use super::*;
use crate::expr::Type;

fn files(frames: &[DataFrame]) -> Files {
    Files::new(Arc::clone(frames[0].schema()), frames.iter().map(|frame| frame.clone().lazy()).collect())
}

fn columns(frame: &DataFrame) -> Vec<Column> {
    let column = |(name, ty): (_, _)| Column::new(format!("{name}"), Type::from_polars(ty).unwrap());
    frame.schema().iter().map(column).collect()
}

/// The rows that are left on each side, as text, sorted; so many rows are held at once.
fn rest(left: &[DataFrame], right: &[DataFrame], at_once: u64) -> [Vec<String>; 2] {
    let (l, r) = (files(left), files(right));
    let rest = cancel_at_once(&l, &r, &columns(&left[0]), at_once).unwrap();
    let rows = |files: &Files, marks| {
        let all: Vec<usize> = (0..files.len()).collect();
        texts(&collect(files.rows(&all, Keep::Marked(marks)).unwrap()).unwrap())
    };
    [rows(&l, &rest.left), rows(&r, &rest.right)]
}

fn texts(frame: &DataFrame) -> Vec<String> {
    let text = |i| format!("{:?}", frame.get(i).unwrap().into_iter().map(AnyValue::into_static).collect::<Vec<_>>());
    let mut rows: Vec<String> = (0..frame.height()).map(text).collect();
    rows.sort();
    rows
}

fn frame(rows: &[(Option<i32>, Option<u8>, Option<bool>)]) -> DataFrame {
    let doubles = [f64::NAN, 0.0, 1.5, f64::INFINITY];
    let a: Vec<_> = rows.iter().map(|row| row.0).collect();
    let b: Vec<_> = rows.iter().map(|row| row.1.map(|i| doubles[usize::from(i)])).collect();
    let c: Vec<_> = rows.iter().map(|row| row.2.map(|c| if c { "x" } else { "" })).collect();
    df!("a" => a, "b" => b, "c" => c).unwrap()
}

fn naive(mut left: Vec<String>, mut right: Vec<String>) -> [Vec<String>; 2] {
    left.retain(|row| match right.iter().position(|other| other == row) {
        Some(i) => {
            right.remove(i);
            false
        }
        None => true,
    });
    [left, right]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_is_left_is_what_a_naive_comparison_leaves(
        left in prop::collection::vec((prop::option::of(0..3), prop::option::of(0..4u8), prop::option::of(any::<bool>())), 0..40),
        right in prop::collection::vec((prop::option::of(0..3), prop::option::of(0..4u8), prop::option::of(any::<bool>())), 0..40),
        cut in 0..40usize,
        at_once in 1..90u64,
    ) {
        let (all_left, all_right) = (frame(&left), frame(&right));
        let cut = cut.min(left.len());
        let left = [frame(&left[..cut]), frame(&left[cut..])];
        prop_assert_eq!(rest(&left, std::slice::from_ref(&all_right), at_once), naive(texts(&all_left), texts(&all_right)));
    }
}

#[test]
fn doubles_that_differ_in_their_last_digits_cancel() {
    let left = df!("k" => [1, 1, 2, 3], "x" => [Some(0.1 + 0.2), Some(5.0), None, Some(1.0)]).unwrap();
    let right = df!("k" => [1, 1, 2, 3], "x" => [Some(5.0), Some(0.3), None, Some(1.000_001)]).unwrap();
    let [left, right] = rest(&[left], &[right], 100);
    assert_eq!((left.len(), right.len()), (1, 1));
    assert!(left[0].contains("Int32(3)"), "{left:?}");
}

#[test]
fn nested_values_cancel() {
    let nested = |last: Option<&str>| {
        let frame = df!("k" => ["a", "a", "b"], "x" => [Some("1"), None, last], "y" => [1.5, f64::NAN, 0.0]).unwrap();
        let both = polars::prelude::as_struct(vec![col("x"), col("y")]);
        frame.lazy().group_by_stable([col("k")]).agg([both.alias("items")]).collect().unwrap()
    };
    assert_eq!(rest(&[nested(Some("2"))], &[nested(Some("2"))], 100), [vec![], Vec::<String>::new()]);
    let [left, right] = rest(&[nested(Some("2"))], &[nested(None)], 100);
    assert_eq!((left.len(), right.len()), (1, 1));
}
